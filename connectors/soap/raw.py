"""Hostile XML in, plain data out: by local name, whatever the schema says. Sends nothing, fetches nothing.

Real servers do not keep to their own schema (Znuny sorts children by name, adds some, repeats others): none is asked.
What references swell to is bounded like everything else (`parser`); a text is as long as the answer may be (the
session's limit), since a file of 20 MB is one text.

| XML | plain data |
|---|---|
| children | a dict by local name; what is repeated, a list |
| text | str, as it came |
| attributes | "@name" in the dict, the text beside them "#text" |
| `xsi:nil` | None |
| a SOAP-ENC array | a list, however many are in it |
| a Map of PHP or Axis | a dict of its keys |
| `href`, `ref` | what it refers to |
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.soap.parser import MOST_DEPTH, MOST_ELEMENTS, Parser, Unreadable, split

__all__ = ["Fault", "Said", "Unreadable", "plain", "said"]

_ENVELOPES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_ENCODINGS = ("http://schemas.xmlsoap.org/soap/encoding/", "http://www.w3.org/2003/05/soap-encoding")
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault of either version, in whatever namespace it came."""

    code: str
    """Without its prefix; those of SOAP 1.2 with their subcodes, joined by dots."""
    says: str
    """The tracker's own sentence."""
    detail: Any = None

    def data(self) -> dict[str, Any]:
        """As a profile's error table looks into it: by the names of SOAP 1.1, whichever it was."""
        return {"Fault": {"faultcode": self.code, "faultstring": self.says, "detail": self.detail}}


@dataclass(frozen=True, slots=True)
class Said:
    """What an envelope says: what is inside the answer's element, or a fault."""

    data: Any
    fault: Fault | None = None


def said(body: bytes) -> Said:
    """What a SOAP answer says.  :raises Unreadable: it is no envelope."""
    reading = _Reading(apart=True)
    reading.whole(body)
    if reading.root == "Fault":
        return _faulted(reading.resolved(reading.value))
    if reading.root != "Envelope":
        raise Unreadable(_not_an_envelope(reading.root))
    if reading.body is None:
        raise Unreadable("is an envelope without a body")
    for name, _, value in reading.body:
        if name == "Fault":
            return _faulted(reading.resolved(value))
    told = [(name, value) for name, mark, value in reading.body if not mark or mark not in reading.referred]
    if not told:
        return Said(None)
    if len(told) == 1:
        return Said(reading.resolved(told[0][1]))
    return Said(reading.resolved(dict(told)))


def plain(body: bytes) -> Any:
    """What is inside the outermost element of any XML document.  :raises Unreadable: it is none."""
    reading = _Reading(apart=False)
    reading.whole(body)
    if reading.root.lower() == "html":
        raise Unreadable(_not_an_envelope(reading.root))
    return reading.resolved(reading.value)


@dataclass(slots=True)
class _Frame:
    """An element that is still open."""

    name: str
    pieces: list[str]
    attributes: dict[str, str]
    kids: dict[str, Any] | None = None
    repeated: frozenset[str] = frozenset()
    items: list[Any] | None = None
    """Of an array: its members in their order."""
    is_map: bool = False
    nil: bool = False
    mark: str = ""
    href: str = ""

    def add(self, name: str, value: Any) -> None:
        if self.items is not None:
            self.items.append(value)
            return
        if self.kids is None:
            self.kids = {}
        if name not in self.kids:
            self.kids[name] = value
        elif name in self.repeated:
            self.kids[name].append(value)
        else:
            self.kids[name] = [self.kids[name], value]
            self.repeated |= {name}

    def value(self) -> Any:
        if self.href:
            return _Reference(self.href)
        if self.items is not None:
            return self.items
        if self.kids is None and self.nil:
            return None
        text = "".join(self.pieces)
        if self.kids is None and not self.attributes:
            return text
        if self.is_map:
            return _mapped(self.kids or {})
        whole: dict[str, Any] = dict(self.attributes)
        whole.update(self.kids or {})
        if text.strip():
            whole["#text"] = text
        return whole


@dataclass(frozen=True, slots=True)
class _Reference:
    to: str


class _Reading(Parser):
    """A whole document. `apart`: of an envelope, each thing in its body is kept apart from the others."""

    def __init__(self, *, apart: bool) -> None:
        super().__init__()
        self._apart = apart
        self.root = ""
        self.value: Any = None
        self.body: list[tuple[str, str, Any]] | None = None
        """What an envelope's body holds: name, id and value of each."""
        self.referred: set[str] = set()
        self._open: list[_Frame] = []
        self._marked: dict[str, Any] = {}
        self._twice: set[str] = set()
        self._done: dict[str, tuple[Any, int]] = {}

    def whole(self, body: bytes) -> None:
        """Read it all at once."""
        if not body.strip():
            raise Unreadable("is empty")
        if body.lstrip()[:1] not in (b"<", b"\xef", b"\xff", b"\xfe"):
            raise Unreadable("is not XML")
        try:
            self.feed(body, last=True)
        except Unreadable:
            if b"<html" in body[:2000].lower():
                raise Unreadable(_not_an_envelope("html")) from None
            raise

    def opened(self, name: str, attributes: list[str]) -> None:
        if not self._open:
            self.root = name
        frame = _Frame(name, [], {})
        for key, value in zip(attributes[0::2], attributes[1::2], strict=True):
            where, word = split(key)
            if where == _INSTANCE:
                if word == "nil":
                    frame.nil = value.strip() in ("true", "1")
                elif word == "type":
                    kind = value.rpartition(":")[2]
                    if kind == "Array":
                        frame.items = []
                    frame.is_map = kind == "Map"
            elif where in _ENCODINGS:
                if word in ("arrayType", "itemType", "arraySize"):
                    frame.items = []
                elif word == "ref":
                    frame.href = value
                elif word == "id":
                    frame.mark = value
            elif where in _ENVELOPES:
                continue
            elif not where and word == "href" and value.startswith("#"):
                frame.href = value[1:]
            else:
                if not where and word == "id":
                    frame.mark = value
                frame.attributes[f"@{word}"] = value
        if frame.href:
            self.referred.add(frame.href)
        self._open.append(frame)

    def closed(self) -> None:
        frame = self._open.pop()
        value = frame.value()
        if frame.mark:
            if frame.mark in self._marked:
                self._twice.add(frame.mark)
            self._marked[frame.mark] = value
        apart = self._apart and self.root == "Envelope"
        if apart and len(self._open) == 1 and frame.name == "Body" and self.body is None:
            self.body = []
        if apart and len(self._open) == 2 and self._open[1].name == "Body":
            self._bodied(frame, value)
        elif self._open:
            self._open[-1].add(frame.name, value)
        else:
            self.value = value

    def _bodied(self, frame: _Frame, value: Any) -> None:
        if self.body is None:
            self.body = []
        self.body.append((frame.name, frame.mark, value))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].pieces.append(text)

    def resolved(self, value: Any) -> Any:
        """The value with what its references mean in their places.

        :raises Unreadable: one leads nowhere or round in a circle, or all together they swell."""
        if not self.referred:
            return value
        for mark in self.referred & self._twice:
            raise Unreadable(f"refers to {mark!r}, which is in it more than once")
        for mark in self.referred:
            self._marked[mark] = _unmarked(self._marked.get(mark, _Reference(mark)))
        try:
            return self._follow(value, ())[0]
        except RecursionError:
            raise Unreadable("has references that lead deeper than anything should") from None

    def _follow(self, value: Any, way: tuple[str, ...]) -> tuple[Any, int]:
        if isinstance(value, _Reference):
            if value.to in way or len(way) > MOST_DEPTH:
                raise Unreadable(f"refers to {value.to!r} from within itself")
            if self._marked[value.to] == value:
                raise Unreadable(f"refers to {value.to!r}, which is not in it")
            if value.to not in self._done:
                self._done[value.to] = self._follow(self._marked[value.to], (*way, value.to))
            return self._done[value.to]
        if isinstance(value, dict):
            kids = {name: self._follow(each, way) for name, each in value.items()}
            return {name: each for name, (each, _) in kids.items()}, self._weighed(
                weight for _, weight in kids.values()
            )
        if isinstance(value, list):
            items = [self._follow(each, way) for each in value]
            return [each for each, _ in items], self._weighed(weight for _, weight in items)
        return value, 1

    @staticmethod
    def _weighed(weights: Iterable[int]) -> int:
        """What references swell to when they are written out."""
        total = 1 + sum(weights)
        if total > MOST_ELEMENTS:
            raise Unreadable(f"holds more than {MOST_ELEMENTS:,} elements once its references are followed")
        return total


def _unmarked(value: Any) -> Any:
    """What is referred to bears its id for that alone."""
    if not isinstance(value, dict) or "@id" not in value:
        return value
    rest = {name: each for name, each in value.items() if name != "@id"}
    return rest.get("#text", "") if rest.keys() <= {"#text"} else rest


def _mapped(kids: Mapping[str, Any]) -> dict[str, Any]:
    """A Map's items as a dict. What is none stays as it is."""
    items = kids.get("item", [])
    rows = items if isinstance(items, list) else [items]
    if any(not isinstance(row, dict) or "key" not in row for row in rows):
        return dict(kids)
    return {str(row["key"]): row.get("value") for row in rows}


def _not_an_envelope(root: str) -> str:
    if root.lower() == "html":
        return "is a web page where data was expected (a log-in page?)"
    return f"is XML and no SOAP envelope: its outermost element is {root!r}"


def _faulted(value: Any) -> Said:
    shown: Mapping[str, Any] = value if isinstance(value, dict) else {}
    by_name = {name.lower(): each for name, each in shown.items()}
    code = by_name.get("faultcode")
    if code is None:
        code = ".".join(_codes(by_name.get("code")))
    says = by_name.get("faultstring")
    if says is None:
        reason = by_name.get("reason")
        says = reason.get("Text") if isinstance(reason, dict) else reason
    if isinstance(says, list):
        says = says[0]
    fault = Fault(_local(_word(code)), " ".join(_word(says).split()), by_name.get("detail"))
    return Said(fault.data(), fault)


def _codes(code: Any) -> Iterator[str]:
    while isinstance(code, dict):
        if code.get("Value"):
            yield _local(_word(code["Value"]))
        code = code.get("Subcode")


def _word(value: Any) -> str:
    """A text, with attributes or without."""
    return str(value.get("#text", "")) if isinstance(value, dict) else "" if value is None else str(value)


def _local(code: str) -> str:
    return code.strip().rpartition(":")[2]
