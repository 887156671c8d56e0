"""How a family says a request, and what comes back: the only thing that REST and SOAP do not share."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.answers import Answer
from connectors.asking import Body, Made
from connectors.profiled.vocabulary.parts import Request


class Voice(Protocol):
    """Says requests to one system. Thread-safe; every error is one of `connectors.errors`, by remedy.

    `words` fill the braces of addresses and queries. A `body` is whole already, in the order it was put together."""

    @property
    def offset(self) -> timedelta | None:
        """How far the server's clock is ahead of ours, by its last answer; None: it never said."""

    def call(self) -> AbstractContextManager[None]:
        """Everything inside shares one deadline; the outermost of nested calls sets it."""

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

    def scrub(self, text: str) -> str:
        """The text with every secret blotted out, those included that the tracker gave us."""

    def server_now(self) -> datetime:
        """The server's present time, as far as its answers told; else our own."""

    def close(self) -> None:
        """Let go of connections."""
