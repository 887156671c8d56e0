"""Documents inside documents: many services answer one text, and the text is XML or JSON. Pure."""

import json
import re
from collections.abc import Sequence
from typing import Any

from connectors.profiled.values import names_of
from connectors.soap.raw import plain

_DECLARATION = re.compile(r"^<\?xml[^<>]{0,200}\?>")
"""Names the encoding of bytes; a text has none any more."""


def opened(data: Any, paths: Sequence[str]) -> Any:
    """An answer with the texts at these paths read as the documents that they are; a text that is none stays as it is.

    :raises ValueError: it begins like a document, and cannot be read as one."""
    for path in paths:
        data = _opened(data, names_of(path) if path else [])
    return data


def _opened(data: Any, names: Sequence[str]) -> Any:
    if isinstance(data, list):
        return [_opened(each, names) for each in data]
    if not names:
        return _read(data) if isinstance(data, str) else data
    if isinstance(data, dict):
        name = next(iter(data)) if names[0] == "*" and len(data) == 1 else names[0]
        if name in data:
            return {**data, name: _opened(data[name], names[1:])}
    return data


def _read(text: str) -> Any:
    document = text.strip()
    if document.startswith("<"):
        return plain(_DECLARATION.sub("", document).encode())
    return json.loads(document) if document.startswith(("{", "[")) else text
