"""Whom to poll and when, driven by a clock that moves only when told to. Rounds run at once, in the test's thread."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from central.registry import System, SystemState
from central.store.api import CommitFailed
from central.store.memory import MemoryStore
from connectors.api import Connector, Finding
from connectors.errors import AccessError, ProtocolError, QuotaSpent, Transient
from connectors.memory import Call
from sync.gateway import Gateway
from sync.gateways import Unusable
from sync.means import Means
from sync.scheduler import LOOK_AROUND, SWEEP_EVERY, Scheduler
from sync.simulation.members import redmine_like, rt_like
from sync.simulation.mesh import Members, Mesh, VirtualClock

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class Doubtful:
    """A connector that checks itself, and what it finds."""

    def __init__(self, connector: Connector, findings: Sequence[Finding]) -> None:
        self._connector = connector
        self._findings = findings

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def self_check(self) -> Sequence[Finding]:
        return self._findings


class Systems(Members):
    """The systems of a mesh; `broken` are those that cannot be used as they stand."""

    def __init__(self, mesh: Mesh) -> None:
        super().__init__(list(mesh.members.values()))
        self.broken: set[str] = set()
        self.doubts: dict[str, Sequence[Finding]] = {}

    def get(self, system: str) -> Gateway:
        if system in self.broken:
            raise Unusable(f"{system}: the secret is missing")
        found = super().get(system)
        if system in self.doubts:
            found = replace(found, connector=Doubtful(found.connector, self.doubts[system]))
        return replace(found, contacts=("ops@example.org",))


class Shift:
    """A scheduler at work on two trackers in memory."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rt = rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}))
        self.redmine = redmine_like(self.clock, "ngi-pl", frozenset({"NGI_PL"}))
        self.mesh = Mesh(MemoryStore(), [self.rt, self.redmine], self.clock)
        self.systems = Systems(self.mesh)
        self.waiting: list[Callable[[], None]] = []
        self.held = False
        self.moves = self.sweeps = 0
        for member in self.mesh.members.values():
            member.connector.calls.clear()
        self.scheduler = self.begin(self.mesh.means)

    def begin(self, means: Means) -> Scheduler:
        return Scheduler(means, self.systems, submit=self.submit, moved=self.moved, sweep=self.sweep)

    def submit(self, round_: Callable[[], None]) -> None:
        if self.held:
            self.waiting.append(round_)
        else:
            round_()

    def moved(self) -> None:
        self.moves += 1

    def sweep(self) -> None:
        self.sweeps += 1

    def run(self, length: timedelta, step: timedelta = SECOND) -> None:
        end = self.clock() + length
        while self.clock() < end:
            self.scheduler.step()
            self.clock.advance(step)

    def system(self, name: str = "ngi-cz") -> System:
        return self.mesh.store.read(lambda tx: tx.registry.system(name))

    def put(self, system: System) -> None:
        self.mesh.store.write(lambda tx: tx.registry.put_system(system))

    def polls(self, name: str = "ngi-cz") -> int:
        return self.mesh.members[name].connector.calls["changes"]


@pytest.fixture
def shift() -> Shift:
    return Shift()


def failing(error: Exception) -> Callable[[Call], None]:
    def intrude(call: Call) -> None:
        if not call.done:
            raise error

    return intrude


def test_sixty_poll_intervals_are_sixty_cheap_polls_and_nothing_else(shift: Shift) -> None:
    shift.put(replace(shift.system(), scanned_at=shift.clock()))
    shift.run(60 * MINUTE)
    assert shift.rt.connector.calls == Counter({"changes": 60})


def test_a_change_is_owed_by_the_next_poll(shift: Shift) -> None:
    shift.run(MINUTE)
    shift.rt.tracker.person("alice").open(subject="CE refuses jobs")
    shift.clock.advance(MINUTE)
    shift.scheduler.step()
    assert shift.mesh.store.read(lambda tx: tx.outbox.counts())["ngi-cz"].due == 1


def test_only_live_systems_are_asked(shift: Shift) -> None:
    shift.put(replace(shift.system(), state=SystemState.PAUSED))
    shift.put(replace(shift.system("ngi-pl"), state=SystemState.DRAFT))
    shift.run(3 * MINUTE)
    assert (shift.polls(), shift.polls("ngi-pl")) == (0, 0)


def test_a_system_that_comes_back_to_life_is_asked_at_once(shift: Shift) -> None:
    shift.run(SECOND)
    shift.put(replace(shift.system(), state=SystemState.PAUSED))
    shift.run(SECOND)
    shift.put(replace(shift.system(), state=SystemState.LIVE))
    shift.run(SECOND)
    assert shift.polls() == 2


def test_a_system_that_does_not_answer_is_left_alone_longer_each_time(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(Transient("ngi-cz does not answer"))
    asked = []
    for _ in range(60 * 60):
        before = shift.polls()
        shift.scheduler.step()
        if shift.polls() > before:
            asked.append(shift.clock())
        shift.clock.advance(SECOND)
    gaps = [round((b - a) / SECOND) for a, b in pairwise(asked)]
    waits = [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600]
    assert all(0 <= gap - wait <= 1 for gap, wait in zip(gaps, waits, strict=True)), "looks go first by turns"
    assert shift.system().last_error == "Transient: ngi-cz does not answer"
    assert shift.system().error_at is not None


def test_its_silence_delays_nobody_else(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(Transient("ngi-cz does not answer"))
    shift.run(60 * MINUTE)
    assert shift.polls("ngi-pl") == 60


def test_a_tracker_that_asks_for_patience_gets_it(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(Transient("busy", retry_after=timedelta(minutes=30)))
    shift.run(29 * MINUTE)
    assert shift.polls() == 1


def test_a_spent_quota_delays_a_poll_and_says_nothing_of_the_system(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(QuotaSpent("used up", retry_after=timedelta(seconds=20)))
    shift.run(MINUTE)
    assert shift.polls() == 3
    assert (shift.system().last_error, shift.system().outage) == ("", None)


def test_after_a_good_answer_the_error_is_gone_and_the_pace_is_back(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(ProtocolError("a web page where data was expected"))
    shift.run(2 * MINUTE)
    shift.rt.connector.intruder = None
    shift.run(10 * MINUTE)
    assert shift.system().last_error == ""
    before = shift.polls()
    shift.run(10 * MINUTE)
    assert shift.polls() - before == 10


def test_wrong_credentials_stop_this_system_only_and_say_what_to_do(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(AccessError("401: the token is not accepted"))
    with capture_logs() as logged:
        shift.run(5 * MINUTE)
    assert (shift.polls(), shift.polls("ngi-pl")) == (1, 5)
    system = shift.system()
    assert (system.state, system.reason) == (SystemState.PAUSED, "AccessError: 401: the token is not accepted")
    assert system.open_problem
    (alarm,) = [line for line in logged if line["log_level"] == "error"]
    assert "example.org" not in str(alarm), "people are told by alerts, and named in no log"
    assert "interdesk system resume ngi-cz" in alarm["remedy"]


def test_a_system_that_cannot_be_used_as_it_stands_is_stopped_with_the_reason(shift: Shift) -> None:
    shift.systems.broken.add("ngi-cz")
    shift.run(2 * MINUTE)
    assert (shift.system().state, shift.system().reason) == (SystemState.PAUSED, "ngi-cz: the secret is missing")
    assert shift.polls("ngi-pl") == 2


def test_a_bug_is_said_loudly_and_the_next_round_comes_all_the_same(shift: Shift) -> None:
    shift.rt.connector.intruder = failing(ZeroDivisionError("ours"))
    with capture_logs() as logged:
        shift.run(SECOND)
    assert any("a bug of interdesk" in line["event"] for line in logged)
    shift.rt.connector.intruder = None
    shift.run(11 * MINUTE)
    assert shift.system().last_error == ""


def test_a_poll_that_the_store_could_not_take_is_made_again_soon(shift: Shift) -> None:
    class Full:
        full = True

        def __getattr__(self, name: str) -> object:
            return getattr(shift.mesh.store, name)

        def write(self, change, *, durable=True):
            if self.full:
                raise CommitFailed("no space left on device")
            return shift.mesh.store.write(change, durable=durable)

    store = Full()
    shift.scheduler = shift.begin(replace(shift.mesh.means, store=store))
    shift.rt.tracker.person("alice").open(subject="CE refuses jobs")
    with capture_logs() as logged:
        shift.run(SECOND)
    assert {line["event"] for line in logged} == {"not polled: the store could not take it"}
    store.full = False
    shift.run(SWEEP_EVERY)
    assert shift.mesh.store.read(lambda tx: tx.outbox.counts())["ngi-cz"].due == 1


def test_a_poll_that_is_still_under_way_is_not_started_again(shift: Shift) -> None:
    shift.held = True
    shift.run(10 * MINUTE)
    assert len(shift.waiting) == 2
    for round_ in shift.waiting:
        round_()
    shift.held = False
    shift.run(2 * MINUTE)
    assert shift.polls() == 3


def test_the_full_scan_comes_once_a_day(shift: Shift) -> None:
    for name in ("ngi-cz", "ngi-pl"):
        shift.put(replace(shift.system(name), scanned_at=shift.clock()))
    shift.run(timedelta(hours=49), step=MINUTE)
    assert shift.rt.connector.calls["scan"] == 2


def test_once_a_day_it_is_asked_whether_its_filters_work_and_a_doubt_stands_until_they_do(shift: Shift) -> None:
    shift.run(MINUTE)
    shift.systems.doubts["ngi-cz"] = (Finding(False, "it ignores the time in a search", "look at the profile"),)
    shift.run(MINUTE)
    assert shift.system().last_error == ""
    shift.run(timedelta(hours=24), step=MINUTE)
    assert shift.system().last_error == "it ignores the time in a search: look at the profile"
    assert shift.system().state is SystemState.LIVE
    before = shift.polls()
    shift.run(10 * MINUTE, step=MINUTE)
    assert shift.polls() - before == 10, "it is polled all the same"
    assert shift.system().last_error
    shift.systems.doubts["ngi-cz"] = ()
    shift.run(timedelta(hours=25), step=MINUTE)
    assert shift.system().last_error == ""


def test_what_another_process_commits_is_taken_in_within_a_second(shift: Shift) -> None:
    elsewhere = Elsewhere(shift.mesh.store)
    scheduler = shift.begin(replace(shift.mesh.means, store=elsewhere))
    scheduler.step()
    assert shift.moves == 1, "the beginning counts as one"
    shift.clock.advance(SECOND)
    assert scheduler.step() - shift.clock() <= min(LOOK_AROUND, SECOND)
    assert shift.moves == 1
    elsewhere.moved = True
    shift.clock.advance(LOOK_AROUND)
    scheduler.step()
    assert shift.moves == 2


class Elsewhere:
    """A store that another process writes to as well."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.moved = False

    def changed_elsewhere(self) -> bool:
        moved, self.moved = self.moved, False
        return moved

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_what_is_owed_is_looked_for_though_nobody_commits_anything() -> None:
    shift = Shift()
    shift.run(MINUTE)
    assert (shift.moves, shift.sweeps) == (1, 11)


def test_a_system_where_something_arrived_is_asked_with_the_next_step_unless_it_fails() -> None:
    shift = Shift()
    shift.run(SECOND)
    asked = shift.rt.connector.calls["changes"]
    shift.scheduler.hurry("ngi-cz")
    shift.scheduler.hurry("nobody")
    shift.run(SECOND)
    assert shift.rt.connector.calls["changes"] == asked + 1

    def fail(_: Call) -> None:
        raise Transient("away")

    shift.rt.connector.intruder = fail
    shift.scheduler.hurry("ngi-cz")
    shift.run(SECOND)
    asked = shift.rt.connector.calls["changes"]
    shift.scheduler.hurry("ngi-cz")
    shift.run(SECOND)
    assert shift.rt.connector.calls["changes"] == asked
