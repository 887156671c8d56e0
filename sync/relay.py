"""Outbox to bus: what is owed is written in the transaction of its reason; the wake-up follows the commit.

A sweep finds what a lost wake-up forgot, and what waited under the lease of one who died.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from central.delivery import Direction, Lane
from central.store.api import Store, Transaction
from sync.bus.api import Bus

MAIL = "@mail"
"""Stands in the outbox for everybody who is told by mail. No system is called so."""


class Relay:
    """The one way in which deliveries come to be owed."""

    def __init__(self, bus: Bus, lane: Lane = Lane.LIVE, trail: str = "", *, mails: bool = False) -> None:
        """`mails`: people are told by mail, too."""
        self._bus, self._lane, self._trail, self._mails = bus, lane, trail, mails

    def behind(self) -> "Relay":
        """The same for what follows from a backfill: everything it owes goes behind live work, too."""
        return Relay(self._bus, Lane.BACKFILL, self._trail, mails=self._mails)

    def along(self, trail: str) -> "Relay":
        """The same for what follows from a look: everything it owes bears the look's own trail."""
        return Relay(self._bus, self._lane, trail, mails=self._mails)

    def sweep(self, store: Store) -> None:
        """Wake the lanes of this process for every system that is owed a look: one question, whatever their number."""
        for system, counts in store.read(lambda tx: tx.outbox.counts()).items():
            if counts.due and system != MAIL:  # the postman looks by himself
                self._bus.wake(system, here=True)

    def wake(self, tx: Transaction, system: str) -> None:
        """What the system is owed may be taken up again once this is committed."""
        tx.after_commit(lambda: self._bus.wake(system))

    def remind(self, tx: Transaction, system: str) -> None:
        """Once this is committed, whoever looks out here for this system must ask anew when something is due."""
        tx.after_commit(lambda: self._bus.wake(system, here=True))

    def owe_inward(
        self,
        tx: Transaction,
        system: str,
        key: str,
        at: datetime,
        *,
        reason: str,
        lane: Lane | None = None,
        not_before: datetime | None = None,
        hint: Mapping[str, Any] | None = None,
    ) -> str:
        """The system's ticket `key` deserves a look; answers the trail that it bears."""
        lane = self._lane if lane is None else lane
        trail = self._trail or _begun(system, key, at)
        tx.outbox.owe(
            system, Direction.INWARD, key, at, reason=reason, lane=lane, not_before=not_before, hint=hint, trail=trail
        )
        tx.after_commit(lambda: self._bus.wake(system))
        return trail

    def owe_outward(
        self,
        tx: Transaction,
        systems: Iterable[str],
        ticket_id: int,
        at: datetime,
        *,
        reason: str,
        lane: Lane | None = None,
        not_before: datetime | None = None,
    ) -> str:
        """These systems are owed a look at our ticket; answers the trail that it bears."""
        lane = self._lane if lane is None else lane
        trail = self._trail or _begun("", str(ticket_id), at)
        for system in sorted(systems):
            tx.outbox.owe(
                system,
                Direction.OUTWARD,
                str(ticket_id),
                at,
                reason=reason,
                lane=lane,
                not_before=not_before,
                trail=trail,
            )
            tx.after_commit(lambda system=system: self._bus.wake(system))  # type: ignore[misc]  # early binding
        if self._mails:
            self._owe_mail(tx, ticket_id, at, lane, reason, trail)
        return trail

    @staticmethod
    def _owe_mail(tx: Transaction, ticket_id: int, at: datetime, lane: Lane, reason: str, trail: str) -> None:
        if lane is Lane.LIVE:
            tx.outbox.owe(MAIL, Direction.OUTWARD, str(ticket_id), at, reason=reason, trail=trail)
        elif tx.outbox.find(MAIL, Direction.OUTWARD, str(ticket_id)) is None:
            for newest in tx.tickets.events(ticket_id, last=1):  # nobody is told of a past that is only taken over
                tx.mails.tell(ticket_id, newest.id)


def _begun(system: str, subject: str, at: datetime) -> str:
    """The trail of a change that begins here: the same for the same, so that a seed replays a run."""
    return hashlib.blake2b(f"{system}/{subject}/{at.isoformat()}".encode(), digest_size=6).hexdigest()
