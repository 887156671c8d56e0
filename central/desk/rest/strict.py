"""What a request may hold: JSON as RFC 8259 has it, not too long, not too deep, said once; and no surprises."""

import json
import math
import re
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BeforeValidator

from central.desk.rest.problems import Problem

LARGEST = 8 * 1024 * 1024
"""Bytes of a JSON body: a comment of the greatest length, each character escaped."""
DEEPEST = 16
_JSON = "application/json"


def _as_written(value: Any) -> str:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("write a moment as in 2026-03-02T08:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_as_written)]
"""A moment as RFC 3339 writes it. A bare number is none: nobody said since when it counts, nor what."""


def read(body: bytes) -> Any:
    """The value of this JSON text.  :raises Problem: with what is wrong with it."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_said_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8: byte {error.start}") from None
    except RecursionError:
        raise Problem(400, f"the body is nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # what is said of numbers
        raise Problem(400, f"the body holds a number that nobody can use: {error}") from None
    _check(value, 1)
    return value


async def bounded(request: Request, largest: int) -> bytes:
    """The body, no longer than that. What is somewhat longer is read to its end, so that who sends it hears the answer.

    :raises Problem: it is longer."""
    received, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > 2 * largest:
            break
        if length <= largest:
            received += chunk
    if length > largest:
        raise too_long("a body", largest)
    return bytes(received)


def too_long(what: str, largest: int) -> Problem:
    """More bytes came than are taken."""
    return Problem(413, f"{what} is at most {largest} bytes long here", headers={"Connection": "close"})


class StrictRequest(Request):
    """A request whose body is bounded, and whose JSON is read strictly."""

    async def body(self) -> bytes:
        if not hasattr(self, "_read"):
            self._read = await bounded(self, LARGEST)
        return self._read

    async def json(self) -> Any:
        return read(await self.body())


class StrictRoute(APIRoute):
    """A route that takes its JSON strictly, and nothing else in its place."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if self.body_field is not None and kind != _JSON:
                said = f"not {kind}" if kind else "and say so by Content-Type"
                raise Problem(415, f"send {_JSON}, {said}")
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Problem(400, f"the body says {twice[:80]!r} twice")
    return found


def _no_constant(word: str) -> Any:
    raise Problem(400, f"the body holds {word}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Problem(400, f"the body holds a number that is too large: {digits[:40]}")
    return number


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise Problem(400, f"the body is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Problem(400, "the body holds half a character (a lone surrogate)") from None
    elif isinstance(value, dict):
        for name, each in value.items():
            _check(name, depth)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
