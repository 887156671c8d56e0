"""A partner's system that is a copy, or was restored from a backup: quarantined with a plan, and nothing is written."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.desk.services.errors import NotNow
from central.guard import Hold, HoldKind, HoldState, Marker
from central.registry import SystemState
from connectors.api import Capabilities
from connectors.emulators.tracker import Issue
from connectors.errors import Transient, Unknown
from connectors.memory import WELL_BEHAVED, Call
from sync.guards import holds
from sync.guards.mark import Spot, counter_of, doubt, mark
from sync.guards.release import go_on
from sync.simulation.laws import convergence, no_loss, no_twins, silence
from sync.simulation.members import REDMINE_LIKE
from sync.simulation.mesh import ALL_GUARDS, Mesh
from tests.unit.sync.world import TPM, World, once

NAME = "ngi-pl"


class Killed(BaseException):
    """kill -9: nothing is caught, nothing is cleaned up."""


def marked(guards: frozenset[HoldKind] = ALL_GUARDS, capabilities: Capabilities = REDMINE_LIKE) -> tuple[World, str]:
    """A world whose Redmine bears our mark; the key of the ticket that RT and Redmine share."""
    world = World(redmine=capabilities)
    warden = world.redmine.tracker.person("warden")
    spot = Spot(warden.open(subject="do not touch: interdesk's mark"), "description")
    world.redmine = replace(world.redmine, marker=spot)
    world.mesh = Mesh(world.store, [world.rt, world.redmine], world.clock, guards=guards)
    world.centre = world.mesh.centre
    _, other = world.shared()
    return world, other


def the_mark(world: World) -> object:
    spot = world.redmine.marker
    assert spot is not None
    return world.redmine.tracker.issues[spot.ticket].fields.get(spot.field)


def work_for_hours(world: World, hours: int = 3) -> None:
    """Something is written every hour, so that the mark moves."""
    for number in range(hours):
        world.clock.advance(timedelta(hours=1, minutes=1))
        world.centre.change(1, {"subject": f"edit {number} at {world.clock():%d %H:%M}"}, TPM)
        world.mesh.settle()


def snapshot(world: World) -> dict[str, Issue]:
    return copy.deepcopy(world.redmine.tracker.issues)


def state(world: World) -> SystemState:
    return world.store.read(lambda tx: tx.registry.system(NAME)).state


def the_hold(world: World) -> Hold:
    [hold] = world.store.read(lambda tx: tx.guards.list(system=NAME))
    assert hold.kind is HoldKind.COPY
    return hold


def deeds(world: World) -> int:
    ours = world.redmine.connector.account
    return sum(deed.who == ours for deed in world.redmine.tracker.log)


def test_the_mark_moves_at_most_once_an_hour_and_only_when_something_is_written_anyway() -> None:
    world, other = marked()
    assert counter_of(the_mark(world)) == 1
    for number in range(10):
        world.centre.change(1, {"subject": f"quick {number}"}, TPM)
        world.mesh.settle()
    assert counter_of(the_mark(world)) == 1
    world.clock.advance(timedelta(hours=9))
    world.bob.edit(other, subject="nothing of ours is written to Redmine")
    world.mesh.settle()
    assert counter_of(the_mark(world)) == 1
    work_for_hours(world, 2)
    assert counter_of(the_mark(world)) == 3
    assert silence(world.mesh) == []


def test_the_ticket_of_the_mark_is_never_synchronised() -> None:
    world, _ = marked()
    work_for_hours(world)
    world.redmine.tracker.person("warden").comment(world.redmine.marker.ticket, "still here")
    world.mesh.scan()
    world.mesh.settle()
    assert world.store.read(lambda tx: tx.tickets.count()) == 1


def test_case_21_a_restored_partner_is_quarantined_with_a_plan_and_nothing_is_written() -> None:
    world, other = marked()
    world.centre.comment(1, "said before the backup", TPM)
    work_for_hours(world)
    backup = snapshot(world)
    work_for_hours(world)
    world.centre.comment(1, "said after the backup", TPM)
    world.mesh.settle()
    latest = world.ticket()["subject"]
    world.redmine.tracker.issues = backup
    written = deeds(world)
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    world.centre.change(1, {"subject": "while it is in quarantine"}, TPM)
    world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED
    assert deeds(world) == written
    hold = the_hold(world)
    assert "went back" in hold.reason
    plan = {(row["what"], row["name"]) for row in hold.evidence["plan"]}
    assert ("field", "subject") in plan
    assert any(what == "comment" for what, _ in plan)
    assert world.ticket()["subject"] == "while it is in quarantine" != latest


def _restored() -> tuple[World, str]:
    world, other = marked()
    work_for_hours(world)
    backup = snapshot(world)
    work_for_hours(world)
    world.centre.comment(1, "said after the backup", TPM)
    world.mesh.settle()
    world.redmine.tracker.issues = backup
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    return world, other


def test_case_21_once_approved_and_released_what_it_forgot_is_written_again_without_a_twin() -> None:
    world, other = _restored()
    latest = world.ticket()["subject"]
    holds.approve(world.mesh.means, the_hold(world).id, "ada")
    assert state(world) is SystemState.QUARANTINED
    go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    world.mesh.settle(30)
    issue = world.redmine.tracker.issues[other]
    assert issue.fields["subject"] == latest == world.ticket()["subject"]
    assert len(world.said(world.redmine, "said after the backup", other)) == 1
    assert any(c.field == "priority" and c.theirs == "high" for c in world.conflicts())
    assert convergence(world.mesh) == []
    assert no_twins(world.mesh) == []
    assert silence(world.mesh) == []
    work_for_hours(world)
    assert state(world) is SystemState.LIVE


def test_a_restore_is_noticed_at_the_first_look_however_lately_the_mark_was_read() -> None:
    world, other = marked()
    work_for_hours(world)
    backup = snapshot(world)
    work_for_hours(world)
    latest = world.ticket()["subject"]
    read_at = world.store.read(lambda tx: tx.guards.marker(NAME)).read_at
    assert read_at is not None
    assert world.clock() - read_at < timedelta(minutes=5)
    world.redmine.tracker.issues = backup
    world.bob.edit(other, priority="high")
    world.mesh.round()
    assert state(world) is SystemState.QUARANTINED
    assert world.ticket()["subject"] == latest


@pytest.mark.parametrize("late", [False, True])
def test_a_restore_is_noticed_though_the_answer_to_the_last_move_of_the_mark_was_lost(late: bool) -> None:
    world, other = marked()
    backup = snapshot(world)
    requests: list[Call] = []

    def lost(call: Call) -> None:
        """It arrives, and is not answered; or it arrives only while we wait."""
        if call.key == world.redmine.marker.ticket and call.operation == "update" and call.done is not late:
            requests.append(call)
            world.redmine.connector.intruder = None
            raise Unknown("no answer came")

    world.redmine.connector.intruder = lost
    world.clock.advance(timedelta(hours=2))
    world.centre.change(1, {"subject": "the last before the restore"}, TPM)
    world.mesh.work()
    if late:
        spot = world.redmine.marker
        world.redmine.tracker.edit("interdesk", spot.ticket, {spot.field: mark("", 2)})
        world.mesh.round(after=timedelta(seconds=20))
    assert requests
    assert counter_of(the_mark(world)) == 2
    world.redmine.tracker.issues = backup
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED


def test_a_restore_after_a_move_whose_sender_died_is_told_by_what_a_ticket_has_forgotten() -> None:
    world, other = marked()
    backup = world.redmine.tracker.backup()
    world.bob.edit(other, subject="read before the restore")
    world.mesh.settle()

    def die(call: Call) -> None:
        if call.key == world.redmine.marker.ticket and call.operation == "update" and call.done:
            world.redmine.connector.intruder = None
            raise Killed

    world.redmine.connector.intruder = die
    world.clock.advance(timedelta(hours=2))
    world.centre.change(1, {"subject": "the last before the restore"}, TPM)
    with pytest.raises(Killed):
        world.mesh.work()
    world.redmine.tracker.restore(backup)
    world.mesh.restart()
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED
    assert "forgotten what we read in it" in the_hold(world).reason


@pytest.mark.parametrize("late", [False, True], ids=["at once", "once the move is certain"])
def test_a_restore_after_a_move_without_an_answer_is_told_by_the_history_though_only_fields_were_read(
    late: bool,
) -> None:
    world, other = marked(capabilities=WELL_BEHAVED)
    backup = world.redmine.tracker.backup()
    world.bob.edit(other, priority="high")
    world.mesh.settle()

    def lost(call: Call) -> None:
        if call.key == world.redmine.marker.ticket and call.operation == "update":
            raise Unknown("no answer came")

    world.redmine.connector.intruder = lost
    world.clock.advance(timedelta(hours=2))
    world.centre.change(1, {"subject": "the last before the restore"}, TPM)
    world.mesh.work()
    world.redmine.connector.intruder = None
    world.redmine.tracker.restore(backup)
    if late:
        world.clock.advance(timedelta(minutes=10))
    written = deeds(world)
    world.centre.change(1, {"status": "in progress"}, TPM)  # nothing is polled: a write is the first to see it
    world.mesh.work()
    world.clock.advance(timedelta(minutes=10))
    world.mesh.work()
    assert state(world) is SystemState.QUARANTINED
    assert "forgotten what we read in it" in the_hold(world).reason
    assert world.ticket()["priority"] == "very urgent"
    assert deeds(world) == written


def test_while_the_mark_is_being_moved_what_may_come_from_before_it_waits() -> None:
    world, other = marked()
    key = world.redmine.marker.ticket
    world.store.write(
        lambda tx: tx.guards.put_marker(replace(tx.guards.marker(NAME), writing=2, written_at=world.clock()))
    )
    world.redmine.tracker.issues[other].fields["priority"] = "high"  # no history tells of it
    world.mesh.scan()
    world.mesh.work()
    assert world.ticket()["priority"] != "very urgent"
    world.redmine.tracker.edit("interdesk", key, {"description": mark("", 2)})
    world.mesh.settle()
    assert world.ticket()["priority"] == "very urgent"
    assert state(world) is SystemState.LIVE


def test_where_no_history_tells_the_mark_is_read_before_anything_is_taken_in() -> None:
    world, other = marked()
    capabilities = world.redmine.connector.capabilities
    world.redmine.connector.capabilities = replace(capabilities, history=False)
    work_for_hours(world)
    backup = snapshot(world)
    work_for_hours(world)
    latest = world.ticket()["subject"]
    world.redmine.tracker.issues = backup
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED
    assert (world.ticket()["subject"], world.ticket()["priority"]) == (latest, "less urgent")


def test_a_restore_while_we_write_is_noticed_before_anything_is_made_of_the_answer() -> None:
    world, _ = marked(capabilities=replace(REDMINE_LIKE, history=False))
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    world.centre.change(1, {"priority": "top priority"}, TPM)
    work_for_hours(world)
    latest = world.ticket()["subject"]
    once(world.redmine.connector, "update", lambda _: world.redmine.tracker.restore(backup), done=False)
    world.centre.change(1, {"status": "in progress"}, TPM)
    world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED
    assert (world.ticket()["subject"], world.ticket()["priority"]) == (latest, "top priority")


def test_a_restore_that_gave_anew_the_version_that_we_held_is_noticed_by_what_else_the_answer_shows() -> None:
    world, other = marked(capabilities=replace(WELL_BEHAVED, history=False))
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    world.bob.edit(other, priority="high")
    work_for_hours(world)
    version = world.link(NAME).version
    world.redmine.tracker.restore(backup)
    number = 0
    while str(world.issue(world.redmine, other).version) != version:
        number += 1
        world.bob.edit(other, subject=f"after the restore {number}")
    world.centre.change(1, {"status": "in progress"}, TPM)
    world.mesh.work()
    assert state(world) is SystemState.QUARANTINED
    assert world.ticket()["priority"] == "very urgent"


def test_what_a_write_of_ours_moved_costs_no_reading_of_the_mark() -> None:
    world, _ = marked(capabilities=replace(WELL_BEHAVED, history=False))
    work_for_hours(world)
    before = world.store.read(lambda tx: tx.guards.marker(NAME)).read_at
    world.centre.change(1, {"subject": "ours", "priority": "very urgent"}, TPM)
    world.mesh.settle()
    assert world.store.read(lambda tx: tx.guards.marker(NAME)).read_at == before


def test_an_edit_that_the_history_tells_of_costs_no_reading_of_the_mark() -> None:
    world, other = marked()
    work_for_hours(world)
    before = world.store.read(lambda tx: tx.guards.marker(NAME)).read_at
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    assert world.ticket()["priority"] == "very urgent"
    assert world.store.read(lambda tx: tx.guards.marker(NAME)).read_at == before


def release(world: World) -> None:
    holds.approve(world.mesh.means, the_hold(world).id, "ada")
    go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    world.mesh.settle(30)


def test_files_that_a_restore_took_away_are_sent_again() -> None:
    world, other = marked()
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    work_for_hours(world)
    world.alice.attach("1", "on the ticket.txt", b"one")
    world.alice.comment("1", "with a file", files={"on a comment.txt": b"two"})
    world.mesh.settle()
    world.redmine.tracker.restore(backup)
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    release(world)
    issue = world.redmine.tracker.issues[other]
    names = [file.name for note in issue.notes for file in note.files] + [file.name for file in issue.files]
    assert sorted(names) == ["on a comment.txt", "on the ticket.txt"]
    assert no_twins(world.mesh) == []


def test_who_goes_back_to_what_stood_before_our_first_write_after_a_release_has_refused_nothing() -> None:
    world, other = marked(capabilities=WELL_BEHAVED)
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    work_for_hours(world)
    world.redmine.tracker.restore(backup)
    world.mesh.round(after=timedelta(days=1))
    holds.approve(world.mesh.means, the_hold(world).id, "ada")
    go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    once(world.redmine.connector, "update", lambda _: world.bob.edit(other, priority="low"), done=True)
    world.centre.change(1, {"priority": "top priority"}, TPM)  # it goes ahead of the looks that the release owes
    world.mesh.settle()
    assert world.link(NAME).disagreements == {}
    assert world.ticket()["priority"] == "less urgent"


def test_a_word_that_bears_the_id_of_one_that_a_restore_took_away_is_another_word() -> None:
    world, other = marked()
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    work_for_hours(world)
    before = world.redmine.tracker.person("bob").comment(other, "before the restore")
    world.mesh.settle()
    world.redmine.tracker.restore(backup)
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    release(world)
    notes = [world.bob.comment(other, f"after the restore {number}") for number in range(20)]
    world.mesh.settle(30)
    assert before in notes
    said = [comment.text for comment in world.store.read(lambda tx: tx.tickets.comments(1))]
    assert [text for text in said if "restore" in text] == [
        "before the restore",
        *(f"after the restore {number}" for number in range(20)),
    ]


def test_a_word_that_bears_the_id_of_one_taken_away_by_a_restore_that_nobody_noticed_yet_edits_nothing() -> None:
    world, other = marked()
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    before = world.bob.comment(other, "before the restore")
    work_for_hours(world, 1)
    world.redmine.tracker.restore(backup)
    assert world.bob.comment(other, "after the restore") == before
    world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED
    assert [comment.text for comment in world.comments()] == ["before the restore"]
    release(world)
    world.mesh.settle(30)
    assert [comment.text for comment in world.comments()] == ["before the restore", "after the restore"]


def test_a_word_of_ours_that_was_given_the_id_of_one_that_a_restore_took_away_is_said_once_and_edits_nothing() -> None:
    world, other = marked()
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    taken = world.bob.comment(other, "from before the restore")
    work_for_hours(world, 1)
    world.redmine.tracker.restore(backup)
    world.centre.comment(1, "said before anybody noticed", TPM)
    world.mesh.settle(30)
    assert state(world) is SystemState.QUARANTINED
    release(world)
    assert [note.id for note in world.said(world.redmine, "said before anybody noticed", other)] == [taken]
    assert [comment.text for comment in world.comments()] == ["from before the restore", "said before anybody noticed"]
    assert silence(world.mesh) == []


def test_a_ticket_that_was_deleted_after_the_backup_is_taken_up_again_with_all_that_was_said() -> None:
    world, other = marked()
    work_for_hours(world)
    backup = world.redmine.tracker.backup()
    work_for_hours(world)
    world.centre.comment(1, "said after the backup", TPM)
    world.mesh.settle()
    world.bob.delete(other)
    world.mesh.settle()
    world.redmine.tracker.restore(backup)
    world.mesh.poll()
    world.clock.advance(timedelta(days=1))
    world.mesh.settle()
    release(world)
    assert len(world.said(world.redmine, "said after the backup", other)) == 1
    assert convergence(world.mesh) == []


def test_a_ticket_that_cannot_be_read_keeps_its_system_quarantined() -> None:
    world, _ = _restored()
    holds.approve(world.mesh.means, the_hold(world).id, "ada")

    def away(call: Call) -> None:
        if call.operation == "fetch" and world.redmine.marker is not None and call.key != world.redmine.marker.ticket:
            raise Transient("503")

    world.redmine.connector.intruder = away
    with pytest.raises(Transient):
        go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    assert state(world) is SystemState.QUARANTINED
    world.redmine.connector.intruder = None
    go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    world.mesh.settle(30)
    assert len(world.said(world.redmine, "said after the backup", "2")) == 1


def test_released_with_theirs_to_be_taken_the_centre_goes_back_with_it() -> None:
    world, other = _restored()
    stood = world.redmine.tracker.issues[other].fields["subject"]
    holds.approve(world.mesh.means, the_hold(world).id, "ada")
    go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada", take_theirs=True)
    world.mesh.settle(30)
    assert world.ticket()["subject"] == stood
    assert convergence(world.mesh) == []
    assert no_twins(world.mesh) == []
    assert no_loss(world.mesh) == []


def test_case_21_a_copy_that_answers_instead_is_quarantined_and_the_real_one_goes_on_once_it_is_back() -> None:
    world, other = marked()
    work_for_hours(world)
    real = world.redmine.tracker.issues
    fork = snapshot(world)
    work_for_hours(world)
    for turn in range(4):  # both answer under the same address
        world.redmine.tracker.issues = fork if turn % 2 == 0 else real
        if state(world) is SystemState.LIVE:
            world.bob.edit(other, subject=f"typed into the one that answers, {turn}")
        world.clock.advance(timedelta(hours=25))
        world.mesh.settle()
    assert state(world) is SystemState.QUARANTINED
    hold = the_hold(world)
    holds.reject(world.mesh.means, hold.id, "ada")
    world.redmine.tracker.issues = fork
    with pytest.raises(NotNow, match="still not the system we left"):
        go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    world.redmine.tracker.issues = real
    go_on(world.mesh.means, world.mesh.gateways.get(NAME), the_hold(world), "ada")
    assert the_hold(world).state is HoldState.REJECTED
    world.mesh.settle(30)
    assert state(world) is SystemState.LIVE
    assert convergence(world.mesh) == []


def test_a_second_interdesk_at_the_same_system_is_noticed() -> None:
    world, _ = marked()
    work_for_hours(world)
    world.redmine.tracker.edit("interdesk", world.redmine.marker.ticket, {"description": mark("somebody-else", 9)})
    world.clock.advance(timedelta(hours=25))
    world.mesh.poll()
    assert state(world) is SystemState.QUARANTINED
    assert "another interdesk (somebody-else)" in the_hold(world).reason


def test_without_the_guard_a_restored_partner_takes_the_centre_back_in_time() -> None:
    world, other = marked(ALL_GUARDS - {HoldKind.COPY})
    work_for_hours(world)
    backup = snapshot(world)
    work_for_hours(world)
    latest = world.ticket()["subject"]
    world.redmine.tracker.issues = backup
    world.bob.edit(other, priority="high")
    world.mesh.settle()
    assert world.ticket()["subject"] != latest


# -- the decision --------------------------------------------------------------------------------------------------


@given(counter=st.integers(0, 50), writing=st.none() | st.integers(1, 51), shown=st.integers(0, 60))
def test_only_the_numbers_that_we_wrote_are_believed(counter: int, writing: int | None, shown: int) -> None:
    known = Marker(NAME, counter, writing)
    believed = doubt(known, "us", mark("us", shown)) == ""
    assert believed == (shown in (counter, writing))
    assert doubt(known, "us", mark("them", shown)) != ""
    assert (doubt(known, "us", None) == "") == (counter == 0)
    assert doubt(known, "us", "a shopping list") != ""
