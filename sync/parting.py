"""A ticket leaves a system, with one last notice, and comes back by a three-way merge."""

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import SYSTEM
from central.store.api import Transaction
from connectors.errors import NotFound
from sync import discussion
from sync.earlier import account_for_earlier_comments, account_for_earlier_writes
from sync.gateway import Gateway
from sync.intents import TryLater
from sync.means import Means, Outcome, said
from sync.moves import depart
from sync.past import Past, reread
from sync.pull import look
from sync.reading import read
from sync.speak import notify, settle_notice
from sync.tell import tell

_NOTICE = "{centre} has given this ticket to {unit}; it is no longer synchronised with this system."


def given_to(centre: str, text: str) -> str | None:
    """The unit that a last notice names; None: the text is no such notice."""
    before, after = _NOTICE.format(centre=centre, unit="\n").split("\n")
    said = " ".join(text.split())
    if not said.startswith(before) or not said.endswith(after):
        return None
    return said[len(before) : -len(after)] or None


def last_notice(means: Means, past: Past) -> str:
    """What those who stay behind are told."""
    return _NOTICE.format(centre=means.centre, unit=past.ticket["unit"])


def detach(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Outcome:
    """Stop both directions, with one last notice to those who stay behind."""
    unit, text = past.ticket["unit"], last_notice(means, past)

    def begin(tx: Transaction, link: Link) -> Link:
        why = f"the ticket is now with {unit}; base and ids are kept"
        tx.tickets.record([Event(Kind.DETACHED, link.ticket_id, means.clock(), SYSTEM, system=gateway.system, why=why)])
        arrived = tuple(i for i in link.intents if i.done)  # what they did there is told by the reading after a return
        return link.evolve(state=LinkState.DETACHED, disagreements={}, intents=arrived)

    try:
        if past.link.state is LinkState.DETACHED:
            if _last_notice_arrived(means, gateway, past, lease):
                return said("the last notice had arrived")
        else:
            past, theirs = account_for_earlier_comments(means, gateway, past, lease)
            past, _ = account_for_earlier_writes(means, gateway, past, theirs, lease)  # it is read for the last time
        notify(means, gateway, past, text, lease, about=_left_at(means, past), begin=begin)
    except NotFound as problem:
        return depart(means, gateway, past, lease, problem)
    return said(f"detached: the ticket is now with {unit}")


def _left_at(means: Means, past: Past) -> str:
    """When it was given away, as a text: what tells this notice from that of another time."""
    moves = means.store.read(lambda tx: tx.tickets.events(past.ticket.id, field="unit"))
    return moves[-1].at.isoformat() if moves else ""


def _last_notice_arrived(means: Means, gateway: Gateway, past: Past, lease: Lease) -> bool:
    """Whether the notice whose answer was lost got through. A detached link is not read for anything else."""
    theirs = read(means, gateway, past, conversation=True, lease=lease)
    arrived = discussion.arrivals(past.link, theirs.marks, past.known).landed
    comments = {comment.id: comment for comment in theirs.ticket.comments or ()}
    for remote_id, intent in arrived.items():
        settle_notice(means, gateway, past, intent, comments[remote_id], lease, shown=theirs.ticket)
    at = means.clock()
    for intent in past.link.intents:
        if not intent.done and intent not in arrived.values() and at < intent.at + means.request_deadline:
            certain_at = intent.at + means.request_deadline
            raise TryLater("the last notice may still appear there", certain_at, at)
    return bool(arrived)


def resume(means: Means, gateway: Gateway, past: Past, lease: Lease) -> Outcome:
    """Take up a detached link again: a three-way merge against the base it was left with."""

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        tx.links.save(past.link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))
        # the conversation of the gap must be read, whatever happens to this very look
        means.relay.owe_inward(tx, gateway.system, past.link.key or "", at, reason="the link was resumed")
        why = "the ticket came back; both sides are merged against the old base"
        tx.tickets.record([Event(Kind.RESUMED, past.ticket.id, at, SYSTEM, system=gateway.system, why=why)])

    means.store.write(change, durable=False)
    past = reread(means.store, past)
    try:
        look(means, gateway, past, read(means, gateway, past, conversation=True, lease=lease), lease, telling=True)
        past = reread(means.store, past)
    except NotFound as problem:
        return said("resumed").also(depart(means, gateway, past, lease, problem))
    return said("resumed").also(tell(means, gateway, past, lease))
