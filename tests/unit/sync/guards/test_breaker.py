"""The ping-pong breaker: two automations that fight are held within a bounded number of writes; people never are."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.guard import Hold, HoldKind, HoldState
from central.store.memory import MemoryStore
from connectors.emulators.tracker import Deed
from sync.guards import holds
from sync.guards.pingpong import Patience
from sync.simulation.laws import convergence, no_loss, silence
from sync.simulation.mesh import Mesh
from tests.unit.sync.world import TPM, World


def automation(world: World, member: str, key: str, field: str, answer: Callable[[object], object]) -> None:
    """From now on this tracker answers each write of ours to this field by setting it itself, at once."""
    chosen = {"ngi-cz": world.rt, "ngi-pl": world.redmine}[member]
    tracker, account = chosen.tracker, chosen.connector.account

    def react(deed: Deed) -> None:
        if (deed.who, deed.key, deed.field) != (account, key, field):
            return
        wanted = answer(deed.new)
        if wanted != deed.new:
            tracker.edit("sla-robot", key, {field: wanted})

    tracker.watch.append(react)


def fighting(guards: frozenset[HoldKind] | None = None) -> tuple[World, str, str]:
    """Redmine insists that the ticket is of high priority, RT that it is of low."""
    world = World()
    if guards is not None:
        world.mesh = Mesh(MemoryStore(), [world.rt, world.redmine], world.clock, guards=guards)
        world.store, world.centre = world.mesh.store, world.mesh.centre
    key, other = world.shared()
    automation(world, "ngi-cz", key, "priority", lambda _: "low")
    automation(world, "ngi-pl", other, "priority", lambda _: "high")
    return world, key, other


def our_writes(world: World) -> int:
    return sum(
        deed.who == member.connector.account and deed.field == "priority"
        for member in (world.rt, world.redmine)
        for deed in member.tracker.log
    )


def the_hold(world: World) -> Hold:
    [hold] = world.store.read(lambda tx: tx.guards.list(open_only=True))
    return hold


def play(world: World, rounds: int = 60) -> None:
    for _ in range(rounds):
        world.mesh.round()


def test_two_automations_that_fight_are_held_after_a_bounded_number_of_writes() -> None:
    world, _, other = fighting()
    world.bob.edit(other, priority="normal")
    play(world)
    written = our_writes(world)
    assert Patience().reflex < written <= 2 * Patience().reflex + 4
    play(world)
    assert our_writes(world) == written
    hold = the_hold(world)
    assert (hold.kind, hold.ticket_id) == (HoldKind.PING_PONG, 1)
    assert "answered at once" in hold.reason
    assert len(hold.evidence["trail"]) >= 2 * Patience().reflex
    assert any(step["who"] == "sla-robot" for step in hold.evidence["trail"])
    assert silence(world.mesh) == []


def test_what_is_held_is_a_standing_disagreement_and_everything_else_flows() -> None:
    world, key, other = fighting()
    world.bob.edit(other, priority="normal")
    play(world)
    hold = the_hold(world)
    assert "held by a guard" in world.link(hold.system).disagreements["priority"]
    assert convergence(world.mesh) == []
    world.alice.open(subject="another one")
    world.bob.comment(other, "does anybody hear me?")
    world.alice.edit(key, subject="CE refuses all jobs")
    play(world, 3)
    assert world.ticket(2)["subject"] == "another one"
    assert world.ticket()["subject"] == "CE refuses all jobs"
    assert "does anybody hear me?" in [comment.text for comment in world.comments()]


def test_an_approved_fight_goes_on_and_is_held_anew_where_it_does_not_end() -> None:
    world, _, other = fighting()
    world.bob.edit(other, priority="normal")
    play(world)
    first, written = the_hold(world), our_writes(world)
    holds.approve(world.mesh.means, first.id, "ada")
    play(world)
    assert our_writes(world) > written
    assert the_hold(world).id != first.id


def test_a_rejected_fight_leaves_theirs_until_a_person_moves() -> None:
    world, _, other = fighting()
    world.bob.edit(other, priority="normal")
    play(world)
    hold, written = the_hold(world), our_writes(world)
    holds.reject(world.mesh.means, hold.id, "ada")
    play(world)
    assert our_writes(world) == written
    assert world.store.read(lambda tx: tx.guards.list(open_only=True)) == []
    assert "ada has rejected it" in world.link(hold.system).disagreements["priority"]
    for member in (world.rt, world.redmine):
        member.tracker.watch.clear()
    world.centre.change(1, {"priority": "urgent"}, TPM)
    play(world, 5)
    assert world.link(hold.system).disagreements == {}
    assert convergence(world.mesh) == []


def test_a_robot_that_always_has_something_new_is_held_too() -> None:
    world = World()
    key, other = world.shared()
    names = iter(range(10_000))
    automation(world, "ngi-pl", other, "subject", lambda _: f"CE refuses jobs (seen {next(names)} times)")
    automation(world, "ngi-cz", key, "subject", lambda _: f"CE refuses jobs ({next(names)})")
    world.centre.change(1, {"subject": "CE refuses every job"}, TPM)
    play(world, 120)
    assert "answered at once with another value" in the_hold(world).reason
    assert silence(world.mesh) == []


def test_without_the_guard_they_fight_for_ever() -> None:
    world, _, other = fighting(guards=frozenset())
    world.bob.edit(other, priority="normal")
    with pytest.raises(AssertionError, match="something ping-pongs"):
        play(world)
    assert our_writes(world) > 100


edits = st.lists(
    st.tuples(st.sampled_from(["alice", "bob"]), st.sampled_from(["low", "normal", "high"]), st.booleans()),
    min_size=10,
    max_size=20,
)


@settings(max_examples=25, deadline=None)
@given(edits=edits)
def test_ten_edits_per_side_and_minute_by_people_are_never_held(edits: list[tuple[str, str, bool]]) -> None:
    world = World()
    key, other = world.shared()
    for who, value, comes_through in edits * 2:
        world.clock.advance(timedelta(seconds=3))
        if who == "alice":
            world.alice.edit(key, priority=value)
        else:
            world.bob.edit(other, priority=value)
        if comes_through:
            world.mesh.poll()
            world.mesh.work()
    world.mesh.settle(30)
    assert world.store.read(lambda tx: tx.guards.list()) == []
    assert convergence(world.mesh) == []
    assert no_loss(world.mesh) == []


@pytest.mark.parametrize("decided", [HoldState.APPROVED, HoldState.REJECTED])
def test_what_a_person_decided_is_in_the_audit_log(decided: HoldState) -> None:
    world, _, other = fighting()
    world.bob.edit(other, priority="normal")
    play(world)
    hold = the_hold(world)
    decide = holds.approve if decided is HoldState.APPROVED else holds.reject
    decide(world.mesh.means, hold.id, "ada")
    [entry] = world.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("ada", f"guard {decided}", hold.system)
