"""A comment of ours whose answer was lost, where nothing there proves to be it: a person says what became of it."""

from datetime import timedelta

from central.audit import Entry
from central.delivery import Delivery
from central.desk.services.errors import NotNow
from central.events import Event, Kind
from central.link import Intent, IntentKind, Link
from central.model import SYSTEM
from central.store.api import Busy, Transaction
from connectors.api import RemoteComment
from sync import deadletters, discussion
from sync.absorb import tie_sent
from sync.gateway import Gateway, Gateways
from sync.means import Means
from sync.past import Past, read_past
from sync.reading import read
from sync.settle import without
from sync.speak import closed

_TERM = timedelta(minutes=1)


def settle(means: Means, gateways: Gateways, number: int, by: str, *, there: str | None) -> Delivery:
    """Our comment is the one with this id `there`; None: it never got through, and is sent once more. The look of this
    dead letter is tried again. Returns the letter as it was.

    :raises NoSuch: there is no such letter.  :raises NotNow: it waits for no such word, or that comment cannot be it.
    :raises Busy: the ticket is being looked at this moment.  :raises ConnectorError: the comments cannot be read."""
    before = means.store.read(lambda tx: deadletters.letter(tx, number))
    past, intent = means.store.read(lambda tx: _in_doubt(tx, before))
    gateway = gateways.get(before.system)
    found = None if there is None else _candidate(means, gateway, past, there)

    def change(tx: Transaction) -> None:
        at, ticket_id = means.clock(), past.ticket.id
        deadletters.letter(tx, number)  # still one
        lease = tx.outbox.take(f"{before.system}/ticket/{ticket_id}", f"dead letter {number}", at, ttl=_TERM)
        if lease is None:
            raise Busy(f"ticket {ticket_id} is being looked at in {before.system} this moment: say it again")
        now, still = _in_doubt(tx, before)
        if still.token != intent.token:
            raise NotNow(f"letter {number} is about another comment by now: interdesk deadletter show {number}")
        tx.links.save(_settled(tx, means, gateway, now, still, found, by))
        tx.outbox.release(lease)
        deadletters.try_again(tx, means, before)
        if found is not None:
            reason = "a comment of ours was found there"
            means.relay.owe_inward(tx, before.system, now.link.key or "", at, reason=reason)
        data = {"system": before.system, "ticket": ticket_id, "comment": still.comment_id, "there": there}
        tx.audit.record(Entry(at, by, "settle a comment", f"dead letter {number}", data))

    means.store.write(change)
    return before


def awaited(tx: Transaction, letter: Delivery) -> str | None:
    """What our comment says of which it is to be told what became of it; None: this letter waits for no such word."""
    try:
        return _in_doubt(tx, letter)[1].text
    except NotNow:
        return None


def _in_doubt(tx: Transaction, letter: Delivery) -> tuple[Past, Intent]:
    """The comment that waits to be told from others.  :raises NotNow: none does."""
    ticket_id = deadletters.about(tx, letter)
    link = None if ticket_id is None else tx.links.find(ticket_id, letter.system)
    past = None if link is None else read_past(tx, link)
    if past is None or not past.awaited():
        raise NotNow(f"letter {letter.id} waits for no lost answer to a comment: retry it, or discard it")
    return past, past.awaited()[0]


def _candidate(means: Means, gateway: Gateway, past: Past, there: str) -> RemoteComment:
    """The comment there that is meant, with its files.  :raises NotNow: it cannot be ours."""
    theirs = read(means, gateway, past, conversation=True, lease=None)
    doubtful = discussion.arrivals(past.link, theirs.marks, past.known).doubtful
    if there not in doubtful:
        which = f"there are {', '.join(doubtful)}" if doubtful else "there is none"
        raise NotNow(f"{there} is no comment of our account in {gateway.system} that bears no mark: {which}")
    return next(each for each in theirs.ticket.comments or () if each.id == there)


def _settled(
    tx: Transaction, means: Means, gateway: Gateway, past: Past, intent: Intent, found: RemoteComment | None, by: str
) -> Link:
    """The link with this intent closed."""
    link, at = past.link, means.clock()
    if found is None:
        return link.evolve(intents=without(link.intents, intent))
    files = tuple((each.id, each.name) for each in found.files)
    tie_sent(tx, link.id, intent, found.id, files, past.files, at)
    data = {"comment": intent.comment_id, "remote": found.id}
    why = f"{by} says that this comment there is ours"
    tx.tickets.record([Event(Kind.COMMENT_SENT, past.ticket.id, at, SYSTEM, system=gateway.system, data=data, why=why)])
    tied = intent.kind is IntentKind.COMMENT and intent.comment_id is not None
    ignored = link.ignored if tied else (*link.ignored, found.id)
    link = link.evolve(intents=closed(gateway, link, intent, found.created_at), ignored=ignored, written_at=at)
    return link.evolve(version="", row_version="", racy_until=None)  # what was made of it there is read anew
