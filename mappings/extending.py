"""One mapping may extend another: it says what it is called and what it says otherwise, and takes all the rest.
So may a vocabulary, and a profile.

What it says is laid over what it extends, key by key and word by word; the later one wins. A key that is null is
removed. A list is one value and is replaced whole, and so is a rule of another kind. Every place in the result is the
one where it is written, in whichever file that is.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mappings import rules
from mappings.loader import Document, DocumentError, Place, Problem, Steps, suggestion

KEY = "extends"
KINDS = ("mapping", "vocabulary", "profile")
MOST = 8
"""How many mappings may extend one another in a row."""
_RULES = {  # the rules themselves, each with the keys that it adds
    part: part.model_fields.keys() - rules.FieldPart.model_fields.keys() for part in rules.FieldPart.__subclasses__()
}
_OF_RULES = {key: {part for part in _RULES if key in _RULES[part]} for keys in _RULES.values() for key in keys}
"""Keys of a field -> the rules that they may belong to; a field has one rule."""

Find = Callable[[str], Document | None]
"""The document of this name and of the same kind: one that still extends another, or one that is whole."""


def whole(document: Document, find: Find, known: Collection[str] = ()) -> Document:
    """The document with all that it extends: `data` and places of the whole, `source` its own, `bases` what it took.

    `known` are the names that `find` knows, for the sentence about one that it does not.

    :raises DocumentError: it extends what is not there, itself, or in a circle; or it removes what is not there."""
    return _whole(document, find, known, (document,))


def _whole(document: Document, find: Find, known: Collection[str], row: tuple[Document, ...]) -> Document:
    name, kind = document.data.get(KEY), document.kind
    if kind not in KINDS or KEY not in document.data:
        return document
    place = document.place((KEY,))
    if not isinstance(name, str) or not name:
        raise DocumentError([Problem(place, f"{KEY}: must be the name of a {kind}")])
    if name == document.name:
        sentence = f"the {kind} {name} extends itself: give this one a name of its own"
        raise DocumentError([Problem(place, sentence)])
    if name in (names := [each.name for each in row]):
        raise DocumentError([Problem(place, _circle(names, name))])
    if len(row) > MOST:
        raise DocumentError([Problem(place, f"more than {MOST} extend one another in a row: copy one of them")])
    found = find(name)
    if found is None:
        known = sorted({*known} - {document.name})
        raise DocumentError([Problem(place, f"there is no {kind} {name!r}{suggestion(name, known)}")])
    base = _whole(found, find, known, (*row, found))
    taken = [each.name for each in base.bases]
    if document.name in taken:  # one that was registered whole, and took an earlier one of this name
        raise DocumentError([Problem(place, _circle([document.name, base.name], document.name))])
    return upon(document, base)


def _circle(names: list[str], name: str) -> str:
    way = ", which extends ".join([*names[names.index(name) + 1 :], name])
    return f"they extend one another in a circle: {name} extends {way}"


def upon(document: Document, base: Document) -> Document:
    """The document laid over the one that it extends, which is whole.

    :raises DocumentError: it removes what is not there."""
    layer = _Layer(document, base)
    data = layer.laid((), document.data, base.data)
    if layer.problems:
        raise DocumentError(layer.problems)
    return replace(document, data=data, places=layer.places, keys=layer.keys, bases=(base, *base.bases))


class _Layer:
    """One document over another: the data of both, and where each value of it is written."""

    def __init__(self, document: Document, base: Document) -> None:
        self._document, self._base = document, base
        self.places: dict[Steps, Place] = {(): document.place()}
        self.keys: dict[Steps, Place] = {}
        self.problems: list[Problem] = []

    def laid(self, path: Steps, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
        """What both say at this path."""
        a_rule = self._document.kind == "mapping" and path[:1] == ("fields",) and len(path) == 2
        gone = set(_other_rules(ours, theirs)) if a_rule else set()
        kept = {
            key: value for key, value in theirs.items() if key not in gone and (path or key not in ("kind", "name"))
        }
        result: dict[str, Any] = {}
        for key, value in kept.items():
            below = (*path, key)
            if key not in ours:
                result[key] = value
                self._copy(self._base, below)
            elif ours[key] is not None:
                both = isinstance(value, dict) and isinstance(ours[key], dict)
                result[key] = self._both(below, ours[key], value) if both else self._own(below, ours[key])
        for key, value in ours.items():
            if key not in kept and (path, key) != ((), KEY):
                if value is None and key not in gone:
                    self._nothing((*path, key), kept)
                elif value is not None:
                    result[key] = self._own((*path, key), value)
        return result

    def _both(self, path: Steps, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
        self.places[path] = self._document.places[path]
        self.keys[path] = self._document.keys[path]
        return self.laid(path, ours, theirs)

    def _own(self, path: Steps, value: Any) -> Any:
        self._copy(self._document, path)
        return value

    def _copy(self, document: Document, path: Steps) -> None:
        """The places of a value that is taken as it is, and of all that is in it."""
        size = len(path)
        self.places |= {at: place for at, place in document.places.items() if at[:size] == path}
        self.keys |= {at: place for at, place in document.keys.items() if at[:size] == path}

    def _nothing(self, path: Steps, there: Mapping[str, Any]) -> None:
        where = f" in {'.'.join(map(str, path[:-1]))}" if len(path) > 1 else ""
        sentence = (
            f"null removes a key of what is extended, and {self._base.name} has no {path[-1]!r}{where}"
            f"{suggestion(str(path[-1]), there)}"
        )
        if path[-2:-1] == ("table",) or path[-1] == "unset":
            sentence += "; their word null is written [null]"
        self.problems.append(Problem(self._document.key_place(path), sentence))


def _other_rules(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """The keys of the rule that stood there, where another one takes its place."""
    ruled = [[key for key in each if key in _OF_RULES and each[key] is not None] for each in (ours, theirs)]
    if all(ruled) and not set.intersection(*(_OF_RULES[key] for keys in ruled for key in keys)):
        yield from ruled[1]
