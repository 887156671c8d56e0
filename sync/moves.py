"""A ticket is no longer where it was there: gone, out of our place, under another key, or merged into another one.

Nothing is deleted here and nothing is created anew there. A ticket that was moved out of the registered place is lost
with that reason; should it come back, the link resumes. One that goes on under another key takes its link along. One
that was merged into a ticket which is another one here ends: its link is lost, and one note tells so.
"""

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import SYSTEM, NewComment, Visibility
from central.store.api import Transaction
from connectors.errors import Became, NotFound
from sync import routing
from sync.gateway import Gateway
from sync.guards.marker import ensure_truly_gone
from sync.guards.masschange import ensure_ordinary_loss
from sync.means import Means, Outcome, said
from sync.past import Past
from sync.reading import Reading, racy_window, row_version
from sync.settle import settle_look


def lose(means: Means, gateway: Gateway, past: Past, lease: Lease, why: str, theirs: Reading | None = None) -> Outcome:
    """Mark the link lost: nothing is deleted here, nothing is created anew there. `theirs`: what still shows there.

    Open intents are kept: should the ticket come back, what became of them is still to be known."""

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = past.link.evolve(state=LinkState.LOST, last_error=why, version="", row_version="", racy_until=None)
        if theirs is not None and theirs.asked_at is not None:
            ticket = theirs.ticket
            window = racy_window(gateway, ticket)
            link = settle_look(link, ticket.version, row_version(ticket), theirs.asked_at, window=window)
        tx.links.save(link)
        if past.link.state is not LinkState.LOST:
            ensure_ordinary_loss(tx, means, gateway, past, at)
            tx.tickets.record([Event(Kind.LINK_LOST, past.ticket.id, at, SYSTEM, system=gateway.system, why=why)])

    if past.link.state is not LinkState.LOST:
        ensure_truly_gone(means, gateway)
    means.store.write(change, durable=False)
    return said(f"link lost: {why}")


def depart(means: Means, gateway: Gateway, past: Past, lease: Lease, problem: NotFound) -> Outcome:
    """A linked ticket was not found under its key: follow it where it says where it went, else the link is lost."""
    if not isinstance(problem, Became):
        return lose(means, gateway, past, lease, f"it is gone there: {problem}")

    def change(tx: Transaction) -> str:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        other = tx.links.find_by_key(gateway.system, problem.key)
        if problem.key in (link.key, link.merged_into):
            return f"{problem}: known already"
        if other is not None and other.ticket_id != link.ticket_id:
            return _end(tx, means, gateway, link, other, problem)
        return _move(tx, means, gateway, link, other, problem)

    return said(means.store.write(change))


def stray(means: Means, gateway: Gateway, problem: NotFound) -> Outcome:
    """A key that no link holds was not found; where another one is named, that one deserves a look."""
    if not isinstance(problem, Became):
        return said("no such ticket there")
    key, reason = problem.key, str(problem)
    means.store.write(lambda tx: means.relay.owe_inward(tx, gateway.system, key, means.clock(), reason=reason))
    return said(reason)


def _move(tx: Transaction, means: Means, gateway: Gateway, link: Link, other: Link | None, problem: Became) -> str:
    """The link goes along. `other`: a late duplicate of ours that the ticket was merged into."""
    at, old = means.clock(), link.key or ""
    if other is not None and other.id != link.id:
        tx.links.save(other.evolve(key=None))
    moved = link.evolve(
        key=problem.key,
        first_key=link.first_key or old,
        version="",
        row_version="",
        racy_until=None,
        history_seen=None if problem.merged else link.history_seen,
    )
    tx.links.save(moved)
    tx.links.remember_key(link.id, old)
    data = {"from": old, "to": problem.key}
    tx.tickets.record(
        [Event(Kind.MOVED, link.ticket_id, at, SYSTEM, system=gateway.system, data=data, why=str(problem))]
    )
    means.relay.owe_inward(tx, gateway.system, problem.key, at, reason=str(problem))
    means.relay.owe_outward(tx, (gateway.system,), link.ticket_id, at, reason=str(problem))
    return f"the link follows: {problem}"


def _end(tx: Transaction, means: Means, gateway: Gateway, link: Link, other: Link, problem: Became) -> str:
    """It was merged into a ticket that is another one here: its link ends, and one note says where it goes on."""
    at = means.clock()
    why = f"{problem}, which is ticket {other.ticket_id} here"
    tx.links.save(
        link.evolve(
            state=LinkState.LOST,
            last_error=why,
            merged_into=problem.key,
            version="",
            row_version="",
            racy_until=None,
            disagreements={},
        )
    )
    data = {"from": link.key, "to": problem.key, "ticket": other.ticket_id}
    event = Event(Kind.MERGED, link.ticket_id, at, SYSTEM, system=gateway.system, data=data, why=why)
    text = (
        f"Elsewhere this ticket was merged into another one, which is ticket {other.ticket_id} here. "
        "What is said there from now on is said on that one."
    )
    origin = f"merged:{problem.key}"
    note = tx.tickets.add_comment(
        link.ticket_id, NewComment(SYSTEM, text, Visibility.PUBLIC, at, gateway.system, origin)
    )
    tx.tickets.touch(link.ticket_id, at)
    told = {"comment": note.id}
    said_so = Event(Kind.COMMENT_ADDED, link.ticket_id, at, SYSTEM, system=gateway.system, data=told, why=why)
    tx.tickets.record([event, said_so])
    target = routing.system_of(tx.tickets.get(link.ticket_id)["unit"], means.units())
    others = routing.owed(tx.links.of(link.ticket_id), target, source=gateway.system)
    means.relay.owe_outward(tx, others, link.ticket_id, at, reason=why)
    means.relay.owe_inward(tx, gateway.system, problem.key, at, reason=str(problem))
    return f"merged: {why}"
