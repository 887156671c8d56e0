"""The HTTP session: every request of every REST connector goes through here.

What it promises: one deadline over a whole call; answers no larger than agreed, counted after unpacking; no redirect
followed; certificates verified; credentials sent to the registered origin only; reads tried again where that helps,
writes never; no secret in any error. What cannot be known about a write is `Unknown`, never guessed.
"""

import html
import json
import ssl
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Never, Protocol, TypeVar
from urllib.parse import quote, quote_plus, urlencode, urljoin, urlsplit

import requests
import tenacity
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from connectors.answers import Answer, Judge, TurnedAway, broken, moment, redirected, tls_trouble, unreadable
from connectors.credentials import NOBODY, Credentials, Shown, Step, basic
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, NotFound, ProtocolError, Transient, Unknown
from connectors.login import Login
from connectors.network import AddressRefused, Deadline, NotConnected, Reach, adapter, tls_context
from connectors.profiled.values import address, fill, put
from connectors.remedies import Errors

Result = TypeVar("Result")
_CHUNK = 65536
_LONGEST_WAIT = timedelta(seconds=5)
"""A server that wants more patience than this gets it from the queue, not from a waiting worker."""


_SHORTEST_SECRET = 4
"""Characters that something we were given must have, to be blotted out: less would blot out half of each error."""
_MOST_SECRETS = 64
_MOST_REDIRECTS = 3
_FORM = "application/x-www-form-urlencoded"


class Body(Protocol):
    """A request body that is sent piece by piece. `len()` gives its size in bytes."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


Encode = Callable[[Mapping[str, Any]], bytes]
"""Writes a body. Any but JSON is named by a Content-Type."""


def _as_json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _as_form(body: Mapping[str, Any]) -> bytes:
    return urlencode(body, doseq=True).encode()


Made = Callable[[Shown], Body]
"""Makes a body that bears our credentials, anew for each log-in."""

Calls = Callable[[str, Mapping[str, Any]], tuple[str, Mapping[str, str], Made]]
"""Of an operation and its arguments: path, headers and body of the request that it is."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a registered system lives, and how we show who we are there. Both belong together."""

    url: str
    credentials: Credentials = field(default_factory=Credentials)
    words: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What fills the credentials' templates: settings by name."""
    secrets: Sequence[str] = field(default=(), repr=False)
    """What must never show in an error."""
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request, before our credentials are added."""

    method: str
    url: str
    about: str
    """The same for people: never a query in it."""
    writes: bool = False
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    encode: Encode = _as_json
    stream: Body | Made | None = None
    errors: Mapping[int, str] | None = None
    limit: int | None = None
    """Bytes that the answer may have; None: as many as any."""

    def bytes(self, shown: Shown) -> Any:
        """The body as it is sent."""
        if callable(self.stream):
            return self.stream(shown)
        if self.stream is not None:
            return self.stream
        if self.body is None and (self.method == "GET" or not shown.body):
            return None
        return self.encode(shown.signed(self.body or {}) or {})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is known of a file that is asked for."""

    limit: int
    media_type: str
    size: int | None

    @staticmethod
    def may_be_an_error(content_type: str) -> bool:
        """Errors are data or pages; whatever else comes is a file."""
        return any(each in content_type.lower() for each in ("json", "html", "xml", "text/plain"))

    def is_like(self, content_type: str, body: bytes) -> bool:
        """Whether this is the file itself, for all that is known of it."""
        kind = content_type.partition(";")[0].strip().lower()
        return kind == self.media_type.lower() and self.size in (None, len(body))


class HttpSession:
    """Speaks HTTP with one origin. Thread-safe: each thread keeps its own connections.

    `errors` says what an answer means, and where the tracker's own words are; `decode` turns a body into plain data.

    :raises OSError: certificates cannot be read."""

    def __init__(
        self,
        origin: Origin,
        environment: Environment,
        *,
        errors: Errors | None = None,
        decode: Callable[[bytes], Any] = json.loads,
        calls: Calls | None = None,
    ) -> None:
        """`calls`: how a step of logging in that is an operation is said."""
        self.environment = environment
        self.offset: timedelta | None = None
        """How far the server's clock is ahead of ours, by its last answer; None: it never said."""
        self._root = origin.url.rstrip("/")
        self._place = _place(self._root)
        self._decode = decode
        self._calls = calls
        self._judge = Judge(errors or Errors(), self.scrub, environment.clock, decode)
        pair = origin.credentials.basic
        ours = [*origin.secrets, *([basic(pair, origin.words).removeprefix("Basic ")] if pair is not None else [])]
        self._secrets = frozenset(form for each in ours if each for form in _forms(each))
        self._given: deque[str] = deque(maxlen=_MOST_SECRETS)
        self._login = Login(
            origin.credentials, origin.words, self._step, monotonic=environment.monotonic, learn=self._learn
        )
        self._reach = Reach(environment.allowed_networks)
        ca_file, certificate = origin.ca_file or environment.ca_file, origin.credentials.certificate
        self._elsewhere = tls_context(ca_file)
        self._here_context = self._elsewhere
        if certificate is not None and certificate.file in origin.words:
            self._here_context = tls_context(ca_file)
            key, password = (origin.words.get(each or "") for each in (certificate.key, certificate.password))
            self._here_context.load_cert_chain(origin.words[certificate.file], key, password)
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
        encode: Encode = _as_json,
        stream: Body | Made | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Ask for what changes nothing, a few times where the server is busy or out of reach. `encode` writes the body,
        `stream` goes as it is. `limit`: how many bytes the answer may have, if not as many as any.

        :raises ConnectorError: by remedy."""
        asking = self._asking(method, path, query, headers, body=body, encode=encode, stream=stream, errors=errors)
        asking = replace(asking, limit=limit)
        with self.call():
            return self._patiently(lambda: self._let_in(asking, self._send))

    def write(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        encode: Encode = _as_json,
        stream: Body | Made | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
    ) -> Answer:
        """POST, PUT, PATCH or DELETE, sent once; again only where our session was over and nothing was done for that.
        `encode` writes the body; `stream` goes as it is (name its Content-Type).

        :raises Unknown: it was sent, and whether it was done is open.
        :raises ConnectorError: by remedy; then nothing was written."""
        asking = self._asking(
            method, path, query, headers, body=body, encode=encode, stream=stream, errors=errors, writes=True
        )
        with self.call():
            return self._let_in(asking, self._send)

    @contextmanager
    def stream(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        limit: int,
        accept: str = "*/*",
        media_type: str = "",
        size: int | None = None,
        asked: Made | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Iterator[bytes]]:
        """The body of a GET in chunks, at most `limit` bytes; with `asked`, of a POST of that.

        :raises ProtocolError: it is larger.

        A file may live elsewhere: `path` may be a whole address out of an answer, and redirects are followed a few
        times. Our credentials go to the registered origin alone. `media_type` and `size` are those of the file, if the
        body is one: so a file that looks like an error is told from an error."""
        url = self._root + path if path.startswith("/") else path
        with self.call():
            method, sent = "GET" if asked is None else "POST", {"Accept": accept, **(headers or {})}
            asking = self._asking(method, "/", query, sent, stream=asked)
            asking = replace(asking, url=url, about=f"{method} {_bare(path)}")
            wanted = _Wanted(limit, media_type, size)
            response, chunks = self._patiently(lambda: self._followed(asking, wanted))
            try:
                yield chunks
            finally:
                response.close()

    def server_now(self) -> datetime:
        """The server's present time, as far as its answers told; else our own."""
        return self.environment.clock() + (self.offset or timedelta(0))

    def scrub(self, text: str) -> str:
        """The text with every secret blotted out."""
        for secret in sorted({*self._secrets, *self._given}, key=len, reverse=True):
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

    def _asking(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        *,
        body: Any = None,
        encode: Encode = _as_json,
        stream: Body | Made | None = None,
        errors: Mapping[int, str] | None = None,
        writes: bool = False,
    ) -> _Asking:
        about = f"{method} {_bare(path)}"
        if not path.startswith("/"):
            raise ProtocolError(f"{about}: the answer points to another place than the registered one")
        url, known = self._root + path, headers or {}
        return _Asking(
            method, url, about, writes, query or {}, known, body=body, encode=encode, stream=stream, errors=errors
        )

    def _let_in(self, asking: _Asking, send: Callable[[_Asking, Shown], Result]) -> Result:
        """Send it as who we are. Turned away, log in anew and send it again, once, if nothing was done."""
        shown = self._login.shown(self._left())
        try:
            return send(asking, shown)
        except TurnedAway as away:
            self._login.over(shown)
            if (asking.writes and not away.undone) or not self._login.renews:
                raise _closed(away, asking) from None
        shown = self._login.shown(self._left())
        try:
            return send(asking, shown)
        except TurnedAway as away:
            raise _closed(away, asking) from None

    def _step(self, step: Step, shown: Shown, words: Mapping[str, Any]) -> Answer:
        """Ask for one step of logging in. Elsewhere nothing of us is shown but what the step itself says."""
        headers = {name: str(fill(each, words)) for name, each in step.headers.items()}
        if step.basic is not None:
            headers["Authorization"] = basic(step.basic, words, escaped=step.form)
            self._learn(headers["Authorization"].removeprefix("Basic "))
        query = {name: fill(each, words) for name, each in step.query.items()}
        body: dict[str, Any] = {}
        for place, each in step.body.items():
            put(body, place, fill(each, words) if isinstance(each, str) else each)
        if step.operation:
            assert self._calls is not None, "a profile has log-in operations where its family has operations"
            path, more, made = self._calls(step.operation, body)
            asking = self._asking("POST", path, query, {**more, **headers}, stream=made)
            try:
                return self._send(asking, shown)
            except TurnedAway as away:
                raise AccessError(f"we are not let in: {away}") from None
        if step.elsewhere is not None:
            shown, url = NOBODY, str(words[step.elsewhere])
            about = f"{step.method} {_bare(url)}"
        else:
            path = address(step.path, words)
            url, about = self._root + path, f"{step.method} {_bare(path)}"
        if step.form:
            headers.setdefault("Content-Type", _FORM)
        encode = _as_form if step.form else _as_json
        asking = _Asking(step.method, url, about, False, query, headers, body=body or None, encode=encode)
        try:
            return self._send(asking, shown, moved=True)
        except TurnedAway as away:
            raise AccessError(f"we are not let in: {away}") from None

    def _left(self) -> float:
        """Seconds that the present call has left."""
        return self._deadline().at - self.environment.monotonic()

    def _followed(self, asking: _Asking, wanted: "_Wanted") -> tuple[requests.Response, Iterator[bytes]]:
        """The file at the end of a few redirects."""
        begin = partial(self._begun, wanted=wanted)
        for _ in range(_MOST_REDIRECTS + 1):
            ours = _place(asking.url) == self._place
            response, chunks = self._let_in(asking, begin) if ours else begin(asking, NOBODY)
            if 200 <= response.status_code < 300:
                return response, chunks
            response.close()
            url = urljoin(asking.url, response.headers.get("Location", ""))
            if asking.url.startswith("https:") and not url.startswith("https:"):
                raise ProtocolError(f"{asking.about}: redirected from https to {_bare(url)}")
            asking = replace(asking, url=url, about=f"GET {_bare(url)}", query={})
        raise ProtocolError(f"{asking.about}: redirected more than {_MOST_REDIRECTS} times")

    def _begun(self, asking: _Asking, shown: Shown, wanted: "_Wanted") -> tuple[requests.Response, Iterator[bytes]]:
        """The answer and the chunks of its body: a success, or a redirect to anything but a log-in page."""
        response = self._open(asking, shown)
        try:
            if _moved(response):
                return response, iter(())
            if not 200 <= response.status_code < 300:
                return self._refused(self._answer(response, self._beginning(response), asking))
            chunks = self._chunks(response, wanted.limit, asking.about, writes=False)
            if not wanted.may_be_an_error(response.headers.get("Content-Type", "")):
                return response, chunks
            first = next(chunks, b"")
            more = next(chunks, None)
            if more is None and not wanted.is_like(response.headers.get("Content-Type", ""), first):
                self._judge.verdict(self._answer(response, first, asking))
            return response, chain((first,), () if more is None else (more,), chunks)
        except BaseException:
            response.close()
            raise

    def _refused(self, answer: Answer) -> Never:
        raise NotFound(f"{self._judge.verdict(answer).about}: there is nothing")

    def _send(self, asking: _Asking, shown: Shown, *, moved: bool = False) -> Answer:
        """The whole answer. `moved`: a redirect is one too, save to a log-in page."""
        response = self._open(asking, shown)
        try:
            if 200 <= response.status_code < 300:
                limit = asking.limit or self.environment.max_answer
                body = b"".join(self._chunks(response, limit, asking.about, writes=asking.writes))
            else:
                body = self._beginning(response)
        finally:
            response.close()
        answer = self._answer(response, body, asking)
        return answer if moved and _moved(response) else self._judge.verdict(answer, asking.errors)

    def _answer(self, response: requests.Response, body: bytes, asking: _Asking) -> Answer:
        return Answer(
            response.status_code,
            response.headers,
            body,
            asking.about,
            asking.writes,
            self.scrub,
            self._decode,
            tuple(response.raw.headers.getlist("Set-Cookie")),
        )

    def _open(self, asking: _Asking, shown: Shown) -> requests.Response:
        """The answer, whatever its status, with its body still unread."""
        about, writes = asking.about, asking.writes
        query = urlencode({**shown.query, **asking.query}, doseq=True)
        url = asking.url + ("&" if "?" in asking.url else "?") + query if query else asking.url
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "interdesk"}
        headers |= {**shown.headers, **(shown.on_writes if writes else {}), **asking.headers}
        if self.environment.pace is not None:
            self.environment.pace()
        try:
            data = asking.bytes(shown)
            if data is not None and asking.stream is None:
                headers.setdefault("Content-Type", "application/json")
            request = _prepared(asking.method, url, headers, data)
            response = self._session().get_adapter(url).send(request, stream=True)
        except AddressRefused as error:
            raise AccessError(f"{about}: {error}") from None
        except NotConnected as error:
            raise Transient(f"{about}: {error}") from None
        except requests.exceptions.SSLError as error:
            raise tls_trouble(about, str(error), writes=writes) from None
        except requests.exceptions.InvalidHeader:
            raise AccessError(f"{about}: the credentials hold characters that no header can carry") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise ProtocolError(f"{about}: there is no such address") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise broken(about, error, writes=writes) from None
        at = moment(response.headers.get("Date"))
        if at is not None and shown is not NOBODY:
            self.offset = at - self.environment.clock()
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._here, "session", None)
        if session is None:
            session = requests.Session()
            session.mount("http://", self._wire(self._elsewhere))
            session.mount("https://", self._wire(self._elsewhere))
            if self._here_context is not self._elsewhere:
                session.mount(f"{self._place}/", self._wire(self._here_context))
            self._here.session = session
            self._sessions.append(session)
        return session

    def _wire(self, context: ssl.SSLContext) -> BaseAdapter:
        network = adapter(self._reach, self._deadline(), context)
        return self.environment.wire(network) if self.environment.wire is not None else network

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

    def _beginning(self, response: requests.Response) -> bytes:
        """The beginning of an error's body; whatever can be had of it."""
        kept = b""
        with suppress(ConnectorError):
            for part in self._chunks(response, _CHUNK, "", writes=False):
                kept += part
        return kept

    def _learn(self, secret: str) -> None:
        """From now on blot this out too."""
        if len(secret) >= _SHORTEST_SECRET:
            self._given.extend(each for each in _forms(secret) if each not in self._given)


def _forms(secret: str) -> set[str]:
    """The forms in which a secret may come back."""
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], html.escape(secret)}


def _moved(response: requests.Response) -> bool:
    """Whether it points on, to anything but a log-in page."""
    target = _bare(response.headers.get("Location", ""))
    return 300 <= response.status_code < 400 and not isinstance(redirected("", target), TurnedAway)


def _closed(away: TurnedAway, asking: _Asking) -> ConnectorError:
    """For whoever asked: nobody lets us in; or a write's answer says so, and does not prove that nothing was done."""
    if asking.writes and not away.undone:
        return Unknown(f"{away}; it was a write, and a page that says so may stand after the work too")
    return AccessError(str(away))


def _place(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _bare(url: str) -> str:
    """An address without its query, which may hold what only we should know."""
    return url.partition("?")[0].partition("#")[0]


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
