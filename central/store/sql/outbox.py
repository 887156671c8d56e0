"""Deliveries and leases: in SQL."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, literal_column, or_, select, update

from central.delivery import Claim, Counts, Delivery, DeliveryState, Direction, Lane, Lease
from central.store.api import LeaseLost, NoSuch, Transaction
from central.store.sql.prepared import Lock, Prepared, adding, adding_unless_there
from central.store.sql.schema import DEAD, DISCARDED, DUE, counters, deliveries, leases, links
from central.store.sql.session import Session

_THERE = Prepared(
    select(deliveries).where(
        deliveries.c.system == bindparam("in"),
        deliveries.c.direction == bindparam("toward"),
        deliveries.c.subject == bindparam("about"),
    ),
    Lock.TO_CHANGE,
)
_OWE = adding(deliveries)
_RISEN = ("generation", "lane", "state", "not_before", "owed_since", "attempts", "reason", "error", "hint", "trail")
_RISE = Prepared(
    update(deliveries).where(deliveries.c.id == bindparam("of")).values({name: bindparam(name) for name in _RISEN})
)

_PAGE = 4
"""Deliveries looked at first by a claim; only those under a lease are passed over, so one page nearly always does."""
_OF_LANE = (deliveries.c.system == bindparam("in"), deliveries.c.lane == bindparam("on"), DUE)
_DUE_NOW = (
    select(deliveries)
    .where(*_OF_LANE, deliveries.c.not_before <= bindparam("at"))
    .order_by(deliveries.c.not_before, deliveries.c.id)
    .limit(bindparam("most"))
    .offset(bindparam("passed"))
)
_NEXT = Prepared(_DUE_NOW)
_NEXT_TOWARD = Prepared(_DUE_NOW.where(deliveries.c.direction == bindparam("toward")))
_WAITING = Prepared(select(deliveries.c.id).where(*_OF_LANE).limit(bindparam("most")))
_STILL_DUE = Prepared(
    select(deliveries).where(deliveries.c.id == bindparam("of"), DUE, deliveries.c.not_before <= bindparam("at")),
    Lock.IF_FREE,
)


def _first_times(*conditions: ColumnElement[bool]) -> Prepared:
    """When the first of each lane is due: one index range per lane, one question."""
    of_system = (deliveries.c.system == bindparam("in"), DUE, *conditions)
    times = select(deliveries.c.not_before).where(*of_system).order_by(deliveries.c.not_before).limit(1)
    firsts = [times.where(deliveries.c.lane == literal_column(str(int(lane)))).scalar_subquery() for lane in Lane]
    return Prepared(select(*(first.label(lane.name.lower()) for lane, first in zip(Lane, firsts, strict=True))))


_NEXT_DUE = _first_times()
_NEXT_DUE_AFTER = _first_times(deliveries.c.not_before > bindparam("after"))
_OLDEST_FIRST = (deliveries.c.owed_since, deliveries.c.id)
_LATER = deliveries.c.owed_since > bindparam("since")
_BEHIND = (deliveries.c.owed_since >= bindparam("since"), or_(_LATER, deliveries.c.id > bindparam("after")))
_Letters = Mapping[tuple[bool, bool, bool], Prepared]
"""(of one system, behind another one, so many only) -> the question."""


def _letters(state: ColumnElement[bool]) -> _Letters:
    found: dict[tuple[bool, bool, bool], Prepared] = {}
    for of_one, behind, some in product((False, True), repeat=3):
        wanted = select(deliveries).where(state).order_by(*_OLDEST_FIRST)
        wanted = wanted.where(deliveries.c.system == bindparam("in")) if of_one else wanted
        wanted = wanted.where(*_BEHIND) if behind else wanted
        found[of_one, behind, some] = Prepared(wanted.limit(bindparam("most")) if some else wanted)
    return found


_DEAD, _DISCARDED = _letters(DEAD), _letters(DISCARDED)
_GET = Prepared(select(deliveries).where(deliveries.c.id == bindparam("of")))
_DEAD_ONE = Prepared(select(deliveries.c.system).where(deliveries.c.id == bindparam("of"), DEAD), Lock.TO_CHANGE)
_DISCARD = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("of"), DEAD)
    .values({"state": DeliveryState.DISCARDED.value, "error": bindparam("said")})
)

_CLAIMED = deliveries.c.id == bindparam("of")
_AS_CLAIMED = deliveries.c.generation == bindparam("claimed")
_TRIED = {"attempts": deliveries.c.attempts + 1, "error": bindparam("said")}
_FINISH = Prepared(delete(deliveries).where(_CLAIMED, _AS_CLAIMED))
_KEEP = Prepared(update(deliveries).where(_CLAIMED).values(owed_since=bindparam("at"), attempts=0, error=""))
_RETRY = Prepared(update(deliveries).where(_CLAIMED).values(_TRIED | {"not_before": bindparam("later")}))
_PUT_BACK = Prepared(
    update(deliveries)
    .where(_CLAIMED, _AS_CLAIMED)
    .values({"error": bindparam("said"), "not_before": bindparam("later")})
)
_FAILED = Prepared(update(deliveries).where(_CLAIMED).values(_TRIED))
_BURY = Prepared(update(deliveries).where(_CLAIMED, _AS_CLAIMED).values(_TRIED | {"state": DeliveryState.DEAD.value}))

_NAMED = select(leases).where(leases.c.name == bindparam("lease"))
_HELD = Prepared(_NAMED)
_HELD_ON = Prepared(_NAMED, Lock.TO_CHANGE)
_OVER = Prepared(_NAMED.where(leases.c.epoch == bindparam("held")), Lock.IF_FREE)
_LEASE = (leases.c.name == bindparam("lease"), leases.c.epoch == bindparam("held"))
_LET_GO = Prepared(delete(leases).where(*_LEASE))
_LET_ALL_GO = Prepared(delete(leases))
_LET_ALL_OF_ONE_GO = Prepared(delete(leases).where(leases.c.owner == bindparam("dead")))
_LET_GO_LIVE = Prepared(delete(leases).where(*_LEASE, leases.c.expires_at > bindparam("at")))
_TAKE = adding_unless_there(leases)
_PROLONG = Prepared(update(leases).where(*_LEASE).values(expires_at=bindparam("later")))
_PROLONG_LIVE = Prepared(
    update(leases).where(*_LEASE, leases.c.expires_at > bindparam("at")).values(expires_at=bindparam("later"))
)

_OLDEST = (
    select(deliveries.c.owed_since)
    .where(deliveries.c.system == counters.c.system, DUE)
    .order_by(deliveries.c.owed_since)
    .limit(1)
    .scalar_subquery()
)
_STANDS = (
    select(links.c.disagrees_since)
    .where(links.c.system == counters.c.system, links.c.disagrees_since.is_not(None))
    .order_by(links.c.disagrees_since)
    .limit(1)
    .scalar_subquery()
)
_COUNTS = Prepared(select(counters, _OLDEST.label("oldest_due_at"), _STANDS.label("disagrees_since")))


class SqlOutbox:
    """`central.store.ports.outbox.Outbox` on SQL."""

    def __init__(self, session: Session, transaction: Transaction) -> None:
        self._session = session
        self._transaction = transaction

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
        row = {
            "generation": 1,
            "lane": lane,
            "state": DeliveryState.DUE,
            "not_before": not_before or at,
            "owed_since": at,
            "attempts": 0,
            "reason": reason,
            "error": "",
            "hint": None if hint is None else json.dumps(dict(hint)),
            "trail": trail,
        }
        there = self._session.first(_THERE, {"in": system, "toward": direction, "about": subject})
        self._session.happen(system, at)
        if there is None:
            self._session.add(_OWE, row | {"system": system, "direction": direction, "subject": subject})
            self._session.move(system, due=1)
            return
        row["generation"] = there.generation + 1
        if there.state == DeliveryState.DUE:
            row["lane"] = min(there.lane, lane)
            row["not_before"] = min(there.not_before, row["not_before"])
            row |= {"owed_since": there.owed_since, "attempts": there.attempts, "error": there.error}
        else:
            self._session.move(system, due=1, **{there.state: -1})
        self._session.write(_RISE, row | {"of": there.id})

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
        due = self._due(system, at, only)
        for delivery in due:
            name = lease_name(self._transaction, delivery)
            held = self._session.first(_HELD, {"lease": name})
            if held is not None and held.expires_at > at:
                continue
            if held is not None and not self._end(name, held.epoch):
                continue
            still = self._session.first(_STILL_DUE, {"of": delivery.id, "at": at})
            if still is None:  # another one has it in hand, or is done with it
                continue
            lease = self._begin(name, owner, at + ttl)
            if lease is not None:
                return Claim(_delivery(still), lease, more=next(due, None) is not None)
        return None

    def next_due_at(self, system: str, *, after: datetime | None = None) -> datetime | None:
        statement = _NEXT_DUE if after is None else _NEXT_DUE_AFTER
        firsts = self._session.first(statement, {"in": system, "after": after})
        return min((first for first in firsts if first is not None), default=None)

    def check(self, lease: Lease, at: datetime) -> None:
        held = self._session.first(_HELD_ON, {"lease": lease.name})
        if held is None or held.epoch != lease.epoch or held.expires_at <= at:
            raise _lost(lease)

    def release(self, lease: Lease) -> None:
        self._session.write(_LET_GO, {"lease": lease.name, "held": lease.epoch})

    def prolong(self, lease: Lease, at: datetime, *, ttl: timedelta) -> Lease:
        longer = replace(lease, expires_at=at + ttl)
        term = {"lease": lease.name, "held": lease.epoch, "at": at, "later": longer.expires_at}
        if not self._session.write(_PROLONG_LIVE, term):
            raise _lost(lease)
        return longer

    def release_all(self, owner: str | None = None) -> None:
        self._session.write(_LET_ALL_GO if owner is None else _LET_ALL_OF_ONE_GO, {"dead": owner})

    def done(self, claim: Claim, at: datetime) -> bool:
        claimed = self._finish(claim, at)
        self._session.happen(claim.delivery.system, at, **{claim.delivery.direction: 1})
        if self._session.write(_FINISH, claimed):
            self._session.move(claim.delivery.system, due=-1)
            return True
        return not self._session.write(_KEEP, {"of": claim.delivery.id, "at": at})

    def retry(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        self._finish(claim, at)
        self._session.happen(claim.delivery.system, at, failed=1)
        self._session.write(_RETRY, {"of": claim.delivery.id, "said": error, "later": not_before})

    def put_back(self, claim: Claim, at: datetime, *, not_before: datetime, error: str) -> None:
        claimed = self._finish(claim, at)
        self._session.write(_PUT_BACK, claimed | {"said": error, "later": not_before})

    def bury(self, claim: Claim, at: datetime, *, error: str) -> None:
        claimed = self._finish(claim, at)
        self._session.happen(claim.delivery.system, at, failed=1)
        if self._session.write(_BURY, claimed | {"said": error}):
            self._session.move(claim.delivery.system, due=-1, dead=1)
        else:
            self._session.write(_FAILED, {"of": claim.delivery.id, "said": error})

    def discard(self, delivery_id: int, *, error: str) -> None:
        letter = self._session.first(_DEAD_ONE, {"of": delivery_id})
        if letter is None or not self._session.write(_DISCARD, {"of": delivery_id, "said": error}):
            raise NoSuch(f"there is no dead letter {delivery_id}")
        self._session.move(letter.system, dead=-1, discarded=1)

    def get(self, delivery_id: int) -> Delivery:
        row = self._session.first(_GET, {"of": delivery_id})
        if row is None:
            raise NoSuch(f"there is no delivery {delivery_id}")
        return _delivery(row)

    def find(self, system: str, direction: Direction, subject: str) -> Delivery | None:
        row = self._session.first(_THERE, {"in": system, "toward": direction, "about": subject})
        return _delivery(row) if row is not None else None

    def dead(
        self, system: str | None = None, *, after: tuple[datetime, int] | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        return self._letters(_DEAD, system, after, limit)

    def discarded(
        self, system: str | None = None, *, after: tuple[datetime, int] | None = None, limit: int | None = None
    ) -> Sequence[Delivery]:
        return self._letters(_DISCARDED, system, after, limit)

    def _letters(
        self, questions: _Letters, system: str | None, after: tuple[datetime, int] | None, limit: int | None
    ) -> Sequence[Delivery]:
        since, number = after or (None, None)
        wanted = questions[system is not None, after is not None, limit is not None]
        rows = self._session.rows(wanted, {"in": system, "since": since, "after": number, "most": limit})
        return [_delivery(row) for row in rows]

    def counts(self) -> Mapping[str, Counts]:
        self._session.settle_counters()
        counted = {
            row.system: Counts(
                row.links,
                row.disagreements,
                row.due,
                row.dead,
                row.oldest_due_at,
                row.held,
                row.discarded,
                row.disagrees_since,
            )
            for row in self._session.rows(_COUNTS, {})
        }
        return {system: counts for system, counts in counted.items() if counts != Counts()}

    def waiting(self, system: str, lane: Lane, *, most: int) -> int:
        return len(self._session.rows(_WAITING, {"in": system, "on": lane, "most": most}))

    def take(self, name: str, owner: str, at: datetime, *, ttl: timedelta) -> Lease | None:
        held = self._session.first(_HELD, {"lease": name})
        if held is not None and held.expires_at > at:
            if held.owner != owner:
                return None
            later = {"lease": name, "held": held.epoch, "later": at + ttl}
            return Lease(name, owner, held.epoch, at + ttl) if self._session.write(_PROLONG, later) else None
        if held is not None and not self._end(name, held.epoch):
            return None
        return self._begin(name, owner, at + ttl)

    def _begin(self, name: str, owner: str, expires_at: datetime) -> Lease | None:
        """A new lease, unless somebody else has one."""
        epoch = self._session.find_room(_TAKE, {"name": name, "owner": owner, "expires_at": expires_at})
        return None if epoch is None else Lease(name, owner, epoch, expires_at)

    def _end(self, name: str, epoch: int) -> bool:
        """Take away a lease that has expired, unless its holder is at work on it this moment."""
        over = {"lease": name, "held": epoch}
        return self._session.first(_OVER, over) is not None and bool(self._session.write(_LET_GO, over))

    def _due(self, system: str, at: datetime, only: Direction | None) -> Iterator[Delivery]:
        """What is due now, in the order of claims, page by page: one index range per lane."""
        for lane in Lane:
            passed, most = 0, _PAGE
            place = {"in": system, "on": lane, "at": at, "toward": only}
            while rows := self._session.rows(
                _NEXT if only is None else _NEXT_TOWARD, place | {"most": most, "passed": passed}
            ):
                yield from map(_delivery, rows)
                if len(rows) < most:
                    break
                passed, most = passed + most, most * 4

    def _finish(self, claim: Claim, at: datetime) -> dict[str, Any]:
        """Give the live lease back; what names the delivery as it was claimed."""
        lease = claim.lease
        if not self._session.write(_LET_GO_LIVE, {"lease": lease.name, "held": lease.epoch, "at": at}):
            raise _lost(lease)
        return {"of": claim.delivery.id, "claimed": claim.delivery.generation}


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"the lease {lease.name} (epoch {lease.epoch}) is over: somebody else may work on it now")


def _delivery(row: Any) -> Delivery:
    read = {
        "direction": Direction(row.direction),
        "lane": Lane(row.lane),
        "state": DeliveryState(row.state),
        "hint": None if row.hint is None else json.loads(row.hint),
    }
    return Delivery(**row._asdict() | read)
