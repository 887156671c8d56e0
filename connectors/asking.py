"""What is asked of a tracker, before it is sent: where it lives, one request, its body, and the file that is wanted."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from connectors.credentials import Credentials, Shown


class Body(Protocol):
    """A request body that is sent piece by piece. `len()` gives its size in bytes."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


Encode = Callable[[Mapping[str, Any]], bytes]
"""Writes a body. Any but JSON is named by a Content-Type."""


def as_json(body: Mapping[str, Any]) -> bytes:
    """A body as JSON. What stands at "" alone is all of it: a list."""
    return json.dumps(body[""] if set(body) == {""} else body).encode()


def as_form(body: Mapping[str, Any]) -> bytes:
    """A body as a form of browsers."""
    return urlencode(body, doseq=True).encode()


Made = Callable[[Shown], Body | bytes]
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
class Asking:
    """One request, before our credentials are added."""

    method: str
    url: str = field(repr=False)
    about: str
    """The same for people: never a query in it."""
    writes: bool = False
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    encode: Encode = as_json
    stream: Body | Made | None = field(default=None, repr=False)
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
class Wanted:
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
