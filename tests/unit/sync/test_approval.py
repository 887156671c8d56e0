"""What a restored database would write is shown by reading only, and written once a person has approved just that."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from central.desk.services.errors import NotNow
from central.registry import SystemState
from central.store.api import Transaction
from central.store.sql import SqlStore
from connectors.errors import Transient
from connectors.memory import Call
from sync import live
from sync.means import Means
from sync.recovery import approval, copies
from tests.unit.sync.saved import Saved
from tests.unit.sync.world import TPM

T = TypeVar("T")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Saved]:
    made = Saved(tmp_path)
    yield made
    made.opened.close()


def _work(world: Saved, seed: int, changes: int) -> None:
    """People at the centre and in both systems do something, each time; rounds come when they come."""
    chance = random.Random(seed)
    people = ((world.rt, world.alice), (world.redmine, world.bob))
    for number in range(changes):
        ids = [t.id for t in world.store.read(lambda tx: tx.tickets.list(limit=500))]
        match chance.randrange(4):
            case 0:
                unit = chance.choice(["NGI_CZ", "NGI_PL", "TPM"])
                world.centre.open({"subject": f"centre {number}", "description": "d", "unit": unit}, TPM)
            case 1:
                world.centre.comment(chance.choice(ids), f"words of the centre {number}", TPM)
            case 2:
                world.centre.change(chance.choice(ids), {"subject": f"subject {number}"}, TPM)
            case _:
                world.centre.change(chance.choice(ids), {"unit": chance.choice(["NGI_CZ", "NGI_PL"])}, TPM)
        for member, who in people:
            keys = list(member.tracker.issues)
            match chance.randrange(3):
                case 0:
                    who.open(subject=f"{who.name} {number}", description="d")
                case 1:
                    who.edit(chance.choice(keys), subject=f"{who.name} says {number}")
                case _:
                    who.comment(chance.choice(keys), f"words of {who.name} {number}")
        if chance.random() < 0.5:
            world.mesh.round()
    world.mesh.settle(40)


def _forgotten(world: Saved) -> None:
    """A ticket that the centre gave to NGI_PL after the backup, and one of RT that nobody has read."""
    world.shared()
    world.save()
    world.centre.open({"subject": "new disk", "description": "please", "unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    world.alice.comment(min(world.rt.tracker.issues), "any news?")


def _approved(world: Saved) -> str:
    plan, done = world.approve()
    assert done
    return plan.fingerprint


def test_nothing_is_written_before_the_plan_is_approved_and_then_what_it_showed(world: Saved) -> None:
    _forgotten(world)
    world.put_back()
    plan = world.plan()
    assert [(row.system, row.write.item) for row in plan.rows] == [("ngi-pl", "comment 1")]
    assert plan.mails["ngi-pl"].by_kind is not None
    assert _approved(world) == plan.fingerprint
    assert world.end() == []
    written = [d for d in world.redmine.tracker.log if d.who == "interdesk" and d.kind == "comment"]
    assert len(written) == 1
    (entry, *_) = world.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.data["plan"], entry.data["writes"]) == ("ada", plan.fingerprint, 1)


def test_a_plan_that_has_changed_is_shown_anew_and_nothing_is_let_go(world: Saved) -> None:
    _forgotten(world)
    world.put_back()
    shown = world.plan()
    world.alice.comment(min(world.rt.tracker.issues), "still nothing?")
    changed, done = world.approve()
    assert (done, len(changed.rows)) == (False, len(shown.rows) + 1)
    assert world.store.read(copies.at_rest)
    assert _approved(world) == changed.fingerprint
    assert world.end() == []


def test_what_was_never_shown_cannot_be_approved(world: Saved) -> None:
    _forgotten(world)
    world.put_back()
    assert not world.approve()[1]
    assert world.store.read(copies.at_rest)


def test_a_system_that_cannot_be_read_stays_paused_until_it_was_and_the_others_go_on(world: Saved) -> None:
    _forgotten(world)

    def down(call: Call) -> None:
        raise Transient("nobody is at home")

    world.redmine.connector.intruder = down
    world.put_back()
    plan = world.plan()
    assert list(plan.unread) == ["ngi-pl"]
    assert _approved(world) == plan.fingerprint
    assert (world.state("ngi-cz"), world.state("ngi-pl")) == (SystemState.LIVE, SystemState.PAUSED)
    world.mesh.settle()
    with pytest.raises(NotNow, match="interdesk db plan"):
        world.store.write(lambda tx: live.resume(tx, "ngi-pl"))
    world.redmine.connector.intruder = None
    late = world.plan()
    assert (late.found.tickets, list(late.unread)) == (1, [])
    assert _approved(world) == late.fingerprint
    assert world.state("ngi-pl") is SystemState.LIVE
    assert world.end() == []
    assert [len(member.tracker.issues) for member in (world.rt, world.redmine)] == [1, 2]
    with pytest.raises(NotNow, match="nothing shows"):
        world.plan()


def test_a_copy_cannot_be_planned_or_approved(world: Saved) -> None:
    world.shared()
    world.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(held=f"{copies.COPIED}: of another host")))
    with pytest.raises(NotNow, match="adopt"):
        approval.look(world.mesh.means, world.mesh.gateways, "test")


class Dead(BaseException):
    """The process ends here."""


class Dying:
    """A store whose process dies after so many commits."""

    def __init__(self, store: SqlStore, commits: int) -> None:
        self._store, self._left = store, commits

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        if self._left <= 0:
            raise Dead
        self._left -= 1
        return self._store.write(change, durable=durable)


@pytest.mark.parametrize("seed", range(3))
def test_a_recovery_that_dies_again_and_again_ends_like_one_that_does_not(world: Saved, seed: int) -> None:
    world.shared()
    world.save()
    _work(world, seed, 30)
    world.put_back()
    chance, commits = random.Random(seed), 3
    while True:
        dying = Dying(world.opened, commits)
        world.mesh.means = _with_store(world, dying)
        try:
            plan = approval.look(world.mesh.means, world.mesh.gateways, "test")
        except Dead:
            commits += chance.randrange(1, 12)
            continue
        break
    world.mesh.means = _with_store(world, world.opened)
    assert world.plan().fingerprint == plan.fingerprint
    assert world.approve()[1]
    assert world.end(40) == []


def _with_store(world: Saved, store: object) -> Means:
    return replace(world.mesh.means, store=store)


@pytest.mark.parametrize("seed", range(10, 13))
def test_a_hundred_changes_on_each_side_and_the_plan_is_all_that_is_written(world: Saved, seed: int) -> None:
    world.shared()
    world.save()
    _work(world, seed, 100)
    world.alice.comment(min(world.rt.tracker.issues), "said after the last poll")
    world.put_back()
    plan = world.plan()
    begun = {member.name: len(member.tracker.log) for member in (world.rt, world.redmine)}
    assert not plan.unread
    assert world.approve()[1]
    assert world.end(40) == []
    for member in (world.rt, world.redmine):
        written = [d for d in member.tracker.log[begun[member.name] :] if d.who == "interdesk" and not d.cause]
        rows = [row.write.item.split()[0] for row in plan.rows if row.system == member.name]
        assert sum(d.kind == "create" for d in written) == rows.count("create"), member.name
        said = [(d.key, d.note) for d in written if d.kind == "comment"]
        assert len(said) == rows.count("comment") + rows.count("notice"), (member.name, said, plan.rows)
