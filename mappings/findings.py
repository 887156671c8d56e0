"""What pydantic finds wrong, in sentences for the person who wrote the document, with the nearest known name."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Steps = tuple[str | int, ...]
"""Where something is in a document: keys and positions from the top, `("fields", "status", "table")`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where: at a value, or at the key itself."""

    at: Steps
    sentence: str
    about_key: bool = False


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name that this word was probably meant to be; '' when none is near."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    match = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[match[0]] if match else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """The tail of a "there is no such name" sentence: the nearest known name, and all of them."""
    names = list(known)
    near = nearest(word, names)
    guess = f"; did you mean {near!r}?" if near and near != word else ""
    return f"{guess or ';'} there {'are' if len(names) != 1 else 'is'}: {', '.join(names) or 'none'}"


def in_words(value: object) -> str:
    """How a sentence names a value."""
    return "nothing" if value is None else repr(value)


def told(error: ValidationError, data: Any, schema: Mapping[str, Any]) -> list[Finding]:
    """Everything that the model with this JSON schema holds against the data, each once."""
    return list(dict.fromkeys(_told(detail, data, schema) for detail in error.errors(include_url=False)))


def _told(detail: ErrorDetails, data: Any, schema: Mapping[str, Any]) -> Finding:
    kind, context = detail["type"], detail.get("ctx", {})
    path = _path(detail["loc"], data, absent=kind == "missing")
    at = f"{'.'.join(map(str, path))}: " if path else ""  # nothing is said of where the whole is wrong
    if kind == "extra_forbidden":
        parent, word = path[:-1], str(path[-1])
        return Finding(path, _unknown_key(word, parent, _known_keys(schema, parent)), about_key=True)
    if kind == "missing":
        return Finding(path[:-1], f"{at}this key is missing")
    if kind in ("literal_error", "enum"):
        choices = [word.strip("'") for word in re.split(r", | or ", str(context["expected"]))]
        return Finding(path, f"{at}must be one of {', '.join(choices)}{_meant(detail['input'], choices)}")
    if kind in ("value_error", "assertion_error"):
        return Finding(path, f"{at}{context['error']}")
    if sentence := _SENTENCES.get(kind):
        found = _instead(detail["input"]) if kind in _WRONG_KIND else ""
        return Finding(path, f"{at}{sentence.format(**context)}{found}")
    return Finding(path, f"{at}{detail['msg'][:1].lower()}{detail['msg'][1:]}")


_WRONG_KIND = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a list of keys and values",
    "model_type": "must be a list of keys and values",
    "model_attributes_type": "must be a list of keys and values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}
_SENTENCES = _WRONG_KIND | {
    "string_too_short": "must not be shorter than {min_length} characters",
    "string_too_long": "must not be longer than {max_length} characters",
    "too_short": "must not be empty",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}


def _instead(value: Any) -> str:
    """What was found, by kind: the value itself may be a secret in the wrong place."""
    if isinstance(value, bool):
        return ", not true or false; quote it if it is a word"
    if isinstance(value, int | float):
        return ", not a number; quote it if it is a word"
    if value is None:
        return ", and nothing is written here"
    if isinstance(value, str):
        return ", not a word" if value else ""
    return ", not a list" if isinstance(value, list) else ", not keys and values"


def _meant(value: Any, choices: Sequence[str]) -> str:
    if not isinstance(value, str):
        return _instead(value)
    near = nearest(value, choices)
    return f"; did you mean {near!r}?" if near else ""


def _unknown_key(word: str, parent: Steps, known: Sequence[str]) -> str:
    where = f" in {'.'.join(map(str, parent))}" if parent else ""
    if word in known:
        return f"the key {word!r} does not go with the other keys{where}"
    return f"there is no key {word!r}{where}{suggestion(word, known)}"


def _path(loc: Sequence[str | int], data: Any, *, absent: bool) -> Steps:
    """Pydantic's location without what is not in the document: names of union members and the like."""
    path: list[str | int] = []
    for number, step in enumerate(loc):
        inside = isinstance(data, dict) and step in data
        inside = inside or (isinstance(data, list) and isinstance(step, int) and step < len(data))
        if inside:
            data = data[step]
            path.append(step)
        elif absent and number == len(loc) - 1:
            path.append(step)
    return tuple(path)


def _known_keys(schema: Mapping[str, Any], path: Steps) -> list[str]:
    """Every key that any variant of the model knows at this path."""
    nodes = list(_variants(schema, schema))
    for step in path:
        below = [child for node in nodes for child in _children(node, step)]
        nodes = [variant for child in below for variant in _variants(child, schema)]
    return sorted({key for node in nodes for key in node.get("properties", {})})


def _variants(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _variants(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], schema)
        return
    yield node
    for key in ("anyOf", "oneOf", "allOf"):
        for variant in node.get(key, ()):
            yield from _variants(variant, schema)


def _children(node: Mapping[str, Any], step: str | int) -> Iterator[Mapping[str, Any]]:
    if isinstance(step, int):
        child = node.get("items")
    else:
        child = node.get("properties", {}).get(step, node.get("additionalProperties"))
    if isinstance(child, Mapping):
        yield child
