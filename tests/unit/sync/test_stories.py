"""Stories over a whole mesh in memory; after each of them the five laws hold."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from central.link import LinkState
from central.model import Person
from central.store.memory import MemoryStore
from connectors.errors import AccessError, Transient
from connectors.memory import Call
from sync.simulation.laws import broken
from sync.simulation.members import redmine_like, rt_like
from sync.simulation.mesh import Mesh, VirtualClock

TPM = Person("tpm", "Tess from TPM")


class World:
    """RT at NGI_CZ, Redmine at NGI_PL, and the people in them."""

    def __init__(self, **policies: str) -> None:
        self.clock = VirtualClock()
        self.rt = rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}), policy=policies.get("rt", "central"))
        self.redmine = redmine_like(
            self.clock, "ngi-pl", frozenset({"NGI_PL"}), policy=policies.get("redmine", "central")
        )
        self.mesh = Mesh(MemoryStore(), [self.rt, self.redmine], self.clock)
        self.alice = self.rt.tracker.person("alice")
        self.bob = self.redmine.tracker.person("bob")
        self.canaries: list[str] = []

    def ticket(self, ticket_id: int = 1):
        return self.mesh.store.read(lambda tx: tx.tickets.get(ticket_id))

    def link(self, system: str, ticket_id: int = 1):
        return self.mesh.store.read(lambda tx: tx.links.find(ticket_id, system))

    def conflicts(self):
        return self.mesh.store.read(lambda tx: tx.tickets.conflicts())

    def shared(self) -> tuple[str, str]:
        """A ticket born in RT and given to NGI_PL; its keys there."""
        key = self.alice.open(subject="CE refuses jobs", description="since this morning\nsecond line")
        self.mesh.round()
        self.mesh.centre.change(1, {"unit": "NGI_PL"}, TPM)
        self.mesh.settle()
        other = self.link("ngi-pl").key
        assert other is not None
        return key, other


@pytest.fixture
def world() -> Iterator[World]:
    it = World()
    yield it
    it.mesh.settle()
    assert broken(it.mesh, canaries=it.canaries) == []


def test_a_ticket_born_in_one_system_reaches_the_centre_and_the_system_of_its_unit(world: World) -> None:
    _, other = world.shared()
    issue = world.redmine.tracker.issue(other)
    assert issue.fields["subject"] == "CE refuses jobs"
    assert world.ticket()["status"] == "assigned"
    assert world.rt.tracker.issue("1").fields["status"] == "open"


def test_comments_travel_both_ways_once_and_internal_ones_stay(world: World) -> None:
    key, other = world.shared()
    world.alice.comment(key, "please look")
    world.alice.comment(key, "CANARY-1 the user is annoying", internal=True, files={"CANARY-2.txt": b"x"})
    world.bob.comment(other, "looking", files={"log.txt": b"boom", "empty": b""})
    world.bob.comment(other, "CANARY-3 do not tell", internal=True)
    world.canaries += ["CANARY-1", "CANARY-2", "CANARY-3"]
    world.mesh.settle()
    said = [n.text for n in world.redmine.tracker.issue(other).notes]
    assert sum("please look" in text for text in said) == 1
    heard = [n for n in world.rt.tracker.issue(key).notes if "looking" in n.text]
    assert len(heard) == 1
    assert [(f.name, f.content) for f in heard[0].files] == [("log.txt", b"boom")]
    assert "'empty' is empty" in heard[0].text


def test_rt_opening_on_our_comment_moves_nothing_elsewhere(world: World) -> None:
    key = world.alice.open(subject="quiet")
    world.mesh.settle()
    world.mesh.centre.comment(1, "we have it", TPM)
    world.mesh.settle()
    assert world.rt.tracker.issue(key).fields["status"] == "open"
    assert world.ticket()["status"] == "new"
    assert "status" in world.link("ngi-cz").disagreements


def test_a_comment_that_reopens_is_undone_in_the_same_push(world: World) -> None:
    key, other = world.shared()
    world.bob.edit(other, status="In Progress")
    world.bob.edit(other, status="Resolved")
    world.mesh.settle()
    assert world.rt.tracker.issue(key).fields["status"] == "resolved"
    world.bob.comment(other, "it was the disk")
    world.clock.advance(timedelta(minutes=1))
    world.mesh.poll()
    assert world.mesh._lanes["ngi-pl"].step() is not None
    assert world.mesh._lanes["ngi-cz"].step() is not None
    assert [deed.new for deed in world.rt.tracker.log[-2:]] == ["open", "resolved"]  # one look, and both are done
    world.mesh.settle()
    assert world.rt.tracker.issue(key).fields["status"] == "resolved"
    assert world.ticket()["status"] == "solved"


def test_solve_and_reopen_travel_both_ways(world: World) -> None:
    key, other = world.shared()
    world.bob.edit(other, status="In Progress")
    world.bob.edit(other, status="Resolved")
    world.mesh.settle()
    assert (world.ticket()["status"], world.rt.tracker.issue(key).fields["status"]) == ("solved", "resolved")
    world.alice.edit(key, status="open")
    world.mesh.settle()
    assert (world.ticket()["status"], world.redmine.tracker.issue(other).fields["status"]) == (
        "reopened",
        "In Progress",
    )


def test_a_folded_status_does_not_drift_by_its_own_echo(world: World) -> None:
    world.shared()
    for status in ("in progress", "waiting for reply", "on hold", "in progress", "on hold"):
        world.mesh.centre.change(1, {"status": status}, TPM)
        world.mesh.settle()
        assert world.ticket()["status"] == status


def test_a_silent_refusal_becomes_a_standing_disagreement_and_is_not_retried(world: World) -> None:
    key, _ = world.shared()
    world.mesh.centre.change(1, {"status": "in progress", "priority": "very urgent"}, TPM)
    world.mesh.settle()
    world.mesh.centre.change(1, {"status": "unsolved"}, TPM)
    world.mesh.settle()
    link = world.link("ngi-cz")
    assert "can't change status from 'open' to 'rejected'" in link.disagreements["status"]
    assert world.rt.tracker.issue(key).fields["priority"] == "high"
    writes = world.rt.connector.calls["update"]
    world.mesh.centre.change(1, {"priority": "urgent"}, TPM)
    world.mesh.settle()
    assert world.rt.connector.calls["update"] == writes + 1
    assert "status" in world.link("ngi-cz").disagreements


def test_a_conflict_keeps_the_loser(world: World) -> None:
    key, other = world.shared()
    world.alice.edit(key, priority="high")
    world.bob.edit(other, priority="normal")
    world.mesh.settle()
    values = {world.rt.tracker.issue(key).fields["priority"], world.redmine.tracker.issue(other).fields["priority"]}
    assert len(values) == 1
    assert len(world.conflicts()) == 1


def test_a_write_between_our_read_and_our_write_is_kept_where_no_lock_exists(world: World) -> None:
    _, other = world.shared()
    world.mesh.centre.change(1, {"subject": "from the centre"}, TPM)

    def intrude(call: Call) -> None:
        if call.operation == "update" and not call.done:
            world.redmine.connector.intruder = None
            world.bob.edit(other, subject="from bob, just now")

    world.redmine.connector.intruder = intrude
    world.mesh.settle()
    assert world.ticket()["subject"] == "from the centre"
    assert [c.theirs for c in world.conflicts()] == ["from bob, just now"]


def test_a_write_between_read_and_write_is_a_version_conflict_where_a_lock_exists(world: World) -> None:
    key, _ = world.shared()
    world.mesh.centre.change(1, {"subject": "from the centre"}, TPM)

    def intrude(call: Call) -> None:
        if call.operation == "update" and not call.done:
            world.rt.connector.intruder = None
            world.alice.edit(key, priority="high")

    world.rt.connector.intruder = intrude
    world.mesh.settle()
    issue = world.rt.tracker.issue(key)
    assert (issue.fields["subject"], issue.fields["priority"]) == ("from the centre", "high")
    assert world.ticket()["priority"] == "very urgent"


@pytest.mark.parametrize("operation", ["create", "comment", "update"])
@pytest.mark.parametrize("member", ["rt", "redmine"])
def test_a_lost_answer_makes_no_twin(world: World, operation: str, member: str) -> None:
    target = world.rt if member == "rt" else world.redmine
    unit = "NGI_CZ" if member == "rt" else "NGI_PL"
    lost = []

    def lose(call: Call) -> None:
        if call.operation == operation and call.done and not lost:
            lost.append(call)
            raise Transient("the answer was lost")

    target.connector.intruder = lose
    ticket = world.mesh.centre.open({"subject": "from here", "unit": unit}, TPM)
    world.mesh.work()
    world.mesh.centre.comment(ticket.id, "a first word", TPM)
    world.mesh.centre.change(ticket.id, {"subject": "from here, corrected"}, TPM)
    world.mesh.settle(30)
    assert lost
    assert len(target.tracker.issues) == 1
    issue = next(iter(target.tracker.issues.values()))
    assert sum("a first word" in n.text for n in issue.notes) == 1


def test_ten_rapid_edits_on_each_side_settle_within_bounded_messages(world: World) -> None:
    key, other = world.shared()
    before = len(world.rt.tracker.log) + len(world.redmine.tracker.log)
    for number in range(10):
        world.alice.edit(key, subject=f"rt {number}")
        world.bob.edit(other, subject=f"redmine {number}")
        if number % 3 == 0:
            world.mesh.round(timedelta(seconds=1))
    world.mesh.settle()
    ours = len(world.rt.tracker.log) + len(world.redmine.tracker.log) - before - 20
    assert ours <= 10


def test_an_outage_delays_and_loses_nothing(world: World) -> None:
    _, other = world.shared()

    def down(call: Call) -> None:
        raise Transient("connection refused")

    world.redmine.connector.intruder = down
    world.mesh.centre.comment(1, "while you were away", TPM)
    for _ in range(5):
        world.mesh.round()
    world.redmine.connector.intruder = None
    world.mesh.settle(40)
    assert sum("while you were away" in n.text for n in world.redmine.tracker.issue(other).notes) == 1


def test_reassigned_away_a_link_is_detached_with_one_last_notice_and_resumes_by_a_three_way_merge(world: World) -> None:
    _, other = world.shared()
    world.mesh.centre.change(1, {"unit": "TPM"}, TPM)
    world.mesh.settle()
    assert world.link("ngi-pl").state is LinkState.DETACHED
    notices = [n.text for n in world.redmine.tracker.issue(other).notes]
    assert sum("no longer synchronised" in text for text in notices) == 1
    world.bob.edit(other, subject="bob went on alone")
    world.mesh.centre.change(1, {"priority": "urgent"}, TPM)
    world.mesh.settle()
    assert world.ticket()["subject"] == "CE refuses jobs"
    world.mesh.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.settle()
    assert world.ticket()["subject"] == "bob went on alone"
    assert world.redmine.tracker.issue(other).fields["priority"] == "normal"


def test_a_ticket_deleted_there_is_a_lost_link_and_nothing_else(world: World) -> None:
    key, other = world.shared()
    world.alice.edit(key, status="deleted")
    world.mesh.settle()
    assert world.link("ngi-cz").state is LinkState.LOST
    assert world.redmine.tracker.issue(other).fields["status"] != "Closed"
    world.mesh.centre.comment(1, "still here", TPM)
    world.mesh.settle()


def test_a_wrong_password_stops_that_system_only() -> None:
    world = World()
    world.shared()

    def refuse(call: Call) -> None:
        raise AccessError("401: the token is not accepted")

    world.redmine.connector.intruder = refuse
    world.mesh.centre.comment(1, "hello", TPM)
    world.mesh.work()
    state = world.mesh.store.read(lambda tx: tx.registry.system("ngi-pl"))
    assert (state.state.value, state.reason) == ("paused", "AccessError: 401: the token is not accepted")
    assert any("hello" in n.text for n in world.rt.tracker.issue("1").notes)


def test_a_forged_token_gains_nothing(world: World) -> None:
    world.shared()
    token = world.redmine.tracker.issue(world.link("ngi-pl").key).fields["external_id"]
    forged = world.redmine.tracker.person("mallory").open(subject="forged", external_id=token)
    world.mesh.settle()
    assert world.link("ngi-pl").key != forged
    assert world.ticket()["subject"] == "CE refuses jobs"


def test_an_idle_mesh_asks_once_per_poll_and_writes_nothing(world: World) -> None:
    world.shared()
    world.mesh.round(timedelta(minutes=10))
    calls = {m.name: dict(m.connector.calls) for m in (world.rt, world.redmine)}
    for _ in range(60):
        assert world.mesh.round() == 0
    for member in (world.rt, world.redmine):
        spent = {k: v - calls[member.name].get(k, 0) for k, v in member.connector.calls.items()}
        assert {k: v for k, v in spent.items() if v} == {"changes": 60}


def test_a_write_that_somebody_takes_back_at_once_is_no_refusal(world: World) -> None:
    key, _ = world.shared()
    world.mesh.centre.change(1, {"status": "in progress"}, TPM)
    world.mesh.settle()
    world.mesh.centre.change(1, {"status": "solved"}, TPM)

    def intrude(call: Call) -> None:
        if call.operation == "update" and call.done:
            world.rt.connector.intruder = None
            world.alice.comment(key, "it is not solved")  # RT reopens upon that

    world.rt.connector.intruder = intrude
    world.mesh.settle()
    assert world.ticket()["status"] == "reopened"
    assert world.link("ngi-cz").disagreements == {}
