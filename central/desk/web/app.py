"""The web application. Plain `def` handlers: each runs on a thread, and may ask the store at once."""

from collections.abc import Callable
from datetime import datetime
from importlib import resources
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.desk import metrics, views
from central.desk.services import Hooks, Readiness
from central.desk.web.pages import Pages
from central.store.api import Store

_HEADERS = {
    # nothing but our own style: a text that was not escaped could still not run
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(
    store: Store, hooks: Hooks, readiness: Readiness, clock: Callable[[], datetime], *, centre: str
) -> FastAPI:
    """The application over these services."""
    app = FastAPI(title="interdesk", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(centre)
    style = resources.files(__package__).joinpath("static/style.css").read_bytes()

    async def body(request: Request) -> bytes:
        """The raw body, no further than a hook may be long."""
        received = bytearray()
        async for chunk in request.stream():
            received += chunk
            if len(received) > hooks.largest:
                raise HTTPException(413, f"a hook is at most {hooks.largest} bytes long")
        return bytes(received)

    @app.get("/", response_class=HTMLResponse)
    def status() -> str:
        return pages.status(views.overview(store, clock))

    @app.get("/tickets/{ticket_id}", response_class=HTMLResponse)
    def ticket(ticket_id: str) -> Response:
        number = int(ticket_id) if ticket_id.isascii() and ticket_id.isdigit() and len(ticket_id) <= 18 else None
        view = views.ticket(store, number) if number is not None else None
        if view is None:
            return HTMLResponse(pages.missing(f"There is no ticket {ticket_id}."), 404)
        return HTMLResponse(pages.ticket(view, clock()))

    @app.get("/style.css")
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @app.get("/api/status.json")
    def status_document() -> dict[str, Any]:
        return views.status_data(views.overview(store, clock))

    @app.get("/healthz")
    def alive() -> Response:
        stalls = readiness.stalls()
        said: dict[str, Any] = {"status": "stalled", "problems": stalls} if stalls else {"status": "alive"}
        return JSONResponse(said, 503 if stalls else 200)

    @app.get("/readyz")
    def ready() -> Response:
        problems = readiness.problems()
        said = {"ready": not problems, "problems": problems, "hindrances": readiness.hindrances()}
        return JSONResponse(said, 503 if problems else 200)

    @app.get("/metrics")
    def figures() -> Response:
        return Response(metrics.exposition(store, clock), headers={"Content-Type": metrics.MEDIA_TYPE})

    @app.post("/hooks/{system}")
    def hook(system: str, request: Request, received: Annotated[bytes, Depends(body)]) -> Response:
        answer = hooks.receive(system, dict(request.headers), received)
        return JSONResponse({"said": answer.sentence}, answer.status)

    @app.exception_handler(HTTPException)
    def refused(request: Request, problem: HTTPException) -> Response:
        if request.url.path.startswith(("/hooks/", "/api/")):
            return JSONResponse({"said": problem.detail}, problem.status_code)
        return HTMLResponse(pages.missing(str(problem.detail)), problem.status_code)

    app.add_middleware(_Guarded)
    return app


class _Guarded:
    """Sends the guarding headers with every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)
