"""How a family says a request, and what comes back: the only thing that REST and SOAP do not share."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from connectors.answers import Answer
from connectors.asking import Body, Made
from connectors.profiled.vocabulary.parts import Request
from connectors.session import HttpSession


class Voice(Protocol):
    """Says requests to one system. Thread-safe; every error is one of `connectors.errors`, by remedy.

    `words` fill the braces of addresses and queries. A `body` is whole already, in the order it was put together."""

    @property
    def http(self) -> HttpSession:
        """What they are said through: one deadline over a call, the server's clock, and what never shows."""

    def read(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        errors: Mapping[int, str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Say what merely reads: again, a few times, where the server is busy or out of reach. The answer has at most
        `limit` bytes; None: as many as any may have."""

    def write(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        stream: Body | Made | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
    ) -> Answer:
        """Say what writes, once. `stream` goes instead of a body, as it is.

        :raises Unknown: it was sent, and whether it was done is open."""

    def stream(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        limit: int,
        media_type: str = "",
        size: int | None = None,
    ) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of an answer in chunks, at most `limit` of them.  :raises ProtocolError: there are more.

        `media_type` and `size`: those of the file, where the answer is the file itself."""
