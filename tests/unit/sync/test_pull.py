"""Inward, over a whole mesh: what is taken in, what is recognised as our own, and what only looks like news."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from central.events import Kind
from central.link import LinkState
from central.model import Visibility
from connectors.api import Capabilities
from connectors.errors import NotFound, Unknown
from connectors.memory import WELL_BEHAVED, Call, MemoryConnector
from sync.simulation.laws import broken
from sync.simulation.members import REDMINE_LIKE, RT_LIKE
from sync.simulation.mesh import Member, Mesh
from tests.unit.sync.world import TPM, World, failing, once


def look(world: World, member: str, key: str) -> None:
    """A hint from outside, as a webhook gives it."""
    mesh: Mesh = world.mesh
    world.store.write(lambda tx: mesh.means.relay.owe_inward(tx, member, key, world.clock(), reason="a webhook"))


def test_of_an_internal_comment_nothing_becomes_known_but_that_it_is_there() -> None:
    world = World()
    key = world.alice.open(subject="q")
    world.alice.comment(key, "CANARY", internal=True, files={"CANARY.txt": b"CANARY"})
    world.canaries.append("CANARY")
    assert world.end() == []
    assert world.comments() == ()
    assert world.store.read(lambda tx: tx.tickets.files(1)) == ()
    assert not any("CANARY" in str(event) for event in world.events())


def test_an_internal_comment_that_is_made_public_there_is_taken_in_then() -> None:
    world = World()
    key = world.alice.open(subject="q")
    world.alice.comment(key, "at first only for us", internal=True)
    world.mesh.settle()
    world.issue(world.rt, key).notes[0].internal = False
    world.alice.edit(key, priority="high")
    assert world.end() == []
    assert [(c.text, c.visibility) for c in world.comments()] == [("at first only for us", Visibility.PUBLIC)]


def test_hints_doubled_reordered_and_for_unknown_keys_change_nothing_in_the_end() -> None:
    world = World()
    key, other = world.shared()
    world.alice.edit(key, subject="one")
    world.alice.comment(key, "word")
    for member, hinted in (("ngi-cz", key), ("ngi-pl", other), ("ngi-cz", key), ("ngi-cz", "404"), ("ngi-cz", key)):
        look(world, member, hinted)
        world.mesh.work()
        look(world, member, hinted)
    assert world.end() == []
    assert world.ticket()["subject"] == "one"
    assert len(world.comments()) == 1
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_whatever_order_the_hints_come_in_the_end_is_the_same() -> None:
    ends = set()
    for order in permutations(range(4)):
        world = World()
        key, other = world.shared()
        world.alice.edit(key, subject="from alice", priority="high")
        world.bob.edit(other, status="In Progress")
        world.bob.comment(other, "from bob")
        world.centre.change(1, {"description": "from the centre"}, TPM)
        hints = [("ngi-cz", key), ("ngi-pl", other), ("ngi-pl", other), ("ngi-cz", key)]
        for number in order:
            look(world, *hints[number])
            world.mesh.work()
        assert world.end() == []
        ticket = world.ticket()
        fields = ("subject", "description", "status", "priority")
        ends.add((*(ticket[f] for f in fields), *(world.issue(world.rt, key).fields.get(f) for f in fields)))
    assert len(ends) == 1


def test_a_row_that_is_older_than_our_write_is_not_believed() -> None:
    world = World(rt=WELL_BEHAVED)
    key = world.alice.open(subject="q")
    world.mesh.settle()
    world.centre.change(1, {"subject": "from the centre"}, TPM)
    world.clock.advance(timedelta(seconds=10))
    world.alice.edit(key, priority="high")
    world.mesh.poll()
    world.mesh.work()
    assert (world.ticket()["subject"], world.ticket()["priority"]) == ("from the centre", "very urgent")
    assert world.end() == []
    taken = [e for e in world.events() if e.kind is Kind.FIELD_CHANGED and e.field == "subject" and e.system]
    assert taken == []


def test_a_row_that_is_older_than_what_was_read_since_is_not_believed() -> None:
    world = World(rt=WELL_BEHAVED)
    key = world.alice.open(subject="first")
    world.mesh.settle()

    def meanwhile(_: Call) -> None:
        world.clock.advance(timedelta(seconds=2))
        world.alice.edit(key, subject="second")
        world.mesh.poll(["ngi-cz"])
        world.mesh.work()

    once(world.rt.connector, "changes", meanwhile, done=True)
    world.alice.edit(key, priority="high")
    world.mesh.poll(["ngi-cz"])
    world.mesh.work()
    assert world.end() == []
    taken = [e.data["to"] for e in world.events() if e.kind is Kind.FIELD_CHANGED and e.field == "subject"]
    assert taken == ["second"]


def test_text_that_comes_back_in_another_form_causes_no_write() -> None:
    world = World()
    key, other = world.shared()
    world.alice.comment(key, "one\ntwo")
    world.mesh.settle()
    logs = [len(member.tracker.log) for member in (world.rt, world.redmine)]
    for member in (world.rt, world.redmine):
        issue = world.issue(member)
        issue.fields["description"] = str(issue.fields["description"]).replace("\n", "  \r\n") + "  \r\n\r\n"
        for note in issue.notes:
            note.text = note.text.replace("\n", "\r\n") + "\r\n"
    for member, hinted in (("ngi-cz", key), ("ngi-pl", other)):
        look(world, member, hinted)
    world.mesh.scan()
    assert world.end() == []
    assert logs == [len(member.tracker.log) for member in (world.rt, world.redmine)]
    assert len(world.comments()) == 1


@pytest.mark.parametrize("well_behaved", [False, True])
def test_an_edit_within_the_second_of_the_one_that_was_read_is_noticed(well_behaved: bool) -> None:
    world = World(rt=WELL_BEHAVED) if well_behaved else World()
    key = world.alice.open(subject="q")
    world.mesh.settle()
    world.alice.edit(key, subject="first")
    world.mesh.poll()
    world.mesh.work()
    world.alice.edit(key, subject="second, in the same second")
    assert world.end() == []
    assert world.ticket()["subject"] == "second, in the same second"


def test_a_comment_within_the_second_of_the_one_that_was_read_is_noticed() -> None:
    world = World()
    _, other = world.shared()
    world.mesh.round(timedelta(minutes=10))
    world.bob.comment(other, "first")
    world.mesh.poll()
    world.mesh.work()
    world.bob.comment(other, "second, in the same second")
    assert world.end() == []
    assert [c.text for c in world.comments()] == ["first", "second, in the same second"]


class Trusting(MemoryConnector):
    """It spares the conversation of a ticket whose version stands still, however weak that is."""

    def fetch(self, key, *, known=None, version=None):
        ticket = super().fetch(key, known=known)
        return replace(ticket, comments=None, known_comments=None) if version == ticket.version else ticket


def test_a_weak_version_that_stands_still_spares_no_conversation() -> None:
    world = World()
    connector = Trusting(world.redmine.tracker, capabilities=REDMINE_LIKE, clock=world.clock)
    world.redmine = replace(world.redmine, connector=connector)
    world.mesh = Mesh(world.store, [world.rt, world.redmine], world.clock)
    world.centre = world.mesh.centre
    _, other = world.shared()
    world.bob.comment(other, "first")
    look(world, "ngi-pl", other)
    world.mesh.work()
    world.bob.comment(other, "second, in the same second")
    look(world, "ngi-pl", other)
    world.mesh.work()
    assert [c.text for c in world.comments()] == ["first", "second, in the same second"]


# -- gone, and there again -----------------------------------------------------------------------------------------


def test_a_ticket_that_was_out_of_sight_for_a_moment_comes_back_though_nothing_on_it_moved() -> None:
    world = World()
    _, other = world.shared()
    world.mesh.round(timedelta(minutes=10))
    world.issue(world.redmine, other).hidden = True
    world.mesh.scan()
    world.mesh.work()
    assert world.link("ngi-pl").state is LinkState.LOST
    world.issue(world.redmine, other).hidden = False
    world.mesh.scan()
    assert world.end() == []
    assert world.link("ngi-pl").state is LinkState.ACTIVE


def test_what_was_said_while_a_ticket_was_out_of_sight_is_said_there_afterwards() -> None:
    world = World()
    _, other = world.shared()
    world.issue(world.redmine, other).hidden = True
    world.centre.comment(1, "is anybody there?", TPM)
    world.mesh.settle()
    world.centre.comment(1, "in the dark", TPM)
    world.mesh.settle()
    world.issue(world.redmine, other).hidden = False
    world.bob.edit(other, subject="we are back")
    assert world.end() == []
    assert [len(world.said(world.redmine, words)) for words in ("is anybody there?", "in the dark")] == [1, 1]


def test_a_comment_whose_answer_was_lost_before_the_ticket_went_out_of_sight_is_not_said_twice() -> None:
    world = World()
    _, other = world.shared()
    once(world.redmine.connector, "comment", failing(Unknown("the answer was lost")), done=True)
    world.centre.comment(1, "once only", TPM)
    world.mesh.work()
    world.issue(world.redmine, other).hidden = True
    world.mesh.settle()
    world.issue(world.redmine, other).hidden = False
    world.bob.edit(other, subject="we are back")
    assert world.end() == []
    assert len(world.said(world.redmine, "once only")) == 1


def test_a_ticket_that_comes_back_where_it_no_longer_belongs_is_left_again() -> None:
    world = World()
    _, other = world.shared()
    world.issue(world.redmine, other).hidden = True
    world.centre.comment(1, "hello?", TPM)
    world.mesh.settle()
    world.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    world.issue(world.redmine, other).hidden = False
    world.bob.edit(other, priority="high")
    assert world.end() == []
    assert world.link("ngi-pl").state is LinkState.DETACHED


# -- our own create on its way -------------------------------------------------------------------------------------


def test_our_own_create_seen_from_both_sides_at_once_is_bound_once() -> None:
    world = World()
    once(world.redmine.connector, "create", failing(Unknown("the answer was lost")), done=True)
    world.centre.open({"subject": "first", "unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.clock.advance(timedelta(seconds=5))
    other_thread = world.mesh._open_lanes()["ngi-pl"]
    earlier = world.clock() - timedelta(minutes=10)
    world.store.write(lambda tx: world.mesh.means.relay.owe_inward(tx, "ngi-pl", "1", earlier, reason="a webhook"))

    def race(_: Call) -> None:
        assert other_thread.step() is not None

    once(world.redmine.connector, "fetch", race, done=True)
    world.mesh.work()
    assert world.dead() == []
    assert world.end() == []
    assert [k.state for k in world.store.read(lambda tx: tx.links.of(1))] == [LinkState.ACTIVE]


def test_a_copy_of_our_ticket_with_our_token_is_a_ticket_of_whoever_copied_it() -> None:
    world = World()
    world.shared()
    token = world.issue(world.redmine).fields["external_id"]
    copy = world.bob.open(subject="a copy", external_id=token)
    assert world.end() == []
    assert world.link("ngi-pl").key != copy
    assert world.link("ngi-pl", 2).key == copy


def test_a_quiet_mesh_has_nothing_broken_from_the_start() -> None:
    assert broken(World().mesh) == []


def test_what_changes_at_the_centre_while_a_look_is_under_way_is_not_overwritten() -> None:
    world = World()
    _, other = world.shared()
    world.bob.edit(other, subject="from bob")
    once(world.redmine.connector, "fetch", lambda _: world.centre.change(1, {"subject": "just now"}, TPM), done=True)
    assert world.end() == []
    assert world.ticket()["subject"] == "just now"
    assert [(c.ours, c.theirs) for c in world.conflicts()] == [("just now", "from bob")]


def test_what_is_set_here_while_a_look_is_under_way_is_not_agreed_on_with_what_it_read() -> None:
    world = World(rt_policy="remote")
    key = world.alice.open(subject="q")
    world.mesh.settle()

    def both(_: Call) -> None:
        world.alice.edit(key, status="stalled")
        world.centre.change(1, {"status": "in progress"}, TPM)

    world.alice.edit(key, status="open")
    once(world.rt.connector, "fetch", both, done=True)
    assert world.end() == []
    assert world.ticket()["status"] == "on hold"
    assert [(c.ours, c.theirs) for c in world.conflicts()] == [("in progress", "stalled")]


def test_what_is_set_here_is_not_agreed_on_with_a_row_that_has_waited() -> None:
    world = World(rt=WELL_BEHAVED, rt_policy="remote")
    key = world.alice.open(subject="q")
    world.mesh.settle()
    world.alice.edit(key, status="open")
    world.mesh.poll()
    world.clock.advance(timedelta(seconds=1))
    world.alice.edit(key, status="stalled")
    world.centre.change(1, {"status": "in progress"}, TPM)
    world.mesh.work()
    assert world.end() == []
    assert world.ticket()["status"] == "on hold"
    assert [(c.ours, c.theirs) for c in world.conflicts()] == [("in progress", "stalled")]


def test_what_waits_for_a_person_still_waits_where_a_look_was_too_early_to_tell_whether_it_agrees() -> None:
    world = World(rt_policy="ask")
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    world.alice.edit(key, status="stalled")
    world.centre.change(1, {"status": "solved"}, TPM)
    world.mesh.settle()

    def both(_: Call) -> None:
        world.alice.edit(key, status="open")
        world.centre.change(1, {"status": "waiting for reply"}, TPM)

    world.alice.edit(key, subject="another")
    once(world.rt.connector, "fetch", both, done=True)
    assert world.end() == []
    assert world.issue(world.rt, key).fields["status"] == "open"
    assert [(c.ours, c.theirs) for c in world.conflicts()] == [("solved", "stalled"), ("waiting for reply", "open")]


def test_a_row_that_has_waited_too_long_to_tell_whether_they_agree_owes_another_look() -> None:
    world = World(rt=WELL_BEHAVED, rt_policy="ask")
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()
    world.alice.edit(key, status="stalled")
    world.centre.change(1, {"status": "solved"}, TPM)
    world.mesh.settle()
    assert "status" in world.link("ngi-cz").disagreements

    def give_way(_: Call) -> None:
        world.clock.advance(timedelta(seconds=1))
        world.alice.edit(key, status="resolved")
        world.mesh.poll()
        world.clock.advance(timedelta(seconds=1))

    world.alice.comment(key, "word")
    once(world.rt.connector, "fetch", give_way, done=True)
    look(world, "ngi-cz", key)
    world.mesh.work()
    assert world.link("ngi-cz").disagreements == {}
    assert world.end() == []


def files_of(world: World, member: Member, key: str) -> list[str]:
    issue = world.issue(member, key)
    return sorted(file.name for file in (*issue.files, *(file for note in issue.notes for file in note.files)))


@pytest.mark.parametrize("capabilities", [WELL_BEHAVED, RT_LIKE], ids=["shows known comments", "shows new ones only"])
def test_files_that_could_not_be_fetched_as_their_ticket_went_are_fetched_once_it_is_back(capabilities) -> None:
    world = World(rt=capabilities)
    key, other = world.shared()

    def go(call: Call) -> None:
        if call.operation == "download" and not call.done and not world.issue(world.rt, key).hidden:
            world.alice.delete(key)

    world.alice.attach(key, "on-the-ticket.txt", b"bytes")
    world.alice.comment(key, "see below", files={"with-a-word.txt": b"bytes"})
    world.rt.connector.intruder = go
    world.mesh.settle()
    world.rt.connector.intruder = None
    assert world.link("ngi-cz").state is LinkState.LOST
    assert len(world.said(world.redmine, "see below", other)) == 1
    said = len(world.issue(world.redmine, other).notes)
    world.alice.bring_back(key)
    world.mesh.scan()
    assert world.end() == []
    assert files_of(world, world.redmine, other) == files_of(world, world.rt, key)
    assert len(world.said(world.redmine, "see below", other)) == 1
    assert len(world.issue(world.redmine, other).notes) == said + 2  # each as a file of its own
    downloads = world.rt.connector.calls["download"]
    world.alice.delete(key)
    world.mesh.scan()
    world.mesh.settle()
    world.alice.bring_back(key)
    world.mesh.scan()
    assert world.end() == []
    assert world.rt.connector.calls["download"] == downloads


def test_a_file_that_still_cannot_be_fetched_once_its_ticket_is_back_is_told_of_once() -> None:
    world = World()
    key, _ = world.shared()

    def vanish(call: Call) -> None:
        if call.operation == "download" and not call.done:
            raise NotFound("the file is not on the disk")

    world.alice.attach(key, "on-the-ticket.txt", b"bytes")
    world.rt.connector.intruder = vanish
    world.mesh.settle()
    world.alice.delete(key)
    world.mesh.scan()
    world.mesh.settle()
    world.alice.bring_back(key)
    world.mesh.scan()
    world.mesh.settle()
    world.rt.connector.intruder = None
    assert [comment.gap for comment in world.comments()] == [
        "[file 'on-the-ticket.txt' stays in ngi-cz: the file is not on the disk]"
    ]
    assert world.end() == []


def test_a_ticket_that_is_given_away_while_we_read_it_takes_what_was_read_along() -> None:
    world = World()
    key = world.alice.open(subject="CE refuses jobs", description="since this morning")
    world.mesh.round()
    world.alice.attach(key, "ce.log", b"refused")

    def give_away(_: Call) -> None:
        world.centre.change(1, {"unit": "NGI_PL"}, TPM)
        world.mesh.work()

    once(world.rt.connector, "fetch", give_away, done=True)
    assert world.end() == []
    there = world.issue(world.redmine)
    assert [file.name for file in (*there.files, *(f for note in there.notes for f in note.files))] == ["ce.log"]


# -- whose edit is the newest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rt", [RT_LIKE, WELL_BEHAVED], ids=["fields by themselves", "whole rows"])
@pytest.mark.parametrize("offset", [-timedelta(hours=2), timedelta(0), timedelta(hours=2)])
@pytest.mark.parametrize("last", ["theirs", "ours"])
@pytest.mark.parametrize("looks", ["poll", "work"])
def test_the_newest_edit_wins_whatever_the_clock_there_says(
    looks: str, last: str, offset: timedelta, rt: Capabilities
) -> None:
    world = World(rt=replace(rt, granularity=timedelta(seconds=1)), rt_policy="newest")
    key = world.alice.open(subject="q")
    world.mesh.settle()
    world.rt.tracker.offset = offset
    edits = {
        "theirs": lambda: world.alice.edit(key, subject="theirs"),
        "ours": lambda: world.centre.change(1, {"subject": "ours"}, TPM),
    }
    for who in sorted(edits, key=lambda each: each == last):
        edits[who]()
        world.clock.advance(timedelta(minutes=1))
        if looks == "poll":
            world.mesh.poll()
    assert world.end() == []
    assert world.ticket()["subject"] == last
    assert world.issue(world.rt).fields["subject"] == last
    (conflict,) = world.conflicts()
    assert conflict.reason == "policy newest: it was changed last"
