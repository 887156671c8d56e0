"""The body of a request, in the form that its profile names. Made from data, never from text."""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from connectors.asking import Encode, as_json
from connectors.profiled.streams import FormBody, flattened
from connectors.profiled.values import UNSAYABLE
from connectors.profiled.vocabulary.parts import Request
from connectors.soap.raw import plain


def encoder(request: Request) -> tuple[str, Encode]:
    """The media type of a request's body, and what writes it."""
    match request.format:
        case "form":
            kind = "application/x-www-form-urlencoded"
            return kind, lambda body: urlencode(list(flattened(body, as_json=request.as_json))).encode()
        case "multipart":
            boundary = secrets.token_hex(16)
            kind = f"multipart/form-data; boundary={boundary}"
            return kind, lambda body: b"".join(FormBody(body, (), boundary, as_json=request.as_json))
        case "xml":
            return "application/xml; charset=utf-8", lambda body: _xml(request.element or "request", body)
        case _:
            return "application/json", as_json


def decoded(body: bytes) -> Any:
    """A body as data, XML if it looks so, else JSON.  :raises ValueError: it is neither, or a page for people."""
    return plain(body) if body.lstrip()[:1] == b"<" else json.loads(body)


def _xml(element: str, body: Mapping[str, Any]) -> bytes:
    whole = Element(element)
    _fill(whole, body)
    content: bytes = tostring(whole, encoding="utf-8", xml_declaration=True)
    return content


def _fill(element: Element, value: Any) -> None:
    """Put a value into an element: members become children, "@name" an attribute, "#text" its own text, the rows of a
    list elements of one name. What XML cannot carry is replaced, visibly."""
    if not isinstance(value, Mapping):
        element.text = _text(value)
        return
    for name, each in value.items():
        if name == "#text":
            element.text = _text(each)
        elif name.startswith("@"):
            element.set(name[1:], _text(each) or "")
        else:
            for row in each if isinstance(each, list | tuple) else [each]:
                _fill(SubElement(element, name), row)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return UNSAYABLE.sub("\ufffd", str(value).lower() if isinstance(value, bool) else str(value))
