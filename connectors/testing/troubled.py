"""Trouble on the way to a tracker that does not misbehave on demand: a live one. It is made on our side of the wire."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import BaseAdapter

from connectors.network import NotConnected
from connectors.tape import answered
from connectors.testing.hostile import ANSWERS
from connectors.wire import Request

_READS = ("read", "list")
_PAGE = b"<html><title>Log in</title>"


class Trouble:
    """A wire (`connectors.environment.Wire`) on which requests go wrong, for as long as somebody wants it."""

    def __init__(self, bomb: int) -> None:
        """`bomb`: bytes that an answer swells to."""
        self._bomb = bomb
        self._how: tuple[str, bool] | None = None

    def __call__(self, network: BaseAdapter) -> BaseAdapter:
        """The network, with what is wrong with it."""
        return _Troubled(network, self)

    @contextmanager
    def faults(self, how: str, operation: str) -> Iterator[None]:
        """Inside, what the operation asks goes wrong, as `FaultConformance` has it."""
        self._how = (how, operation not in _READS)
        yield
        self._how = None

    def send(self, request: requests.PreparedRequest, onward: Callable[[], requests.Response]) -> requests.Response:
        """The answer, or what has become of it."""
        how, of_writes = self._how or ("", False)
        writes = isinstance(request, Request) and request.writes
        if not how or (how != "down" and writes != of_writes):
            return onward()
        match how:
            case "down":
                raise NotConnected("nobody listens")
            case "dropped":
                raise requests.ConnectionError("the connection was cut")
            case "busy":
                return answered(request, 429, {"Retry-After": "7"}, b"{}")
            case "redirect":
                return answered(request, 302, {"Location": "/login"}, b"")
            case "bomb":
                packed = gzip.compress(b" " * self._bomb, compresslevel=1)
                return answered(request, 200, {"Content-Encoding": "gzip"}, packed)
        done = onward()
        body = done.raw.read(decode_content=True)
        if how in ANSWERS:
            media_type, instead = ANSWERS[how]
            return answered(request, 200, {"Content-Type": media_type}, instead)
        match how:
            case "page":
                return answered(request, 200, {"Content-Type": "text/html"}, _PAGE)
            case "failed":
                return answered(request, 500, {}, b"{}")
            case "cut":
                kept = {name: value for name, value in done.headers.items() if name.lower() == "content-type"}
                return answered(request, done.status_code, kept, body[: len(body) // 2])
            case "slow":
                raise requests.ReadTimeout("the answer drips")
        raise requests.ConnectionError("the connection was cut before the answer")  # lost, head


class _Troubled(BaseAdapter):
    def __init__(self, network: BaseAdapter, trouble: Trouble) -> None:
        super().__init__()
        self._network, self._trouble = network, trouble

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        return self._trouble.send(request, lambda: self._network.send(request, *args, **options))

    def close(self) -> None:
        self._network.close()
