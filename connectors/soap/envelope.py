"""Plain data in, an envelope out: in the order and with the types of the contract, and with what it does not know.

A WSDL is often less than what the server takes (Znuny hides an article by an element that its WSDL has not): an element
that the contract does not know is put where the body has it, after the one that it follows there. A value is never
put into text by hand. Files are made into base64 while they are sent.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.api import FileDraft
from connectors.profiled.values import UNSAYABLE
from connectors.soap.contract import ENCODING_SPACE, SCHEMA_SPACE, ContractError, Operation

_SPACES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"  # noqa: S105 (a name)
_KIND = "@xsi:type"
_STEP = 57 * 1024
"""Bytes that become base64 at a time: a multiple of three, so that the pieces join."""
_NAME = re.compile(r"(?:\{([^{}\s]*)\})?([^\W\d][\w.\-]*)")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


class Envelope:
    """A request's body, piece by piece. Its length is known beforehand."""

    def __init__(self, pieces: Sequence[str | FileDraft]) -> None:
        self._pieces: list[bytes | FileDraft] = []
        texts: list[str] = []
        for piece in (*pieces, None):
            if isinstance(piece, str):
                texts.append(piece)
                continue
            self._pieces.append("".join(texts).encode())
            texts.clear()
            if piece is not None:
                self._pieces.append(piece)

    @property
    def whole(self) -> bytes | None:
        """All of it, where no file is in it: short, and known at once."""
        return self._pieces[0] if len(self._pieces) == 1 and isinstance(self._pieces[0], bytes) else None

    def __len__(self) -> int:
        return sum(len(each) if isinstance(each, bytes) else 4 * -(-each.size // 3) for each in self._pieces)

    def __iter__(self) -> Iterator[bytes]:
        for each in self._pieces:
            if isinstance(each, bytes):
                yield each
            else:
                yield from _encoded(each)


@dataclass(frozen=True, slots=True)
class Header:
    """What an envelope's header bears: elements of their own, and a name and password as WS-Security has them."""

    elements: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    """Those of them that the contract knows, as it has them."""
    namespace: str = ""
    """Of those that it does not know, and that say no other."""
    token: tuple[str, str] | None = field(default=None, repr=False)


def build(
    operation: Operation,
    body: Mapping[str, Any] | Sequence[Any],
    *,
    header: Header | None = None,
) -> Envelope:
    """The envelope of a call. `body` is its arguments, by name or by position; "@name" is an attribute,
    "@xsi:type" a type of the operation's namespace (another's as {namespace}Name).

    :raises ContractError: a name is none, or there are more arguments than the operation takes."""
    writer = _Writer(operation)
    head = writer.header(header or Header())
    writer.outermost(_named(operation, body))
    soap = _SPACES[operation.version]
    spaces = "".join(f' xmlns:{prefix}="{_escaped(space)}"' for space, prefix in writer.prefixes.items())
    opening = f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{soap}"{spaces}>{head}<soap:Body>'
    return Envelope([opening, *writer.pieces, "</soap:Body></soap:Envelope>"])


def http_headers(operation: Operation, action: str | None = None) -> dict[str, str]:
    """The headers of a call. `action` replaces the WSDL's: words {namespace} and {operation}; "" is none."""
    said = operation.action if action is None else action
    said = said.replace("{namespace}", operation.namespace).replace("{operation}", operation.name)
    if operation.version == "1.2":
        told = f'; action="{said}"' if said else ""
        return {
            "Content-Type": f"application/soap+xml; charset=utf-8{told}",
            "Accept": "application/soap+xml, text/xml",
        }
    return {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{said}"',
        "Accept": "text/xml",
    }


def argument_names(operation: Operation, most: int = 0) -> list[str]:
    """What the contract calls the arguments, in their order; in0, in1, ... (`most` of them) where it tells nothing."""
    if operation.content is None:
        return [f"in{number}" for number in range(most)]
    return [name for name, _ in _known(operation.content)]


def _named(operation: Operation, body: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any]:
    """Arguments by position get the names that the contract has for them."""
    names = argument_names(operation, 0 if isinstance(body, Mapping) else len(body))
    if isinstance(body, Mapping):
        if operation.style == "rpc":  # such servers go by position: what is not said is said to be nothing
            return {**{name: body.get(name) for name in names}, **body}
        return body
    if len(body) > len(names):
        raise ContractError(f"{operation.name} takes {len(names)} arguments, and there are {len(body)}")
    said = dict(zip(names, body, strict=False))
    return {name: said.get(name) for name in names} if operation.style == "rpc" else said


class _Writer:
    """Writes elements, and remembers which namespaces they took."""

    def __init__(self, operation: Operation) -> None:
        self.pieces: list[str | FileDraft] = []
        self.prefixes: dict[str, str] = {}
        self._operation = operation
        self._encoded = operation.encoded
        if self._encoded:
            self.prefixes |= {SCHEMA_SPACE: "xsd", _INSTANCE: "xsi", ENCODING_SPACE: "enc"}

    def header(self, said: Header) -> str:
        """The header, whole; "" where nothing is said in it."""
        self._encoded = False
        for name, value in said.elements.items():
            known = said.known.get(name)
            space = known.qname.namespace if known is not None else said.namespace
            self._element(space or "", name, value, known)
        if said.token is not None:
            token = {"Username": said.token[0], "Password": {"@Type": _PASSWORD_TEXT, "#text": said.token[1]}}
            self._element(_WSSE, "Security", {"UsernameToken": token}, None)
        self._encoded = self._operation.encoded
        head = "".join(each for each in self.pieces if isinstance(each, str))
        self.pieces.clear()
        return f"<soap:Header>{head}</soap:Header>" if head else ""

    def outermost(self, body: Mapping[str, Any]) -> None:
        """The operation's own element."""
        operation = self._operation
        tag = self._tag(operation.namespace, operation.element)
        style = f' soap:encodingStyle="{ENCODING_SPACE}"' if self._encoded else ""
        self.pieces.append(f"<{tag}{style}{self._attributes(body)}>")
        self._content(body, operation.content, operation.namespace if operation.style == "document" else "")
        self.pieces.append(f"</{tag}>")

    def _element(self, space: str, name: str, value: Any, known: Any) -> None:
        """One element, or one for each of a list. `known` is zeep's element; None: the contract has none."""
        kind = known.type if known is not None else None
        item = _item_type(kind)
        if isinstance(value, list | tuple) and not self._is_array(known, item):
            for each in value:
                self._element(space, name, each, known)
            return
        found = _NAME.fullmatch(name)
        if found is None:
            raise ContractError(f"{name!r} cannot be an element's name")
        space = space if found[1] is None else found[1]
        tag = self._tag(space, found[2])
        if value is None:
            nil = self._encoded or bool(known is not None and known.nillable)
            self.pieces.append(f"<{tag}{self._instance('nil', 'true')}/>" if nil else f"<{tag}/>")
            return
        told = self._declared(value) or (self._types(value, kind, item) if self._encoded else "")
        self.pieces.append(f"<{tag}{told}{self._attributes(value)}>")
        if isinstance(value, list | tuple):
            for each in value:
                self._member(each, item)
        else:
            self._content(value, kind, space)
        self.pieces.append(f"</{tag}>")

    def _is_array(self, known: Any, item: Any) -> bool:
        """Whether a list is one array; else it is an element for each."""
        if not self._encoded:
            return False
        return item is not None or known is None or known.max_occurs == 1

    def _member(self, value: Any, kind: Any) -> None:
        """One member of an array."""
        told = self._instance("nil", "true") if value is None else self._types(value, kind, _item_type(kind))
        self.pieces.append(f"<item{told}>")
        if isinstance(value, list | tuple):
            for each in value:
                self._member(each, _item_type(kind))
        elif value is not None:
            self._content(value, kind, "")
        self.pieces.append("</item>")

    def _content(self, value: Any, kind: Any, space: str) -> None:
        if isinstance(value, Mapping):
            known = dict(_known(kind))
            inside = next((each.qname.namespace or "" for each in known.values()), space)
            for name in _ordered(list(known), [each for each in value if each[:1] not in ("@", "#")]):
                mine = known.get(name)
                self._element((mine.qname.namespace or "") if mine is not None else inside, name, value[name], mine)
            if "#text" in value:
                self._text(value["#text"])
        else:
            self._text(value)

    def _text(self, value: Any) -> None:
        if isinstance(value, FileDraft):
            self.pieces.append(value)
        elif isinstance(value, bytes):
            self.pieces.append(base64.b64encode(value).decode())
        elif isinstance(value, bool):
            self.pieces.append("true" if value else "false")
        elif value is not None:
            self.pieces.append(_escaped(str(value)))

    def _attributes(self, value: Any) -> str:
        if not isinstance(value, Mapping):
            return ""
        found = ""
        for name, said in value.items():
            if name.startswith("@") and name != _KIND and said is not None:
                if not _NAME.fullmatch(name[1:]):
                    raise ContractError(f"{name!r} cannot be an attribute's name")
                found += f' {name[1:]}="{_escaped(str(said))}"'
        return found

    def _declared(self, value: Any) -> str:
        """The type that the value itself says it is of, where a base type stands for several."""
        said = value.get(_KIND) if isinstance(value, Mapping) else None
        found = _NAME.fullmatch(str(said)) if said is not None else None
        if said is not None and found is None:
            raise ContractError(f"{said!r} cannot be a type's name")
        if found is None:
            return ""
        space = self._operation.namespace if found[1] is None else found[1]
        return self._instance("type", self._tag(space, found[2]))

    # -- types, where each argument bears its own ------------------------------------------------------------------

    def _types(self, value: Any, kind: Any, item: Any) -> str:
        if isinstance(value, list | tuple):
            inner = self._type_name(item) if item is not None else self._guessed_of(value)
            array = f' {self._prefix(ENCODING_SPACE)}:arrayType="{inner}[{len(value)}]"'
            return self._instance("type", f"{self._prefix(ENCODING_SPACE)}:Array") + array
        named = self._type_name(kind) if kind is not None else ""
        if not named or named.endswith((":anyType", ":anySimpleType")):
            named = self._guessed(value)
        return self._instance("type", named) if named else ""

    def _type_name(self, kind: Any) -> str:
        qname = getattr(kind, "qname", None)
        if qname is None:
            return ""
        return f"{self._prefix(qname.namespace)}:{qname.localname}" if qname.namespace else str(qname.localname)

    def _guessed(self, value: Any) -> str:
        """The type of what the contract does not know."""
        xsd = self._prefix(SCHEMA_SPACE)
        match value:
            case bool():
                return f"{xsd}:boolean"
            case int():
                return f"{xsd}:int"
            case bytes() | FileDraft():
                return f"{xsd}:base64Binary"
            case str():
                return f"{xsd}:string"
            case _:
                return ""

    def _guessed_of(self, values: Sequence[Any]) -> str:
        kinds = {self._guessed(each) for each in values}
        return kinds.pop() if len(kinds) == 1 and "" not in kinds else f"{self._prefix(SCHEMA_SPACE)}:anyType"

    # -- names -----------------------------------------------------------------------------------------------------

    def _tag(self, space: str, name: str) -> str:
        return f"{self._prefix(space)}:{name}" if space else name

    def _prefix(self, space: str) -> str:
        if space not in self.prefixes:
            self.prefixes[space] = f"n{len(self.prefixes)}"
        return self.prefixes[space]

    def _instance(self, name: str, value: str) -> str:
        self.prefixes.setdefault(_INSTANCE, "xsi")
        return f' {self.prefixes[_INSTANCE]}:{name}="{_escaped(value)}"'


def _known(kind: Any) -> Iterator[tuple[str, Any]]:
    """The elements that a type has, in their order; none where it is simple, or unknown."""
    for _, each in getattr(kind, "elements", None) or ():
        if getattr(each, "qname", None) is not None and each.name:
            yield each.name, each


def _item_type(kind: Any) -> Any:
    """The type of an array's members; None: it is no array of SOAP's encoding."""
    array = getattr(kind, "_array_type", None)
    return array.array_type if array is not None else None


def _ordered(known: Sequence[str], said: Sequence[str]) -> list[str]:
    """What is known in its order, and what is not where it was said: after the one before it."""
    found = [name for name in known if name in set(said)]
    before: str | None = None
    for name in said:
        if name not in known:
            found.insert(found.index(before) + 1 if before is not None else 0, name)
        before = name
    return found


def _escaped(text: str) -> str:
    """Text as XML has it; what XML cannot say at all (control characters) is replaced, visibly."""
    return re.sub(r'[&<>"\r]', lambda found: _ESCAPES[found[0]], UNSAYABLE.sub("\ufffd", text))


def _encoded(file: FileDraft) -> Iterator[bytes]:
    rest = b""
    with file.open() as chunks:
        for chunk in chunks:
            rest += chunk
            while len(rest) >= _STEP:
                yield base64.b64encode(rest[:_STEP])
                rest = rest[_STEP:]
    yield base64.b64encode(rest)
