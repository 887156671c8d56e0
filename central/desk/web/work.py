"""What waits for people: dead letters, conflicts, holds, quarantines; and the stop button."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

from fastapi import APIRouter, Depends, Form, Path
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from central.delivery import Direction
from central.desk.mail.intake import MailDesk
from central.desk.queues import Place, QueueDesk, Waiting
from central.desk.services import Services
from central.desk.services.errors import NotAllowed, NotNow, OutOfReach
from central.desk.systems import SystemDesk
from central.desk.tickets import TicketDesk
from central.desk.views.apart import Apart, apart
from central.desk.web.pages import SAID, Pages
from central.desk.web.typed import CHANGING, typed
from central.desk.web.visitors import Visitor, Visitors
from central.guard import Hold, HoldKind
from central.model import FIELDS, Conflict, Ticket
from central.registry import SystemState
from central.rights import Action, demand, sight
from central.search import Query
from central.store.api import Busy, NoSuch, Transaction

MOST = 50
"""So much of each kind is shown at once; of tickets that disagree, the search finds the others."""
T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pile(Generic[T]):
    """What waits of one kind, as far as it is shown, oldest first."""

    shown: Sequence[T]
    next: str
    """Where the next ones begin; '' where there are none."""

    @classmethod
    def of(cls, found: Sequence[T], place: Callable[[T], object]) -> "Pile[T]":
        """A pile, of which one more was asked for than is shown."""
        return cls(found[:MOST], str(place(found[MOST - 1])) if len(found) > MOST else "")


@dataclass(frozen=True, slots=True)
class Behind:
    """Behind which ones the piles are to begin."""

    letters: Annotated[str, Field(pattern=r"^(\d{1,17}\.\d{1,15})?$")] = ""
    discarded: Annotated[str, Field(pattern=r"^(\d{1,17}\.\d{1,15})?$")] = ""
    conflicts: Annotated[int, Field(ge=0, lt=2**53)] = 0
    holds: Annotated[int, Field(ge=0, lt=2**53)] = 0


EDITED = ("subject", "description", "status", *CHANGING[1:])
"""What of a ticket may be changed from the letter that carries it."""

Number = Annotated[int, Path(ge=1, lt=2**53)]


def router(
    services: Services,
    desk: SystemDesk,
    queues: QueueDesk,
    tickets: TicketDesk,
    mail: MailDesk,
    visitors: Visitors,
    pages: Pages,
) -> APIRouter:
    """The work queues."""
    routes = APIRouter(prefix="/work")
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806  # it names a type

    def page(
        visitor: Visitor,
        system: str,
        *,
        said: str = "",
        problem: str = "",
        status: int = 200,
        behind: Behind = Behind(),  # frozen
    ) -> Response:
        demand(visitor.sees_queues, visitor.principal, Action.SEE_SYSTEM)
        principal, only = visitor.principal, system or None
        tiles = [each for each in desk.tiles(principal) if only in (None, each.name)]
        names, most = frozenset(each.name for each in tiles), MOST + 1
        conflicts = Pile.of(queues.conflicts(principal, only, after=behind.conflicts, limit=most), _number)
        query = Query(disagrees_with=names)

        def standing(tx: Transaction) -> tuple[Apart, ...]:
            return apart(tx, tx.tickets.search(query, sight(principal), limit=MOST).tickets, names) if names else ()

        apart_systems = [each for each in tiles if each.state is SystemState.QUARANTINED]
        plans = services.store.read(
            lambda tx: {each.name: tx.guards.latest(HoldKind.COPY, each.name) for each in apart_systems}
        )
        holds = Pile.of(queues.holds(principal, only, after=behind.holds, limit=most), _number)
        shown_there = {plan.id for plan in plans.values() if plan is not None}
        asked = {(each.ticket_id, each.system, each.field) for each in conflicts.shown}
        return pages.page(
            "work.html",
            visitor,
            status,
            here="work",
            system=system,
            letters=Pile.of(queues.letters(principal, only, after=_moment(behind.letters), limit=most), _place),
            discarded=Pile.of(
                queues.letters(principal, only, discarded=True, after=_moment(behind.discarded), limit=most), _place
            ),
            conflicts=conflicts,
            standing=[
                each for each in services.store.read(standing) if (each.ticket_id, each.system, each.field) not in asked
            ],
            holds=replace(holds, shown=[each for each in holds.shown if each.id not in shown_there]),
            behind=any((behind.letters, behind.discarded, behind.conflicts, behind.holds)),
            quarantined=[(each, plans[each.name]) for each in apart_systems],
            instance=desk.instance(principal),
            specs=[FIELDS[name] for name in EDITED],
            mails=mail.quarantine(principal, limit=MOST) if visitor.reads_mail and not only else (),
            said=said,
            problem=problem,
            at=services.clock(),
        )

    def letter_page(
        visitor: Visitor, number: int, *, problem: str = "", status: int = 200, given: Mapping[str, str] | None = None
    ) -> Response:
        demand(visitor.sees_queues, visitor.principal, Action.SEE_SYSTEM)
        waiting, edits = queues.letter(visitor.principal, number), False
        system, ticket, standing = waiting.letter.system, None, tuple[Apart, ...]()
        if waiting.ticket_id is not None:

            def question(tx: Transaction, found: Ticket) -> tuple[Ticket, bool, tuple[Apart, ...]]:
                changes = tickets.may(tx, visitor.principal, Action.CHANGE_TICKET, found)
                return found, changes and visitor.runs(system), apart(tx, (found,), {system})

            ticket, edits, standing = tickets.read(visitor.principal, waiting.ticket_id, question)
        return pages.page(
            "letter.html",
            visitor,
            status,
            here="work",
            waiting=waiting,
            letter=waiting.letter,
            ticket=ticket,
            standing=standing,
            specs=[FIELDS[name] for name in EDITED] if edits and waiting.letter.direction is Direction.OUTWARD else [],
            given=given or {},
            problem=problem,
            at=services.clock(),
        )

    @routes.get("")
    def work(
        visitor: Annotated[Visitor, Depends(visitors.signed_in)],
        behind: Annotated[Behind, Depends()],
        system: str = "",
        said: str = "",
    ) -> Response:
        return page(visitor, system, said=SAID.get(said, ""), behind=behind)

    @routes.post("/letters")
    def letters(
        visitor: Acting,
        act: Annotated[str, Form()],
        letter: Annotated[list[int] | None, Form()] = None,
        why: Annotated[str, Form()] = "",
        field: Annotated[list[str] | None, Form()] = None,
        value: Annotated[list[str] | None, Form()] = None,
        alone: Annotated[bool, Form()] = False,
        system: Annotated[str, Form()] = "",
    ) -> Response:
        if not letter:
            return page(visitor, system, problem="Tick the letters first.", status=400)
        if act == "edit":
            wanted = dict(zip(field or (), value or (), strict=False))
            if not wanted or not wanted.keys() <= set(EDITED):
                return page(visitor, system, problem="Choose what is to be changed.", status=400)
            changes = {name: typed(name, text) for name, text in wanted.items()}
            refused = queues.edit(visitor.principal, letter, changes)
            if not refused:
                return _back(system, "edited")
            problem = " ".join(f"Letter {number}: {str(why).rstrip('.')}." for number, why in refused.items())
            if alone:
                return letter_page(visitor, letter[0], problem=problem, status=409, given=wanted)
            return page(visitor, system, problem=problem, status=409)
        if act == "discard" and not why.strip():
            problem = "Say why they are given up: whoever misses what they carried will read that."
            return page(visitor, system, problem=problem, status=400)
        for number in letter:
            try:
                if act == "discard":
                    queues.discard(visitor.principal, number, why.strip())
                else:
                    queues.retry(visitor.principal, number)
            except NoSuch:  # somebody else was quicker
                continue
        return _back(system, "discarded" if act == "discard" else "retried")

    @routes.post("/letters/{number}/settle")
    def settle(
        visitor: Acting,
        number: Number,
        became: Annotated[str, Form()],
        there: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        never = became == "never"
        if not never and not there.strip():
            return letter_page(visitor, number, problem="Say which comment there it is, by its id.", status=400)
        try:
            queues.settle(visitor.principal, number, None if never else there.strip())
        except (NotNow, OutOfReach, Busy) as problem:
            return letter_page(visitor, number, problem=f"{str(problem).rstrip('.')}.", status=409)
        return _back("", "settled")

    @routes.get("/letters/{number}")
    def letter(visitor: Annotated[Visitor, Depends(visitors.signed_in)], number: Number) -> Response:
        return letter_page(visitor, number)

    @routes.post("/conflicts/{number}")
    def decide(
        visitor: Acting, number: int, take: Annotated[str, Form()], system: Annotated[str, Form()] = ""
    ) -> Response:
        if take not in ("ours", "theirs"):
            return page(visitor, system, problem="Either ours or theirs can stand.", status=400)
        try:
            queues.resolve(visitor.principal, number, take)
        except (NotNow, NotAllowed, Busy) as problem:
            return page(visitor, system, problem=f"{problem}.", status=409)
        return _back(system, "decided")

    @routes.post("/holds/{number}")
    def judge(
        visitor: Acting, number: int, verdict: Annotated[str, Form()], system: Annotated[str, Form()] = ""
    ) -> Response:
        try:
            if verdict == "approve":
                decided = queues.approve(visitor.principal, number)
            else:
                decided = queues.reject(visitor.principal, number, write_back=verdict == "write-back")
        except (NotNow, NotAllowed, Busy) as problem:
            return page(visitor, system, problem=f"{problem}.", status=409)
        if decided.kind is HoldKind.COPY:
            return _back(system, "judged")
        return _back(system, "approved" if verdict == "approve" else "rejected")

    @routes.post("/quarantine/{name}")
    def release(visitor: Acting, name: str, take_theirs: Annotated[bool, Form()] = False) -> Response:
        try:
            desk.release(visitor.principal, name, take_theirs=take_theirs)
        except (NotNow, OutOfReach, NotAllowed, Busy) as problem:
            return page(visitor, "", problem=f"{problem}.", status=409)
        return _back("", "released")

    @routes.post("/stop")
    def stop(visitor: Acting, why: Annotated[str, Form()] = "") -> Response:
        desk.stop_all(visitor.principal, why.strip())
        return _back("", "stopped")

    @routes.post("/go")
    def go(visitor: Acting) -> Response:
        try:
            desk.let_go(visitor.principal)
        except NotNow as problem:
            return page(visitor, "", problem=f"{problem}.", status=409)
        return _back("", "let-go")

    return routes


def _number(found: Conflict | Hold) -> int:
    return found.id


def _place(found: Waiting) -> str:
    at, number = found.place
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{number}"


def _moment(place: str) -> Place | None:
    at, _, number = place.partition(".")
    return (_EPOCH + timedelta(microseconds=int(at)), int(number)) if place else None


def _back(system: str, said: str) -> Response:
    return RedirectResponse(f"/work?said={said}" + (f"&system={system}" if system else ""), 303)
