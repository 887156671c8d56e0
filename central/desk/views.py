"""What the pages and the status document show, as plain values. Nothing internal and no address of a person is in it:
these pages ask nobody who they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from central.events import Event, Kind
from central.instance import Instance
from central.link import Link, LinkState
from central.model import FIELDS, Attachment, Comment, Conflict, Person, Ticket, Value, Visibility
from central.registry import System, SystemState
from central.store.api import Counts, DeliveryState, Direction, NoSuch, Store, Transaction

LATE = timedelta(minutes=15)
"""A system whose oldest owed look is older than this is late."""
RECENT = 50
_APART = frozenset({"subject", "description"})
"""Fields that the page shows by themselves."""
_PRIVATE = frozenset({"phone", *(spec.name for spec in FIELDS.values() if spec.kind in ("person", "set"))})
"""Fields that tell of people."""


class Health(StrEnum):
    """How a system is, in one word."""

    WELL = "well"
    LATE = "late"
    FAILING = "failing"
    STOPPED = "stopped"
    DRAFT = "draft"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class SystemView:
    """One system as the status page shows it."""

    name: str
    state: SystemState
    health: Health
    reason: str
    lag: timedelta
    """How long the oldest look has been owed."""
    due: int
    dead: int
    held: int
    """What guards hold there until a person has looked at it."""
    discarded: int
    """Looks that a person gave up, and that nothing has made owed again."""
    links: int
    disagreements: int
    succeeded_at: datetime | None
    last_error: str
    error_at: datetime | None
    out_since: datetime | None
    """Since when it does not answer as a whole; None: it does, as far as anybody knows."""
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class TicketLine:
    """One ticket in a list."""

    id: int
    subject: str
    status: str
    unit: str
    born_in: str
    changed_at: datetime
    systems: tuple[str, ...]
    disagreements: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The status page."""

    at: datetime
    systems: tuple[SystemView, ...]
    tickets: int
    recent: tuple[TicketLine, ...]
    stopped: str
    """Why nothing is written to any system; '' when all is well."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A public comment."""

    author: str
    system: str
    at: datetime
    text: str
    gap: str
    files: tuple[Attachment, ...]
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    """Since when it is a tombstone: neither text nor files are shown."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the history."""

    at: datetime
    who: str
    what: str
    system: str
    why: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A look at one ticket that is a dead letter, or that a person discarded."""

    number: int
    system: str
    sentence: str


@dataclass(frozen=True, slots=True)
class TicketView:
    """The page of one ticket."""

    ticket: Ticket
    fields: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]
    remarks: tuple[Remark, ...]
    files: tuple[Attachment, ...]
    conflicts: tuple[Conflict, ...]
    history: tuple[Fact, ...]
    letters: tuple[Letter, ...]


def health(system: System, counts: Counts, lag: timedelta) -> Health:
    """How a system is."""
    if system.state is SystemState.DRAFT:
        return Health.DRAFT
    if not system.reads:
        return Health.STOPPED
    out = system.outage is not None and not system.outage.suspected_by
    if out or system.last_error or counts.dead or counts.held:
        return Health.FAILING
    if system.state is SystemState.SHADOW:
        return Health.SHADOW
    return Health.LATE if lag > LATE else Health.WELL


def overview(store: Store, clock: Callable[[], datetime]) -> Overview:
    """Every system and the latest tickets, on one snapshot."""
    at = clock()

    def question(tx: Transaction) -> Overview:
        counts = tx.outbox.counts()
        systems = tuple(system_view(system, counts.get(system.name, Counts()), at) for system in tx.registry.systems())
        recent = tuple(_line(tx, ticket) for ticket in tx.tickets.list(limit=RECENT))
        return Overview(at, systems, tx.tickets.count(), recent, _stopped(tx.instance.get()))

    return store.read(question)


def _stopped(instance: Instance) -> str:
    stop = instance.stopped
    if stop is None:
        return instance.held
    return f"stopped by {stop.by} at {_moment(stop.at)}{f': {stop.why}' if stop.why else ''}"


def ticket(store: Store, ticket_id: int) -> TicketView | None:
    """One ticket with everything on it that is public; None: there is none."""
    try:
        return store.read(lambda tx: _ticket(tx, ticket_id))
    except NoSuch:
        return None


def letters(tx: Transaction, ticket_id: int) -> tuple[Letter, ...]:
    """What of this ticket was not told, or not taken in, and is not owed any more until somebody does something."""
    keys = {link.system: link.key for link in tx.links.of(ticket_id) if link.state is not LinkState.DUPLICATE}
    found = []
    for system in (each.name for each in tx.registry.systems()):
        places = [(Direction.OUTWARD, str(ticket_id)), (Direction.INWARD, keys.get(system) or "")]
        for direction, subject in places:
            delivery = tx.outbox.find(system, direction, subject)
            if delivery is not None and delivery.state is not DeliveryState.DUE:
                untold = "not told" if direction is Direction.OUTWARD else "not taken in"
                dead = "a dead letter: " if delivery.state is DeliveryState.DEAD else ""
                said = delivery.error.partition("\n")[0]
                found.append(Letter(delivery.id, system, f"what changed is {untold}, {dead}{said}"))
    return tuple(found)


def status_data(overview: Overview) -> dict[str, Any]:
    """The overview as JSON knows it; moments in ISO form, lags in seconds."""
    return {
        "at": overview.at.isoformat(),
        "stopped": overview.stopped,
        "tickets": overview.tickets,
        "systems": [
            {
                **asdict(system),
                "lag": system.lag.total_seconds(),
                "succeeded_at": _moment(system.succeeded_at),
                "error_at": _moment(system.error_at),
                "out_since": _moment(system.out_since),
                "next_try_at": _moment(system.next_try_at),
            }
            for system in overview.systems
        ],
    }


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `2 h 5 min`."""
    seconds = int(length.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    told = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(told[:2]) or "none"


def shown(value: Value) -> str:
    """A value as text."""
    if value is None:
        return "—"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def name_of(person: Person) -> str:
    """What somebody is called where anybody may read it: never their whole mail address."""
    return person.label.partition("@")[0] or "somebody"


def system_view(system: System, counts: Counts, at: datetime) -> SystemView:
    """One system, with its kept counters."""
    lag = max(timedelta(0), at - counts.oldest_due_at) if counts.oldest_due_at else timedelta(0)
    out = system.outage if system.outage is not None and not system.outage.suspected_by else None
    return SystemView(
        name=system.name,
        state=system.state,
        health=health(system, counts, lag),
        reason=system.reason,
        lag=lag,
        due=counts.due,
        dead=counts.dead,
        held=counts.held,
        discarded=counts.discarded,
        links=counts.links,
        disagreements=counts.disagreements,
        succeeded_at=system.succeeded_at,
        last_error=system.last_error,
        error_at=system.error_at,
        out_since=out.since if out else None,
        next_try_at=out.next_try_at if out else None,
    )


def _line(tx: Transaction, ticket: Ticket) -> TicketLine:
    links = [link for link in tx.links.of(ticket.id) if link.state is not LinkState.DUPLICATE]
    return TicketLine(
        id=ticket.id,
        subject=shown(ticket["subject"]),
        status=shown(ticket["status"]),
        unit=shown(ticket["unit"]),
        born_in=ticket.born_in or "",
        changed_at=ticket.changed_at,
        systems=tuple(link.system for link in links),
        disagreements=sum(len(link.disagreements) for link in links),
    )


def _ticket(tx: Transaction, ticket_id: int) -> TicketView:
    found = tx.tickets.get(ticket_id)
    comments, files = tx.tickets.comments(ticket_id), tx.tickets.files(ticket_id)
    public = tuple(file for file in files if file.visibility is Visibility.PUBLIC)
    fields = tuple(
        (spec.label, shown(found[spec.name]))
        for spec in FIELDS.values()
        if found[spec.name] is not None and spec.name not in _APART | _PRIVATE
    )
    return TicketView(
        ticket=found,
        fields=fields,
        links=tuple(tx.links.of(ticket_id)),
        remarks=tuple(
            Remark(
                name_of(each.author),
                each.author.system,
                each.created_at,
                each.text,
                each.gap,
                () if each.deleted_at else tuple(file for file in public if file.comment_id == each.id),
                each.edited_at,
                each.deleted_at,
            )
            for each in comments
            if each.visibility is Visibility.PUBLIC
        ),
        files=tuple(file for file in public if file.comment_id is None),
        conflicts=tuple(c for c in tx.tickets.conflicts(ticket_id) if c.field not in _PRIVATE | _unreadable(comments)),
        history=tuple(_facts(tx.tickets.events(ticket_id), comments, files)),
        letters=letters(tx, ticket_id),
    )


def _unreadable(comments: Sequence[Comment]) -> set[str]:
    """Internal and deleted comments, as conflicts call them: what they said in between is nobody's to read here."""
    hidden = (each for each in comments if each.visibility is Visibility.INTERNAL or each.deleted_at is not None)
    return {f"comment {each.id}" for each in hidden}


def _facts(events: Sequence[Event], comments: Sequence[Comment], files: Sequence[Attachment]) -> list[Fact]:
    """The history, latest first, without what tells of anything internal."""
    hidden = {each.id for each in comments if each.visibility is Visibility.INTERNAL}
    secret = {each.name for each in files if each.visibility is Visibility.INTERNAL}
    return [
        Fact(event.at, name_of(event.actor), _told(event), event.system or "", event.why)
        for event in reversed(events)
        if event.data.get("comment") not in hidden
        and event.data.get("file") not in secret
        and event.field not in _PRIVATE
    ]


def _told(event: Event) -> str:
    data: Mapping[str, object] = event.data
    spec = FIELDS.get(event.field or "")
    field = spec.label if spec else (event.field or "")
    match event.kind:
        case Kind.FIELD_CHANGED:
            return f"{field}: {_short(data.get('from'))} → {_short(data.get('to'))}"
        case Kind.WRITTEN:
            return f"{field} written as {_short(data.get('theirs'))}"
        case Kind.WRITE_REFUSED:
            return f"{field} refused: {_short(data.get('wanted'))}; it stays {_short(data.get('stays'))}"
        case Kind.CONFLICT_KEPT | Kind.EDIT_REJECTED:
            kept = f"ours {_short(data.get('ours'))}, theirs {_short(data.get('theirs'))}"
            return f"{event.kind} for {field}: {kept}; {data.get('winner')} stands"
        case _:
            return f"{event.kind}: {field}" if field else str(event.kind)


def _short(value: object) -> str:
    if value is None:
        return "—"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
