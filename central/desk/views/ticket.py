"""One ticket with everything on it that whoever asks may read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from central.delivery import DeliveryState, Direction
from central.desk.views.words import name_of, short, shown
from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import FIELDS, SUPPORTERS_ONLY, Attachment, Comment, Conflict, FieldSpec, Ticket, Visibility
from central.store.api import NoSuch, Transaction

if TYPE_CHECKING:
    from central.desk.reading import Reader  # which stands on services, and these on views

_APART = frozenset({"subject", "description", "solution", "status"})
"""Fields that the page shows by themselves."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the ticket."""

    spec: FieldSpec
    value: str
    disputed: str
    """The first system that it does not agree with, and why; '' where all agree."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment."""

    id: int
    author: str
    system: str
    at: datetime
    text: str
    gap: str
    files: tuple[Attachment, ...]
    internal: bool = False
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    """Since when it is a tombstone: neither text nor files are shown."""
    mine: str = ""
    """The id of who wrote it at the centre; '' for what came from elsewhere."""
    reached: tuple[str, ...] = ()
    """The systems that have it."""


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
    born_in: str
    """'': at the centre, or in a system that the reader may not see."""
    rows: tuple[Row, ...]
    links: tuple[Link, ...]
    remarks: tuple[Remark, ...]
    files: tuple[Attachment, ...]
    """Those of the ticket itself."""
    conflicts: tuple[Conflict, ...]
    history: tuple[Fact, ...]
    letters: tuple[Letter, ...]
    internal: bool
    """What is internal is in it."""
    whole: bool
    """Of whichever system it tells, its reader may see it."""


def ticket(reader: "Reader") -> TicketView:
    """What of their ticket this reader may read."""
    tx, found, internal = reader.tx, reader.ticket, reader.internal
    comments, files, links = reader.comments(), reader.files(), reader.links()
    reached = {link.system: tx.links.ties(link.id) for link in links if link.state is not LinkState.DUPLICATE}
    unread = set() if internal else SUPPORTERS_ONLY
    gone = {f"comment {each.id}" for each in comments if each.deleted_at is not None}
    rows = tuple(
        Row(spec, shown(found[spec.name]), _disputed(links, spec.name))
        for spec in FIELDS.values()
        if found[spec.name] is not None and spec.name not in _APART | unread
    )
    return TicketView(
        ticket=reader.shown(),
        born_in=reader.born_in() or "",
        rows=rows,
        links=tuple(links),
        remarks=tuple(_remark(each, files, reached) for each in comments),
        files=tuple(file for file in files if file.comment_id is None),
        conflicts=tuple(each for each in reader.conflicts() if each.field not in unread | gone),
        history=tuple(_fact(event) for event in reversed(reader.events()) if event.field not in unread),
        letters=tuple(each for each in letters(tx, found.id) if reader.sees(each.system)),
        internal=internal,
        whole=reader.sees_all,
    )


def sharing(tx: Transaction, links: Sequence[Link]) -> tuple[str, ...]:
    """Of the systems that these links lead to, those whose documents say that internal notes go there."""
    found = {link.system for link in links if link.state is LinkState.ACTIVE}
    return tuple(sorted(name for name in found if _shares(tx, name)))


def _shares(tx: Transaction, system: str) -> bool:
    try:
        policy = tx.registry.document("system", system).data.get("policy", {})
    except NoSuch:
        return False
    return bool(policy.get("internal_comments", "never") != "never")


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


def _disputed(links: Sequence[Link], field: str) -> str:
    told = (f"{link.system}: {link.disagreements[field]}" for link in links if field in link.disagreements)
    return next(told, "")


def _remark(comment: Comment, files: Sequence[Attachment], ties: Mapping[str, Mapping[int, str]]) -> Remark:
    return Remark(
        comment.id,
        name_of(comment.author),
        comment.author.system,
        comment.created_at,
        comment.text,
        comment.gap,
        () if comment.deleted_at else tuple(file for file in files if file.comment_id == comment.id),
        comment.visibility is Visibility.INTERNAL,
        comment.edited_at,
        comment.deleted_at,
        comment.author.id if comment.origin_system is None else "",
        tuple(system for system, tied in ties.items() if tied.get(comment.id)),
    )


def _fact(event: Event) -> Fact:
    return Fact(event.at, name_of(event.actor), _told(event), event.system or "", event.why)


def _told(event: Event) -> str:
    data: Mapping[str, object] = event.data
    spec = FIELDS.get(event.field or "")
    field = spec.label if spec else (event.field or "")
    match event.kind:
        case Kind.FIELD_CHANGED:
            return f"{field}: {short(data.get('from'))} → {short(data.get('to'))}"
        case Kind.WRITTEN:
            return f"{field} written as {short(data.get('theirs'))}"
        case Kind.WRITE_REFUSED:
            return f"{field} refused: {short(data.get('wanted'))}; it stays {short(data.get('stays'))}"
        case Kind.CONFLICT_KEPT | Kind.EDIT_REJECTED:
            kept = f"ours {short(data.get('ours'))}, theirs {short(data.get('theirs'))}"
            return f"{event.kind} for {field}: {kept}; {data.get('winner')} stands"
        case _:
            return f"{event.kind}: {field}" if field else str(event.kind)
