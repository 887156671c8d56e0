"""Tickets in a list."""

from collections.abc import Callable, Sequence
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
    changed_at: datetime
    links: tuple[tuple[str, str], ...]
    """(system, their key) of each."""
    disagreements: int


def lines(tx: Transaction, found: Sequence[Ticket], sees: Callable[[str], bool]) -> tuple[Line, ...]:
    """These tickets, in their order; `sees`: of which systems may be told."""
    return tuple(_line(tx, ticket, sees) for ticket in found)


def _line(tx: Transaction, ticket: Ticket, sees: Callable[[str], bool]) -> Line:
    found = tx.links.of(ticket.id)
    links = [link for link in found if link.state is not LinkState.DUPLICATE and sees(link.system)]
    return Line(
        id=ticket.id,
        subject=shown(ticket["subject"]),
        status=shown(ticket["status"]),
        priority=shown(ticket["priority"]),
        unit=shown(ticket["unit"]),
        changed_at=ticket.changed_at,
        links=tuple((link.system, link.key or "") for link in links),
        disagreements=sum(len(link.disagreements) for link in links),
    )
