"""A connector's talk with its tracker, kept and played again: what went over the wire, credentials never.

A *recorder* stands between the session and the network; a *player* stands there instead of the network. What is asked
is matched by method, address and body; where only the query or the body differs (a time of today), by what comes next
at that address.
"""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

_KEPT = ("content-type", "content-encoding", "date", "etag", "last-modified", "location", "link", "retry-after")
"""Headers of an answer that mean something to a connector. Of cookies the names are kept; of others nothing is."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `body` is text, or base64 where it is none."""

    asked_at: str
    method: str
    address: str
    """Path and query."""
    said: str
    """A digest of the request's body."""
    status: int
    headers: Mapping[str, str]
    body: str
    packed: bool = False
    """`body` is base64."""

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.address.partition("?")[0]

    def content(self) -> bytes:
        """The answer's body."""
        return base64.b64decode(self.body) if self.packed else self.body.encode()


class Recorder:
    """Keeps what is asked and answered. `scrub` blots out secrets in all that is kept."""

    def __init__(self, clock: Callable[[], datetime], scrub: Callable[[str], str]) -> None:
        self._clock, self._scrub = clock, scrub
        self.exchanges: list[Exchange] = []

    def __call__(self, network: BaseAdapter) -> BaseAdapter:
        """The network, listened to."""
        return _Listening(network, self)

    def keep(self, request: requests.PreparedRequest, response: requests.Response, body: bytes) -> None:
        """Keep one exchange."""
        try:
            text, packed = self._scrub(body.decode()), False
        except UnicodeDecodeError:
            text, packed = base64.b64encode(body).decode(), True
        parts = urlsplit(request.url or "")
        address = self._scrub(parts.path + (f"?{parts.query}" if parts.query else ""))
        headers = {name: self._scrub(v) for name, v in response.headers.items() if name.lower() in _KEPT}
        if cookies := response.raw.headers.getlist("Set-Cookie"):
            headers["Set-Cookie"] = ", ".join(f"{each.partition('=')[0].strip()}=recorded" for each in cookies)
        said = _digest(self._scrub(_text(request.body)))
        at = self._clock().isoformat()
        exchange = Exchange(at, request.method or "", address, said, response.status_code, headers, text, packed)
        self.exchanges.append(exchange)

    def blot(self, scrub: Callable[[str], str]) -> None:
        """Blot out of all that was kept what only later was known for a secret: what the tracker itself gave us."""
        self.exchanges = [
            replace(
                each,
                address=scrub(each.address),
                headers={name: scrub(value) for name, value in each.headers.items()},
                body=each.body if each.packed else scrub(each.body),
            )
            for each in self.exchanges
        ]


class Player:
    """Answers as it was answered before. `clock` is the time at which the next answer was given."""

    def __init__(self, exchanges: Iterable[Exchange], scrub: Callable[[str], str] = str) -> None:
        self._left = list(exchanges)
        self._scrub = scrub
        self._now = datetime.fromisoformat(self._left[0].asked_at) if self._left else datetime.min.replace(tzinfo=UTC)

    def clock(self) -> datetime:
        """The time on the tape."""
        return self._now

    def __call__(self, network: BaseAdapter) -> BaseAdapter:
        """No network."""
        del network
        return _Playing(self)

    def answer(self, request: requests.PreparedRequest) -> Exchange:
        """What was answered.  :raises requests.ConnectionError: nothing like it was asked."""
        parts = urlsplit(request.url or "")
        address = self._scrub(parts.path + (f"?{parts.query}" if parts.query else ""))
        said = _digest(self._scrub(_text(request.body)))
        alike = [each for each in self._left if (each.method, each.path) == (request.method, parts.path)]
        same = [each for each in alike if (each.address, each.said) == (address, said)]
        if not alike:
            raise requests.ConnectionError(f"the tape has no answer to {request.method} {parts.path}: record it anew")
        found = (same or alike)[0]
        if len(alike) > 1:  # the last one answers whatever is asked again
            self._left.remove(found)
        self._now = max(self._now, datetime.fromisoformat(found.asked_at))
        return found


class _Listening(BaseAdapter):
    def __init__(self, network: BaseAdapter, recorder: Recorder) -> None:
        super().__init__()
        self._network, self._recorder = network, recorder

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        response = self._network.send(request, *args, **options)
        body = response.raw.read(decode_content=True)
        self._recorder.keep(request, response, body)
        return answered(request, response.status_code, _unpacked(response.headers), body)

    def close(self) -> None:
        self._network.close()


class _Playing(BaseAdapter):
    def __init__(self, player: Player) -> None:
        super().__init__()
        self._player = player

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        del args, options
        found = self._player.answer(request)
        return answered(request, found.status, _unpacked(found.headers), found.content())

    def close(self) -> None:
        """There is nothing to let go of."""


def dumped(exchanges: Iterable[Exchange]) -> list[dict[str, Any]]:
    """As plain data."""
    return [asdict(each) for each in exchanges]


def loaded(data: Iterable[Mapping[str, Any]]) -> list[Exchange]:
    """What `dumped` made.  :raises TypeError: it is something else."""
    return [Exchange(**each) for each in data]


def answered(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    """An answer that came from no network."""
    response = requests.Response()
    response.status_code, response.request, response.url = status, request, request.url or ""
    response.headers.update(headers)
    response.raw = HTTPResponse(io.BytesIO(body), headers=dict(headers), status=status, preload_content=False)
    return response


def _unpacked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a body that is not packed any more."""
    return {
        name: value for name, value in headers.items() if name.lower() not in ("content-encoding", "content-length")
    }


def _text(body: Any) -> str:
    """A request's body as far as it is text; one that is sent piece by piece is not looked at."""
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return body if isinstance(body, str) else ""


def _digest(text: str) -> str:
    """The same for the same content, however a JSON body orders its keys."""
    with suppress(ValueError):
        text = json.dumps(json.loads(text), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
