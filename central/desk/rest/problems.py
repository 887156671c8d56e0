"""Problem documents (RFC 9457): every error of the REST door is one, and says what to do next."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from central.desk.auth import NotKnown, TooManyTries
from central.desk.services.errors import Gone, NotAllowed, NotNow, OutOfReach, Wrong
from central.rights import Forbidden
from central.store.api import Busy, NoSuch, StaleRevision, StoreError, TooLarge

MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "about:blank: the title says it all"},
        "title": {"type": "string", "description": "what the status means"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong here, and what to do"},
        "errors": {
            "type": "array",
            "description": "each thing that is wrong, with its place",
            "items": {
                "type": "object",
                "required": ["place", "detail"],
                "properties": {"place": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no ticket 4711",
    },
}
_SAID = {
    400: "the request cannot be read",
    401: "nobody is known by what was shown; show a token: Authorization: Bearer idk_...",
    403: "you may see this, and not do it",
    404: "there is nothing here, or nothing that you may see",
    409: "it cannot be done as things stand",
    410: "it was kept for long enough, and is here no more",
    412: "it has changed since you read it: read it again",
    413: "more bytes than are taken",
    415: "another content type is wanted",
    422: "something in it is not what it should be",
    428: "say by If-Match which revision you have read",
    429: "too many tries, or too many at once: wait",
    502: "the system that had to be asked did not answer well",
    503: "the database does not answer as it should",
}


class Problem(HTTPException):
    """Something is wrong with a request, in a sentence."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = tuple(errors)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses, as a route describes its answers; besides those that any route may give."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    everywhere = (400, 401, 403, 404, 422, 429, 503)
    return {each: {"description": _SAID[each], "content": content} for each in sorted({*everywhere, *statuses})}


def answer(problem: Problem) -> JSONResponse:
    """The document of a problem."""
    status = problem.status_code
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"place": place, "detail": detail} for place, detail in problem.errors]
    return JSONResponse(body, status, dict(problem.headers or {}), media_type=MEDIA_TYPE)


def document(status: int, detail: str) -> JSONResponse:
    """The document of a problem that is told in a sentence."""
    return answer(Problem(status, detail))


def of(error: Exception) -> Problem | None:  # one line for each
    """The problem that an error of ours is to whoever asked; None: it is a bug."""
    said = str(error)
    match error:
        case Problem():
            return error
        case HTTPException(status_code=404):
            return Problem(404, "there is nothing at this address: see /openapi.json")
        case HTTPException():
            return Problem(error.status_code, error.detail, headers=error.headers)
        case RequestValidationError():
            return _invalid(error)
        case ClientDisconnect():
            return Problem(400, "the request ended before it was whole: nothing of it was taken")
        case NotKnown():
            return Problem(401, said, headers={"WWW-Authenticate": 'Bearer realm="interdesk"'})
        case TooManyTries():
            return Problem(429, said, headers={"Retry-After": str(int(error.retry_after.total_seconds()) + 1)})
        case Forbidden():
            return Problem(403, said)
        case Gone():
            return Problem(410, said)
        case NoSuch():
            return Problem(404, said)
        case StaleRevision():
            return Problem(412, said)
        case TooLarge():
            return Problem(413, said)
        case NotAllowed():
            return Problem(422, said, errors=[(f"/{error.field}", said)] if error.field else ())
        case Wrong():
            number = len(error.problems)
            return Problem(422, f"{number} to mend in these documents", errors=error.problems)
        case NotNow():
            return Problem(409, said)
        case Busy():
            return Problem(409, said, headers={"Retry-After": "1"})
        case OutOfReach():
            return Problem(502, said)
        case StoreError():
            return Problem(503, "the database does not answer as it should; try again", headers={"Retry-After": "5"})
        case _:
            return None


def install(app: FastAPI, log: Any = None) -> None:
    """Let every error of this application be told as a problem document."""
    log = log or structlog.get_logger("interdesk.rest")

    def tell(request: Request, error: Exception) -> JSONResponse:
        problem = of(error)
        if problem is not None and problem.status_code == 405:
            taken = ", ".join(sorted(_methods(request)))
            problem = Problem(405, f"this address takes {taken}: see /openapi.json", headers={"Allow": taken})
        if problem is None:
            log.exception("a request stumbled over a bug of interdesk; please report it", path=request.url.path)
            problem = Problem(500, "a bug of interdesk, and no mistake of yours: its log says more")
        return answer(problem)

    ours = (HTTPException, RequestValidationError, ClientDisconnect, NotKnown, TooManyTries, Forbidden, StoreError)
    for kind in (*ours, NotAllowed, Wrong, NotNow, OutOfReach, Exception):
        app.add_exception_handler(kind, tell)


def _methods(request: Request) -> set[str]:
    """What an address takes: each of its methods is a route of its own."""
    taken = {
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(each.matches({**request.scope, "method": method})[0] is Match.FULL for each in request.app.routes)
    }
    return taken | ({"HEAD"} if "GET" in taken else set())


def _invalid(error: RequestValidationError) -> Problem:
    """What does not fit the description of the route."""
    found = error.errors()
    errors = [("/".join(("", *map(str, each["loc"][1:]))), f"{each['loc'][0]}: {each['msg']}") for each in found]
    if any(each["loc"][0] == "path" for each in found):
        return Problem(404, "there is nothing at this address")
    place, detail = errors[0]
    return Problem(422, f"{detail} ({place})" if place else detail, errors=errors)
