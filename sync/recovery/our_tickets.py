"""2: our own tickets there, known by their tokens.

Of a ticket that we hold they are its copy; of one that was opened at the centre and is forgotten, they are what is
left of it, in however many systems."""

from dataclasses import replace

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Link, LinkState, Pair
from central.model import SYSTEM, Value
from central.store.api import Transaction
from connectors.errors import ConnectorError
from mappings.model import FieldMapping, Untranslatable
from sync.gateway import Gateway
from sync.past import Past
from sync.pull import look
from sync.reading import Reading, gone_by_value
from sync.reconcile import corresponds
from sync.recovery.forgotten import reopen
from sync.recovery.search import Search, last_of, marked

LINKED_AGAIN = "found again after the restore, by its token"


def link_copies(search: Search) -> None:
    """Link every ticket of ours that the search came upon."""
    for system, key, token in search.own:
        if system in search.done.unread:
            continue
        try:
            _link_copy(search, system, key, token)
        except ConnectorError as problem:
            search.unread(system, problem)


def _link_copy(search: Search, system: str, key: str, token: str) -> None:
    gateway = search.gateways.get(system)
    owner = search.means.store.read(lambda tx, s=system, t=token: tx.links.find_intent(s, t))  # type: ignore[misc]  # bound now
    ticket_id = owner.ticket_id if owner is not None else search.index.get(token)
    lease = search.lease(f"{system}/key/{key}")
    theirs = search.fetch(gateway, key, None)
    if gone_by_value(gateway, theirs.ticket):
        return
    if ticket_id is None:
        ticket_id = reopen(search.means, gateway, theirs, token, lease)
        search.index[token] = ticket_id
        search.done.tickets += 1
    else:
        _link(search, gateway, ticket_id, theirs, lease)
    past = search.past(system, key)
    assert past is not None, "it was linked just now"
    if past.link.state is LinkState.ACTIVE:
        search.again[system, key] = None
        search.copies.append((ticket_id, system))
        search.note_notices(gateway, past, theirs)
        search.keep_replaced(gateway, past, theirs, whole=True)
        people = tuple(c for c in theirs.ticket.comments or () if not marked(c))
        _take_people(search, gateway, past, replace(theirs, ticket=replace(theirs.ticket, comments=people)), lease)


def _take_people(search: Search, gateway: Gateway, past: Past, theirs: Reading, lease: Lease) -> None:
    """What people said on a copy goes before what our account carried elsewhere for them."""
    said = replace(theirs, ticket=replace(theirs.ticket, fields={}))
    look(search.means, gateway, past, said, lease)


def _link(search: Search, gateway: Gateway, ticket_id: int, theirs: Reading, lease: Lease) -> None:
    """This is the ticket's copy there; what differs is decided by who touched it last."""
    there, system = theirs.ticket, gateway.system

    def change(tx: Transaction) -> None:
        at = search.means.clock()
        tx.outbox.check(lease, at)
        known = tx.links.find(ticket_id, system)
        if known is not None and known.key not in (None, there.key):
            twin = Link(0, ticket_id, system, LinkState.DUPLICATE, there.key, there.address, created_at=at)
            tx.links.create(twin)
            return
        link = known or tx.links.create(Link(0, ticket_id, system, LinkState.PENDING, created_at=at))
        ticket = tx.tickets.get(ticket_id)
        moved = search.moved_here(tx, ticket_id, system)
        base = {
            f.central: pair
            for f in gateway.mapping.fields.values()
            if f.remote in there.fields
            and (pair := _agreed(search, f, ticket[f.central], theirs, ticket_id, moved)) is not None
        }
        tx.links.save(
            link.evolve(
                state=LinkState.ACTIVE,
                key=there.key,
                address=there.address,
                base=base,
                intents=(),
                mapping_revision=gateway.mapping.revision,
                history_seen="",
            )
        )
        why = LINKED_AGAIN
        tx.tickets.record([Event(Kind.LINKED, ticket_id, at, SYSTEM, system=system, data={"key": there.key}, why=why)])

    search.means.store.write(change)
    search.done.linked += 1


def _agreed(
    search: Search, field: FieldMapping, ours: Value, theirs: Reading, ticket_id: int, moved: frozenset[str]
) -> Pair | None:
    """What both sides last agreed on, as far as it can be told; None: it cannot."""
    value = theirs.ticket.fields[field.remote]
    if corresponds(field.rule, ours, value):
        return Pair(ours, value)
    last = last_of(theirs, field)
    try:
        if ticket_id in search.old and field.central not in moved:  # ours is from before the copy was made
            return Pair(ours, field.rule.outward(ours, held=value))
        if theirs.history is not None and (last is None or last.own):
            return Pair(field.rule.inward(value, held=ours), value)
    except Untranslatable:
        return None
    return None
