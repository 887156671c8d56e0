"""BusConformance: what every bus must be able to do, one claim per test. Needs pytest.

class TestMyBus(BusConformance):
    @pytest.fixture
    def bus(self) -> Iterator[Bus]:
        bus = MyBus(...)
        yield bus
        bus.close()
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from sync.bus.api import Bus

LONG = 20.0
"""Seconds within which a wake-up must have come, on the slowest machine; no claim waits this long when it holds."""
SHORT = 0.01


@contextmanager
def _released(bus: Bus) -> Iterator[ThreadPoolExecutor]:
    """Threads that are let go even where a claim fails, so that a broken bus fails a test and does not hang it."""
    with ThreadPoolExecutor(8) as pool:
        try:
            yield pool
        finally:
            bus.close()


class BusConformance:
    """Derive from it and give a fixture `bus`: a new bus for every test."""

    def test_a_wake_up_before_the_wait_is_not_lost(self, bus: Bus) -> None:
        seen = bus.position("rt")
        bus.wake("rt")
        assert bus.wait("rt", seen, LONG) != seen

    def test_a_wake_up_ends_the_wait(self, bus: Bus) -> None:
        seen = bus.position("rt")
        with _released(bus) as pool:
            waiting: Future[int] = pool.submit(bus.wait, "rt", seen, LONG)
            bus.wake("rt")
            assert waiting.result(LONG) != seen

    def test_without_a_wake_up_the_time_runs_out_and_nothing_is_new(self, bus: Bus) -> None:
        seen = bus.position("rt")
        assert bus.wait("rt", seen, SHORT) == seen

    def test_what_was_seen_wakes_nobody_again(self, bus: Bus) -> None:
        bus.wake("rt")
        bus.wake("rt")
        seen = bus.position("rt")
        assert bus.wait("rt", seen, SHORT) == seen

    def test_what_the_wait_returns_is_what_to_pass_next_time(self, bus: Bus) -> None:
        seen = bus.position("rt")
        bus.wake("rt")
        seen = bus.wait("rt", seen, LONG)
        assert bus.wait("rt", seen, SHORT) == seen
        bus.wake("rt")
        assert bus.wait("rt", seen, LONG) != seen

    def test_a_wake_up_is_for_one_system(self, bus: Bus) -> None:
        seen = bus.position("rt")
        bus.wake("redmine")
        assert bus.wait("rt", seen, SHORT) == seen

    def test_everybody_who_waits_for_a_system_is_woken(self, bus: Bus) -> None:
        seen = bus.position("rt")
        with _released(bus) as pool:
            waiting = [pool.submit(bus.wait, "rt", seen, LONG) for _ in range(3)]
            bus.wake("rt")
            assert all(one.result(LONG) != seen for one in waiting)

    def test_nothing_slips_in_between_looking_for_work_and_waiting(self, bus: Bus) -> None:
        """The consumer's loop of a lane, against producers that put work down and then wake."""
        work: list[int] = []
        total, done = 300, 0

        def produce(first: int) -> None:
            for number in range(first, total, 3):
                work.append(number)
                bus.wake("rt")

        def consume() -> int:
            nonlocal done
            while done < total:
                seen = bus.position("rt")
                if done < len(work):
                    done += 1
                    continue
                if bus.wait("rt", seen, LONG) == seen:
                    break
            return done

        with _released(bus) as pool:
            consumer = pool.submit(consume)
            for first in range(3):
                pool.submit(produce, first)
            assert consumer.result(LONG * 2) == total

    def test_closing_wakes_everybody_for_good(self, bus: Bus) -> None:
        ended = threading.Event()

        def wait() -> None:
            bus.wait("rt", bus.position("rt"), None)
            ended.set()

        with _released(bus) as pool:
            pool.submit(wait)
            bus.close()
            assert ended.wait(LONG)
            pool.submit(bus.wait, "rt", bus.position("rt"), None).result(LONG)

    def test_closing_twice_is_no_error(self, bus: Bus) -> None:
        bus.close()
        bus.close()
