"""Deliveries and leases of the reference store."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from central.delivery import Claim, Counts, Delivery, DeliveryState, Direction, Lane, Lease
from central.guard import HoldState
from central.link import LinkState
from central.store.api import LeaseLost, NoSuch, Transaction
from central.store.codec import as_json
from central.store.memory.tables import Tables
from central.store.memory.traffic import MemoryTraffic


class MemoryOutbox:
    """`central.store.ports.outbox.Outbox`, in dictionaries."""

    def __init__(self, tables: Tables, transaction: Transaction, traffic: MemoryTraffic) -> None:
        self._tables = tables
        self._transaction = transaction
        self._traffic = traffic

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
        before = self._tables.deliveries.get((system, direction, subject))
        fresh = Delivery(
            id=before.id if before else self._tables.next_id("delivery"),
            system=system,
            direction=direction,
            subject=subject,
            generation=before.generation + 1 if before else 1,
            lane=lane,
            state=DeliveryState.DUE,
            not_before=not_before or at,
            owed_since=at,
            attempts=0,
            reason=reason,
            hint=as_json(hint),
            trail=trail,
        )
        if before is not None and before.state is DeliveryState.DUE:
            fresh = replace(
                fresh,
                lane=min(before.lane, lane),
                not_before=min(before.not_before, fresh.not_before),
                owed_since=before.owed_since,
                attempts=before.attempts,
                error=before.error,
            )
        self._put(fresh)
        self._traffic.happen(system, at)

    def claim(
        self,
        system: str,
        owner: str,
        at: datetime,
        *,
        ttl: timedelta,
        lease_name: Callable[[Transaction, Delivery], str],
        only: Direction | None = None,
    ) -> Claim | None:
        due = [one for one in self._due(system) if one.not_before <= at and only in (None, one.direction)]
        due.sort(key=lambda one: (one.lane, one.not_before, one.id))
        for delivery in due:
            name = lease_name(self._transaction, delivery)
            held = self._tables.leases.get(name)
            if held is None or held.expires_at <= at:
                lease = Lease(name, owner, self._tables.next_id("lease"), at + ttl)
                self._tables.leases.put(name, lease)
                return Claim(delivery, lease, more=delivery is not due[-1])
        return None

    def next_due_at(self, system: str, *, after: datetime | None = None) -> datetime | None:
        times = (delivery.not_before for delivery in self._due(system))
        return min((time for time in times if after is None or time > after), default=None)

    def check(self, lease: Lease, at: datetime) -> None:
        held = self._tables.leases.get(lease.name)
        if held is None or held.epoch != lease.epoch or held.expires_at <= at:
            raise LeaseLost(f"the lease {lease.name} (epoch {lease.epoch}) is over: somebody else may work on it now")

    def release(self, lease: Lease) -> None:
        held = self._tables.leases.get(lease.name)
        if held is not None and held.epoch == lease.epoch:
            self._tables.leases.drop(lease.name)

    def prolong(self, lease: Lease, at: datetime, *, ttl: timedelta) -> Lease:
        self.check(lease, at)
        longer = replace(lease, expires_at=at + ttl)
        self._tables.leases.put(lease.name, longer)
        return longer

    def release_all(self, owner: str | None = None) -> None:
        for held in list(self._tables.leases.rows()):
            if owner in (None, held.owner):
                self._tables.leases.drop(held.name)

    def done(self, claim: Claim, at: datetime) -> bool:
        delivery, moved = self._finish(claim, at)
        inward = claim.delivery.direction is Direction.INWARD
        self._traffic.happen(claim.delivery.system, at, inward=int(inward), outward=int(not inward))
        if delivery is None:
            return True
        if moved:
            self._put(replace(delivery, owed_since=at, attempts=0, error=""))
            return False
        self._tables.deliveries.drop(_place(delivery))
        return True

    def retry(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        delivery, _ = self._finish(claim, at)
        self._traffic.happen(claim.delivery.system, at, failed=1)
        if delivery is not None:
            self._put(replace(delivery, not_before=not_before, attempts=delivery.attempts + 1, error=error))

    def put_back(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        delivery, moved = self._finish(claim, at)
        if delivery is not None and not moved:
            self._put(replace(delivery, not_before=not_before, error=error))

    def bury(self, claim: Claim, at: datetime, *, error: str) -> None:
        delivery, moved = self._finish(claim, at)
        self._traffic.happen(claim.delivery.system, at, failed=1)
        if delivery is not None:
            state = DeliveryState.DUE if moved else DeliveryState.DEAD
            self._put(replace(delivery, state=state, attempts=delivery.attempts + 1, error=error))

    def discard(self, delivery_id: int, *, error: str) -> None:
        letter = self._find(delivery_id)
        if letter is None or letter.state is not DeliveryState.DEAD:
            raise NoSuch(f"there is no dead letter {delivery_id}")
        self._put(replace(letter, state=DeliveryState.DISCARDED, error=error))

    def get(self, delivery_id: int) -> Delivery:
        found = self._find(delivery_id)
        if found is None:
            raise NoSuch(f"there is no delivery {delivery_id}")
        return found

    def find(self, system: str, direction: Direction, subject: str) -> Delivery | None:
        return self._tables.deliveries.get((system, direction.value, subject))

    def dead(
        self, system: str | None = None, *, after: tuple[datetime, int] | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        return self._letters(DeliveryState.DEAD, system, after)[:limit]

    def discarded(
        self, system: str | None = None, *, after: tuple[datetime, int] | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        return self._letters(DeliveryState.DISCARDED, system, after)[:limit]

    def counts(self) -> Mapping[str, Counts]:
        links, disagreements, due, dead, discarded, held = (defaultdict[str, int](int) for _ in range(6))
        oldest: dict[str, datetime] = {}
        stands: dict[str, datetime] = {}
        for link in self._tables.links.rows():
            if link.state is not LinkState.DUPLICATE:
                links[link.system] += 1
                disagreements[link.system] += bool(link.disagreements)
                if (stood := link.disagrees_since) is not None:
                    stands[link.system] = min(stood, stands.get(link.system, stood))
        for delivery in self._tables.deliveries.rows():
            if delivery.state is DeliveryState.DEAD:
                dead[delivery.system] += 1
            elif delivery.state is DeliveryState.DISCARDED:
                discarded[delivery.system] += 1
            else:
                due[delivery.system] += 1
                since = delivery.owed_since
                oldest[delivery.system] = min(since, oldest.get(delivery.system, since))
        for hold in self._tables.holds.rows():
            if hold.state is HoldState.OPEN:
                held[hold.system] += 1
        return {
            name: Counts(
                links=links[name],
                disagreements=disagreements[name],
                due=due[name],
                dead=dead[name],
                discarded=discarded[name],
                held=held[name],
                oldest_due_at=oldest.get(name),
                disagrees_since=stands.get(name),
            )
            for name in {*links, *due, *dead, *discarded, *held}
        }

    def waiting(self, system: str, lane: Lane, *, most: int) -> int:
        return min(most, sum(delivery.lane is lane for delivery in self._due(system)))

    def take(self, name: str, owner: str, at: datetime, *, ttl: timedelta) -> Lease | None:
        held = self._tables.leases.get(name)
        if held is not None and held.expires_at > at:
            if held.owner != owner:
                return None
            lease = Lease(name, owner, held.epoch, at + ttl)
        else:
            lease = Lease(name, owner, self._tables.next_id("lease"), at + ttl)
        self._tables.leases.put(name, lease)
        return lease

    def _find(self, delivery_id: int) -> Delivery | None:
        return next((each for each in self._tables.deliveries.rows() if each.id == delivery_id), None)

    def _letters(self, state: DeliveryState, system: str | None, after: tuple[datetime, int] | None) -> list[Delivery]:
        found = [
            each
            for each in self._tables.deliveries.rows()
            if each.state is state
            and system in (None, each.system)
            and (after is None or (each.owed_since, each.id) > after)
        ]
        return sorted(found, key=lambda each: (each.owed_since, each.id))

    def _due(self, system: str) -> list[Delivery]:
        return [
            delivery
            for delivery in self._tables.deliveries.rows()
            if delivery.system == system and delivery.state is DeliveryState.DUE
        ]

    def _finish(self, claim: Claim, at: datetime) -> tuple[Delivery | None, bool]:
        """Give the lease back; the delivery as it is now, and whether a newer reason came since the claim."""
        self.check(claim.lease, at)
        self.release(claim.lease)
        now = self._tables.deliveries.get(_place(claim.delivery))
        if now is None or now.id != claim.delivery.id:
            return None, False
        return now, now.generation != claim.delivery.generation

    def _put(self, delivery: Delivery) -> None:
        self._tables.deliveries.put(_place(delivery), delivery)


def _place(delivery: Delivery) -> tuple[str, str, str]:
    return delivery.system, delivery.direction, delivery.subject
