"""Inward: a hint says "look at this key"; the truth is fetched, reconciled and absorbed in one transaction.

Nothing is ever written to a remote from here: what the plan wants written becomes an outward delivery.
"""

from datetime import datetime

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import SYSTEM, Ticket
from central.store.api import StaleRevision, Transaction
from connectors.api import RemoteTicket, VersionStrength
from connectors.errors import NotFound
from sync.absorb import Intake, absorb
from sync.birth import expect, meet
from sync.decide import decide, events_for, read_up_to, with_latecomers
from sync.ending import Ending
from sync.gateway import Gateway
from sync.guards.marker import ensure_gone_on
from sync.intake import read_intake
from sync.means import Means, Outcome, said
from sync.moves import depart, lose, stray
from sync.past import Past, read_past, reread
from sync.plan import Plan
from sync.policy import admit
from sync.reading import Reading, gone_by_value, reading
from sync.reconcile import reconcile

_DECISIONS = 5
"""How often a decision is made again when the centre moves under it, before the delivery waits its turn."""


def pull(
    means: Means,
    gateway: Gateway,
    key: str,
    lease: Lease,
    *,
    row: RemoteTicket | None = None,
    row_asked_at: datetime | None = None,
    ending: Ending | None = None,
) -> Outcome:
    """Look at one ticket there. `row` is its whole state where a list row, asked for at `row_asked_at`, carried it.
    `ending`: what the last commit ends, where it is known to be the last.

    :raises ConnectorError: by remedy; nothing was changed."""

    if gateway.marker is not None and key == gateway.marker.ticket:
        return said("this ticket bears our mark: it is never synchronised")

    def question(tx: Transaction) -> Past | None:
        link = tx.links.find_by_key(gateway.system, key)
        return read_past(tx, link) if link else None

    past = means.store.read(question)
    if past is not None and past.link.state is LinkState.DUPLICATE:
        return said("a late duplicate of our own create: shown, never synchronised")
    if past is not None and past.link.state is LinkState.DETACHED:
        return said("detached: both directions are stopped")
    if past is not None and past.link.state is LinkState.PENDING:
        return expect(means, gateway, past.link)
    try:
        theirs = _read(means, gateway, past.link.key or key if past else key, past, row, row_asked_at, lease)
    except NotFound as problem:
        return stray(means, gateway, problem) if past is None else depart(means, gateway, past, lease, problem)
    if past is None:
        return meet(means, gateway, theirs, lease)
    gone = gone_by_value(gateway, theirs.ticket)
    if gone:
        return lose(means, gateway, past, lease, gone, theirs)
    return look(means, gateway, past, theirs, lease, ending=ending)


def _read(
    means: Means,
    gateway: Gateway,
    key: str,
    past: Past | None,
    row: RemoteTicket | None,
    row_asked_at: datetime | None,
    lease: Lease,
) -> Reading:
    """The truth: fetched, or the row that came with the hint, unless a write or a reading of ours is newer."""
    if row is not None and row_asked_at is not None:
        known = (past.link.written_at, past.link.read_at) if past else ()
        if all(at is None or row_asked_at > at for at in known) and not (past and past.link.intents):
            return reading(gateway, row, row_asked_at)
    means.ensure_time(lease)
    asked_at = means.clock()
    strong = gateway.connector.capabilities.version is VersionStrength.STRONG
    unchanged = past.link.version if past and strong and past.link.state is LinkState.ACTIVE else ""
    version = None if past and past.link.intents else unchanged or None
    held = past.known if past else frozenset()
    if past and past.link.state is LinkState.LOST:
        held -= past.wanting  # what could not be fetched as it went may be there again
    ticket = gateway.connector.fetch(key, known=held, version=version)
    return reading(gateway, ticket, asked_at)


def look(
    means: Means,
    gateway: Gateway,
    past: Past,
    theirs: Reading,
    lease: Lease,
    *,
    telling: bool = False,
    ending: Ending | None = None,
) -> Outcome:
    """Absorb a ticket as read, comments included, and say what was new. `ending`: what ends with that.

    `telling`: the caller goes on to write what there is to write. It owes itself no other look for that: one that fails
    for ever would bring itself back for ever."""
    ensure_gone_on(means, gateway, past, theirs)
    intake = read_intake(means, gateway, past, theirs, lease)
    overtaken = theirs.asked_at is not None and past.ticket.changed_at > theirs.asked_at  # a row that has waited
    for attempt in range(_DECISIONS):
        past = with_latecomers(gateway, past, theirs)
        plan = decide(gateway, past, theirs, events=events_for(means, gateway, past), overtaken=overtaken)
        try:
            _commit(means, gateway, past, theirs, plan, intake, lease, telling=telling, ending=ending)
        except StaleRevision:
            if attempt == _DECISIONS - 1:
                raise
            past, overtaken = reread(means.store, past), True
            continue
        return _told(plan, intake, theirs)
    raise AssertionError("unreachable: the loop returns or raises")


def _commit(
    means: Means,
    gateway: Gateway,
    past: Past,
    theirs: Reading,
    plan: Plan,
    intake: Intake,
    lease: Lease,
    *,
    telling: bool,
    ending: Ending | None,
) -> None:
    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        ticket, link = absorb(tx, means, gateway, past, theirs, plan, at, intake=intake)
        returned = past.link.state is LinkState.LOST
        if returned:
            why = "the ticket is there again"
            tx.tickets.record([Event(Kind.RESUMED, ticket.id, at, SYSTEM, system=gateway.system, why=why)])
        link = read_up_to(link, gateway, theirs, unread=False)
        if returned or plan.outward or plan.unsure or owes(gateway, ticket, link, theirs):
            reason = "a look found something to write"
            if not telling:
                means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason=reason)
        elif not link.intents:
            link = link.evolve(agreed_at=at)
        tx.links.save(link)
        if ending is not None:
            ending.within(tx)

    means.store.write(change, durable=False)


def owes(gateway: Gateway, ticket: Ticket, link: Link, theirs: Reading) -> frozenset[str]:
    """Our fields that are to be told them, with what central made of their edits (a solved ticket taken up again is
    reopened)."""
    after = reconcile(
        link, ticket.fields, theirs.ticket.fields, mapping=gateway.mapping, policy=gateway.policy, admit=admit
    )
    return frozenset(step.name for step in after.outward)


def _told(plan: Plan, intake: Intake, theirs: Reading) -> Outcome:
    done = [f"{name} taken: {value!r}" for name, value in plan.inward.items()]
    done += [f"comment {i} taken" for i in intake.arrivals.new]
    done += [f"comment {i} is our own" for i in intake.arrivals.landed]
    done += [f"{name} disagrees: {reason}" for name, reason in plan.standing.items()]
    done += [f"{step.name} is to be written" for step in plan.outward]
    return Outcome(tuple(done) or (f"nothing new at version {theirs.ticket.version}",))
