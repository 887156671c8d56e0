"""What the SOAP emulators stand on: calls in, envelopes and faults out, over the same HTTP server as the others."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from connectors.emulators.server import Asked, Emulator, Reply
from connectors.soap import raw

_SPACE = "http://schemas.xmlsoap.org/soap/envelope/"
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


@dataclass(frozen=True, slots=True)
class Call:
    """An operation that was asked for."""

    operation: str
    header: Mapping[str, Any]
    body: Any
    """Its arguments as plain data."""


class SoapFault(Exception):
    """What the server answers instead. `code` without a prefix."""

    def __init__(self, says: str, *, code: str = "Server.userException", detail: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.code = code
        self.detail = detail


class SoapEmulator(Emulator):
    """A tracker behind one SOAP endpoint, `address`; a GET of it with ?wsdl answers with its WSDL."""

    address = "/soap"
    fault_status = 500
    """The status of a fault: some servers say 200."""
    fault_space = _SPACE
    """The namespace of a fault's element: some servers forget it."""

    def wsdl(self) -> bytes:
        """The WSDL as served."""
        raise NotImplementedError

    def perform(self, asked: Asked, call: Call) -> str:
        """Do what is asked for; the inside of the body that answers.  :raises SoapFault: or not."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(200, self.wsdl(), {"Content-Type": "text/xml"})
        call = called(asked.body)
        if call is None:
            return self._faulted(SoapFault("no SOAP envelope", code="Client"))
        try:
            return Reply(200, enveloped(self.perform(asked, call)), {"Content-Type": "text/xml; charset=utf-8"})
        except SoapFault as fault:
            return self._faulted(fault)

    def _faulted(self, fault: SoapFault) -> Reply:
        inside = f"<faultcode>soapenv:{fault.code}</faultcode><faultstring>{escaped(fault.says)}</faultstring>"
        detail = f"<detail>{fault.detail}</detail>" if fault.detail else "<detail/>"
        body = f'<f:Fault xmlns:f="{self.fault_space}" xmlns="">{inside}{detail}</f:Fault>'
        return Reply(self.fault_status, enveloped(body), {"Content-Type": "text/xml; charset=utf-8"})


@lru_cache(maxsize=4)
def called(body: bytes) -> Call | None:
    """The call in a request's body; None: it is none. Kept for those who ask again."""
    try:
        data = raw.plain(body)
    except raw.Unreadable:
        return None
    inside = data.get("Body") if isinstance(data, dict) else None
    if not isinstance(inside, dict) or not inside:
        return None
    header = data.get("Header")
    operation = next(iter(inside))
    return Call(operation, header if isinstance(header, dict) else {}, inside[operation])


def enveloped(inside: str) -> bytes:
    """An envelope with this in its body."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SPACE}" '
        f'xmlns:soapenc="{_ENCODING}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>'
    ).encode()


def element(name: str, value: Any, attributes: str = "") -> str:
    """An element: of a dict its children, of a list one each, of None none at all."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(element(name, each, attributes) for each in value)
    return f"<{name}{attributes}>{_inside(value)}</{name}>"


def _inside(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(element(name, each) for name, each in value.items())
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return escaped(str(value))


class Beans:
    """rpc/encoded values as servers of its time wrote them: each typed, and apart from each other if they like."""

    def __init__(self, *, apart: bool) -> None:
        self._apart = apart
        self._marked: list[str] = []

    def answered(self, operation: str, space: str, kind: str, value: Any, name: str = "") -> str:
        """The inside of a body. `name` is that of the element that holds the value, if it is not the usual one."""
        returned = self._value(name or f"{operation}Return", kind, value)
        style = f'soapenv:encodingStyle="{_ENCODING}"'
        inside = f'<b:{operation}Response xmlns:b="{space}" {style}>{returned}</b:{operation}Response>'
        return inside + "".join(self._marked)

    def _value(self, name: str, kind: str, value: Any) -> str:
        if value is None:
            return f'<{name} xsi:nil="true"/>'
        if isinstance(value, Mapping):
            inside = "".join(self._value(each, "", said) for each, said in value.items())
            return self._placed(name, f' xsi:type="q:{kind}" xmlns:q="urn:clerk:beans"' if kind else "", inside)
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            items = "".join(self._value("item", "", each) for each in value)
            return f'<{name} soapenc:arrayType="xsd:anyType[{len(value)}]" xsi:type="soapenc:Array">{items}</{name}>'
        simple = {bool: "boolean", int: "int", bytes: "base64Binary"}.get(type(value), kind or "string")
        return f'<{name} xsi:type="xsd:{simple}">{_inside(value)}</{name}>'

    def _placed(self, name: str, told: str, inside: str) -> str:
        if not self._apart:
            return f"<{name}{told}>{inside}</{name}>"
        mark = f"id{len(self._marked)}"
        self._marked.append("")
        self._marked[int(mark[2:])] = f'<multiRef id="{mark}" soapenc:root="0"{told}>{inside}</multiRef>'
        return f'<{name} href="#{mark}"/>'


def escaped(text: str) -> str:
    """Text as XML has it. What it cannot say at all is left out, as a decent server does."""
    clean = "".join(each for each in text if each in "\t\n\r" or ord(each) >= 32)
    return re.sub(r'[&<>"\r]', lambda found: _ESCAPES[found[0]], clean)


def listed(value: Any) -> Iterator[Any]:
    """What came once, several times or not at all, one by one."""
    if isinstance(value, list):
        yield from value
    elif value not in (None, ""):
        yield value
