"""Mails that were not believed: read safely, released or discarded."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import RedirectResponse, Response

from central.desk.mail.intake import MailDesk
from central.desk.services import Services
from central.desk.services.errors import NotAllowed, NotNow
from central.desk.web.pages import SAID, Pages
from central.desk.web.visitors import Visitor, Visitors

MOST = 100
Number = Annotated[int, Path(ge=1, lt=2**53)]


def router(services: Services, desk: MailDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The quarantine of mails."""
    routes = APIRouter(prefix="/mails")
    SignedIn = Annotated[Visitor, Depends(visitors.signed_in)]  # noqa: N806  # they name types
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806

    def one(visitor: Visitor, number: int, *, problem: str = "", status: int = 200) -> Response:
        kept = desk.kept(visitor.principal, number)
        arrived, unread = None, "This desk has no mail in its document, so that nothing here reads it."
        if services.reads_mail is not None:
            try:
                arrived = services.reads_mail(desk.source(visitor.principal, number))
            except NotNow as why:
                unread = f"It cannot be read now: {why}."
        return pages.page(
            "mail.html",
            visitor,
            status,
            here="work",
            mail=kept,
            arrived=arrived,
            unread=unread,
            problem=problem,
            at=services.clock(),
        )

    @routes.get("")
    def quarantine(visitor: SignedIn, before: int | None = None, said: str = "") -> Response:
        found = desk.quarantine(visitor.principal, before=before, limit=MOST)
        onward = found[-1].id if len(found) == MOST else None
        return pages.page(
            "mails.html",
            visitor,
            here="work",
            mails=found,
            onward=onward,
            said=SAID.get(said, ""),
            at=services.clock(),
        )

    @routes.get("/{number}")
    def show(visitor: SignedIn, number: Number) -> Response:
        return one(visitor, number)

    @routes.get("/{number}/source")
    def source(visitor: SignedIn, number: Number) -> Response:
        # whatever is in it, a browser keeps it and shows nothing of it
        headers = {
            "Content-Disposition": f'attachment; filename="mail-{number}.eml"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        content = desk.source(visitor.principal, number)
        return Response(content, media_type="application/octet-stream", headers=headers)

    @routes.post("/{number}/release")
    def release(visitor: Acting, number: Number) -> Response:
        reads = services.reads_mail
        if reads is None:
            return one(visitor, number, problem="This desk has no mail in its document: nothing reads it.", status=409)
        try:
            desk.release(visitor.principal, number, reads)
        except (NotAllowed, NotNow) as problem:
            return one(visitor, number, problem=f"It stays here: {str(problem).rstrip('.')}.", status=409)
        return RedirectResponse("/mails?said=mail-released", 303)

    @routes.post("/{number}/discard")
    def discard(visitor: Acting, number: Number, why: Annotated[str, Form(max_length=500)] = "") -> Response:
        desk.discard(visitor.principal, number, why.strip())
        return RedirectResponse("/mails?said=mail-discarded", 303)

    return routes
