"""Conflicts that wait for a person: nothing decides them but both sides agreeing, or that person."""

import pytest

from central.model import Conflict
from central.store.api import Busy, NoSuch
from sync import conflicts
from tests.unit.sync.world import TPM, World


def both_changed() -> tuple[World, str]:
    """A subject that was changed here and in Redmine, where the policy is `ask`; its key there."""
    world = World(redmine_policy="ask")
    _, key = world.shared()
    world.bob.edit(key, subject="theirs")
    world.centre.change(1, {"subject": "ours"}, TPM)
    world.mesh.settle()
    return world, key


def waiting(world: World) -> list[Conflict]:
    return world.store.read(lambda tx: list(conflicts.waiting(tx)))


def subjects(world: World, key: str) -> tuple[object, object]:
    return world.ticket()["subject"], world.issue(world.redmine, key).fields["subject"]


def test_a_conflict_waits_for_a_person_with_both_values() -> None:
    world, key = both_changed()
    (found,) = waiting(world)
    assert (found.ticket_id, found.system, found.field) == (1, "ngi-pl", "subject")
    assert (found.ours, found.theirs) == ("ours", "theirs")
    assert subjects(world, key) == ("ours", "theirs")


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_a_person_decides_and_the_other_value_is_kept(take: str) -> None:
    world, key = both_changed()
    (found,) = waiting(world)
    conflicts.resolve(world.mesh.means, found.id, take, "ada")
    assert world.end() == []
    assert subjects(world, key) == (take, take)
    assert waiting(world) == []
    (kept,) = [each for each in world.conflicts() if each.field == "subject"]
    assert (kept.ours, kept.theirs, kept.open, kept.reason) == ("ours", "theirs", False, f"ada decided for {take}")
    (entry,) = world.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.data["take"]) == ("ada", "resolve a conflict", take)


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_a_value_that_the_centre_sets_back_lets_nothing_in_until_a_person_decides(take: str) -> None:
    world, key = both_changed()
    world.centre.change(1, {"subject": "CE refuses jobs"}, TPM)
    world.mesh.settle()
    assert subjects(world, key) == ("CE refuses jobs", "theirs")
    (found,) = waiting(world)
    assert found.ours == "CE refuses jobs"
    conflicts.resolve(world.mesh.means, found.id, take, "ada")
    assert world.end() == []
    stands = "CE refuses jobs" if take == "ours" else "theirs"
    assert subjects(world, key) == (stands, stands)


def test_a_value_that_they_set_back_is_not_written_over_until_a_person_decides() -> None:
    world, key = both_changed()
    world.bob.edit(key, subject="CE refuses jobs")
    world.mesh.settle()
    assert subjects(world, key) == ("ours", "CE refuses jobs")
    (found,) = waiting(world)
    conflicts.resolve(world.mesh.means, found.id, "ours", "ada")
    assert world.end() == []
    assert subjects(world, key) == ("ours", "ours")


def test_where_both_sides_come_to_say_the_same_nothing_waits_any_more() -> None:
    world, key = both_changed()
    world.bob.edit(key, subject="ours")
    assert world.end() == []
    assert waiting(world) == []


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_an_edit_that_the_person_who_decides_has_not_seen_is_a_conflict_anew(take: str) -> None:
    world, key = both_changed()
    (found,) = waiting(world)
    if take == "ours":
        world.bob.edit(key, subject="later")
    else:
        world.centre.change(1, {"subject": "later"}, TPM)
    conflicts.resolve(world.mesh.means, found.id, take, "ada")
    world.mesh.settle()
    assert subjects(world, key) == (("ours", "later") if take == "ours" else ("later", "theirs"))
    assert [(each.ours, each.theirs) for each in waiting(world)] == [subjects(world, key)]


def test_a_ticket_that_is_being_looked_at_is_not_decided_under_its_feet() -> None:
    world, _ = both_changed()
    (found,) = waiting(world)
    ttl = world.mesh.means.term
    world.store.write(lambda tx: tx.outbox.take("ngi-pl/ticket/1", "a lane", world.clock(), ttl=ttl))
    with pytest.raises(Busy, match="say it again"):
        conflicts.resolve(world.mesh.means, found.id, "ours", "ada")
    assert waiting(world) == [found]


def test_what_does_not_wait_cannot_be_decided() -> None:
    world, _ = both_changed()
    with pytest.raises(NoSuch, match="interdesk conflict list"):
        conflicts.resolve(world.mesh.means, 99, "ours", "ada")
