"""A system's quota, on a clock that moves only by sleeping."""

import pytest

from connectors.errors import Transient
from connectors.pace import Pace


class Time:
    """Monotonic seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def asked(time: Time, per_minute: int, seconds: float) -> int:
    """How many requests get through in this time, if somebody asks whenever they may."""
    pace, end, count = Pace(per_minute, monotonic=time.monotonic, sleep=time.sleep), time.now + seconds, 0
    while time.now < end:
        pace()
        count += 1
    return count


@pytest.mark.parametrize("per_minute", [12, 60, 120, 600])
def test_no_minute_holds_more_than_the_quota_and_its_short_burst(time: Time, per_minute: int) -> None:
    assert per_minute * 10 <= asked(time, per_minute, 600) <= per_minute * 10 + per_minute // 6 + 1


def test_a_few_requests_at_once_need_not_wait(time: Time) -> None:
    pace = Pace(60, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(10):
        pace()
    assert time.now == 1000.0


def test_what_would_wait_for_long_goes_back_to_the_queue(time: Time) -> None:
    pace = Pace(1, monotonic=time.monotonic, sleep=time.sleep)
    pace()
    with pytest.raises(Transient) as refused:
        pace()
    assert refused.value.retry_after is not None
    time.sleep(refused.value.retry_after.total_seconds())
    pace()
