"""The ping-pong breaker, asked in the transaction that commits an intent to write fields."""

from collections.abc import Sequence
from datetime import datetime

from central.guard import Hold, HoldKind, HoldState
from central.link import Refusal
from central.model import plain
from central.store.api import Transaction
from sync.gateway import Gateway
from sync.guards.pingpong import LOOKED_AT, Fight, Patience, fight
from sync.guards.suspicion import Suspicion
from sync.means import Means
from sync.past import Past
from sync.plan import Plan, Step

PATIENCE = Patience()


def ensure_no_fight(
    tx: Transaction, means: Means, gateway: Gateway, past: Past, steps: Sequence[Step], at: datetime
) -> None:
    """Before these fields are written.

    :raises Suspicion: one of them goes to and fro; the ticket is to be held there."""
    if HoldKind.PING_PONG not in means.guards:
        return
    for step in steps:
        events = tx.tickets.events(past.ticket.id, field=step.name, last=LOOKED_AT)
        found = fight(events, gateway.system, at, step.theirs, patience=PATIENCE, since=None)
        if found is None:
            continue
        last = tx.guards.latest(HoldKind.PING_PONG, gateway.system, past.ticket.id)
        if last is not None and last.state is HoldState.REJECTED and last.evidence["stands"] == _stands(step):
            raise _left_alone(gateway, past, step, last, at)
        if last is not None and last.decided_at is not None:
            found = fight(events, gateway.system, at, step.theirs, patience=PATIENCE, since=last.decided_at)
        if found is not None:
            raise _held(gateway, past, step, found, at)


def standing(tx: Transaction, gateway: Gateway, past: Past, plan: Plan) -> dict[str, str]:
    """The standing disagreements of a plan, and what a guard keeps from being written."""
    hold = tx.guards.holding(gateway.system, past.ticket.id) if plan.outward else None
    return {**plan.standing, **({step.name: _told(hold) for step in plan.outward} if hold is not None else {})}


def _told(hold: Hold) -> str:
    return f"held by a guard (hold {hold.id}): {hold.reason}"


def _held(gateway: Gateway, past: Past, step: Step, found: Fight, at: datetime) -> Suspicion:
    reason = f"{step.name} of ticket {past.ticket.id} goes to and fro with {gateway.system}: {found.reason}"
    evidence = {"field": step.name, "stands": _stands(step), "trail": list(found.trail)}
    hold = Hold(0, HoldKind.PING_PONG, gateway.system, reason, at, ticket_id=past.ticket.id, evidence=evidence)

    def record(tx: Transaction) -> Hold:
        opened = tx.guards.hold(hold)
        link = tx.links.find(past.ticket.id, gateway.system)
        assert link is not None, "links are never deleted"
        standing = {**link.disagreements, step.name: _told(opened)}
        tx.links.save(link.evolve(disagreements=standing))
        return opened

    return Suspicion(reason, record)


def _left_alone(gateway: Gateway, past: Past, step: Step, hold: Hold, at: datetime) -> Suspicion:
    """A person has said that theirs may stand: it does, like any refused write, until either side moves."""
    reason = f"{hold.decided_by} has rejected it (hold {hold.id}): it goes to and fro"
    refusal = Refusal(step.sends.theirs, step.theirs, reason, gateway.mapping.revision, at)

    def record(tx: Transaction) -> None:
        link = tx.links.find(past.ticket.id, gateway.system)
        assert link is not None, "links are never deleted"
        standing = {**link.disagreements, step.name: f"refused: {reason}"}
        tx.links.save(link.evolve(refusals={**link.refusals, step.name: refusal}, disagreements=standing))

    return Suspicion(f"{step.name} is left as it is there: {reason}", record, again_at=at)


def _stands(step: Step) -> dict[str, object]:
    """What stands where: the situation that a decision is about."""
    return {"ours": plain(step.ours), "theirs": plain(step.theirs)}
