"""The HTTP session: every request of every REST connector goes through here.

What it promises: one deadline over a whole call; answers no larger than agreed, counted after unpacking; no redirect
followed; certificates verified; credentials sent to the registered origin only; reads tried again where that helps,
writes never; no secret in any error. What cannot be known about a write is `Unknown`, never guessed.
"""

import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import requests
import tenacity
from urllib3.exceptions import HTTPError

from connectors.answers import DEFAULT_ERRORS, Answer, Judge, broken, moment, tls_trouble, unreadable
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, ProtocolError, Transient
from connectors.network import AddressRefused, Deadline, NotConnected, Reach, adapter, tls_context

Result = TypeVar("Result")
_CHUNK = 65536
_LONGEST_WAIT = timedelta(seconds=5)
"""A server that wants more patience than this gets it from the queue, not from a waiting worker."""


class Body(Protocol):
    """A request body that is sent piece by piece. `len()` gives its size in bytes."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a registered system lives, and how we show who we are there. Both belong together."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each request: the credentials."""
    secrets: Sequence[str] = ()
    """What must never show in an error."""
    ca_file: Path | None = None


class HttpSession:
    """Speaks HTTP with one origin. Thread-safe: each thread keeps its own connections.

    `errors` turns a status into a remedy (access, missing, conflict, refused, busy), over `DEFAULT_ERRORS`;
    `reason` finds the tracker's own words in an error's body."""

    def __init__(
        self,
        origin: Origin,
        environment: Environment,
        *,
        errors: Mapping[int, str] | None = None,
        reason: Callable[[Any], str] | None = None,
        wordless: Mapping[int, str] | None = None,
    ) -> None:
        self.environment = environment
        self.offset: timedelta | None = None
        """How far the server's clock is ahead of ours, by its last answer; None: it never said."""
        self._origin = origin
        self._root = origin.url.rstrip("/")
        self._judge = Judge(
            {**DEFAULT_ERRORS, **(errors or {})},
            reason or (lambda _: ""),
            self.scrub,
            environment.clock,
            wordless or {},
        )
        self._reach = Reach(environment.allowed_networks)
        self._context = tls_context(origin.ca_file or environment.ca_file)
        self._secrets = sorted((each for each in origin.secrets if each), key=len, reverse=True)
        self._here = threading.local()
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._worth_another_try),
            stop=tenacity.stop_after_attempt(environment.tries),
            wait=self._pause,
            sleep=environment.sleep,
            reraise=True,
        )
        self._sessions: list[requests.Session] = []

    @contextmanager
    def call(self) -> Iterator[None]:
        """Everything inside shares one deadline; the outermost of nested calls sets it."""
        deadline = self._deadline()
        if getattr(self._here, "depth", 0) == 0:
            deadline.at = self.environment.monotonic() + self.environment.deadline.total_seconds()
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1

    def read(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
    ) -> Answer:
        """Ask for what changes nothing, a few times where the server is busy or out of reach. `body` goes as JSON.

        :raises ConnectorError: by remedy."""
        sent, data = _json(headers, body)
        with self.call():
            return self._patiently(lambda: self._send(method, path, query, sent, data, errors, writes=False))

    def write(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        stream: Body | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
    ) -> Answer:
        """POST, PUT, PATCH or DELETE, sent once. `body` goes as JSON, `stream` as it is (name its Content-Type).

        :raises Unknown: it was sent, and whether it was done is open.
        :raises ConnectorError: by remedy; then nothing was written."""
        sent, data = _json(headers, body if stream is None else None)
        with self.call():
            return self._send(method, path, query, sent, data if stream is None else stream, errors, writes=True)

    @contextmanager
    def stream(
        self, path: str, query: Mapping[str, Any] | None = None, *, limit: int, accept: str = "*/*"
    ) -> Iterator[Iterator[bytes]]:
        """The body of a GET in chunks, at most `limit` bytes.  :raises ProtocolError: it is larger."""
        with self.call():
            about = f"GET {path}"
            sent = {"Accept": accept}
            response = self._patiently(lambda: self._open("GET", path, query, sent, None, None, writes=False))
            try:
                yield self._chunks(response, limit, about, writes=False)
            finally:
                response.close()

    def server_now(self) -> datetime:
        """The server's present time, as far as its answers told; else our own."""
        return self.environment.clock() + (self.offset or timedelta(0))

    def scrub(self, text: str) -> str:
        """The text with every secret blotted out."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    def close(self) -> None:
        """Close every thread's connections."""
        for session in self._sessions:
            session.close()

    # -- sending ---------------------------------------------------------------------------------------------------

    def _patiently(self, once: Callable[[], Result]) -> Result:
        """The one place where anything is tried again, and only what merely reads comes here."""
        return self._retrying(once)

    def _worth_another_try(self, error: BaseException) -> bool:
        if not isinstance(error, Transient) or (error.retry_after or timedelta(0)) > _LONGEST_WAIT:
            return False
        left: float = self._here.deadline.at - self.environment.monotonic()
        return left > _LONGEST_WAIT.total_seconds()

    @staticmethod
    def _pause(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, Transient) else None
        return asked.total_seconds() if asked else 0.2 * 2 ** (state.attempt_number - 1)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        data: Any,
        errors: Mapping[int, str] | None,
        *,
        writes: bool,
    ) -> Answer:
        about = f"{method} {path}"
        response = self._open(method, path, query, headers, data, errors, writes=writes)
        try:
            body = b"".join(self._chunks(response, self.environment.max_answer, about, writes=writes))
        finally:
            response.close()
        return Answer(response.status_code, response.headers, body, about, writes, self.scrub)

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        data: Any,
        errors: Mapping[int, str] | None,
        *,
        writes: bool,
    ) -> requests.Response:
        """The answer with its body still unread, if it means success."""
        about = f"{method} {path}"
        if not path.startswith("/"):
            raise ProtocolError(f"{about}: the answer points to another place than the registered one")
        url = self._root + path + ("?" + urlencode(query, doseq=True) if query else "")
        sent = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "interdesk"}
        if self.environment.pace is not None:
            self.environment.pace()
        try:
            request = _prepared(method, url, {**sent, **self._origin.headers, **headers}, data)
            response = self._session().get_adapter(url).send(request, stream=True)
        except AddressRefused as error:
            raise AccessError(f"{about}: {error}") from None
        except NotConnected as error:
            raise Transient(f"{about}: {error}") from None
        except requests.exceptions.SSLError as error:
            raise tls_trouble(about, str(error), writes=writes) from None
        except requests.exceptions.InvalidHeader:
            raise AccessError(f"{about}: the credentials hold characters that no header can carry") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise broken(about, error, writes=writes) from None
        at = moment(response.headers.get("Date"))
        if at is not None:
            self.offset = at - self.environment.clock()
        if 200 <= response.status_code < 300:
            return response
        try:
            raise self._judge.trouble(about, response, self._beginning(response), errors, writes=writes)
        finally:
            response.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._here, "session", None)
        if session is None:
            session = requests.Session()
            session.mount("http://", adapter(self._reach, self._deadline(), self._context))
            session.mount("https://", adapter(self._reach, self._deadline(), self._context))
            self._here.session = session
            self._sessions.append(session)
        return session

    def _deadline(self) -> Deadline:
        deadline: Deadline | None = getattr(self._here, "deadline", None)
        if deadline is None:
            deadline = self._here.deadline = Deadline(self.environment.monotonic)
        return deadline

    def _chunks(self, response: requests.Response, limit: int, about: str, *, writes: bool) -> Iterator[bytes]:
        """The body, unpacked, never more than `limit` bytes of it."""
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

    def _beginning(self, response: requests.Response) -> str:
        """The beginning of an error's body; whatever can be had of it."""
        kept = b""
        with suppress(ConnectorError):
            for part in self._chunks(response, _CHUNK, "", writes=False):
                kept += part
        return self.scrub(kept.decode("utf-8", "replace"))


def _json(headers: Mapping[str, str] | None, body: Any) -> tuple[dict[str, str], bytes | None]:
    """Headers and bytes of a JSON body, if there is one."""
    if body is None:
        return dict(headers or {}), None
    return {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode()


def _prepared(method: str, url: str, headers: Mapping[str, str], data: Any) -> requests.PreparedRequest:
    """A request with nothing in it but this: no cookies, neither proxies nor passwords of the machine we happen to run
    on, no redirects. What `requests.Session` would add to it first, and take away again, costs as much as the answer's
    reading."""
    request = requests.PreparedRequest()
    request.prepare_method(method)
    request.prepare_url(url, None)
    request.prepare_headers(headers)
    request.prepare_body(data if data is None or len(data) else b"", None)  # nothing is no stream: some read no chunks
    return request
