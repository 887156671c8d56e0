"""Outward: a system is owed a look at our ticket, and the ticket's course there decides what is told."""

from central.link import Link
from central.store.api import Lease, Transaction
from sync import routing
from sync.create import create
from sync.gateway import Gateway
from sync.means import Means, Outcome, said
from sync.parting import detach, resume
from sync.past import Past, read_past
from sync.routing import Course
from sync.tell import tell


def push(means: Means, gateway: Gateway, ticket_id: int, lease: Lease) -> Outcome:
    """Tell one remote what it does not know yet about one ticket.

    :raises ConnectorError: by remedy; what was written before it is settled or has an open intent."""

    def question(tx: Transaction) -> tuple[Past | None, Link | None, str | None]:
        ticket = tx.tickets.get(ticket_id)
        link = tx.links.find(ticket_id, gateway.system)
        target = routing.system_of(ticket["unit"], means.units())
        return (read_past(tx, link) if link else None), link, target

    past, link, target = means.store.read(question)
    match routing.course(gateway.system, link, target):
        case Course.CREATE:
            created = create(means, gateway, ticket_id, past, lease, wanted=target == gateway.system)
            if created is None:
                return said("nothing came of an earlier create, and the ticket is no longer routed there")
            return said(f"created there as {created.link.key}").also(push(means, gateway, ticket_id, lease))
        case Course.RESUME if past is not None:
            return resume(means, gateway, past, lease)
        case Course.KEEP if past is not None:
            return tell(means, gateway, past, lease)
        case Course.DETACH if past is not None:
            return detach(means, gateway, past, lease)
        case _:
            return said(f"nothing to do: the link is {link.state}" if link else "nothing to do: not routed there")
