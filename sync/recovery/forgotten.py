"""A ticket that was opened at the centre, and that a restored database has forgotten: opened again from a copy."""

from dataclasses import replace

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Intent, IntentKind, Link, LinkState
from central.model import SYSTEM
from central.store.api import Transaction
from sync.birth import born_fields
from sync.gateway import Gateway
from sync.means import Means
from sync.reading import Reading
from sync.settle import mapped

OPENED_AGAIN = "forgotten by the restore; opened again from its copy"


def reopen(means: Means, gateway: Gateway, theirs: Reading, token: str, lease: Lease) -> int:
    """The ticket of the centre that this is the copy of, made anew; its number, which may be another one than before.

    The token is kept as that of its create, so that every further copy is known by it."""
    there = replace(theirs.ticket, created_by=None)  # our own account opened it there, for somebody at the centre
    unit = min(gateway.units, default=gateway.birth_unit)
    fields, base, untold = born_fields(replace(gateway, birth_unit=unit), there)

    def change(tx: Transaction) -> int:
        at = means.clock()
        tx.outbox.check(lease, at)
        ticket = tx.tickets.create(fields, at)
        link = tx.links.create(
            Link(
                0,
                ticket.id,
                gateway.system,
                LinkState.ACTIVE,
                key=there.key,
                address=there.address,
                base=base,
                seen=mapped(there.fields, gateway.mapping),
                disagreements=untold,
                intents=(Intent(IntentKind.CREATE, token, at),),
                mapping_revision=gateway.mapping.revision,
                created_at=at,
            )
        )
        tx.links.save(link.evolve(intents=()))
        why = OPENED_AGAIN
        data = {"key": there.key, "fields": sorted(fields)}
        tx.tickets.record(
            [
                Event(Kind.TICKET_CREATED, ticket.id, at, SYSTEM, data=data, why=why),
                Event(Kind.LINKED, ticket.id, at, SYSTEM, system=gateway.system, data={"key": there.key}, why=why),
            ]
        )
        return ticket.id

    return means.store.write(change)
