"""WSDLs, read into an `Interface`."""

import re
from pathlib import Path
from typing import Any

from connectors.sketch.interface import Interface, Operation, Shape
from connectors.sketch.openapi import Unreadable
from connectors.soap import wsdl
from connectors.soap.contract import Contract, ContractError

_HEADER = re.compile("(?i)header$|session$|^auth|credential")
_DEEPEST = 3
_KINDS = {
    "dateTime": "moment",
    "date": "moment",
    "int": "number",
    "integer": "number",
    "long": "number",
    "short": "number",
    "boolean": "boolean",
}


def read(file: Path) -> Interface:
    """What a WSDL says.  :raises Unreadable: it is none, or needs schemas that do not stand beside it."""
    beside = tuple(sorted(each for each in file.parent.glob("*.xsd") if each.is_file()))
    try:
        contract = Contract(wsdl.given(file, beside))
        operations = tuple(_operation(contract, name) for name in contract.names())
    except ContractError as problem:
        raise Unreadable(str(problem)) from None
    except OSError as problem:
        raise Unreadable(str(problem.strerror)) from None
    headers = {name: Shape("object", (), _parts(kind, 1)) for name, kind in contract.elements() if _HEADER.search(name)}
    return Interface(file.stem, "soap", "", operations, headers=headers)


def _operation(contract: Contract, name: str) -> Operation:
    operation = contract.operation(name)
    return Operation(name, "", body=_parts(operation.content, 0))


def _parts(content: Any, depth: int) -> dict[str, Shape]:
    """The elements of a type as zeep has it."""
    found: dict[str, Shape] = {}
    for name, element in getattr(content, "elements", None) or ():
        kind = getattr(element, "type", None)
        below = _parts(kind, depth + 1) if depth < _DEEPEST else {}
        said = "object" if below else _KINDS.get(str(getattr(kind, "name", "")), "text")
        found[str(name)] = Shape(said, (), below, bool(getattr(element, "min_occurs", 0)))
    return found
