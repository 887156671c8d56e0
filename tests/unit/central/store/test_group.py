"""GroupCommit: whoever comes first commits for all who wait."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from central.store.api import CommitFailed, CommitUnknown
from central.store.sql.group import MOST, GroupCommit, Job


class Desk:
    """A group whose first leader is held up until everybody else waits."""

    def __init__(self, then: Callable[[Sequence[Job]], None] | None = None) -> None:
        self.sizes: list[int] = []
        self.threads: list[int] = []
        self.go_on = threading.Event()
        self.group = GroupCommit(self.run)
        self._then = then or (lambda jobs: None)

    def run(self, jobs: Sequence[Job]) -> None:
        self.sizes.append(len(jobs))
        self.threads.append(threading.get_ident())
        if len(self.sizes) == 1:
            assert self.go_on.wait(120)
        else:
            self._then(jobs)
        for job in jobs:
            job.result = job.change(None)

    def until_waiting(self, number: int) -> None:
        until(lambda: len(self.group._waiting) == number)

    def crowd(self, callers: ThreadPoolExecutor, number: int) -> list[Future[int]]:
        """One who leads and is held up, and so many who wait behind."""
        first = callers.submit(self.group.write, lambda _: -1)
        until(lambda: len(self.sizes) == 1)
        rest = [callers.submit(self.group.write, lambda _, n=n: n) for n in range(number)]
        self.until_waiting(number)
        return [first, *rest]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


def test_a_caller_alone_runs_its_change_in_its_own_thread() -> None:
    desk = Desk()
    desk.go_on.set()
    assert desk.group.write(lambda _: 7) == 7
    assert desk.threads == [threading.get_ident()]


def test_those_who_wait_are_committed_together_and_get_their_own_results() -> None:
    desk = Desk()
    with ThreadPoolExecutor(32) as callers:
        results = desk.crowd(callers, 20)
        desk.go_on.set()
        assert [one.result(120) for one in results] == [-1, *range(20)]
    assert desk.sizes == [1, 20]


def test_a_group_is_never_larger_than_its_most() -> None:
    desk = Desk()
    with ThreadPoolExecutor(2 * MOST + 20) as callers:
        results = desk.crowd(callers, 2 * MOST + 5)
        desk.go_on.set()
        assert [one.result(120) for one in results] == [-1, *range(2 * MOST + 5)]
    assert desk.sizes == [1, MOST, MOST, 5]


def test_when_the_commit_fails_everybody_of_the_group_is_told_and_the_next_goes_on() -> None:
    def fail(_: Sequence[Job]) -> None:
        raise OSError("disk full")

    desk = Desk(then=fail)
    with ThreadPoolExecutor(8) as callers:
        first, *rest = desk.crowd(callers, 3)
        desk.go_on.set()
        assert first.result(120) == -1
        errors = [one.exception(120) for one in rest]
    assert [type(error) for error in errors] == [CommitFailed] * 3
    assert len({id(error) for error in errors}) == 3, "each has an error of its own"
    assert "disk full" in str(errors[0])
    desk._then = lambda jobs: None
    assert desk.group.write(lambda _: 1) == 1


def test_when_nobody_knows_what_became_of_the_commit_everybody_of_the_group_is_told_so() -> None:
    def lose(_: Sequence[Job]) -> None:
        raise CommitUnknown("the server went away while it committed")

    desk = Desk(then=lose)
    with ThreadPoolExecutor(8) as callers:
        first, *rest = desk.crowd(callers, 3)
        desk.go_on.set()
        assert first.result(120) == -1
        errors = [one.exception(120) for one in rest]
    assert [type(error) for error in errors] == [CommitUnknown] * 3
    assert len({id(error) for error in errors}) == 3, "each has an error of its own"


def test_an_interrupted_leader_goes_and_the_others_are_told() -> None:
    def interrupt(_: Sequence[Job]) -> None:
        raise KeyboardInterrupt

    desk = Desk(then=interrupt)
    with ThreadPoolExecutor(8) as callers:
        first, *rest = desk.crowd(callers, 2)
        desk.go_on.set()
        first.result(120)
        assert {type(one.exception(120)) for one in rest} == {KeyboardInterrupt, CommitFailed}
    desk._then = lambda jobs: None
    assert desk.group.write(lambda _: 1) == 1


def test_an_interrupted_waiter_goes_and_nobody_waits_for_it() -> None:
    desk = Desk()
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        until(lambda: sys._current_frames()[main].f_code.co_name == "_wait")  # who only comes is no waiter yet
        signal.pthread_kill(main, signal.SIGINT)

    # a shell's background jobs begin with interrupts ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with ThreadPoolExecutor(4) as callers:
        first = callers.submit(desk.group.write, lambda _: -1)
        until(lambda: len(desk.sizes) == 1)
        callers.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            desk.group.write(lambda _: 0)
        signal.signal(signal.SIGINT, before)
        later = callers.submit(desk.group.write, lambda _: 1)
        desk.until_waiting(1)
        desk.go_on.set()
        assert (first.result(120), later.result(120)) == (-1, 1)
    assert desk.sizes == [1, 1]


def test_closing_waits_for_all_that_was_accepted() -> None:
    desk = Desk()
    with ThreadPoolExecutor(8) as callers:
        results = desk.crowd(callers, 3)
        closing = callers.submit(desk.group.close)
        until(lambda: desk.group._closed)
        with pytest.raises(RuntimeError, match="closed"):
            desk.group.write(lambda _: 1)
        assert not closing.done()
        desk.go_on.set()
        closing.result(120)
        assert [one.done() or one.result(120) is not None for one in results] == [True] * 4
