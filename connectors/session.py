"""The HTTP session: every request of every REST connector goes through here.

What it promises: one deadline over a whole call; answers no larger than agreed, counted after unpacking; no redirect
followed; certificates verified; credentials sent to the registered origin only; reads tried again where that helps,
writes never; no secret in any error. What cannot be known about a write is `Unknown`, never guessed.
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urljoin

import requests
import tenacity

from connectors.answers import Answer, Judge, TurnedAway, redirected
from connectors.asking import Asking, Body, Calls, Encode, Made, Origin, Wanted, as_form, as_json
from connectors.blots import Blots
from connectors.credentials import NOBODY, Certificate, Shown, Step, basic, filled, said
from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, ProtocolError, SettingsError, Transient, Unknown
from connectors.exchange import Exchange
from connectors.login import Login
from connectors.network import tls_context
from connectors.profiled.values import address, put
from connectors.remedies import Errors
from connectors.wire import Wire, bare, place_of

Result = TypeVar("Result")
_LONGEST_WAIT = timedelta(seconds=5)
"""A server that wants more patience than this gets it from the queue, not from a waiting worker."""
_MOST_REDIRECTS = 3
_NOT_LET_IN = {400: "access", 422: "access"}
"""What a status means when we log in: OAuth 2 says 400 to wrong names and secrets."""
_FORM = "application/x-www-form-urlencoded"


class HttpSession:
    """Speaks HTTP with one origin. Thread-safe: each thread keeps its own connections.

    `errors` says what an answer means, and where the tracker's own words are; `decode` turns a body into plain data.

    :raises OSError: `ca_file` cannot be read.  :raises SettingsError: our own certificate cannot."""

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
        self._root = origin.url.rstrip("/")
        self._place = place_of(self._root)
        self._calls = calls
        pair = basic(origin.credentials.basic, origin.words)
        self._blots = Blots([*origin.secrets, *([pair.removeprefix("Basic ")] if pair is not None else [])])
        self._login = Login(
            origin.credentials, origin.words, self._step, monotonic=environment.monotonic, learn=self._blots.learn
        )
        ca_file, ours = origin.ca_file or environment.ca_file, tls_context(origin.ca_file or environment.ca_file)
        if origin.credentials.certificate is not None:
            _show(origin.credentials.certificate, origin.words, ours)
        self._wire = Wire(environment, self._place, here=ours, elsewhere=tls_context(ca_file))
        judge = Judge(errors or Errors(), self.scrub, environment.clock, decode)
        self._exchange = Exchange(self._wire, judge, self.scrub, decode, environment.max_answer)
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._worth_another_try),
            stop=tenacity.stop_after_attempt(environment.tries),
            wait=self._pause,
            sleep=environment.sleep,
            reraise=True,
        )

    @property
    def offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, by its last answer; None: it never said."""
        return self._wire.offset

    def call(self) -> AbstractContextManager[None]:
        """Everything inside shares one deadline; the outermost of nested calls sets it."""
        return self._wire.call()

    def read(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        method: str = "GET",
        body: Any = None,
        encode: Encode = as_json,
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
            return self._patiently(lambda: self._asked(asking))

    def write(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        encode: Encode = as_json,
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
            return self._asked(asking)

    @contextmanager
    def stream(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        limit: int,
        method: str = "GET",
        media_type: str = "",
        size: int | None = None,
        asked: Made | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Iterator[bytes]]:
        """The body of an answer in chunks, at most `limit` bytes; `asked` is the body of the request, if it has one.

        :raises ProtocolError: it is larger.

        A file may live elsewhere: `path` may be a whole address out of an answer, and redirects are followed a few
        times. Our credentials go to the registered origin alone. `media_type` and `size` are those of the file, if the
        body is one: so a file that looks like an error is told from an error."""
        url = self._root + path if path.startswith("/") else path
        with self.call():
            asking = self._asking(method, "/", query, {"Accept": "*/*", **(headers or {})}, stream=asked)
            asking = replace(asking, url=url, about=f"{method} {bare(path)}")
            wanted = Wanted(limit, media_type, size)
            response, chunks = self._patiently(lambda: self._followed(asking, wanted))
            try:
                yield chunks
            finally:
                response.close()

    def server_now(self) -> datetime:
        """The server's present time, as far as its answers told; else our own."""
        return self._wire.server_now()

    def scrub(self, text: str) -> str:
        """The text with every secret blotted out."""
        return self._blots.scrub(text)

    def close(self) -> None:
        """Close every thread's connections."""
        self._wire.close()

    # -- sending ---------------------------------------------------------------------------------------------------

    def _patiently(self, once: Callable[[], Result]) -> Result:
        """The one place where anything is tried again, and only what merely reads comes here."""
        return self._retrying(once)

    def _worth_another_try(self, error: BaseException) -> bool:
        if not isinstance(error, Transient) or (error.retry_after or timedelta(0)) > _LONGEST_WAIT:
            return False
        return self._wire.left() > _LONGEST_WAIT.total_seconds()

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
        encode: Encode = as_json,
        stream: Body | Made | None = None,
        errors: Mapping[int, str] | None = None,
        writes: bool = False,
    ) -> Asking:
        about = f"{method} {bare(path)}"
        if not path.startswith("/"):
            raise ProtocolError(f"{about}: the answer points to another place than the registered one")
        url, known = self._root + path, headers or {}
        return Asking(
            method, url, about, writes, query or {}, known, body=body, encode=encode, stream=stream, errors=errors
        )

    def _asked(self, asking: Asking) -> Answer:
        """The answer. A page where data was expected may mean that our session is over, though no sign tells."""
        answer = self._let_in(asking, self._exchange.send)
        if self._login.renews and answer.is_page:
            self._login.forget()
            if not asking.writes:
                return self._let_in(asking, self._exchange.send)
        return answer

    def _let_in(self, asking: Asking, send: Callable[[Asking, Shown], Result]) -> Result:
        """Send it as who we are. Turned away, log in anew and send it again, once, if nothing was done."""
        shown = self._login.shown(self._wire.left())
        try:
            return send(asking, shown)
        except TurnedAway as away:
            self._login.over(shown)
            if (asking.writes and not away.undone) or not self._login.renews:
                raise _closed(away, asking) from None
        shown = self._login.shown(self._wire.left())
        try:
            return send(asking, shown)
        except TurnedAway as away:
            raise _closed(away, asking) from None

    def _step(self, step: Step, shown: Shown, words: Mapping[str, Any]) -> Answer:
        """Ask for one step of logging in. Elsewhere nothing of us is shown but what the step itself says."""
        headers = filled(step.headers, words)
        if (pair := basic(step.basic, words, escaped=step.form)) is not None:
            headers["Authorization"] = pair
            self._blots.learn(pair.removeprefix("Basic "))
        query = filled(step.query, words)
        body: dict[str, Any] = {}
        for place, each in step.body.items():
            if (value := said(each, words) if isinstance(each, str) else each) is not None:
                put(body, place, value)
        encode = as_form if step.form else as_json
        if step.form:
            headers.setdefault("Content-Type", _FORM)
        if step.operation:
            assert self._calls is not None, "a profile has log-in operations where its family has operations"
            path, more, made = self._calls(step.operation, body)
            asking = self._asking("POST", path, query, {**more, **headers}, stream=made)
        elif step.elsewhere is not None:
            shown, url = NOBODY, str(words[step.elsewhere])
            about = f"{step.method} {bare(url)}"
            asking = Asking(step.method, url, about, False, query, headers, body=body or None, encode=encode)
        else:
            path = address(step.path, words)
            asking = self._asking(step.method, path, query, headers, body=body or None, encode=encode)
        try:
            return self._exchange.send(replace(asking, errors=_NOT_LET_IN), shown, moved=not step.operation)
        except TurnedAway as away:
            raise AccessError(f"we are not let in: {away}") from None

    def _followed(self, asking: Asking, wanted: Wanted) -> tuple[requests.Response, Iterator[bytes]]:
        """The file at the end of a few redirects."""
        begin = partial(self._exchange.begin, wanted=wanted)
        for _ in range(_MOST_REDIRECTS + 1):
            if place_of(asking.url) == self._place:
                response, chunks = self._let_in(asking, begin)
            else:
                response, chunks = self._strange(asking, begin)
            if 200 <= response.status_code < 300:
                return response, chunks
            response.close()
            url = urljoin(asking.url, response.headers.get("Location", ""))
            if asking.method != "GET" or (asking.url.startswith("https:") and not url.startswith("https:")):
                raise redirected(asking.about, self.scrub(bare(url)))
            asking = replace(asking, url=url, about=f"GET {self.scrub(bare(url))}", query={})
        raise ProtocolError(f"{asking.about}: redirected more than {_MOST_REDIRECTS} times")

    @staticmethod
    def _strange(asking: Asking, begin: Callable[[Asking, Shown], Result]) -> Result:
        """Ask another server, as nobody, for nothing but the address that we were given. That it does not let us in
        says nothing about our system.

        :raises ProtocolError: so it is."""
        try:
            return begin(replace(asking, query={}, headers={"Accept": asking.headers.get("Accept", "*/*")}), NOBODY)
        except AccessError as closed:
            raise ProtocolError(f"the file is at another server, and cannot be had there: {closed}") from None


def _show(certificate: Certificate, words: Mapping[str, Any], context: ssl.SSLContext) -> None:
    """Show our certificate wherever this context is asked for one.  :raises SettingsError: it cannot be read."""
    if certificate.file not in words:
        return
    key, password = (words.get(each or "") for each in (certificate.key, certificate.password))
    try:
        context.load_cert_chain(words[certificate.file], key, password or "")
    except OSError as error:
        sentence = f"our certificate, its key or its password cannot be used: {error}"
        raise SettingsError([((certificate.file,), sentence)]) from None


def _closed(away: TurnedAway, asking: Asking) -> ConnectorError:
    """For whoever asked: nobody lets us in; or a write's answer says so, and does not prove that nothing was done."""
    if asking.writes and not away.undone:
        return Unknown(f"{away}; it was a write, and a page that says so may stand after the work too")
    return AccessError(str(away))
