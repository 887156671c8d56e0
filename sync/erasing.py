"""Somebody is erased from tickets, so that no system takes it for an edit and nothing is sent twice.

What proves that something was sent or seen stays: ids, ties, digests, and the token that a comment bears. What a system
itself says of somebody is its own, and is kept on the link for as long as it says so; the field stands apart until
somebody changes it there. What was said, or called, without them from now on is told nobody: a system that holds it
with their name goes on holding it, and is no edit for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from central.erasure import Erasure
from central.link import Intent, Link, LinkState, Pair
from central.model import Comment, Value
from central.store.api import Busy, Transaction
from sync import wording
from sync.means import Means
from sync.plan import ERASED

TERM = timedelta(minutes=1)
Reworded = Mapping[int, tuple[Comment, Comment]]
"""By its id, a comment whose words have changed: before and after."""


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
        reworded = self._erase_comments(tx, ticket_id, erasure)
        renamed = [file.id for file in tx.tickets.files(ticket_id) if erasure.file(file) != file]
        tx.traces.files(ticket_id, erasure.file)
        tx.traces.events(ticket_id, erasure.event)
        tx.traces.conflicts(ticket_id, erasure.conflict)
        tx.traces.origins(ticket_id, erasure.submitted if "submitter" in named else erasure.origin)
        still = []
        for link in links:
            after = without(link, named, erasure, self._means.clock(), reworded)
            if after != link:
                tx.links.save(after)
            holds = _hold(tx, link, erasure, reworded)
            bears = any(tx.links.file_ties(link.id).get(each) for each in renamed)
            if holds or bears or _names(after, erasure):
                still.append(f"{link.system}/{link.key or '(not yet)'}")
        for lease in filter(None, leases):
            tx.outbox.release(lease)
        return still

    def _erase_comments(self, tx: Transaction, ticket_id: int, erasure: Erasure) -> Reworded:
        found = {}
        for before in tx.tickets.comments(ticket_id):
            after = erasure.comment(before, self._means.tokens.comment(before))
            if after.author != before.author:
                tx.traces.comment(after)
            if (after.text, after.gap) != (before.text, before.gap):
                tx.tickets.revise_comment(after)
                found[before.id] = before, after
        return found


def without(link: Link, named: Mapping[str, Value], erasure: Erasure, at: datetime, reworded: Reworded) -> Link:
    """The link with nobody in particular on our side of it. Their side is theirs: it tells that nothing has moved."""

    def ours(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
        return {
            name: replace(pair, ours=None if name in named and named[name] is None else erasure.field(name, pair.ours))
            for name, pair in pairs.items()
        }

    def told(intent: Intent) -> Intent:
        words = reworded.get(intent.comment_id or 0)
        agreed = intent.agreed
        if agreed is not None and words is not None:
            agreed = wording.reworded(agreed, *words, erasure.spoken(agreed.quote))
        return replace(intent, wrote=ours(intent.wrote), agreed=agreed)

    base = ours(link.base)
    moved = [name for name, pair in base.items() if pair != link.base[name] or name in named]
    return link.evolve(
        base=base,
        intents=tuple(map(told, link.intents)),
        outdated=tuple(dict.fromkeys((*link.outdated, *moved))),
    ).standing({**link.disagreements, **dict.fromkeys(moved, ERASED)}, at)


def _hold(tx: Transaction, link: Link, erasure: Erasure, reworded: Reworded) -> bool:
    """Count as told what a system was told; whether it holds any of the comments whose words have changed."""
    holds = False
    for comment_id, tie in tx.links.tied(link.id).items() if reworded else ():
        if comment_id not in reworded or not tie.remote_id:
            continue
        holds = True
        if tie.agreed is not None:
            agreed = wording.reworded(tie.agreed, *reworded[comment_id], erasure.spoken(tie.agreed.quote))
            tx.links.agree_comment(link.id, comment_id, agreed)
    return holds


def _names(link: Link, erasure: Erasure) -> bool:
    """Whether their side names somebody still."""
    values = [*link.seen.values(), *(pair.theirs for pair in link.base.values())]
    return any(erasure.value(value) != value or _speaks(value, erasure) for value in values)


def _speaks(value: Value, erasure: Erasure) -> bool:
    return isinstance(value, str) and erasure.spoken(value) != value
