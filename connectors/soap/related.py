"""An envelope with its files beside it (MTOM): a multipart answer whose first part is the XML, and in whose XML
`xop:Include` stands for the bytes of another part.

It is told by its first line alone, since recordings and errors keep no more than a body. Files pass piece by piece.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from connectors.soap.parser import Unreadable

_FIRST = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")
_HEAD = re.compile(rb"\r?\n|.*?\r?\n\r?\n", re.DOTALL)
_LONGEST_HEAD = 1 << 14
_INCLUDE = re.compile(
    rb"<(?:[\w.-]+:)?Include\s[^<>]*?href=[\"']cid:([^\"'<>]+)[\"'][^<>]*>(?:\s*</(?:[\w.-]+:)?Include>)?"
)
_RAW = ("", "binary", "8bit", "7bit")
_BEGINNING = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer: what it is called, and its bytes as they come."""

    name: str
    chunks: Iterator[bytes]


def is_related(beginning: bytes) -> bool:
    """Whether an answer that begins so has parts. No XML does."""
    return beginning.lstrip()[:2] == b"--"


def pieces(chunks: Iterator[bytes]) -> Iterator[Piece]:
    """The parts of an answer in their order. Each must be read, or is passed over, before the next is asked for.

    :raises Unreadable: it ends before its last part does, or is no such answer."""
    buffer = _upto(chunks, b"", lambda held: _FIRST.match(held) or len(held) > _BEGINNING)
    found = _FIRST.match(buffer)
    if found is None:
        raise Unreadable("begins like one in parts, and names no boundary")
    reading = _Reading(chunks, buffer[found.end() :], b"--" + found[1])
    while not reading.ended:
        head = reading.head()
        inside = reading.inside()
        coding = head.get("content-transfer-encoding", "").lower()
        if coding == "base64":
            yield Piece(head.get("content-id", "").strip("<>"), _plain(inside))
        elif coding in _RAW:
            yield Piece(head.get("content-id", "").strip("<>"), inside)
        else:
            raise Unreadable(f"has a part that is packed as {coding}, which nobody should do to one")
        for _ in inside:  # what nobody read of it
            pass


def whole(body: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Of a whole answer: its XML, and the other parts by their names.  :raises Unreadable: it is none."""
    found = [(each.name, b"".join(each.chunks)) for each in pieces(iter((body,)))]
    if not found:
        raise Unreadable("has no parts")
    return found[0][1], dict(found[1:])


def put_in(data: Any, parts: dict[str, bytes]) -> Any:
    """The data with base64 in the place of what was beside it, as if it had never been taken out."""
    if isinstance(data, list):
        return [put_in(each, parts) for each in data]
    if not isinstance(data, dict):
        return data
    name = included(data)
    if name is not None and name in parts:
        return base64.b64encode(parts[name]).decode()
    return {key: put_in(each, parts) for key, each in data.items()}


def alone(body: bytes, stands: Callable[[bytes], bytes]) -> bytes:
    """The XML of a whole answer with base64 in the place of what was beside it, or of what `stands` for it.

    :raises Unreadable: it is none."""
    envelope, parts = whole(body)

    def inside(found: re.Match[bytes]) -> bytes:
        content = parts.get(unquote(found[1].decode("latin-1")))
        return found[0] if content is None else base64.b64encode(stands(content))

    return _INCLUDE.sub(inside, envelope)


def included(data: dict[str, Any]) -> str | None:
    """The name of the part that an element says to be its content; None: it is its own."""
    inside = data.get("Include")
    return named(str(inside.get("@href", ""))) if isinstance(inside, dict) else None


def named(address: str) -> str | None:
    """The name of the part that an address means (`cid:1%40x`: 1@x)."""
    return unquote(address[4:]) if address[:4].lower() == "cid:" else None


class _Reading:
    """Bytes, up to each boundary."""

    def __init__(self, chunks: Iterator[bytes], held: bytes, boundary: bytes) -> None:
        self._chunks, self._held = chunks, held
        self._end = re.compile(rb"\r?\n" + re.escape(boundary) + rb"(--|[ \t]{0,20}\r?\n)")
        self._longest = len(boundary) + 30
        self.ended = False

    def head(self) -> dict[str, str]:
        """The headers of the part that begins here."""
        self._held = _upto(self._chunks, self._held, lambda held: _HEAD.match(held) or len(held) > _LONGEST_HEAD)
        found = _HEAD.match(self._held)
        if found is None:
            raise Unreadable("has a part whose head does not end")
        self._held = self._held[found.end() :]
        lines = found[0].decode("latin-1").replace("\r\n ", " ").replace("\r\n\t", " ").splitlines()
        said = (line.partition(":") for line in lines if ":" in line)
        return {name.strip().lower(): value.strip() for name, _, value in said}

    def inside(self) -> Iterator[bytes]:
        """The bytes up to the next boundary; what may be the beginning of one is held back."""
        while True:
            end = self._end.search(self._held)
            if end is not None:
                yield self._held[: end.start()]
                self.ended, self._held = end[1] == b"--", self._held[end.end() :]
                return
            yield self._held[: -self._longest]
            more = next(self._chunks, None)
            if more is None:
                raise Unreadable("ends in the middle of a part")
            self._held = self._held[-self._longest :] + more


def _upto(chunks: Iterator[bytes], held: bytes, enough: Any) -> bytes:
    while not enough(held):
        more = next(chunks, None)
        if more is None:
            break
        held += more
    return held


def _plain(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        rest += b"".join(chunk.split())
        size = len(rest) - len(rest) % 4
        yield _decoded(rest[:size])
        rest = rest[size:]
    yield _decoded(rest)


def _decoded(digits: bytes) -> bytes:
    try:
        return base64.b64decode(digits, validate=True)
    except binascii.Error:
        raise Unreadable("has a part that is not the base64 that it says to be") from None
