"""Standing disagreements, with both values where they are known."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from central.desk.views.words import shown
from central.link import Link
from central.model import FIELDS, Ticket
from central.store.api import Transaction


@dataclass(frozen=True, slots=True)
class Apart:
    """One field that cannot agree now."""

    ticket_id: int
    subject: str
    system: str
    field: str
    reason: str
    ours: str
    theirs: str
    """As it was read there last."""


def apart(tx: Transaction, tickets: Iterable[Ticket], systems: Set[str]) -> tuple[Apart, ...]:
    """What of these tickets disagrees with these systems. Comments are left out: their words are for the ticket."""
    return tuple(
        each
        for ticket in tickets
        for link in tx.links.of(ticket.id)
        if link.system in systems
        for each in _of(ticket, link)
    )


def _of(ticket: Ticket, link: Link) -> Iterator[Apart]:
    for field, reason in link.disagreements.items():
        if field in FIELDS:
            base = link.base.get(field)
            theirs = link.seen.get(field, base.theirs if base else None)
            subject = shown(ticket["subject"])
            yield Apart(ticket.id, subject, link.system, field, reason, shown(ticket[field]), shown(theirs))
