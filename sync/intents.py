"""How an intent ends when it did not land: taken back, or waited for."""

from datetime import datetime, timedelta

from central.delivery import Lease
from central.link import Intent
from central.store.api import Transaction
from connectors.errors import Transient
from sync.means import Means
from sync.past import Past
from sync.settle import without


class TryLater(Transient):
    """Not now: an earlier attempt of ours may still be on its way, and must be known before anything is repeated."""

    def __init__(self, message: str, at: datetime, now: datetime) -> None:
        super().__init__(message, retry_after=max(at - now, timedelta(0)))


def drop(means: Means, past: Past, intent: Intent, lease: Lease, *, error: str = "") -> None:
    """Take an intent back: surely nothing was written."""

    def change(tx: Transaction) -> None:
        tx.outbox.check(lease, means.clock())
        link = tx.links.find(past.link.ticket_id, past.link.system)
        if link is not None:
            tx.links.save(link.evolve(intents=without(link.intents, intent), last_error=error))

    means.store.write(change, durable=False)
