"""One system: how it is, its life, its mapping and proof, its document with every revision."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from central.desk.documents import DocumentDesk
from central.desk.queues import QueueDesk
from central.desk.services import Services
from central.desk.services.errors import NotAllowed, NotNow, OutOfReach, Wrong
from central.desk.systems import SystemDesk
from central.desk.views.states import picture
from central.desk.views.traffic import traffic
from central.desk.web.pages import SAID, Pages, partial
from central.desk.web.visitors import Visitor, Visitors
from central.registry import Document, SystemState
from central.rights import Action, may
from central.store.api import Busy


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision, and what it changed."""

    document: Document
    lines: tuple[tuple[str, str], ...]
    """(added, taken, place or same, the line) against the revision before."""


def router(
    services: Services, desk: SystemDesk, documents: DocumentDesk, queues: QueueDesk, visitors: Visitors, pages: Pages
) -> APIRouter:
    """The page of each system, and what is done there."""
    routes = APIRouter(prefix="/systems")
    SignedIn = Annotated[Visitor, Depends(visitors.signed_in)]  # noqa: N806  # they name types
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806

    def page(visitor: Visitor, name: str, *, said: str = "", problem: str = "", status: int = 200) -> Response:
        shown = desk.show(visitor.principal, name)
        reads_queues = may(visitor.principal, Action.READ_TICKET)
        try:
            dictionary = services.store.read(lambda tx: services.dictionaries.shown(tx, name))
        except Wrong as wrong:
            dictionary, problem = None, problem or str(wrong)
        return pages.page(
            "system.html",
            visitor,
            status,
            here="systems",
            system=shown.view,
            traffic=traffic(shown.hour),
            document=shown.document,
            revisions=_revisions(shown.revisions),
            dictionary=dictionary,
            picture=picture(dictionary.states) if dictionary and dictionary.states else None,
            waiting=len(queues.letters(visitor.principal, name)) if reads_queues else None,
            registers=desk.may(visitor.principal, Action.REGISTER_SYSTEM, name),
            State=SystemState,
            said=said,
            problem=problem,
            at=services.clock(),
        )

    @routes.get("/{name}")
    def show(visitor: SignedIn, name: str, said: str = "") -> Response:
        return page(visitor, name, said=SAID.get(said, ""))

    @routes.get("/{name}/proof")
    def proof(request: Request, visitor: SignedIn, name: str) -> Response:
        desk.show(visitor.principal, name)
        proven = services.store.read(lambda tx: services.dictionaries.prove(tx, name))
        template = "proof_part.html" if partial(request) else "proof.html"
        return pages.page(template, visitor, here="systems", name=name, proven=proven)

    @routes.post("/{name}/pause")
    def pause(visitor: Acting, name: str, why: Annotated[str, Form()] = "") -> Response:
        desk.pause(visitor.principal, name, why.strip())
        return _back(name, "paused")

    @routes.post("/{name}/maintenance")
    def announce(
        visitor: Acting,
        name: str,
        ends_at: Annotated[str, Form()] = "",
        begins_at: Annotated[str, Form()] = "",
        why: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        services.store.read(lambda tx: desk.require(tx, visitor.principal, name, Action.RUN_SYSTEM))
        try:
            ends, begins = _moment(ends_at), _moment(begins_at)
        except ValueError:
            return page(visitor, name, problem="A moment is written like 2026-03-02T08:00.", status=400)
        if ends is None:
            return page(visitor, name, problem="Say when the maintenance ends.", status=400)
        try:
            desk.announce_maintenance(visitor.principal, name, ends, begins_at=begins, why=why.strip())
        except NotNow as problem:
            return page(visitor, name, problem=f"{str(problem)[:1].upper()}{str(problem)[1:]}.", status=409)
        return _back(name, "announced")

    @routes.post("/{name}/maintained")
    def maintained(visitor: Acting, name: str) -> Response:
        try:
            desk.end_maintenance(visitor.principal, name)
        except NotNow as problem:
            return page(visitor, name, problem=f"{str(problem)[:1].upper()}{str(problem)[1:]}.", status=409)
        return _back(name, "maintained")

    @routes.post("/{name}/rollback")
    def roll_back(visitor: Acting, name: str, revision: Annotated[int, Form()]) -> Response:
        try:
            documents.roll_back(visitor.principal, "system", name, revision)
        except Wrong as wrong:
            said = "; ".join(sentence for _, sentence in wrong.problems)
            return page(visitor, name, problem=f"Revision {revision} cannot come back: {said}.", status=409)
        return _back(name, "rolled-back")

    @routes.post("/{name}/check")
    def check(visitor: Acting, name: str) -> Response:
        try:
            found = desk.check(visitor.principal, name)
        except (NotNow, OutOfReach, Wrong) as problem:
            return page(visitor, name, problem=f"{problem}.", status=409)
        return pages.page("check.html", visitor, here="systems", name=name, found=found)

    @routes.post("/{name}/{act}")
    def turn(visitor: Acting, name: str, act: str, take_theirs: Annotated[bool, Form()] = False) -> Response:
        principal = visitor.principal
        try:
            match act:
                case "resume":
                    desk.resume(principal, name)
                case "live":
                    desk.go_live(principal, name)
                case "shadow":
                    desk.go_into_shadow(principal, name)
                case "release":
                    desk.release(principal, name, take_theirs=take_theirs)
                case _:
                    return pages.said(f"Nothing is called {act} on a system.", visitor, 404)
        except (NotNow, OutOfReach, Wrong, NotAllowed, Busy) as problem:
            return page(visitor, name, problem=f"{str(problem).rstrip('.')}.", status=409)
        return _back(name, {"resume": "resumed", "live": "live", "shadow": "shadowed", "release": "released"}[act])

    return routes


def _moment(given: str) -> datetime | None:
    """What a field for a moment holds, by the clock of the centre: UTC.  :raises ValueError: it is none."""
    at = datetime.fromisoformat(given) if given else None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def _back(name: str, said: str) -> Response:
    return RedirectResponse(f"/systems/{name}?said={said}", 303)


def _revisions(documents: Sequence[Document]) -> list[Revision]:
    """Newest first, each with what it changed."""
    found = []
    for before, document in zip((None, *documents), documents, strict=False):
        old = before.source.splitlines() if before else []
        diff = list(difflib.unified_diff(old, document.source.splitlines(), lineterm="", n=2))[2:] if before else []
        kinds = {"+": "added", "-": "taken", "@": "place"}
        found.append(Revision(document, tuple((kinds.get(line[:1], "same"), line) for line in diff)))
    return found[::-1]
