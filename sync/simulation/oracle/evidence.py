"""What the judges look at: the trackers as they are, the god's log, and the centre's own history."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import SYSTEM, Comment, Conflict, Ticket, Value, value_of
from connectors.emulators.tracker import AUTOMAT, Deed, Issue
from mappings.model import FieldMapping, Untranslatable
from sync.reconcile import corresponds
from sync.simulation.chronicle import BACKUP, Did
from sync.simulation.mesh import Member
from sync.simulation.world import World


@dataclass(frozen=True, slots=True)
class Edit:
    """A value that a field took on a tracker, at its true time, and by whose will."""

    at: datetime
    old: Value
    new: Value
    ours: bool
    """Written by interdesk."""
    effect: bool
    """Set by the tracker itself because of something that interdesk did."""
    restored: bool = False
    """Brought back by a restore of the tracker from a backup."""
    overdue: bool = False
    """By a request of ours that executed later than any request may."""

    @property
    def human(self) -> bool:
        """Somebody there wanted it (or something that somebody there did made the tracker set it)."""
        return not self.ours and not self.effect and not self.restored


@dataclass(frozen=True, slots=True)
class Told:
    """A value that a field took at the centre."""

    at: datetime
    before: Value
    value: Value
    system: str | None
    """Where it came from; None: the centre."""
    person: bool
    """A person at the centre set it, rather than central's workflow."""
    theirs: Value = None
    """In their words, where it came from a system."""


@dataclass(frozen=True)
class Place:
    """One active link, with the tracker's ticket and the centre's, as they are at the end."""

    member: Member
    link: Link
    issue: Issue
    ticket: Ticket


@dataclass
class Evidence:
    """All of it, read once."""

    world: World
    tickets: Sequence[Ticket] = field(init=False)
    links: Mapping[int, Sequence[Link]] = field(init=False)
    events: Mapping[int, Sequence[Event]] = field(init=False)
    comments: Mapping[int, Sequence[Comment]] = field(init=False)
    kept: Mapping[int, Sequence[Conflict]] = field(init=False)
    edits: Mapping[tuple[str, str, str], Sequence[Edit]] = field(init=False)
    """By system, key and their field: every value it took, in order."""

    def __post_init__(self) -> None:
        store = self.world.raw_store
        self.tickets = sorted(store.read(lambda tx: tx.tickets.list(limit=10_000)), key=lambda ticket: ticket.id)
        ids = [ticket.id for ticket in self.tickets]
        self.links = store.read(lambda tx: {i: tx.links.of(i) for i in ids})
        self.events = store.read(lambda tx: {i: tx.tickets.events(i) for i in ids})
        self.comments = store.read(lambda tx: {i: tx.tickets.comments(i) for i in ids})
        kept = defaultdict(list)
        for conflict in store.read(lambda tx: tx.tickets.conflicts()):
            kept[conflict.ticket_id].append(conflict)
        self.kept = kept
        edits: dict[tuple[str, str, str], list[Edit]] = defaultdict(list)
        causes: dict[tuple[str, int], Deed] = {}  # a restored tracker gives its ids anew
        for did in self.world.chronicle.dids:
            causes[did.system, did.deed.id] = did.deed
            if did.deed.kind == "set":
                edits[did.system, did.deed.key, did.deed.field].append(self._edit(did, causes))
        self.edits = edits

    def _edit(self, did: Did, causes: Mapping[tuple[str, int], Deed]) -> Edit:
        deed, ours = did.deed, self.account(did.system)
        cause = causes.get((did.system, deed.cause)) if deed.cause else None
        effect = deed.who == AUTOMAT and cause is not None and cause.who == ours
        return Edit(did.at, deed.old, deed.new, deed.who == ours, effect, deed.who == BACKUP, did.overdue)

    def account(self, system: str) -> str:
        """Ours there."""
        return self.world.members[system].connector.account

    @cached_property
    def places(self) -> Sequence[Place]:
        """Every active link whose ticket is there to be seen."""
        found = []
        for ticket in self.tickets:
            for link in self.links[ticket.id]:
                member = self.world.members[link.system]
                issue = member.tracker.issues.get(link.key or "")
                if link.state is LinkState.ACTIVE and issue is not None and not issue.hidden:
                    found.append(Place(member, link, issue, ticket))
        return found

    def values(self, system: str, key: str, remote: str) -> Sequence[tuple[datetime, Value]]:
        """What a field there held and since when."""
        edits = self.edits.get((system, key, remote), ())
        issue = self.world.members[system].tracker.issues.get(key)
        first = edits[0].old if edits or issue is None else issue.fields.get(remote)
        opened = next(
            d.at
            for d in self.world.chronicle.dids
            if d.system == system and d.deed.key == key and d.deed.kind == "open"
        )
        return [(opened, first), *((edit.at, edit.new) for edit in edits)]

    def held(self, system: str, key: str, remote: str, since: datetime, until: datetime) -> list[Value]:
        """All values that a field there held at some time in between."""
        values = self.values(system, key, remote)
        found = []
        for number, (at, value) in enumerate(values):
            ended = values[number + 1][0] if number + 1 < len(values) else None
            if at < until and (ended is None or ended >= since):
                found.append(value)
        return found

    def course(self, ticket: Ticket, name: str) -> Sequence[Told]:
        """What a central field held, in order; the first is what it was born with."""
        changes = [e for e in self.events[ticket.id] if e.kind is Kind.FIELD_CHANGED and e.field == name]
        first = value_in(changes[0], "from") if changes else ticket[name]
        course = [Told(ticket.created_at, None, first, ticket.born_in, ticket.born_in is None)]
        course += [
            Told(
                e.at,
                value_in(e, "from"),
                value_in(e, "to"),
                e.system,
                e.system is None and e.actor.id != SYSTEM.id,
                value_in(e, "theirs"),
            )
            for e in changes
        ]
        return course


def value_in(event: Event, what: str) -> Value:
    """A value in the data of an event, where a set is a list."""
    return value_of(event.data.get(what))


def says(mapping: FieldMapping, ours: Value, theirs: Value) -> bool:
    """Whether they say the same, as far as the mapping can tell."""
    try:
        return corresponds(mapping.rule, ours, theirs)
    except Untranslatable:
        return False


def same(mapping: FieldMapping, one: Value, other: Value) -> bool:
    """Whether two of their values are one, whatever their line ends."""
    canonical = mapping.rule.canonical_theirs
    return canonical(one) == canonical(other)
