"""A file inside an answer, or beside it, taken out of it as it comes: never whole in memory."""

import base64
import binascii
from collections.abc import Iterator
from itertools import chain
from typing import Any

from connectors.soap import related
from connectors.soap.parser import Parser, Unreadable

_BODY, _HELD = 2, 4
"""How deep an envelope's body is, and what is inside the element that answers."""
_FEW = 20


def decoded(text: Any) -> bytes:
    """The bytes of a base64 text.  :raises Unreadable: it is none."""
    try:
        return base64.b64decode("".join(str(text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("has a text that is not base64 where a file was expected") from None


def unwrapped(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The bytes that stand as base64 in the first element of this local name, or beside the envelope where it says so,
    without ever holding all of them; `*` is the one inside what answers, whatever it is called.

    :raises Unreadable: there is no such element, it is no base64, or the answer ends before it does."""
    reading, begin = _Catching(name), b""
    for chunk in chunks:
        begin += chunk
        if len(begin.lstrip()) > 1:
            break
    chunks = chain((begin,), chunks)
    if not related.is_related(begin):
        yield from _inside(reading, chunks)
        return
    pieces = related.pieces(chunks)
    envelope = next(pieces, None)
    yield from _inside(reading, envelope.chunks if envelope is not None else iter(()))
    if reading.beside is None:
        return
    beside = next((each for each in pieces if each.name == reading.beside), None)
    if beside is None:
        raise Unreadable(f"has no part {reading.beside!r}, where {name} says that the file is")
    yield from beside.chunks


def _inside(reading: "_Catching", chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What is in the envelope itself."""
    rest = ""
    for chunk in chunks:
        reading.feed(chunk)
        rest += "".join("".join(reading.caught).split())
        reading.caught.clear()
        whole = len(rest) - len(rest) % 4
        if whole:
            yield decoded(rest[:whole])
            rest = rest[whole:]
    reading.feed(b"", last=True)
    if reading.fault is not None:
        raise Unreadable(f"is a fault: {reading.fault}")
    if not reading.found:
        there = f"; it has: {', '.join(sorted(reading.answered))}" if reading.answered else ""
        raise Unreadable(f"has no element {reading.name}{there}")
    if rest:
        raise Unreadable("has a text that is not base64 where a file was expected")


class _Catching(Parser):
    """The text of the first element of one name, as it comes; and the words of a fault, if it is one."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.caught: list[str] = []
        self.found = False
        self.fault: str | None = None
        self.answered: set[str] = set()
        """The elements inside the one that answers."""
        self.name = name
        self.beside: str | None = None
        """The part of the answer that the element says to be its content."""
        self._in_body = False
        self._inside = 0
        self._words = False

    def opened(self, name: str, attributes: list[str]) -> None:
        self._in_body = self._in_body or (name == "Body" and self._depth == _BODY)
        held = self._in_body and self._depth == _HELD
        if held and len(self.answered) < _FEW:
            self.answered.add(name)
        if self._inside and name == "Include":
            said = dict(zip(attributes[0::2], attributes[1::2], strict=True))
            self.beside = related.named(said.get("href", ""))
        if (name == self.name or (held and self.name == "*")) and not self.found:
            self.found, self._inside = True, self._depth
        elif name == "Fault":
            self.fault = ""
        self._words = name in ("faultstring", "Text")

    def closed(self) -> None:
        if self._inside > self._depth:
            self._inside = 0
        self._words = False

    def _text(self, text: str) -> None:
        if self._inside:
            self.caught.append(text)
        elif self._words and self.fault is not None:
            self.fault = (self.fault + text)[:500]
