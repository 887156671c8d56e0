"""BusConformance: what every bus must be able to do, one claim per test; and buses that misbehave. Needs pytest.

class TestMyBus(BusConformance):
    @pytest.fixture
    def ends(self) -> Iterator[Ends]:
        says, hears = MyBus(...), MyBus(...)  # in two processes, as it were; or twice the same, where it knows but one
        introduce(says, hears)
        yield Ends(says, hears)
        says.close()
        hears.close()
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sync.bus.api import Bus

LONG = 120.0
"""Seconds within which a wake-up must have come, on the slowest machine; no claim waits this long when it holds."""
SHORT = 0.01
QUIET = 0.5
SYSTEMS = ("rt", "redmine")
"""What the claims speak of."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Who says that work is owed, and who waits for it."""

    says: Bus
    hears: Bus


class LosingBus:
    """A bus that loses everything but what stays in this process."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.lost = 0

    def wake(self, system: str, *, here: bool = False) -> None:
        if here:
            self._bus.wake(system, here=True)
        else:
            self.lost += 1

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        return self._bus.wait(system, seen, timeout)

    def position(self, system: str) -> int:
        return self._bus.position(system)

    def away(self) -> str:
        return self._bus.away()

    def close(self) -> None:
        self._bus.close()


class RepeatingBus(LosingBus):
    """A bus that says everything three times."""

    def wake(self, system: str, *, here: bool = False) -> None:
        for _ in range(3):
            self._bus.wake(system, here=here)


def introduce(says: Bus, hears: Bus) -> None:
    """Wait until one end hears the other, and nothing is under way any more."""
    for system in (*SYSTEMS, *SYSTEMS):  # who begins to listen is rung once by itself, which proves nothing
        seen = hears.position(system)
        says.wake(system)
        assert hears.wait(system, seen, LONG) != seen, "one end does not hear the other"
    for system in SYSTEMS:
        rest(hears, system)


def rest(bus: Bus, system: str) -> int:
    """Let every wake-up that is under way arrive; the position then."""
    seen = bus.position(system)
    while (now := bus.wait(system, seen, QUIET)) != seen:
        seen = now
    return seen


@contextmanager
def _released(ends: Ends) -> Iterator[ThreadPoolExecutor]:
    """Threads that are let go even where a claim fails, so that a broken bus fails a test and does not hang it."""
    with ThreadPoolExecutor(8) as pool:
        try:
            yield pool
        finally:
            ends.hears.close()


class BusConformance:
    """Derive from it and give a fixture `ends`: new ones for every test, introduced."""

    def test_while_all_is_well_nothing_is_away(self, ends: Ends) -> None:
        assert (ends.says.away(), ends.hears.away()) == ("", "")

    def test_a_wake_up_before_the_wait_is_not_lost(self, ends: Ends) -> None:
        seen = ends.hears.position("rt")
        ends.says.wake("rt")
        assert ends.hears.wait("rt", seen, LONG) != seen

    def test_a_wake_up_ends_the_wait(self, ends: Ends) -> None:
        seen = ends.hears.position("rt")
        with _released(ends) as pool:
            waiting: Future[int] = pool.submit(ends.hears.wait, "rt", seen, LONG)
            ends.says.wake("rt")
            assert waiting.result(LONG) != seen

    def test_without_a_wake_up_the_time_runs_out_and_nothing_is_new(self, ends: Ends) -> None:
        seen = ends.hears.position("rt")
        assert ends.hears.wait("rt", seen, SHORT) == seen

    def test_what_was_seen_wakes_nobody_again(self, ends: Ends) -> None:
        seen = ends.hears.position("rt")
        ends.says.wake("rt")
        ends.says.wake("rt")
        ends.hears.wait("rt", seen, LONG)
        seen = rest(ends.hears, "rt")
        assert ends.hears.wait("rt", seen, SHORT) == seen

    def test_what_the_wait_returns_is_what_to_pass_next_time(self, ends: Ends) -> None:
        for _ in range(3):
            seen = ends.hears.position("rt")
            ends.says.wake("rt")
            seen = ends.hears.wait("rt", seen, LONG)
            assert ends.hears.wait("rt", seen, SHORT) == seen

    def test_a_wake_up_is_for_one_system(self, ends: Ends) -> None:
        seen, other = (ends.hears.position(system) for system in SYSTEMS)
        ends.says.wake("redmine")
        assert ends.hears.wait("redmine", other, LONG) != other
        assert ends.hears.wait("rt", seen, SHORT) == seen

    def test_everybody_of_a_process_who_waits_for_a_system_is_woken(self, ends: Ends) -> None:
        seen = ends.hears.position("rt")
        with _released(ends) as pool:
            waiting = [pool.submit(ends.hears.wait, "rt", seen, LONG) for _ in range(3)]
            ends.says.wake("rt")
            assert all(one.result(LONG) != seen for one in waiting)

    def test_one_who_says_it_here_is_heard_here(self, ends: Ends) -> None:
        seen = ends.hears.position("rt")
        ends.hears.wake("rt", here=True)
        assert ends.hears.wait("rt", seen, LONG) != seen

    def test_nothing_slips_in_between_looking_for_work_and_waiting(self, ends: Ends) -> None:
        assert _worked_through(ends, 300) == 300

    def test_wake_ups_that_come_thrice_are_no_work_done_twice(self, ends: Ends) -> None:
        assert _worked_through(Ends(RepeatingBus(ends.says), ends.hears), 30) == 30

    def test_closing_wakes_everybody_for_good(self, ends: Ends) -> None:
        ended = threading.Event()

        def wait() -> None:
            ends.hears.wait("rt", ends.hears.position("rt"), None)
            ended.set()

        with _released(ends) as pool:
            pool.submit(wait)
            ends.hears.close()
            assert ended.wait(LONG)
            pool.submit(ends.hears.wait, "rt", ends.hears.position("rt"), None).result(LONG)

    def test_closing_twice_is_no_error_and_neither_is_a_late_wake_up(self, ends: Ends) -> None:
        ends.says.close()
        ends.says.close()
        ends.says.wake("rt")


def _worked_through(ends: Ends, total: int) -> int:
    """The consumer's loop of a lane, against producers that put work down and then wake; how much it did."""
    work: list[int] = []

    def produce(first: int) -> None:
        for number in range(first, total, 3):
            work.append(number)
            ends.says.wake("rt")

    def consume() -> int:
        done = 0
        while done < total:
            seen = ends.hears.position("rt")
            if done < len(work):
                done += 1
            elif ends.hears.wait("rt", seen, LONG) == seen:
                break
        return done

    with _released(ends) as pool:
        consumer = pool.submit(consume)
        for first in range(3):
            pool.submit(produce, first)
        return consumer.result(LONG * 2)
