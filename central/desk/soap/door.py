"""The door itself: HTTP in, envelopes out. A call is laid aside as it comes, so that a large one costs no memory."""

import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect

from central.desk.auth import TOKEN_PREFIX, Gate, NotKnown, TooManyTries
from central.desk.soap.acts import Asked, SoapDesk
from central.desk.soap.calls import SoapCall, SoapCalls
from central.desk.soap.envelope import MEDIA_TYPES, Fault, answer, faulted, misunderstood, too_long, unknown_caller
from central.desk.soap.fields import operation_named
from central.desk.soap.vocabulary import SERVICES, SPACE
from central.desk.soap.wsdl import wsdl
from central.rights import Principal

CLASSIC = "/arsys/services/ARService"
_IN_MEMORY = 1 << 20
_PIECE = 1 << 16
_BESIDE = 8 * 1024 * 1024
"""Bytes of a call beside its file."""


class SoapDoor:
    """Takes calls in."""

    def __init__(self, desk: SoapDesk, calls: SoapCalls, gate: Gate, *, largest_file: int, public_url: str) -> None:
        """`public_url`: where we are reached from outside; '': the address that a client asked at."""
        self._desk, self._calls, self._gate = desk, calls, gate
        self._largest_file = largest_file
        self._largest = largest_file * 4 // 3 + largest_file // 32 + _BESIDE  # base64, broken into lines
        self._public_url = public_url

    def router(self) -> APIRouter:
        """Every address of it."""
        router = APIRouter(include_in_schema=False)

        async def body(request: Request) -> "IO[bytes] | Fault":
            """The body, laid aside; or why nothing is to be read in it."""
            kept: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by whoever answers
            length = 0
            try:
                async for chunk in request.stream():
                    length += len(chunk)
                    if length > self._largest:
                        kept.close()
                        return self._too_long()
                    kept.write(chunk)
            except ClientDisconnect:
                kept.close()
                return misunderstood("the call ended before it was whole: nothing of it was taken")
            return kept  # type: ignore[no-any-return]

        def called(request: Request, kept: Annotated["IO[bytes] | Fault", Depends(body)]) -> Response:
            return self._answered(request, kept)

        def contract(request: Request) -> Response:
            return self._contract(request)

        for path in ("/soap", CLASSIC):
            router.add_api_route(path, called, methods=["POST"])
            router.add_api_route(path, contract, methods=["GET"])
        router.add_api_route("/arsys/WSDL/public/{server}/{service}", contract, methods=["GET"])
        return router

    def _contract(self, request: Request) -> Response:
        service = request.path_params.get("service") or request.query_params.get("webService")
        classic = request.url.path != "/soap"
        if service is not None and service not in SERVICES:
            return Response(f"there is no service {service!r}; there are: {', '.join(SERVICES)}\n", 404)
        where = (self._public_url or str(request.base_url)).rstrip("/")
        path = f"{CLASSIC}?webService={service or 'GGUS'}" if classic else "/soap"
        return Response(wsdl(where + path), media_type=MEDIA_TYPES["1.1"])

    def _too_long(self) -> Fault:
        return too_long(
            f"a call is at most {self._largest} bytes long, and a file in it {self._largest_file}: "
            "nothing of it was taken"
        )

    def _answered(self, request: Request, kept: "IO[bytes] | Fault") -> Response:
        version = "1.1"
        try:
            if isinstance(kept, Fault):
                raise kept
            call = self._read(kept)
            version = call.version
            asked = self._asked(request, call, kept)
            pieces = answer(version, call.space or SPACE, asked.operation.name, _begun(self._desk.perform(asked)))
        except Fault as fault:
            if not isinstance(kept, Fault):
                kept.close()
            waits = {"Retry-After": str(fault.wait)} if fault.wait is not None else {}
            status = 503 if fault.wait is not None else 500
            return Response(faulted(version, fault), status, headers=waits, media_type=MEDIA_TYPES[version])
        return StreamingResponse(_closing(pieces, kept), media_type=MEDIA_TYPES[version])

    def _read(self, kept: "IO[bytes]") -> SoapCall:
        try:
            return self._calls.read(_chunks(kept))
        except ValueError as broken:
            raise misunderstood(f"the call {broken}") from None

    def _asked(self, request: Request, call: SoapCall, kept: "IO[bytes]") -> Asked:
        action = request.headers.get("soapaction", "").strip().strip('"').rpartition("/")[2]
        if action and action != call.operation:
            raise misunderstood(f"SOAPAction names {action[:80]!r}, and the body asks for {call.operation[:80]!r}")
        operation = operation_named(call.operation)
        said = call.header.get("AuthenticationInfo")
        login, password = (
            (str(said.get(name) or "") for name in ("userName", "password")) if isinstance(said, dict) else ("", "")
        )
        if not login or not password:
            raise unknown_caller("the header has no AuthenticationInfo with userName and password")
        source = request.client.host if request.client else ""
        principal = self._who(login, password, source)
        return Asked.of(operation, principal, call.body, lambda: self._calls.file(_chunks(kept)))

    def _who(self, login: str, password: str, source: str) -> Principal:
        """Whoever shows a password, or one of their own tokens in its place.  :raises Fault: nobody."""
        try:
            if not password.startswith(TOKEN_PREFIX):
                return self._gate.password(login, password, source=source)
            principal = self._gate.bearer(password, source=source)
        except NotKnown:
            raise unknown_caller() from None
        except TooManyTries as wait:
            raise unknown_caller(str(wait), wait=max(1, round(wait.retry_after.total_seconds()))) from None
        if principal.person.id != login.strip().casefold():
            raise unknown_caller("this token is another account's")
        return principal


def _chunks(kept: "IO[bytes]") -> Iterator[bytes]:
    kept.seek(0)
    while chunk := kept.read(_PIECE):
        yield chunk


def _begun(told: Iterator[Any]) -> Iterator[Any]:
    """The same, once it is known that it begins: a fault comes before anything is answered."""
    try:
        first = next(told)
    except StopIteration:
        return iter(())
    return chain([first], told)


def _closing(pieces: Iterator[bytes], kept: "IO[bytes]") -> Iterator[bytes]:
    with kept:
        yield from pieces
