"""The mistakes that fixtures must notice: every small change of a mapping that still is a mapping.

What can be changed is asked of the document's own model, key by key, so that a key that comes to the language later is
changed as well. A text is replaced by the `examples` of its key and by another text, a number by its neighbours, a
choice by the others, an entry of a table by the words around it; what may be absent is left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mappings.document import MappingDocument, compile_mapping
from mappings.loader import Document, DocumentError, Place, Steps
from mappings.model import Mapping as CompiledMapping
from mappings.rules.part import Part

UNJUDGED: Mapping[str, str] = {
    "kind": "it is a mapping",
    "name": "it is a name",
    "extends": "what it extends is changed where it stands",
    "connector": "it says whose field names these are",
}
"""Keys that nothing can judge, and why."""
_TO_THE_PROOF = "stuck"
"""What is said to the proof alone, which judges it in the place of fixtures. Its sentences are for people."""
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mapping with one mistake in it."""

    path: Steps
    sentence: str
    place: Place
    mapping: CompiledMapping
    document: Document

    @property
    def said_to_the_proof(self) -> bool:
        """Whether a proof must judge it: no fixture can."""
        return _TO_THE_PROOF in self.path[2:3]

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}"


def mutants(document: Document) -> tuple[tuple[Mutant, ...], tuple[Steps, ...]]:
    """Every mutant, each mapping once; and where changes are refused when the document is read.

    :raises DocumentError: the document is no mapping."""
    compile_mapping(document, revision=0)
    original = MappingDocument.model_validate(document.data)
    seen, found, refused = {repr(original)}, list[Mutant](), list[Steps]()
    for path, value in _changes(original, ()):
        data = _changed(document.data, path, value)
        try:
            key = repr(MappingDocument.model_validate(data))
            if key in seen:
                continue  # the same in other words
            seen.add(key)
            mapping = compile_mapping(replace(document, data=data), revision=0)
        except (ValidationError, DocumentError):
            refused.append(path)
        else:
            place, changed = document.place(path), replace(document, data=data)
            found.append(Mutant(path, _sentence(document, path, value), place, mapping, changed))
    return tuple(found), tuple(refused)


def _changes(part: Part, path: Steps) -> Iterator[tuple[Steps, Any]]:
    for name, info in type(part).model_fields.items():
        key = info.alias or name
        if key in UNJUDGED:
            continue
        value, below = getattr(part, name), (*path, key)
        if name in part.model_fields_set and not info.is_required():
            yield below, _ABSENT
        if isinstance(value, Part):
            yield from _changes(value, below)
        elif key == _TO_THE_PROOF:
            yield from (((*below, word), _ABSENT) for word in value)
        elif isinstance(value, dict):
            beside = [each for each in _dicts(part) if each is not value]
            yield from _in_dict(value, below, [key for each in beside for key in each])
        elif isinstance(value, list):
            yield from ((below, each) for each in _other_lists(value, ()))
        else:
            yield from ((below, each) for each in _others(value, info))


def _dicts(part: Part) -> list[Mapping[str, Any]]:
    return [value for name in type(part).model_fields if isinstance(value := getattr(part, name), dict)]


def _in_dict(entries: Mapping[str, Any], path: Steps, beside: Sequence[str]) -> Iterator[tuple[Steps, Any]]:
    """`beside`: the keys of the other tables around, which this one may speak of."""
    leaves = [leaf for each in entries.values() for leaf in (each if isinstance(each, list) else [each])]
    leaves += beside
    for key, value in entries.items():
        below = (*path, key)
        yield below, _ABSENT
        if isinstance(value, Part):
            yield from _changes(value, below)
        elif isinstance(value, list):
            yield from ((below, each) for each in _other_lists(value, leaves))
        else:
            yield from ((below, each) for each in _siblings(value, leaves))


def _other_lists(value: list[Any], siblings: Sequence[Any]) -> Iterator[list[Any]]:
    """Without each item, with each item first, and with another first one."""
    for number, each in enumerate(value):
        rest = [*value[:number], *value[number + 1 :]]
        yield rest
        yield [each, *rest]
    for other in _siblings(value[0], siblings) if value else ():
        yield [other, *(each for each in value[1:] if each != other)]


def _siblings(value: Any, siblings: Sequence[Any]) -> Iterator[Any]:
    """What else it could be by the words around it."""
    others = [each for each in siblings if not isinstance(each, Part | dict) and each != value]
    yield from dict.fromkeys(others)
    if not others or _is_number(value):
        yield from _near(value)


def _others(value: Any, info: FieldInfo) -> Iterator[Any]:
    choices = _choices(info.annotation)
    if choices:
        yield from (each for each in choices if each != value)
        return
    yield from (each for each in info.examples or () if each != value)
    if value is not None:
        yield from _near(value)


def _near(value: Any) -> Iterator[Any]:
    """Another value of the same kind."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value - 1, value + 1)
    elif isinstance(value, str):
        yield f"{value}~"


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal, of one among others, and of a switch."""
    if annotation is bool:
        return (False, True)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(choice for each in get_args(annotation) for choice in _choices(each) if each is not type(None))


def _changed(data: Mapping[str, Any], path: Steps, value: Any) -> dict[str, Any]:
    """The data with another value at this path; nothing that is shared is touched."""
    key, *rest = path
    copy = dict(data)
    if rest:
        below = copy.get(str(key))
        copy[str(key)] = _changed(below if isinstance(below, Mapping) else {}, tuple(rest), value)
    elif value is _ABSENT:
        copy.pop(str(key), None)
    else:
        copy[str(key)] = value
    return copy


def _sentence(document: Document, path: Steps, value: Any) -> str:
    said: Any = document.data
    for step in path:
        said = said.get(step, _ABSENT) if isinstance(said, Mapping) else _ABSENT
    at = ".".join(map(str, path))
    if value is _ABSENT:
        return f"{at} left out"
    return f"{at}: {_word(value)}" + ("" if said is _ABSENT else f" instead of {_word(said)}")


def _word(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
