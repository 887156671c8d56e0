"""A lane: one remedy per error, nothing swallowed, nothing retried for ever; and the threads that run lanes."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from central.delivery import Delivery, DeliveryState, Direction
from central.delivery import Lane as Backlog
from central.registry import SystemState
from central.store.api import (
    Busy,
    CommitFailed,
    CommitUnknown,
    LeaseLost,
    StaleRevision,
    StoreError,
    Transaction,
    Unreachable,
)
from central.store.memory import MemoryStore
from connectors.errors import (
    AccessError,
    NotFound,
    ProtocolError,
    QuotaSpent,
    Refused,
    Transient,
    Unknown,
    VersionConflict,
)
from connectors.memory import Call
from sync.bus.inprocess import InProcessBus
from sync.bus.testing import LosingBus
from sync.centre import Centre
from sync.engine import SyncEngine
from sync.lane import Lane, lease_name
from sync.means import Means
from sync.relay import Relay
from sync.remedies import FIRST_WAIT, LONGEST_WAIT, MOST_TRIES, UNREADABLE_TRIES, remedy
from sync.worker import Worker
from tests.unit.sync.world import TPM, World, failing, once

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MIDDLE = 0.5
"""A spread that leaves a wait as it is."""


# -- the remedy for each error -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        Transient("busy"),
        Unknown("lost"),
        VersionConflict("moved"),
        StaleRevision("moved"),
        CommitFailed("full"),
        Busy(""),
    ],
)
def test_what_passes_by_itself_is_tried_again_after_a_growing_wait(error: Exception) -> None:
    waits = [remedy(error, attempts, AT, MIDDLE).not_before for attempts in range(4)]
    assert waits == [AT + FIRST_WAIT * 2**n for n in range(4)]
    assert remedy(error, MOST_TRIES - 2, AT, MIDDLE).not_before == AT + LONGEST_WAIT


@pytest.mark.parametrize("error", [Transient("busy"), Unknown("lost"), VersionConflict("moved"), CommitFailed("full")])
def test_what_should_pass_by_itself_and_does_not_within_half_a_day_needs_a_person(error: Exception) -> None:
    waits = [remedy(error, attempts, AT, MIDDLE).not_before for attempts in range(MOST_TRIES - 1)]
    assert timedelta(hours=10) < sum((at - AT for at in waits), timedelta(0)) < timedelta(hours=14)
    assert remedy(error, MOST_TRIES - 1, AT, MIDDLE).not_before is None


def test_waits_are_spread_so_that_nobody_comes_back_at_once() -> None:
    low, high = (remedy(Transient("busy"), 3, AT, spread).not_before for spread in (0.0, 0.999))
    assert low == AT + FIRST_WAIT * 6
    assert AT + FIRST_WAIT * 9 < high < AT + FIRST_WAIT * 10


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(timedelta(minutes=20), timedelta(minutes=20)), (timedelta(0), FIRST_WAIT), (-FIRST_WAIT, FIRST_WAIT)],
)
def test_a_tracker_that_says_when_to_come_back_is_obeyed_and_never_hammered(asked: timedelta, waits: timedelta) -> None:
    assert remedy(Transient("quota", retry_after=asked), 0, AT, MIDDLE).not_before == AT + waits


@pytest.mark.parametrize("error", [Refused("no"), NotFound("gone"), ZeroDivisionError()])
def test_what_never_passes_is_a_dead_letter(error: Exception) -> None:
    assert remedy(error, 0, AT, MIDDLE).not_before is None


def test_an_answer_that_cannot_be_read_is_asked_for_a_few_times() -> None:
    tries = [remedy(ProtocolError("html"), attempts, AT, MIDDLE).not_before is None for attempts in range(4)]
    assert tries == [False] * (UNREADABLE_TRIES - 1) + [True] * (5 - UNREADABLE_TRIES)


def test_a_wrong_password_stops_the_system() -> None:
    verdict = remedy(AccessError("401"), 0, AT, MIDDLE)
    assert (verdict.stop_system, verdict.not_before is not None) == (True, True)
    assert not remedy(Transient("busy"), 0, AT, MIDDLE).stop_system


# -- one lane ------------------------------------------------------------------------------------------------------


def test_both_directions_of_one_link_share_a_lease_and_an_unknown_key_has_its_own() -> None:
    world = World()
    key, _ = world.shared()

    def name(direction: Direction, subject: str) -> str:
        delivery = Delivery(
            1, "ngi-cz", direction, subject, 1, Backlog.LIVE, DeliveryState.DUE, world.clock(), world.clock(), 0, "test"
        )
        return world.store.read(lambda tx: lease_name(tx, delivery))

    assert name(Direction.INWARD, key) == name(Direction.OUTWARD, "1")
    assert name(Direction.INWARD, "404") != name(Direction.INWARD, key)


def test_a_poison_row_becomes_a_dead_letter_and_the_others_go_on() -> None:
    world = World()
    keys = [world.alice.open(subject=f"ticket {number}") for number in range(5)]

    def poison(call: Call) -> None:
        if call.operation == "fetch" and call.key == keys[2] and not call.done:
            raise ProtocolError("an answer that cannot be read")

    world.rt.connector.intruder = poison
    for _ in range(8):
        world.mesh.round()
    assert world.store.read(lambda tx: tx.tickets.count()) == 4
    assert [(d.subject, d.attempts) for d in world.dead()] == [(keys[2], UNREADABLE_TRIES)]
    later = world.alice.open(subject="a later ticket")
    world.mesh.round()
    assert world.store.read(lambda tx: tx.links.find_by_key("ngi-cz", later)) is not None
    world.rt.connector.intruder = None
    world.alice.edit(keys[2], subject="whoever touches it wakes it")
    assert world.end() == []
    assert world.store.read(lambda tx: tx.tickets.count()) == 6


def test_case_22_one_undeliverable_ticket_among_a_thousand_costs_the_others_not_one_turn() -> None:
    turns = [turns_until_taken_in(poison=None), turns_until_taken_in(poison="500")]
    assert len(turns[0]) == 1000
    assert {key: turn for key, turn in turns[0].items() if key != "500"} == turns[1]


def turns_until_taken_in(poison: str | None) -> dict[str, int]:
    """After how many turns of its lane each of a thousand tickets is known at the centre."""
    world = World()
    for number in range(1000):
        world.alice.open(subject=f"ticket {number}")
    fetched: list[str] = []

    def listen(call: Call) -> None:
        if call.operation == "fetch" and not call.done:
            if call.key == poison:
                raise ProtocolError("an answer that cannot be read")
            fetched.append(call.key)

    world.rt.connector.intruder = listen
    world.mesh.poll()
    lane, taken_in, turn = world.mesh._lanes["ngi-cz"], dict[str, int](), 0
    while lane.step() is not None:
        turn += 1
        taken_in |= dict.fromkeys(fetched, turn)
        fetched.clear()
    assert world.store.read(lambda tx: tx.tickets.count()) == len(taken_in)
    return taken_in


def test_a_look_that_outlives_its_lease_is_somebody_elses_and_nothing_escapes() -> None:
    world = World()
    world.shared()
    once(world.redmine.connector, "fetch", lambda _: world.clock.advance(timedelta(minutes=10)), done=True)
    world.centre.change(1, {"subject": "B"}, TPM)
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"


def test_a_wake_up_during_a_look_is_another_look() -> None:
    world = World()
    key, _ = world.shared()
    once(world.rt.connector, "fetch", lambda _: world.alice.edit(key, subject="just now"), done=True)
    world.centre.change(1, {"priority": "urgent"}, TPM)
    assert world.end() == []
    assert world.ticket()["subject"] == "just now"


def test_a_reason_that_comes_while_its_look_is_under_way_is_not_lost_where_rows_tell_nothing() -> None:
    """The generation of a delivery: done only if it is the one that was claimed."""
    world = World()
    _, other = world.shared()

    def hint(_: Call) -> None:
        world.bob.comment(other, "while you were reading")
        world.store.write(
            lambda tx: world.mesh.means.relay.owe_inward(tx, "ngi-pl", other, world.clock(), reason="a webhook")
        )

    once(world.redmine.connector, "fetch", hint, done=True)
    world.store.write(
        lambda tx: world.mesh.means.relay.owe_inward(tx, "ngi-pl", other, world.clock(), reason="a webhook")
    )
    world.mesh.work()
    assert [c.text for c in world.comments()] == ["while you were reading"]


def test_a_paused_system_rests_and_the_others_do_not() -> None:
    world = World()
    key, _ = world.shared()
    once(world.redmine.connector, "fetch", failing(AccessError("401: wrong key")), done=False)
    world.centre.change(1, {"subject": "B"}, TPM)
    world.mesh.work()
    system = world.store.read(lambda tx: tx.registry.system("ngi-pl"))
    assert (system.state, system.open_problem) == (SystemState.PAUSED, True)
    assert "401: wrong key" in system.reason
    assert world.issue(world.rt, key).fields["subject"] == "B"
    assert world.mesh._lanes["ngi-pl"].step() is None
    assert world.mesh._lanes["ngi-pl"].next_due_at() is None


def test_a_spent_quota_is_no_try_and_the_lane_takes_up_nothing_meanwhile() -> None:
    world = World()
    world.shared()
    lane, calls = world.mesh._lanes["ngi-pl"], world.redmine.connector.calls
    world.redmine.connector.intruder = failing(QuotaSpent("used up", retry_after=timedelta(seconds=30)))
    world.centre.change(1, {"subject": "B"}, TPM)
    before = calls.total()
    for _ in range(5):
        lane.step()
    assert calls.total() - before == 1
    assert lane.next_due_at() == world.clock() + timedelta(seconds=30)
    owed = world.store.read(lambda tx: tx.outbox.find("ngi-pl", Direction.OUTWARD, "1"))
    assert (owed.attempts, owed.error) == (0, "waits: used up")
    system = world.store.read(lambda tx: tx.registry.system("ngi-pl"))
    assert (system.last_error, system.outage) == ("", None)
    world.redmine.connector.intruder = None
    world.clock.advance(timedelta(seconds=30))
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"


def test_a_bug_of_ours_is_a_dead_letter_that_says_so() -> None:
    world = World()
    world.shared()
    once(world.redmine.connector, "fetch", failing(ZeroDivisionError("a bug")), done=False)
    world.centre.change(1, {"subject": "B"}, TPM)
    world.mesh.work()
    assert ["ZeroDivisionError: a bug" in d.error for d in world.dead()] == [True]


def test_a_system_that_nobody_knows_has_nothing_to_do() -> None:
    world = World()
    lane = Lane(
        world.mesh.means, SyncEngine(world.mesh.means), world.mesh.gateways, "unknown", owner="x", spread=lambda: 0.5
    )
    assert (lane.step(), lane.next_due_at()) == (None, None)


class Leaving(MemoryStore):
    """A store whose server is away at times."""

    away = False

    def write(self, change, *, durable=True):
        if self.away:
            raise CommitFailed("the server does not answer")
        return super().write(change, durable=durable)

    def read(self, question):
        if self.away:
            raise Unreachable("the server does not answer")
        return super().read(question)


def test_what_a_store_that_was_away_could_not_take_is_told_once_it_is_back_and_no_lease_is_waited_out() -> None:
    store = Leaving()
    world = World(store=store)
    world.shared()

    def leave(_: Call) -> None:
        store.away = True

    once(world.redmine.connector, "update", leave, done=True)
    world.centre.change(1, {"subject": "B"}, TPM)
    means = world.mesh.means
    lane = Lane(means, SyncEngine(means), world.mesh.gateways, "ngi-pl", owner="x", spread=lambda: MIDDLE)
    for _ in range(3):
        with pytest.raises(StoreError, match="does not answer"):
            lane.step()
        world.clock.advance(FIRST_WAIT)
    store.away = False
    assert lane.step() is not None
    assert world.link("ngi-pl").intents == ()
    assert world.dead() == []


class Counting(MemoryStore):
    """Counts the transactions that write."""

    writes = 0

    def write(self, change, *, durable=True):
        self.writes += 1
        return super().write(change, durable=durable)


class Forgetful(MemoryStore):
    """A store whose server commits, or does not, and is gone before it says which, where that is asked for."""

    unknown: bool | None = None
    """Whether the next commit that ends a look is there; None: everything is well."""
    last = ""
    """By what that commit is known."""

    def write(self, change, *, durable=True):
        if self.unknown is None or not change.__qualname__.startswith(self.last):
            return super().write(change, durable=durable)
        there, self.unknown = self.unknown, None
        if there:
            super().write(change, durable=durable)
        raise CommitUnknown("the server is gone")


def two_tickets(store: MemoryStore) -> tuple[World, Lane]:
    """Two tickets at NGI_PL, and its lane."""
    world = World(store=store)
    world.shared()
    world.alice.open(subject="another one")
    world.mesh.round()
    world.centre.change(2, {"unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    means = world.mesh.means
    return world, Lane(means, SyncEngine(means), world.mesh.gateways, "ngi-pl", owner="x", spread=lambda: MIDDLE)


def owe_look(world: World, ticket: int, tx: Transaction) -> None:
    world.mesh.means.relay.owe_outward(tx, ("ngi-pl",), ticket, world.clock(), reason="somebody wants to know")


@pytest.mark.parametrize("there", [True, False])
def test_what_was_taken_up_by_a_commit_that_nobody_knows_of_is_let_go(there: bool) -> None:
    store = Forgetful()
    world, lane = two_tickets(store)
    for ticket in (1, 2):
        store.write(partial(owe_look, world, ticket))
    first = lane.take()
    store.last, store.unknown = "Lane._finish", there
    with pytest.raises(StoreError):
        lane.carry_out(first, further=True)
    assert lane.close()
    second = lane.take()
    assert second is not None, "no lease is waited out"
    assert lane.carry_out(second, further=True)[1] is None
    assert world.store.read(lambda tx: tx.outbox.counts())["ngi-pl"].due == 0


@pytest.mark.parametrize("there", [True, False])
def test_so_is_what_was_taken_up_by_the_last_commit_of_the_look_itself(there: bool) -> None:
    store = Forgetful()
    world, lane = two_tickets(store)
    for ticket in (1, 2):
        world.centre.change(ticket, {"subject": "C"}, TPM)
    first = lane.take()
    store.last, store.unknown = "_settle", there
    outcome, following = lane.carry_out(first, further=True)
    assert outcome.said == ("CommitUnknown: the server is gone",)
    assert following is None
    second = lane.take()
    assert second is not None, "no lease is waited out"
    assert second.claim.delivery.subject == "2"
    assert lane.carry_out(second, further=True)[1] is None
    assert (world.link("ngi-pl").intents == ()) is there
    assert world.end() == []
    assert world.dead() == []
    assert [issue.fields["subject"] for issue in world.redmine.tracker.issues.values()] == ["C", "C"]


def test_the_last_commit_of_a_look_ends_its_delivery_and_takes_up_the_next_one() -> None:
    store = Counting()
    world, lane = two_tickets(store)
    for ticket in (1, 2):
        world.centre.change(ticket, {"subject": "C"}, TPM)
    taken, before = lane.take(), store.writes
    while taken is not None:
        _, taken = lane.carry_out(taken, further=True)
    assert store.writes - before == 2 * len(("the intent", "what became of it"))
    assert store.read(lambda tx: tx.outbox.counts())["ngi-pl"].due == 0
    assert world.end() == []


def test_the_commit_that_ends_a_look_takes_up_the_next() -> None:
    store = Counting()
    world = World(store=store)
    for subject in ("one", "two", "three"):
        world.alice.open(subject=subject)
    world.mesh.poll()
    means = world.mesh.means
    lane = Lane(means, SyncEngine(means), world.mesh.gateways, "ngi-cz", owner="x", spread=lambda: MIDDLE)
    before, looks = store.writes, 0
    taken = lane.take()
    while taken is not None:
        _, taken = lane.carry_out(taken, further=True)
        looks += 1
    births = 3
    assert (looks, store.writes - before) == (3, 1 + births + looks)


# -- threads -------------------------------------------------------------------------------------------------------


class Threads:
    """A worker with two threads per system over a world's store, and the bus that wakes them."""

    def __init__(self, world: World, means: Means | None = None) -> None:
        means = means or world.mesh.means
        bus = means.relay._bus
        engine = SyncEngine(means)
        self.worker = Worker(
            lambda name: Lane(means, engine, world.mesh.gateways, name, owner="t", spread=lambda: 0.5),
            bus,
            world.mesh.gateways,
            world.clock,
        )

    def __enter__(self) -> Worker:
        self.worker.ensure_lanes()
        return self.worker

    def __exit__(self, *_: object) -> None:
        self.worker.stop(120)


def test_a_thread_that_finds_only_work_under_anothers_lease_sleeps_instead_of_asking_on_and_on() -> None:
    store = Counting()
    world = World(store=store)
    world.shared()
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: Call) -> None:
        reached.set()
        assert go_on.wait(120)

    once(world.redmine.connector, "fetch", slow, done=False)
    with Threads(world):
        world.centre.change(1, {"subject": "B"}, TPM)
        assert reached.wait(120)
        before = store.writes
        go_on.wait(0.3)
        asked = store.writes - before
        go_on.set()
    assert asked < 20
    assert world.issue(world.redmine).fields["subject"] == "B"


def test_stopping_lets_every_lane_finish_its_look() -> None:
    world = World()
    world.shared()
    reached, go_on = threading.Event(), threading.Event()

    def slow(_: Call) -> None:
        reached.set()
        assert go_on.wait(120)

    once(world.redmine.connector, "update", slow, done=False)
    threads = Threads(world)
    with threads:
        world.centre.change(1, {"subject": "B"}, TPM)
        assert reached.wait(120)
        go_on.set()
    assert world.issue(world.redmine).fields["subject"] == "B"
    assert world.link("ngi-pl").intents == ()
    assert not any(thread.name.startswith("lane-") for thread in threading.enumerate())


def eventually(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(12_000):
        if holds():
            return
        pause.wait(0.01)  # between two looks at the condition
    raise AssertionError("what was waited for did not come about")


def test_what_waited_under_the_lease_of_a_dead_worker_is_found_by_the_sweep_of_the_only_one_left() -> None:
    store = Counting()
    world = World(store=store)
    world.shared()
    world.centre.change(1, {"subject": "B"}, TPM)
    ttl = timedelta(seconds=150)
    world.store.write(lambda tx: tx.outbox.claim("ngi-pl", "dead", world.clock(), ttl=ttl, lease_name=lease_name))
    before = store.writes
    with Threads(world):
        eventually(lambda: store.writes >= before + 2)  # a lane of either system has looked, and sleeps
        world.clock.advance(ttl)
        world.mesh.means.relay.sweep(world.store)
        eventually(lambda: world.issue(world.redmine).fields["subject"] == "B")


class Idle(Lane):
    """Never has anything to do."""

    def take(self) -> None:
        with self.lock:
            self.asked[self.system] += 1


def test_a_wake_up_makes_one_lane_ask_however_many_there_are() -> None:
    world = World()
    asked, lock = Counter[str](), threading.Lock()
    bus = world.mesh.means.relay._bus

    def idle(name: str) -> Lane:
        lane = Idle(world.mesh.means, SyncEngine(world.mesh.means), world.mesh.gateways, name, owner="t", spread=float)
        lane.asked, lane.lock = asked, lock
        return lane

    worker = Worker(idle, bus, world.mesh.gateways, world.clock)
    worker.ensure_lanes()
    for number in range(1, 6):
        eventually(lambda number=number: asked["ngi-cz"] == number)
        bus.wake("ngi-cz")
    worker.stop(120)
    assert asked["ngi-cz"] <= 6, "the last wake-up may have been the one that stops"


class Sleepers(InProcessBus):
    """Knows who sleeps until somebody says something."""

    asleep = frozenset[str]()

    def wait(self, system, seen, timeout):
        self.asleep |= {system} if timeout is None else set()
        return super().wait(system, seen, timeout)


def test_a_look_that_is_to_be_tried_again_is_told_to_whoever_looks_out() -> None:
    world = World()
    world.shared()
    bus = Sleepers()
    means = replace(world.mesh.means, relay=Relay(bus))

    def busy(_: Call) -> None:
        eventually(lambda: "ngi-pl" in bus.asleep)
        raise Transient("busy")

    def tries() -> int:
        owed = world.store.read(lambda tx: tx.outbox.find("ngi-pl", Direction.OUTWARD, "1"))
        return 0 if owed is None else owed.attempts

    once(world.redmine.connector, "update", busy, done=False)
    Centre(means).change(1, {"subject": "B"}, TPM)
    with Threads(world, means):
        eventually(lambda: tries() == 1)
        world.clock.advance(2 * FIRST_WAIT)
        eventually(lambda: world.issue(world.redmine).fields["subject"] == "B")


def test_what_is_owed_at_once_is_shared_among_the_lanes() -> None:
    world = World()
    world.shared()
    world.alice.open(subject="another one")
    world.mesh.round()
    world.centre.change(2, {"unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    both = threading.Barrier(2)

    def together(call: Call) -> None:
        if call.operation == "update" and not call.done:
            both.wait(120)

    world.redmine.connector.intruder = together
    for ticket in (1, 2):
        world.centre.change(ticket, {"subject": "C"}, TPM)
    with Threads(world):
        eventually(lambda: not any(each.due for each in world.store.read(lambda tx: tx.outbox.counts()).values()))
    assert not both.broken


def test_a_bus_that_loses_every_wake_up_costs_time_only() -> None:
    store = Counting()
    world = World(store=store)
    world.shared()
    means = world.mesh.means
    deaf = LosingBus(means.relay._bus)
    relay = Relay(deaf)
    before = store.writes
    with Threads(world):
        eventually(lambda: store.writes >= before + 2)
        Centre(replace(means, relay=relay)).change(1, {"subject": "B"}, TPM)
        assert deaf.lost == 2
        relay.sweep(world.store)
        eventually(lambda: world.issue(world.redmine).fields["subject"] == "B")


def test_the_lease_of_a_dead_worker_is_waited_out() -> None:
    world = World()
    world.shared()
    world.centre.change(1, {"subject": "B"}, TPM)
    claim = world.store.write(
        lambda tx: tx.outbox.claim("ngi-pl", "dead", world.clock(), ttl=timedelta(seconds=150), lease_name=lease_name)
    )
    assert claim is not None
    world.mesh.work()
    assert world.issue(world.redmine).fields["subject"] != "B"
    world.clock.advance(timedelta(seconds=150))
    world.mesh.work()
    assert world.issue(world.redmine).fields["subject"] == "B"
    with pytest.raises(LeaseLost):
        world.store.write(lambda tx: tx.outbox.done(claim, world.clock()))
