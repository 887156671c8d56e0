"""One request over HTTP and what comes back, unjudged: within the call's deadline, no larger than agreed, to permitted
addresses only, and nothing in it but what was said. Whoever sends says who we are, and what the answer means."""

import ssl
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from connectors.answers import broken, moment, tls_trouble, unreadable
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, OutOfBounds, ProtocolError, Transient
from connectors.network import AddressRefused, Deadline, NotConnected, Reach, adapter

_CHUNK = 65536


class Wire:
    """Connections of one system, each thread's its own. Thread-safe."""

    def __init__(
        self, environment: Environment, place: str, *, here: ssl.SSLContext, elsewhere: ssl.SSLContext
    ) -> None:
        """`here`: how TLS is spoken with the registered `place`, our certificate included; `elsewhere`: with others."""
        self.offset: timedelta | None = None
        """How far the registered server's clock is ahead of ours, by its last answer; None: it never said."""
        self._environment, self._place = environment, place
        self._contexts = {"http://": elsewhere, "https://": elsewhere, f"{place}/": here}
        self._reach = Reach(environment.allowed_networks)
        self._here = threading.local()
        self._sessions: list[requests.Session] = []

    @contextmanager
    def call(self) -> Iterator[None]:
        """Everything inside shares one deadline; the outermost of nested calls sets it."""
        deadline = self._deadline()
        if getattr(self._here, "depth", 0) == 0:
            deadline.at = self._environment.monotonic() + self._environment.deadline.total_seconds()
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1

    def left(self) -> float:
        """Seconds that the present call has left."""
        return self._deadline().at - self._environment.monotonic()

    def server_now(self) -> datetime:
        """The server's present time, as far as its answers told; else our own."""
        return self._environment.clock() + (self.offset or timedelta(0))

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: Any,
        about: str,
        *,
        writes: bool,
    ) -> requests.Response:
        """The answer, whatever its status, with its body still unread.

        :raises AccessError: we do not go there, or are not let in by TLS.  :raises Unknown: a write may have been done.
        :raises Transient: nothing was done."""
        if self._environment.pace is not None:
            self._environment.pace()
        try:
            request = _prepared(method, url, headers, data)
            request.writes = writes
            response = self._session().get_adapter(url).send(request, stream=True)
        except AddressRefused as error:
            raise OutOfBounds(f"{about}: {error}") from None
        except NotConnected as error:
            raise Transient(f"{about}: {error}") from None
        except requests.exceptions.SSLError as error:
            raise tls_trouble(about, str(error), writes=writes) from None
        except requests.exceptions.InvalidHeader:
            raise AccessError(f"{about}: the credentials hold characters that no header can carry") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
            raise ProtocolError(f"{about}: there is no such address") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise broken(about, error, writes=writes) from None
        at = moment(response.headers.get("Date"))
        if at is not None and place_of(url) == self._place:
            self.offset = at - self._environment.clock()
        return response

    def chunks(self, response: requests.Response, limit: int, about: str, *, writes: bool) -> Iterator[bytes]:
        """The body, unpacked, never more than `limit` bytes of it.  :raises ProtocolError: it is larger, or broken."""
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", "gzip", ""):
            raise unreadable(about, f"is packed as {encoding}, which was not asked for", writes=writes)
        unpacker = zlib.decompressobj(31) if encoding == "gzip" else None
        total = 0
        try:
            while piece := response.raw.read(_CHUNK, decode_content=False):
                while piece:
                    part = unpacker.decompress(piece, _CHUNK) if unpacker else piece
                    piece = unpacker.unconsumed_tail if unpacker else b""
                    total += len(part)
                    if total > limit:
                        raise unreadable(about, f"is larger than {limit:,} bytes", writes=writes)
                    yield part
        except zlib.error:
            raise unreadable(about, "is packed wrongly", writes=writes) from None
        except (HTTPError, OSError) as error:
            raise broken(about, error, writes=writes) from None

    def beginning(self, response: requests.Response) -> bytes:
        """The beginning of an error's body; whatever can be had of it."""
        kept = b""
        with suppress(ConnectorError):
            for part in self.chunks(response, _CHUNK, "", writes=False):
                kept += part
        return kept

    def close(self) -> None:
        """Close every thread's connections."""
        for session in self._sessions:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._here, "session", None)
        if session is None:
            session = requests.Session()
            for beginning, context in self._contexts.items():
                network = adapter(self._reach, self._deadline(), context)
                wire = self._environment.wire
                session.mount(beginning, wire(network) if wire is not None else network)
            self._here.session = session
            self._sessions.append(session)
        return session

    def _deadline(self) -> Deadline:
        deadline: Deadline | None = getattr(self._here, "deadline", None)
        if deadline is None:
            deadline = self._here.deadline = Deadline(self._environment.monotonic)
        return deadline


def place_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def bare(url: str) -> str:
    """An address without its query, which may hold what only we should know."""
    return url.partition("?")[0].partition("#")[0]


class Request(requests.PreparedRequest):
    """A request on its way."""

    writes = False
    """Whether it may change something there."""


def _prepared(method: str, url: str, headers: Mapping[str, str], data: Any) -> Request:
    """A request with nothing in it but this: no cookies, neither proxies nor passwords of the machine we happen to run
    on, no redirects. What `requests.Session` would add to it first, and take away again, costs as much as the answer's
    reading."""
    request = Request()
    request.prepare_method(method)
    request.prepare_url(url, None)
    request.prepare_headers(headers)
    request.prepare_body(data if data is None or len(data) else b"", None)  # nothing is no stream: some read no chunks
    return request
