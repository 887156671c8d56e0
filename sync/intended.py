"""What the engine would write now, to either side: its own decisions, carried out by nobody.

The system is asked, by reading only, and nothing is stored: not even a file is downloaded. What a tracker would do by
itself upon our writes, and what a guard would hold, is not foreseen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from central.delivery import Lease
from central.link import IntentKind, LinkState
from central.model import Attachment, Comment, Ticket, Value, Visibility
from central.shadow import Side
from central.store.api import Transaction
from connectors.api import WriteKind
from connectors.errors import NotFound
from sync import amend, discussion
from sync import draft as drafts
from sync.absorb import consequences
from sync.birth import born_fields
from sync.create import earlier_create, fields_to_create, sent_at_birth
from sync.decide import decide, events_for
from sync.discussion import Arrivals, Item
from sync.gateway import Gateway
from sync.intake import arrivals_of
from sync.means import Means
from sync.parting import last_notice
from sync.past import Past, read_past
from sync.plan import Plan, Step
from sync.push import whereabouts
from sync.reading import Reading, gone_by_value, read, reading
from sync.revise import revisions
from sync.routing import Course
from sync.settle import settle_create
from sync.travel import company
from sync.wording import Act

NOBODY = Arrivals((), {}, ())
NOTHING = Plan(())


@dataclass(frozen=True, slots=True)
class Write:
    """One write that would be made."""

    side: Side
    item: str
    """`create`, `field NAME` (as that side calls it), `comment ID`, `edit of comment ID`, `file NAME` or
    `notice`."""
    would: Value
    before: Value
    """What stands there."""
    why: str
    kind: WriteKind | None = None
    """As the tracker tells it apart; None: it would be written here."""


@dataclass(frozen=True, slots=True)
class Intended:
    """What one look would write, and what it was decided on."""

    writes: tuple[Write, ...] = ()
    why: str = ""
    """Why there is nothing to decide; '' where there was."""
    past: Past | None = None
    """None: one side does not know the ticket."""
    theirs: Reading | None = None
    plan: Plan = NOTHING
    arrivals: Arrivals = NOBODY
    unsent: tuple[Item, ...] = ()

    def on(self, side: Side) -> tuple[Write, ...]:
        """Those to this side."""
        return tuple(write for write in self.writes if write.side is side)


def of_ticket(means: Means, gateway: Gateway, ticket_id: int, lease: Lease | None = None) -> Intended:
    """What an outward look at our ticket would write, the inward look that goes before it with it. `lease`: that of
    whoever works on it.

    :raises ConnectorError: by remedy; `TryLater` where an earlier create may still appear there."""
    course, past, wanted = whereabouts(means, gateway, ticket_id)
    match course:
        case Course.CREATE:
            made = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None) if past else None
            found = earlier_create(means, gateway, past.link, made, lease) if past and made else None
            if past is not None and made is not None and found is not None:
                fields, at, edits = found.fields, means.clock(), reading(gateway, found, means.clock()).history
                link = settle_create(
                    past.link, made, found.key, found.address, fields, gateway.mapping, at, edits=edits
                )
                return _known(means, gateway, replace(past, link=link), lease)
            return Intended(_created(means, gateway, ticket_id)) if wanted else Intended(why="not routed there")
        case Course.RESUME if past is not None:
            return _known(means, gateway, replace(past, link=past.link.evolve(state=LinkState.ACTIVE)), lease)
        case Course.KEEP if past is not None:
            return _known(means, gateway, past, lease)
        case Course.DETACH if past is not None and past.link.state is LinkState.ACTIVE:
            why = f"the ticket is now with {past.ticket['unit']}"
            notice = Write(Side.SYSTEM, "notice", last_notice(means, past), None, why, WriteKind.COMMENT)
            return Intended((notice,))
        case _:
            return Intended(why=f"the link is {past.link.state}" if past else "not routed there")


def of_key(means: Means, gateway: Gateway, key: str) -> Intended:
    """What an inward look at their ticket would write, the outward look that follows from it with it.

    :raises ConnectorError: by remedy."""

    def question(tx: Transaction) -> Past | None:
        link = tx.links.find_by_key(gateway.system, key)
        return read_past(tx, link) if link else None

    past = means.store.read(question)
    if gateway.marker is not None and key == gateway.marker.ticket:
        return Intended(why="this ticket bears our mark")
    if past is not None and past.link.state in (LinkState.DUPLICATE, LinkState.DETACHED, LinkState.PENDING):
        return Intended(why=f"the link is {past.link.state}")
    if past is not None:
        return _known(means, gateway, past, None)
    try:
        asked_at = means.clock()
        theirs = reading(gateway, gateway.connector.fetch(key, known=frozenset()), asked_at)
    except NotFound as problem:
        return Intended(why=str(problem))
    return _unknown(means, gateway, theirs)


def seen(means: Means, gateway: Gateway, past: Past | None, theirs: Reading) -> Intended:
    """What an inward look would write, given what it read. `past` None: no link holds this key."""
    if past is None:
        return _unknown(means, gateway, theirs)
    gone = gone_by_value(gateway, theirs.ticket)
    return Intended(why=f"it is gone there: {gone}") if gone else linked(means, gateway, past, theirs)


def linked(means: Means, gateway: Gateway, past: Past, theirs: Reading) -> Intended:
    """What a look at a linked ticket would write, given both sides as they are. Nothing is asked for."""
    events = events_for(means, gateway, past)
    plan = decide(gateway, past, theirs, events=events)
    changes = consequences(past.ticket.fields, plan.inward)
    decided = plan
    if changes:  # what the centre makes of their edits is told them, too
        link = past.link.evolve(base={**past.link.base, **plan.base})
        after = replace(past, ticket=replace(past.ticket, fields={**past.ticket.fields, **changes}), link=link)
        decided = decide(gateway, after, theirs, events=events)
    arrivals = NOBODY if theirs.ticket.comments is None else arrivals_of(means, gateway, past, theirs)
    sent = {intent.comment_id for intent in (*arrivals.landed.values(), *past.link.intents)}
    unsent = tuple(
        item
        for item in _items(gateway, past.comments, past.files, past.ties, past.file_ties)
        if item.comment is None or item.comment.id not in sent
    )
    revised = _revised(means, gateway, past, theirs)
    heard = {comment.id: comment for comment in theirs.ticket.comments or ()}
    writes = [_taken(past, step.name, changes[step.name], step.why) for step in plan.steps if step.name in changes]
    told = {step.name for step in plan.steps}
    writes += [_taken(past, n, v, "central's workflow sets it") for n, v in changes.items() if n not in told]
    for number in arrivals.new:
        text = gateway.mapping.comment.inward(heard[number].text)
        writes.append(Write(Side.CENTRE, f"comment {number}", text, None, f"said in {gateway.system}"))
    writes += revised.values()
    writes += said(means, gateway, unsent)
    writes += [_amended(told) for told in amend.owed(means, gateway, past) if told.comment.id not in revised]
    for step in decided.outward:
        writes += _written(gateway, step)
    writes += _company(gateway, decided, past)
    return Intended(tuple(writes), "", past, theirs, plan, arrivals, unsent)


def kinds(writes: Iterable[Write]) -> Mapping[WriteKind, int]:
    """How many writes of each kind the tracker sees, of one ticket: all its fields travel in one, and each step on the
    way to a value is one more."""
    writes = tuple(writes)
    found = Counter(write.kind for write in writes if write.kind is not None)
    changed, moved = found.pop(WriteKind.UPDATE, 0), found.pop(WriteKind.TRANSITION, 0)
    if changed or moved:
        steps = Counter(each.item for each in writes if each.kind in (WriteKind.UPDATE, WriteKind.TRANSITION))
        found[WriteKind.TRANSITION if moved else WriteKind.UPDATE] = max(steps.values())
    return {kind: number for kind, number in found.items() if kind is not None and number}


def _known(means: Means, gateway: Gateway, past: Past, lease: Lease | None) -> Intended:
    try:
        theirs = read(means, gateway, past, conversation=True, lease=lease)
    except NotFound as problem:
        return Intended(why=str(problem))
    return seen(means, gateway, past, theirs)


def _unknown(means: Means, gateway: Gateway, theirs: Reading) -> Intended:
    """A key that no link holds: theirs to be taken in, unless it is ours or gone."""
    system, ticket = gateway.system, theirs.ticket

    def question(tx: Transaction) -> bool:
        ours = ticket.own and ticket.token and tx.links.find_intent(system, ticket.token) is not None
        return bool(ours) or any(tx.links.find_by_key(system, alias) for alias in ticket.aliases)

    if means.store.read(question):
        return Intended(why="a ticket of ours, or one that is known under another key")
    gone = gone_by_value(gateway, ticket)
    if gone:
        return Intended(why=f"it is gone there: {gone}")
    fields, _, _ = born_fields(gateway, ticket)
    lines = tuple(f"{name}: {value}" for name, value in fields.items() if value is not None)
    comments = sum(not comment.internal for comment in ticket.comments or ())
    why = f"opened in {system}{f', {comments} comments with it' if comments else ''}"
    return Intended((Write(Side.CENTRE, "create", lines, None, why),), theirs=theirs)


def _created(means: Means, gateway: Gateway, ticket_id: int) -> tuple[Write, ...]:
    def question(tx: Transaction) -> tuple[Ticket, Sequence[Comment], Sequence[Attachment]]:
        return tx.tickets.get(ticket_id), tx.tickets.comments(ticket_id), tx.tickets.files(ticket_id)

    ticket, comments, files = means.store.read(question)
    wrote = fields_to_create(gateway, ticket)
    lines = tuple(f"{remote}: {value}" for remote, value in sent_at_birth(gateway, wrote).items())
    why = f"its unit {ticket['unit']!r} belongs to {gateway.system}"
    made = Write(Side.SYSTEM, "create", lines, None, why, WriteKind.CREATE)
    whole = [_whole(gateway, name, pair.ours) for name, pair in wrote.items()]
    return (made, *(each for each in whole if each), *said(means, gateway, _items(gateway, comments, files, {}, {})))


def _items(
    gateway: Gateway,
    comments: Sequence[Comment],
    files: Sequence[Attachment],
    ties: Mapping[int, str],
    file_ties: Mapping[int, str],
) -> tuple[Item, ...]:
    return discussion.unsent(gateway.system, comments, files, ties, file_ties, share_internal=gateway.share_internal)


def _revised(means: Means, gateway: Gateway, past: Past, theirs: Reading) -> dict[int, Write]:
    """What they did to comments that were carried already, where that changes ours."""
    if theirs.shown is None:
        return {}
    comments = {comment.id: comment for comment in past.comments}
    found = {}
    for before, _, revision in revisions(means, gateway, past, theirs.shown, comments=comments, tied=past.tied):
        after = revision.comment
        if after == before:
            continue
        gone = after.deleted_at is not None or after.visibility is not before.visibility
        would = None if gone else after.text
        found[before.id] = Write(Side.CENTRE, _edit_of(before.id), would, before.text, "they changed it there")
    return found


def _taken(past: Past, name: str, value: Value, why: str) -> Write:
    return Write(Side.CENTRE, f"field {name}", value, past.ticket[name], why)


def said(means: Means, gateway: Gateway, items: Iterable[Item]) -> list[Write]:
    """These comments and files as they would be sent."""
    writes = []
    for item in items:
        draft, _, _ = drafts.draft(means, gateway, item)
        kind = WriteKind.INTERNAL_COMMENT if draft.internal else WriteKind.COMMENT
        writes.append(Write(Side.SYSTEM, item.label, draft.text, None, "it has not been sent yet", kind))
    return writes


def _amended(told: amend.Told) -> Write:
    """An edit in place is no kind of write that sends mail; a note of correction is a comment."""
    hidden = told.comment.visibility is Visibility.INTERNAL
    spoken = WriteKind.INTERNAL_COMMENT if hidden else WriteKind.COMMENT
    kind = spoken if told.act in (Act.CORRECT, Act.RETRACT) else WriteKind.UPDATE
    text = None if told.draft is None else told.draft.text
    return Write(Side.SYSTEM, _edit_of(told.comment.id), text, None, f"it changed here: {told.act}", kind)


def _edit_of(comment_id: int) -> str:
    return f"edit of comment {comment_id}"


def _written(gateway: Gateway, step: Step) -> list[Write]:
    item = f"field {gateway.mapping.fields[step.name].remote}"
    kind = WriteKind.TRANSITION if step.name == "status" else WriteKind.UPDATE
    whole = _whole(gateway, step.name, step.ours)
    on_the_way = f"on the way to {step.become!r}"
    written = [Write(Side.SYSTEM, item, value, step.theirs, on_the_way, kind) for value in step.way]
    written.append(Write(Side.SYSTEM, item, step.become, step.theirs, step.why, kind))
    return [*written, whole] if whole else written


def _company(gateway: Gateway, plan: Plan, past: Past) -> list[Write]:
    """What their forms ask for on the way, as far as it says something new there."""
    fields, steps = gateway.mapping.fields, {step.name: step for step in plan.steps}
    found: dict[str, Write] = {}
    for step in plan.outward:
        for value in (*step.way, step.become) if fields[step.name].transitions else ():
            arriving = Plan(tuple(s._replace(become=value, way=()) if s is step else s for s in plan.steps))
            with_it = company(arriving, gateway.mapping, past.link.refusals.keys())
            filled = {fields[name].remote: (pair.theirs, steps[name].theirs) for name, pair in with_it.wrote.items()}
            mapped = {field.remote for field in fields.values()}
            constants = {n: (each, past.link.seen.get(n)) for n, each in with_it.said.items() if n not in mapped}
            for remote, (would, before) in {**filled, **constants}.items():
                why = f"it goes with {value!r}"
                found.setdefault(remote, Write(Side.SYSTEM, f"field {remote}", would, before, why, WriteKind.UPDATE))
    return list(found.values())


def _whole(gateway: Gateway, name: str, ours: Value) -> Write | None:
    """A text that does not fit into its field travels as a file beside it."""
    spill = gateway.mapping.fields[name].rule.spill(ours)
    if spill is None:
        return None
    return Write(
        Side.SYSTEM, f"file {spill.name}", spill.text, None, "it does not fit into its field", WriteKind.COMMENT
    )
