"""One's own account: who one is here, the password, and every place where one is signed in."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from central.account import Scope
from central.desk.auth import NotKnown, TooManyTries
from central.desk.passwords import SHORTEST, BadPassword
from central.desk.people import PeopleDesk
from central.desk.services import Services
from central.desk.services.errors import NotAllowed
from central.desk.web.pages import SAID, Pages
from central.desk.web.visitors import Visitor, Visitors

DAYS = (30, 90, 365)
"""How long an access token may last."""


def router(services: Services, people: PeopleDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The page of whoever is signed in."""
    routes = APIRouter()

    def page(
        visitor: Visitor, *, problem: str = "", said: str = "", status: int = 200, made: str = "", wrong: str = ""
    ) -> Response:
        """`made`: the text of a token, to be shown this once; `wrong`: why there is none."""
        login = visitor.principal.person.id
        account, tokens = people.show(visitor.principal, login), people.tokens(visitor.principal, login)
        return pages.page(
            "account.html",
            visitor,
            status,
            here="account",
            account=account,
            grants=sorted(map(str, account.grants)),
            shortest=SHORTEST,
            tokens=[each for each in tokens if each.revoked_at is None],
            scopes=tuple(Scope),
            days=DAYS,
            elsewhere=services.openid,
            made=made,
            wrong=wrong,
            problem=problem,
            said=said,
            at=services.clock(),
        )

    @routes.get("/account")
    def show(visitor: Annotated[Visitor, Depends(visitors.signed_in)], said: str = "") -> Response:
        return page(visitor, said=SAID.get(said, ""))

    @routes.post("/account/password")
    def change(
        request: Request,
        visitor: Annotated[Visitor, Depends(visitors.acting)],
        old: Annotated[str, Form()] = "",
        new: Annotated[str, Form()] = "",
        again: Annotated[str, Form()] = "",
    ) -> Response:
        if new != again:
            return page(visitor, problem="The new password was not typed twice alike.", status=409)
        source, cookie = request.client.host if request.client else "", visitors.cookie(request)
        try:
            people.change_password(visitor.principal, old, new, source=source, cookie=cookie)
        except NotKnown:
            return page(visitor, problem="That is not your present password.", status=403)
        except TooManyTries as problem:
            answer = page(visitor, problem=f"{problem}.".capitalize(), status=429)
            answer.headers["Retry-After"] = str(int(problem.retry_after.total_seconds()) + 1)
            return answer
        except (BadPassword, NotAllowed) as problem:
            return page(visitor, problem=f"{problem}.".capitalize(), status=409)
        return RedirectResponse("/account?said=password", 303)

    @routes.post("/account/sign-out-elsewhere")
    def sign_out(request: Request, visitor: Annotated[Visitor, Depends(visitors.acting)]) -> Response:
        people.sign_out_everywhere(visitor.principal, cookie=visitors.cookie(request))
        return RedirectResponse("/account?said=elsewhere", 303)

    @routes.post("/account/tokens")
    def add_token(
        visitor: Annotated[Visitor, Depends(visitors.acting)],
        name: Annotated[str, Form()] = "",
        scope: Annotated[list[Scope] | None, Form()] = None,
        days: Annotated[int, Form(ge=1, le=DAYS[-1])] = DAYS[0],
    ) -> Response:
        login = visitor.principal.person.id
        try:
            text, _ = people.add_token(visitor.principal, login, name, scope or (), lasts=timedelta(days=days))
        except NotAllowed as problem:
            return page(visitor, wrong=f"{problem}.".capitalize(), status=409)
        return page(visitor, made=text)

    @routes.post("/account/tokens/{token}/revoke")
    def revoke_token(visitor: Annotated[Visitor, Depends(visitors.acting)], token: int) -> Response:
        people.revoke_token(visitor.principal, visitor.principal.person.id, token)
        return RedirectResponse("/account?said=token-revoked", 303)

    return routes
