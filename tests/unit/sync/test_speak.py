"""Comments and files on their way out: once each, in order, and what is not taken is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from central.delivery import Delivery
from central.desk.services.errors import NotNow
from central.desk.services.tickets import Upload
from central.events import Kind
from central.store.api import Busy
from connectors import marks
from connectors.errors import ProtocolError, Refused, Transient, Unknown
from connectors.memory import WELL_BEHAVED, Call
from sync import doubt
from sync.simulation.members import REDMINE_LIKE, RT_LIKE
from tests.unit.sync.world import TPM, World, failing, once

LOST = Unknown("the answer was lost")


def upload(name: str, content: bytes = b"bytes") -> Upload:
    return Upload(name, "application/octet-stream", [content] if content else [])


def test_a_comment_refused_for_good_is_parked_and_the_later_ones_follow() -> None:
    world = World()
    world.shared()

    def refuse(call: Call) -> None:
        if call.operation == "comment" and not call.done and world.redmine.connector.calls["comment"] == 1:
            raise Refused("Notes is invalid", field="text")

    world.redmine.connector.intruder = refuse
    for words in ("first", "second", "third"):
        world.centre.comment(1, words, TPM)
    assert world.end() == []
    assert [len(world.said(world.redmine, words)) for words in ("first", "second", "third")] == [0, 1, 1]
    assert [len(world.said(world.rt, words)) for words in ("first", "second", "third")] == [1, 1, 1]
    parked = [e for e in world.events() if e.kind is Kind.COMMENT_PARKED]
    assert [(e.system, e.why) for e in parked] == [("ngi-pl", "Notes is invalid")]


def test_comments_go_in_central_order_with_their_authors_and_times() -> None:
    world = World()
    key, other = world.shared()
    for number in range(3):
        world.alice.comment(key, f"alice {number}")
        world.mesh.round()
        world.centre.comment(1, f"tess {number}", TPM)
    assert world.end() == []
    said = [note.text for note in world.issue(world.redmine, other).notes]
    words = [f"{who} {number}" for number in range(3) for who in ("alice", "tess")]
    assert [next(w for w in words if w in text) for text in said] == words
    assert all(who in text for text, who in zip(said, ["alice (ngi-cz", "Tess from TPM (GGUS"] * 3, strict=True))


def test_a_file_that_is_refused_becomes_one_note_and_its_comment_arrives() -> None:
    world = World()
    world.shared()

    def refuse(call: Call) -> None:
        if call.operation == "comment" and not call.done and world.redmine.connector.calls["comment"] == 1:
            raise Refused("this type is not allowed", field="files")

    world.redmine.connector.intruder = refuse
    world.centre.comment(1, "see the file", TPM, files=[upload("virus.exe")])
    assert world.end() == []
    notes = world.said(world.redmine, "see the file")
    assert len(notes) == 1
    assert "'virus.exe'" in notes[0].text
    assert "this type is not allowed" in notes[0].text
    assert notes[0].files == []
    assert [f.name for f in world.said(world.rt, "see the file")[0].files] == ["virus.exe"]


def test_a_file_on_the_ticket_itself_that_is_refused_becomes_one_note() -> None:
    world = World()
    key, _ = world.shared()
    refusals = 0

    def refuse(call: Call) -> None:
        nonlocal refusals
        if call.operation == "comment" and not call.done and not refusals:
            refusals += 1
            raise Refused("this type is not allowed", field="files")

    world.redmine.connector.intruder = refuse
    world.alice.attach(key, "core.dump", b"0123")
    assert world.end() == []
    assert refusals == 1
    assert len(world.said(world.redmine, "core.dump")) == 1


@pytest.mark.parametrize("content", [b"", b"x", b"y" * 300_000], ids=["0 bytes", "1 byte", "300 kB"])
def test_the_same_name_twice_arrives_twice_in_order_with_its_bytes(content: bytes) -> None:
    world = World(rt=WELL_BEHAVED)
    key, other = world.shared()
    world.bob.comment(other, "two of a name", files=[("log.txt", content), ("log.txt", b"second")])
    assert world.end() == []
    files = world.said(world.rt, "two of a name", key)[0].files
    assert [(f.name, f.content) for f in files] == [("log.txt", content), ("log.txt", b"second")]


@pytest.mark.parametrize("member", ["rt", "redmine"])
@pytest.mark.parametrize("offset", [0, 500], ids=["on the second", "half a second later"])
def test_a_comment_whose_mark_was_edited_away_before_its_answer_came_is_not_sent_again(
    member: str, offset: int
) -> None:
    world = World()
    world.shared()
    world.clock.advance(timedelta(milliseconds=offset))
    target = world.rt if member == "rt" else world.redmine

    def erase(call: Call) -> None:
        note = world.issue(target).notes[-1]
        target.tracker.person("editor").reword(call.key, note.id, note.text.rsplit("[interdesk", 1)[0])
        raise LOST

    once(target.connector, "comment", erase, done=True)
    world.centre.comment(1, "first line\nsecond line", TPM)
    assert world.end() == []
    assert len(world.said(target, "first line")) == 1
    assert len(world.comments()) == 1


def test_a_comment_reworded_beyond_recognition_before_its_answer_came_waits_for_a_person() -> None:
    world = World()
    world.shared()

    def reword(call: Call) -> None:
        note = world.issue(world.redmine).notes[-1]
        world.bob.reword(call.key, note.id, "quite another text")
        raise LOST

    once(world.redmine.connector, "comment", reword, done=True)
    world.centre.comment(1, "the original", TPM)
    for _ in range(10):
        world.mesh.round()
    assert len(world.issue(world.redmine).notes) == 1
    assert len(world.comments()) == 1
    assert ["deadletter settle LETTER --there ID" in d.error for d in world.dead()] == [True]


def in_doubt() -> tuple[World, Delivery, str]:
    """A comment whose answer was lost and that somebody reworded there: the letter, and its id there."""
    world = World()
    world.shared()

    def reword(call: Call) -> None:
        note = world.issue(world.redmine).notes[-1]
        world.bob.reword(call.key, note.id, "quite another text")
        raise LOST

    once(world.redmine.connector, "comment", reword, done=True)
    world.centre.comment(1, "the original", TPM)
    for _ in range(10):
        world.mesh.round()
    (letter,) = world.dead()
    return world, letter, world.issue(world.redmine).notes[-1].id


def settle(world: World, letter: Delivery, there: str | None) -> None:
    doubt.settle(world.mesh.means, world.mesh.gateways, letter.id, "ada", there=there)


def test_a_person_says_which_comment_there_is_ours_and_it_is_never_sent_again() -> None:
    world, letter, there = in_doubt()
    settle(world, letter, there)
    assert world.end() == []
    assert (world.dead(), world.link("ngi-pl").intents) == ([], ())
    assert [c.text for c in world.comments()] == ["the original"]
    (note,) = world.issue(world.redmine).notes
    assert "the original" in note.text, "it is Tess's, so what bob made of it is set back"
    (entry,) = world.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("ada", "settle a comment", f"dead letter {letter.id}")
    assert entry.data["there"] == there
    told = [(each.kind, each.why) for each in world.events()]
    assert (Kind.COMMENT_SENT, "ada says that this comment there is ours") in told
    assert [each.theirs for each in world.conflicts()] == ["quite another text"], "and kept"


def test_a_person_says_that_none_of_them_is_ours_and_it_is_sent_once_more() -> None:
    world, letter, _ = in_doubt()
    settle(world, letter, None)
    assert world.end() == []
    assert len(world.said(world.redmine, "the original")) == 1
    assert sorted(c.text for c in world.comments()) == ["quite another text", "the original"]


def test_only_a_comment_that_may_be_ours_is_taken_for_it() -> None:
    world, letter, there = in_doubt()
    world.bob.comment(world.link("ngi-pl").key or "", "said by bob")
    said = world.issue(world.redmine).notes[-1].id
    for wrong in (said, "nothing"):
        with pytest.raises(NotNow, match=f"there are {there}$"):
            settle(world, letter, wrong)
    assert [each.id for each in world.dead()] == [letter.id]


def test_a_letter_that_waits_for_no_answer_is_not_settled() -> None:
    world = World()
    world.shared()

    def riddle(call: Call) -> None:
        if call.operation == "update" and not call.done:
            raise ProtocolError("it answers in riddles")

    world.redmine.connector.intruder = riddle
    world.centre.change(1, {"subject": "B"}, TPM)
    for _ in range(8):
        world.mesh.round()
    (letter,) = world.dead()
    with pytest.raises(NotNow, match="retry it, or discard it"):
        settle(world, letter, None)


def test_while_its_ticket_is_looked_at_nothing_is_settled() -> None:
    world, letter, there = in_doubt()
    term = timedelta(minutes=5)
    world.store.write(lambda tx: tx.outbox.take("ngi-pl/ticket/1", "a lane", world.clock(), ttl=term))
    with pytest.raises(Busy, match="say it again"):
        settle(world, letter, there)
    assert [each.id for each in world.dead()] == [letter.id]


def test_a_comment_that_executes_after_its_deadline_is_shown_as_a_duplicate_and_goes_nowhere() -> None:
    world = World()
    _, other = world.shared()
    sent: list[str] = []

    def lose(call: Call) -> None:
        sent.append(call.key)
        raise LOST

    once(world.redmine.connector, "comment", lose, done=False)
    world.centre.comment(1, "late", TPM)
    world.mesh.work()
    token = next(i.token for i in world.link("ngi-pl").intents if i.text)
    world.mesh.settle(30)
    world.redmine.tracker.comment("interdesk", other, f"Tess: late\n\n[interdesk {token}]")
    world.mesh.settle()
    world.bob.comment(other, "said after it")
    world.mesh.settle()
    assert [c.text for c in world.comments()] == ["late", "said after it"]
    assert len(world.said(world.rt, "late")) == 1
    assert [e.kind for e in world.events()].count(Kind.DUPLICATE_SEEN) == 1


def test_a_comment_that_executes_once_more_before_its_side_effect_was_read_is_a_duplicate_all_the_same() -> None:
    world = World(rt=WELL_BEHAVED)
    key = world.alice.open(subject="q", status="open")
    world.mesh.settle()

    def again(_: Call) -> None:
        world.rt.tracker.comment("interdesk", key, world.issue(world.rt, key).notes[-1].text)

    once(world.rt.connector, "comment", again, done=True)
    world.centre.comment(1, "said twice", TPM)
    world.mesh.settle(30)
    assert len(world.said(world.rt, "said twice")) == 2
    assert len(world.comments()) == 1
    assert Kind.DUPLICATE_SEEN in {e.kind for e in world.events()}
    assert world.dead() == []


@pytest.mark.parametrize("well_behaved", [False, True])
def test_an_edit_that_looks_like_the_side_effect_of_our_comment_is_an_edit(well_behaved: bool) -> None:
    world = World(rt=WELL_BEHAVED) if well_behaved else World()
    key, _ = world.shared()
    world.centre.change(1, {"status": "solved"}, TPM)
    world.mesh.work()
    world.alice.edit(key, status="open")
    world.clock.advance(timedelta(seconds=1))
    world.centre.comment(1, "a word on the solution", TPM)
    world.mesh.work()
    assert world.end() == []
    assert world.ticket()["status"] == "reopened"


@pytest.mark.parametrize("telling", [True, False], ids=["history", "no history"])
def test_a_ticket_of_ours_that_their_comment_reopened_is_not_closed_again_because_ours_follows(telling: bool) -> None:
    world = World(rt=replace(RT_LIKE, history=telling))
    world.bob.open(subject="first")
    world.mesh.settle()
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    world.centre.change(1, {"status": "solved"}, TPM)
    world.mesh.settle()
    world.alice.comment("1", "it still fails")
    assert world.issue(world.rt).fields["status"] == "open"
    world.clock.advance(timedelta(minutes=1))
    world.centre.comment(1, "a word on the solution", TPM)
    world.mesh.work()
    assert world.end() == []
    assert world.ticket()["status"] == "reopened"


def test_an_edit_that_our_comment_undoes_right_after_a_create_is_kept() -> None:
    world = World()
    world.bob.open(subject="first")
    world.mesh.settle()
    world.centre.comment(1, "word", TPM)
    once(world.rt.connector, "create", failing(LOST), done=True)
    world.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    world.mesh.work()
    world.alice.edit("1", status="new")
    assert world.end() == []
    assert [c.theirs for c in world.conflicts()] == ["new"]


def test_an_outage_in_the_middle_of_a_conversation_delays_it_and_repeats_nothing() -> None:
    world = World()
    world.shared()
    for words in ("one", "two", "three"):
        world.centre.comment(1, words, TPM)
    calls = 0

    def flaky(call: Call) -> None:
        nonlocal calls
        if call.operation == "comment" and not call.done:
            calls += 1
            if calls % 2:
                raise Transient("busy")

    world.redmine.connector.intruder = flaky
    world.mesh.settle(40)
    world.redmine.connector.intruder = None
    assert world.end() == []
    assert [n.text.split("\n\n")[1] for n in world.issue(world.redmine).notes] == ["one", "two", "three"]


def test_a_refused_file_is_noted_once_though_the_answer_to_the_note_was_lost() -> None:
    world = World()
    key, _ = world.shared()

    def refuse(call: Call) -> None:
        if call.operation == "comment" and not call.done and world.redmine.connector.calls["comment"] in (1, 3):
            raise Refused("this type is not allowed", field="files")
        if call.operation == "comment" and call.done and world.redmine.connector.calls["comment"] == 2:
            raise LOST

    world.redmine.connector.intruder = refuse
    world.alice.attach(key, "core.dump", b"0123")
    assert world.end(40) == []
    assert len(world.said(world.redmine, "core.dump")) == 1


def test_a_file_that_is_not_taken_is_noted_once_though_the_answer_was_lost() -> None:
    world = World(redmine=replace(REDMINE_LIKE, files=False))
    key, _ = world.shared()
    world.alice.attach(key, "log.txt", b"bytes")
    once(world.redmine.connector, "comment", failing(LOST), done=True)
    assert world.end() == []
    assert len(world.said(world.redmine, "log.txt")) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("refused", [False, True], ids=["a file of the ticket", "a note about a refused file"])
def test_what_we_post_that_is_nobodys_comment_is_never_read_back_though_its_mark_is_taken_away(
    refused: bool, lost: bool
) -> None:
    world = World()
    _, other = world.shared()
    calls = world.redmine.connector.calls

    def interfere(call: Call) -> None:
        if call.operation != "comment":
            return
        if refused and not call.done and calls["comment"] in (1, 3):
            raise Refused("this type is not allowed", field="files")
        if lost and call.done and calls["comment"] == 1 + refused:
            raise LOST

    world.redmine.connector.intruder = interfere
    world.centre.attach(1, upload("trace.log"), TPM)
    world.mesh.settle(40)
    (note,) = world.issue(world.redmine).notes
    world.bob.comment(other, "before")
    world.mesh.settle()
    world.bob.reword(other, note.id, note.text.rsplit("[interdesk", 1)[0])
    world.bob.comment(other, "after")
    world.mesh.settle()
    assert [c.text for c in world.comments()] == ["before", "after"]
    assert Kind.DUPLICATE_SEEN not in {e.kind for e in world.events()}


def test_two_files_of_one_comment_that_are_not_taken_are_both_noted() -> None:
    world = World(redmine=replace(REDMINE_LIKE, files=False))
    world.shared()
    world.centre.comment(1, "see both", TPM, files=[upload("one.txt"), upload("two.txt")])
    world.mesh.work()
    assert world.dead() == []
    noted = [event.data["file"] for event in world.events() if event.kind is Kind.FILE_NOTED]
    assert noted == ["one.txt", "two.txt"]
    assert world.end() == []


def test_two_systems_in_conflict_agree_on_one_value_and_keep_the_other() -> None:
    world = World(rt_policy="remote", redmine_policy="remote")
    key, other = world.shared()
    world.alice.edit(key, subject="alice's")
    world.bob.edit(other, subject="bob's")
    assert world.end() == []
    subjects = {world.issue(m, k).fields["subject"] for m, k in ((world.rt, key), (world.redmine, other))}
    assert len(subjects) == 1
    lost = {"alice's", "bob's"} - subjects
    assert {c.theirs for c in world.conflicts()} | {c.ours for c in world.conflicts()} >= lost


def test_a_transient_failure_before_the_work_leaves_no_open_intent() -> None:
    world = World()
    world.shared()
    once(world.redmine.connector, "comment", failing(Transient("connection refused")), done=False)
    world.centre.comment(1, "word", TPM)
    world.mesh.work()
    assert world.link("ngi-pl").intents == ()
    assert world.end() == []
    assert len(world.said(world.redmine, "word")) == 1


def test_what_a_late_duplicate_of_our_comment_does_to_a_field_is_undone_and_no_edit_of_anybody() -> None:
    world = World()
    key, _ = world.shared()
    world.centre.comment(1, "late", TPM)
    world.mesh.settle()
    said = world.said(world.rt, "late")[0]
    world.alice.edit(key, status="resolved")
    world.mesh.settle()
    assert world.ticket()["status"] == "solved"
    world.rt.tracker.comment("interdesk", key, said.text)  # it executes now, later than any request may
    assert world.issue(world.rt).fields["status"] == "open"
    assert [each for each in world.end() if "late" not in each] == []
    assert world.ticket()["status"] == "solved"
    assert world.issue(world.rt).fields["status"] == "resolved"


def test_an_edit_that_a_late_duplicate_of_our_comment_hides_is_taken_in() -> None:
    world = World()
    key, _ = world.shared()
    world.centre.comment(1, "late", TPM)
    world.mesh.settle()
    said = world.said(world.rt, "late")[0]
    world.alice.edit(key, status="resolved")
    world.rt.tracker.comment("interdesk", key, said.text)  # before anybody has read that it is resolved
    assert [each for each in world.end() if "late" not in each] == []
    assert world.ticket()["status"] == "solved"
    assert world.issue(world.rt).fields["status"] == "resolved"


def test_who_sets_back_what_a_late_comment_of_ours_did_is_kept_where_our_write_follows_before_anybody_read_it() -> None:
    world = World(rt=replace(RT_LIKE, preconditions=False))
    key, _ = world.shared()
    world.centre.comment(1, "late", TPM)
    world.mesh.settle()
    said = world.said(world.rt, "late")[0]
    world.alice.edit(key, status="resolved")
    world.mesh.settle()

    def between(_: Call) -> None:
        world.rt.tracker.comment("interdesk", key, said.text)  # it executes now, and reopens
        world.alice.edit(key, status="resolved")

    once(world.rt.connector, "update", between, done=False)
    world.centre.change(1, {"status": "reopened"}, TPM)
    assert [each for each in world.end() if "late" not in each] == []
    assert any((c.field, c.theirs) == ("status", "resolved") for c in world.conflicts())


def test_what_a_comment_will_do_there_starts_from_what_is_read_before_it_arrives() -> None:
    world = World()
    key, _ = world.shared()
    world.centre.change(1, {"status": "in progress"}, TPM)
    world.mesh.settle()
    once(world.rt.connector, "comment", failing(LOST), done=False)
    world.centre.comment(1, "are you content?", TPM)  # of a ticket that is open
    world.mesh.work()
    text = world.said(world.redmine, "are you content?")[0].text.rsplit("\n", 1)[0]
    token = next(i.token for i in world.link("ngi-cz").intents)
    world.alice.edit(key, status="resolved")
    world.clock.advance(timedelta(seconds=5))
    world.mesh.poll()
    world.mesh.work()
    assert world.ticket()["status"] == "solved"
    world.rt.tracker.comment("interdesk", key, marks.stamp(text, token))  # it executes now, and reopens
    assert world.end() == []
    assert world.ticket()["status"] == "solved"
    assert world.rt.tracker.issue(key).fields["status"] == "resolved"


def test_a_comment_that_has_not_arrived_has_done_nothing_to_a_field_yet() -> None:
    world = World()
    key, _ = world.shared()
    world.centre.change(1, {"status": "solved"}, TPM)
    world.mesh.settle()
    world.alice.edit(key, status="open")  # what a comment of ours would make of it
    once(world.rt.connector, "comment", failing(LOST), done=False)
    world.centre.comment(1, "are you content?", TPM)
    world.mesh.work()
    assert world.end() == []
    assert world.ticket()["status"] == "reopened"
