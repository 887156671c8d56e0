"""Who may come in and what they are here, for those who see to it; and the audit log."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from central.account import SCOPED, Grant, Role
from central.desk.auth import once_address
from central.desk.people import PeopleDesk
from central.desk.services import Services
from central.desk.services.errors import NotAllowed
from central.desk.web.pages import SAID, Pages
from central.desk.web.visitors import Visitor, Visitors

EACH = 100
"""So many accounts, or acts, are on one page."""


def router(services: Services, people: PeopleDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The pages of people and of what was done."""
    routes = APIRouter()
    SignedIn = Annotated[Visitor, Depends(visitors.signed_in)]  # noqa: N806  # they name types
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806

    def everybody(visitor: Visitor, after: str = "", *, status: int = 200, problem: str = "", **typed: str) -> Response:
        found = people.list(visitor.principal, after=after, limit=EACH + 1)
        shown = {"accounts": found[:EACH], "onward": found[EACH - 1].login if len(found) > EACH else "", "after": after}
        return page(visitor, "people.html", status, problem=problem, typed=typed, **shown)

    def one(visitor: Visitor, login: str, *, status: int = 200, **more: Any) -> Response:
        """`link`: one that was just made, to be shown this once."""
        account, tokens = people.show(visitor.principal, login), people.tokens(visitor.principal, login)
        shown = {"account": account, "tokens": [each for each in tokens if each.revoked_at is None]}
        return page(visitor, "person.html", status, **{"said": "", "problem": "", "link": "", **shown, **more})

    def page(visitor: Visitor, template: str, status: int, **shown: Any) -> Response:
        at = services.clock()
        return pages.page(template, visitor, status, here="people", roles=tuple(Role), scoped=SCOPED, at=at, **shown)

    def link(request: Request, visitor: Visitor, login: str) -> str:
        where = services.cookies.public_url or str(request.base_url)
        return once_address(where.rstrip("/"), people.invite(visitor.principal, login))

    @routes.get("/people")
    def every(visitor: SignedIn, after: str = "") -> Response:
        return everybody(visitor, after)

    @routes.post("/people")
    def create(
        request: Request,
        visitor: Acting,
        login: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        email: Annotated[str, Form()] = "",
        role: Annotated[str, Form()] = "",
        of: Annotated[str, Form()] = "",
    ) -> Response:
        try:
            grants = [_grant(role, of)] if role else []
            made = people.create(visitor.principal, login, name=name.strip(), email=email.strip(), grants=grants)
        except NotAllowed as problem:
            typed = {"login": login, "name": name, "email": email, "role": role, "of": of}
            return everybody(visitor, status=409, problem=_sentence(problem), **typed)
        return one(visitor, made.login, link=link(request, visitor, made.login))

    @routes.get("/people/{login}")
    def show(visitor: SignedIn, login: str, said: str = "") -> Response:
        people.list(visitor.principal, limit=1)  # one's own account is at /account for everybody
        return one(visitor, login, said=SAID.get(said, ""))

    @routes.post("/people/{login}/invite")
    def invite(request: Request, visitor: Acting, login: str) -> Response:
        return one(visitor, login, link=link(request, visitor, login))

    @routes.post("/people/{login}/tokens/{token}/revoke")
    def revoke_token(visitor: Acting, login: str, token: int) -> Response:
        people.revoke_token(visitor.principal, login, token)
        return _back(login, "token-revoked")

    @routes.post("/people/{login}/{act}")
    def change(
        visitor: Acting, login: str, act: str, role: Annotated[str, Form()] = "", of: Annotated[str, Form()] = ""
    ) -> Response:
        principal = visitor.principal
        try:
            match act:
                case "grant":
                    people.grant(principal, login, _grant(role, of))
                case "revoke":
                    people.revoke(principal, login, _grant(role, of))
                case "disable":
                    people.disable(principal, login)
                case "enable":
                    people.enable(principal, login)
                case _:
                    return pages.said(f"Nothing is called {act} on an account.", visitor, 404)
        except NotAllowed as problem:
            return one(visitor, login, problem=_sentence(problem), status=409)
        if login == principal.person.id and act in ("revoke", "disable"):  # they may see this page no more
            return RedirectResponse("/", 303)
        return _back(login, {"grant": "granted", "revoke": "revoked", "disable": "disabled", "enable": "enabled"}[act])

    @routes.get("/audit")
    def audit(visitor: SignedIn, before: Annotated[int | None, Query(ge=1)] = None) -> Response:
        found = people.audit(visitor.principal, before=before, limit=EACH + 1)
        onward = found[EACH - 1].id if len(found) > EACH else None
        shown = {"entries": found[:EACH], "onward": onward, "before": before}
        return pages.page("audit.html", visitor, here="audit", at=services.clock(), **shown)

    return routes


def _grant(role: str, of: str) -> Grant:
    """:raises NotAllowed: there is no such role, or it is not said what for."""
    try:
        return Grant.read(f"{role}:{of.strip()}" if of.strip() else role)
    except ValueError as problem:
        raise NotAllowed(str(problem)) from None


def _sentence(problem: Exception) -> str:
    said = str(problem)
    return f"{said[:1].upper()}{said[1:]}."


def _back(login: str, said: str) -> Response:
    return RedirectResponse(f"/people/{quote(login)}?said={said}", 303)
