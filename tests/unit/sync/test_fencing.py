"""Two who believe that a ticket is theirs: whatever was paused, slow, or taken over too early, one of them writes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from central.delivery import Direction, Lease
from central.link import LinkState
from central.store.api import LeaseLost, Transaction
from central.store.memory import MemoryStore
from connectors.errors import Refused, Transient, Unknown
from connectors.memory import WELL_BEHAVED, Call
from sync.engine import SyncEngine
from sync.guards.suspicion import Suspicion, take_up
from sync.lane import Lane, lease_name
from tests.unit.sync.world import TPM, World, failing, once

TTL = timedelta(seconds=40)


class SlowStore(MemoryStore):
    """Does something right after the next durable commit: time passes, or somebody else acts."""

    afterwards: Callable[[], None] | None = None

    def write(self, change, *, durable=True):
        result = super().write(change, durable=durable)
        act = self.afterwards
        if durable and act is not None:
            self.afterwards = None
            act()
        return result


def slow_world() -> tuple[World, SlowStore]:
    store = SlowStore()
    world = World(store=store, redmine=WELL_BEHAVED)
    world.shared()
    return world, store


def change_subject(world: World) -> None:
    world.centre.change(1, {"subject": "B"}, TPM)


def say_something(world: World) -> None:
    world.centre.comment(1, "what is owed", TPM)


def open_another(world: World) -> None:
    world.centre.open({"subject": "another", "description": "d", "unit": "NGI_PL"}, TPM)


def reword(world: World) -> None:
    world.centre.edit_comment(1, 1, "otherwise", TPM)


WRITES = {"update": change_subject, "comment": say_something, "create": open_another, "edit_comment": reword}


@pytest.mark.parametrize("late", [timedelta(seconds=11), -timedelta(seconds=1)], ids=["paused", "clock set back"])
@pytest.mark.parametrize("operation", WRITES)
def test_what_was_announced_too_long_ago_is_not_sent_and_is_announced_anew(operation: str, late: timedelta) -> None:
    world, store = slow_world()
    if operation == "edit_comment":
        say_something(world)
        world.mesh.settle()
    WRITES[operation](world)
    calls, before = world.redmine.connector.calls, world.redmine.connector.calls[operation]
    store.afterwards = lambda: world.clock.advance(late)
    outcome = world.mesh._lanes["ngi-pl"].step()
    assert outcome is not None
    assert "nothing was sent" in outcome.said[0]
    assert calls[operation] == before
    assert world.link("ngi-pl", 2 if operation == "create" else 1).intents == ()
    assert world.end() == []
    assert calls[operation] == before + 1


def test_who_was_paused_past_his_lease_sends_nothing_even_where_nobody_took_over() -> None:
    world = World()
    world.shared()
    sent = world.redmine.connector.calls["update"]
    once(world.redmine.connector, "fetch", lambda _: world.clock.advance(TTL), done=True)
    change_subject(world)
    outcome = world.mesh._lanes["ngi-pl"].step()
    assert outcome is not None
    assert outcome.said[0].startswith("LeaseLost: the lease ngi-pl/ticket/1")
    assert world.redmine.connector.calls["update"] == sent
    assert world.end() == []
    assert world.issue(world.redmine).fields["subject"] == "B"


@pytest.mark.parametrize(("reading_takes", "left"), [(10, 30), (11, 40)])
def test_a_lease_is_prolonged_before_a_request_that_might_not_end_within_it(reading_takes: int, left: int) -> None:
    world = World()
    world.shared()
    leases: list[Lease] = []

    def look_at_the_lease(_: Call) -> None:
        assert isinstance(world.store, MemoryStore)
        leases.extend(world.store._tables.leases.rows())

    def pass_time(_: Call) -> None:
        world.clock.advance(timedelta(seconds=reading_takes))
        once(world.redmine.connector, "update", look_at_the_lease, done=False)

    change_subject(world)
    once(world.redmine.connector, "fetch", pass_time, done=True)
    world.mesh._lanes["ngi-pl"].step()
    (lease,) = leases
    assert lease.expires_at - world.clock() == timedelta(seconds=left)


def test_a_look_at_a_slow_system_ends_however_many_terms_it_takes() -> None:
    world = World()
    world.shared()
    for number in range(8):
        world.centre.comment(1, f"word {number}", TPM)
    change_subject(world)
    began_at = world.clock()
    world.redmine.connector.intruder = lambda call: world.clock.advance(timedelta(seconds=9 * call.done))
    outcome = world.mesh._lanes["ngi-pl"].step()
    world.redmine.connector.intruder = None
    assert outcome is not None
    assert outcome.said[-1] == "subject written: 'B'"
    assert world.clock() - began_at > 2 * TTL
    assert world.end() == []


@pytest.mark.parametrize(("operation", "act"), [("update", change_subject), ("comment", say_something)])
def test_a_successor_that_comes_too_early_waits_for_the_request_of_the_one_before(
    operation: str, act: Callable[[World], None]
) -> None:
    world = World()
    world.shared()
    means = world.mesh.means
    successor = Lane(means, SyncEngine(means), world.mesh.gateways, "ngi-pl", owner="the successor", spread=lambda: 0.5)
    sent = world.redmine.connector.calls[operation]
    said: list[str] = []

    def taken_over(_: Call) -> None:
        world.store.write(lambda tx: tx.outbox.release_all())  # its clock is far ahead: the lease is over for it
        outcome = successor.step()
        assert outcome is not None
        said.extend(outcome.said)

    act(world)
    once(world.redmine.connector, operation, taken_over, done=False)
    world.mesh._lanes["ngi-pl"].step()
    assert "may still" in said[0]
    assert world.end() == []
    assert world.redmine.connector.calls[operation] == sent + 1
    assert len(world.said(world.redmine, "what is owed")) == (operation == "comment")


@pytest.mark.parametrize("operation", ["update", "comment"])
def test_who_was_paused_past_his_lease_records_nothing_over_his_successor(operation: str) -> None:
    world = World()
    world.shared()
    WRITES[operation](world)

    def paused(_: Call) -> None:
        world.clock.advance(TTL)
        claim = world.store.write(
            lambda tx: tx.outbox.claim(
                "ngi-pl", "the successor", world.clock(), ttl=TTL, lease_name=lease_name, only=Direction.OUTWARD
            )
        )
        assert claim is not None

    once(world.redmine.connector, operation, paused, done=True)
    outcome = world.mesh._lanes["ngi-pl"].step()
    assert outcome is not None
    assert outcome.said[0].startswith(LeaseLost.__name__)
    assert len(world.link("ngi-pl").intents) == 1
    assert world.end() == []
    assert len(world.said(world.redmine, "what is owed")) == (operation == "comment")


class Interrupted(MemoryStore):
    """Does something right before one of the next writes."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[int, Callable[[], None]] = {}
        self.writes = 0

    def write(self, change, *, durable=True):
        self.writes += 1
        act = self.before.pop(self.writes, None)
        if act is not None:
            act()
        return super().write(change, durable=durable)

    def interrupt(self, number: int, act: Callable[[], None]) -> None:
        """Before the write with this number from now on, the first being 1."""
        self.writes, self.before = 0, {number: act}


class Thoughtful(MemoryStore):
    """Time passes when a claim was made and is thought about."""

    think: Callable[[], None] | None = None
    claimed = False

    def write(self, change, *, durable=True):
        self.claimed = True
        return super().write(change, durable=durable)

    def read(self, question):
        if self.claimed and self.think is not None:
            think, self.think = self.think, None
            think()
        return super().read(question)


def answer_there(world: World) -> None:
    world.bob.comment(world.link("ngi-pl").key, "what they said")
    world.bob.edit(world.link("ngi-pl").key, subject="theirs")


def open_there(world: World) -> None:
    world.bob.open(subject="born there")


def rename_it(world: World) -> None:
    world.bob.rekey(world.link("ngi-pl").key)
    change_subject(world)


def lose_it(world: World) -> None:
    world.bob.delete(world.link("ngi-pl").key)
    change_subject(world)


def refuse_what_is_said(world: World) -> None:
    once(world.redmine.connector, "comment", failing(Refused("Notes is invalid", field="text")), done=False)
    say_something(world)


def break_the_line(world: World) -> None:
    once(world.redmine.connector, "update", failing(Transient("the connection broke")), done=False)
    change_subject(world)


def make_it_unreadable(world: World) -> None:
    once(world.redmine.connector, "create", failing(Unknown("made, and not to be read", key="2")), done=True)
    open_another(world)


def take_it_back(world: World) -> None:
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)


def delete_on_both_sides(world: World) -> None:
    key = world.link("ngi-pl").key
    world.bob.unsay(key, world.said(world.redmine, "what is owed")[0].id)
    world.centre.delete_comment(1, 1, TPM)


ACTS = {
    **WRITES,
    "answered there": answer_there,
    "born there": open_there,
    "renamed": rename_it,
    "lost": lose_it,
    "refused": refuse_what_is_said,
    "broken": break_the_line,
    "unreadable": make_it_unreadable,
    "taken back": take_it_back,
    "comment deleted": delete_on_both_sides,
}


def interrupted_world(act: str) -> tuple[World, Interrupted]:
    store = Interrupted()
    world = World(store=store)
    world.shared()
    if act in ("edit_comment", "comment deleted"):
        say_something(world)
        world.mesh.settle()
    ACTS[act](world)
    if act.endswith("there"):
        world.clock.advance(timedelta(minutes=1))
        world.mesh.poll()
    return world, store


def writes_of(act: str) -> int:
    """How many writes the whole look takes."""
    world, store = interrupted_world(act)
    store.interrupt(0, lambda: None)
    assert world.mesh._lanes["ngi-pl"].step() is not None
    return store.writes


def what_is_known(world: World) -> list[object]:
    """All that a look may record about tickets."""
    return world.store.read(
        lambda tx: [
            (
                ticket,
                tx.links.of(ticket.id),
                tx.tickets.comments(ticket.id),
                tx.tickets.events(ticket.id),
                [tx.links.tied(link.id) for link in tx.links.of(ticket.id)],
            )
            for ticket in tx.tickets.list()
        ]
    )


@pytest.mark.parametrize("act", ACTS)
def test_whoever_is_taken_over_at_whatever_moment_records_nothing_more_and_sends_nothing_new(act: str) -> None:
    moments = range(2, writes_of(act) + 1)  # the first is the claim
    assert moments
    for number in moments:
        world, store = interrupted_world(act)
        then: list[object] = []

        def taken_over(world: World = world, then: list[object] = then) -> None:
            world.store.write(lambda tx: tx.outbox.release_all())  # its clock is far ahead: the lease is over for it
            claim = world.store.write(
                lambda tx: tx.outbox.claim("ngi-pl", "the successor", world.clock(), ttl=TTL, lease_name=lease_name)
            )
            assert claim is not None
            then.extend(what_is_known(world))

        store.interrupt(number, taken_over)
        outcome = world.mesh._lanes["ngi-pl"].step()
        assert outcome is not None
        assert what_is_known(world) == then, number
        world.clock.advance(TTL)
        assert world.end() == []


def test_who_was_taken_over_knows_no_late_twin_either() -> None:
    world = World()
    world.shared()
    token = world.issue(world.redmine).fields["external_id"]
    late, _ = world.redmine.tracker.open("interdesk", {"subject": "CE refuses jobs", "external_id": token})
    world.clock.advance(timedelta(minutes=1))
    world.mesh.poll()
    once(world.redmine.connector, "fetch", lambda _: world.store.write(lambda tx: tx.outbox.release_all()), done=True)
    outcome = world.mesh._lanes["ngi-pl"].step()
    assert outcome is not None
    assert outcome.said[0].startswith(LeaseLost.__name__)
    assert world.store.read(lambda tx: tx.links.find_by_key("ngi-pl", late)) is None
    world.mesh.settle()
    twin = world.store.read(lambda tx: tx.links.find_by_key("ngi-pl", late))
    assert twin is not None
    assert twin.state is LinkState.DUPLICATE


def test_who_was_taken_over_records_no_suspicion_either() -> None:
    world = World()
    world.shared()
    change_subject(world)
    claim = world.store.write(
        lambda tx: tx.outbox.claim("ngi-pl", "the first", world.clock(), ttl=TTL, lease_name=lease_name)
    )
    assert claim is not None
    world.clock.advance(TTL)
    recorded: list[Transaction] = []
    with pytest.raises(LeaseLost):
        take_up(world.mesh.means, Suspicion("it writes too much", recorded.append), claim.lease)
    assert recorded == []


@pytest.mark.parametrize("operation", WRITES)
def test_whatever_is_sent_the_lease_lasts_for_as_long_as_the_request_may(operation: str) -> None:
    store = Thoughtful()
    world = World(store=store)
    world.shared()
    if operation == "edit_comment":
        say_something(world)
        world.mesh.settle()
    WRITES[operation](world)
    left: list[timedelta] = []

    def sent(_: Call) -> None:
        left.extend(lease.expires_at - world.clock() for lease in store._tables.leases.rows())

    once(world.redmine.connector, operation, sent, done=False)
    store.claimed, store.think = False, lambda: world.clock.advance(timedelta(seconds=15))
    world.mesh._lanes["ngi-pl"].step()
    (time_left,) = left
    assert time_left >= world.mesh.means.request_deadline
    assert world.end() == []
