"""The web application. Plain `def` handlers: each runs on a thread, and may ask the store at once."""

from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from central.desk import metrics, rest, views
from central.desk.documents import DocumentDesk
from central.desk.examples import ExampleDesk
from central.desk.mail.intake import MailDesk
from central.desk.people import PeopleDesk
from central.desk.queues import QueueDesk
from central.desk.registering import RegisterDesk
from central.desk.services import Services
from central.desk.services.errors import Gone, NotAllowed, NotNow, OutOfReach, Wrong
from central.desk.services.hooks import Hooks
from central.desk.systems import SystemDesk
from central.desk.tickets import TicketDesk
from central.desk.web import account, bench, mails, mesh, people, register, signing, systems, tickets, work
from central.desk.web.guarding import HEADERS, Guarded
from central.desk.web.pages import TYPES, Pages, partial
from central.desk.web.visitors import SignInFirst, Visitor, Visitors
from central.rights import Action, Forbidden, may
from central.store.api import Busy, NoSuch, StaleRevision, StoreError


def create_app(services: Services) -> FastAPI:
    """The application over these services."""
    app = FastAPI(title="interdesk", docs_url=None, redoc_url=None, openapi_url=None)
    pages, visitors = Pages(services.centre), Visitors(services.gate, services.cookies)
    desk = TicketDesk(services.store, services.tickets)
    steering = SystemDesk(services.store, services.systems, services.clock)
    documents = DocumentDesk(services.store, services.systems, steering, services.clock)
    queues = QueueDesk(services.store, services.queues, steering, desk)
    registering = RegisterDesk(services.store, services.registrations, steering, documents, services.clock)
    _health(app, services)
    _hooks(app, services.hooks)
    _static(app, pages)
    app.include_router(signing.router(services.gate, visitors, pages, elsewhere=services.openid))
    humans = PeopleDesk(services.store, services.gate, services.clock)
    app.include_router(account.router(services, humans, visitors, pages))
    examples = ExampleDesk(services.store, services.examples, documents, steering)
    app.include_router(bench.router(examples, visitors, pages))
    app.include_router(people.router(services, humans, visitors, pages))
    app.include_router(mesh.router(services.pulse, visitors, pages))
    app.include_router(systems.router(services, steering, documents, queues, visitors, pages))
    app.include_router(register.router(services, registering, visitors, pages))
    mail = MailDesk(services.store, desk, services.clock)
    app.include_router(work.router(services, steering, queues, desk, mail, visitors, pages))
    app.include_router(mails.router(services, mail, visitors, pages))
    app.include_router(tickets.router(services, desk, visitors, pages))
    for door in services.doors:
        app.include_router(door)
    _problems(app, visitors, pages)
    app.add_middleware(Guarded, cookie=services.cookies.name, largest_file=services.largest_file)

    @app.get("/api/status.json")
    def status_document(visitor: Annotated[Visitor, Depends(visitors.signed_in)]) -> dict[str, Any]:
        data = views.status_data(views.overview(services.store, services.clock))
        data["systems"] = [each for each in data["systems"] if visitor.sees(each["name"])]
        if not may(visitor.principal, Action.SEE_SYSTEM):
            raise Forbidden("the state of the mesh is for those who run systems")
        return data

    if services.api is not None:
        _mount(app, services.api)
    return app


def _mount(app: FastAPI, api: FastAPI) -> None:
    """The REST door, with its description where programs look for it."""

    @app.get("/openapi.json")
    def described() -> Response:
        return JSONResponse(api.openapi())

    app.mount("/api", api)


def _health(app: FastAPI, services: Services) -> None:
    """What monitoring asks, and nobody has to sign in for."""

    @app.get("/healthz")
    def alive() -> Response:
        stalls = services.readiness.stalls()
        said: dict[str, Any] = {"status": "stalled", "problems": stalls} if stalls else {"status": "alive"}
        return JSONResponse(said, 503 if stalls else 200)

    @app.get("/readyz")
    def ready() -> Response:
        problems = services.readiness.problems()
        said = {"ready": not problems, "problems": problems, "hindrances": services.readiness.hindrances()}
        return JSONResponse(said, 503 if problems else 200)

    @app.get("/metrics")
    def figures(request: Request) -> Response:
        if not services.figures.let_in(request.client.host if request.client else "", request.headers):
            raise HTTPException(403, "figures are told on this machine, or to whoever shows the token of `metrics`")
        told = metrics.exposition(services.store, services.clock)
        return Response(told, headers={"Content-Type": metrics.MEDIA_TYPE})


def _hooks(app: FastAPI, hooks: Hooks) -> None:
    async def hook(request: Request) -> Response:
        """A plain route, for all there is to check is the signature, and that is done by whoever receives."""
        received = bytearray()
        async for chunk in request.stream():
            received += chunk
            if len(received) > hooks.largest:
                raise HTTPException(413, f"a hook is at most {hooks.largest} bytes long")
        system, headers = request.path_params["system"], dict(request.headers)
        answer = await run_in_threadpool(hooks.receive, system, headers, bytes(received))
        return JSONResponse({"said": answer.sentence}, answer.status)

    app.add_route("/hooks/{system}", hook, methods=["POST"])


def _static(app: FastAPI, pages: Pages) -> None:
    @app.get("/static/{name}")
    def static(name: str) -> Response:
        data = pages.static.get(name)
        if data is None:
            raise HTTPException(404, f"There is no file {name}.")
        # its address changes with what is in it
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(data, media_type=TYPES[PurePath(name).suffix], headers=kept)


def _problems(app: FastAPI, visitors: Visitors, pages: Pages) -> None:
    """Every error as a page that tells what to do next; the doors for programs get it as data."""

    def answer(request: Request, status: int, sentence: str, more: str = "") -> Response:
        if request.url.path.startswith("/api/"):
            return rest.problem(status, sentence)
        if request.url.path.startswith("/hooks/"):
            return JSONResponse({"said": sentence}, status)
        if request.url.path == "/metrics":
            return PlainTextResponse(sentence, status)
        if partial(request):
            return pages.page("part_said.html", None, status, sentence=sentence)
        return pages.said(sentence, _visitor(request, visitors), status, more)

    @app.exception_handler(SignInFirst)
    def nobody(request: Request, problem: SignInFirst) -> Response:  # noqa: ARG001
        if request.url.path.startswith("/api/"):
            return JSONResponse({"said": "sign in first"}, 401)
        if partial(request):
            return Response("", 401, headers={"HX-Redirect": "/sign-in"})
        if request.method != "GET" or request.headers.get("accept") == "text/event-stream":
            return Response("Sign in first.", 401)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/sign-in" if path == "/" else f"/sign-in?next={quote(path, safe='')}", 303)

    @app.exception_handler(Forbidden)
    def forbidden(request: Request, problem: Forbidden) -> Response:
        return answer(request, 403, _sentence(problem))

    @app.exception_handler(NoSuch)
    def missing(request: Request, problem: NoSuch) -> Response:
        return answer(request, 410 if isinstance(problem, Gone) else 404, _sentence(problem))

    @app.exception_handler(NotAllowed)
    def not_allowed(request: Request, problem: NotAllowed) -> Response:
        return answer(request, 409, _sentence(problem))

    @app.exception_handler(NotNow)
    def not_now(request: Request, problem: NotNow) -> Response:
        return answer(request, 409, _sentence(problem))

    @app.exception_handler(OutOfReach)
    def out_of_reach(request: Request, problem: OutOfReach) -> Response:
        return answer(request, 502, "The system did not answer, or not well.", _sentence(problem))

    @app.exception_handler(Wrong)
    def documents_wrong(request: Request, problem: Wrong) -> Response:
        return answer(request, 409, "This document is wrong.", _sentence(problem))

    @app.exception_handler(StaleRevision)
    def stale(request: Request, problem: StaleRevision) -> Response:  # noqa: ARG001
        more = "Go back, load the page again, and see what they did before you do it once more."
        return answer(request, 409, "Somebody has changed this ticket since you opened it.", more)

    @app.exception_handler(Busy)
    def busy(request: Request, problem: Busy) -> Response:
        return answer(request, 409, _sentence(problem))

    @app.exception_handler(ClientDisconnect)
    def cut_off(request: Request, problem: ClientDisconnect) -> Response:  # noqa: ARG001  # nobody hears it
        return answer(request, 400, "The request ended before it was whole: nothing of it was taken.")

    @app.exception_handler(StoreError)
    def away(request: Request, problem: StoreError) -> Response:
        return answer(request, 503, "The database does not answer as it should.", _sentence(problem))

    @app.exception_handler(Exception)
    def mistake(request: Request, problem: Exception) -> Response:  # noqa: ARG001  # the server logs it
        more = "What you sent may be done or not: look before you send it again. The log of interdesk says what it was."
        told = answer(request, 500, "Something went wrong here, and the mistake is ours.", more)
        told.headers.update(HEADERS)  # this late, nothing else adds them
        return told

    @app.exception_handler(RequestValidationError)
    def wrong(request: Request, problem: RequestValidationError) -> Response:  # noqa: ARG001
        missing_page = request.method == "GET"
        sentence = "There is no such page." if missing_page else "Something in this form is not what it should be."
        return answer(request, 404 if missing_page else 400, sentence)

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, problem: StarletteHTTPException) -> Response:
        said = "There is no such page." if problem.detail == "Not Found" else str(problem.detail)
        return answer(request, problem.status_code, said)


def _visitor(request: Request, visitors: Visitors) -> Visitor | None:
    try:
        return visitors.find(request)
    except Exception:  # noqa: BLE001  # the page that tells of it must not need what is away
        return None


def _sentence(problem: Exception) -> str:
    said = str(problem).strip().rstrip(".")
    return f"{said[:1].upper()}{said[1:]}." if said else "It cannot be done."
