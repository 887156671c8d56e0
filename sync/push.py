"""Outward: a system is owed a look at our ticket. Comments first, fields next; every write is an intent first."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from central.events import Event, Kind
from central.link import Intent, IntentKind, Link, LinkState, Pair
from central.model import SYSTEM
from central.store.api import Lease, StaleRevision, Transaction
from connectors.api import Lookup, RemoteTicket, Written
from connectors.errors import NotFound, Refused, Transient, Unknown, VersionConflict
from mappings.model import Carries, Spill, Untranslatable
from sync import discussion, echo, routing
from sync.absorb import absorb, because, keep, unread_edits
from sync.decide import decide, events_for, read_up_to
from sync.gateway import Gateway
from sync.means import Means, Outcome, said
from sync.past import Past, read_past, reread
from sync.pull import look, lose
from sync.reading import Reading, gone_by_value, held, read, reading, remembered
from sync.reconcile import Plan, Verdict
from sync.routing import Course
from sync.settle import Settled, settle_create, settle_update, without
from sync.speak import notify, say, settle_notice, text_file

_DECISIONS = 5
"""How often a write is decided again when the ticket moves under it, before the delivery waits its turn."""


class TryLater(Transient):
    """Not now: an earlier attempt of ours may still be on its way, and must be known before anything is repeated."""

    def __init__(self, message: str, at: datetime, now: datetime) -> None:
        super().__init__(message, retry_after=max(at - now, timedelta(0)))


def push(means: Means, gateway: Gateway, ticket_id: int, lease: Lease) -> Outcome:
    """Tell one remote what it does not know yet about one ticket.

    :raises ConnectorError: by remedy; what was written before it is settled or has an open intent."""

    def question(tx: Transaction) -> tuple[Past | None, Link | None, str | None]:
        ticket = tx.tickets.get(ticket_id)
        link = tx.links.find(ticket_id, gateway.system)
        target = routing.system_of(ticket["unit"], means.units())
        return (read_past(tx, link) if link else None), link, target

    past, link, target = means.store.read(question)
    match routing.course(gateway.system, link, target):
        case Course.CREATE:
            created = _create(means, gateway, ticket_id, past, lease, wanted=target == gateway.system)
            if created is None:
                return said("nothing came of an earlier create, and the ticket is no longer routed there")
            return said(f"created there as {created.link.key}").also(push(means, gateway, ticket_id, lease))
        case Course.RESUME if past is not None:
            return _resume(means, gateway, past, lease)
        case Course.KEEP if past is not None:
            return _tell(means, gateway, past, lease)
        case Course.DETACH if past is not None:
            return _detach(means, gateway, past, lease)
        case _:
            return said(f"nothing to do: the link is {link.state}" if link else "nothing to do: not routed there")


# -- creating ------------------------------------------------------------------------------------------------------


def _create(
    means: Means, gateway: Gateway, ticket_id: int, past: Past | None, lease: Lease, *, wanted: bool
) -> Past | None:
    """Make the ticket there once, whatever happened to earlier attempts; None: it is not wanted there any more."""
    if past is None:
        past = means.store.write(lambda tx: _pending(tx, means, gateway, ticket_id, lease))
    earlier = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None)
    found = _earlier_create(means, gateway, earlier) if earlier else None
    if earlier is not None and found is not None:
        theirs = reading(gateway, found, means.clock())
        return _bind(means, gateway, past, earlier, theirs, lease, edits=theirs.history)
    if not wanted:
        if earlier is not None:
            _drop(means, past, earlier, lease)
        return None
    means.ensure_time(lease)
    past, intent = _intend_to_create(means, gateway, past, lease)
    fields = {gateway.mapping.fields[n].remote: p.theirs for n, p in intent.wrote.items() if p.theirs is not None}
    asked_at = means.clock()
    try:
        made = gateway.connector.create({**gateway.mapping.constants, **fields}, token=intent.token)
    except Unknown:
        raise
    except (Refused, Transient) as problem:
        _drop(means, past, intent, lease, error=str(problem))
        raise
    return _bind(means, gateway, past, intent, reading(gateway, made, asked_at), lease, edits=())


def _pending(tx: Transaction, means: Means, gateway: Gateway, ticket_id: int, lease: Lease) -> Past:
    at = means.clock()
    tx.outbox.check(lease, at)
    link = tx.links.create(Link(0, ticket_id, gateway.system, LinkState.PENDING, created_at=at))
    return read_past(tx, link)


def _earlier_create(means: Means, gateway: Gateway, intent: Intent) -> RemoteTicket | None:
    """What an earlier attempt made; None when surely nothing came of it."""
    found = gateway.connector.find(intent.token, intent.at)
    if isinstance(found, RemoteTicket):
        return found
    at = means.clock()
    certain_at = intent.at + gateway.connector.capabilities.search_lag + means.request_deadline
    if found is Lookup.UNKNOWN or at < certain_at:
        raise TryLater("an earlier create may still appear there", certain_at, at)
    return None


def _intend_to_create(means: Means, gateway: Gateway, past: Past, lease: Lease) -> tuple[Past, Intent]:
    """Commit what is about to be created; a repeated attempt keeps its token, so that a late one is recognised."""
    past = reread(means.store, past)
    earlier = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None)
    wrote: dict[str, Pair] = {}
    for field in gateway.mapping.fields.values():
        if field.carries is Carries.INWARD:
            continue
        ours = past.ticket[field.central]
        try:
            wrote[field.central] = Pair(ours, field.rule.outward(ours, held=None))
        except Untranslatable:
            continue  # the first look states it as a standing disagreement, with the rule's own words
    token = earlier.token if earlier else means.token()
    intent = Intent(IntentKind.CREATE, token, means.clock(), wrote=wrote, epoch=lease.epoch)

    def commit(tx: Transaction) -> Past:
        tx.outbox.check(lease, means.clock())
        intents = (*without(past.link.intents, intent), intent)
        tx.links.save(past.link.evolve(intents=intents))
        return read_past(tx, past.link.evolve(intents=intents))

    return means.store.write(commit), intent


def _bind(
    means: Means,
    gateway: Gateway,
    past: Past,
    intent: Intent,
    theirs: Reading,
    lease: Lease,
    *,
    edits: Sequence[echo.Entry] | None,
) -> Past:
    """The ticket is there: settle the create. `edits`: its history, where it was found after the fact."""
    found = theirs.ticket

    def settle(tx: Transaction) -> Past:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = settle_create(
            past.link, intent, found.key, found.address, found.fields, gateway.mapping, at, edits=edits
        )
        tx.links.save(link)
        data = {"key": found.key, "address": found.address}
        why = f"its unit {past.ticket['unit']!r} belongs to {gateway.system}"
        event = Event(Kind.LINKED, past.ticket.id, at, SYSTEM, system=gateway.system, data=data, why=why)
        tx.tickets.record([event])
        return read_past(tx, link)

    past = means.store.write(settle)
    for name, pair in intent.wrote.items():
        whole = gateway.mapping.fields[name].rule.spill(pair.ours)
        if whole is not None:
            past = _spill(means, gateway, past, whole, lease)
    return past


def _spill(means: Means, gateway: Gateway, past: Past, whole: Spill, lease: Lease) -> Past:
    """A text that did not fit travels as a file beside."""
    text = f"The whole text is in the attached file {whole.name}."
    notify(means, gateway, past, text, lease, file=text_file(whole))
    return reread(means.store, past)


def _drop(means: Means, past: Past, intent: Intent, lease: Lease, *, error: str = "") -> None:
    """Take an intent back: surely nothing was written."""

    def change(tx: Transaction) -> None:
        tx.outbox.check(lease, means.clock())
        link = tx.links.find(past.link.ticket_id, past.link.system)
        if link is not None:
            tx.links.save(link.evolve(intents=without(link.intents, intent), last_error=error))

    means.store.write(change)


# -- leaving and coming back ---------------------------------------------------------------------------------------


def _detach(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Outcome:
    """Stop both directions, with one last notice to those who stay behind."""
    unit = past.ticket["unit"]
    text = f"{means.centre} has given this ticket to {unit}; it is no longer synchronised with this system."

    def begin(tx: Transaction, link: Link) -> Link:
        why = f"the ticket is now with {unit}; base and ids are kept"
        tx.tickets.record([Event(Kind.DETACHED, link.ticket_id, means.clock(), SYSTEM, system=gateway.system, why=why)])
        return link.evolve(state=LinkState.DETACHED, disagreements={}, intents=())

    try:
        if past.link.state is LinkState.DETACHED:
            if _last_notice_arrived(means, gateway, past, lease):
                return said("the last notice had arrived")
        else:
            past, _ = _account_for_earlier_comments(means, gateway, past, lease)
        notify(means, gateway, past, text, lease, begin=begin)
    except NotFound:
        return lose(means, gateway, past, lease, "it is gone there")
    return said(f"detached: the ticket is now with {unit}")


def _last_notice_arrived(means: Means, gateway: Gateway, past: Past, lease: Lease) -> bool:
    """Whether the notice whose answer was lost got through. A detached link is not read for anything else."""
    theirs = read(means, gateway, past, conversation=True)
    arrived = discussion.arrivals(past.link, theirs.marks, past.known).landed
    comments = {comment.id: comment for comment in theirs.ticket.comments or ()}
    for remote_id, intent in arrived.items():
        settle_notice(means, gateway, past, intent, comments[remote_id], lease)
    at = means.clock()
    for intent in past.link.intents:
        if intent not in arrived.values() and at < intent.at + means.request_deadline:
            certain_at = intent.at + means.request_deadline
            raise TryLater("the last notice may still appear there", certain_at, at)
    return bool(arrived)


def _resume(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Outcome:
    """Take up a detached link again: a three-way merge against the base it was left with."""

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        tx.links.save(past.link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))
        # the conversation of the gap must be read, whatever happens to this very look
        means.relay.owe_inward(tx, gateway.system, past.link.key or "", at, reason="the link was resumed")
        why = "the ticket came back; both sides are merged against the old base"
        tx.tickets.record([Event(Kind.RESUMED, past.ticket.id, at, SYSTEM, system=gateway.system, why=why)])

    means.store.write(change)
    past = reread(means.store, past)
    try:
        past = look(means, gateway, past, read(means, gateway, past, conversation=True), lease)[1]
    except NotFound:
        return said("resumed").also(lose(means, gateway, past, lease, "it is gone there"))
    return said("resumed").also(_tell(means, gateway, past, lease))


# -- telling -------------------------------------------------------------------------------------------------------


def _tell(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Outcome:
    """Everything that an active link is owed: comments in order, then the fields."""
    outcome = said()
    try:
        past, theirs = _account_for_earlier_comments(means, gateway, past, lease)
        items = discussion.unsent(
            gateway.system,
            past.comments,
            past.files,
            past.ties,
            past.file_ties,
            share_internal=gateway.share_internal,
        )
        for item in items:
            spoken = say(means, gateway, past, item, lease)
            theirs = reading(gateway, spoken.ticket, spoken.asked_at) if spoken.ticket else None
            outcome = outcome.also(said(spoken.sentence))
            past = reread(means.store, past)
        outcome = outcome.also(_write_fields(means, gateway, past, theirs, lease))
    except NotFound:
        return outcome.also(lose(means, gateway, past, lease, "it is gone there"))
    return outcome if outcome.said else said("already agreed")


def _account_for_earlier_comments(
    means: Means, gateway: Gateway, past: Past, lease: Lease
) -> tuple[Past, Reading | None]:
    """Find out what became of comments whose answer was lost, before anything is sent again.

    :raises Refused: a person must say whether a comment there is the one that was sent."""
    if not past.awaited():
        return past, None
    theirs = read(means, gateway, past, conversation=True)
    doubtful = discussion.arrivals(past.link, theirs.marks, past.known).doubtful
    _, past = look(means, gateway, past, theirs, lease)
    waiting = past.awaited()
    if waiting and doubtful:
        raise Refused(
            f"a comment of ours has lost its answer, and {len(doubtful)} of our account there bear no mark "
            f"({', '.join(doubtful)}): say which is which, then retry"
        )
    for intent in waiting:
        certain_at = intent.at + means.request_deadline
        if theirs.asked_at is None or theirs.asked_at < certain_at:
            raise TryLater("an earlier comment may still appear there", certain_at, means.clock())
        _drop(means, past, intent, lease)
    return (reread(means.store, past) if waiting else past), theirs


def _account_for_earlier_writes(
    means: Means, gateway: Gateway, past: Past, theirs: Reading | None, lease: Lease
) -> tuple[Past, Reading | None]:
    """Find out what became of an update whose answer was lost, before another one may cross it."""
    if not any(intent.kind is IntentKind.UPDATE for intent in past.link.intents):
        return past, theirs
    if theirs is None or theirs.ticket.comments is None:
        theirs = read(means, gateway, past, conversation=True)
        _, past = look(means, gateway, past, theirs, lease)
    for intent in past.link.intents:
        if intent.kind is IntentKind.UPDATE:
            certain_at = intent.at + means.request_deadline
            raise TryLater("an earlier write may still be carried out there", certain_at, means.clock())
    return past, theirs


def _write_fields(means: Means, gateway: Gateway, past: Past, theirs: Reading | None, lease: Lease) -> Outcome:
    """Write what the plan says, decided anew whenever either side moves."""
    past, theirs = _account_for_earlier_writes(means, gateway, past, theirs, lease)
    for attempt in range(_DECISIONS):
        if theirs is None and not past.link.intents:
            plan = decide(gateway, past, remembered(past))
            if plan.quiet:
                return _agree(means, gateway, past, plan, lease)
            theirs = held(past, gateway.connector.capabilities) if attempt == 0 else None
        if theirs is None:
            theirs = read(means, gateway, past, conversation=False)
        gone = gone_by_value(gateway, theirs.ticket)
        if gone:
            return lose(means, gateway, past, lease, gone, theirs)
        plan = decide(gateway, past, theirs, events=events_for(means, gateway, past))
        means.ensure_time(lease)
        try:
            link, intent = _commit(means, gateway, past, theirs, plan, lease)
        except StaleRevision:
            past = reread(means.store, past)
            continue
        if intent is None:
            return _nothing_written(plan)
        try:
            written, asked_at = _update(means, gateway, past, link, intent, theirs, lease)
        except VersionConflict:
            _drop(means, past, intent, lease)
            past, theirs = reread(means.store, past), None
            continue
        after = reading(gateway, written.after, asked_at)
        if asked_at is not None and _looks_refused(gateway, intent, after):
            after = read(means, gateway, past, conversation=True)
        return _settle(means, gateway, past, intent, after, written, plan, lease)
    raise Transient("the ticket moves faster than it can be decided; it waits its turn")


def _agree(means: Means, gateway: Gateway, past: Past, plan: Plan, lease: Lease) -> Outcome:
    """What we hold of both sides leaves nothing to write: record what agrees now, and ask for nothing."""
    if plan.base == past.link.base and dict(plan.standing) == dict(past.link.disagreements):
        return said()
    try:
        _commit(means, gateway, past, remembered(past), plan, lease)
    except StaleRevision:
        raise Transient("the ticket moved while it was decided; it waits its turn") from None
    return _nothing_written(plan)


def _commit(
    means: Means, gateway: Gateway, past: Past, theirs: Reading, plan: Plan, lease: Lease
) -> tuple[Link, Intent | None]:
    """The plan's central part, and the intent of what is about to be written, in one transaction."""
    wrote = {step.name: Pair(step.ours, step.become) for step in plan.outward}
    intent = (
        Intent(
            IntentKind.UPDATE,
            means.token(),
            means.clock(),
            wrote=wrote,
            before=dict(theirs.ticket.fields),
            version=theirs.ticket.version,
            history_seen=theirs.history_seen,
            epoch=lease.epoch,
        )
        if wrote
        else None
    )

    def commit(tx: Transaction) -> Link:
        at = means.clock()
        tx.outbox.check(lease, at)
        _, link = absorb(tx, means, gateway, past, theirs, plan, at)
        link = read_up_to(link, gateway, theirs, unread=_unread(past, theirs))
        link = link.evolve(intents=(*link.intents, intent) if intent else link.intents)
        if intent is None and plan.quiet and not link.intents:
            link = link.evolve(agreed_at=at)
        tx.links.save(link)
        return link

    return means.store.write(commit), intent


def _unread(past: Past, theirs: Reading) -> bool:
    """Whether this reading shows comments that are still to be taken in, or shows none at all."""
    comments = theirs.ticket.comments
    return comments is None or any(c.id not in past.known and not c.internal for c in comments)


def _nothing_written(plan: Plan) -> Outcome:
    sentences = [f"{name} disagrees: {why}" for name, why in plan.standing.items()]
    sentences += [f"{s.name}: {s.why}" for s in plan.steps if s.verdict is Verdict.INWARD]
    return Outcome(tuple(sentences))


def _update(
    means: Means, gateway: Gateway, past: Past, link: Link, intent: Intent, theirs: Reading, lease: Lease
) -> tuple[Written, datetime | None]:
    """Send the patch; what came back, and when it was asked for (None: what was read before still stands)."""
    patch = {gateway.mapping.fields[name].remote: pair.theirs for name, pair in intent.wrote.items()}
    asked_at = means.clock()
    try:
        return gateway.connector.update(link.key or "", patch, held=theirs.ticket), asked_at
    except Unknown:
        raise
    except Refused as refusal:
        named = {refusal.field} if refusal.field in patch else set(patch)
        return Written(theirs.ticket, frozenset(), dict.fromkeys(named, refusal.reason)), None
    except Transient:
        _drop(means, past, intent, lease)
        raise


def _looks_refused(gateway: Gateway, intent: Intent, after: Reading) -> bool:
    """Whether a field stands as it stood before, and only the history can tell a refusal from a change back."""
    if after.history is not None or not gateway.connector.capabilities.history:
        return False
    for name, pair in intent.wrote.items():
        field = gateway.mapping.fields[name]
        stands = field.rule.canonical_theirs(after.ticket.fields.get(field.remote))
        if stands != field.rule.canonical_theirs(pair.theirs):
            return True
    return False


def _settle(
    means: Means,
    gateway: Gateway,
    past: Past,
    intent: Intent,
    after: Reading,
    written: Written,
    plan: Plan,
    lease: Lease,
) -> Outcome:
    entries = None
    seen = past.link.history_seen if intent.history_seen is None else intent.history_seen
    if after.history is not None and seen is not None:
        entries = echo.after(after.history, seen)

    def settle(tx: Transaction) -> Outcome:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        opened = replace(past, link=link)
        edits = unread_edits(opened, gateway, after)
        settled = settle_update(link, intent, after.ticket.fields, written.refused, entries, gateway.mapping, at)
        link = settled.link
        tx.tickets.record(_reported(past, gateway, intent, after, plan, settled, at))
        for name, loser in edits.items():
            tx.tickets.record(keep(tx, name, loser, past, gateway, at))
        if settled.look_again:
            means.relay.owe_inward(tx, gateway.system, link.key or "", at, reason="they changed it while we wrote")
        else:
            link = read_up_to(link, gateway, after, unread=_unread(past, after))
        if after.history_seen is not None:
            link = link.evolve(history_seen=after.history_seen)
        if not settled.refused and not settled.look_again and not link.intents:
            link = link.evolve(agreed_at=at)
        tx.links.save(link)
        return Outcome(
            tuple(f"{name} written: {pair.theirs!r}" for name, pair in settled.arrived.items())
            + tuple(f"{name} refused: {reason}" for name, reason in settled.refused.items())
        )

    outcome = means.store.write(settle)
    arrived = [n for n in intent.wrote if gateway.mapping.fields[n].remote in written.applied]
    for name in arrived:
        whole = gateway.mapping.fields[name].rule.spill(intent.wrote[name].ours)
        if whole is not None:
            past = _spill(means, gateway, past, whole, lease)
    return outcome


def _reported(
    past: Past, gateway: Gateway, intent: Intent, after: Reading, plan: Plan, settled: Settled, at: datetime
) -> list[Event]:
    """What the write did, for the history."""
    ticket_id, system = past.ticket.id, gateway.system
    events = []
    for step in plan.outward:
        if step.name in settled.arrived:
            data = {"ours": step.ours, "theirs": step.become, "before": step.theirs}
            why = because(step, gateway.mapping)
            events.append(
                Event(Kind.WRITTEN, ticket_id, at, SYSTEM, system=system, field=step.name, data=data, why=why)
            )
    for name, reason in settled.refused.items():
        stays = after.ticket.fields.get(gateway.mapping.fields[name].remote)
        data = {"wanted": intent.wrote[name].theirs, "stays": stays}
        events.append(
            Event(Kind.WRITE_REFUSED, ticket_id, at, SYSTEM, system=system, field=name, data=data, why=reason)
        )
    return events
