"""Outward, over a whole mesh: creating once, writing fields, leaving, coming back, each interrupted anywhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from central.link import LinkState, Pair
from central.store.api import CommitFailed
from central.store.memory import MemoryStore
from connectors.api import RemoteTicket
from connectors.errors import Refused, Transient, Unknown
from connectors.memory import WELL_BEHAVED, Call
from mappings.document import compile_mapping
from mappings.loader import read
from sync.simulation.laws import broken
from sync.simulation.members import REDMINE_LIKE, RT_LIKE
from sync.simulation.mesh import Mesh
from tests.unit.sync.world import NOTICE, TPM, World, failing, once

LOST = Unknown("the answer was lost")


class Killed(BaseException):
    """kill -9: nothing is caught, nothing is cleaned up."""


class MortalStore(MemoryStore):
    """Dies at the n-th commit from now: before it, or right after it."""

    fuse: int | None = None
    after = False

    def write(self, change, *, durable=True):
        if self.fuse is None:
            return super().write(change, durable=durable)
        self.fuse -= 1
        if self.fuse >= 0:
            return super().write(change, durable=durable)
        self.fuse = None
        if self.after:
            super().write(change, durable=durable)
        raise Killed


# -- fields --------------------------------------------------------------------------------------------------------


def test_a_write_that_is_carried_out_long_after_it_was_given_up_is_written_over_and_no_edit() -> None:
    world = World()
    _, other = world.shared()
    once(world.redmine.connector, "update", failing(LOST), done=False)
    world.centre.change(1, {"subject": "the older"}, TPM)
    world.mesh.work()
    world.centre.change(1, {"subject": "the newer"}, TPM)
    world.mesh.settle(30)
    assert world.issue(world.redmine).fields["subject"] == "the newer"
    world.redmine.tracker.edit("interdesk", other, {"subject": "the older"})
    assert world.end() == []
    assert world.ticket()["subject"] == world.issue(world.redmine).fields["subject"] == "the newer"


def test_what_is_owed_is_told_in_order_comments_then_fields_and_what_closes_last() -> None:
    world = World()
    _, other = world.shared()
    fields = world.redmine.mapping.fields
    assert fields["status"].final
    mapping = replace(world.redmine.mapping, fields={"status": fields["status"], **fields})
    world.mesh = Mesh(world.store, [world.rt, replace(world.redmine, mapping=mapping)], world.clock)
    world.centre.change(1, {"status": "in progress", "subject": "found it", "priority": "urgent"}, TPM)
    world.centre.comment(1, "it was the disk", TPM)
    assert world.end() == []
    told = [deed.field or deed.kind for deed in world.issue(world.redmine, other).deeds if deed.kind != "open"]
    assert told[0] == "comment"
    assert sorted(told[1:-1]) == ["priority", "subject"]
    assert told[-1] == "status"


def test_who_puts_back_what_a_write_without_an_answer_changed_has_made_an_edit_that_is_taken_in() -> None:
    world = World()
    key, _ = world.shared()
    before = world.ticket()["subject"]
    once(world.rt.connector, "update", failing(LOST), done=True)
    world.centre.change(1, {"subject": "ours"}, TPM)
    world.mesh.work()
    assert world.issue(world.rt).fields["subject"] == "ours"
    world.mesh.clock.advance(timedelta(minutes=3))
    world.alice.edit(key, subject=before)
    assert world.end() == []
    assert world.ticket()["subject"] == world.issue(world.redmine).fields["subject"] == before


def test_a_change_within_a_folded_word_writes_nothing_and_a_later_edit_there_is_no_conflict() -> None:
    world = World()
    key, _ = world.shared()
    for status in ("on hold", "waiting for reply"):
        world.centre.change(1, {"status": status}, TPM)
        world.mesh.settle()
    world.alice.edit(key, status="open")
    assert world.end() == []
    assert (world.ticket()["status"], world.conflicts()) == ("in progress", [])


def test_a_crash_before_an_update_is_sent_loses_nothing_though_the_same_value_was_written_earlier() -> None:
    world = World()
    world.shared()
    for status in ("in progress", "on hold"):
        world.centre.change(1, {"status": status}, TPM)
        world.mesh.settle()
    once(world.redmine.connector, "update", failing(Killed()), done=False)
    world.centre.change(1, {"status": "in progress"}, TPM)
    with pytest.raises(Killed):
        world.mesh.work()
    world.mesh.restart()
    assert world.end() == []
    assert world.ticket()["status"] == "in progress"
    assert world.issue(world.redmine).fields["status"] == "In Progress"


def test_a_write_refused_because_of_somebodys_edit_in_between_is_a_conflict_and_not_a_surrender() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"status": "in progress"}, TPM)
    world.mesh.settle()
    once(world.redmine.connector, "update", lambda _: world.bob.edit(other, status="Rejected"), done=False)
    world.centre.change(1, {"status": "solved"}, TPM)
    assert world.end() == []
    assert world.ticket()["status"] == "solved"
    assert [(c.ours, c.theirs) for c in world.conflicts()] == [("solved", "Rejected")]
    assert "refused" in world.link("ngi-pl").disagreements["status"]


def test_an_edit_that_our_write_overwrote_is_kept_though_the_answer_was_lost() -> None:
    world = World()
    _, other = world.shared()

    def meddle(call: Call) -> None:
        if call.operation == "update" and not call.done:
            world.bob.edit(other, subject="bob, in the middle")
        elif call.operation == "update":
            world.redmine.connector.intruder = None
            raise LOST

    world.redmine.connector.intruder = meddle
    world.centre.change(1, {"subject": "from the centre"}, TPM)
    assert world.end() == []
    assert [c.theirs for c in world.conflicts()] == ["bob, in the middle"]


def test_an_edit_to_the_value_of_an_old_lost_write_is_an_edit() -> None:
    world = World()
    _, other = world.shared()
    once(world.redmine.connector, "update", failing(LOST), done=False)
    world.centre.change(1, {"subject": "A"}, TPM)
    world.mesh.work()
    world.centre.change(1, {"subject": "B"}, TPM)
    world.mesh.settle(30)
    world.clock.advance(timedelta(hours=1))
    world.bob.edit(other, subject="A")
    assert world.end() == []
    assert world.ticket()["subject"] == "A"


def test_an_edit_back_to_what_we_had_written_is_an_edit_though_our_answer_was_lost() -> None:
    world = World()
    _, other = world.shared()
    once(world.redmine.connector, "update", failing(LOST), done=True)
    world.centre.change(1, {"subject": "B"}, TPM)
    world.mesh.work()
    world.bob.edit(other, subject="C")
    world.mesh.round(timedelta(seconds=3))
    world.bob.edit(other, subject="B")
    world.mesh.round(timedelta(seconds=3))
    assert world.end() == []
    assert (world.ticket()["subject"], world.conflicts()) == ("B", [])


def test_our_own_echo_wins_nothing_over_the_centre_however_long_the_outage_was() -> None:
    world = World(rt=WELL_BEHAVED, rt_policy="remote")
    world.alice.open(subject="q")
    world.mesh.settle()
    once(world.rt.connector, "update", failing(LOST), done=True)
    world.centre.change(1, {"subject": "A"}, TPM)
    world.mesh.work()
    world.rt.connector.intruder = failing(Transient("down"))
    for _ in range(3):
        world.mesh.round()
    world.centre.change(1, {"subject": "B"}, TPM)
    world.rt.connector.intruder = None
    assert world.end() == []
    assert (world.ticket()["subject"], world.issue(world.rt).fields["subject"]) == ("B", "B")
    assert world.conflicts() == []


def test_a_side_effect_of_our_comment_is_nobodys_edit_where_answers_are_complete_too() -> None:
    world = World(rt=WELL_BEHAVED)
    world.alice.open(subject="q")
    world.mesh.settle()
    world.centre.comment(1, "we have it", TPM)
    assert world.end() == []
    assert world.ticket()["status"] == "new"


def test_a_change_within_a_folded_word_agrees_with_nothing_that_was_not_read_though_another_field_is_written() -> None:
    world = World(rt=WELL_BEHAVED, rt_policy="remote")
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    world.centre.change(1, {"status": "on hold"}, TPM)
    world.mesh.settle()
    world.alice.edit(key, status="open")
    world.centre.change(1, {"status": "waiting for reply", "subject": "ours"}, TPM)
    world.mesh.work()
    assert [(each.ours, each.theirs) for each in world.conflicts()] == [("waiting for reply", "open")]
    assert world.end() == []


def waiting_at_both() -> tuple[World, Callable[[Call], None]]:
    """A ticket on hold, and the moment at which both sides move it: here to what their word means, too."""
    world = World(redmine_policy="remote")
    _, other = world.shared()
    for status in ("in progress", "on hold"):
        world.centre.change(1, {"status": status}, TPM)
        world.mesh.settle()
    assert world.issue(world.redmine).fields["status"] == "Feedback"

    def both(_: Call) -> None:
        world.bob.edit(other, status="In Progress")
        world.centre.change(1, {"status": "waiting for reply"}, TPM)

    return world, both


def test_what_is_set_here_after_they_were_read_for_a_write_is_not_agreed_on_with_that_reading() -> None:
    world, both = waiting_at_both()
    world.bob.edit("1", priority="high")  # taking it in finds that the ticket has moved here
    once(world.redmine.connector, "fetch", both, done=True)
    world.centre.change(1, {"subject": "ours"}, TPM)
    world.mesh.work()
    assert world.end() == []
    assert world.ticket()["status"] == "in progress"
    assert [(each.ours, each.theirs) for each in world.conflicts()] == [("waiting for reply", "In Progress")]


def test_what_is_set_here_after_they_were_read_for_a_comment_is_not_agreed_on_with_that_reading() -> None:
    world, both = waiting_at_both()
    once(world.redmine.connector, "comment", failing(LOST), done=True)
    world.centre.comment(1, "word", TPM)
    world.mesh.work()
    world.clock.advance(timedelta(minutes=10))
    once(world.redmine.connector, "fetch", both, done=True)
    world.mesh.work()
    assert world.end() == []
    assert world.ticket()["status"] == "in progress"
    assert [(each.ours, each.theirs) for each in world.conflicts()] == [("waiting for reply", "In Progress")]


def test_one_more_reading_tells_whether_what_was_set_here_meanwhile_agrees() -> None:
    world, _ = waiting_at_both()
    world.bob.edit("1", priority="high")
    once(
        world.redmine.connector,
        "fetch",
        lambda _: world.centre.change(1, {"status": "waiting for reply"}, TPM),
        done=True,
    )
    world.centre.change(1, {"subject": "ours"}, TPM)
    before = world.redmine.connector.calls["fetch"]
    world.mesh.work()
    assert world.link("ngi-pl").base["status"] == Pair("waiting for reply", "Feedback")
    assert world.redmine.connector.calls["fetch"] - before == 2 + 1  # and what our write has left there
    assert world.end() == []


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_comment_that_reopens_waits_until_it_is_known_what_a_write_without_an_answer_has_left_there(
    carried_out: bool,
) -> None:
    world = World()
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    once(world.rt.connector, "update", failing(LOST), done=carried_out)
    world.centre.change(1, {"status": "solved"}, TPM)
    world.mesh.work()
    world.centre.comment(1, "is it well now?", TPM)
    assert world.end() == []
    assert (world.ticket()["status"], world.issue(world.rt, key).fields["status"]) == ("solved", "resolved")
    assert len(world.said(world.rt, "is it well now?")) == 1


REOPENED_HAS_A_WORD = """
kind: mapping
name: redmine-like
connector: memory
fields:
  subject: {remote: subject}
  status:
    remote: status
    table:
      {new: New, assigned: New, in progress: In Progress, waiting for reply: New, on hold: New, reopened: Feedback,
       solved: Resolved, unsolved: Rejected, verified: Closed, closed: Closed}
    back: {New: new, Closed: closed}
"""


def test_what_central_made_of_an_edit_is_told_them_though_the_look_that_took_it_in_wrote_something_else() -> None:
    world = World(redmine=WELL_BEHAVED)
    mapping = compile_mapping(read(REOPENED_HAS_A_WORD, "redmine.yaml")[0], revision=1)
    world.redmine = replace(world.redmine, mapping=mapping)
    world.mesh = Mesh(world.store, [world.rt, world.redmine], world.clock)
    world.centre = world.mesh.centre
    key = world.bob.open(subject="q", status="Resolved")
    world.mesh.settle()
    world.bob.edit(key, status="In Progress")
    world.centre.change(1, {"subject": "ours"}, TPM)
    world.mesh.work()  # about to write, it sees that a solved ticket was taken up again
    assert world.ticket()["status"] == "reopened"
    assert world.end() == []
    assert world.issue(world.redmine, key).fields["status"] == "Feedback"


def test_an_edit_that_the_workflow_forbids_is_kept_and_ours_is_written_back_to_them() -> None:
    world = World(redmine=WELL_BEHAVED)
    _, other = world.shared()
    world.bob.edit(other, status="In Progress")
    world.mesh.settle()
    world.bob.edit(other, status="New")
    assert world.end() == []
    assert world.ticket()["status"] == "in progress"
    assert world.issue(world.redmine).fields["status"] == "In Progress"
    assert [(c.theirs, "system only" in c.reason) for c in world.conflicts()] == [("New", True)]


@pytest.mark.parametrize("fuse", [1, 2])
def test_a_database_that_could_not_commit_is_tried_again_and_leaves_no_dead_letter(fuse: int) -> None:
    class FullDisk(MemoryStore):
        fuse: int | None = None

        def write(self, change, *, durable=True):
            if self.fuse is not None:
                self.fuse -= 1
                if self.fuse < 0:
                    self.fuse = None
                    raise CommitFailed("no space left on device")
            return super().write(change, durable=durable)

    store = FullDisk()
    world = World(store=store)
    world.shared()
    world.centre.change(1, {"subject": "B"}, TPM)
    store.fuse = fuse
    world.mesh.work()
    assert store.fuse is None
    assert world.end() == []
    assert world.issue(world.rt).fields["subject"] == "B"


# -- creating ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["NGI_CZ", "NGI_PL"])
def test_an_edit_made_after_a_create_whose_answer_was_lost_is_taken_in(unit: str) -> None:
    world = World()
    member = world.rt if unit == "NGI_CZ" else world.redmine

    def meddle(_: Call) -> None:
        member.tracker.person("bob").edit("1", subject="a better subject")
        raise LOST

    once(member.connector, "create", meddle, done=True)
    world.centre.open({"subject": "first", "unit": unit}, TPM)
    assert world.end() == []
    assert len(member.tracker.issues) == 1
    assert world.ticket()["subject"] == "a better subject"


@pytest.mark.parametrize("unit", ["NGI_CZ", "NGI_PL"])
def test_an_edit_made_between_a_create_and_its_read_back_is_taken_in(unit: str) -> None:
    world = World()
    member = world.rt if unit == "NGI_CZ" else world.redmine
    person = member.tracker.person("bob")
    once(member.connector, "fetch", lambda _: person.edit("1", subject="a better subject"), done=False)
    world.centre.open({"subject": "first", "unit": unit}, TPM)
    assert world.end() == []
    assert world.ticket()["subject"] == "a better subject"


def test_a_ticket_that_moved_on_while_its_create_was_unknown_is_not_created_where_it_does_not_belong() -> None:
    world = World()
    world.alice.open(subject="x")
    world.mesh.round()
    world.redmine.connector.intruder = lambda call: _raise(LOST) if call.operation == "create" else None
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.redmine.connector.intruder = None
    world.centre.change(1, {"unit": "TPM"}, TPM)
    assert world.end() == []
    assert world.redmine.tracker.issues == {}


def test_a_create_that_got_through_while_the_unit_moved_on_is_bound_and_left_with_one_notice() -> None:
    world = World()
    world.alice.open(subject="x")
    world.mesh.round()
    once(world.redmine.connector, "create", failing(LOST), done=True)
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    assert world.end() == []
    assert world.link("ngi-pl").state is LinkState.DETACHED
    assert len(world.said(world.redmine, NOTICE)) == 1


@pytest.mark.parametrize("unit", ["NGI_CZ", "NGI_PL"])
@pytest.mark.parametrize("answered", [True, False])
def test_a_ticket_of_ours_that_is_deleted_before_we_could_read_it_is_lost_and_not_made_anew(
    unit: str, *, answered: bool
) -> None:
    world = World()
    member = world.rt if unit == "NGI_CZ" else world.redmine
    person = member.tracker.person("bob")

    def meddle(_: Call) -> None:
        person.delete("1")
        if not answered:
            raise Transient("503")

    once(member.connector, "fetch", meddle, done=False)
    world.centre.open({"subject": "first", "unit": unit}, TPM)
    assert world.end() == []
    assert len(member.tracker.issues) == 1
    assert (world.link(member.name).state, world.link(member.name).key) == (LinkState.LOST, "1")
    person.bring_back("1")
    person.edit("1", subject="back again")
    assert world.end() == []
    assert len(member.tracker.issues) == 1
    assert world.link(member.name).state is LinkState.ACTIVE
    assert world.ticket()["subject"] == "back again"


def test_a_ticket_of_ours_that_is_deleted_before_its_complete_answer_came_is_lost_and_not_made_anew() -> None:
    world = World(rt=WELL_BEHAVED)
    once(world.rt.connector, "create", lambda _: world.alice.delete("1"), done=True)
    world.centre.open({"subject": "first", "unit": "NGI_CZ"}, TPM)
    assert world.end() == []
    assert len(world.rt.tracker.issues) == 1
    assert (world.link("ngi-cz").state, world.link("ngi-cz").key) == (LinkState.LOST, "1")


def test_a_create_that_could_not_be_read_back_is_read_under_its_key_and_its_history_tells_the_edits() -> None:
    world = World(redmine=replace(REDMINE_LIKE, search_lag=timedelta(minutes=10)))
    once(world.redmine.connector, "fetch", failing(Transient("503")), done=False)
    world.centre.open({"subject": "first", "status": "in progress", "unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.bob.edit("1", subject="a better subject")
    world.mesh.work()
    assert world.link("ngi-pl").state is LinkState.PENDING
    world.store.write(lambda tx: world.mesh.means.relay.owe_inward(tx, "ngi-pl", "1", world.clock(), reason="a hook"))
    world.mesh.round()
    assert world.link("ngi-pl").state is LinkState.ACTIVE
    assert world.mesh.members["ngi-pl"].connector.calls["find"] == 0
    assert world.end() == []
    assert world.ticket()["subject"] == "a better subject"
    assert len(world.redmine.tracker.issues) == 1


def test_a_ticket_of_ours_that_is_merged_before_we_could_read_it_goes_on_as_the_one_that_remains() -> None:
    world = World()
    other = world.bob.open(subject="known there")
    once(world.redmine.connector, "fetch", lambda _: world.bob.merge("2", other), done=False)
    world.centre.open({"subject": "first", "unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.mesh.settle(30)
    assert len(world.redmine.tracker.issues) == 2
    assert [k.key for k in world.store.read(lambda tx: tx.links.of(1))] == [other]


def test_a_create_that_appears_twice_is_linked_once_and_the_late_twin_is_shown_and_left_alone() -> None:
    world = World()
    once(world.redmine.connector, "create", failing(LOST), done=False)
    world.centre.open({"subject": "first", "unit": "NGI_PL"}, TPM)
    world.mesh.settle(30)
    token = world.issue(world.redmine).fields["external_id"]
    late, _ = world.redmine.tracker.open("interdesk", {"subject": "first", "external_id": token})
    world.mesh.settle()
    world.bob.edit(late, subject="nobody hears this")
    world.centre.change(1, {"subject": "second"}, TPM)
    world.mesh.settle()
    assert world.issue(world.redmine, late).fields["subject"] == "nobody hears this"
    assert world.ticket()["subject"] == "second"
    states = {k.key: k.state for k in world.store.read(lambda tx: tx.links.of(1))}
    assert states == {"1": LinkState.ACTIVE, late: LinkState.DUPLICATE}
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_a_hint_for_a_late_twin_is_not_followed() -> None:
    world = World()
    world.centre.open({"subject": "first", "unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    token = world.issue(world.redmine).fields["external_id"]
    late, _ = world.redmine.tracker.open("interdesk", {"subject": "first", "external_id": token})
    world.mesh.settle()
    world.bob.edit(late, subject="nobody hears this")
    world.bob.comment(late, "nor this")
    fetches = world.redmine.connector.calls["fetch"]
    world.store.write(
        lambda tx: world.mesh.means.relay.owe_inward(tx, "ngi-pl", late, world.clock(), reason="a webhook")
    )
    world.mesh.work()
    assert world.redmine.connector.calls["fetch"] == fetches
    assert (world.ticket()["subject"], world.comments()) == ("first", ())


def test_a_create_that_arrives_after_the_ticket_has_moved_on_is_shown_and_left_alone_and_not_asked_for_again() -> None:
    world = World()
    tokens: list[str] = []
    create = world.redmine.connector.create

    def unsent(fields: object, *, token: str) -> RemoteTicket:  # it never arrives
        tokens.append(token)
        raise LOST

    world.redmine.connector.create = unsent
    world.centre.open({"subject": "first", "unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.redmine.connector.create = create
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle(30)
    late, _ = world.redmine.tracker.open("interdesk", {"subject": "first", "external_id": tokens[0]})
    world.mesh.settle()
    asked = world.redmine.connector.calls["fetch"]
    world.bob.edit(late, subject="nobody hears this")
    world.mesh.settle()
    assert world.redmine.connector.calls["fetch"] == asked
    links = {k.key: k.state for k in world.store.read(lambda tx: tx.links.of(1))}
    assert links == {None: LinkState.PENDING, late: LinkState.DUPLICATE}
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_a_create_refused_for_good_is_a_dead_letter_with_the_trackers_words() -> None:
    world = World()
    world.redmine.connector.intruder = lambda call: (
        _raise(Refused("Category cannot be blank")) if call.operation == "create" else None
    )
    world.centre.open({"subject": "first", "unit": "NGI_PL"}, TPM)
    world.mesh.work()
    assert ["Category cannot be blank" in d.error for d in world.dead()] == [True]
    world.redmine.connector.intruder = None
    world.centre.change(1, {"subject": "first again"}, TPM)
    assert world.end() == []
    assert len(world.redmine.tracker.issues) == 1


# -- leaving and coming back ---------------------------------------------------------------------------------------


def test_an_edit_that_a_write_without_an_answer_has_replaced_is_kept_though_the_ticket_leaves_meanwhile() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"subject": "ours"}, TPM)

    def lost(call: Call) -> None:
        if call.operation == "update" and not call.done:
            world.bob.edit(other, subject="bob's")
        elif call.operation == "update":
            world.redmine.connector.intruder = None
            raise LOST

    world.redmine.connector.intruder = lost
    world.mesh.work()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    assert world.end() == []
    assert [(each.field, each.theirs) for each in world.conflicts()] == [("subject", "bob's")]
    assert world.link("ngi-pl").state is LinkState.DETACHED


def test_the_gaps_comments_arrive_after_a_resume_whose_first_reading_failed() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.bob.comment(other, "said in the gap")
    world.centre.comment(1, "heard in the gap", TPM)
    for _ in range(10):
        world.mesh.round()
    world.bob.open(subject="another ticket, so that the poll moves on")
    world.mesh.settle()
    once(world.redmine.connector, "fetch", failing(Transient("connection refused")), done=False)
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    assert world.end() == []
    assert [c.text for c in world.comments()] == ["heard in the gap", "said in the gap"]
    assert len(world.said(world.redmine, "heard in the gap", other)) == 1


def test_an_internal_comment_of_the_gap_stays_in_the_gap() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.canaries += ["CANARY-1", "CANARY-2"]
    world.bob.comment(other, "CANARY-1", internal=True)
    world.centre.comment(1, "CANARY-2", TPM, internal=True)
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    assert world.end() == []
    assert [c.text for c in world.comments()] == ["CANARY-2"]


def test_a_ticket_that_is_gone_when_it_should_resume_is_a_lost_link_and_no_dead_letter() -> None:
    world = World()
    _, other = world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.bob.delete(other)
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    assert world.end() == []
    assert world.link("ngi-pl").state is LinkState.LOST


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("fuse", range(6))
def test_a_last_notice_is_said_once_wherever_interdesk_is_killed(fuse: int, after: bool) -> None:
    store = MortalStore()
    world = World(store=store)
    _, other = world.shared()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    store.fuse, store.after = fuse, after
    try:
        world.mesh.work()
    except Killed:
        world.mesh.restart()
    store.fuse = None
    assert world.end() == []
    assert world.link("ngi-pl").state is LinkState.DETACHED
    assert len(world.said(world.redmine, NOTICE, other)) == 1


# -- killed between any two commits --------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("fuse", range(0, 16, 3))
def test_whatever_is_under_way_when_interdesk_is_killed_is_done_once(fuse: int, after: bool, power: bool) -> None:
    store = MortalStore()
    world = World(store=store)
    key, other = world.shared()
    world.alice.comment(key, "word from alice", files={"log.txt": b"boom"})
    world.bob.edit(other, status="In Progress", subject="bob's subject")
    world.centre.comment(1, "word from the centre", TPM)
    world.centre.change(1, {"priority": "urgent"}, TPM)
    world.centre.open({"subject": "another", "unit": "NGI_PL"}, TPM)
    store.fuse, store.after = fuse, after
    try:
        world.mesh.round()
    except Killed:
        if power:
            store.lose_power()
        world.mesh.restart()
    store.fuse = None
    assert world.end() == []
    assert len(world.said(world.redmine, "word from alice", other)) == 1
    assert [len(world.said(m, "word from the centre", k)) for m, k in ((world.rt, key), (world.redmine, other))] == [
        1,
        1,
    ]
    assert (world.ticket()["subject"], world.ticket()["priority"]) == ("bob's subject", "urgent")
    assert len(world.redmine.tracker.issues) == 2


@pytest.mark.parametrize("done", [False, True], ids=["before the work", "after the work"])
@pytest.mark.parametrize("operation", ["create", "comment", "update"])
@pytest.mark.parametrize("power", [False, True], ids=["killed", "power cut"])
@pytest.mark.parametrize("well_behaved", [False, True], ids=["as in the wild", "well behaved"])
def test_a_kill_around_any_write_makes_no_twin_and_loses_nothing(
    operation: str, done: bool, well_behaved: bool, power: bool
) -> None:
    store = MemoryStore()
    world = World(redmine=WELL_BEHAVED, store=store) if well_behaved else World(store=store)
    once(world.redmine.connector, operation, failing(Killed()), done=done)
    ticket = world.centre.open({"subject": "from here", "unit": "NGI_PL"}, TPM)
    killed = 0
    for act in (
        lambda: world.centre.comment(ticket.id, "a first word", TPM),
        lambda: world.centre.change(ticket.id, {"subject": "from here, corrected"}, TPM),
    ):
        act()
        try:
            world.mesh.work()
        except Killed:
            killed += 1
            if power:
                store.lose_power()
            world.mesh.restart()
    assert killed == 1
    assert world.end() == []
    assert len(world.redmine.tracker.issues) == 1
    assert len(world.said(world.redmine, "a first word")) == 1
    assert world.issue(world.redmine).fields["subject"] == "from here, corrected"


# -- what is not ours ----------------------------------------------------------------------------------------------


def test_nothing_that_people_made_there_is_changed_or_removed_whatever_becomes_of_the_ticket() -> None:
    world = World()
    _, other = world.shared()
    world.bob.comment(other, "by hand", files={"by-hand.txt": b"kept"})
    world.bob.attach(other, "on-the-ticket.txt", b"kept too")
    world.bob.edit(other, external_id="rewritten by hand")
    stranger = world.bob.open(subject="nobody's business", description="of another project")
    before = world.issue(world.redmine, stranger).version
    for unit in ("TPM", "NGI_PL", "NGI_CZ", "NGI_PL"):
        world.centre.change(1, {"unit": unit}, TPM)
        world.mesh.settle()
    world.centre.change(1, {"status": "solved"}, TPM)
    assert world.end() == []
    issue = world.issue(world.redmine, other)
    assert [[f.content for f in n.files] for n in issue.notes if n.author == "bob"] == [[b"kept"]]
    assert [(f.name, f.content) for f in issue.files] == [("on-the-ticket.txt", b"kept too")]
    assert issue.fields["external_id"] == "rewritten by hand"
    assert world.issue(world.redmine, stranger).version == before


def test_what_was_said_for_a_system_is_not_sent_after_the_ticket_has_left_it() -> None:
    world = World()
    _, other = world.shared()
    world.redmine.connector.intruder = failing(Transient("down"))
    world.centre.comment(1, "for whoever holds the ticket", TPM)
    world.mesh.work()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.redmine.connector.intruder = None
    assert world.end() == []
    assert world.said(world.redmine, "for whoever holds the ticket", other) == []


# -- how much is asked ---------------------------------------------------------------------------------------------


def spent(world: World, member: str, act) -> dict[str, int]:
    connector = world.mesh.members[member].connector
    before = dict(connector.calls)
    act()
    return {name: count - before.get(name, 0) for name, count in connector.calls.items() if count > before.get(name, 0)}


def test_one_field_is_written_in_three_requests_where_nothing_can_be_saved() -> None:
    world = World()
    world.shared()

    def change() -> None:
        world.centre.change(1, {"subject": "B"}, TPM)
        world.mesh.work()

    assert spent(world, "ngi-cz", change) == {"fetch": 2, "update": 1}
    world.centre.change(1, {"subject": "C"}, TPM)
    assert spent(world, "ngi-pl", world.mesh.work) == {"fetch": 2, "update": 1}


def test_a_comment_and_a_field_together_take_four_requests() -> None:
    world = World()
    world.shared()

    def change() -> None:
        world.centre.comment(1, "word", TPM)
        world.centre.change(1, {"subject": "B"}, TPM)
        world.mesh.work()

    assert sum(spent(world, "ngi-pl", change).values()) <= 4


def test_a_well_behaved_tracker_is_asked_once_per_page_of_changes_and_written_to_once_per_change() -> None:
    world = World(rt=WELL_BEHAVED)
    keys = [world.alice.open(subject=f"ticket {number}") for number in range(100)]
    world.mesh.settle()
    for key in keys:
        world.alice.edit(key, priority="high")

    def round_and_work() -> None:
        world.mesh.round()

    assert spent(world, "ngi-cz", round_and_work) == {"changes": 1}
    for number in range(1, 101):
        world.centre.change(number, {"subject": f"changed {number}"}, TPM)
    assert spent(world, "ngi-cz", world.mesh.work) == {"update": 100}
    assert broken(world.mesh) == []


def test_a_change_that_says_nothing_new_there_is_compared_once_and_writes_nothing() -> None:
    world = World()
    world.shared()
    world.centre.change(1, {"status": "on hold"}, TPM)
    world.mesh.settle()

    def change() -> None:
        world.centre.change(1, {"status": "waiting for reply"}, TPM)
        world.mesh.work()

    assert spent(world, "ngi-cz", change) == {"fetch": 1}
    assert spent(world, "ngi-cz", world.mesh.round) == {"changes": 1}


def test_a_look_that_finds_nothing_to_say_asks_for_nothing() -> None:
    world = World()
    world.shared()
    relay, now = world.mesh.means.relay, world.clock()
    world.store.write(lambda tx: relay.owe_outward(tx, ("ngi-pl",), 1, now, reason="somebody wondered"))
    assert spent(world, "ngi-pl", world.mesh.work) == {}


def _raise(error: Exception) -> None:
    raise error


def test_a_file_that_our_own_write_was_the_first_to_see_is_still_taken_in() -> None:
    world = World(rt=WELL_BEHAVED)
    key = world.alice.open(subject="q")
    world.mesh.settle()
    world.centre.change(1, {"subject": "from the centre"}, TPM)
    world.alice.attach(key, "log.txt", b"bytes")
    world.mesh.work()
    assert world.issue(world.rt, key).fields["subject"] == "from the centre"
    assert world.end() == []
    assert [file.name for file in world.store.read(lambda tx: tx.tickets.files(1))] == ["log.txt"]


def test_an_edit_that_our_comment_hid_is_taken_in_and_put_back_though_nothing_else_is_to_be_written() -> None:
    world = World()
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    world.alice.edit(key, status="resolved")
    world.clock.advance(timedelta(seconds=1))
    world.centre.comment(1, "what about it?", TPM)
    world.mesh.work()
    assert world.issue(world.rt, key).fields["status"] == "resolved"
    assert world.ticket()["status"] == "solved"
    assert world.end() == []


def test_who_sets_again_what_our_comment_has_undone_has_said_something() -> None:
    world = World()
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    world.alice.edit(key, status="resolved")
    world.centre.change(1, {"subject": "w"}, TPM)
    world.mesh.work()  # a write that happens to see it, and reads no history
    world.clock.advance(timedelta(seconds=1))
    world.centre.change(1, {"status": "reopened"}, TPM)
    world.centre.comment(1, "what about it?", TPM)  # reopens it there
    once(world.rt.connector, "update", lambda _: world.alice.edit(key, status="resolved"), done=False)
    world.mesh.work()
    assert [(each.ours, each.theirs) for each in world.conflicts()] == [("reopened", "resolved")]
    assert world.end() == []


def test_what_our_comment_has_undone_unread_is_known_after_a_write_that_read_no_history() -> None:
    world = World(rt=replace(RT_LIKE, complete_answers=True))  # the answer to a comment shows nothing but the comment
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    once(world.rt.connector, "comment", lambda _: world.alice.edit(key, status="resolved"), done=False)
    world.centre.change(1, {"subject": "w"}, TPM)
    world.centre.comment(1, "what about it?", TPM)  # reopens it there, a moment after it was resolved
    world.mesh.work()
    assert world.issue(world.rt, key).fields["subject"] == "w"
    assert world.end() == []
    assert world.ticket()["status"] == "solved"


@pytest.mark.parametrize("answered", [True, False])
def test_who_sets_again_what_the_last_notice_has_undone_has_said_something(answered: bool) -> None:
    world = World()
    world.centre.open({"subject": "q", "unit": "NGI_CZ"}, TPM)
    world.mesh.settle()
    world.alice.edit(world.link("ngi-cz").key or "", status="resolved")
    world.mesh.settle()
    if not answered:
        once(world.rt.connector, "comment", failing(LOST), done=True)
    world.centre.change(1, {"unit": "TPM"}, TPM)  # the notice reopens it there
    world.mesh.settle()
    assert world.issue(world.rt).fields["status"] == "open"
    world.alice.edit(world.link("ngi-cz").key or "", status="resolved")
    world.centre.change(1, {"status": "reopened"}, TPM)
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    assert world.end() == []
    assert [(each.ours, each.theirs) for each in world.conflicts()] == [("assigned", "resolved")]


def test_what_a_last_notice_hid_is_found_when_the_ticket_comes_back_though_it_was_given_away_twice_meanwhile() -> None:
    world = World()
    world.centre.open({"subject": "q", "unit": "NGI_CZ"}, TPM)
    world.mesh.settle()
    world.alice.edit(world.link("ngi-cz").key or "", status="resolved")
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.work()  # the notice reopens it there, before anybody has read that it was resolved
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    world.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    world.clock.advance(timedelta(minutes=5))
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    assert world.end() == []
    assert world.ticket()["status"] == "solved"


@pytest.mark.parametrize("telling", [True, False], ids=["history", "no history"])
def test_what_people_do_long_after_the_last_notice_is_their_doing_though_it_would_have_done_the_same(
    telling: bool,
) -> None:
    world = World(rt=replace(RT_LIKE, history=telling))
    world.centre.open({"subject": "q", "unit": "NGI_CZ"}, TPM)
    world.mesh.settle()
    key = world.link("ngi-cz").key or ""
    world.alice.edit(key, status="resolved")
    world.mesh.settle()
    once(world.rt.connector, "comment", lambda _: world.alice.edit(key, status="stalled"), done=False)
    world.centre.change(1, {"unit": "TPM"}, TPM)  # the notice finds nothing to reopen
    world.mesh.work()
    world.clock.advance(timedelta(minutes=3))
    world.alice.edit(key, status="open")
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    assert world.end() == []
    assert (world.ticket()["status"], world.issue(world.rt).fields["status"]) == ("reopened", "open")


def test_what_people_had_done_before_the_last_notice_is_their_doing_though_the_notice_would_have_done_it_too() -> None:
    world = World()
    world.centre.open({"subject": "q", "unit": "NGI_CZ"}, TPM)
    world.mesh.settle()
    key = world.link("ngi-cz").key or ""
    world.alice.edit(key, status="resolved")
    world.mesh.settle()
    world.alice.edit(key, status="open")
    world.clock.advance(timedelta(seconds=2))
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.work()
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    assert world.end() == []
    assert (world.ticket()["status"], world.issue(world.rt).fields["status"]) == ("reopened", "open")
