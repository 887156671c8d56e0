"""The engine's own pulse: a process that stands still is told by itself, as long as anything of it can still speak."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.bootstrap import STILL_FOR, Interdesk
from sync.recovery import copies
from sync.settings import settings

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Interdesk]:
    with Interdesk(settings({}, state=tmp_path), exclusive=True, clock=clock) as opened:
        yield opened


class Stuck:
    """What stops a scheduler in the middle of a step, and lets it go on."""

    def __init__(self, desk: Interdesk) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        desk.sweep = self.sweep  # type: ignore[method-assign]

    def sweep(self) -> None:
        self.reached.set()
        assert self.go_on.wait(120)


def test_before_it_is_begun_nothing_stands_still(desk: Interdesk, clock: Clock) -> None:
    clock.at += 10 * STILL_FOR
    assert (desk.stalls(), desk.problems(), desk.hindrances()) == ([], [], [])


def test_a_scheduler_that_stands_still_is_told_and_the_process_is_not_ready(desk: Interdesk, clock: Clock) -> None:
    stuck = Stuck(desk)
    desk.start()
    assert stuck.reached.wait(120)
    try:
        assert desk.stalls() == []
        clock.at += STILL_FOR + timedelta(seconds=5)
        (sentence,) = desk.stalls()
        assert ("65 seconds" in sentence, "start interdesk anew" in sentence) == (True, True)
        assert sentence in desk.problems()
    finally:
        stuck.go_on.set()


def test_a_copied_database_is_not_ready_for_it_rests(desk: Interdesk) -> None:
    held = f"{copies.COPIED}: the state folder was written on another host"
    desk.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(held=held)))
    (problem,) = desk.problems()
    assert held in problem


def test_a_database_of_another_revision_is_not_ready(desk: Interdesk) -> None:
    desk.store._hands[0].driver.execute("UPDATE alembic_version SET version_num = '0000'")
    (problem,) = desk.problems()
    assert "interdesk db upgrade" in problem


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lane_that_has_ended_is_told() -> None:
    from sync.bus.inprocess import InProcessBus
    from sync.worker import Worker

    class Systems:
        def names(self) -> list[str]:
            return ["ngi-cz"]

        def get(self, name: str) -> object:
            return type("Gateway", (), {"in_flight": 1})

    def no_lane(name: str) -> object:
        raise RuntimeError("not caught where lanes are made")

    worker = Worker(no_lane, InProcessBus(), Systems(), lambda: AT)  # type: ignore[arg-type]
    worker.ensure_lanes()
    worker._threads["ngi-cz"][0].join(120)
    assert worker.dead_lanes() == ["ngi-cz"]
    worker.stop()
    assert worker.dead_lanes() == []
