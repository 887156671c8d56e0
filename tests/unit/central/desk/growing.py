"""A mesh that grows, and what the database is asked about it meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime

from central.delivery import Direction
from central.link import Link, LinkState
from central.registry import System, SystemState
from central.store.api import Transaction
from central.store.sql import SqlStore

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def grow(tx: Transaction, first: int, last: int) -> None:
    """Live systems by these numbers, each with a ticket, a link to it and a look that is owed."""
    for number in range(first, last):
        tx.registry.put_system(System(f"s{number}", SystemState.LIVE, 1))
        ticket = tx.tickets.create({"subject": "x"}, AT)
        tx.links.create(Link(0, ticket.id, f"s{number}", LinkState.ACTIVE, key=str(number)))
        tx.outbox.owe(f"s{number}", Direction.OUTWARD, str(ticket.id), AT, reason="x")


def statements(store: SqlStore, question: Callable[[], object]) -> list[str]:
    """What the database is asked for this question."""
    question()  # the reader is there from now on
    asked: list[str] = []
    (reader,) = store._readers
    reader.driver.set_trace_callback(asked.append)
    question()
    reader.driver.set_trace_callback(None)
    return asked
