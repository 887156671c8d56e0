"""Answers and faults as SOAP has them, piece by piece: a file in an answer is never whole in memory. Pure."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

_SPACES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
MEDIA_TYPES: Mapping[str, str] = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}
_PIECE = 1 << 16
_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, opened when they are written out."""

    opened: Callable[[], AbstractContextManager[Iterator[bytes]]]


Said = str | int | datetime | Content | None
"""What an element may hold; None: there is none."""
Told = Iterable[tuple[str, "Said | Mapping[str, Said]"]]
"""The elements of an answer, in their order; a mapping is one row of a list."""


class Fault(Exception):
    """What is answered instead, in the words of the AR System where it has some.

    `blame`: Client where the call cannot be understood at all, Server where it was and the answer is no."""

    def __init__(self, says: str, *, blame: str = "Server", wait: int | None = None) -> None:
        super().__init__(says)
        self.says, self.blame = says, blame
        self.wait = wait
        """Seconds after which the same call may go through."""


def nothing_there() -> Fault:
    """What was looked for does not exist, or a list would be empty."""
    return Fault("ERROR (302): Entry does not exist in database; ")


def unknown_caller(more: str = "", *, wait: int | None = None) -> Fault:
    """Nobody goes by this name and password; `wait`: nobody even looked, and will not before so many seconds."""
    return Fault(f"ERROR (623): Authentication failed; {more}", wait=wait)


def too_long(more: str) -> Fault:
    """A value is too long, or none of those that are allowed."""
    return Fault(f"ERROR (306): Value does not fall within the limits specified for the field; {more}")


def missing(name: str) -> Fault:
    """Something required is not there."""
    return Fault(f"ERROR (307): Required field (without a default) not specified; {name}")


def refused(more: str) -> Fault:
    """A rule of this helpdesk says no."""
    return Fault(f"ERROR (10000): {more}")


def misunderstood(more: str) -> Fault:
    """The call cannot be read, or asks for what there is not."""
    return Fault(more, blame="Client")


def answer(version: str, space: str, operation: str, told: Told) -> Iterator[bytes]:
    """An answer in the namespace that was asked in, in pieces of a size that is worth sending."""
    gathered = bytearray()
    for piece in _pieces(version, space, operation, told):
        gathered += piece
        if len(gathered) >= _PIECE:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _pieces(version: str, space: str, operation: str, told: Told) -> Iterator[bytes]:
    soap = _SPACES[version]
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{soap}"><soapenv:Body>'
        f'<{operation}Response xmlns="{escaped(space)}">'
    ).encode()
    for name, value in told:
        yield from _element(name, value)
    yield f"</{operation}Response></soapenv:Body></soapenv:Envelope>\n".encode()


def faulted(version: str, fault: Fault) -> bytes:
    """A fault, in the form of that version."""
    soap = _SPACES[version]
    says = escaped(fault.says)
    if version == "1.2":
        code = "Sender" if fault.blame == "Client" else "Receiver"
        inside = (
            f"<soapenv:Code><soapenv:Value>soapenv:{code}</soapenv:Value></soapenv:Code>"
            f'<soapenv:Reason><soapenv:Text xml:lang="en">{says}</soapenv:Text></soapenv:Reason>'
        )
    else:
        code = fault.blame if fault.blame == "Client" else "Server.userException"
        inside = f"<faultcode>soapenv:{code}</faultcode><faultstring>{says}</faultstring><detail/>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{soap}"><soapenv:Body>'
        f"<soapenv:Fault>{inside}</soapenv:Fault></soapenv:Body></soapenv:Envelope>\n"
    ).encode()


def escaped(text: str) -> str:
    """Text as XML has it; what XML cannot say at all is left out."""
    return re.sub(r'[&<>"\r]', lambda found: _ESCAPES[found[0]], _UNSAYABLE.sub("", text))


def _element(name: str, value: Said | Mapping[str, Said]) -> Iterator[bytes]:
    if value is None:
        return
    yield f"<{name}>".encode()
    if isinstance(value, Mapping):
        for each, said in value.items():
            yield from _element(each, said)
    elif isinstance(value, Content):
        yield from _encoded(value)
    elif isinstance(value, datetime):
        yield value.astimezone(UTC).replace(microsecond=0).isoformat().encode()
    else:
        yield escaped(str(value)).encode()
    yield f"</{name}>".encode()


def _encoded(content: Content) -> Iterator[bytes]:
    rest = b""
    with content.opened() as chunks:
        for chunk in chunks:
            rest += chunk
            whole = len(rest) - len(rest) % 3
            yield base64.b64encode(rest[:whole])
            rest = rest[whole:]
    yield base64.b64encode(rest)
