"""How long a lease lasts: a short term, prolonged before each request of a look that needs longer.

A worker that dies holds what it had in hand for one term at most; a look at a slow system goes on for as long as it
takes. Whoever stands still past the end of the term has lost the lease, whether or not somebody took over.
"""

from datetime import datetime, timedelta

from central.delivery import Lease
from central.store.api import Store

MARGIN = timedelta(seconds=10)
"""How much longer than a request a term is: what may pass between the requests of a look."""


class Terms:
    """Until when the leases last that this process has prolonged: few, for most looks end within the first term."""

    def __init__(self) -> None:
        self._ends: dict[int, datetime] = {}

    def ends_at(self, lease: Lease) -> datetime:
        """Until when this lease lasts."""
        return self._ends.get(lease.epoch, lease.expires_at)

    def prolong(self, store: Store, lease: Lease, at: datetime, term: timedelta) -> None:
        """Begin another term.  :raises LeaseLost: the one before is over."""
        longer = store.write(lambda tx: tx.outbox.prolong(lease, at, ttl=term), durable=False)
        alive = {epoch: end for epoch, end in self._ends.items() if end > at}
        self._ends = {**alive, longer.epoch: longer.expires_at}
