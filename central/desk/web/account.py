"""One's own account: who one is here, the password, and every place where one is signed in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from central.desk.auth import NotKnown, TooManyTries
from central.desk.passwords import SHORTEST, BadPassword
from central.desk.people import PeopleDesk
from central.desk.services import NotAllowed
from central.desk.web.pages import SAID, Pages
from central.desk.web.visitors import Visitor, Visitors


def router(people: PeopleDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The page of whoever is signed in."""
    routes = APIRouter()

    def page(visitor: Visitor, *, problem: str = "", said: str = "", status: int = 200) -> Response:
        account = people.show(visitor.principal, visitor.principal.person.id)
        shown = {"account": account, "grants": sorted(map(str, account.grants)), "shortest": SHORTEST}
        return pages.page("account.html", visitor, status, here="account", problem=problem, said=said, **shown)

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

    return routes
