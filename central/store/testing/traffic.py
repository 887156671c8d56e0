"""Claims about what went on with systems."""

from datetime import datetime, timedelta

import pytest

from central.delivery import Claim, Direction
from central.link import Link, LinkState
from central.store.api import Store, Transaction
from central.store.testing.samples import NOW, later
from central.traffic import Looks, Minute, hour

TTL = timedelta(minutes=1)


def _owe(store: Store, system: str, subject: str, at: datetime, direction: Direction = Direction.INWARD) -> None:
    store.write(lambda tx: tx.outbox.owe(system, direction, subject, at, reason="x"))


def _claim(store: Store, system: str, at: datetime) -> Claim:
    def change(tx: Transaction) -> Claim:
        claim = tx.outbox.claim(system, "me", at, ttl=TTL, lease_name=lambda _, each: each.subject)
        assert claim is not None
        return claim

    return store.write(change)


def _done(store: Store, system: str, at: datetime) -> None:
    claim = _claim(store, system, at)
    store.write(lambda tx: tx.outbox.done(claim, at))


class TrafficClaims:
    """What `Traffic` promises."""

    def test_looks_that_ended_and_that_failed_are_kept_by_the_minute(self, store: Store) -> None:
        minute = NOW.replace(second=0, microsecond=0)
        for number, direction in enumerate((Direction.INWARD, Direction.OUTWARD, Direction.OUTWARD)):
            _owe(store, "rt", str(number), NOW, direction)
        for _ in range(3):
            _done(store, "rt", NOW)
        next_minute = minute + timedelta(minutes=1)
        _owe(store, "rt", "a", next_minute)
        _owe(store, "rt", "b", next_minute)
        failing, dying = _claim(store, "rt", next_minute), _claim(store, "rt", next_minute)
        store.write(lambda tx: tx.outbox.retry(failing, next_minute, not_before=later(600), error="no"))
        store.write(lambda tx: tx.outbox.bury(dying, next_minute, error="never"))
        assert list(store.read(lambda tx: tx.traffic.minutes(minute))) == [
            Minute("rt", minute, inward=1, outward=2, most_due=3),
            Minute("rt", next_minute, failed=2, most_due=2, due=1),
        ]
        assert store.read(lambda tx: tx.traffic.looks(minute)) == {"rt": Looks(3, 2)}
        assert store.read(lambda tx: tx.traffic.looks(next_minute)) == {"rt": Looks(0, 2)}

    def test_what_was_put_back_has_neither_ended_nor_failed(self, store: Store) -> None:
        _owe(store, "rt", "a", NOW)
        claim = _claim(store, "rt", NOW)
        store.write(lambda tx: tx.outbox.put_back(claim, NOW, not_before=later(600), error="away"))
        assert store.read(lambda tx: tx.traffic.looks(NOW - timedelta(hours=1))) == {}

    def test_an_hour_later_a_minute_is_begun_anew(self, store: Store) -> None:
        _owe(store, "rt", "a", NOW)
        _done(store, "rt", NOW)
        an_hour_later = NOW + timedelta(hours=1)
        _owe(store, "rt", "b", an_hour_later)
        begun = an_hour_later.replace(second=0, microsecond=0)
        assert list(store.read(lambda tx: tx.traffic.minutes(NOW - timedelta(hours=2)))) == [
            Minute("rt", begun, most_due=1, due=1)
        ]

    def test_nothing_is_kept_of_a_change_that_was_undone(self, store: Store) -> None:
        def change(tx: Transaction) -> None:
            tx.outbox.owe("rt", Direction.INWARD, "a", NOW, reason="x")
            raise LookupError("after all not")

        with pytest.raises(LookupError):
            store.write(change)
        assert list(store.read(lambda tx: tx.traffic.minutes(NOW - timedelta(hours=1)))) == []

    def test_what_was_owed_before_is_owed_through_the_quiet_minutes(self, store: Store) -> None:
        for name in ("a", "b"):
            _owe(store, "rt", name, NOW)
        _owe(store, "zz", "a", NOW)
        much_later = NOW + timedelta(minutes=90)
        _done(store, "rt", much_later)
        known = store.read(lambda tx: tx.traffic.minutes(much_later - timedelta(minutes=59), "rt"))
        owed = [each.most_due for each in hour(known, "rt", much_later)]
        assert owed == [2] * 59 + [1]

    def test_the_oldest_disagreement_is_that_of_any_link_but_a_duplicate(self, store: Store) -> None:
        def link(tx: Transaction, system: str, second: int, state: LinkState = LinkState.ACTIVE) -> Link:
            ticket = tx.tickets.create({"subject": "x"}, NOW)
            made = Link(0, ticket.id, system, state, key=str(ticket.id)).standing({"status": "refused"}, later(second))
            return tx.links.create(made)

        def stand(tx: Transaction) -> Link:
            link(tx, "rt", 0, LinkState.DUPLICATE)
            link(tx, "rt", 20)
            return link(tx, "rt", 10)

        oldest = store.write(stand)
        assert store.read(lambda tx: tx.outbox.counts()["rt"].disagrees_since) == later(10)
        again = oldest.standing({"status": "refused", "unit": "refused"}, later(30))
        store.write(lambda tx: tx.links.save(again))
        assert store.read(lambda tx: tx.outbox.counts()["rt"].disagrees_since) == later(10)
        store.write(lambda tx: tx.links.save(again.standing({"unit": "refused"}, later(40))))
        assert store.read(lambda tx: tx.outbox.counts()["rt"].disagrees_since) == later(20)
        store.write(lambda tx: tx.links.save(again.standing({}, later(40))))
        assert store.read(lambda tx: tx.outbox.counts()["rt"].disagrees_since) == later(20)
