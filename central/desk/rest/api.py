"""The REST application: every router, one description, every error a problem document."""

from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response

from central.desk.rest import (
    caller,
    comments,
    conflicts,
    documents,
    events,
    files,
    history,
    holds,
    jobs,
    letters,
    links,
    losses,
    problems,
    reference,
    status,
    systems,
    tickets,
    tokens,
)
from central.desk.rest.desks import Desks

ADDRESS = "/api"
_NOUNS = (
    tickets,
    comments,
    files,
    history,
    links,
    events,
    systems,
    losses,
    documents,
    letters,
    conflicts,
    holds,
    jobs,
    status,
    tokens,
)
_ABOUT = """\
Tickets and systems of this helpdesk, for programs.

Show a token in every request: `Authorization: Bearer idk_...`. What you may not see does not exist for you. Every error
is a problem document (RFC 9457). Lists come in pages: go on with `cursor` as long as there is a `next`. A POST with an
`Idempotency-Key` of its own is carried out once, however often it comes within a day."""
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "carried out once, and answered alike for a day",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


def create_api(desks: Desks) -> FastAPI:
    """The application, to be mounted at `/api`."""
    app = FastAPI(
        title="interdesk",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        servers=[{"url": ADDRESS}],
        root_path_in_servers=False,
    )
    problems.install(app)
    who = caller.of(desks)
    for noun in _NOUNS:
        app.include_router(noun.router(desks, who))
    described: dict[str, Any] = {}

    def description() -> dict[str, Any]:
        if not described:
            described.update(_described(FastAPI.openapi(app)))
        return described

    app.openapi = description  # type: ignore[method-assign]  # the way FastAPI has for it
    style = resources.files(__package__).joinpath("static/reference.css").read_bytes()

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return JSONResponse(description())

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return HTMLResponse(reference.page(description()))

    @app.get("/reference.css", include_in_schema=False)
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    return app


def _described(description: dict[str, Any]) -> dict[str, Any]:
    """The description with what FastAPI does not know of."""
    parts = description.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = problems.SCHEMA
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "an access token"}}
    description["security"] = [{"token": []}]
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    for path in description["paths"].values():
        if "post" in path and path["post"]["tags"] != ["tokens"]:
            path["post"].setdefault("parameters", []).append(_KEY)
    return description
