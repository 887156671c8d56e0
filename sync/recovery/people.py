"""1: what people did there since the backup: their tickets, comments and edits."""

from dataclasses import replace

from central.delivery import Lease
from central.events import Kind
from central.link import Link, LinkState
from central.store.api import Transaction
from connectors.api import RemoteTicket
from connectors.errors import NotFound
from sync.birth import meet
from sync.gateway import Gateway
from sync.moves import lose
from sync.past import Past, reread
from sync.pull import look
from sync.reading import Reading, gone_by_value
from sync.recovery.forgotten import OPENED_AGAIN
from sync.recovery.our_tickets import LINKED_AGAIN
from sync.recovery.search import Search, last_of, marked, name_of
from sync.tokens import Stands, stands_for

_FOUND = (LINKED_AGAIN, OPENED_AGAIN)


def read_people(search: Search, gateway: Gateway, key: str) -> None:
    """Take in what people did on this ticket; one that our account opened is for the next step.

    :raises ConnectorError: by remedy; gone there is no error.  :raises StillWorking: somebody else works on it."""
    means, search.done.looked = search.means, search.done.looked + 1
    past = search.past(gateway.system, key)
    lease = search.lease(f"{gateway.system}/key/{key}" if past is None else name_of(past.link))
    if past is not None and past.link.state is LinkState.DUPLICATE:
        return
    try:
        theirs = search.fetch(gateway, key, past)
    except NotFound:
        if past is not None:
            lose(means, gateway, past, lease, "it is gone there")
        return
    if past is None:
        _meet(search, gateway, theirs, lease)
        return
    gone = gone_by_value(gateway, theirs.ticket)
    if gone:
        lose(means, gateway, past, lease, gone, theirs)
        return
    search.again[gateway.system, key] = None
    search.note_notices(gateway, past, theirs)
    if past.link.state is LinkState.ACTIVE and _was_found(search, past.link):
        search.copies.append((past.ticket.id, gateway.system))
    if past.link.state is LinkState.DETACHED and any(
        marked(c) and c.id not in past.known for c in theirs.ticket.comments or ()
    ):
        past = _taken_up(search, past)  # it was taken up after the backup; a last notice may end it again
    if past.link.state is not LinkState.DETACHED:
        search.keep_replaced(gateway, past, theirs)
        look(means, gateway, past, _by_people(gateway, past.link, search.known_only(gateway, past, theirs)), lease)


def _was_found(search: Search, link: Link) -> bool:
    """Whether an earlier pass, which may not have come to its end, has linked this copy."""
    events = search.means.store.read(lambda tx: tx.tickets.events(link.ticket_id))
    return any(
        e.kind is Kind.LINKED and e.system == link.system and e.why in _FOUND and e.at >= search.restored_at
        for e in events
    )


def _taken_up(search: Search, past: Past) -> Past:
    def change(tx: Transaction) -> None:
        tx.links.save(past.link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))

    search.means.store.write(change)
    return reread(search.means.store, past)


def _meet(search: Search, gateway: Gateway, theirs: Reading, lease: Lease) -> None:
    ticket = theirs.ticket
    if ticket.own and ticket.token and _is_ours(search, gateway.system, ticket.token):
        search.own.append((gateway.system, ticket.key, ticket.token))
        return
    people = tuple(c for c in ticket.comments or () if not marked(c))
    meet(search.means, gateway, replace(theirs, ticket=replace(ticket, comments=people)), lease)
    past = search.past(gateway.system, ticket.key)
    if past is not None:
        search.again[gateway.system, ticket.key] = None
        search.note_notices(gateway, past, theirs)
        search.keep_replaced(gateway, past, theirs, whole=True)


def _is_ours(search: Search, system: str, token: str) -> bool:
    if stands_for(token) is Stands.TICKET:
        return True
    return search.means.store.read(lambda tx: tx.links.find_intent(system, token)) is not None


def _by_people(gateway: Gateway, link: Link, theirs: Reading) -> Reading:
    """Without the values that our own account wrote last: those are no edits."""
    ticket: RemoteTicket = theirs.ticket
    fields = dict(ticket.fields)
    for mapped in gateway.mapping.fields.values():
        last = last_of(theirs, mapped)
        base = link.base.get(mapped.central)
        if last is not None and last.own and base is not None and base.theirs != fields.get(mapped.remote):
            fields.pop(mapped.remote, None)
    return replace(theirs, ticket=replace(ticket, fields=fields))
