"""One request as whoever we are shown to be, and what its answer means."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Never
from urllib.parse import urlencode

import requests

from connectors.answers import Answer, Judge, TurnedAway, redirected
from connectors.asking import Asking, Wanted
from connectors.credentials import Shown
from connectors.errors import NotFound
from connectors.wire import Wire, bare


class Exchange:
    """Sends what is asked, once, and judges the answer. Thread-safe, as its wire is."""

    def __init__(
        self, wire: Wire, judge: Judge, scrub: Callable[[str], str], decode: Callable[[bytes], Any], most: int
    ) -> None:
        """`most`: bytes of an answer, where nobody says how many it may have."""
        self._wire, self._judge, self._scrub, self._decode, self._most = wire, judge, scrub, decode, most

    def send(self, asking: Asking, shown: Shown, *, moved: bool = False) -> Answer:
        """The whole answer. `moved`: a redirect is one too, save to a log-in page."""
        response = self._open(asking, shown)
        try:
            if 200 <= response.status_code < 300:
                limit = asking.limit or self._most
                body = b"".join(self._wire.chunks(response, limit, asking.about, writes=asking.writes))
            else:
                body = self._wire.beginning(response)
        finally:
            response.close()
        answer = self._answer(response, body, asking)
        return answer if moved and _moved(response) else self._judge.verdict(answer, asking.errors)

    def begin(self, asking: Asking, shown: Shown, wanted: Wanted) -> tuple[requests.Response, Iterator[bytes]]:
        """The answer and the chunks of its body: a success, or a redirect to anything but a log-in page."""
        response = self._open(asking, shown)
        try:
            if _moved(response):
                return response, iter(())
            if not 200 <= response.status_code < 300:
                return self._refused(self._answer(response, self._wire.beginning(response), asking))
            chunks = self._wire.chunks(response, wanted.limit, asking.about, writes=False)
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
        """:raises ConnectorError: by remedy; an error that means success means of a file that there is none."""
        raise NotFound(f"{self._judge.verdict(answer).about}: there is nothing")

    def _answer(self, response: requests.Response, body: bytes, asking: Asking) -> Answer:
        return Answer(
            response.status_code,
            response.headers,
            body,
            asking.about,
            asking.writes,
            self._scrub,
            self._decode,
            tuple(response.raw.headers.getlist("Set-Cookie")),
        )

    def _open(self, asking: Asking, shown: Shown) -> requests.Response:
        """The answer, whatever its status, with its body still unread."""
        query = urlencode({**shown.query, **asking.query}, doseq=True)
        url = asking.url + ("&" if "?" in asking.url else "?") + query if query else asking.url
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "interdesk"}
        headers |= {**shown.headers, **(shown.on_writes if asking.writes else {}), **asking.headers}
        data = asking.bytes(shown)
        if data is not None and asking.stream is None:
            headers.setdefault("Content-Type", "application/json")
        return self._wire.send(asking.method, url, headers, data, asking.about, writes=asking.writes)


def _moved(response: requests.Response) -> bool:
    """Whether it points on, to anything but a log-in page."""
    target = bare(response.headers.get("Location", ""))
    return 300 <= response.status_code < 400 and not isinstance(redirected("", target), TurnedAway)
