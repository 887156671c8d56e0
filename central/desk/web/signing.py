"""Signing in and out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from central.account import Session
from central.desk.auth import Gate, NotKnown, TooManyTries
from central.desk.web.pages import SAID, TROUBLE, Pages
from central.desk.web.visitors import Visitor, Visitors, local


def router(gate: Gate, visitors: Visitors, pages: Pages, *, elsewhere: bool) -> APIRouter:
    """The pages where people come in and leave. `elsewhere`: an OpenID provider lets people in, too."""
    routes = APIRouter()

    def asked(*, onward: str, problem: str, login: str = "", said: str = "", status: int = 200) -> Response:
        told: dict[str, Any] = {"onward": onward, "problem": problem, "login": login, "said": said}
        return pages.page("sign_in.html", None, status, elsewhere=elsewhere, **told)

    def refused(sentence: str, status: int, login: str = "", onward: str = "/") -> Response:
        return asked(status=status, problem=sentence, login=login, onward=onward)

    def held_back(problem: TooManyTries, login: str = "", onward: str = "/") -> Response:
        answer = refused(f"{problem}.".capitalize(), 429, login, onward)
        answer.headers["Retry-After"] = str(int(problem.retry_after.total_seconds()) + 1)
        return answer

    def welcome(onward: str, cookie: str, session: Session) -> Response:
        kept = visitors.cookies.set(cookie, session.created_at, session.expires_at)
        return RedirectResponse(onward, 303, {"Set-Cookie": kept})

    @routes.get("/sign-in")
    def form(request: Request, next: str = "/", said: str = "") -> Response:  # noqa: A002  # as the address calls it
        if visitors.find(request) is not None:
            return RedirectResponse(local(next), 303)
        return asked(problem=TROUBLE.get(said, ""), said=SAID.get(said, ""), onward=local(next))

    @routes.post("/sign-in")
    def sign_in(
        request: Request,
        login: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        onward: Annotated[str, Form()] = "/",
    ) -> Response:
        visitors.from_here(request)
        try:
            cookie, session = gate.sign_in(login.strip(), password, source=_source(request))
        except TooManyTries as problem:
            return held_back(problem, login, local(onward))
        except NotKnown:
            return refused("This name and this password do not belong together.", 403, login, local(onward))
        return welcome(local(onward), cookie, session)

    @routes.get("/sign-in/once")
    def invited(key: str = "") -> Response:
        # following a link may be a robot's doing, and it works only once: a person presses the button
        return pages.page("invited.html", key=key)

    @routes.post("/sign-in/once")
    def accept(request: Request, key: Annotated[str, Form()] = "") -> Response:
        visitors.from_here(request)
        try:
            cookie, session = gate.accept(key, source=_source(request))
        except TooManyTries as problem:
            return held_back(problem)
        except NotKnown:
            return refused("This link was used before, or is too old. Ask for a new one.", 403)
        return welcome("/", cookie, session)

    @routes.post("/sign-out")
    def sign_out(request: Request, visitor: Annotated[Visitor, Depends(visitors.acting)]) -> Response:  # noqa: ARG001
        gate.sign_out(visitors.cookie(request))
        return RedirectResponse("/sign-in?said=out", 303, {"Set-Cookie": visitors.cookies.clear()})

    return routes


def _source(request: Request) -> str:
    return request.client.host if request.client else ""
