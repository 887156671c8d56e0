"""Outward: a system is owed a look at our ticket, and the ticket's course there decides what is told."""

from central.delivery import Lease
from central.link import LinkState
from central.store.api import Transaction
from sync import routing
from sync.create import create
from sync.ending import Ending
from sync.gateway import Gateway
from sync.means import Means, Outcome, said
from sync.parting import detach, resume
from sync.past import Past, read_past
from sync.routing import Course
from sync.tell import tell


def push(means: Means, gateway: Gateway, ticket_id: int, lease: Lease, *, ending: Ending | None = None) -> Outcome:
    """Tell one remote what it does not know yet about one ticket. `ending`: what the last commit ends, where it is
    known to be the last.

    :raises ConnectorError: by remedy; what was written before it is settled or has an open intent."""

    course, past, wanted = whereabouts(means, gateway, ticket_id)
    match course:
        case Course.CREATE:
            created = create(means, gateway, ticket_id, past, lease, wanted=wanted)
            if created is None:
                return said("nothing came of an earlier create, and the ticket is no longer routed there")
            if created.link.state is not LinkState.ACTIVE:
                return said(f"created there as {created.link.key}, and not found there: {created.link.last_error}")
            return said(f"created there as {created.link.key}").also(
                push(means, gateway, ticket_id, lease, ending=ending)
            )
        case Course.RESUME if past is not None:
            return resume(means, gateway, past, lease)
        case Course.KEEP if past is not None:
            return tell(means, gateway, past, lease, ending=ending)
        case Course.DETACH if past is not None:
            return detach(means, gateway, past, lease)
        case _:
            return said(f"nothing to do: the link is {past.link.state}" if past else "nothing to do: not routed there")


def whereabouts(means: Means, gateway: Gateway, ticket_id: int) -> tuple[Course, Past | None, bool]:
    """What is to become of our ticket there, what is known of it, and whether its unit belongs there."""

    def question(tx: Transaction) -> tuple[Course, Past | None, bool]:
        ticket = tx.tickets.get(ticket_id)
        link = tx.links.find(ticket_id, gateway.system)
        target = routing.system_of(ticket["unit"], means.units())
        course = routing.course(gateway.system, link, target)
        return course, (read_past(tx, link) if link else None), target == gateway.system

    return means.store.read(question)
