"""The engine's face: pull a key, push a ticket. Decisions are elsewhere, and pure."""

from dataclasses import replace
from datetime import datetime

from central.delivery import Claim, Delivery, Direction, Lane, Lease
from central.store.api import AlreadyLinked
from sync import shadow as computing
from sync.ending import Ending
from sync.gateway import Gateway
from sync.guards import marker
from sync.guards.suspicion import Suspicion, take_up
from sync.hints import row_of
from sync.means import Means, Outcome
from sync.pull import pull
from sync.push import push


class SyncEngine:
    """Carries out one look under its lease."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def look(self, gateway: Gateway, claim: Claim, *, shadow: bool, ending: Ending | None = None) -> Outcome:
        """Do what the delivery asks. Repeatable: a second look at the same state writes nothing. `shadow`: the system
        was in shadow when it was taken up. `ending`: gives the delivery back; it is over by the look's own last commit
        where that is known to be the last, else whoever asked has to.

        :raises ConnectorError: by remedy; :raises StoreError: the lease is lost or the ticket moves too fast;
        :raises Held: it has to wait for a person."""
        means = replace(self._means, relay=self._means.relay.along(claim.delivery.trail))
        if shadow:
            return computing.look(means, gateway, claim)
        try:
            return self._look(means, gateway, claim, ending)
        except Suspicion as suspicion:
            return take_up(means, suspicion, claim.lease)

    def _look(self, means: Means, gateway: Gateway, claim: Claim, ending: Ending | None) -> Outcome:
        delivery, lease = claim.delivery, claim.lease
        if delivery.lane is Lane.BACKFILL:  # what follows from it must not overtake what people do now
            means = replace(means, relay=means.relay.behind())
        try:
            return self._carry_out(gateway, delivery, lease, means, ending)
        except AlreadyLinked as clash:  # a key or an id that is somebody else's here was given anew
            marker.suspect(means, gateway, str(clash))
            raise

    def _carry_out(
        self, gateway: Gateway, delivery: Delivery, lease: Lease, means: Means, ending: Ending | None
    ) -> Outcome:
        if delivery.direction is Direction.INWARD:
            # a row is the truth of its moment: a look that failed fetches a newer one
            hint = row_of(delivery.hint) if delivery.attempts == 0 else None
            row, asked_at = hint or (None, None)
            return pull(means, gateway, delivery.subject, lease, row=row, row_asked_at=asked_at, ending=ending)
        began_at = means.clock()
        if gateway.marker is not None:
            ending = None  # our mark moves after the write
        outcome = push(means, gateway, int(delivery.subject), lease, ending=ending)
        if gateway.marker is not None and self._wrote(gateway, int(delivery.subject), began_at):
            means.ensure_time(lease)
            marker.move(means, gateway, began_at)
        return outcome

    def _wrote(self, gateway: Gateway, ticket_id: int, since: datetime) -> bool:
        link = self._means.store.read(lambda tx: tx.links.find(ticket_id, gateway.system))
        return link is not None and link.written_at is not None and link.written_at >= since
