"""What people do at the centre: one transaction with its event and with what it owes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Note, Upload
from central.events import Kind
from central.model import Person, Visibility
from central.store.api import TooLarge
from central.workflow import Actor
from tests.unit.sync.world import TPM, World

SUE = Person("sue", "Sue", "sue@example.org")


def owed(world: World) -> set[str]:
    """The systems that are owed a look now."""
    return {name for name in ("ngi-cz", "ngi-pl") if world.store.read(lambda tx, n=name: tx.outbox.next_due_at(n))}


@pytest.fixture
def world() -> World:
    return World()


def test_a_ticket_opened_for_a_unit_is_assigned_and_owed_to_its_system(world: World) -> None:
    ticket = world.centre.open({"subject": "s", "unit": "NGI_CZ"}, SUE)
    assert (ticket["status"], ticket["submitter"], ticket["priority"]) == ("assigned", "sue@example.org", "less urgent")
    assert owed(world) == {"ngi-cz"}
    assert [(e.kind, e.actor) for e in world.events()] == [(Kind.TICKET_CREATED, SUE)]


def test_a_ticket_opened_for_nobody_is_new_and_owed_to_nobody(world: World) -> None:
    assert world.centre.open({"subject": "s"}, SUE)["status"] == "new"
    assert owed(world) == set()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "a ticket needs a subject"),
        ({"subject": ""}, "subject must not be empty"),
        ({"subject": "s", "colour": "red"}, "there is no field 'colour'"),
        ({"subject": "s", "priority": "mild"}, "priority must be one of"),
    ],
)
def test_a_ticket_with_something_wrong_is_not_opened(world: World, fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(NotAllowed, match=sentence):
        world.centre.open(fields, SUE)
    assert world.store.read(lambda tx: tx.tickets.count()) == 0


def test_what_stays_internal_is_no_change_for_whoever_may_not_read_it(world: World) -> None:
    ticket = world.centre.open({"subject": "s"}, SUE)

    def seen_after(act: Callable[[], object]) -> bool:
        world.clock.advance(timedelta(seconds=1))
        act()
        now = world.ticket(ticket.id)
        assert now.changed_at == world.clock()
        return now.shown_at is None

    assert not seen_after(lambda: world.centre.comment(ticket.id, "a note", SUE, internal=True))
    (note,) = world.comments(ticket.id)
    assert not seen_after(lambda: world.centre.edit_comment(ticket.id, note.id, "another note", SUE))
    assert seen_after(lambda: world.centre.show_comment(ticket.id, note.id, SUE))
    assert seen_after(lambda: world.centre.hide_comment(ticket.id, note.id, SUE)), "it is gone for them"
    assert not seen_after(lambda: world.centre.delete_comment(ticket.id, note.id, SUE))
    both = [Note("a note", internal=True)]
    assert seen_after(lambda: world.centre.act(ticket.id, {"priority": "urgent"}, both, SUE))


def test_a_status_given_at_opening_does_not_jump_the_workflow(world: World) -> None:
    assert world.centre.open({"subject": "s", "status": "solved"}, SUE)["status"] == "new"


def test_a_new_unit_makes_an_open_ticket_assigned_by_the_system(world: World) -> None:
    world.centre.open({"subject": "s"}, SUE)
    after = world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    assert (after["status"], after.revision) == ("assigned", 2)
    changed = {e.field: e.actor.id for e in world.events() if e.kind is Kind.FIELD_CHANGED}
    assert changed == {"unit": "tpm", "status": "interdesk"}
    assert owed(world) == {"ngi-pl"}


def test_setting_what_is_set_already_changes_nothing(world: World) -> None:
    world.centre.open({"subject": "s"}, SUE)
    assert world.centre.change(1, {"subject": "s"}, TPM).revision == 1
    assert len(world.events()) == 1


def test_the_workflow_says_no_in_a_sentence_and_nothing_is_changed(world: World) -> None:
    world.centre.open({"subject": "s"}, SUE)
    with pytest.raises(NotAllowed, match="set by the system only"):
        world.centre.change(1, {"status": "closed", "subject": "t"}, TPM)
    assert world.ticket()["subject"] == "s"


def test_taking_up_a_solved_ticket_reopens_it(world: World) -> None:
    world.centre.open({"subject": "s"}, SUE)
    world.centre.change(1, {"status": "solved"}, TPM)
    assert world.centre.change(1, {"status": "in progress"}, TPM)["status"] == "reopened"


def test_the_submitters_answer_takes_a_waiting_ticket_up_again(world: World) -> None:
    world.centre.open({"subject": "s"}, SUE)
    world.centre.change(1, {"status": "waiting for reply"}, TPM)
    world.centre.comment(1, "internal note of hers", SUE, internal=True, actor=Actor.SUBMITTER)
    assert world.ticket()["status"] == "waiting for reply"
    world.centre.comment(1, "another supporter", TPM)
    assert world.ticket()["status"] == "waiting for reply"
    world.centre.comment(1, "here is the answer", SUE, actor=Actor.SUBMITTER)
    assert world.ticket()["status"] == "in progress"


def test_a_comment_moves_the_time_of_the_ticket_and_not_its_revision(world: World) -> None:
    before = world.centre.open({"subject": "s", "unit": "NGI_CZ"}, SUE)
    world.mesh.settle()
    world.clock.advance(timedelta(minutes=1))
    comment = world.centre.comment(1, "word", TPM, internal=True, files=[Upload("a.txt", "text/plain", [b"abc"])])
    after = world.ticket()
    assert (after.revision, after.changed_at) == (before.revision, world.clock())
    files = world.store.read(lambda tx: tx.tickets.files(1))
    assert [(f.name, f.size, f.comment_id, f.visibility) for f in files] == [
        ("a.txt", 3, comment.id, Visibility.INTERNAL)
    ]
    assert owed(world) == {"ngi-cz"}


def test_what_is_too_large_is_refused_before_anything_is_kept(world: World) -> None:
    world.centre.open({"subject": "s"}, SUE)
    limits = world.mesh.means.limits
    with pytest.raises(NotAllowed, match="attach the text as a file"):
        world.centre.comment(1, "x" * (limits.comment + 1), SUE)
    with pytest.raises(TooLarge):
        world.centre.comment(1, "see", SUE, files=[Upload("big", "application/x", (b"x" * 2**20 for _ in range(26)))])
    assert world.comments() == ()
