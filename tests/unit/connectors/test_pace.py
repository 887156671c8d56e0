"""A system's quota, on a clock that moves only by sleeping."""

from datetime import UTC, datetime, timedelta

import pytest

from central.store.memory import MemoryStore
from connectors.errors import QuotaSpent
from connectors.pace import Pace

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Time:
    """A clock, and the quota that all processes share."""

    def __init__(self) -> None:
        self.now = START
        self.store = MemoryStore()
        self.reserved = 0

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def places(self, at, places, *, every, burst):
        self.reserved += 1
        return self.store.write(lambda tx: tx.quotas.reserve("rt", at, places, every=every, burst=burst))

    def pace(self, per_minute: int) -> Pace:
        return Pace(per_minute, self.places, clock=self.clock, sleep=self.sleep)


@pytest.fixture
def time() -> Time:
    return Time()


def asked(time: Time, per_minute: int, seconds: float, workers: int = 1) -> int:
    """How many requests get through in this time, if every worker asks whenever they may."""
    paces, end, count = [time.pace(per_minute) for _ in range(workers)], time.now + timedelta(seconds=seconds), 0
    while True:
        for pace in paces:
            try:
                pace()
            except QuotaSpent as spent:
                time.sleep(spent.retry_after.total_seconds())
                continue
            if time.now >= end:
                return count
            count += 1


@pytest.mark.parametrize("per_minute", [12, 60, 120, 600])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_however_many_workers_ask_they_spend_one_quota_and_its_short_burst(
    time: Time, per_minute: int, workers: int
) -> None:
    burst = max(5, per_minute // 6)
    assert per_minute * 10 - workers <= asked(time, per_minute, 600, workers) <= per_minute * 10 + burst + 1


@pytest.mark.parametrize("per_minute", [60, 600])
def test_a_worker_takes_a_seconds_worth_at_a_time(time: Time, per_minute: int) -> None:
    asked(time, per_minute, 60)
    assert time.reserved <= 60 + 10 + 1


def test_a_few_requests_at_once_need_not_wait(time: Time) -> None:
    pace = time.pace(60)
    for _ in range(10):
        pace()
    assert time.now == START


def test_places_that_were_taken_and_not_used_are_no_second_burst(time: Time) -> None:
    first, second = time.pace(600), time.pace(600)
    first()  # it holds nine more
    time.sleep(3600)
    for pace in (first, second):
        for _ in range(50):
            pace()
    assert time.now == START + timedelta(seconds=3600), "ten seconds' worth, all in all"
    first()
    assert time.now > START + timedelta(seconds=3600)


def test_what_would_wait_for_long_goes_back_to_the_queue_until_there_is_room_for_a_whole_look(time: Time) -> None:
    pace = time.pace(1)
    for _ in range(5):
        pace()
    with pytest.raises(QuotaSpent) as refused:
        pace()
    time.sleep(refused.value.retry_after.total_seconds())
    before = time.now
    for _ in range(5):
        pace()
    assert time.now == before


def test_a_place_that_was_too_far_away_is_not_lost(time: Time) -> None:
    pace = time.pace(6)
    for _ in range(5):
        pace()
    for _ in range(3):
        with pytest.raises(QuotaSpent):
            pace()
    time.sleep(10)
    pace()
    assert time.now == START + timedelta(seconds=10)
