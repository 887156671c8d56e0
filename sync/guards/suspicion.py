"""How a guard steps in: what was about to be committed is rolled back, and the suspicion is recorded in its place."""

from collections.abc import Callable
from datetime import datetime

import structlog

from central.delivery import Lease
from central.guard import Hold
from central.store.api import Transaction
from sync.means import Means, Outcome, said
from sync.permit import Held

log = structlog.get_logger("interdesk.guards")


class Suspicion(Exception):
    """Something a guard will not let happen now. Raised inside the transaction that must not be.

    `record` is carried out in a transaction of its own; it answers the hold that it has opened, if any. `again_at`:
    nothing is held, and the look is to be repeated then."""

    def __init__(
        self, reason: str, record: Callable[[Transaction], Hold | None], *, again_at: datetime | None = None
    ) -> None:
        super().__init__(reason)
        self.record, self.again_at = record, again_at


def take_up(means: Means, suspicion: Suspicion, lease: Lease) -> Outcome:
    """Record a suspicion.  :raises Held: the look has to wait for a person."""

    def change(tx: Transaction) -> Hold | None:
        tx.outbox.check(lease, means.clock())
        return suspicion.record(tx)

    hold = means.store.write(change)
    if hold is not None:
        tell_of(hold)
    if suspicion.again_at is not None:
        return said(str(suspicion), look_again_at=suspicion.again_at)
    raise Held(str(suspicion), alone=True)


def tell_of_end(hold: Hold) -> None:
    """It is over, and nobody had to decide."""
    log.info("no longer held", system=hold.system, guard=hold.kind.value, hold=hold.id, ticket=hold.ticket_id)


def tell_of(hold: Hold) -> None:
    """The alarm: once per hold."""
    log.error(
        "held: it needs a person",
        system=hold.system,
        guard=hold.kind.value,
        hold=hold.id,
        ticket=hold.ticket_id,
        remedy=f"interdesk guard show {hold.id}, then: interdesk guard approve {hold.id}, or reject",
    )
