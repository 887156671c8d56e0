"""Conflicts that wait for a person (policy `ask`): which there are, and what a person decides."""

from collections.abc import Iterator
from datetime import timedelta

from central.audit import Entry
from central.link import Link, Pair
from central.model import Conflict
from central.store.api import Busy, NoSuch, Transaction
from sync.means import Means
from sync.plan import AGREED_NEVER, UNDECIDED

OURS, THEIRS = "ours", "theirs"
_TERM = timedelta(minutes=1)
_PAGE = 200


def waiting(tx: Transaction, *, after: int = 0) -> Iterator[Conflict]:
    """Those that stand undecided now, each with the values it is about, oldest first, after the one with this id. They
    are read as far as they are wanted."""
    while found := tx.tickets.conflicts(open_only=True, after=after, limit=_PAGE):
        yield from (each for each in found if _waits(tx, each))
        after = found[-1].id


def find(tx: Transaction, number: int) -> Conflict | None:
    """The conflict of this number, if it waits."""
    first = next(waiting(tx, after=number - 1), None)
    return first if first is not None and first.id == number else None


def resolve(means: Means, number: int, take: str, by: str) -> Conflict:
    """Let `ours` or `theirs` stand: the field is decided anew as if the other side had not touched it since.

    What did not stand is kept, like any edit that lost.

    :raises NoSuch: no conflict of this number waits.  :raises Busy: the ticket is being looked at this moment."""

    def change(tx: Transaction) -> Conflict:
        at = means.clock()
        found = find(tx, number)
        if found is None:
            raise NoSuch(f"no conflict {number} waits for a person; see interdesk conflict list")
        lease = tx.outbox.take(f"{found.system}/ticket/{found.ticket_id}", f"conflict {number}", at, ttl=_TERM)
        if lease is None:
            raise Busy(f"ticket {found.ticket_id} is being looked at in {found.system} this moment: say it again")
        link = tx.links.find(found.ticket_id, found.system)
        assert link is not None, "links are never deleted"
        tx.links.save(_decided(link, found, take))
        tx.outbox.release(lease)
        for each in tx.tickets.conflicts(found.ticket_id, open_only=True):
            if (each.system, each.field) == (found.system, found.field):
                winner, reason = ("central" if take == OURS else "remote"), f"{by} decided for {take}"
                tx.tickets.decide_conflict(each.id, winner=winner, reason=reason)
        reason = f"a person decided a conflict on {found.field}"
        if take == OURS:
            means.relay.owe_outward(tx, (found.system,), found.ticket_id, at, reason=reason)
        else:
            means.relay.owe_inward(tx, found.system, link.key or "", at, reason=reason)
        data = {"ticket": found.ticket_id, "system": found.system, "field": found.field, "take": take}
        tx.audit.record(Entry(at, by, "resolve a conflict", f"conflict {number}", data))
        return found

    return means.store.write(change)


def _waits(tx: Transaction, conflict: Conflict) -> bool:
    """Whether it stands, and tells the newest values of its field."""
    if not _stands(tx.links.find(conflict.ticket_id, conflict.system), conflict.field):
        return False
    later = tx.tickets.conflicts(conflict.ticket_id, open_only=True, after=conflict.id)
    return all((each.system, each.field) != (conflict.system, conflict.field) for each in later)


def _stands(link: Link | None, field: str) -> bool:
    return link is not None and link.disagreements.get(field) in (UNDECIDED, AGREED_NEVER)


def _decided(link: Link, conflict: Conflict, take: str) -> Link:
    """The link with a base that says what is meant: one side stands where it stood, the other has moved. Whoever has
    edited it since the conflict was seen is in a conflict anew."""
    name = conflict.field
    before = link.base.get(name, Pair(None, None))
    pair = Pair(before.ours, conflict.theirs) if take == OURS else Pair(conflict.ours, before.theirs)
    return link.evolve(
        base={**link.base, name: pair},
        disagreements={field: why for field, why in link.disagreements.items() if field != name},
        refusals={field: refusal for field, refusal in link.refusals.items() if field != name},
        version="",
        row_version="",
        racy_until=None,
    )
