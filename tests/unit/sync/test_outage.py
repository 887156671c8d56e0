"""A system as a whole that does not answer: one request tries it now and then, no look burns its tries."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.delivery import Direction
from central.registry import System, SystemState
from connectors.errors import (
    AccessError,
    ConnectorError,
    NotFound,
    ProtocolError,
    QuotaSpent,
    Refused,
    Transient,
    Unknown,
    VersionConflict,
)
from connectors.memory import Call
from sync import outage
from sync.engine import SyncEngine
from sync.intents import TryLater
from sync.lane import Lane
from sync.outage import LOOK, POLL, failed, is_out, poll_at, turn_at
from sync.remedies import MOST_TRIES, UNREADABLE_TRIES
from sync.scheduler import Scheduler
from tests.unit.sync.world import TPM, World

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DOWN, HTML = Transient("connection refused"), ProtocolError("a web page where data was expected")


# -- what is known, purely -----------------------------------------------------------------------------------------


def test_a_failed_look_is_a_suspicion_that_holds_nobody_up() -> None:
    known = failed(None, DOWN, AT, by=LOOK)
    assert known is not None
    assert not is_out(known)
    assert failed(known, DOWN, AT + SECOND, by=LOOK).suspected_by == LOOK, "however many looks fail"


@pytest.mark.parametrize("error", [DOWN, HTML, Unknown("lost")])
def test_where_a_look_and_a_poll_fail_the_system_is_out(error: ConnectorError) -> None:
    for first, second in ((LOOK, POLL), (POLL, LOOK)):
        known = failed(failed(None, error, AT, by=first), error, AT + SECOND, by=second)
        assert is_out(known)
        assert known.since == AT


def test_a_poll_that_nobody_answers_needs_no_second_witness_and_one_that_nobody_can_read_does() -> None:
    assert is_out(failed(None, DOWN, AT, by=POLL))
    assert failed(None, HTML, AT, by=POLL).suspected_by == POLL, "a poison row in a list is no outage"


@pytest.mark.parametrize("error", [Refused("no"), NotFound("gone"), VersionConflict("moved"), AccessError("401")])
def test_what_only_a_system_that_answers_can_say_ends_it(error: ConnectorError) -> None:
    assert failed(failed(None, DOWN, AT, by=POLL), error, AT, by=LOOK) is None


@pytest.mark.parametrize("error", [QuotaSpent("ours"), TryLater("ours", AT, AT), ZeroDivisionError()])
def test_what_is_our_own_doing_says_nothing(error: Exception) -> None:
    known = failed(None, DOWN, AT, by=POLL)
    assert failed(known, error, AT, by=LOOK) == known
    assert failed(None, error, AT, by=LOOK) is None


def test_the_turns_come_further_and_further_apart_and_only_they_count() -> None:
    known, at, waits = failed(None, DOWN, AT, by=POLL), AT, []
    for _ in range(10):
        assert failed(known, DOWN, at, by=LOOK) == known, "a request that was under way already"
        waits.append((known.next_try_at - at).total_seconds())
        at = known.next_try_at
        known = failed(outage.taken(known, at, MINUTE), DOWN, at, by=LOOK, in_turn=True)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert known.since == AT


def test_a_system_that_says_when_to_come_back_is_left_alone_by_everybody_until_then() -> None:
    known = failed(None, Transient("429", retry_after=HOUR), AT, by=LOOK)
    assert is_out(known)
    assert known.next_try_at == AT + HOUR
    shorter = failed(known, Transient("429", retry_after=MINUTE), AT, by=LOOK)
    assert shorter.next_try_at == AT + HOUR


def test_a_suspicion_of_a_look_is_looked_into_at_once_and_not_again_and_again() -> None:
    system = System("rt", SystemState.LIVE, 1, outage=failed(None, DOWN, AT, by=LOOK))
    assert poll_at(system, AT + HOUR, AT - MINUTE) == AT
    assert poll_at(system, AT + HOUR, AT - SECOND) == AT + 4 * SECOND
    assert poll_at(system, AT + HOUR, None) == AT
    assert poll_at(replace(system, outage=failed(None, HTML, AT, by=POLL)), AT + HOUR, None) == AT + HOUR
    assert poll_at(replace(system, outage=None), AT + HOUR, None) == AT + HOUR


def test_polls_and_looks_go_first_by_turns() -> None:
    known = failed(None, DOWN, AT, by=POLL)
    later = failed(known, DOWN, AT, by=POLL, in_turn=True)
    assert turn_at(known, POLL) < turn_at(known, LOOK)
    assert turn_at(later, LOOK) < turn_at(later, POLL)


# -- stories -------------------------------------------------------------------------------------------------------


class Day:
    """The small world with its scheduler: everything that is due happens, second by second."""

    def __init__(self, tickets: int = 1) -> None:
        self.world = World()
        for number in range(tickets):
            self.world.alice.open(subject=f"ticket {number}")
        self.world.mesh.round()
        for number in range(tickets):
            self.world.centre.change(number + 1, {"unit": "NGI_PL"}, TPM)
        self.world.mesh.settle()
        mesh = self.world.mesh
        self.scheduler = Scheduler(
            mesh.means, mesh.gateways, submit=lambda act: act(), moved=lambda: None, sweep=lambda: None
        )
        self.run(2 * MINUTE)
        self.world.redmine.connector.calls.clear()

    def run(self, length: timedelta, step: timedelta = SECOND) -> None:
        world = self.world
        end = world.clock() + length
        while world.clock() < end:
            self.scheduler.step()
            world.mesh.work()
            world.clock.advance(step)

    def change_all(self, **fields: str) -> None:
        for number in range(self.world.store.read(lambda tx: tx.tickets.count())):
            self.world.centre.change(number + 1, fields, TPM)

    def break_down(self, error: Exception, only: Callable[[Call], bool] = lambda _: True) -> None:
        def refuse(call: Call) -> None:
            if not call.done and only(call):
                raise error

        self.world.redmine.connector.intruder = refuse

    def mend(self) -> None:
        self.world.redmine.connector.intruder = None

    @property
    def system(self) -> System:
        return self.world.store.read(lambda tx: tx.registry.system("ngi-pl"))

    def owed(self, ticket: int = 1):
        return self.world.store.read(lambda tx: tx.outbox.find("ngi-pl", Direction.OUTWARD, str(ticket)))

    def subjects(self) -> set[str]:
        return {issue.fields["subject"] for issue in self.world.redmine.tracker.issues.values()}


@pytest.mark.parametrize("error", [DOWN, HTML, Transient("503", retry_after=SECOND)])
def test_a_day_of_silence_makes_no_dead_letter_and_costs_the_system_few_requests(error: Exception) -> None:
    day = Day(tickets=10)
    day.break_down(error)
    day.change_all(subject="B")
    day.run(24 * HOUR, step=MINUTE)
    assert day.world.dead() == []
    assert all(day.owed(number).attempts < UNREADABLE_TRIES for number in range(1, 11))
    assert sum(day.world.redmine.connector.calls.values()) < 24 * 6 + 60, "six an hour, and a few in the beginning"
    assert is_out(day.system.outage)
    day.mend()
    day.run(11 * MINUTE)
    assert day.subjects() == {"B"}
    assert day.system.outage is None
    assert day.system.last_error == ""


def test_the_first_answer_sets_everything_going_at_once() -> None:
    day = Day(tickets=10)
    day.break_down(DOWN)
    day.change_all(subject="B")
    day.run(HOUR, step=MINUTE)
    day.world.bob.edit(min(day.world.redmine.tracker.issues), description="written during the outage")
    day.mend()
    day.world.clock.now = day.system.outage.next_try_at
    day.run(3 * SECOND)
    assert day.subjects() == {"B"}
    assert "written during the outage" in day.world.ticket()["description"]


def test_one_ticket_that_is_refused_again_and_again_needs_a_person_and_delays_nobody() -> None:
    day = Day(tickets=3)
    poisoned = day.world.link("ngi-pl", 1).key
    day.break_down(Transient("500"), only=lambda call: call.key == poisoned)
    day.change_all(subject="B")
    day.run(MINUTE)
    assert day.world.issue(day.world.redmine, day.world.link("ngi-pl", 2).key).fields["subject"] == "B"
    outages = 0
    for _ in range(13 * 60):
        day.run(MINUTE, step=MINUTE)
        outages += is_out(day.system.outage)
    assert outages == 0
    (letter,) = [each for each in day.world.dead() if each.direction is Direction.OUTWARD]
    assert (letter.subject, letter.attempts, letter.error) == ("1", MOST_TRIES, "Transient: 500")


def test_while_only_the_list_cannot_be_read_tickets_go_on() -> None:
    day = Day(tickets=3)
    day.break_down(HTML, only=lambda call: call.operation == "changes")
    day.run(5 * MINUTE)
    day.change_all(subject="B")
    day.run(10 * SECOND)
    assert day.subjects() == {"B"}
    assert not is_out(day.system.outage)


def test_while_only_the_list_is_not_answered_tickets_are_the_ones_that_try() -> None:
    day = Day(tickets=3)
    day.break_down(DOWN, only=lambda call: call.operation == "changes")
    day.run(5 * MINUTE)
    assert is_out(day.system.outage)
    day.change_all(subject="B")
    day.run(11 * MINUTE)
    assert day.subjects() == {"B"}


def test_of_many_lanes_in_many_processes_one_alone_tries() -> None:
    day = Day(tickets=10)
    day.break_down(DOWN)
    day.change_all(subject="B")
    day.run(MINUTE)
    means = day.world.mesh.means
    lanes = [
        Lane(means, SyncEngine(means), day.world.mesh.gateways, "ngi-pl", owner=f"{n}", spread=lambda: 0.5)
        for n in range(4)
    ]
    day.world.redmine.connector.calls.clear()
    assert [lane.step() for lane in lanes] == [None] * 4
    day.world.clock.now = turn_at(day.system.outage, LOOK)
    assert sum(lane.step() is not None for lane in lanes) == 1
    assert sum(day.world.redmine.connector.calls.values()) == 1
    assert all(lane.next_due_at() == turn_at(day.system.outage, LOOK) for lane in lanes)


def test_who_dies_in_their_turn_is_waited_for_and_followed() -> None:
    day = Day()
    day.break_down(DOWN)
    day.change_all(subject="B")
    day.run(MINUTE)
    known, means = day.system.outage, day.world.mesh.means
    day.world.clock.now = known.next_try_at
    taken = outage.taken(known, day.world.clock(), means.term)
    day.world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-pl"), outage=taken)))
    day.mend()
    day.run(means.term / 2)
    assert day.subjects() != {"B"}
    day.run(means.term)
    assert day.subjects() == {"B"}


def test_a_look_that_asks_nothing_proves_nothing() -> None:
    day = Day()
    day.break_down(DOWN)
    day.run(5 * MINUTE)
    known = day.system.outage
    day.world.clock.now = turn_at(known, LOOK)
    day.change_all(phone="+420 1")  # no mapping carries it
    assert day.world.mesh.work() > 0
    assert day.system.outage.since == known.since
    assert day.system.outage.next_try_at <= day.world.clock(), "the turn was given back"


def test_patience_that_one_look_was_asked_for_is_everybodys() -> None:
    day = Day(tickets=10)
    day.break_down(Transient("429: slow down", retry_after=30 * MINUTE))
    day.change_all(subject="B")
    day.world.mesh.work()
    day.run(29 * MINUTE)
    assert sum(day.world.redmine.connector.calls.values()) <= 2
    day.mend()
    day.run(2 * MINUTE)
    assert day.subjects() == {"B"}
