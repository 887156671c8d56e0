"""Failure case 20: a ticket is merged, moved or gets another key, at any moment of a look."""

from collections.abc import Callable

import pytest

from central.events import Kind
from central.link import LinkState
from central.store.memory import MemoryStore
from sync.simulation.members import REDMINE_LIKE
from tests.unit.sync.world import TPM, World, once


class Watched(MemoryStore):
    """Does something just before the n-th commit from now."""

    act: Callable[[], None] | None = None
    countdown = 0

    def write(self, change, *, durable=True):
        if self.act is not None:
            self.countdown -= 1
            if self.countdown < 0:
                act, self.act = self.act, None
                act()
        return super().write(change, durable=durable)


def two_tickets(world: World) -> tuple[str, str, str]:
    """The shared ticket's key in RT and in Redmine, and a second ticket of Redmine that is ticket 2 here."""
    rt, redmine = world.shared()
    other = world.bob.open(subject="the same again")
    world.mesh.settle()
    return rt, redmine, other


def test_a_renamed_ticket_takes_its_link_along() -> None:
    world = World()
    rt, redmine = world.shared()
    new = world.bob.rekey(redmine)
    world.bob.comment(new, "under another key")
    world.centre.comment(1, "and still told", TPM)
    assert world.end() == []
    link = world.link("ngi-pl")
    assert (link.key, link.state, link.first_key) == (new, LinkState.ACTIVE, redmine)
    assert len(world.said(world.redmine, "and still told", new)) == 1
    assert len(world.said(world.rt, "under another key", rt)) == 1
    assert world.store.read(lambda tx: tx.tickets.count()) == 1
    found = world.store.read(lambda tx: tx.links.find_by_key("ngi-pl", redmine))
    assert found is not None
    assert found.key == new


def test_a_renamed_ticket_that_was_born_there_is_not_born_again() -> None:
    world = World()
    key = world.alice.open(subject="born in RT")
    world.mesh.settle()
    for _ in range(2):
        key = world.alice.rekey(key)
        assert world.end() == []
    assert world.store.read(lambda tx: tx.tickets.count()) == 1
    assert world.link("ngi-cz").key == key


@pytest.mark.parametrize("steps", range(9))
def test_a_rename_between_any_two_steps_loses_and_doubles_nothing(steps: int) -> None:
    store = Watched()
    world = World(store=store)
    rt, redmine = world.shared()
    world.centre.comment(1, "told once", TPM)
    world.centre.change(1, {"subject": "as it is called now"}, TPM)
    world.bob.comment(redmine, "heard once")
    store.act, store.countdown = lambda: world.bob.rekey(redmine) and None, steps
    world.mesh.settle(40)
    assert world.end(40) == []
    key = world.link("ngi-pl").key
    assert len(world.said(world.redmine, "told once", key)) == 1
    assert world.issue(world.redmine, key).fields["subject"] == "as it is called now"
    assert len(world.said(world.rt, "heard once", rt)) == 1
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_a_merge_into_another_ticket_ends_the_link_with_one_note() -> None:
    world = World()
    rt, redmine, other = two_tickets(world)
    world.bob.comment(redmine, "said before")
    world.mesh.settle()
    world.bob.merge(redmine, other)
    world.bob.comment(other, "said after")
    world.centre.comment(1, "nobody there hears this any more", TPM)
    world.mesh.scan()
    assert world.end(40) == []
    link = world.link("ngi-pl")
    assert (link.state, link.merged_into) == (LinkState.LOST, other)
    assert len(world.said(world.rt, "merged into another one, which is ticket 2 here", rt)) == 1
    assert [e.kind for e in world.events() if e.kind is Kind.MERGED] == [Kind.MERGED]
    assert [c.text for c in world.comments() if c.text == "said after"] == []
    assert [c.text for c in world.comments(2)] == ["said before", "said after"]
    assert len(world.redmine.tracker.issues) == 2
    assert world.store.read(lambda tx: tx.tickets.count()) == 2


@pytest.mark.parametrize("operation", ["fetch", "update", "comment"])
@pytest.mark.parametrize("done", [False, True])
def test_a_merge_in_the_middle_of_a_request_makes_no_ticket_and_one_note(operation: str, done: bool) -> None:
    world = World()
    rt, redmine, other = two_tickets(world)
    once(world.redmine.connector, operation, lambda _: world.bob.merge(redmine, other), done=done)
    world.centre.comment(1, "on its way", TPM)
    world.centre.change(1, {"subject": "also on its way"}, TPM)
    world.bob.edit(redmine, priority="high")
    world.mesh.settle(40)
    world.mesh.scan()
    assert world.end(40) == []
    assert len(world.said(world.rt, "merged into another one", rt)) == 1
    assert len(world.redmine.tracker.issues) == 2
    assert world.store.read(lambda tx: tx.tickets.count()) == 2


@pytest.mark.parametrize("steps", range(8))
def test_a_merge_between_any_two_steps_makes_no_ticket_and_one_note(steps: int) -> None:
    store = Watched()
    world = World(store=store)
    rt, redmine, other = two_tickets(world)
    world.centre.comment(1, "on its way", TPM)
    world.centre.change(1, {"subject": "also on its way"}, TPM)
    store.act, store.countdown = lambda: world.bob.merge(redmine, other), steps
    world.mesh.settle(40)
    world.mesh.scan()
    assert world.end(40) == []
    assert len(world.said(world.rt, "merged into another one", rt)) == 1
    assert world.store.read(lambda tx: tx.tickets.count()) == 2
    assert len(world.redmine.tracker.issues) == 2


def test_a_merge_into_a_ticket_that_is_not_here_takes_the_link_there() -> None:
    world = World()
    old = world.bob.open(subject="from before going live")
    world.bob.move(old)
    rt, redmine = world.shared()
    world.issue(world.redmine, old).hidden = ""
    world.bob.merge(redmine, old)
    relay, clock = world.mesh.means.relay, world.clock
    world.store.write(lambda tx: relay.owe_inward(tx, "ngi-pl", redmine, clock(), reason="a webhook"))
    world.mesh.work()
    world.bob.comment(old, "goes on here")
    assert world.end(40) == []
    assert world.link("ngi-pl").key == old
    assert len(world.said(world.rt, "goes on here", rt)) == 1
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_a_ticket_that_leaves_the_place_is_lost_with_its_reason_and_resumes_when_it_is_back() -> None:
    world = World(redmine=REDMINE_LIKE)
    rt, redmine = world.shared()
    world.bob.move(redmine)
    world.mesh.scan()
    world.mesh.settle()
    link = world.link("ngi-pl")
    assert link.state is LinkState.LOST
    assert "it is gone there: " in link.last_error
    world.bob.bring_back(redmine)
    world.bob.comment(redmine, "here again")
    world.mesh.settle()
    world.mesh.scan()
    assert world.end() == []
    assert world.link("ngi-pl").state is LinkState.ACTIVE
    assert len(world.said(world.rt, "here again", rt)) == 1
