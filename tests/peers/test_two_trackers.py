"""One ticket, two real helpdesks: stories over a real RT and a real Redmine, and the five laws after each."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from central.link import LinkState
from central.store.api import Transaction
from tests.peers.live import REDMINE, RT, TPM, LiveMesh
from tests.peers.people import Attached
from tests.peers.sites import RedmineSite, RtSite

pytestmark = pytest.mark.peer


@pytest.fixture
def mesh(tmp_path: Path, rt: RtSite, redmine: RedmineSite) -> Iterator[LiveMesh]:
    opened = LiveMesh(tmp_path, rt, redmine)
    yield opened
    opened.close()


def test_a_ticket_travels_from_rt_through_the_centre_to_redmine_and_back(mesh: LiveMesh) -> None:
    key, other = mesh.shared(priority="75")
    issue = mesh.redmine.agent.fields(other)
    assert issue["subject"] == "CE refuses jobs ✓"
    assert issue["description"] == "since this morning\nsecond line"
    assert (issue["priority"], issue["status"]) == ("Urgent", "New")
    mesh.redmine.agent.reply(other, "we look at it\nat once")
    mesh.redmine.agent.set(other, status="In Progress", priority="Immediate", subject="CE refuses all jobs")
    mesh.settle()
    assert any("we look at it\nat once" in c.text and not c.internal for c in mesh.rt.agent.comments(key))
    assert {k: mesh.rt.agent.fields(key)[k] for k in ("subject", "status", "priority")} == {
        "subject": "CE refuses all jobs",
        "status": "open",
        "priority": "100",
    }
    mesh.rt.agent.reply(key, "thank you")
    mesh.redmine.agent.set(other, status="Resolved")
    mesh.settle()
    assert mesh.ticket()["status"] == "solved"
    assert mesh.rt.agent.fields(key)["status"] == "resolved"
    mesh.rt.agent.set(key, status="open")
    mesh.settle()
    assert mesh.ticket()["status"] == "reopened"
    assert mesh.redmine.agent.fields(other)["status"] == "In Progress"
    assert mesh.broken_laws() == []


def test_a_ticket_opened_in_redmine_reaches_rt(mesh: LiveMesh) -> None:
    key = mesh.redmine.agent.open("disk full", "on node 7", priority="High")
    mesh.round()
    mesh.desk.centre.change(1, {"unit": "NGI_RT"}, TPM)
    mesh.settle()
    other = mesh.link(RT).key
    fields = mesh.rt.agent.fields(other)
    assert (fields["subject"], fields["description"], fields["status"]) == ("disk full", "on node 7", "open")
    mesh.rt.agent.set(other, owner="agent")
    mesh.settle()
    assert mesh.redmine.agent.fields(key)["owner"] == "agent"
    assert mesh.broken_laws() == []


def test_internal_words_never_leave_their_tracker(mesh: LiveMesh) -> None:
    key, other = mesh.shared()
    mesh.rt.agent.comment_internal(key, "CANARY-RT-1", files=[Attached("CANARY-RT-2.txt", b"CANARY-RT-3")])
    mesh.redmine.agent.comment_internal(other, "CANARY-REDMINE-1")
    mesh.desk.centre.comment(1, "the centre knows", TPM, internal=True)
    mesh.rt.agent.reply(key, "in public")
    mesh.redmine.agent.reply(other, "in public too")
    mesh.settle()
    assert any("in public" in c.text for c in mesh.redmine.agent.comments(other))
    for person, there in ((mesh.rt.agent, key), (mesh.redmine.agent, other)):
        assert not any("the centre knows" in c.text for c in person.comments(there))
    canaries = ("CANARY-RT-1", "CANARY-RT-2", "CANARY-RT-3", "CANARY-REDMINE-1")
    assert mesh.broken_laws(canaries=canaries) == []


FILES = [
    Attached("one.bin", b"\x00"),
    Attached("same.txt", b"first"),
    Attached("same.txt", b"second"),
    Attached("日本語 naïve.dat", bytes(range(256)) * 4),
    Attached("five.bin", bytes(range(251)) * (5 * 1024 * 1024 // 251)),
]


@pytest.mark.parametrize("source", [RT, REDMINE])
def test_files_arrive_exactly(mesh: LiveMesh, source: str) -> None:
    key, other = mesh.shared()
    here, there = (key, other) if source == RT else (other, key)
    target = REDMINE if source == RT else RT
    mesh.person(source).reply(here, "see the files", files=[*FILES, Attached("empty.txt", b"")])
    mesh.settle()
    arrived = sorted((f.name, f.content) for f in mesh.person(target).files(there) if f.name != "empty.txt")
    assert arrived == sorted((f.name, f.content) for f in FILES)
    empty = [f for f in mesh.person(target).files(there) if f.name == "empty.txt"]
    noted = [c for c in mesh.person(target).comments(there) if "empty.txt" in c.text]
    assert len(empty) + len(noted) == 1
    assert mesh.broken_laws() == []


def test_a_silent_refusal_stands_with_its_reason_and_is_not_tried_again(mesh: LiveMesh) -> None:
    key, _ = mesh.shared()
    mesh.desk.centre.change(1, {"status": "in progress"}, TPM)
    mesh.settle()
    mesh.desk.centre.change(1, {"status": "unsolved", "priority": "top priority"}, TPM)
    mesh.settle()
    reason = mesh.link(RT).disagreements["status"]
    assert "can't change status from 'open' to 'rejected'" in reason
    assert mesh.rt.agent.fields(key)["priority"] == "100"
    assert "status" in mesh.link(REDMINE).disagreements
    assert mesh.broken_laws() == []


def test_edits_on_both_sides_have_one_winner_and_a_kept_loser(mesh: LiveMesh) -> None:
    key, other = mesh.shared()
    mesh.rt.agent.set(key, subject="said in RT")
    mesh.redmine.agent.set(other, subject="said in Redmine")
    mesh.settle()
    assert mesh.rt.agent.fields(key)["subject"] == mesh.redmine.agent.fields(other)["subject"]
    assert len(mesh.conflicts()) == 1
    assert mesh.broken_laws() == []


def test_rts_opening_on_our_correspondence_causes_no_traffic(mesh: LiveMesh) -> None:
    key = mesh.rt.agent.open("quiet", "please")
    mesh.settle()
    mesh.desk.centre.comment(1, "we have it", TPM)
    mesh.settle()
    assert mesh.rt.agent.fields(key)["status"] == "open"
    assert mesh.ticket()["status"] == "new"
    assert mesh.broken_laws() == []


def test_an_idle_hour_is_one_cheap_poll_a_minute(mesh: LiveMesh) -> None:
    mesh.shared()
    mesh.settle()
    mesh.round(timedelta(minutes=10))
    begun = {name: len(mesh.site(name).asked()) for name in (RT, REDMINE)}
    for _ in range(60):
        mesh.clock.added += timedelta(minutes=1)
        mesh.poll()
        assert mesh.work() == 0
    for name in (RT, REDMINE):
        asked = mesh.site(name).asked()[begun[name] :]
        assert [a.method for a in asked] == ["GET"] * 60


def test_reassigned_away_and_back_the_link_is_detached_with_one_notice_and_merged(mesh: LiveMesh) -> None:
    key, other = mesh.shared()
    mesh.desk.centre.change(1, {"unit": "TPM"}, TPM)
    mesh.settle()
    assert mesh.link(REDMINE).state is LinkState.DETACHED
    assert sum("no longer synchronised" in c.text for c in mesh.redmine.agent.comments(other)) == 1
    mesh.redmine.agent.set(other, subject="went on alone")
    mesh.rt.agent.set(key, priority="100")
    mesh.settle()
    assert mesh.ticket()["subject"] == "CE refuses jobs ✓"
    mesh.desk.centre.change(1, {"unit": "NGI_REDMINE"}, TPM)
    mesh.settle()
    assert mesh.ticket()["subject"] == "went on alone"
    assert mesh.redmine.agent.fields(other)["priority"] == "Immediate"
    assert mesh.broken_laws() == []


def test_a_ticket_deleted_in_rt_is_a_lost_link_and_nothing_is_deleted_here(mesh: LiveMesh) -> None:
    key = mesh.rt.agent.open("a mistake", "please forget")
    mesh.settle()
    mesh.rt.agent.delete(key)  # its lifecycle allows that of a new ticket only
    mesh.settle()
    mesh.scan()
    mesh.settle()
    assert mesh.link(RT).state is LinkState.LOST
    assert mesh.ticket()["status"] == "new"


def test_a_ticket_deleted_in_redmine_is_a_lost_link_and_nothing_is_deleted_elsewhere(mesh: LiveMesh) -> None:
    key, other = mesh.shared()
    mesh.redmine.agent.delete(other)
    mesh.desk.centre.comment(1, "anybody there?", TPM)
    mesh.settle()
    assert mesh.link(REDMINE).state is LinkState.LOST
    assert any("anybody there?" in c.text for c in mesh.rt.agent.comments(key))
    assert mesh.broken_laws() == []


@pytest.mark.parametrize("down", [RT, REDMINE])
def test_an_outage_of_a_tracker_delays_and_loses_nothing(mesh: LiveMesh, down: str) -> None:
    key, other = mesh.shared()
    up = REDMINE if down == RT else RT
    here, there = (key, other) if up == RT else (other, key)
    with mesh.site(down).outage():
        mesh.person(up).reply(here, "while the other one is away")
        mesh.person(up).set(here, subject="changed while away")
        for _ in range(3):
            mesh.round()
    mesh.settle(20)
    assert sum("while the other one is away" in c.text for c in mesh.person(down).comments(there)) == 1
    assert mesh.person(down).fields(there)["subject"] == "changed while away"
    assert mesh.broken_laws() == []


def test_ten_rapid_edits_on_each_side_settle_in_bounded_messages(mesh: LiveMesh) -> None:
    key, other = mesh.shared()
    begun = {name: len(mesh.site(name).asked()) for name in (RT, REDMINE)}
    for number in range(10):
        mesh.rt.agent.set(key, subject=f"rt {number}")
        mesh.redmine.agent.set(other, subject=f"redmine {number}")
        if number == 4:
            mesh.round()
    mesh.settle()
    for name in (RT, REDMINE):
        writes = [
            a for a in mesh.site(name).asked()[begun[name] :] if a.method != "GET" and a.user == mesh.site(name).user
        ]
        assert len(writes) <= 6
    assert mesh.broken_laws() == []


def test_the_same_with_the_account_living_in_kolkata(tmp_path: Path, rt: RtSite, redmine: RedmineSite) -> None:
    with rt.timezone("Asia/Kolkata"):
        mesh = LiveMesh(tmp_path, rt, redmine)
        try:
            key, other = mesh.shared()
            rt.agent.reply(key, "is anybody awake?")
            redmine.agent.set(other, status="In Progress")
            mesh.settle()
            assert any("is anybody awake?" in c.text for c in redmine.agent.comments(other))
            begun = len(rt.asked())
            mesh.clock.added += timedelta(minutes=30)
            mesh.poll()
            assert mesh.work() == 0
            assert len(rt.asked()) == begun + 1
            assert mesh.broken_laws() == []
        finally:
            mesh.close()


def test_a_forged_token_gains_nothing(mesh: LiveMesh) -> None:
    _, other = mesh.shared()
    token = mesh.redmine.agent.fields(other)["external_id"]
    forged = mesh.redmine.agent.open("forged", "let me in", external_id=token)
    mesh.settle()
    assert mesh.link(REDMINE).key == other
    assert mesh.link_of(REDMINE, forged).ticket_id != 1
    assert mesh.ticket()["subject"] == "CE refuses jobs ✓"


def _by_us(mesh: LiveMesh, system: str, begun: int) -> list[str]:
    site = mesh.site(system)
    return [f"{a.method} {a.path.partition('?')[0]}" for a in site.asked()[begun:] if a.user == site.user]


@pytest.mark.parametrize("system", [RT, REDMINE])
def test_writing_costs_few_requests(mesh: LiveMesh, system: str) -> None:
    mesh.shared()
    mesh.settle()
    begun = len(mesh.site(system).asked())
    mesh.desk.centre.change(1, {"subject": "one field"}, TPM)
    mesh.work()
    assert len(_by_us(mesh, system, begun)) <= 3
    mesh.settle()
    begun = len(mesh.site(system).asked())
    mesh.desk.centre.comment(1, "a comment", TPM)
    mesh.desk.centre.change(1, {"subject": "and a field"}, TPM)
    mesh.work()
    assert len(_by_us(mesh, system, begun)) <= 4


def test_reading_a_comment_from_rt_costs_the_ticket_its_history_and_its_parts(mesh: LiveMesh) -> None:
    key, _ = mesh.shared()
    mesh.settle()
    mesh.rt.agent.reply(key, "one word", files=[Attached("a.txt", b"a"), Attached("b.txt", b"b")])
    begun = len(mesh.rt.asked())
    mesh.round()
    asked = [path for path in _by_us(mesh, RT, begun) if "/tickets" not in path and "/transactions" not in path]
    assert len(asked) <= 2 + 2 + 2


@pytest.mark.parametrize("system", [RT, REDMINE])
def test_a_hint_about_a_ticket_of_a_place_that_is_not_registered_gains_nothing(mesh: LiveMesh, system: str) -> None:
    elsewhere = mesh.person(system).open("a matter of another queue", "not for the mesh", place="ggus")

    def hint(tx: Transaction) -> None:
        mesh.means.relay.owe_inward(tx, system, elsewhere, mesh.clock(), reason="a webhook named it")

    mesh.desk.store.write(hint)
    mesh.settle()
    assert mesh.desk.store.read(lambda tx: tx.tickets.count()) == 0
    assert mesh.owed() == []
