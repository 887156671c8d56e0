"""Tickets: found, read, answered, changed, opened."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from central import workflow
from central.desk import views
from central.desk.reading import Reader
from central.desk.services import Services
from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Upload
from central.desk.tickets import SUBMITTERS_FIELDS, TicketDesk
from central.desk.views.tickets import lines
from central.desk.web.finding import Asked, find
from central.desk.web.pages import SAID, Pages, partial
from central.desk.web.typed import CHANGING, typed
from central.desk.web.visitors import Visitor, Visitors
from central.model import FIELDS, SUPPORTERS_ONLY, Ticket
from central.rights import Action, demand, is_submitter, may
from central.store.api import NoSuch, Transaction
from central.workflow import Actor, Status

PIECE = 256 * 1024
OPENING = (
    "subject",
    "description",
    "priority",
    "affected_site",
    "affected_vo",
    "problem_type",
    "category",
    "unit",
    "cc",
    "notification",
)
"""What a new ticket is asked for; `unit` and `category` where somebody is more than a user."""

Number = Annotated[int, Path(ge=0, lt=2**53)]
Files = Annotated[list[UploadFile] | None, File()]


def router(services: Services, desk: TicketDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The pages of tickets."""
    routes, store = APIRouter(prefix="/tickets"), services.store
    SignedIn = Annotated[Visitor, Depends(visitors.signed_in)]  # noqa: N806  # they name types
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806

    @routes.get("")
    def search(
        request: Request,
        visitor: SignedIn,
        q: str = "",
        status: str = "",
        unit: str = "",
        system: str = "",
        disagrees: bool = False,
        before: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    ) -> Response:
        demand(visitor.reads_tickets, visitor.principal, Action.READ_TICKET)
        asked = Asked(q.strip(), status, unit.strip(), system.strip(), disagrees)

        def question(tx: Transaction) -> tuple[Any, int | None]:
            found = find(tx, desk, visitor.principal, asked, before)
            return lines(tx, desk.shown(tx, visitor.principal, found.tickets), visitor.sees), found.before

        found, onward = store.read(question)
        name = "tickets_found.html" if partial(request) else "tickets.html"
        return pages.page(
            name,
            visitor,
            here="tickets",
            lines=found,
            asked=asked,
            statuses=list(Status),
            open=workflow.OPEN,
            at=services.clock(),
            onward=asked.address(onward) if onward is not None else "",
        )

    @routes.get("/new")
    def new(visitor: SignedIn) -> Response:
        demand(visitor.opens_tickets, visitor.principal, Action.OPEN_TICKET)
        return _form(pages, visitor, {}, "")

    @routes.post("/new")
    def open_(
        visitor: Acting,
        subject: Annotated[str, Form()] = "",
        description: Annotated[str, Form()] = "",
        priority: Annotated[str, Form()] = "",
        affected_site: Annotated[str, Form()] = "",
        affected_vo: Annotated[str, Form()] = "",
        problem_type: Annotated[str, Form()] = "",
        category: Annotated[str, Form()] = "",
        unit: Annotated[str, Form()] = "",
        cc: Annotated[str, Form()] = "",
        notification: Annotated[str, Form()] = "",
        files: Files = None,
    ) -> Response:
        given = dict(
            zip(
                OPENING,
                (
                    subject,
                    description,
                    priority,
                    affected_site,
                    affected_vo,
                    problem_type,
                    category,
                    unit,
                    cc,
                    notification,
                ),
                strict=True,
            )
        )
        fields = {name: value for name, text in given.items() if (value := typed(name, text)) is not None}
        try:
            made = desk.open(visitor.principal, fields, files=_uploads(files))
        except NotAllowed as problem:
            return _form(pages, visitor, given, f"{problem}.".capitalize())
        return RedirectResponse(f"/tickets/{made.id}?said=opened", 303)

    @routes.get("/{ticket_id}")
    def show(visitor: SignedIn, ticket_id: Number, said: str = "") -> Response:
        return _page(services, desk, pages, visitor, ticket_id, said=SAID.get(said, ""))

    @routes.post("/{ticket_id}/answer")
    def answer(
        visitor: Acting,
        ticket_id: Number,
        text: Annotated[str, Form()] = "",
        internal: Annotated[bool, Form()] = False,
        files: Files = None,
    ) -> Response:
        uploads = list(_uploads(files))
        if not text.strip() and not uploads:
            return _page(
                services,
                desk,
                pages,
                visitor,
                ticket_id,
                problem="Write something first, or choose a file.",
                status=400,
            )
        said = text.replace("\r\n", "\n").strip() or f"{', '.join(each.name for each in uploads)}"
        try:
            desk.comment(visitor.principal, ticket_id, said, internal=internal, files=uploads)
        except NotAllowed as problem:
            return _page(
                services, desk, pages, visitor, ticket_id, problem=f"{problem}.".capitalize(), status=409, written=text
            )
        return RedirectResponse(f"/tickets/{ticket_id}?said={'noted' if internal else 'answered'}#end", 303)

    @routes.post("/{ticket_id}/change")
    def change(
        visitor: Acting,
        ticket_id: Number,
        revision: Annotated[int, Form()],
        status: Annotated[str | None, Form()] = None,
        subject: Annotated[str | None, Form()] = None,
        priority: Annotated[str | None, Form()] = None,
        unit: Annotated[str | None, Form()] = None,
        assigned_to: Annotated[str | None, Form()] = None,
        category: Annotated[str | None, Form()] = None,
        problem_type: Annotated[str | None, Form()] = None,
        affected_site: Annotated[str | None, Form()] = None,
        affected_vo: Annotated[str | None, Form()] = None,
        cc: Annotated[str | None, Form()] = None,
        notification: Annotated[str | None, Form()] = None,
        related_issue: Annotated[str | None, Form()] = None,
        solution: Annotated[str | None, Form()] = None,
    ) -> Response:
        given = dict(
            zip(
                CHANGING,
                (
                    subject,
                    priority,
                    unit,
                    assigned_to,
                    category,
                    problem_type,
                    affected_site,
                    affected_vo,
                    cc,
                    notification,
                    related_issue,
                    solution,
                ),
                strict=True,
            )
        ) | {"status": status}
        before = desk.read(visitor.principal, ticket_id, lambda tx, ticket: ticket)  # noqa: ARG005
        wanted = {name: typed(name, text) for name, text in given.items() if text is not None}
        changes = {name: value for name, value in wanted.items() if value != before[name]}
        if not changes:
            return RedirectResponse(f"/tickets/{ticket_id}?said=unchanged", 303)
        try:
            desk.change(visitor.principal, ticket_id, changes, revision=revision)
        except NotAllowed as problem:
            said = f"{problem}.".capitalize()
            return _page(services, desk, pages, visitor, ticket_id, problem=said, status=409)
        return RedirectResponse(f"/tickets/{ticket_id}?said=changed", 303)

    @routes.post("/{ticket_id}/comments/{comment_id}/{act}")
    def on_comment(visitor: Acting, ticket_id: Number, comment_id: Number, act: str) -> Response:
        acts = {
            "delete": (desk.delete_comment, "deleted"),
            "hide": (desk.hide_comment, "hidden"),
            "show": (desk.show_comment, "shown"),
        }
        if act not in acts:
            raise NoSuch(f"nothing is called {act} on a comment")
        do, said = acts[act]
        do(visitor.principal, ticket_id, comment_id)
        return RedirectResponse(f"/tickets/{ticket_id}?said={said}#comment-{comment_id}", 303)

    @routes.get("/{ticket_id}/why/{field}")
    def why(request: Request, visitor: SignedIn, ticket_id: Number, field: str) -> Response:
        def question(tx: Transaction, ticket: Ticket) -> tuple[Ticket, Any]:
            reader = Reader.of(desk, tx, visitor.principal, ticket)
            if field not in FIELDS or (field in SUPPORTERS_ONLY and not reader.internal):
                raise NoSuch(f"a ticket has no field {field}")
            return ticket, services.reasons(ticket, field, reader.events(), reader.links(), reader.conflicts())

        ticket, reason = desk.read(visitor.principal, ticket_id, question)
        name = "why_part.html" if partial(request) else "why.html"
        return pages.page(name, visitor, here="tickets", ticket=ticket, reason=reason, spec=FIELDS[field])

    @routes.get("/{ticket_id}/files/{file_id}")
    def download(visitor: SignedIn, ticket_id: Number, file_id: Number) -> Response:
        file = desk.read(
            visitor.principal, ticket_id, lambda tx, it: Reader.of(desk, tx, visitor.principal, it).download(file_id)
        )

        def pieces() -> Iterator[bytes]:
            with store.open_blob(file.sha256) as chunks:
                yield from chunks

        # whatever it says it is, a browser keeps it and shows nothing of it
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "Content-Length": str(file.size),
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return StreamingResponse(pieces(), media_type="application/octet-stream", headers=headers)

    return routes


def _page(
    services: Services,
    desk: TicketDesk,
    pages: Pages,
    visitor: Visitor,
    ticket_id: int,
    *,
    said: str = "",
    problem: str = "",
    status: int = 200,
    written: str = "",
) -> Response:
    principal = visitor.principal

    def question(tx: Transaction, ticket: Ticket) -> dict[str, Any]:
        can = {
            name: desk.may(tx, principal, action, ticket)
            for name, action in (
                ("answer", Action.ANSWER_TICKET),
                ("note", Action.WRITE_INTERNAL),
                ("change", Action.CHANGE_TICKET),
            )
        }
        mine = is_submitter(principal, ticket)
        before = str(ticket["status"])
        statuses = set(workflow.permitted(before, Actor.SUPPORTER)) if can["change"] else set()
        statuses |= set(workflow.permitted(before, Actor.SUBMITTER)) if mine and can["answer"] else set()
        settable = set(CHANGING) if can["change"] else SUBMITTERS_FIELDS if mine and can["answer"] else set()
        reader = Reader.of(desk, tx, principal, ticket)
        sharing = views.sharing(tx, tx.links.of(ticket_id))
        return {
            "view": views.ticket(reader),
            "can": can,
            "specs": [FIELDS[name] for name in CHANGING if name in settable],
            "statuses": [each for each in Status if each in statuses],
            "sharing": dict.fromkeys(each if reader.sees(each) else "a system that you do not see" for each in sharing),
        }

    shown = desk.read(principal, ticket_id, question)
    return pages.page(
        "ticket.html",
        visitor,
        status,
        here="tickets",
        said=said,
        problem=problem,
        written=written,
        at=services.clock(),
        open=workflow.OPEN,
        **shown,
    )


def _form(pages: Pages, visitor: Visitor, given: dict[str, str], problem: str) -> Response:
    more = may(visitor.principal, Action.CHANGE_TICKET)
    names = [name for name in OPENING if more or name not in ("unit", "category")]
    return pages.page(
        "ticket_new.html",
        visitor,
        400 if problem else 200,
        here="tickets",
        specs=[FIELDS[name] for name in names],
        given=given,
        problem=problem,
    )


def _uploads(files: list[UploadFile] | None) -> Iterator[Upload]:
    for each in files or ():
        if each.filename:  # a browser sends an empty part where nothing was chosen
            yield Upload(each.filename, each.content_type or "application/octet-stream", _pieces(each))


def _pieces(file: UploadFile) -> Iterator[bytes]:
    while piece := file.file.read(PIECE):
        yield piece
