"""A process lets others see it for as long as its engine moves, and takes its leave when it ends in order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from central.store.memory import MemoryStore
from connectors.errors import Transient
from sync.config import InstanceDocument, SystemDocument
from sync.oversight import BEAT_EVERY, FORGOTTEN_AFTER, Oversight, concern

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Rounds:
    """Counts the rounds of a herald; `fails` is raised by each."""

    def __init__(self) -> None:
        self.count, self.fails = 0, None

    def round(self) -> None:
        self.count += 1
        if self.fails is not None:
            raise self.fails


class Process:
    def __init__(self, store: MemoryStore | None = None, *, name: str = "one", alone: bool = False) -> None:
        self.store, self.at, self.herald = store or MemoryStore(), AT, Rounds()
        self.pings, self.stalls, self.waiting = 0, list[str](), list[Callable[[], None]]()
        self.oversight = Oversight(
            self.store,
            self.herald,  # type: ignore[arg-type]
            self.ping,
            name=name,
            alone=alone,
            clock=lambda: self.at,
            submit=self.waiting.append,
            stalls=lambda: self.stalls,
            ping_every=MINUTE,
        )

    def ping(self) -> None:
        self.pings += 1
        raise Transient("away")

    def step(self, *, carry_out: bool = True) -> None:
        self.oversight.step()
        while carry_out and self.waiting:
            self.waiting.pop()()

    def heard_of(self) -> dict[str, datetime]:
        return {each.process: each.at for each in self.store.read(lambda tx: tx.heartbeats.list())}


def test_it_says_that_it_lives_a_few_times_a_minute_and_not_with_every_step() -> None:
    process = Process()
    process.step()
    process.at += BEAT_EVERY / 3
    process.step()
    assert process.heard_of() == {"one": AT}
    process.at += BEAT_EVERY
    process.step()
    assert process.heard_of() == {"one": process.at}


def test_an_engine_that_does_not_move_falls_silent() -> None:
    process = Process()
    process.step()
    process.stalls.append("lanes have ended")
    process.at += 10 * MINUTE
    with capture_logs():
        process.step()
    assert (process.heard_of(), process.herald.count) == ({"one": AT}, 1)


def test_one_that_ends_in_order_is_missed_by_nobody_and_one_that_dies_is() -> None:
    store = MemoryStore()
    one, two = Process(store), Process(store, name="two")
    with capture_logs():
        one.step()
        two.step()
    one.oversight.end()
    assert set(two.heard_of()) == {"two"}


def test_whoever_works_alone_knows_that_all_others_are_dead() -> None:
    store = MemoryStore()
    with capture_logs():
        Process(store, name="dead").step()
        alone = Process(store, name="alone", alone=True)
        alone.step()
    assert set(alone.heard_of()) == {"alone"}


def test_one_that_is_gone_for_good_is_forgotten_after_a_day() -> None:
    store = MemoryStore()
    with capture_logs():
        Process(store, name="gone").step()
        process = Process(store)
        process.at += FORGOTTEN_AFTER
        process.step()
        assert set(process.heard_of()) == {"gone", "one"}
        process.at += BEAT_EVERY
        process.step()
    assert set(process.heard_of()) == {"one"}


def test_a_round_that_takes_its_time_holds_nothing_up_and_is_not_begun_twice() -> None:
    process = Process()
    for _ in range(20):
        process.at += MINUTE
        process.step(carry_out=False)
    assert len(process.waiting) == 1
    assert process.heard_of() == {"one": process.at}


@pytest.mark.parametrize("fails", [None, ValueError("a bug")])
def test_a_round_that_fails_and_a_switch_that_is_away_are_tried_again(fails: Exception | None) -> None:
    process = Process()
    process.herald.fails = fails
    with capture_logs() as logged:
        for _ in range(3):
            process.at += MINUTE
            process.step()
    assert (process.herald.count, process.pings) == (3, 3)
    assert [line for line in logged if line["event"].startswith("telling stumbled")] or fails is None


def test_what_a_systems_document_does_not_say_is_as_the_instance_has_it() -> None:
    instance = InstanceDocument.model_validate({"alerts": {"lag": "1h", "dead_letters": 5}})
    document = SystemDocument.model_validate(
        {
            "kind": "system",
            "name": "ngi-cz",
            "connector": "rt",
            "settings": {},
            "mapping": "rt",
            "contacts": ["ops@example.cz"],
            "alerts": {"errors": "2h"},
        }
    )
    found = concern(document, instance)
    assert found.contacts == ("ops@example.cz",)
    assert (found.limits.lag, found.limits.errors) == (timedelta(hours=1), timedelta(hours=2))
    assert found.limits.dead_letters == 5
