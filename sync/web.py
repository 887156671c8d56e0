"""How interdesk itself asks servers outside: by the rules of all calls that go out. Verified certificates, one
deadline, no redirect, and no address that `allowed_networks` does not name or that is not public."""

import json
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from central.desk.services.errors import OutOfReach
from central.desk.services.web import Web, WebAnswer
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, ProtocolError
from connectors.network import tls_context
from connectors.wire import Wire, bare, place_of

DEADLINE = timedelta(seconds=10)
"""So long somebody who signs in waits for one answer of their provider."""
LARGEST = 1024 * 1024
"""Bytes of an answer's body."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever its status."""

    status: int
    body: Iterator[bytes]
    """Still unread.  :raises ConnectorError: there is more than `LARGEST` of it, or it broke off."""


@contextmanager
def asked(
    environment: Environment,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    data: bytes | Mapping[str, str] | None = None,
    *,
    about: str,
) -> Iterator[Answer]:
    """One request, over a connection of its own: there are few. `about` says in errors what was asked.

    :raises ConnectorError: by remedy."""
    try:
        scheme, place = urlsplit(url).scheme, place_of(url)
    except ValueError:
        raise ProtocolError(f"{about}: there is no such address") from None
    if scheme not in ("http", "https"):
        raise ProtocolError(f"{about}: a web address begins with https:// or http://")
    context = trusted(environment.ca_file)
    with closing(Wire(environment, place, here=context, elsewhere=context)) as wire, wire.call():
        answer = wire.send(method, url, headers or {}, data, about, writes=False)
        with closing(answer):
            yield Answer(answer.status_code, wire.chunks(answer, LARGEST, about, writes=False))


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """The usual certificates, and these beside them.  :raises AccessError: they cannot be read."""
    try:
        return tls_context(ca_file)
    except OSError as error:
        raise AccessError(f"the certificates cannot be read: {error}") from None


class GuardedWeb:
    """Fulfils `central.desk.services.web.Web`."""

    def __init__(self, environment: Environment) -> None:
        self._environment = replace(environment, deadline=DEADLINE)

    def get(self, url: str, *, bearer: str = "") -> WebAnswer:
        return self._answer("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {})

    def post_form(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> WebAnswer:
        if basic is None:
            return self._answer("POST", url, {}, form)
        name, secret = (quote(part, safe="") for part in basic)  # RFC 6749 2.3.1: as in a form, before they are joined
        shown = b64encode(f"{name}:{secret}".encode()).decode()
        return self._answer("POST", url, {"Authorization": f"Basic {shown}"}, form)

    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> WebAnswer:
        headers = {"Accept": "application/json", **headers}
        try:
            with asked(self._environment, method, url, headers, form, about=bare(url)) as answer:
                body = b"".join(answer.body)
        except ConnectorError as problem:
            raise OutOfReach(str(problem)) from None
        try:
            return WebAnswer(answer.status, json.loads(body))
        except ValueError:
            return WebAnswer(answer.status, None)


_: type[Web] = GuardedWeb
