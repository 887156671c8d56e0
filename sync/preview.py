"""What a mapping would do before it does it: over a system's live tickets, over its past, over recorded examples.

The decision is the engine's own, asked of the same reading for either of two mappings; nothing is written, and the
system is asked by reading only. A mapping that is not the registered one is judged as its next revision, as it would be
once applied: a field whose meaning it changes and that nobody has touched since stands as it is, and is listed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from central.events import Event, Kind
from central.link import LinkState
from central.model import Value
from central.store.api import Store, Transaction
from connectors.api import WriteKind
from connectors.errors import NotFound
from mappings.fixtures.document import Became, Fixture, Outcome, Said, Way
from mappings.fixtures.replay import judged
from mappings.model import Carries, Untranslatable
from mappings.model import Mapping as CompiledMapping
from sync import routing
from sync.gateway import Gateway
from sync.intended import Intended, Write, kinds, of_ticket, seen
from sync.intents import TryLater
from sync.mails import Mails, mails
from sync.means import Means
from sync.past import Past, read_past
from sync.plan import Verdict
from sync.policy import Policy
from sync.reading import reading

_PAGE = 100
_RESTS = (LinkState.DUPLICATE, LinkState.DETACHED, LinkState.PENDING)


@dataclass(frozen=True, slots=True)
class Row:
    """One write to one side of one ticket. `new`: as the mapping would have it; `old`: as the other one would."""

    ticket_id: int | None
    key: str
    new: Write | None
    old: Write | None = None

    @property
    def write(self) -> Write:
        """The one that there is."""
        write = self.new or self.old
        assert write is not None
        return write


@dataclass(frozen=True, slots=True)
class Stood:
    """A field that would not agree, and would be left as it is."""

    ticket_id: int
    key: str
    field: str
    why: str
    says: Value | Said
    """What ours would be written as, once somebody touches it."""
    reads: Value | Said
    """What theirs would be read as."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a mapping would do to the tickets of one system."""

    tickets: int
    """How many were looked at."""
    more: bool
    """Whether there are others."""
    rows: Sequence[Row]
    stands: Sequence[Stood]
    mails: Mails
    """What all its writes there would make the system send, those that the other mapping makes too included."""


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A value that travelled, and what another mapping would have made of it."""

    way: Way
    field: str
    value: Value
    old: Value | Said
    new: Value | Said


@dataclass(slots=True)
class Times:
    """How often something would have differed, and where."""

    count: int = 0
    tickets: list[int] = field(default_factory=list)
    """The latest first ones, as examples."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One thing that becomes of an example otherwise than by the other mapping, or than what is held there."""

    fixture: str
    way: Way
    item: str
    old: Became
    new: Became


def with_mapping(gateway: Gateway, mapping: CompiledMapping) -> Gateway:
    """The gateway as it would be with this mapping."""
    named = {name: each.policy for name, each in mapping.fields.items() if each.policy}
    return replace(gateway, mapping=mapping, policy=Policy(mapping.policy, named))


def over_tickets(means: Means, new: Gateway, old: Gateway | None, *, limit: int) -> Preview:
    """What the next looks at the first `limit` tickets would write: at those that the system lists, then at ours
    that are still to be created there; with `old`, where it differs.

    :raises ConnectorError: by remedy."""
    rows: list[Row] = []
    stands: list[Stood] = []
    counted, total, more = Counter[WriteKind](), 0, False
    for key, uncreated in chain(((key, None) for key in _keys(new)), (("", each) for each in _uncreated(means, new))):
        if total >= limit:
            more = True
            break
        total += 1
        found = _both(means, new, old, key) if uncreated is None else _both_created(means, new, old, uncreated)
        if found is None:
            continue
        would, before = found
        counted.update(kinds(would.writes))
        ticket_id = would.past.ticket.id if would.past else uncreated
        rows += _rows(ticket_id, key, would.writes, None if before is None else before.writes)
        if would.past is not None:
            known = {} if before is None else before.plan.standing
            stands += (
                each for each in _stands(new.mapping, would, would.past, key) if known.get(each.field) != each.why
            )
    return Preview(total, more, rows, stands, mails(new.connector.capabilities, counted))


def _uncreated(means: Means, gateway: Gateway) -> Iterator[int]:
    """Our tickets whose unit belongs to the system, and which it does not have yet."""
    before: int | None = None
    while tickets := means.store.read(lambda tx, before=before: tx.tickets.list(limit=_PAGE, before=before)):  # type: ignore[misc]  # bound now
        before = tickets[-1].id
        for ticket in tickets:
            target = routing.system_of(ticket["unit"], means.units())
            if target == gateway.system:
                link = means.store.read(lambda tx, number=ticket.id: tx.links.find(number, gateway.system))  # type: ignore[misc]  # bound now
                if routing.course(gateway.system, link, target) is routing.Course.CREATE:
                    yield ticket.id


def _both_created(
    means: Means, new: Gateway, old: Gateway | None, ticket_id: int
) -> tuple[Intended, Intended | None] | None:
    """Both decisions on a ticket of ours that they do not have; None: an earlier create may still appear there."""
    try:
        return of_ticket(means, new, ticket_id), None if old is None else of_ticket(means, old, ticket_id)
    except TryLater:
        return None


def _keys(gateway: Gateway) -> Iterator[str]:
    """Every ticket that the system lists, each once."""
    position, known = "", set[str]()
    while True:
        page = gateway.connector.scan(position)
        for change in page.changes:
            if change.key not in known:
                known.add(change.key)
                yield change.key
        if not page.more:
            return
        position = page.cursor.position


def _both(means: Means, new: Gateway, old: Gateway | None, key: str) -> tuple[Intended, Intended | None] | None:
    """One reading, and both decisions on it; None: it is none of the tickets that are synchronised."""

    def question(tx: Transaction) -> Past | None:
        link = tx.links.find_by_key(new.system, key)
        return read_past(tx, link) if link else None

    past = means.store.read(question)
    if (past is not None and past.link.state in _RESTS) or (new.marker is not None and key == new.marker.ticket):
        return None
    asked_at = means.clock()
    try:
        ticket = new.connector.fetch(key, known=frozenset() if past is None else past.known)
    except NotFound:
        return None  # deleted since it was listed
    theirs = reading(new, ticket, asked_at)
    return seen(means, new, past, theirs), None if old is None else seen(means, old, past, theirs)


def _rows(ticket_id: int | None, key: str, new: Iterable[Write], old: Iterable[Write] | None) -> Iterator[Row]:
    by_new = {(write.side, write.item): write for write in new}
    if old is None:
        yield from (Row(ticket_id, key, write) for write in by_new.values())
        return
    by_old = {(write.side, write.item): write for write in old}
    for place in dict.fromkeys((*by_new, *by_old)):
        one, other = by_new.get(place), by_old.get(place)
        if one is None or other is None or one.would != other.would:
            yield Row(ticket_id, key, one, other)


def _stands(mapping: CompiledMapping, would: Intended, past: Past, key: str) -> Iterator[Stood]:
    for step in would.plan.steps:
        if step.verdict is Verdict.STANDING:
            says = translated(mapping, Way.OUTWARD, step.name, step.ours, step.theirs)
            reads = translated(mapping, Way.INWARD, step.name, step.theirs, step.ours)
            yield Stood(past.ticket.id, key, step.name, step.why, says, reads)


def over_the_past(
    store: Store, system: str, new: CompiledMapping, old: CompiledMapping, *, since: datetime
) -> Mapping[Otherwise, Times]:
    """What travelled between the centre and a system since then and would have become something else, most often
    first."""
    found: dict[Otherwise, Times] = {}
    after = 0
    while links := store.read(lambda tx, after=after: tx.links.of_system(system, after=after)):  # type: ignore[misc]  # bound now
        after = links[-1].id
        for link in links:
            events = store.read(lambda tx, ticket_id=link.ticket_id: tx.tickets.events(ticket_id))  # type: ignore[misc]  # bound now
            for event in events:
                if event.at >= since and event.system == system and event.field:
                    _would_have(event, new, old, found)
    return dict(sorted(found.items(), key=lambda each: -each[1].count))


def _would_have(event: Event, new: CompiledMapping, old: CompiledMapping, found: dict[Otherwise, Times]) -> None:
    data = {name: tuple(value) if isinstance(value, list) else value for name, value in event.data.items()}
    match event.kind:
        case Kind.FIELD_CHANGED if "theirs" in data:
            way, value, held = Way.INWARD, data["theirs"], data.get("from")
        case Kind.FIELD_AGREED:
            way, value, held = Way.INWARD, data["theirs"], data["ours"]
        case Kind.WRITTEN:
            way, value, held = Way.OUTWARD, data["ours"], data.get("before")
        case _:
            return
    name = event.field or ""
    was, would = (translated(mapping, way, name, value, held) for mapping in (old, new))
    if was != would:
        times = found.setdefault(Otherwise(way, name, value, was, would), Times())
        times.count += 1
        if event.ticket_id not in times.tickets:
            times.tickets.append(event.ticket_id)


def translated(mapping: CompiledMapping, way: Way, name: str, value: Value, held: Value) -> Value | Said:
    """What a mapping makes of a value of our field."""
    known = mapping.fields.get(name)
    if known is None or known.carries is (Carries.OUTWARD if way is Way.INWARD else Carries.INWARD):
        return Said.NOT_THERE
    try:
        return (known.rule.inward if way is Way.INWARD else known.rule.outward)(value, held=held)
    except Untranslatable:
        return Said.NO_WORD


def over_examples(fixtures: Iterable[Fixture], new: CompiledMapping, old: CompiledMapping | None) -> Iterator[Recorded]:
    """What becomes of these examples; with `old` where that differs, else where something would be written."""
    for fixture in fixtures:
        for case in fixture.cases:
            if old is None and case.way is Way.CONFLICTS:
                continue  # nothing is written by an example of who wins
            after = judged(new, case)
            if old is not None:
                before: Outcome = judged(old, case)
            else:
                before = {("becomes", name): value for name, value in (case.held or {}).items()}
            for path in dict.fromkeys((*after, *(before if old is not None else ()))):
                was, would = before.get(path, Said.NOT_THERE), after.get(path, Said.NOT_THERE)
                if was != would:
                    item = ".".join(map(str, path)).removeprefix("becomes.")
                    yield Recorded(fixture.name, case.way, item, was, would)
