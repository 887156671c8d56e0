"""Who calls: the account of a token, or of the browser that somebody signed in with."""

from collections.abc import Callable
from urllib.parse import unquote

from fastapi import Request

from central.desk.auth import NotKnown
from central.desk.cookies import FORM_FIELD
from central.desk.rest.desks import Desks
from central.desk.rest.problems import Problem
from central.rights import Principal

Caller = Callable[[Request], Principal]
"""Tells who sends a request. A dependency of every route."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_HEADER = "x-form-token"
"""A page of ours that calls with the cookie of its session shows the token of its forms in this header."""


def of(desks: Desks) -> Caller:
    """Who is it, by this gate?"""

    def caller(request: Request) -> Principal:
        """:raises NotKnown, TooManyTries, Problem: nobody comes in with this."""
        known: Principal | None = getattr(request.state, "caller", None)
        if known is None:
            known = request.state.caller = _identify(desks, request)
        return known

    return caller


def _identify(desks: Desks, request: Request) -> Principal:
    shown = request.headers.get("authorization", "")
    if shown:
        scheme, _, token = shown.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotKnown("show a token as `Authorization: Bearer idk_...`")
        return desks.gate.bearer(token.strip(), source=request.client.host if request.client else "")
    cookie = unquote(request.cookies.get(desks.cookies.name, ""))
    principal = desks.gate.session(cookie) if cookie else None
    if principal is None:
        raise NotKnown("show a token: Authorization: Bearer idk_...")
    if request.method not in SAFE:
        _ensure_from_here(desks, request, cookie)
    return principal


def _ensure_from_here(desks: Desks, request: Request, cookie: str) -> None:
    shown = request.headers.get(FORM_HEADER, "")
    if not desks.cookies.sent_from_here(request.headers) or not desks.gate.is_form_token(cookie, shown):
        raise Problem(403, f"a session changes something only from our own pages, with {FORM_HEADER} ({FORM_FIELD})")
