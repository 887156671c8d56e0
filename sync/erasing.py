"""Somebody is erased from tickets, so that no system takes it for an edit and nothing is sent twice.

What proves that something was sent or seen stays: ids, ties, digests, and the token that a comment bears. What a system
itself says of somebody is its own, and is kept on the link for as long as it says so; the field stands apart until
somebody changes it there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from central.erasure import Erasure
from central.link import Intent, Link, LinkState, Pair
from central.model import Value
from central.store.api import Busy, Transaction
from sync.means import Means
from sync.plan import ERASED

TERM = timedelta(minutes=1)


class Erasing:
    """Fulfils `central.desk.services.tickets.Erasing`."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def ticket(self, ticket_id: int, erasure: Erasure) -> Sequence[str]:
        """Erase somebody from one ticket; where they are named still, as `SYSTEM/KEY`.

        :raises Busy: the ticket is being looked at this moment."""
        return self._means.store.write(lambda tx: self._erase(tx, ticket_id, erasure))

    def _erase(self, tx: Transaction, ticket_id: int, erasure: Erasure) -> Sequence[str]:
        links = [link for link in tx.links.of(ticket_id) if link.state is not LinkState.DUPLICATE]
        leases = [
            tx.outbox.take(f"{link.system}/ticket/{ticket_id}", erasure.alias, self._means.clock(), ttl=TERM)
            for link in links
        ]
        if None in leases:
            raise Busy(f"ticket {ticket_id} is being looked at this moment: say it again")
        ticket = tx.tickets.get(ticket_id)
        named = erasure.fields(ticket)
        if named:
            tx.tickets.change(ticket, named, None)
        for comment in tx.tickets.comments(ticket_id):
            if erasure.is_them(comment.author):
                tx.traces.comment(erasure.comment(comment, self._means.tokens.comment(comment)))
        tx.traces.events(ticket_id, erasure.event)
        tx.traces.conflicts(ticket_id, erasure.conflict)
        tx.traces.origins(ticket_id, erasure.submitted if "submitter" in named else erasure.origin)
        still = []
        for link in links:
            after = without(link, named, erasure, self._means.clock())
            if after != link:
                tx.links.save(after)
            if _names(after, erasure):
                still.append(f"{link.system}/{link.key or '(not yet)'}")
        for lease in filter(None, leases):
            tx.outbox.release(lease)
        return still


def without(link: Link, named: Mapping[str, Value], erasure: Erasure, at: datetime) -> Link:
    """The link with nobody in particular on our side of it. Their side is theirs: it tells that nothing has moved."""

    def ours(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
        return {
            name: replace(pair, ours=None if name in named and named[name] is None else erasure.value(pair.ours))
            for name, pair in pairs.items()
        }

    def told(intent: Intent) -> Intent:
        return replace(intent, wrote=ours(intent.wrote))

    base = ours(link.base)
    moved = [name for name, pair in base.items() if pair != link.base[name] or name in named]
    return link.evolve(
        base=base,
        intents=tuple(map(told, link.intents)),
        outdated=tuple(dict.fromkeys((*link.outdated, *moved))),
    ).standing({**link.disagreements, **dict.fromkeys(moved, ERASED)}, at)


def _names(link: Link, erasure: Erasure) -> bool:
    """Whether their side names somebody still."""
    values = [*link.seen.values(), *(pair.theirs for pair in link.base.values())]
    return any(erasure.value(value) != value for value in values)
