"""Where a WSDL comes from: a file, or an address asked once a process and held against what was pinned.

Nothing that a WSDL names is ever fetched: the schemas and parts it imports are given with it, by file name, or it is
not taken. What it is, is its digest: that is written into the system's settings when it is registered, so it is kept
with every revision of them, and a WSDL that changed since then stops its system until somebody has looked.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from connectors.asking import Origin
from connectors.credentials import Credentials
from connectors.environment import Environment
from connectors.errors import AccessError, ProtocolError
from connectors.session import HttpSession

_LARGEST = 8 * 1024 * 1024
"""Bytes of a WSDL, or of a schema it imports."""


@dataclass(frozen=True, slots=True)
class Wsdl:
    """The text of a WSDL, and of what it imports, by file name."""

    text: bytes
    imports: Mapping[str, bytes] = field(default_factory=dict)
    named: str = "the WSDL"
    """What people know it by."""

    @property
    def digest(self) -> str:
        """What is pinned."""
        whole = hashlib.sha256(self.text)
        for name, text in sorted(self.imports.items()):
            whole.update(f"\0{name}\0".encode() + hashlib.sha256(text).digest())
        return f"sha256:{whole.hexdigest()}"


def given(path: Path, imports: tuple[Path, ...] = ()) -> Wsdl:
    """A WSDL from a file, with the schemas that it imports from theirs; those that lie beside it need no naming.

    :raises OSError: one of them cannot be read."""
    beside = {each.name: each for each in path.parent.glob("*.xsd")} | {
        each.name: each for each in path.parent.glob("*.wsdl") if each != path
    }
    wanted = beside | {each.name: each for each in imports}
    return Wsdl(path.read_bytes(), {name: each.read_bytes() for name, each in wanted.items()}, str(path))


def shipped(name: str) -> Wsdl:
    """A WSDL that is shipped beside the profiles.  :raises FileNotFoundError: there is none."""
    folder = files("connectors.profiles") / "wsdl"
    stem = name.removesuffix(".wsdl")
    own = [each for each in folder.iterdir() if each.name.startswith(f"{stem}.") and each.name.endswith(".xsd")]
    return Wsdl((folder / name).read_bytes(), {each.name: each.read_bytes() for each in own}, name)


def fetched(
    address: str, environment: Environment, *, headers: Mapping[str, str], pin: str, ca_file: Path | None
) -> Wsdl:
    """The WSDL at an address, if it is the one that was pinned.

    `headers` are the credentials: give them only where the address is of the registered origin.

    :raises AccessError: nothing is pinned yet, or another one: it says what to do.  :raises ConnectorError: it cannot
    be had."""
    parts = urlsplit(address)
    who = Credentials(headers=dict(headers))
    origin = Origin(f"{parts.scheme}://{parts.netloc}", who, secrets=tuple(headers.values()), ca_file=ca_file)
    session = HttpSession(origin, environment)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with session.stream(path, limit=_LARGEST, headers={"Accept": "text/xml, application/wsdl+xml, */*"}) as chunks:
            found = Wsdl(b"".join(chunks), {}, address)
    finally:
        session.close()
    if b"definitions" not in found.text:
        raise ProtocolError(f"what is at {address} is no WSDL", raw=found.text[:2000].decode("utf-8", "replace"))
    if not pin:
        raise AccessError(
            f"the WSDL at {address} is not pinned: look at it, and write wsdl_digest: {found.digest} into the settings"
        )
    if pin != found.digest:
        raise AccessError(
            f"the WSDL at {address} is not the one that was pinned ({pin}): if the tracker was upgraded and the new "
            f"one has been looked at, write wsdl_digest: {found.digest} into the settings; else find out who changed it"
        )
    return found
