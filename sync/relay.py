"""Outbox to bus: what is owed is written in the transaction of its reason; the wake-up follows the commit."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from central.store.api import Direction, Lane, Transaction
from sync.bus.api import Bus


class Relay:
    """The one way in which deliveries come to be owed."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def owe_inward(
        self,
        tx: Transaction,
        system: str,
        key: str,
        at: datetime,
        *,
        reason: str,
        lane: Lane = Lane.LIVE,
        not_before: datetime | None = None,
        hint: Mapping[str, Any] | None = None,
    ) -> None:
        """The system's ticket `key` deserves a look."""
        tx.outbox.owe(system, Direction.INWARD, key, at, reason=reason, lane=lane, not_before=not_before, hint=hint)
        tx.after_commit(lambda: self._bus.wake(system))

    def owe_outward(
        self,
        tx: Transaction,
        systems: Iterable[str],
        ticket_id: int,
        at: datetime,
        *,
        reason: str,
        not_before: datetime | None = None,
    ) -> None:
        """These systems are owed a look at our ticket."""
        for system in sorted(systems):
            tx.outbox.owe(system, Direction.OUTWARD, str(ticket_id), at, reason=reason, not_before=not_before)
            tx.after_commit(lambda system=system: self._bus.wake(system))  # type: ignore[misc]  # early binding
