"""What will be written once a restored database is let go: the engine's own decisions, asked for by reading only."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from central.delivery import DeliveryState, Direction
from central.shadow import Side
from central.store.api import Transaction
from connectors.api import WriteKind
from connectors.errors import ConnectorError
from sync import intended
from sync.gateway import Gateway, Gateways
from sync.intended import Write
from sync.intents import TryLater
from sync.mails import Mails, mails
from sync.means import Means
from sync.recovery.search import Rebuilt

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One write to one system."""

    system: str
    ticket_id: int
    key: str
    """Theirs; '': it is to be created there, or known only then."""
    write: Write


@dataclass(frozen=True, slots=True)
class ResyncPlan:
    """Everything that will be written, and where nothing can be said."""

    found: Rebuilt
    rows: tuple[Row, ...]
    mails: Mapping[str, Mails]
    """By system, the mail that its tracker sends upon these writes, at most."""
    unread: Mapping[str, str]
    """Systems that could not be read, and why: they stay paused."""

    @property
    def fingerprint(self) -> str:
        """What tells this plan from every other one; a person approves it by this."""
        lines = [f"{row.system} {row.ticket_id} {row.key} {_words(row.write)}" for row in self.rows]
        text = "\n".join([*sorted(lines), *(f"unread {name}" for name in sorted(self.unread))])
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def compute(means: Means, gateways: Gateways, systems: Sequence[str], found: Rebuilt) -> ResyncPlan:
    """The plan for these systems: of each ticket that one of them is owed a look at, or that moved there."""
    rows: list[Row] = []
    counted: dict[str, Mails] = {}
    unread = dict(found.unread)
    for name in systems:
        if name in unread:
            continue
        gateway = gateways.get(name)  # it was usable just now
        try:
            planned, kinds = _of_system(means, gateway, found.moved.get(name, ()))
        except ConnectorError as problem:
            unread[name] = f"{type(problem).__name__}: {problem}"
            continue
        rows += planned
        counted[name] = mails(gateway.connector.capabilities, kinds)
    return ResyncPlan(found, tuple(rows), counted, unread)


def _of_system(means: Means, gateway: Gateway, moved: Collection[str]) -> tuple[list[Row], Counter[WriteKind]]:
    rows: list[Row] = []
    kinds: Counter[WriteKind] = Counter()
    for ticket_id in dict.fromkeys((*_moved_tickets(means, gateway, moved), *_owed_tickets(means, gateway))):
        try:
            writes = intended.of_ticket(means, gateway, ticket_id).on(Side.SYSTEM)
        except TryLater as waits:
            writes = (Write(Side.SYSTEM, "create", None, None, str(waits)),)
        link = means.store.read(lambda tx, i=ticket_id: tx.links.find(i, gateway.system))  # type: ignore[misc]  # bound now
        key = (link.key or "") if link is not None else ""
        rows += [Row(gateway.system, ticket_id, key, write) for write in writes]
        kinds.update(intended.kinds(writes))
    return rows, kinds


def _moved_tickets(means: Means, gateway: Gateway, moved: Collection[str]) -> list[int]:
    def question(tx: Transaction) -> list[int]:
        links = (tx.links.find_by_key(gateway.system, key) for key in moved)
        return [link.ticket_id for link in links if link is not None]

    return means.store.read(question)


def _owed_tickets(means: Means, gateway: Gateway) -> Iterator[int]:
    before: int | None = None
    while True:

        def page(tx: Transaction, before: int | None = before) -> list[tuple[int, bool]]:
            tickets = tx.tickets.list(limit=_PAGE, before=before)
            return [(ticket.id, _is_owed(tx, gateway.system, ticket.id)) for ticket in tickets]

        found = means.store.read(page)
        if not found:
            return
        yield from (ticket_id for ticket_id, owed in found if owed)
        before = found[-1][0]


def _is_owed(tx: Transaction, system: str, ticket_id: int) -> bool:
    delivery = tx.outbox.find(system, Direction.OUTWARD, str(ticket_id))
    return delivery is not None and delivery.state is DeliveryState.DUE


def _words(write: Write) -> str:
    return f"{write.item!r} {write.would!r} {write.before!r}"
