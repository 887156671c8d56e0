"""Our token on a ticket, where no custom field bears it: a place of its own, the end of a text, or a label. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from connectors import marks
from connectors.api import Value
from connectors.profiled.values import first, plain, text
from connectors.profiled.vocabulary.writing import TokenShape

_ENDING = re.compile(r" ?\[interdesk ([0-9A-Za-z][0-9A-Za-z._-]{2,79})\]\Z")


def bearer(shape: TokenShape | None) -> str | None:
    """The field that shows the token among people's words; None where none does."""
    return None if shape is None else shape.mark or shape.title or shape.label


def bearing(shape: TokenShape, value: Value, token: str) -> Value:
    """The field's value with our token in it; as it is, where there is to be none."""
    if token == marks.UNMARKED:
        return value
    if shape.mark is not None:
        return marks.stamp(str(value or ""), token)
    if shape.title is not None:
        return f"{value or ''} [interdesk {token}]".lstrip()
    words = value if isinstance(value, tuple) else () if value is None else (str(value),)
    return (*words, shape.prefix + token)


def without(shape: TokenShape, value: Value) -> tuple[Value, str | None]:
    """The field's value as people wrote it, and the token that was in it."""
    if shape.label is not None:
        words = value if isinstance(value, tuple) else () if value is None else (str(value),)
        ours = [each for each in words if each.startswith(shape.prefix)]
        theirs = tuple(each for each in words if each not in ours)
        return (theirs or None) if ours else value, ours[0].removeprefix(shape.prefix) if ours else None
    if not isinstance(value, str):
        return value, None
    if shape.mark is not None:
        body, token = marks.read(value)
        return (plain(body), token) if token else (value, None)
    found = _ENDING.search(value)
    return (value[: found.start()] or None, found[1]) if found else (value, None)


def read(shape: TokenShape, raw: Mapping[str, Any], value: Value) -> str | None:
    """The token on a ticket; `value` is what its bearer holds, if it has one."""
    return text(plain(first(raw, shape.at))) or None if shape.at else without(shape, value)[1]
