"""What is owed to whom, as a transaction keeps it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from central.delivery import Claim, Counts, Delivery, Direction, Lane, Lease

if TYPE_CHECKING:
    from central.store.api import Transaction


class Outbox(Protocol):
    """Deliveries and leases."""

    def owe(
        self,
        system: str,
        direction: Direction,
        subject: str,
        at: datetime,
        *,
        reason: str,
        lane: Lane = Lane.LIVE,
        not_before: datetime | None = None,
        hint: Mapping[str, Any] | None = None,
        trail: str = "",
    ) -> None:
        """A system is owed a look: a new row, or a higher generation of the one that is there.

        A live reason promotes a backfill row; an earlier `not_before` wins (None: at once); a dead letter, and one
        that was discarded, comes alive again, with its attempts forgotten; the latest reason, trail and hint are kept,
        even where the hint is None (what an older one carried is out of date)."""

    def claim(
        self,
        system: str,
        owner: str,
        at: datetime,
        *,
        ttl: timedelta,
        lease_name: Callable[["Transaction", Delivery], str],
        only: Direction | None = None,
    ) -> Claim | None:
        """Take up the next due delivery whose subject nobody holds a live lease on: live before backfill, then
        oldest `not_before` first; `only` those of this direction. `lease_name` maps a delivery to what must not
        be worked on twice at once."""

    def next_due_at(self, system: str, *, after: datetime | None = None) -> datetime | None:
        """When the earliest delivery of this system falls due; None: there is none.

        Whoever sleeps after a fruitless `claim(at)` asks with `after=at`: what was due then is held under a lease,
        and its release wakes."""

    def check(self, lease: Lease, at: datetime) -> None:
        """:raises LeaseLost: expired, or of an older epoch."""

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens where it is lost already."""

    def prolong(self, lease: Lease, at: datetime, *, ttl: timedelta) -> Lease:
        """The same lease for a new term that begins now.  :raises LeaseLost: as `check`."""

    def release_all(self, owner: str | None = None) -> None:
        """Take back every lease, or all of this owner: for whoever knows that those who held them are dead."""

    def done(self, claim: Claim, at: datetime) -> bool:
        """The look is finished and its lease released. False: a newer generation waits, and stays due.

        :raises LeaseLost: as `check`; so do `retry` and `bury`."""

    def retry(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        """Not now: keep it, count the attempt, release the lease. Even a newer generation waits until then."""

    def put_back(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        """As `retry`, but it was not tried: no attempt is counted, and a newer generation is not delayed."""

    def bury(self, claim: Claim, at: datetime, *, error: str) -> None:
        """Make it a dead letter with the tracker's own words, and release the lease.

        Where a newer generation waits, that one has not been tried yet: it stays due."""

    def discard(self, delivery_id: int, *, error: str) -> None:
        """Give a dead letter up, for ever unless a new reason comes. `error` says who did, why, and what it said.

        :raises NoSuch: no dead letter has this id."""

    def get(self, delivery_id: int) -> Delivery:
        """:raises NoSuch: no delivery has this id (any more)."""

    def find(self, system: str, direction: Direction, subject: str) -> Delivery | None:
        """The delivery of this subject, dead and discarded ones included; None: nothing is owed."""

    def dead(
        self, system: str | None = None, *, after: tuple[datetime, int] | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        """Dead letters, oldest first; `limit` of them, `after` the (`owed_since`, id) of the last one of the page
        before, which need not be there any more."""

    def discarded(
        self, system: str | None = None, *, after: tuple[datetime, int] | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        """Those that were given up, in the same way."""

    def counts(self) -> Mapping[str, Counts]:
        """The kept counters of every system that has any."""

    def waiting(self, system: str, lane: Lane, *, most: int) -> int:
        """How many deliveries of this lane are due or will be, counted up to `most`."""

    def take(self, name: str, owner: str, at: datetime, *, ttl: timedelta) -> Lease | None:
        """A lease on what is no delivery, such as `job/7`; None: somebody else holds it.

        Whoever holds it gets it again for a new term, at the epoch it has."""
