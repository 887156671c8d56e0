"""Everything that an active link is owed: comments in central order first, then the fields."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Intent, IntentKind, Link
from central.model import SYSTEM, Value
from central.store.api import StaleRevision, Transaction
from connectors.api import Written
from connectors.errors import AccessError, NotFound, Refused, Transient, Unknown, VersionConflict
from sync import echo
from sync.absorb import absorb, unread_edits
from sync.amend import amend
from sync.decide import decide, events_for, hidden_edits, read_up_to, wants_history, with_latecomers
from sync.earlier import account_for_earlier_comments, account_for_earlier_writes
from sync.ending import Ending
from sync.gateway import Gateway
from sync.guards.breaker import ensure_no_fight
from sync.guards.marker import ensure_gone_on
from sync.intents import drop
from sync.means import Means, Outcome, said
from sync.moves import depart, lose
from sync.past import Past, reread
from sync.permit import ensure_permitted
from sync.plan import Plan, Verdict
from sync.pull import owes
from sync.reading import Reading, gone_by_value, held, read, reading, remembered
from sync.recording import because, keep
from sync.revise import standing_of
from sync.settle import Settled, settle_update
from sync.speak import say, spill
from sync.travel import company, in_their_words

_DECISIONS = 5
"""How often a write is decided again when the ticket moves under it, before the delivery waits its turn."""


def tell(means: Means, gateway: Gateway, past: Past, lease: Lease, *, ending: Ending | None = None) -> Outcome:
    """Everything that an active link is owed: comments in order, then the fields. `ending`: what the last commit ends,
    where it is known to be the last."""
    outcome = said()
    try:
        past, theirs = account_for_earlier_comments(means, gateway, past, lease)
        if gateway.comment_effects and past.unsent(
            share_internal=gateway.share_internal
        ):  # what it will do depends on what stands there
            past, theirs = account_for_earlier_writes(means, gateway, past, theirs, lease)
        while items := past.unsent(gateway.share_internal):
            try:
                spoken = say(means, gateway, past, items[0], lease)
            except StaleRevision:  # hidden, edited or deleted while it waited: seen anew
                past = reread(means.store, past)
                continue
            theirs = reading(gateway, spoken.ticket, spoken.asked_at) if spoken.ticket else None
            outcome = outcome.also(said(spoken.sentence))
            past = reread(means.store, past)
        revised, amended = amend(means, gateway, past, lease)
        if revised is not past:
            past, theirs = revised, None
        outcome = outcome.also(amended)
        if outcome.look_again_at is not None:
            ending = None
        outcome = outcome.also(_write_fields(means, gateway, past, theirs, lease, ending))
    except NotFound as problem:
        return outcome.also(depart(means, gateway, past, lease, problem))
    return outcome if outcome.said else said("already agreed")


def _write_fields(
    means: Means, gateway: Gateway, past: Past, theirs: Reading | None, lease: Lease, ending: Ending | None
) -> Outcome:
    """Write what the plan says, step by step where their workflow has no shorter way."""
    past, theirs = account_for_earlier_writes(means, gateway, past, theirs, lease)
    outcome, stands = _write_step(means, gateway, past, theirs, lease, ending)
    while stands is not None:
        following, stands = _write_step(means, gateway, reread(means.store, past), stands, lease, ending)
        outcome = outcome.also(following)
    return outcome


def _write_step(
    means: Means, gateway: Gateway, past: Past, theirs: Reading | None, lease: Lease, ending: Ending | None
) -> tuple[Outcome, Reading | None]:
    """One write, decided anew whenever either side moves; and what stands there after it, where it was a step on the
    way to what is to be reached."""
    # what our comment may have done is told from what people did by the history alone; and what becomes of our write,
    # where it is known how far the history went before
    unread = gateway.connector.capabilities.history and past.link.history_seen is None
    whole = unread or any(intent.side_effects for intent in past.link.intents)
    overtaken = theirs is not None  # what was read before the past is older than that
    for attempt in range(_DECISIONS):
        if theirs is None and not past.link.intents:
            plan = decide(gateway, past, remembered(past))
            # what we remember agrees with our change; whether they moved meanwhile only a reading tells
            agrees_now = any(step.verdict is Verdict.SETTLE for step in plan.steps)
            if plan.quiet and not agrees_now:
                return _agree(means, gateway, past, plan, lease, ending), None
            theirs = held(past, gateway.connector.capabilities) if attempt == 0 and not agrees_now else None
        if theirs is None:
            theirs, overtaken = read(means, gateway, past, conversation=whole, lease=lease), False
        gone = gone_by_value(gateway, theirs.ticket)
        if gone:
            return lose(means, gateway, past, lease, gone, theirs), None
        ensure_gone_on(means, gateway, past, theirs)
        past = with_latecomers(gateway, past, theirs)
        plan = decide(gateway, past, theirs, events=events_for(means, gateway, past), overtaken=overtaken)
        if wants_history(gateway, plan, theirs) and not whole:
            theirs, whole = None, True
            continue
        if plan.unsure:
            theirs = None
            continue
        means.ensure_time(lease)
        try:
            link, intent = _commit(means, gateway, past, theirs, plan, lease, ending)
        except StaleRevision:
            past, overtaken = reread(means.store, past), True
            continue
        if intent is None:
            return _nothing_written(plan), None
        try:
            said_too = company(plan, gateway.mapping, past.link.refusals.keys()).said
            written, asked_at = _update(means, gateway, past, link, intent, said_too, theirs, lease)
        except VersionConflict:
            drop(means, past, intent, lease)
            past, theirs = reread(means.store, past), None
            continue
        after = reading(gateway, written.after, asked_at)
        if asked_at is not None and _looks_refused(gateway, intent, after):
            after = read(means, gateway, past, conversation=True, lease=lease)
        # a restored system may give the version that we held anew, or go back while we write
        ensure_gone_on(means, gateway, replace(past, link=link), after, wrote=intent.wrote)
        outcome, goes_on = _settle(means, gateway, past, intent, after, written, plan, lease, ending)
        return outcome, after if goes_on else None
    raise Transient("the ticket moves faster than it can be decided; it waits its turn")


def _agree(means: Means, gateway: Gateway, past: Past, plan: Plan, lease: Lease, ending: Ending | None) -> Outcome:
    """What we hold of both sides leaves nothing to write: record what agrees now, and ask for nothing."""
    if (
        not any(step.loser for step in plan.steps)  # an edit that does not stand is to be kept
        and plan.base == past.link.base
        and {**plan.standing, **standing_of(past.link.disagreements)} == past.link.disagreements
    ):
        return said()
    try:
        _commit(means, gateway, past, remembered(past), plan, lease, ending)
    except StaleRevision:
        raise Transient("the ticket moved while it was decided; it waits its turn") from None
    return _nothing_written(plan)


def _commit(
    means: Means, gateway: Gateway, past: Past, theirs: Reading, plan: Plan, lease: Lease, ending: Ending | None
) -> tuple[Link, Intent | None]:
    """The plan's central part, and the intent of what is about to be written, in one transaction, which is the last
    where nothing is written."""
    wrote = {step.name: step.sends for step in plan.outward}
    wrote |= company(plan, gateway.mapping, past.link.refusals.keys()).wrote
    now = means.clock()
    intent = (
        Intent(
            IntentKind.UPDATE,
            means.tokens.write(past.words, gateway.system, wrote, now, lease.epoch),
            now,
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
        if intent is not None:
            ensure_permitted(tx, gateway.system, past.ticket.id, at)
            ensure_no_fight(tx, means, gateway, past, plan.outward, at)
        ticket, link = absorb(tx, means, gateway, past, theirs, plan, at)
        link = read_up_to(link, gateway, theirs, unread=_unread(past, theirs))
        # an edit that our comment had hidden, or that central made something else of
        back = owes(gateway, ticket, link, theirs).difference(s.name for s in plan.outward) if plan.inward else ()
        link = link.evolve(intents=(*link.intents, intent) if intent else link.intents)
        if back:
            reason = "what was taken in is still to be written back"
            means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason=reason)
        if intent is None and plan.quiet and not link.intents:
            link = link.evolve(agreed_at=at)
        tx.links.save(link)
        if intent is None and ending is not None:
            ending.within(tx)
        return link

    return means.store.write(commit, durable=intent is not None), intent


def _unread(past: Past, theirs: Reading) -> bool:
    """Whether this reading shows comments or files that are still to be taken in, or shows no comments at all."""
    comments, tied = theirs.ticket.comments, past.file_ties.values()
    if comments is None or any(c.id not in past.known and not c.internal for c in comments):
        return True
    return any(file.id not in tied and f"file:{file.id}" not in past.known for file in theirs.ticket.files)


def _nothing_written(plan: Plan) -> Outcome:
    sentences = [f"{name} disagrees: {why}" for name, why in plan.standing.items()]
    sentences += [f"{s.name} is not written: {s.why}" for s in plan.steps if s.verdict is Verdict.INWARD]
    return Outcome(tuple(sentences))


def _update(
    means: Means,
    gateway: Gateway,
    past: Past,
    link: Link,
    intent: Intent,
    said_too: Mapping[str, Value],
    theirs: Reading,
    lease: Lease,
) -> tuple[Written, datetime | None]:
    """Send the patch; what came back, and when it was asked for (None: what was read before still stands)."""
    fields = gateway.mapping.fields
    # what a transition needs comes before it, and what closes a ticket last
    order = sorted(intent.wrote, key=lambda name: (fields[name].final, bool(fields[name].transitions)))
    patch = {**said_too, **{fields[name].remote: intent.wrote[name].theirs for name in order}}
    asked_at = means.clock()
    try:
        means.ensure_prompt(intent)
        return gateway.connector.update(link.key or "", patch, held=theirs.ticket), asked_at
    except Unknown:
        raise
    except Refused as refusal:
        named = {refusal.field} if refusal.field in patch else set(patch)
        return Written(theirs.ticket, frozenset(), dict.fromkeys(named, refusal.reason)), None
    except (Transient, AccessError):
        drop(means, past, intent, lease)
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
    ending: Ending | None,
) -> tuple[Outcome, bool]:
    """Record what became of it; and whether it was a step on the way that leads on from there."""
    arrived = [n for n in intent.wrote if gateway.mapping.fields[n].remote in written.applied]
    spilt = [gateway.mapping.fields[name].rule.spill(intent.wrote[name].ours) for name in arrived]
    entries = None
    seen = past.link.history_seen if intent.history_seen is None else intent.history_seen
    if after.history is not None and seen is not None:
        entries = echo.after(after.history, seen)

    def settle(tx: Transaction) -> tuple[Outcome, bool]:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        opened = replace(past, link=link)
        edits = unread_edits(opened, gateway, after)
        reasons = in_their_words(written.refused, plan, gateway.mapping)
        settled = settle_update(link, intent, after.ticket.fields, reasons, entries, gateway.mapping, at)
        link = settled.link
        tx.tickets.record(_reported(past, gateway, intent, after, plan, settled, at))
        for name, loser in edits.items():
            tx.tickets.record(keep(tx, name, loser, past, gateway, at))
        again = settled.look_again or bool(hidden_edits(gateway, opened, after)[0])
        if again:
            means.relay.owe_inward(tx, gateway.system, link.key or "", at, reason="they changed it while we wrote")
        else:
            link = read_up_to(link, gateway, after, unread=_unread(past, after))
            if after.history_seen is not None:
                link = link.evolve(history_seen=after.history_seen)
        under_way = {step.name for step in plan.outward if step.way}
        if not settled.refused and not again and not link.intents and not under_way:
            link = link.evolve(agreed_at=at)
        tx.links.save(link)
        goes_on = not again and bool(under_way & settled.arrived.keys())
        if ending is not None and not goes_on and not any(whole is not None for whole in spilt):
            ending.within(tx)
        sentences = tuple(f"{name} written: {pair.theirs!r}" for name, pair in settled.arrived.items())
        refused = tuple(f"{name} refused: {reason}" for name, reason in settled.refused.items())
        return Outcome(sentences + refused), goes_on

    outcome, goes_on = means.store.write(settle, durable=False)
    for whole in spilt:
        if whole is not None:
            past = spill(means, gateway, past, whole, lease, wrote_at=intent.at)
    return outcome, goes_on


def _reported(
    past: Past, gateway: Gateway, intent: Intent, after: Reading, plan: Plan, settled: Settled, at: datetime
) -> list[Event]:
    """What the write did, for the history."""
    ticket_id, system = past.ticket.id, gateway.system
    events = []
    sent = {step.name for step in plan.outward}
    for step in plan.steps:
        if step.name in settled.arrived:
            pair = intent.wrote[step.name]
            data: dict[str, object] = {"ours": pair.ours, "theirs": pair.theirs, "before": step.theirs}
            if step.way:
                data["on_the_way"] = True
            why = because(step, gateway.mapping) if step.name in sent else "their workflow asks for it"
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
