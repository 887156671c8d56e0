"""The bus between those who owe and the lanes who wait: however their steps interleave, nobody sleeps through work.

Every step of a lane is a rule of its own, as in `Worker._run`: it asks for its position, looks for work, waits. Others
commit work, then wake; a bus may lose a wake-up, and then the sweep finds what it forgot. The same story with a lane
that asks for its position too late, or with nobody who sweeps, must end badly: so the story is able to.
"""

from dataclasses import dataclass
from enum import Enum, auto

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sync.bus.api import Bus
from sync.bus.inprocess import InProcessBus
from sync.bus.testing import LosingBus, RepeatingBus

SYSTEMS = ("rt", "redmine")
systems, numbers = st.sampled_from(SYSTEMS), st.integers(0, 3)


class Step(Enum):
    ABOUT_TO_LOOK = auto()
    LOOKED_IN_VAIN = auto()
    ASLEEP = auto()
    OUTSIDE = auto()


@dataclass
class Sleeper:
    """A lane: where in its round it is, and the position that it has asked for."""

    system: str
    step: Step = Step.OUTSIDE
    seen: int = 0


class Rounds(RuleBasedStateMachine):
    """Two lanes for each of two systems, in one process."""

    late = False
    """Whether lanes ask for their position only after they have looked: the mistake that loses wake-ups."""
    loses = False
    """Whether wake-ups may be lost."""
    sweeps = True

    def __init__(self) -> None:
        super().__init__()
        self.true: Bus = InProcessBus()
        self.losing, self.repeating = LosingBus(self.true), RepeatingBus(self.true)
        self.lanes = [Sleeper(system) for system in SYSTEMS for _ in range(2)]
        self.work = dict.fromkeys(SYSTEMS, 0)
        self.unsaid: list[str] = []
        """Committed, and not yet said."""

    # -- those who owe -------------------------------------------------------------------------------------------------

    @rule(system=systems)
    def commit(self, system: str) -> None:
        self.work[system] += 1
        self.unsaid.append(system)

    @precondition(lambda self: self.unsaid)
    @rule(number=numbers, how=st.sampled_from(["once", "thrice", "lost"]))
    def wake(self, number: int, how: str) -> None:
        system = self.unsaid.pop(number % len(self.unsaid))
        bus = {"once": self.true, "thrice": self.repeating, "lost": self.losing if self.loses else self.true}[how]
        bus.wake(system)

    def sweep(self) -> None:
        """What `Relay.sweep` does: wake whoever is owed something, here."""
        for system, owed in self.work.items():
            if owed:
                self.losing.wake(system, here=True)

    # -- a lane's round, step by step ----------------------------------------------------------------------------------

    @rule(number=numbers)
    def go_on(self, number: int) -> None:
        lane = self.lanes[number]
        match lane.step:
            case Step.OUTSIDE:
                lane.seen = self.true.position(lane.system)
                lane.step = Step.ABOUT_TO_LOOK
            case Step.ABOUT_TO_LOOK if self.work[lane.system]:
                self.work[lane.system] -= 1
                lane.step = Step.OUTSIDE
            case Step.ABOUT_TO_LOOK:
                lane.step = Step.LOOKED_IN_VAIN
            case Step.LOOKED_IN_VAIN:
                if self.late:
                    lane.seen = self.true.position(lane.system)
                lane.step = Step.ASLEEP
            case Step.ASLEEP:
                seen, lane.seen = lane.seen, self.true.wait(lane.system, lane.seen, 0)
                if seen != lane.seen:
                    lane.step = Step.OUTSIDE

    # -- what must be true ---------------------------------------------------------------------------------------------

    @invariant()
    def nobody_sleeps_through_work(self) -> None:
        """Where work waits and everybody has said what they had to say, somebody is up, or is being woken."""
        if self.loses:
            if not self.sweeps:
                return
            self.sweep()
        for system, owed in self.work.items():
            if owed and system not in self.unsaid:
                assert any(self._stirs(lane) for lane in self.lanes if lane.system == system)

    def teardown(self) -> None:
        """All is said, everybody goes on: the work gets done, and then everybody sleeps, and is let go."""
        while self.unsaid:
            self.wake(0, "once" if not self.loses else "lost")
        if self.loses and self.sweeps:
            self.sweep()
        for _ in range(5 * (sum(self.work.values()) + 2)):
            for number in range(len(self.lanes)):
                self.go_on(number)
        assert not any(self.work.values()), "work was forgotten"
        assert {lane.step for lane in self.lanes} == {Step.ASLEEP}, "somebody is woken for nothing, again and again"
        self.true.close()
        for lane in self.lanes:
            assert self.true.wait(lane.system, lane.seen, None) == lane.seen, "an end is no wake-up"

    def _stirs(self, lane: Sleeper) -> bool:
        return lane.step is not Step.ASLEEP or self.true.wait(lane.system, lane.seen, 0) != lane.seen


class Late(Rounds):
    late = True


class Losing(Rounds):
    loses = True


class Unswept(Losing):
    sweeps = False


@pytest.mark.parametrize("machine", [Rounds, Losing])
def test_nobody_sleeps_through_work(machine: type[Rounds]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def _both(machine: Rounds, steps: int) -> None:
    """Both lanes of the first system go on by so many steps."""
    for number in (0, 1) * steps:
        machine.go_on(number)


def _woken_between_looking_and_sleeping(machine: Rounds) -> None:
    _both(machine, 2)
    machine.commit(SYSTEMS[0])
    machine.wake(0, "once")
    _both(machine, 1)
    machine.nobody_sleeps_through_work()
    machine.teardown()


def _woken_by_what_is_lost(machine: Rounds) -> None:
    _both(machine, 3)
    machine.commit(SYSTEMS[0])
    machine.wake(0, "lost")
    machine.nobody_sleeps_through_work()
    machine.teardown()


def test_one_who_asks_for_its_position_only_after_it_has_looked_sleeps_through_work() -> None:
    _woken_between_looking_and_sleeping(Rounds())
    with pytest.raises(AssertionError):
        _woken_between_looking_and_sleeping(Late())


def test_where_nobody_sweeps_a_lost_wake_up_is_work_forgotten() -> None:
    _woken_by_what_is_lost(Losing())
    with pytest.raises(AssertionError, match="work was forgotten"):
        _woken_by_what_is_lost(Unswept())
