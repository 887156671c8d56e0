"""A look at a system in shadow: the same decisions, and in the place of every write a record of it.

Neither side is written: no ticket, no comment, no history. What the link remembers does move, as if the write had been
made in a world of its own: a field that would have been written stands as it is until somebody touches it, a comment
that would have been carried is never carried. So whoever goes live carries only what changes from then on.

What people do themselves is compared with what was recorded: the same, something else, or nothing yet.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from central.delivery import Claim, Direction, Lease
from central.link import Link, LinkState, Pair
from central.model import Value
from central.registry import SystemState
from central.shadow import Seen, Shadow, Side
from central.store.api import Store, Transaction
from connectors.api import Capabilities, WriteKind
from mappings import model as mapping_model
from mappings.model import FieldMapping, Untranslatable
from sync import discussion, intended, wording
from sync.decide import read_up_to
from sync.gateway import Gateway
from sync.intended import Intended, Write
from sync.mails import Mails, mails
from sync.means import Means, Outcome, said
from sync.permit import Held
from sync.plan import LEFT_IN_SHADOW, UNTOUCHED, Verdict
from sync.revise import standing_of
from sync.settle import mapped
from sync.twins import twins

KEPT = 10_000
"""How many records a system keeps: the newest."""

SHOWN = 50
"""How many of them a report shows."""

Records = dict[tuple[Side, str], Shadow]


def look(means: Means, gateway: Gateway, claim: Claim) -> Outcome:
    """Compute what a look would write to either side, record it, and judge what was recorded before.

    :raises ConnectorError: by remedy.  :raises Held: the system came out of the shadow meanwhile; look anew."""
    delivery, key = claim.delivery, ""
    if delivery.direction is Direction.INWARD:
        key = delivery.subject
        found = intended.of_key(means, gateway, key)
        ticket_id = found.past.ticket.id if found.past else None
    else:
        ticket_id = int(delivery.subject)
        found = intended.of_ticket(means, gateway, ticket_id, claim.lease)
    recorded = means.store.write(lambda tx: _Note(tx, means, gateway, found, claim.lease).take(ticket_id, key))
    return said(*recorded) if recorded else said(f"in shadow: {found.why or 'nothing new'}")


class _Note:
    """What one look takes down, in one transaction."""

    def __init__(self, tx: Transaction, means: Means, gateway: Gateway, found: Intended, lease: Lease) -> None:
        self._tx, self._means, self._gateway, self._found = tx, means, gateway, found
        self._at = means.clock()
        tx.outbox.check(lease, self._at)
        if tx.registry.system(gateway.system).state is not SystemState.SHADOW:
            raise Held(f"system {gateway.system} has come out of the shadow: it is looked at anew")

    def take(self, ticket_id: int | None, key: str) -> list[str]:
        """Judge what was recorded, record what is new, and move the link's memory."""
        tx, system = self._tx, self._gateway.system
        known = [] if ticket_id is None else [*tx.shadow.missing(system, ticket_id=ticket_id)]
        known += tx.shadow.missing(system, key=key) if key else []
        open_records = {(one.side, one.item): one for one in known}
        writes = {(write.side, write.item): write for write in self._found.writes}
        link = self._link()
        if link is not None:
            link = self._tie_twins(link, open_records, writes)
        for place, record in open_records.items():
            write = writes.get(place)
            if write is not None and (write.would, write.before) == (record.would, record.before):
                del writes[place]
                continue
            seen, did = self._became(record, write)
            if seen is not None:
                tx.shadow.judge(record.id, seen, self._at, did=did)
        their_key = key or (link.key if link and link.key else "")
        for write in writes.values():
            self._record(write, ticket_id, their_key)
        if link is not None:
            tx.links.save(self._moved(link))
        tx.shadow.prune(system, keep=KEPT)
        return [f"would write {write.item} to the {write.side}" for write in writes.values()]

    def _record(self, write: Write, ticket_id: int | None, key: str) -> None:
        system, at = self._gateway.system, self._at
        self._tx.shadow.record(
            Shadow(0, system, write.side, ticket_id, key, write.item, write.would, write.before, write.why, at)
        )

    def _link(self) -> Link | None:
        """The link that this look may move; None: there is none, or both sides were not read."""
        past = self._found.past
        if past is None or self._found.theirs is None or not past.link.id:
            return None
        link = self._tx.links.find(past.ticket.id, self._gateway.system)
        return link if link is not None and link.state is LinkState.ACTIVE else None

    # -- comments that people carried themselves -----------------------------------------------------------------------

    def _tie_twins(self, link: Link, records: Records, writes: dict[tuple[Side, str], Write]) -> Link:
        """What was said on both sides is one comment from now on."""
        past = self._found.past
        assert past is not None
        parked = {c.id: c for c in past.comments if (Side.SYSTEM, f"comment {c.id}") in records}
        waiting = parked | {item.comment.id: item.comment for item in self._found.unsent if item.comment is not None}
        there = [
            (place[1].removeprefix("comment "), str(each.would))
            for known in (records, writes)
            for place, each in known.items()
            if place[0] is Side.CENTRE and place[1].startswith("comment ")
        ]
        pairs = twins([(number, waiting[number].text) for number in sorted(waiting)], dict(there).items())
        for comment_id, remote_id in pairs.items():
            comment = waiting[comment_id]
            agreed = wording.heard(comment, wording.Shown(comment.text, False, comment.text))
            self._tx.links.tie_comment(link.id, comment_id, remote_id, self._at, agreed)
            for place in ((Side.SYSTEM, f"comment {comment_id}"), (Side.CENTRE, f"comment {remote_id}")):
                writes.pop(place, None)
                if place in records:
                    self._tx.shadow.judge(records.pop(place).id, Seen.AGREED, self._at)
        return link.evolve(ignored=tuple(each for each in link.ignored if each not in pairs.values()))

    # -- what became of a record ---------------------------------------------------------------------------------------

    def _became(self, record: Shadow, write: Write | None) -> tuple[Seen | None, Value]:
        """What became of it, and what people did; (None, None): nothing yet. `write`: what would be written now."""
        kind, _, name = record.item.partition(" ")
        match kind:
            case "create":
                return self._became_of_create(record, write), None
            case "field":
                return self._became_of_field(record, name, write)
            case "comment":
                return self._became_of_comment(record, name), None
            case "file":
                return None, None
        return (Seen.WITHDRAWN if write is None else None), None

    def _became_of_create(self, record: Shadow, write: Write | None) -> Seen | None:
        system, links = self._gateway.system, self._tx.links
        link = links.find_by_key(system, record.key) if record.key else links.find(record.ticket_id or 0, system)
        if link is not None and link.key:
            return Seen.AGREED
        return Seen.WITHDRAWN if write is None else None

    def _became_of_field(self, record: Shadow, name: str, write: Write | None) -> tuple[Seen | None, Value]:
        past, theirs = self._found.past, self._found.theirs
        if past is None or theirs is None:
            return None, None
        outward = record.side is Side.SYSTEM
        now = theirs.ticket.fields.get(name) if outward else past.ticket[name]
        fields = self._gateway.mapping.fields.values()
        field = next((each for each in fields if (each.remote if outward else each.central) == name), None)
        if _same(field, record.side, now, record.would):
            return Seen.AGREED, None
        if not _same(field, record.side, now, record.before):
            return Seen.DIFFERS, now
        wanted = write is not None or field is None or self._wanted(record, field)
        return (None if wanted else Seen.WITHDRAWN), None

    def _wanted(self, record: Shadow, field: FieldMapping) -> bool:
        """Whether the other side still says what would have been written."""
        for step in self._found.plan.steps:
            if step.name == field.central and step.verdict is Verdict.STANDING and step.why == LEFT_IN_SHADOW:
                try:
                    if record.side is Side.SYSTEM:
                        said = field.rule.outward(step.ours, held=step.theirs)
                    else:
                        said = field.rule.inward(step.theirs, held=step.ours)
                except Untranslatable:
                    return False
                return _same(field, record.side, said, record.would)
        return False

    def _became_of_comment(self, record: Shadow, name: str) -> Seen | None:
        past, theirs, gateway = self._found.past, self._found.theirs, self._gateway
        if past is None or theirs is None:
            return None
        if record.side is Side.CENTRE:
            return Seen.WITHDRAWN if theirs.shown is not None and name not in theirs.shown else None
        comments = [each for each in past.comments if str(each.id) == name]
        items = discussion.unsent(gateway.system, comments, past.files, {}, {}, share_internal=gateway.share_internal)
        items = tuple(item for item in items if item.comment is not None)
        if not items:
            return Seen.WITHDRAWN
        for now in intended.said(self._means, gateway, items):
            if now.would != record.would:
                self._record(now, record.ticket_id, record.key)
        return None

    # -- what the link remembers ---------------------------------------------------------------------------------------

    def _moved(self, link: Link) -> Link:
        """As if what was recorded had been written: neither value is an edit any more."""
        gateway, plan, theirs, past = self._gateway, self._found.plan, self._found.theirs, self._found.past
        assert theirs is not None
        assert past is not None
        ties = self._tx.links.ties(link.id)
        for item in self._found.unsent:
            if item.comment is not None and item.comment.id not in ties:
                self._tx.links.tie_comment(link.id, item.comment.id, "", self._at)
            for file in item.files:
                self._tx.links.tie_file(link.id, file.id, "")
        left = {s.name: Pair(s.ours, s.theirs) for s in plan.steps if s.verdict in (Verdict.INWARD, Verdict.OUTWARD)}
        standing = {**plan.standing, **dict.fromkeys(left, LEFT_IN_SHADOW)}
        heard = tuple(number for number in self._found.arrivals.new if number not in ties.values())
        link = link.evolve(
            base={**link.base, **plan.base, **left},
            seen={**link.seen, **mapped(theirs.ticket.fields, gateway.mapping)},
            outdated=tuple(name for name, why in standing.items() if why in UNTOUCHED),
            mapping_revision=gateway.mapping.revision,
            ignored=(*link.ignored, *heard),
            history_seen=link.history_seen if theirs.history_seen is None else theirs.history_seen,
            read_at=theirs.asked_at or link.read_at,
        )
        link = link.standing({**standing, **standing_of(link.disagreements)}, self._at)
        return read_up_to(link, gateway, theirs, unread=False)


def _same(field: FieldMapping | None, side: Side, one: Value, other: Value) -> bool:
    if field is None:
        return one == other
    canonical = field.rule.canonical_theirs if side is Side.SYSTEM else field.rule.canonical_ours
    return canonical(one) == canonical(other)


@dataclass(frozen=True, slots=True)
class Report:
    """What a system in shadow would have written, and what people did."""

    counts: Mapping[Seen, int]
    records: Sequence[Shadow]
    """Newest first."""
    mails: Mails | None
    """What its writes there would have made the tracker send; None: its connector alone knows."""


def report(
    store: Store,
    system: str,
    mapping: mapping_model.Mapping,
    powers: Capabilities | None,
    *,
    seen: Seen | None = None,
    limit: int = SHOWN,
) -> Report:
    """Compare what was recorded with what people did: by our own store alone, the system's secrets are not needed.
    `powers`: what its connector can; None: that is not known without opening it."""

    def question(tx: Transaction) -> Report:
        told = None if powers is None else mails(powers, _kinds(mapping, tx.shadow.list(system, limit=KEPT)))
        return Report(tx.shadow.counts(system), tx.shadow.list(system, seen=seen, limit=limit), told)

    return store.read(question)


def _kinds(mapping: mapping_model.Mapping, records: Sequence[Shadow]) -> Counter[WriteKind]:
    """How many writes of each kind those there would have been: the fields of one look travel together."""
    status = mapping.fields.get("status")
    moving = "" if status is None else f"field {status.remote}"
    found: Counter[WriteKind] = Counter()
    patches: dict[tuple[int | None, datetime], bool] = {}
    for one in records:
        if one.side is not Side.SYSTEM:
            continue
        if one.item.startswith("field "):
            patch = (one.ticket_id, one.at)
            patches[patch] = patches.get(patch, False) or one.item == moving
        else:
            found[WriteKind.CREATE if one.item == "create" else WriteKind.COMMENT] += 1
    for moves in patches.values():
        found[WriteKind.TRANSITION if moves else WriteKind.UPDATE] += 1
    return found
