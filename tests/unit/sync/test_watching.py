"""What a watcher from outside finds wrong, and when it believes it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.delivery import Direction
from central.guard import Hold, HoldKind
from central.instance import Stop
from central.registry import Outage, System, SystemState
from central.store.api import Store, Unreachable
from central.store.memory import MemoryStore
from connectors.errors import Transient
from sync.watching import Verdict, Watch

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Kept(MemoryStore):
    """A store that outlives its closing, as a database does."""

    def close(self) -> None:
        pass


class Outside:
    """A database and pages, and somebody who looks at them."""

    def __init__(self) -> None:
        self.store, self.at = Kept(), AT
        self.fails: Exception | None = None
        self.pages: Exception | None = None
        self.store.write(lambda tx: tx.heartbeats.beat("one", AT))
        self.store.write(lambda tx: tx.registry.put_system(System("ngi-cz", SystemState.LIVE, 1)))

    def look(self) -> tuple[str, ...]:
        return Watch(self._opened, self._web, lambda: self.at).look()

    def _opened(self) -> Store:
        if self.fails is not None:
            raise self.fails
        return self.store

    def _web(self) -> None:
        if self.pages is not None:
            raise self.pages


@pytest.fixture
def outside() -> Outside:
    return Outside()


def test_an_engine_that_was_just_heard_of_is_well(outside: Outside) -> None:
    outside.at += timedelta(seconds=80)
    assert outside.look() == ()


def test_an_engine_that_is_not_heard_of_any_more_has_stopped(outside: Outside) -> None:
    outside.at += 2 * MINUTE
    assert outside.look() == ("the engine has stopped: it is not heard of since 2026-03-02 08:00:00 UTC",)


def test_one_of_many_that_falls_silent_is_not_the_end(outside: Outside) -> None:
    outside.at += 10 * MINUTE
    outside.store.write(lambda tx: tx.heartbeats.beat("two", outside.at))
    assert outside.look() == ()


def test_where_all_have_ended_in_order_nobody_is_at_work(outside: Outside) -> None:
    outside.store.write(lambda tx: tx.heartbeats.end("one"))
    assert outside.look() == ("the engine has stopped: nobody is at work",)


def test_a_database_and_pages_that_do_not_answer_are_told_both(outside: Outside) -> None:
    outside.fails, outside.pages = Unreachable("db does not answer"), Transient("refused")
    found = outside.look()
    assert ["database" in found[0], "pages" in found[1], len(found)] == [True, True, 2]


def owe(outside: Outside) -> None:
    outside.store.write(lambda tx: tx.outbox.owe("ngi-cz", Direction.INWARD, "7", AT, reason="x"))
    outside.at += 61 * MINUTE
    outside.store.write(lambda tx: tx.heartbeats.beat("one", outside.at))


def test_an_engine_that_beats_and_does_nothing_is_found_by_what_it_owes(outside: Outside) -> None:
    owe(outside)
    assert outside.look() == ("ngi-cz is owed something since 2026-03-02 08:00:00 UTC",)


@pytest.mark.parametrize(
    "changes", [{"outage": Outage(AT, "x", AT)}, {"state": SystemState.PAUSED}, {"state": SystemState.QUARANTINED}]
)
def test_what_waits_for_a_system_is_not_the_engines_fault(outside: Outside, changes: dict[str, object]) -> None:
    outside.store.write(
        lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), **changes))  # type: ignore[arg-type]
    )
    owe(outside)
    assert outside.look() == ()


def test_nor_what_a_guard_holds(outside: Outside) -> None:
    outside.store.write(lambda tx: tx.guards.hold(Hold(0, HoldKind.CLOSING, "ngi-cz", "a storm", AT)))
    owe(outside)
    assert outside.look() == ()


def test_nor_what_waits_because_somebody_stopped_everything(outside: Outside) -> None:
    outside.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(stopped=Stop(AT, "ada"))))
    owe(outside)
    assert outside.look() == ()


def test_a_verdict_changes_only_when_it_is_sure_and_once_each_way() -> None:
    verdict = Verdict()
    looks = [(), ("x",), (), ("x",), ("x",), ("x",), ("y",), (), (), ("x",)]
    changed = [verdict.take(found) for found in looks]
    assert [number for number, each in enumerate(changed) if each] == [4, 7]
    assert not verdict.ill
