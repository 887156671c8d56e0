"""Dead letters: looks that need a person, who has them tried again, or discards them.

What is discarded is owed no more, and stays visible as that: on the ticket, in the counts, in the audit log. A new
change on the side that was to be told of makes it owed again, and so does a retry.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from central.audit import Entry
from central.delivery import Delivery, DeliveryState, Direction
from central.store.api import NoSuch, Transaction
from sync.means import Means

_AT_ONCE = 100
"""Letters per transaction: what people and trackers change meanwhile does not wait for thousands."""


def letter(tx: Transaction, number: int) -> Delivery:
    """One dead or discarded letter.  :raises NoSuch: there is none of this number."""
    try:
        found = tx.outbox.get(number)
    except NoSuch:
        raise NoSuch(f"there is no dead letter {number}; see interdesk deadletter list") from None
    if found.state is DeliveryState.DUE:
        raise NoSuch(f"letter {number} is owed already: {found.error or found.reason}")
    return found


def retry(means: Means, numbers: Sequence[int], by: str, *, named: bool = True) -> tuple[Delivery, ...]:
    """Have these looks tried again, from the first try on; what was refused on their links is sent again, too.

    Discarded ones come back. `named`: by a person, one by one; else those that are gone by now are passed over.
    Returns the letters as they were.

    :raises NoSuch: one that was named is no letter; the hundred that it is among were left alone."""

    def change(tx: Transaction, before: Delivery) -> None:
        try_again(tx, means, before)
        tx.audit.record(_entry(means, "retry", before, by))

    return tuple(_each(means, numbers, named, change))


def edited(means: Means, letters: Sequence[Delivery], fields: Iterable[str], by: str) -> Callable[[Transaction], None]:
    """What belongs to a change of the ticket that these letters are about: that they are tried again, since what they
    carry is another now. `letters`: as they were before it, for the change itself may have made them owed."""
    names = ", ".join(sorted(fields))

    def also(tx: Transaction) -> None:
        for before in letters:
            try_again(tx, means, before)
            tx.audit.record(_entry(means, "edit and retry", before, by, fields=names))

    return also


def discard(means: Means, numbers: Sequence[int], by: str, why: str, *, named: bool = True) -> tuple[Delivery, ...]:
    """Give these looks up; `why` is what is read by whoever misses them. The rest as for `retry`."""

    def change(tx: Transaction, before: Delivery) -> None:
        tx.outbox.discard(before.id, error=f"discarded by {by}: {why}; it said: {before.error}")
        tx.audit.record(_entry(means, "discard", before, by, why=why))

    return tuple(_each(means, numbers, named, change))


def about(tx: Transaction, delivery: Delivery) -> int | None:
    """Our number of the ticket that the look is about; None: it is not known here yet."""
    if delivery.direction is Direction.OUTWARD:
        return int(delivery.subject)
    link = tx.links.find_by_key(delivery.system, delivery.subject)
    return None if link is None else link.ticket_id


def _each(
    means: Means, numbers: Sequence[int], named: bool, change: Callable[[Transaction, Delivery], None]
) -> Iterator[Delivery]:
    def page(tx: Transaction, numbers: Sequence[int]) -> list[Delivery]:
        found = []
        for number in numbers:
            try:
                before = letter(tx, number)
            except NoSuch:
                if named:
                    raise
                continue
            change(tx, before)
            found.append(before)
        return found

    for begin in range(0, len(numbers), _AT_ONCE):
        yield from means.store.write(partial(page, numbers=numbers[begin : begin + _AT_ONCE]))


def try_again(tx: Transaction, means: Means, before: Delivery) -> None:
    """This look is owed anew, from the first try on; what was refused on its link is sent again, too."""
    at = means.clock()
    _forget_refusals(tx, before)
    # the reason stays as it was: the same row of a list, seen once more, is no reason to try again by itself
    why, lane = before.reason, before.lane
    if before.direction is Direction.INWARD:
        means.relay.owe_inward(tx, before.system, before.subject, at, reason=why, lane=lane)
    else:
        means.relay.owe_outward(tx, (before.system,), int(before.subject), at, reason=why, lane=lane)


def _forget_refusals(tx: Transaction, delivery: Delivery) -> None:
    if delivery.direction is Direction.INWARD:
        return
    link = tx.links.find(int(delivery.subject), delivery.system)
    if link is not None and link.refusals:
        tx.links.save(link.evolve(refusals={}))


def _entry(means: Means, act: str, before: Delivery, by: str, **more: str) -> Entry:
    data = {"system": before.system, "direction": before.direction.value, "subject": before.subject}
    return Entry(means.clock(), by, act, f"dead letter {before.id}", {**data, "error": before.error[:500], **more})
