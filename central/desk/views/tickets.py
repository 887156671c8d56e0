"""Tickets in a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from central.desk.views.words import shown
from central.link import LinkState
from central.model import Ticket
from central.store.api import Transaction


@dataclass(frozen=True, slots=True)
class Line:
    """One ticket in a list."""

    id: int
    subject: str
    status: str
    priority: str
    unit: str
    born_in: str
    changed_at: datetime
    links: tuple[tuple[str, str], ...]
    """(system, their key) of each."""
    disagreements: int


def lines(tx: Transaction, found: Sequence[Ticket]) -> tuple[Line, ...]:
    """These tickets, in their order."""
    return tuple(_line(tx, ticket) for ticket in found)


def _line(tx: Transaction, ticket: Ticket) -> Line:
    links = [link for link in tx.links.of(ticket.id) if link.state is not LinkState.DUPLICATE]
    return Line(
        id=ticket.id,
        subject=shown(ticket["subject"]),
        status=shown(ticket["status"]),
        priority=shown(ticket["priority"]),
        unit=shown(ticket["unit"]),
        born_in=ticket.born_in or "",
        changed_at=ticket.changed_at,
        links=tuple((link.system, link.key or "") for link in links),
        disagreements=sum(len(link.disagreements) for link in links),
    )
