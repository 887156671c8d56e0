"""A call that somebody makes to us: hostile XML in, plain data out, a file in it never whole in memory.

Bounded far below what an answer may be: whoever calls is known only once the call has been read. Elements go by their
local names; the namespace that the operation was asked in is told, so that the answer can be given in the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.soap import files
from connectors.soap.parser import Parser, Unreadable, split

MOST_DEPTH = 20
MOST_ELEMENTS = 1000
MOST_TEXT = 4 * 1024 * 1024
"""Characters of all texts together, those of files aside."""
_ENVELOPES = {"http://schemas.xmlsoap.org/soap/envelope/": "1.1", "http://www.w3.org/2003/05/soap-envelope": "1.2"}
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True)
class Call:
    """What an envelope asks for."""

    operation: str
    space: str
    """The namespace it was asked in; '' for none."""
    version: str
    """Of SOAP: 1.1 or 1.2."""
    header: dict[str, Any] = field(repr=False)
    body: dict[str, Any]
    """By local name: text, a dict of what is inside, a list of what came several times, None for what is nil."""


class Calls:
    """Reads calls. `aside` names the element that holds a file."""

    def __init__(self, aside: str) -> None:
        self._aside = aside

    def read(self, chunks: Iterable[bytes]) -> Call:
        """The call, its file left out: the element that holds one reads as ''.

        :raises ValueError: it is none; the sentence continues "the call …"."""
        reading = _Reading(self._aside)
        for chunk in chunks:
            reading.feed(chunk)
        reading.feed(b"", last=True)
        return reading.call()

    def file(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes of the file in the same call, read once more, piece by piece.

        :raises ValueError: it is no base64."""
        return files.unwrapped(iter(chunks), self._aside)


class _Reading(Parser):
    def __init__(self, aside: str) -> None:
        super().__init__()
        self._aside = aside
        self._open: list[_Element] = []
        self._space = ""
        self._length = 0
        self._version = ""
        self._header: dict[str, Any] = {}
        self._called: list[_Element] = []

    def call(self) -> Call:
        if not self._version:
            raise Unreadable("is XML and no SOAP envelope")
        if len(self._called) != 1:
            raise Unreadable(f"asks for {len(self._called)} things; a call asks for one")
        asked = self._called[0]
        return Call(asked.name, asked.space, self._version, self._header, asked.kids or {})

    def _opened(self, name: str, attributes: list[str]) -> None:
        self._space = split(name)[0]
        super()._opened(name, attributes)
        if self._depth > MOST_DEPTH:
            raise Unreadable(f"is nested deeper than {MOST_DEPTH} elements")
        if self._elements > MOST_ELEMENTS:
            raise Unreadable(f"holds more than {MOST_ELEMENTS:,} elements")

    def opened(self, name: str, attributes: list[str]) -> None:
        if not self._open:
            if name != "Envelope" or self._space not in _ENVELOPES:
                raise Unreadable(f"is XML and no SOAP envelope: its outermost element is {name!r}")
            self._version = _ENVELOPES[self._space]
        said = dict(zip(attributes[0::2], attributes[1::2], strict=True))
        nil = said.get(f"{_INSTANCE} nil", "").strip() in ("true", "1")
        self._open.append(_Element(name, self._space, nil))

    def closed(self) -> None:
        element = self._open.pop()
        if len(self._open) == 2 and self._open[1].name == "Body":
            self._called.append(element)
        elif len(self._open) == 1 and element.name == "Header":
            self._header = element.kids or {}
        elif len(self._open) > 1:
            self._open[-1].add(element.name, element.value())

    def _text(self, text: str) -> None:
        if not self._open or self._open[-1].name == self._aside:
            return
        self._length += len(text)
        if self._length > MOST_TEXT:
            raise Unreadable(f"holds more than {MOST_TEXT:,} characters beside its file")
        self._open[-1].pieces.append(text)


@dataclass(slots=True)
class _Element:
    """An element that is still open."""

    name: str
    space: str
    nil: bool
    pieces: list[str] = field(default_factory=list)
    kids: dict[str, Any] | None = None

    def add(self, name: str, value: Any) -> None:
        if self.kids is None:
            self.kids = {}
            self.pieces.clear()
        if name not in self.kids:
            self.kids[name] = value
        elif isinstance(self.kids[name], list):
            self.kids[name].append(value)
        else:
            self.kids[name] = [self.kids[name], value]

    def value(self) -> Any:
        if self.kids is not None:
            return self.kids
        return None if self.nil else "".join(self.pieces)
