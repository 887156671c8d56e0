"""Outward: a system is owed a look at our ticket. Comments first, fields next; every write is an intent first."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from central.events import Event, Kind
from central.link import Intent, IntentKind, Link, LinkState, Pair
from central.model import SYSTEM, Conflict, Value
from central.store.api import Lease, StaleRevision, Transaction
from connectors.api import Capabilities, Lookup, RemoteTicket, VersionStrength, Written
from connectors.errors import NotFound, Refused, Transient, Unknown, VersionConflict
from mappings.model import Carries, Spill, Untranslatable
from sync import discussion, echo, routing
from sync.absorb import absorb, because, history
from sync.gateway import Gateway
from sync.means import Means, Outcome, said
from sync.past import Past, read_past
from sync.policy import admit
from sync.pull import decide, gone_by_value, look, lose, racy_window, reread, row_version
from sync.reconcile import Plan, Verdict, reconcile
from sync.routing import Course
from sync.settle import settle_create, settle_look, settle_update, without
from sync.speak import Spoken, notify, say, text_file

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
            past = _create(means, gateway, ticket_id, past, lease)
            return said(f"created there as {past.link.key}").also(push(means, gateway, ticket_id, lease))
        case Course.RESUME if past is not None:
            return said("resumed").also(_tell(means, gateway, _resume(means, gateway, past, lease), lease))
        case Course.KEEP if past is not None:
            return _tell(means, gateway, past, lease)
        case Course.DETACH if past is not None:
            return _detach(means, gateway, past, lease)
        case _:
            return said(f"nothing to do: the link is {link.state}" if link else "nothing to do: not routed there")


# -- creating ------------------------------------------------------------------------------------------------------


def _create(means: Means, gateway: Gateway, ticket_id: int, past: Past | None, lease: Lease) -> Past:
    """Make the ticket there once, whatever happened to earlier attempts."""
    if past is None:
        past = means.store.write(lambda tx: _pending(tx, means, gateway, ticket_id, lease))
        found = None
    else:
        found = _earlier_create(means, gateway, past)
    intent = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None)
    if found is None or intent is None:
        past, intent = _recreate_intent(means, gateway, past, lease)
        fields = {gateway.mapping.fields[n].remote: p.theirs for n, p in intent.wrote.items() if p.theirs is not None}
        try:
            found = gateway.connector.create({**gateway.mapping.constants, **fields}, token=intent.token)
        except Unknown:
            raise
        except (Refused, Transient) as problem:
            _drop(means, past, intent, lease, error=str(problem))
            raise
    return _bind(means, gateway, past, intent, found, lease)


def _pending(tx: Transaction, means: Means, gateway: Gateway, ticket_id: int, lease: Lease) -> Past:
    at = means.clock()
    tx.outbox.check(lease, at)
    link = tx.links.create(Link(0, ticket_id, gateway.system, LinkState.PENDING, created_at=at))
    return read_past(tx, link)


def _earlier_create(means: Means, gateway: Gateway, past: Past) -> RemoteTicket | None:
    """What an earlier attempt made; None when surely nothing came of it."""
    intent = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None)
    if intent is None:
        return None
    found = gateway.connector.find(intent.token, intent.at)
    if isinstance(found, RemoteTicket):
        return found
    at = means.clock()
    certain_at = intent.at + gateway.connector.capabilities.search_lag + means.request_deadline
    if found is Lookup.UNKNOWN or at < certain_at:
        raise TryLater("an earlier create may still appear there", certain_at, at)
    return None


def _recreate_intent(means: Means, gateway: Gateway, past: Past, lease: Lease) -> tuple[Past, Intent]:
    """Commit what is about to be created; a repeated attempt keeps its token, so that a late one is recognised."""
    past = reread(means, past)
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


def _bind(means: Means, gateway: Gateway, past: Past, intent: Intent, found: RemoteTicket, lease: Lease) -> Past:
    def settle(tx: Transaction) -> Past:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = settle_create(past.link, intent, found.key, found.address, found.fields, gateway.mapping)
        tx.links.save(link)
        tx.tickets.record(
            [
                Event(
                    Kind.LINKED,
                    past.ticket.id,
                    at,
                    SYSTEM,
                    system=gateway.system,
                    data={"key": found.key, "address": found.address},
                    why=f"its unit {past.ticket['unit']!r} belongs to {gateway.system}",
                )
            ]
        )
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
    past, _ = _unless_moved(
        means, gateway, past, lease, lambda p: notify(means, gateway, p, text, lease, file=text_file(whole))
    )
    return reread(means, past)


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

    def finish(tx: Transaction, link: Link) -> Link:
        why = f"the ticket is now with {unit}; base and ids are kept"
        tx.tickets.record([Event(Kind.DETACHED, link.ticket_id, means.clock(), SYSTEM, system=gateway.system, why=why)])
        return link.evolve(state=LinkState.DETACHED, disagreements={}, intents=())

    try:
        past, _, arrived = _account_for_earlier_comments(means, gateway, past, lease)
        if any(intent.kind is IntentKind.NOTICE and intent.text == text for intent in arrived):
            means.store.write(lambda tx: _finish(tx, means, past, lease, finish))
        else:
            _unless_moved(means, gateway, past, lease, lambda p: notify(means, gateway, p, text, lease, finish=finish))
    except NotFound:
        return lose(means, gateway, past, lease, "it is gone there")
    return said(f"detached: the ticket is now with {unit}")


def _finish(
    tx: Transaction, means: Means, past: Past, lease: Lease, finish: Callable[[Transaction, Link], Link]
) -> None:
    tx.outbox.check(lease, means.clock())
    tx.links.save(finish(tx, past.link))


def _resume(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Past:
    """Take up a detached link again: a three-way merge against the base it was left with."""

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        tx.links.save(past.link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))
        tx.tickets.record(
            [
                Event(
                    Kind.RESUMED,
                    past.ticket.id,
                    at,
                    SYSTEM,
                    system=gateway.system,
                    why="the ticket came back; both sides are merged against the old base",
                )
            ]
        )

    means.store.write(change)
    past = reread(means, past)
    theirs = gateway.connector.fetch(past.link.key or "", known=past.known)
    return look(means, gateway, past, theirs, lease)[1]


# -- telling -------------------------------------------------------------------------------------------------------


def _tell(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Outcome:
    """Everything that an active link is owed: comments in order, then the fields."""
    outcome = said()
    try:
        past, theirs, _ = _account_for_earlier_comments(means, gateway, past, lease)
        items = discussion.unsent(
            gateway.system,
            past.comments,
            past.files,
            past.ties,
            past.file_ties,
            share_internal=gateway.share_internal,
        )
        for item in items:
            past, spoken = _unless_moved(
                means, gateway, past, lease, partial(_say, means, gateway, item=item, lease=lease)
            )
            theirs = spoken.ticket
            outcome = outcome.also(said(spoken.sentence))
            past = reread(means, past)
        outcome = outcome.also(_write_fields(means, gateway, past, theirs, lease))
    except NotFound:
        return outcome.also(lose(means, gateway, past, lease, "it is gone there"))
    return outcome if outcome.said else said("already agreed")


def _say(means: Means, gateway: Gateway, past: Past, *, item: discussion.Item, lease: Lease) -> Spoken:
    return say(means, gateway, past, item, lease)


def _unless_moved(
    means: Means, gateway: Gateway, past: Past, lease: Lease, speak: Callable[[Past], Spoken]
) -> tuple[Past, Spoken]:
    """Speak; where the ticket has moved meanwhile, read it first, so that nobody's edit is overwritten unread."""
    for _ in range(_DECISIONS):
        try:
            return past, speak(past)
        except VersionConflict:
            theirs = gateway.connector.fetch(past.link.key or "", known=past.known)
            _, past = look(means, gateway, past, theirs, lease)
    raise Transient("the ticket moves faster than it can be read; the comment waits its turn")


def _account_for_earlier_comments(
    means: Means, gateway: Gateway, past: Past, lease: Lease
) -> tuple[Past, RemoteTicket | None, tuple[Intent, ...]]:
    """Find out what became of comments whose answer was lost, before anything is sent again."""
    before = past.awaited()
    if not before:
        return past, None, ()
    theirs = gateway.connector.fetch(past.link.key or "", known=past.known)
    _, past = look(means, gateway, past, theirs, lease)
    waiting = past.awaited()
    at = means.clock()
    for intent in waiting:
        certain_at = intent.at + means.request_deadline
        if at < certain_at:
            raise TryLater("an earlier comment may still appear there", certain_at, at)
        _drop(means, past, intent, lease)
    arrived = tuple(intent for intent in before if intent not in waiting)
    return (reread(means, past) if waiting else past), theirs, arrived


def _write_fields(means: Means, gateway: Gateway, past: Past, theirs: RemoteTicket | None, lease: Lease) -> Outcome:
    """Write what the plan says, decided anew whenever either side moves."""
    capabilities = gateway.connector.capabilities
    for attempt in range(_DECISIONS):
        if theirs is None and _quiet(gateway, past):
            return said()
        if theirs is None:
            theirs = _held(past, capabilities) if attempt == 0 else None
        if theirs is None:
            theirs = gateway.connector.fetch(past.link.key or "")
        gone = gone_by_value(gateway, theirs)
        if gone:
            return lose(means, gateway, past, lease, gone)
        plan = decide(gateway, past, theirs)
        try:
            link, intent = _commit(means, gateway, past, theirs, plan, lease)
        except StaleRevision:
            past = reread(means, past)
            continue
        if intent is None:
            return _nothing_written(plan)
        try:
            written = _update(means, gateway, past, link, intent, theirs, lease)
        except VersionConflict:
            _drop(means, past, intent, lease)
            past, theirs = reread(means, past), None
            continue
        return _settle(means, gateway, past, intent, theirs, written, plan, lease)
    raise Transient("the ticket moves faster than it can be decided; it waits its turn")


def _quiet(gateway: Gateway, past: Past) -> bool:
    """Whether what we hold of both sides leaves nothing to write, so that nothing need be asked."""
    if past.link.intents:
        return False
    plan = reconcile(
        past.link, past.ticket.fields, past.link.seen, mapping=gateway.mapping, policy=gateway.policy, admit=admit
    )
    return plan.quiet


def _held(past: Past, capabilities: Capabilities) -> RemoteTicket | None:
    """The held state, where the server guards it by a precondition and answers with the new one."""
    guarded = capabilities.preconditions and capabilities.complete_answers
    if not guarded or capabilities.version is not VersionStrength.STRONG or not past.link.version:
        return None
    return RemoteTicket(past.link.key or "", past.link.version, past.link.seen, None, address=past.link.address)


def _commit(
    means: Means, gateway: Gateway, past: Past, theirs: RemoteTicket, plan: Plan, lease: Lease
) -> tuple[Link, Intent | None]:
    """The plan's central part, and the intent of what is about to be written, in one transaction."""
    wrote = {step.name: Pair(step.ours, step.become) for step in plan.outward}
    before: dict[str, Value] = dict(theirs.fields)
    intent = (
        Intent(
            IntentKind.UPDATE,
            means.token(),
            means.clock(),
            wrote=wrote,
            before=before,
            version=theirs.version,
            epoch=lease.epoch,
        )
        if wrote
        else None
    )

    def commit(tx: Transaction) -> Link:
        at = means.clock()
        tx.outbox.check(lease, at)
        _, link = absorb(tx, means, gateway, past, theirs, plan, at)
        link = _read_up_to(link, gateway, past, theirs, at)
        link = link.evolve(intents=(*link.intents, intent) if intent else link.intents)
        if intent is None and plan.quiet and not link.intents:
            link = link.evolve(agreed_at=at)
        tx.links.save(link)
        return link

    return means.store.write(commit), intent


def _read_up_to(link: Link, gateway: Gateway, past: Past, theirs: RemoteTicket, at: datetime) -> Link:
    """Move the version only where this reading showed the whole conversation, and nothing unknown in it."""
    if theirs.comments is None or any(c.id not in past.known and not c.internal for c in theirs.comments):
        return link
    return settle_look(link, theirs.version, row_version(theirs), at, window=racy_window(gateway, theirs))


def _nothing_written(plan: Plan) -> Outcome:
    sentences = [f"{name} disagrees: {why}" for name, why in plan.standing.items()]
    sentences += [f"{s.name}: {s.why}" for s in plan.steps if s.verdict is Verdict.INWARD]
    return Outcome(tuple(sentences))


def _update(
    means: Means, gateway: Gateway, past: Past, link: Link, intent: Intent, theirs: RemoteTicket, lease: Lease
) -> Written:
    patch = {gateway.mapping.fields[name].remote: pair.theirs for name, pair in intent.wrote.items()}
    try:
        return gateway.connector.update(link.key or "", patch, held=theirs)
    except Unknown:
        raise
    except Refused as refusal:
        # the whole write was refused: what was read is what still stands
        named = {refusal.field} if refusal.field in patch else set(patch)
        return Written(theirs, frozenset(), dict.fromkeys(named, refusal.reason))
    except Transient:
        _drop(means, past, intent, lease)
        raise


def _settle(
    means: Means,
    gateway: Gateway,
    past: Past,
    intent: Intent,
    held: RemoteTicket,
    written: Written,
    plan: Plan,
    lease: Lease,
) -> Outcome:
    after = written.after

    def settle(tx: Transaction) -> Outcome:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        settled = settle_update(link, intent, after.fields, written.refused, gateway.mapping, at)
        link = settled.link
        events = [
            Event(
                Kind.WRITTEN,
                past.ticket.id,
                at,
                SYSTEM,
                system=gateway.system,
                field=step.name,
                data={"ours": step.ours, "theirs": step.become, "before": step.theirs},
                why=because(step, gateway.mapping),
            )
            for step in plan.outward
            if step.name in settled.arrived
        ]
        events += [
            Event(
                Kind.WRITE_REFUSED,
                past.ticket.id,
                at,
                SYSTEM,
                system=gateway.system,
                field=name,
                data={
                    "wanted": intent.wrote[name].theirs,
                    "stays": after.fields.get(gateway.mapping.fields[name].remote),
                },
                why=reason,
            )
            for name, reason in settled.refused.items()
        ]
        events += _overwritten(tx, gateway, past, intent, held, after, at)
        tx.tickets.record(events)
        unread = after.comments is None or any(c.id not in past.known and not c.internal for c in after.comments)
        if not unread and not settled.look_again:
            link = settle_look(link, after.version, row_version(after), at, window=racy_window(gateway, after))
        if settled.look_again:
            means.relay.owe_inward(tx, gateway.system, link.key or "", at, reason="they changed it while we wrote")
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


def _overwritten(
    tx: Transaction, gateway: Gateway, past: Past, intent: Intent, held: RemoteTicket, after: RemoteTicket, at: datetime
) -> list[Event]:
    """No lock there: an edit made between our read and our write shows in their history, and is kept."""
    events: list[Event] = []
    for name, pair in intent.wrote.items():
        field = gateway.mapping.fields[name]
        value, lost = echo.overwritten(pair, intent.before.get(field.remote), field, history(after), len(held.history))
        if not lost:
            continue
        reason = "a person wrote between our read and our write, and this system knows no lock"
        tx.tickets.keep_conflict(
            Conflict(0, past.ticket.id, gateway.system, name, pair.ours, value, "central", reason, at, open=True)
        )
        events.append(
            Event(
                Kind.CONFLICT_KEPT,
                past.ticket.id,
                at,
                SYSTEM,
                system=gateway.system,
                field=name,
                data={"ours": pair.ours, "theirs": value, "winner": "central"},
                why=reason,
            )
        )
    return events
