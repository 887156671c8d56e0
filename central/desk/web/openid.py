"""Signing in with an OpenID provider: where people leave, and where they come back."""

import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from central.desk.auth import Gate, NotKnown, TooManyTries
from central.desk.cookies import FORM_FIELD, Cookies
from central.desk.openid import LASTS, Departure, NotBelieved, OpenId
from central.desk.services.errors import NotAllowed, OutOfReach
from central.desk.web.pages import Pages
from central.rights import Principal

log = logging.getLogger(__name__)


def router(openid: OpenId, gate: Gate, cookies: Cookies, pages: Pages) -> APIRouter:
    """`/sign-in/openid` leads to the provider, `/sign-in/back` back; a form to `/account/openid` ties the account."""
    routes = APIRouter()
    bindings = Cookies(cookies.public_url, f"{cookies.called}-openid")

    def visitor(request: Request) -> Principal | None:
        return gate.session(request.cookies.get(cookies.name, ""))

    def sent(request: Request, onward: str, principal: Principal | None = None) -> Response:
        try:
            gone = openid.begin(source=_source(request), onward=onward, principal=principal)
        except OutOfReach as problem:
            log.warning("the OpenID provider cannot be used: %s", problem)
            return _back_to("unreachable")
        except TooManyTries as problem:
            answer = _back_to("busy")
            answer.headers["Retry-After"] = str(int(problem.retry_after.total_seconds()) + 1)
            return answer
        return _to_provider(gone, by_form=principal is not None)

    def _to_provider(gone: Departure, *, by_form: bool) -> Response:
        """A form of ours may lead to no other site, by a redirect either: there a page of ours leads on."""
        if by_form:
            answer: Response = pages.page("leaving.html", onward=gone.address)
            answer.headers["Refresh"] = f"0; url={gone.address}"
        else:
            answer = RedirectResponse(gone.address, 303)
        seconds = int(LASTS.total_seconds())
        answer.headers.append("Set-Cookie", bindings.set_for(gone.binding, seconds))
        return answer

    @routes.get("/sign-in/openid")
    def leave(request: Request, next: str = "/") -> Response:  # noqa: A002  # as the address calls it
        return sent(request, local(next))

    @routes.post("/account/openid")
    def tie(request: Request, form_token: Annotated[str, Form(alias=FORM_FIELD)] = "") -> Response:
        """Only a form of ours begins it: whoever follows a link ties nothing."""
        cookie, principal = request.cookies.get(cookies.name, ""), visitor(request)
        if principal is None or not cookies.sent_from_here(request.headers):
            return RedirectResponse("/sign-in", 303)
        if not gate.is_form_token(cookie, form_token):
            return RedirectResponse("/", 303)
        return sent(request, "/account?said=tied", principal)

    @routes.get("/sign-in/back")
    def come_back(request: Request) -> Response:
        answer = {name: value for name, value in request.query_params.items() if len(value) <= 4096}
        binding = request.cookies.get(bindings.name, "")
        try:
            arrival = openid.finish(answer, binding, visitor(request))
        except NotBelieved as problem:
            log.warning("somebody was not let in by the OpenID provider: %s", problem)
            return _gone(_back_to("failed"))
        except NotKnown:
            return _gone(_back_to("failed"))
        except NotAllowed:
            return _gone(_back_to("tied"))
        except OutOfReach as problem:
            log.warning("the OpenID provider cannot be used: %s", problem)
            return _gone(_back_to("unreachable"))
        welcome = RedirectResponse(arrival.onward, 303)
        session = arrival.session
        welcome.headers.append("Set-Cookie", cookies.set(arrival.cookie, session.created_at, session.expires_at))
        return _gone(welcome)

    def _gone(answer: Response) -> Response:
        answer.headers.append("Set-Cookie", bindings.clear())
        return answer

    return routes


def local(path: str) -> str:
    """The path if it leads to a page of ours; else the first page."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path and path.isprintable()
    return path if inside else "/"


def _back_to(said: str) -> Response:
    return RedirectResponse(f"/sign-in?said={said}", 303)


def _source(request: Request) -> str:
    return request.client.host if request.client else ""
