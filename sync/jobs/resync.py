"""One ticket looked at anew, in both directions: nothing that was remembered of its versions is believed."""

from dataclasses import replace

from central.job import Job
from central.store.api import Transaction
from sync.gateway import Gateway
from sync.jobs.api import Take, finished
from sync.means import Means


class Resync:
    """The kind `resync`. Its params: `ticket`, our number."""

    writes = True

    def step(self, means: Means, gateway: Gateway, job: Job) -> Take:  # noqa: ARG002  # it reads nothing
        def take(tx: Transaction, now: Job) -> Job:
            at, reason = means.clock(), f"a person asked for it (job {now.id})"
            ticket_id = int(now.params["ticket"])
            link = tx.links.find(ticket_id, gateway.system)
            if link is not None:
                tx.links.save(link.evolve(version="", row_version="", racy_until=None, refusals={}))
                if link.key:
                    means.relay.owe_inward(tx, gateway.system, link.key, at, reason=reason)
            means.relay.owe_outward(tx, (gateway.system,), ticket_id, at, reason=reason)
            return finished(replace(now, done=1, total=1))

        return take
