"""Claims about deliveries and leases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import product

import pytest

from central.delivery import Claim, Counts, DeliveryState, Direction, Lane, Lease
from central.store.api import LeaseLost, NoSuch, Store, Transaction
from central.store.testing.samples import NOW, TTL, bury, claim, claimed, later, new_ticket, owe, retry


def _check(store: Store, lease: Lease, at: datetime) -> None:
    store.read(lambda tx: tx.outbox.check(lease, at))


class DeliveryClaims:
    """What `owe`, `claim`, `done`, `retry` and `bury` promise."""

    def test_what_is_owed_is_claimed(self, store: Store) -> None:
        owe(store, "7", reason="status changed", hint={"row": [1, None]})
        taken = claimed(store).delivery
        assert (taken.system, taken.direction, taken.subject) == ("rt", Direction.OUTWARD, "7")
        assert (taken.generation, taken.attempts, taken.error) == (1, 0, "")
        assert (taken.reason, taken.hint) == ("status changed", {"row": [1, None]})
        assert (taken.not_before, taken.owed_since) == (NOW, NOW)

    def test_there_is_nothing_to_claim_where_nothing_is_owed(self, store: Store) -> None:
        owe(store, system="redmine")
        assert claim(store, "rt") is None

    def test_many_reasons_are_one_delivery_with_a_higher_generation(self, store: Store) -> None:
        owe(store, reason="first", hint={"row": 1})
        owe(store, at=later(1), reason="second")
        taken = claimed(store, at=later(2)).delivery
        assert (taken.generation, taken.reason, taken.owed_since) == (2, "second", NOW)
        assert taken.hint is None, "what an older hint carried is out of date"
        assert store.read(lambda tx: tx.outbox.counts())["rt"].due == 1

    def test_directions_subjects_and_systems_are_apart(self, store: Store) -> None:
        for system, direction, subject in product(("rt", "redmine"), Direction, ("1", "2")):
            owe(store, subject, system, direction=direction)
        assert {system: counts.due for system, counts in store.read(lambda tx: tx.outbox.counts()).items()} == {
            "rt": 4,
            "redmine": 4,
        }

    def test_done_is_done(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        assert store.write(lambda tx: tx.outbox.done(taken, NOW)) is True
        assert claim(store, at=later(999)) is None
        assert store.read(lambda tx: tx.outbox.counts()) == {}

    def test_a_reason_during_the_work_keeps_the_delivery_due(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        owe(store, at=later(1), reason="meanwhile")
        assert store.write(lambda tx: tx.outbox.done(taken, later(2))) is False
        again = claimed(store, at=later(2)).delivery
        assert (again.id, again.generation, again.reason) == (taken.delivery.id, 2, "meanwhile")
        assert (again.owed_since, again.attempts, again.error) == (later(2), 0, "")

    def test_a_delivery_owed_again_after_it_was_done_is_another(self, store: Store) -> None:
        owe(store)
        first = claimed(store)
        store.write(lambda tx: tx.outbox.done(first, NOW))
        owe(store)
        assert claimed(store).delivery.id != first.delivery.id

    def test_live_goes_before_backfill_however_old(self, store: Store) -> None:
        owe(store, "old", lane=Lane.BACKFILL)
        owe(store, "new", at=later(5), lane=Lane.LIVE)
        assert [claimed(store, at=later(5)).delivery.subject for _ in range(2)] == ["new", "old"]

    def test_within_a_lane_the_oldest_not_before_goes_first(self, store: Store) -> None:
        owe(store, "second", at=later(1))
        owe(store, "third", not_before=later(2))
        owe(store, "first")
        assert [claimed(store, at=later(3)).delivery.subject for _ in range(3)] == ["first", "second", "third"]

    def test_a_live_reason_promotes_a_backfill_delivery(self, store: Store) -> None:
        owe(store, "1", lane=Lane.BACKFILL)
        owe(store, "1", lane=Lane.LIVE)
        owe(store, "1", lane=Lane.BACKFILL)
        assert claimed(store).delivery.lane is Lane.LIVE

    def test_a_delivery_waits_for_its_time(self, store: Store) -> None:
        owe(store, not_before=later(10))
        assert claim(store, at=later(9)) is None
        assert claimed(store, at=later(10)).delivery.not_before == later(10)

    def test_an_earlier_time_wins(self, store: Store) -> None:
        owe(store, not_before=later(10))
        owe(store, not_before=later(30))
        assert store.read(lambda tx: tx.outbox.next_due_at("rt")) == later(10)
        owe(store, at=later(1))
        assert store.read(lambda tx: tx.outbox.next_due_at("rt")) == later(1)

    def test_next_due_looks_at_every_lane_of_one_system(self, store: Store) -> None:
        assert store.read(lambda tx: tx.outbox.next_due_at("rt")) is None
        owe(store, "1", not_before=later(20))
        owe(store, "2", not_before=later(10), lane=Lane.BACKFILL)
        owe(store, "3", system="redmine")
        assert store.read(lambda tx: tx.outbox.next_due_at("rt")) == later(10)

    def test_next_due_can_be_asked_beyond_what_is_due_now(self, store: Store) -> None:
        owe(store, "1")
        owe(store, "2", not_before=later(10))
        claimed(store)
        assert claim(store) is None
        assert store.read(lambda tx: tx.outbox.next_due_at("rt", after=NOW)) == later(10)
        assert store.read(lambda tx: tx.outbox.next_due_at("rt", after=later(10))) is None

    def test_a_retry_waits_and_is_counted(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        retry(store, taken, not_before=later(30))
        assert claim(store, at=later(29)) is None
        again = claimed(store, at=later(30)).delivery
        assert (again.attempts, again.error, again.owed_since, again.generation) == (1, "503", NOW, 1)

    def test_a_retry_makes_even_a_newer_reason_wait(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        owe(store)
        retry(store, taken, not_before=later(30))
        assert claim(store, at=later(29)) is None

    def test_what_is_put_back_waits_and_was_not_tried(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        store.write(lambda tx: tx.outbox.put_back(taken, NOW, not_before=later(30), error="held"))
        assert claim(store, at=later(29)) is None
        again = claimed(store, at=later(30)).delivery
        assert (again.attempts, again.error, again.generation) == (0, "held", 1)

    def test_a_newer_reason_is_not_put_back(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        owe(store, reason="newer")
        store.write(lambda tx: tx.outbox.put_back(taken, NOW, not_before=later(30), error="held"))
        assert claimed(store).delivery.reason == "newer"

    def test_one_direction_alone_is_claimed_where_only_that_may_go(self, store: Store) -> None:
        owe(store, "7")
        store.write(lambda tx: tx.outbox.owe("rt", Direction.INWARD, "K", later(1), reason="seen"))

        def take(tx: Transaction) -> Claim | None:
            return tx.outbox.claim(
                "rt", "me", later(2), ttl=TTL, lease_name=lambda _, each: each.subject, only=Direction.INWARD
            )

        first, second = store.write(take), store.write(take)
        assert first is not None
        assert (first.delivery.subject, second) == ("K", None)

    def test_a_claim_tells_whether_others_were_due_behind_it(self, store: Store) -> None:
        owe(store, "1")
        store.write(lambda tx: tx.outbox.owe("rt", Direction.OUTWARD, "2", NOW, reason="old", lane=Lane.BACKFILL))
        owe(store, "3", at=later(9))
        assert [claimed(store).more, claimed(store).more] == [True, False]

    def test_a_new_reason_ends_the_wait_and_keeps_the_count(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        retry(store, taken, not_before=later(30))
        owe(store, at=later(1))
        assert claimed(store, at=later(1)).delivery.attempts == 1

    def test_a_dead_letter_is_kept_with_its_error_and_never_claimed(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        bury(store, taken)
        assert claim(store, at=later(9999)) is None
        assert store.read(lambda tx: tx.outbox.next_due_at("rt")) is None
        [dead] = store.read(lambda tx: tx.outbox.dead())
        assert (dead.id, dead.error, dead.attempts) == (taken.delivery.id, "Status 'x' is not valid", 1)

    def test_dead_letters_come_oldest_first_of_one_system_or_of_all(self, store: Store) -> None:
        for subject, system, at in (("b", "rt", later(2)), ("a", "rt", later(1)), ("c", "redmine", later(0))):
            owe(store, subject, system, at=at)
            bury(store, claimed(store, system, at=at), later(3))
        assert [dead.subject for dead in store.read(lambda tx: tx.outbox.dead())] == ["c", "a", "b"]
        assert [dead.subject for dead in store.read(lambda tx: tx.outbox.dead("rt"))] == ["a", "b"]

    def test_letters_come_in_pages_from_where_the_page_before_ended_though_that_letter_is_gone(
        self, store: Store
    ) -> None:
        for subject, at in (("b", later(2)), ("a", later(1)), ("c", later(2)), ("d", later(2))):
            owe(store, subject, at=at)
            bury(store, claimed(store, at=at), later(3))
        first = store.read(lambda tx: tx.outbox.dead("rt", limit=2))
        assert [letter.subject for letter in first] == ["a", "b"]
        store.write(lambda tx: tx.outbox.discard(first[1].id, error="not wanted"))
        place = (first[1].owed_since, first[1].id)
        assert [each.subject for each in store.read(lambda tx: tx.outbox.dead(after=place, limit=1))] == ["c"]
        assert [each.subject for each in store.read(lambda tx: tx.outbox.dead("rt", after=place))] == ["c", "d"]
        assert [each.subject for each in store.read(lambda tx: tx.outbox.discarded(limit=5))] == ["b"]
        assert not store.read(lambda tx: tx.outbox.discarded("rt", after=place, limit=5))

    def test_a_dead_letter_comes_alive_with_a_new_reason(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        bury(store, taken)
        owe(store, at=later(5), reason="a person said retry")
        again = claimed(store, at=later(5)).delivery
        assert (again.attempts, again.error, again.owed_since, again.generation) == (0, "", later(5), 2)
        assert not store.read(lambda tx: tx.outbox.dead())

    def test_a_reason_during_a_last_attempt_is_not_buried_with_it(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        owe(store)
        bury(store, taken)
        assert not store.read(lambda tx: tx.outbox.dead())
        assert claimed(store).delivery.error == "Status 'x' is not valid"

    def test_a_discarded_letter_is_owed_no_more_and_stays_visible(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        bury(store, taken)
        store.write(lambda tx: tx.outbox.discard(taken.delivery.id, error="discarded by ada: closed; it said: no"))
        assert claim(store, at=later(9999)) is None
        assert store.read(lambda tx: tx.outbox.next_due_at("rt")) is None
        assert not store.read(lambda tx: tx.outbox.dead())
        [given_up] = store.read(lambda tx: tx.outbox.discarded("rt"))
        assert (given_up.id, given_up.state) == (taken.delivery.id, DeliveryState.DISCARDED)
        assert given_up.error == "discarded by ada: closed; it said: no"
        assert store.read(lambda tx: tx.outbox.discarded()) == [given_up]
        assert not store.read(lambda tx: tx.outbox.discarded("redmine"))
        assert store.read(lambda tx: tx.outbox.get(given_up.id)) == given_up
        assert store.read(lambda tx: tx.outbox.counts())["rt"] == Counts(discarded=1)

    def test_a_discarded_letter_is_owed_again_with_a_new_reason(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        bury(store, taken)
        store.write(lambda tx: tx.outbox.discard(taken.delivery.id, error="discarded"))
        owe(store, at=later(5), reason="they changed it")
        again = claimed(store, at=later(5)).delivery
        assert (again.id, again.attempts, again.error, again.generation) == (taken.delivery.id, 0, "", 2)
        assert store.read(lambda tx: tx.outbox.counts())["rt"] == Counts(due=1, oldest_due_at=later(5))

    def test_only_a_dead_letter_can_be_discarded(self, store: Store) -> None:
        owe(store)
        due = claimed(store).delivery
        for number in (due.id, due.id + 1):
            with pytest.raises(NoSuch, match=f"{number}"):
                store.write(lambda tx, number=number: tx.outbox.discard(number, error="x"))  # type: ignore[misc]  # bound now
        assert store.read(lambda tx: tx.outbox.get(due.id)) == due
        with pytest.raises(NoSuch, match=f"{due.id + 1}"):
            store.read(lambda tx: tx.outbox.get(due.id + 1))

    def test_counters_of_deliveries_follow_every_change(self, store: Store) -> None:
        def counts() -> Counts:
            return store.read(lambda tx: tx.outbox.counts()).get("rt", Counts())

        owe(store, "1")
        owe(store, "2", at=later(1))
        owe(store, "2", at=later(2))
        assert counts() == Counts(due=2, oldest_due_at=NOW)
        one, two = claimed(store, at=later(2)), claimed(store, at=later(2))
        assert counts() == Counts(due=2, oldest_due_at=NOW)
        bury(store, one, later(2))
        assert counts() == Counts(due=1, dead=1, oldest_due_at=later(1))
        retry(store, two, later(2), not_before=later(50))
        assert counts() == Counts(due=1, dead=1, oldest_due_at=later(1))
        owe(store, "1", at=later(3))
        assert counts() == Counts(due=2, oldest_due_at=later(1))
        again = claimed(store, at=later(3))
        store.write(lambda tx: tx.outbox.done(again, later(3)))
        assert counts() == Counts(due=1, oldest_due_at=later(1))

    def test_what_waits_in_a_lane_is_counted_up_to_a_bound(self, store: Store) -> None:
        for number in range(5):
            owe(store, str(number), lane=Lane.BACKFILL, not_before=later(number))
        owe(store, "live")
        owe(store, system="redmine", lane=Lane.BACKFILL)
        bury(store, claimed(store))
        bury(store, claimed(store))
        assert store.read(lambda tx: tx.outbox.waiting("rt", Lane.BACKFILL, most=3)) == 3
        assert store.read(lambda tx: tx.outbox.waiting("rt", Lane.BACKFILL, most=9)) == 4


class LeaseClaims:
    """What leases promise."""

    def test_a_claim_holds_a_lease_until_its_time_is_over(self, store: Store) -> None:
        owe(store)
        lease = claimed(store).lease
        assert (lease.name, lease.owner, lease.expires_at) == ("ticket 1", "a worker", NOW + TTL)
        assert claim(store, at=later(59.999)) is None
        assert claimed(store, at=later(60)).lease.epoch > lease.epoch

    def test_one_lease_name_is_held_once_whatever_the_system(self, store: Store) -> None:
        owe(store, system="rt")
        owe(store, system="redmine")
        claimed(store, "rt")
        assert claim(store, "redmine") is None

    def test_what_is_held_is_passed_over(self, store: Store) -> None:
        for number in range(12):
            owe(store, str(number), at=later(number))
        assert [claimed(store, at=later(20)).delivery.subject for _ in range(12)] == [str(n) for n in range(12)]
        assert claim(store, at=later(20)) is None

    def test_backfill_is_reached_when_all_that_is_live_is_held(self, store: Store) -> None:
        owe(store, "live")
        owe(store, "backfill", lane=Lane.BACKFILL)
        assert [claimed(store).delivery.subject for _ in range(2)] == ["live", "backfill"]

    def test_a_finished_look_gives_its_lease_back(self, store: Store) -> None:
        def done(store: Store, taken: Claim) -> None:
            store.write(lambda tx: tx.outbox.done(taken, NOW))

        ends: list[Callable[[Store, Claim], None]] = [done, partial(retry, not_before=later(99)), bury]
        for number, finish in enumerate(ends):
            owe(store, str(number))
            taken = claim(store, lease="the same")
            assert taken is not None
            finish(store, taken)
            with pytest.raises(LeaseLost):
                _check(store, taken.lease, NOW)

    def test_a_released_lease_can_be_taken_at_once_under_a_new_epoch(self, store: Store) -> None:
        owe(store)
        lease = claimed(store).lease
        store.write(lambda tx: tx.outbox.release(lease))
        assert claimed(store).lease.epoch > lease.epoch

    def test_releasing_what_is_lost_is_nothing(self, store: Store) -> None:
        owe(store)
        old = claimed(store).lease
        new = claimed(store, at=later(61)).lease
        store.write(lambda tx: tx.outbox.release(old))
        _check(store, new, later(61))

    def test_a_successor_takes_all_leases_back_and_the_dead_are_fenced(self, store: Store) -> None:
        owe(store)
        old = claimed(store).lease
        store.write(lambda tx: tx.outbox.release_all())
        assert claimed(store).lease.epoch > old.epoch
        with pytest.raises(LeaseLost):
            _check(store, old, NOW)

    def test_only_the_leases_of_the_owner_that_died_are_taken_back(self, store: Store) -> None:
        dead, alive = _take(store, "job/7", "one"), _take(store, "job/8", "two")
        assert dead is not None
        assert alive is not None
        store.write(lambda tx: tx.outbox.release_all("one"))
        with pytest.raises(LeaseLost):
            _check(store, dead, NOW)
        _check(store, alive, NOW)

    def test_a_lease_that_is_prolonged_lasts_another_term_at_its_epoch(self, store: Store) -> None:
        owe(store)
        lease = claimed(store).lease
        longer = _prolong(store, lease, later(59))
        assert longer == replace(lease, expires_at=later(119))
        _check(store, lease, later(118))
        assert claim(store, at=later(118)) is None
        with pytest.raises(LeaseLost):
            _check(store, longer, later(119))

    def test_a_lease_that_is_over_is_not_prolonged_even_where_nobody_took_over(self, store: Store) -> None:
        owe(store)
        lease = claimed(store).lease
        with pytest.raises(LeaseLost, match="ticket 1"):
            _prolong(store, lease, later(60))
        successor = claimed(store, at=later(60)).lease
        with pytest.raises(LeaseLost):
            _prolong(store, lease, later(61))
        _check(store, successor, later(119))

    def test_a_delivery_is_found_by_its_subject_dead_or_alive(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        place = (taken.delivery.system, taken.delivery.direction, taken.delivery.subject)
        store.write(lambda tx: tx.outbox.bury(taken, NOW, error="unreadable"))
        found = store.read(lambda tx: tx.outbox.find(*place))
        assert found is not None
        assert found.state is DeliveryState.DEAD
        assert store.read(lambda tx: tx.outbox.find(place[0], place[1], "another")) is None

    def test_a_live_lease_passes_the_check(self, store: Store) -> None:
        owe(store)
        lease = claimed(store).lease
        _check(store, lease, later(59))

    def test_an_expired_lease_is_fenced_even_where_nobody_took_over(self, store: Store) -> None:
        owe(store)
        taken = claimed(store)
        with pytest.raises(LeaseLost, match="ticket 1"):
            _check(store, taken.lease, later(60))

    def test_an_older_epoch_is_fenced(self, store: Store) -> None:
        owe(store)
        old = claimed(store).lease
        claimed(store, at=later(61))
        with pytest.raises(LeaseLost):
            _check(store, replace(old, expires_at=later(999)), later(61))

    def test_a_late_worker_can_finish_nothing_and_its_transaction_is_lost(self, store: Store) -> None:
        owe(store)
        ticket = new_ticket(store)
        late = claimed(store)
        successor = claimed(store, at=later(60))

        def finish_late(tx: Transaction) -> None:
            tx.tickets.change(ticket, {"status": "solved"}, later(60))
            tx.outbox.done(late, later(60))

        with pytest.raises(LeaseLost):
            store.write(finish_late)
        with pytest.raises(LeaseLost):
            retry(store, late, later(60), not_before=NOW)
        with pytest.raises(LeaseLost):
            bury(store, late, later(60))
        assert store.read(lambda tx: tx.tickets.get(ticket.id)) == ticket
        assert store.write(lambda tx: tx.outbox.done(successor, later(61))) is True

    def test_a_worker_whose_term_is_over_finishes_nothing_even_where_nobody_took_over(self, store: Store) -> None:
        owe(store)
        late = claimed(store)
        for finish in (
            lambda tx: tx.outbox.done(late, later(60)),
            lambda tx: tx.outbox.retry(late, later(60), not_before=NOW, error="busy"),
            lambda tx: tx.outbox.put_back(late, later(60), not_before=NOW, error="busy"),
            lambda tx: tx.outbox.bury(late, later(60), error="unreadable"),
        ):
            with pytest.raises(LeaseLost):
                store.write(finish)
        successor = claimed(store, at=later(60))
        assert successor.delivery == late.delivery

    def test_the_name_of_a_lease_may_come_from_the_store(self, store: Store) -> None:
        ticket = new_ticket(store)
        owe(store, str(ticket.id))
        taken = store.write(
            lambda tx: tx.outbox.claim(
                "rt",
                "a worker",
                NOW,
                ttl=TTL,
                lease_name=lambda tx, delivery: f"r{tx.tickets.get(int(delivery.subject)).revision}",
            )
        )
        assert taken is not None
        assert taken.lease.name == "r1"

    def test_anything_that_has_a_name_can_be_held(self, store: Store) -> None:
        held = _take(store, "job/7", "one")
        assert held is not None
        assert (held.name, held.owner, held.expires_at) == ("job/7", "one", NOW + TTL)
        _check(store, held, later(59))
        assert _take(store, "job/7", "two", later(59)) is None
        assert _take(store, "job/8", "two") is not None

    def test_who_holds_a_lease_prolongs_it_at_the_epoch_it_has(self, store: Store) -> None:
        held, again = _take(store, "job/7", "one"), _take(store, "job/7", "one", later(50))
        assert held is not None
        assert again == replace(held, expires_at=later(110))
        _check(store, held, later(100))

    def test_a_term_that_is_over_is_begun_by_a_successor_and_fences_the_one_before(self, store: Store) -> None:
        held, successor = _take(store, "job/7", "one"), _take(store, "job/7", "two", later(60))
        assert held is not None
        assert successor is not None
        assert successor.epoch > held.epoch
        with pytest.raises(LeaseLost):
            _check(store, held, later(61))


def _take(store: Store, name: str, owner: str, at: datetime = NOW) -> Lease | None:
    return store.write(lambda tx: tx.outbox.take(name, owner, at, ttl=TTL))


def _prolong(store: Store, lease: Lease, at: datetime) -> Lease:
    return store.write(lambda tx: tx.outbox.prolong(lease, at, ttl=TTL))


class OutboxClaims(DeliveryClaims, LeaseClaims):
    """What `Outbox` promises."""
