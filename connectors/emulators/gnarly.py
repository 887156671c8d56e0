"""An invented tracker that is awkward to be let into, and awkward in saying no. Each way is a switch.

Behind its door it is `PlainEmulator`: what a connector makes of it else is not the question here.
"""

import base64
import secrets
import threading
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from connectors.emulators.plain import PlainEmulator
from connectors.emulators.server import Asked, Reply
from connectors.emulators.tracker import Clock, Missing

_CODES = {400: "INPUT.BROKEN", 401: "AUTH.REQUIRED", 403: "AUTH.FORGED", 404: "TICKET.MISSING"}
_CODES |= {412: "TICKET.MOVED", 422: "INPUT.REFUSED", 204: "LIST.EMPTY"}
_PAGE = b'<html><title>Welcome</title><form action="/login"><input name="password" type="password"></form></html>'


@dataclass(frozen=True, slots=True)
class Switches:
    """How it is awkward."""

    door: Literal["bearer", "basic", "query", "fields", "session", "cookie", "oauth2"] = "bearer"
    """How one shows who one is: a key as bearer, name and password, a key in the query, name and password as fields of
    each body or query, the session id of a log-in in a header, the same in a cookie, or a token by OAuth 2."""
    closed: Literal["status", "page", "redirect"] = "status"
    """What answers those who are nobody: 401, a log-in page with 200, or the way there."""
    errors: Literal["status", "nested", "flag"] = "status"
    """How it says no: by status; 200 and {"error": {code, message}}; 200 and {"status": "error", ...}, where all other
    answers are {"status": "ok", "result": ...}."""
    lasts: int = 0
    """How many requests a log-in is good for; 0: for ever."""
    forged: bool = False
    """Writes must bear a token that /csrf gives, and X-Requested-With."""
    nothing: bool = False
    """A list without rows is an error."""


class GnarlyEmulator(PlainEmulator):
    """The account is `interdesk`, its password `emulated-password`, its key `emulated-key`."""

    def __init__(self, clock: Clock, switches: Switches | None = None, *, port: int = 0) -> None:
        super().__init__(clock, name="gnarly", port=port)
        self.switches = switches or Switches()
        self.password = "emulated-password"  # noqa: S105 (an emulator's own)
        self.given: list[str] = []
        """Every session id and token that it ever gave."""
        self._left: dict[str, int] = {}
        self._door = threading.Lock()

    def forget(self) -> None:
        """End every session now."""
        with self._door:
            self._left.clear()

    def kind(self, asked: Asked) -> str:
        return "login" if asked.path in ("/login", "/oauth/token", "/csrf") else super().kind(asked)

    def account(self, asked: Asked) -> str:
        return "interdesk" if asked.path in ("/login", "/oauth/token") or self._knows(asked) else ""

    def answer(self, asked: Asked) -> Reply:
        if asked.path in ("/login", "/oauth/token"):
            return self._log_in(asked)
        if not asked.who:
            return self._closed()
        if asked.path == "/csrf":
            return Reply(200, {"csrf": self._csrf()})
        if self.switches.forged and asked.method != "GET" and not self._meant(asked):
            return self._said(Reply(403, {"error": "this request may be forged"}))
        try:
            reply = self._routed(asked)
        except Missing:
            reply = Reply(404, {"error": "there is no such thing"})
        if self.switches.nothing and isinstance(reply.body, dict) and reply.body.get("tickets") == []:
            reply = Reply(204, {"error": "nothing was found"})
        return self._said(reply)

    # -- who somebody is -------------------------------------------------------------------------------------------

    def _knows(self, asked: Asked) -> bool:
        headers = asked.headers
        match self.switches.door:
            case "bearer":
                return headers.get("authorization") == f"Bearer {self.key}"
            case "basic":
                pair = base64.b64encode(f"interdesk:{self.password}".encode()).decode()
                return headers.get("authorization") == f"Basic {pair}"
            case "query":
                return asked.word("api_key") == self.key
            case "fields":
                query = {name: values[0] for name, values in asked.query.items()}
                said = query if asked.method == "GET" else _body(asked)
                return (said.get("user"), said.get("password")) == ("interdesk", self.password)
            case "session":
                return self._in_session(headers.get("x-session", ""))
            case "cookie":
                cookies = dict(each.strip().partition("=")[::2] for each in headers.get("cookie", "").split(";"))
                return self._in_session(cookies.get("GNARLY", ""))
            case "oauth2":
                return self._in_session(headers.get("authorization", "").removeprefix("Bearer "))

    def _in_session(self, session: str) -> bool:
        with self._door:
            left = self._left.get(session, 0)
            if self.switches.lasts:
                self._left[session] = max(left - 1, 0)
            return left > 0

    def _log_in(self, asked: Asked) -> Reply:
        said = _body(asked)
        oauth = asked.path == "/oauth/token"
        if oauth:
            right = (said.get("client_id"), said.get("client_secret")) == ("interdesk", self.key)
        else:
            right = (said.get("user"), said.get("password")) == ("interdesk", self.password)
        if not right:
            return Reply(401, {"error": "invalid_client"}) if oauth else self._closed()
        session = secrets.token_hex(16)
        with self._door:
            self.given.append(session)
            self._left[session] = self.switches.lasts or 1
        if oauth:
            return Reply(200, {"access_token": session, "token_type": "Bearer", "expires_in": 3600})
        if self.switches.door == "cookie":  # as pages do it: on to the first page, and a cookie
            return Reply(302, b"", {"Location": "/", "Set-Cookie": f"GNARLY={session}; Path=/; HttpOnly"})
        return Reply(200, {"session": session})

    def _csrf(self) -> str:
        token = secrets.token_hex(16)
        with self._door:
            self.given.append(token)
            self._left[f"csrf {token}"] = 1
        return token

    def _meant(self, asked: Asked) -> bool:
        with self._door:
            token = self._left.get(f"csrf {asked.headers.get('x-csrf-token', '')}", 0)
        return token > 0 and "x-requested-with" in asked.headers

    # -- saying no -------------------------------------------------------------------------------------------------

    def _closed(self) -> Reply:
        match self.switches.closed:
            case "page":
                return Reply(200, _PAGE, {"Content-Type": "text/html"})
            case "redirect":
                return Reply(302, b"", {"Location": "/login?back=/"})
            case _:
                return self._said(Reply(401, {"error": "who are you?"}))

    def _said(self, reply: Reply) -> Reply:
        fails = reply.status in _CODES
        words = reply.body.get("error", "") if fails and isinstance(reply.body, dict) else ""
        match self.switches.errors:
            case "nested" if fails:
                return Reply(200, {"error": {"code": _CODES[reply.status], "message": words}})
            case "flag" if fails:
                return Reply(200, {"status": "error", "code": _CODES[reply.status], "message": words})
            case "flag" if isinstance(reply.body, dict):
                return Reply(reply.status, {"status": "ok", "result": reply.body}, reply.headers)
            case _:
                return reply


def _body(asked: Asked) -> dict[str, Any]:
    """What a body says, as JSON or as a form."""
    if asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    try:
        said = asked.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
