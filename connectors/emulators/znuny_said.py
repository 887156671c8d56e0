"""What Znuny's Generic Interface is asked, and how it answers: by REST or by SOAP, two forms of the same operations."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from connectors.emulators.server import Asked, Reply
from connectors.soap import raw

_SERVICES = "/otrs/nph-genericinterface.pl/Webservice/"
REST, SOAP = _SERVICES + "Interdesk", _SERVICES + "InterdeskSOAP"
_UNSAYABLE = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_NAMESPACE = "http://www.otrs.org/TicketConnector/"
_OPERATIONS = ("SessionCreate", "SessionGet", "TicketCreate", "TicketUpdate", "TicketGet", "TicketSearch")
_ROUTES: Mapping[tuple[str, str], str] = {
    ("POST", "Session"): "SessionCreate",
    ("POST", "SessionGet"): "SessionGet",
    ("POST", "Ticket"): "TicketCreate",
    ("GET", "TicketSearch"): "TicketSearch",
    ("POST", "TicketSearch"): "TicketSearch",
    ("PATCH", "Ticket/"): "TicketUpdate",
    ("GET", "Ticket/"): "TicketGet",
    ("POST", "Ticket/"): "TicketGet",
    ("GET", "TicketHistory/"): "TicketHistoryGet",
    ("POST", "TicketHistory/"): "TicketHistoryGet",
}


class Broken(Exception):
    """This is no operation, or nothing that can be read. The interface answers with status 500 and this text."""


def is_soap(asked: Asked) -> bool:
    """Whether it is asked by SOAP."""
    return asked.path.startswith(SOAP)


def operation(asked: Asked) -> str:
    """What is to be done; "": there is no such thing."""
    if is_soap(asked):
        called = re.search(r"#(\w+)", asked.headers.get("soapaction", ""))
        return called[1] if called is not None and called[1] in _OPERATIONS else ""
    route = asked.path.removeprefix(REST).lstrip("/")
    name, slash, _ = route.partition("/")
    return _ROUTES.get((asked.method, name + slash), "")


def words(asked: Asked) -> Mapping[str, Any] | None:
    """The words of a request: those of its query and its body, and the ticket's of its address; None: unreadable."""
    if is_soap(asked):
        return _envelope_said(asked.body)
    try:
        body = json.loads(asked.body) if asked.body else {}
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    query = {name: values[0] if len(values) == 1 else values for name, values in asked.query.items()}
    return {**query, **body}


@lru_cache(maxsize=4)
def _envelope_said(body: bytes) -> Mapping[str, Any] | None:
    """What an envelope says; asked for more than once, and it may be large."""
    try:
        found = raw.said(body).data
    except raw.Unreadable:
        return None
    return found if isinstance(found, dict) else {}


def keys(asked: Asked, said: Mapping[str, Any]) -> list[str]:
    """The tickets that it is about."""
    if is_soap(asked):
        return str(said.get("TicketID", "")).split(",")
    return asked.path.rpartition("/")[2].split(",")


def understood(asked: Asked) -> tuple[str, Mapping[str, Any]]:
    """The operation and its words.  :raises Broken: it is none, or cannot be read."""
    soap, name, said = is_soap(asked), operation(asked), words(asked)
    if said is None:
        raise Broken("Error deserializing message." if soap else "Error while decoding request content.")
    if not name:
        route = asked.path.removeprefix(REST)
        otherwise = f"HTTP::REST Error while determine Operation for request URI '{route}'."
        raise Broken("Got no OperationType!" if soap else otherwise)
    if not said:
        raise Broken("Unsupported request content structure.")
    return name, said


def answer(asked: Asked, data: Any) -> Reply:
    """What was done, with status 200, whatever became of it."""
    if is_soap(asked):
        return Reply(200, _envelope(f"{operation(asked)}Response", data), {"Content-Type": "text/xml; charset=UTF-8"})
    return Reply(200, data, {"Content-Type": "application/json; charset=UTF-8"})


def broken(asked: Asked, trouble: Broken) -> Reply:
    """What cannot be answered."""
    said: Any = str(trouble).encode()
    if is_soap(asked) and not str(trouble).startswith("Error deserializing"):
        said = _envelope("Fault", {"faultcode": "Server", "faultstring": str(trouble)})
    return Reply(500, said, {"Content-Type": "text/plain; charset=UTF-8"})


def _envelope(name: str, data: Any) -> bytes:
    space = (
        'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    inside = _element(f'{name} xmlns="{_NAMESPACE}"', name, data)
    whole = f"<soap:Envelope {space}><soap:Body>{inside}</soap:Body></soap:Envelope>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{whole}'.encode()


def _element(opening: str, name: str, data: Any) -> str:
    """An element: children sorted by name, a list as elements of one name, nothing as nil at the top alone."""
    if isinstance(data, list):
        return "".join(_element(opening, name, each) for each in data)
    if isinstance(data, dict):
        if not data:
            return f'<{opening} xsi:nil="true" />'
        return f"<{opening}>{''.join(_element(each, each, data[each]) for each in sorted(data))}</{name}>"
    said = "" if data is None else escape(_UNSAYABLE.sub("", str(data)))
    return f"<{opening}>{said}</{name}>" if said else f"<{opening} />"
