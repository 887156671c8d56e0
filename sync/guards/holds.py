"""What ends a hold: people approve what was seen or reject it, or it turns out not to stand and the hold is withdrawn.
Each lifts it; they differ in what follows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from central.audit import Entry
from central.guard import Hold, HoldKind, HoldState, Suspect
from central.model import SYSTEM
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


def withdraw(tx: Transaction, means: Means, hold: Hold, why: str, at: datetime) -> Hold:
    """What an open hold was judged by does not stand any more: nobody has to decide. Then `wake` what waited for it.

    Who was suspected meanwhile was not taken in: they are counted anew once they are looked at again."""
    tx.guards.note(hold.id, hold.evidence, reason=f"{hold.reason}; withdrawn: {why}")
    begun = hour_of(hold.opened_at)
    waited = Counter(hour_of(each.at) for each in _suspects(tx, hold) if each.at >= hold.opened_at)
    counted = tx.guards.rates(hold.system, hold.kind, begun)
    tx.guards.drop_rates(hold.system, hold.kind, since=begun, before=at + HOUR)
    for hour, number in counted:
        for _ in range(number - waited[hour]):
            tx.guards.add_to_rate(hold.system, hold.kind, hour)
    means.relay.wake(tx, hold.system)
    return _close(tx, hold.id, HoldState.WITHDRAWN, SYSTEM.id, at, {})


def wake(means: Means, hold: Hold) -> None:
    """Have looked at again what waited for a hold that is over."""
    after: int | None = 0
    while after is not None:
        after = means.store.write(lambda tx, after=after: _wake(tx, means, hold, after))  # type: ignore[misc]  # bound now


def _decide(means: Means, hold_id: int, state: HoldState, by: str, more: dict[str, bool]) -> Hold:
    def change(tx: Transaction) -> Hold:
        at = means.clock()
        tx.guards.note(hold_id, {**tx.guards.get(hold_id).evidence, **more})
        hold = _close(tx, hold_id, state, by, at, more)
        _follow(tx, means, hold, at)
        return hold

    decided = means.store.write(change)
    wake(means, decided)
    return decided


def _close(tx: Transaction, hold_id: int, state: HoldState, by: str, at: datetime, more: dict[str, bool]) -> Hold:
    hold = tx.guards.decide(hold_id, state, at, by=by)
    data = {"hold": hold.id, "kind": hold.kind.value, "reason": hold.reason, **more}
    tx.audit.record(Entry(at, by, f"guard {state}", hold.system, data))
    return hold


def _suspects(tx: Transaction, hold: Hold) -> Iterator[Suspect]:
    after = 0
    while page := tx.guards.suspects(hold.system, hold.kind, after=after, limit=PAGE):
        yield from page
        after = page[-1].ticket_id


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
