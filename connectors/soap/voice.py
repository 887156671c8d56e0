"""A profile's requests as SOAP calls: operations by the WSDL, envelopes from plain data, answers from raw XML."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from connectors.answers import Answer
from connectors.asking import Body, Made, Origin
from connectors.credentials import NOBODY, Shown
from connectors.environment import Environment
from connectors.errors import AccessError, ProtocolError
from connectors.profiled.packed import opened
from connectors.profiled.profile import Soap
from connectors.profiled.values import address, fill, put, texts
from connectors.profiled.vocabulary.parts import Request
from connectors.remedies import Errors, Sign
from connectors.session import HttpSession
from connectors.soap import files, raw, related
from connectors.soap.contract import Contract, ContractError, Operation, contract, unwritten
from connectors.soap.envelope import Envelope, Header, argument_names, build, http_headers
from connectors.soap.wsdl import Wsdl, fetched, given, shipped

_FAULTS = (
    Sign(fault="Client", means="refused"),
    Sign(fault="Sender", means="refused"),
    Sign(at="Fault", means="failed"),
)
"""What a fault means that a profile says nothing of: the call was wrong, or whether it was done is open."""


@runtime_checkable
class _Filled(Protocol):
    """A body with files in it, as data too."""

    data: Mapping[str, Any]


class SoapVoice:
    """Says requests to one SOAP service, each as a POST to its endpoint.

    The WSDL is read when it is first needed.  :raises AccessError: it cannot be had, or is not what the profile takes
    it for."""

    def __init__(
        self, shape: Soap, origin: Origin, environment: Environment, errors: Errors, *, packed: Sequence[str] = ()
    ) -> None:
        self._shape = shape
        self._origin = origin
        self._environment = environment
        self.http = HttpSession(
            origin,
            environment,
            errors=errors.model_copy(
                update={"signs": (*errors.signs, *_FAULTS), "words": (*errors.words, "Fault.faultstring")}
            ),
            decode=lambda body: opened(_decoded(body), packed),
            calls=self._call,
        )
        self._lock = threading.Lock()
        self._contract: Contract | None = None

    def read(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        errors: Mapping[int, str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        path, headers, made = self._call(request.operation, body or {}, request, words)
        query = texts(request.query, words)
        return self.http.read(path, query, method="POST", stream=made, headers=headers, errors=errors, limit=limit)

    def write(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        stream: Body | Made | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[int, str] | None = None,
    ) -> Answer:
        # who we are is put into the envelope, not into this
        filled = stream(NOBODY) if callable(stream) else stream
        said = filled.data if isinstance(filled, _Filled) else body or {}
        path, known, made = self._call(request.operation, said, request, words)
        more = {name: value for name, value in (headers or {}).items() if name != "Content-Type"}
        query = texts(request.query, words)
        return self.http.write("POST", path, query=query, stream=made, headers={**known, **more}, errors=errors)

    @contextmanager
    def stream(
        self,
        request: Request,
        words: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        *,
        limit: int,
        media_type: str = "",
        size: int | None = None,
    ) -> Iterator[Iterator[bytes]]:
        del media_type, size  # a file inside an envelope is never taken for an error
        path, headers, made = self._call(request.operation, body or {}, request, words)
        query = texts(request.query, words)
        with self.http.stream(path, query, method="POST", limit=limit, asked=made, headers=headers) as chunks:
            yield chunks

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(
        self, name: str, body: Mapping[str, Any], request: Request | None = None, words: Mapping[str, Any] | None = None
    ) -> tuple[str, Mapping[str, str], Made]:
        """Path, headers and body of a call."""
        operation = self._operation(name)
        headers = http_headers(operation, self._shape.action)
        if request is not None:
            headers |= texts(request.headers, words or {})
        template = (request.path if request is not None else "") or self._shape.path
        path = address(template, words or self._origin.words) if template else _path_of(operation.address)
        return path, headers, partial(self._made, operation, body)

    def _operation(self, name: str) -> Operation:
        shape = self._shape
        if shape.namespace is not None:
            return unwritten(name, shape.namespace, shape.style, encoded=shape.encoded)
        try:
            return self._known().operation(name, shape.port)
        except ContractError as problem:
            raise AccessError(str(problem)) from None

    def _made(self, operation: Operation, body: Mapping[str, Any], shown: Shown) -> Envelope | bytes:
        """The envelope, with what we show of us in it.  :raises AccessError: the profile says what cannot be said."""
        elements: dict[str, Any] = {}
        for place, value in shown.envelope.items():
            put(elements, place, value)
        known: dict[str, Any] = {}
        if elements and self._shape.wsdl is not None:
            known = {name: found for name in elements if (found := self._known().header(name)) is not None}
        header = Header(elements, known, self._shape.header_namespace or operation.namespace, shown.wsse)
        try:
            made = build(operation, _arguments(operation, shown.signed(body) or {}, shown.arguments), header=header)
        except ContractError as problem:
            raise AccessError(f"the profile and the WSDL do not agree: {problem}") from None
        return made.whole or made

    def _known(self) -> Contract:
        with self._lock:
            if self._contract is None:
                try:
                    self._contract = contract(self._wsdl())
                except ContractError as problem:
                    raise AccessError(f"{problem}: give another WSDL") from None
                except OSError as missing:
                    raise AccessError(f"the WSDL cannot be read: {missing}") from None
            return self._contract

    def _wsdl(self) -> Wsdl:
        """The WSDL that the profile names: shipped, a file, or an address."""
        words = self._origin.words
        try:
            said = str(fill(self._shape.wsdl or "", words))
        except KeyError as unsaid:
            raise AccessError(f"the setting {unsaid.args[0]!r} is missing, and the WSDL with it") from None
        if said.startswith(("http://", "https://")):
            ours = urlsplit(said)[:2] == urlsplit(self._origin.url)[:2]
            headers = self._origin.credentials.shown(words).headers if ours else {}
            pin = str(words.get("wsdl_digest", ""))
            return fetched(said, self._environment, headers=headers, pin=pin, ca_file=self._origin.ca_file)
        if said == self._shape.wsdl and "/" not in said:
            return shipped(said)
        return given(Path(said))


def unwrapped(chunks: Iterator[bytes], path: str, about: str) -> Iterator[bytes]:
    """The bytes at the end of a path of an answer, as base64 or in a part beside it, without ever holding all of them.

    :raises ProtocolError: there are none, or they are no base64."""
    try:
        yield from files.unwrapped(chunks, path.rpartition(".")[2])
    except raw.Unreadable as trouble:
        raise ProtocolError(f"{about}: the answer {trouble}") from None


def _decoded(body: bytes) -> Any:
    if not related.is_related(body):
        return raw.said(body).data
    envelope, beside = related.whole(body)
    return related.put_in(raw.said(envelope).data, beside)


def _arguments(operation: Operation, body: Mapping[str, Any], first: tuple[str, ...]) -> Any:
    """A body by name, or by position where its names are numbers; what comes first of all is before them."""
    if body and all(name.isdecimal() for name in body):
        last = max(int(name) for name in body)
        return [*first, *(body.get(str(number)) for number in range(last + 1))]
    return {**dict(zip(argument_names(operation, len(first)), first, strict=False)), **body}


def _path_of(location: str) -> str:
    """The WSDL tells the way to the endpoint. Its host is not believed: credentials go to the registered one only."""
    parts = urlsplit(location)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
