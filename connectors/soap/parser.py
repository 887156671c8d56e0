"""The one parser of hostile XML: expat, piece by piece. A document type is refused at its first character, and with it
every entity, external or swelling; depth, number of elements and length of a tag are bounded.
"""

from typing import Any
from xml.parsers import expat

MOST_DEPTH = 100
MOST_ELEMENTS = 500_000
_UNDIGESTED = 1 << 20
"""Bytes that may be fed before the parser makes anything of them: a tag longer than that is an attack."""
_PIECE = 1 << 16


class Unreadable(ValueError):
    """This is not what was expected. The sentence continues "the answer …"."""


class Parser:
    """What every reading keeps to."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.ordered_attributes = True
        self._parser.buffer_text = True
        self._parser.buffer_size = _PIECE
        self._parser.StartDoctypeDeclHandler = self._no_doctype
        self._parser.StartElementHandler = self._opened
        self._parser.EndElementHandler = self._closed
        self._parser.CharacterDataHandler = self._text
        self._depth = self._elements = self._fed = 0

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """:raises Unreadable: it is no XML, or none that is read here."""
        self._fed += len(chunk)
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as broken:
            raise Unreadable(f"is not well-formed XML ({broken})") from None
        if not last and self._fed - self._parser.CurrentByteIndex > _UNDIGESTED + len(chunk):
            raise Unreadable("has a tag that is longer than any should be")

    def _opened(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MOST_DEPTH:
            raise Unreadable(f"is nested deeper than {MOST_DEPTH} elements")
        if self._elements > MOST_ELEMENTS:
            raise Unreadable(f"holds more than {MOST_ELEMENTS:,} elements")
        self.opened(split(name)[1], attributes)

    def _closed(self, _: str) -> None:
        self._depth -= 1
        self.closed()

    @staticmethod
    def _no_doctype(*_: Any) -> None:
        raise Unreadable("has a document type: it would be a door for entities, so it is not read")

    def _text(self, text: str) -> None:
        raise NotImplementedError

    def opened(self, name: str, attributes: list[str], /) -> None:
        """An element begins: its local name, names and values of its attributes."""
        raise NotImplementedError

    def closed(self) -> None:
        """The element that began last ends."""
        raise NotImplementedError


def split(name: str) -> tuple[str, str]:
    """A name's namespace, "" for none, and the name itself."""
    space, _, local = name.rpartition(" ")
    return space, local
