"""What people say to a guard: approve what was seen, or reject it. Both lift the hold; they differ in what follows."""

from dataclasses import replace
from datetime import datetime

from central.audit import Entry
from central.guard import Hold, HoldKind, HoldState
from central.store.api import Transaction
from sync.guards.usual import HOUR, hour_of
from sync.means import Means

PAGE = 200


def approve(means: Means, hold_id: int, by: str) -> Hold:
    """What was seen is right: it goes on as if nobody had asked.  :raises NoSuch: there is no such open hold."""
    return _decide(means, hold_id, HoldState.APPROVED, by, {})


def reject(means: Means, hold_id: int, by: str, *, write_back: bool = False) -> Hold:
    """What was seen is wrong. `write_back`: our values go back over the edits that are rejected.

    :raises NoSuch: there is no such open hold."""
    return _decide(means, hold_id, HoldState.REJECTED, by, {"write_back": write_back})


def needs_release(hold: Hold) -> bool:
    """Whether the system stays quarantined until somebody releases it."""
    return hold.kind is HoldKind.COPY


def _decide(means: Means, hold_id: int, state: HoldState, by: str, more: dict[str, bool]) -> Hold:
    def change(tx: Transaction) -> Hold:
        at = means.clock()
        hold = tx.guards.get(hold_id)
        tx.guards.note(hold_id, {**hold.evidence, **more})
        hold = tx.guards.decide(hold_id, state, at, by=by)
        data = {"hold": hold.id, "kind": hold.kind.value, "reason": hold.reason, **more}
        tx.audit.record(Entry(at, by, f"guard {state}", hold.system, data))
        _follow(tx, means, hold, at)
        return hold

    decided = means.store.write(change)
    after: int | None = 0
    while after is not None:
        after = means.store.write(lambda tx, after=after: _wake(tx, means, decided, after))  # type: ignore[misc]  # bound now
    return decided


def _follow(tx: Transaction, means: Means, hold: Hold, at: datetime) -> None:
    """What the decision itself changes."""
    if hold.state is HoldState.REJECTED:  # what was never taken in makes nothing usual, and counts no longer
        begun = hour_of(hold.opened_at) - 2 * HOUR
        tx.guards.drop_rates(hold.system, hold.kind, since=begun, before=at + HOUR)
    if hold.kind is HoldKind.PING_PONG and hold.ticket_id is not None:
        means.relay.owe_outward(tx, (hold.system,), hold.ticket_id, at, reason=f"a guard's hold was {hold.state}")
    if hold.kind is HoldKind.LOSS and hold.state is HoldState.APPROVED and hold.evidence.get("unlisted"):
        tx.registry.put_system(replace(tx.registry.system(hold.system), scanned_at=None))


def _wake(tx: Transaction, means: Means, hold: Hold, after: int) -> int | None:
    """Owe the parked looks of one page of suspects anew; the last of them, None after the last page."""
    page = tx.guards.suspects(hold.system, hold.kind, after=after, limit=PAGE)
    at = means.clock()
    for suspect in page:
        link = tx.links.find(suspect.ticket_id, hold.system)
        if link is not None and link.key:
            means.relay.owe_inward(tx, hold.system, link.key, at, reason=f"a guard's hold was {hold.state}")
        if hold.kind is HoldKind.LOSS and hold.state is HoldState.REJECTED:
            tx.guards.acquit(hold.system, hold.kind, ticket_id=suspect.ticket_id, before=at)
    return page[-1].ticket_id if page else None
