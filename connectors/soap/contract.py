"""What a WSDL says: which operations there are, in what style they are called, and which elements they take in what
order and of what type. Read by zeep, once for each WSDL in a process; nothing but zeep's model of it is used."""

import difflib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree
from zeep import Settings
from zeep.exceptions import Error as ZeepError
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

from connectors.soap import raw
from connectors.soap.wsdl import Wsdl

WSDL_SPACE = "http://schemas.xmlsoap.org/wsdl/"
SCHEMA_SPACE = "http://www.w3.org/2001/XMLSchema"
ENCODING_SPACE = "http://schemas.xmlsoap.org/soap/encoding/"
_SOAP_SPACES = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
_KEPT = 32
"""Contracts of a process that are kept ready."""

_MARKS = '<xs:attribute name="id" type="xs:ID"/><xs:attribute name="href" type="xs:anyURI"/>'
_SIMPLE = ("string", "boolean", "int", "long", "short", "integer", "decimal", "float", "double", "dateTime", "date")
_ENCODING = (
    f"""<xs:schema xmlns:xs="{SCHEMA_SPACE}" targetNamespace="{ENCODING_SPACE}">
<xs:attribute name="arrayType" type="xs:string"/><xs:attribute name="offset" type="xs:string"/>
<xs:complexType name="Array"><xs:sequence>
<xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
</xs:sequence><xs:attribute name="arrayType" type="xs:string"/>{_MARKS}</xs:complexType>
<xs:simpleType name="base64"><xs:restriction base="xs:base64Binary"/></xs:simpleType>"""
    + "".join(
        f'<xs:complexType name="{name}"><xs:simpleContent><xs:extension base="xs:{name}">{_MARKS}</xs:extension>'
        "</xs:simpleContent></xs:complexType>"
        for name in (*_SIMPLE, "base64Binary", "anyURI")
    )
    + "</xs:schema>"
)
_ENCODING_HANDLE = "given-soap-encoding"
"""The encoding's own schema, as far as WSDLs lean on it: they name it by an address, and no address is ever asked."""


class ContractError(ValueError):
    """The WSDL cannot be read, or does not have what is asked of it. The sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the WSDL has it."""

    name: str
    style: Literal["document", "rpc"]
    encoded: bool
    """Called by SOAP's own encoding: each argument bears its type."""
    namespace: str
    """Of the outermost element."""
    element: str
    """The outermost element's name."""
    action: str
    version: Literal["1.1", "1.2"]
    address: str
    """Where the WSDL says that it is answered."""
    content: Any = None
    """Its arguments, as zeep's type; None: the WSDL does not tell."""


def unwritten(name: str, namespace: str, style: Literal["document", "rpc"], *, encoded: bool) -> Operation:
    """An operation that no WSDL tells of: all that is sent to it is sent as it is said."""
    return Operation(name, style, encoded, namespace, name, "{namespace}#{operation}", "1.1", "")


class Contract:
    """A WSDL that was read. Thread-safe: nothing of it changes."""

    def __init__(self, wsdl: Wsdl) -> None:
        self.digest = wsdl.digest
        self.named = wsdl.named
        given: Any = _Given(wsdl)
        try:
            self._document = Document(
                _Text(given.root), given, settings=Settings(forbid_external=True, forbid_dtd=True, forbid_entities=True)
            )
        except ContractError:
            raise
        except (ZeepError, etree.LxmlError, LookupError, ValueError, AttributeError, TypeError) as trouble:
            raise ContractError(f"{wsdl.named} cannot be read as a WSDL: {trouble}") from None
        self._ports = tuple(self._soap_ports())
        if not self._ports:
            raise ContractError(f"{wsdl.named} has no service that is spoken by SOAP over HTTP")
        self._uses = given.uses

    def names(self, port: str | None = None) -> tuple[str, ...]:
        """Every operation, of one port or of the first."""
        return tuple(self._port(port).binding.all())

    def operation(self, name: str, port: str | None = None) -> Operation:
        """:raises ContractError: there is none of that name; it names the nearest."""
        found = self._port(port)
        binding = found.binding
        operations = binding.all()
        if name not in operations:
            near = difflib.get_close_matches(name, list(operations), n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ContractError(
                f"{self.named} has no operation {name!r}{hint}; it has: {', '.join(operations) or 'none'}"
            )
        known = operations[name]
        body = known.input.body if known.input is not None else None
        uses, namespace = self._uses.get((binding.name.localname, name), ("literal", ""))
        return Operation(
            name=name,
            style="rpc" if known.style == "rpc" else "document",
            encoded=uses == "encoded",
            namespace=(body.qname.namespace if body is not None else None) or namespace or "",
            element=body.qname.localname if body is not None else name,
            action=known.soapaction or "",
            version="1.2" if isinstance(binding, Soap12Binding) else "1.1",
            address=found.binding_options.get("address") or "",
            content=body.type if body is not None else None,
        )

    def elements(self) -> Iterator[tuple[str, Any]]:
        """Every global element: its local name, and its type."""
        for each in self._document.types.elements:
            if (kind := getattr(each, "type", None)) is not None:  # a schema itself counts as an element of schemas
                yield str(each.name), kind

    def header(self, name: str) -> Any:
        """A global element by its local name, for a header; None: the WSDL has none, or several."""
        found = [each for each in self._document.types.elements if each.name == name]
        return found[0] if len(found) == 1 else None

    def _soap_ports(self) -> Iterator[Any]:
        for service in self._document.services.values():
            for port in service.ports.values():
                if isinstance(port.binding, SoapBinding):
                    yield port

    def _port(self, name: str | None) -> Any:
        if name is None:
            return self._ports[0]
        for port in self._ports:
            if port.name == name:
                return port
        there = ", ".join(port.name for port in self._ports)
        raise ContractError(f"{self.named} has no port {name!r} that is spoken by SOAP; it has: {there}")


class _Text:
    """What zeep reads the WSDL from."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def read(self) -> bytes:
        return self._text


class _Given:
    """Zeep's transport: hands over what was given, under names that lead nowhere else, and nothing besides."""

    def __init__(self, wsdl: Wsdl) -> None:
        self._named = wsdl.named
        self._imports = dict(wsdl.imports)
        self._ready: dict[str, bytes] = {_ENCODING_HANDLE: _ENCODING.encode()}
        self.uses: dict[tuple[str, str], tuple[str, str]] = {}
        """Binding and operation -> how its input is used, and its namespace."""
        self.root = self._prepared(wsdl.text, wsdl.named, outermost=True)

    def load(self, url: Any) -> bytes:
        text = self._ready.get(str(url))
        if text is None:
            raise ContractError(f"{self._named} asks for {url}, which was not given with it")
        return text

    def _prepared(self, text: bytes, named: str, *, outermost: bool = False) -> bytes:
        """The text with every import turned to what was given."""
        try:
            raw.plain(text)  # no document type, no entities, nothing deep: before anybody else reads it
        except raw.Unreadable as trouble:
            raise ContractError(f"{named} cannot be taken: it {trouble}") from None
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        leans = ENCODING_SPACE.encode() in text
        for tag, attribute in (
            (f"{{{WSDL_SPACE}}}import", "location"),
            (f"{{{SCHEMA_SPACE}}}import", "schemaLocation"),
            (f"{{{SCHEMA_SPACE}}}include", "schemaLocation"),
        ):
            for node in list(root.iter(tag)):
                self._turn(node, attribute, named)
        if leans:
            self._lean(root, outermost=outermost)
        self._note_uses(root)
        prepared: bytes = etree.tostring(root)
        return prepared

    def _turn(self, node: Any, attribute: str, named: str) -> None:
        location = node.get(attribute)
        if node.get("namespace") == ENCODING_SPACE:
            node.getparent().remove(node)
            return
        if not location:
            return
        name = location.partition("?")[0].rstrip("/").rpartition("/")[2]
        key = location if location in self._imports else name
        if key not in self._imports:
            raise ContractError(
                f"{named} imports {location}, which was not given: nothing is fetched, so put the file "
                f"{name or location!r} beside it"
            )
        handle = f"given-{key}"
        if handle not in self._ready:
            self._ready[handle] = b""  # two that import each other
            self._ready[handle] = self._prepared(self._imports[key], key)
        node.set(attribute, handle)

    @staticmethod
    def _lean(root: Any, *, outermost: bool) -> None:
        """Let every schema in it import the encoding's own: zeep would ask for it by its address."""
        schema = f"{{{SCHEMA_SPACE}}}schema"
        if outermost and next(root.iter(schema), None) is None:
            types = etree.Element(f"{{{WSDL_SPACE}}}types")
            types.append(etree.Element(schema, targetNamespace="urn:interdesk:nothing"))
            root.insert(0, types)
        for each in root.iter(schema):
            if each.get("targetNamespace") != ENCODING_SPACE:
                wanted = etree.Element(
                    f"{{{SCHEMA_SPACE}}}import", namespace=ENCODING_SPACE, schemaLocation=_ENCODING_HANDLE
                )
                each.insert(0, wanted)

    def _note_uses(self, root: Any) -> None:
        for binding in root.iter(f"{{{WSDL_SPACE}}}binding"):
            for operation in binding.iter(f"{{{WSDL_SPACE}}}operation"):
                for space in _SOAP_SPACES:
                    body = operation.find(f"{{{WSDL_SPACE}}}input/{{{space}}}body")
                    if body is not None:
                        key = (binding.get("name", ""), operation.get("name", ""))
                        self.uses[key] = (body.get("use", "literal"), body.get("namespace", ""))


_contracts: "OrderedDict[str, Contract]" = OrderedDict()
_lock = threading.Lock()


def contract(wsdl: Wsdl) -> Contract:
    """The contract of a WSDL, read once however many systems share it.  :raises ContractError: it cannot be read."""
    with _lock:
        found = _contracts.get(wsdl.digest)
        if found is None:
            found = _contracts[wsdl.digest] = Contract(wsdl)
        _contracts.move_to_end(wsdl.digest)
        while len(_contracts) > _KEPT:
            _contracts.popitem(last=False)
        return found
