"""Edited, hidden and deleted comments: failure case 19, and what of case 15 is decided when something is sent."""

from dataclasses import replace

import pytest

from central.desk.services.errors import NotAllowed
from central.events import Kind
from central.model import Visibility
from connectors.errors import Transient, Unknown
from sync.simulation.members import REDMINE_LIKE, RT_LIKE
from tests.unit.sync.test_moves import Watched
from tests.unit.sync.world import TPM, World, failing, once

EDITING_RT = replace(RT_LIKE, whole_conversation=True, edit_comments=True, delete_comments=True)
READING_RT = replace(RT_LIKE, whole_conversation=True)
DUMB_REDMINE = replace(REDMINE_LIKE, edit_comments=False, delete_comments=False)


def settled(world: World) -> None:
    """What moved no version is found by the full scan."""
    world.mesh.settle()
    world.mesh.scan()
    assert world.end() == []


def texts(world: World, member, key: str) -> list[str]:
    return [note.text for note in world.issue(member, key).notes]


class TestTheyEdit:
    def test_an_edit_there_is_an_edit_here_and_in_every_other_system(self) -> None:
        world = World()
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "the disk is fool")
        world.mesh.settle()
        world.bob.reword(redmine, said, "the disk is full")
        settled(world)
        (comment,) = world.comments()
        assert comment.text == "the disk is full"
        assert comment.edited_at is not None
        (edit,) = [e for e in world.events() if e.kind is Kind.COMMENT_EDITED]
        assert (edit.data["before"], edit.system) == ("the disk is fool", "ngi-pl")
        first, note = world.said(world.rt, "disk is f", rt)
        assert "the disk is fool" in first.text
        assert 'corrected, in the stead of "the disk is fool":\n\nthe disk is full' in note.text

    def test_where_comments_can_be_edited_no_note_is_needed(self) -> None:
        world = World(rt=EDITING_RT)
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "the disk is fool")
        world.mesh.settle()
        world.bob.reword(redmine, said, "the disk is full\nreally")
        settled(world)
        (copy,) = world.said(world.rt, "the disk", rt)
        assert "the disk is full\nreally" in copy.text
        assert "bob" in copy.text

    def test_a_correction_is_sent_once_whatever_is_asked_later(self) -> None:
        world = World()
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "one")
        world.mesh.settle()
        for text in ("two", "three"):
            world.bob.reword(redmine, said, text)
            settled(world)
        world.alice.edit(rt, status="open")
        settled(world)
        assert len(world.said(world.rt, "corrected", rt)) == 2
        assert 'in the stead of "two":\n\nthree' in world.said(world.rt, "corrected", rt)[1].text

    def test_an_edit_of_our_copy_reaches_the_author_as_a_note(self) -> None:
        world = World()
        rt, redmine = world.shared()
        world.alice.comment(rt, "restart the fridge")
        world.mesh.settle()
        (copy,) = world.said(world.redmine, "fridge", redmine)
        world.bob.reword(redmine, copy.id, copy.text.replace("fridge", "bridge"))
        settled(world)
        assert [c.text for c in world.comments()] == ["restart the bridge"]
        assert len(world.said(world.rt, 'in the stead of "restart the fridge"', rt)) == 1

    def test_a_copy_whose_signature_was_cut_is_kept_as_a_loser_and_written_again(self) -> None:
        world = World()
        rt, redmine = world.shared()
        world.alice.comment(rt, "restart the fridge")
        world.mesh.settle()
        (copy,) = world.said(world.redmine, "fridge", redmine)
        before = copy.text.partition("[interdesk")[0]
        world.bob.reword(redmine, copy.id, "I take this over")
        settled(world)
        assert copy.text.partition("[interdesk")[0] == before
        assert [c.theirs for c in world.conflicts()] == ["I take this over"]
        assert [c.text for c in world.comments()] == ["restart the fridge"]


class TestBothEdit:
    @pytest.mark.parametrize("policy", ["central", "remote"])
    def test_the_policy_decides_and_the_loser_is_kept(self, policy: str) -> None:
        world = World(redmine_policy=policy)
        _, redmine = world.shared()
        said = world.bob.comment(redmine, "first")
        world.mesh.settle()
        world.bob.reword(redmine, said, "theirs")
        world.centre.edit_comment(1, world.comments()[0].id, "ours", TPM)
        settled(world)
        (lost,) = world.conflicts()
        assert (lost.ours, lost.theirs, lost.winner) == ("ours", "theirs", policy)
        assert world.comments()[0].text == ("ours" if policy == "central" else "theirs")
        notes = world.said(world.redmine, "corrected", redmine)
        assert len(notes) == (1 if policy == "central" else 0)

    def test_equal_edits_are_no_conflict(self) -> None:
        world = World()
        _, redmine = world.shared()
        said = world.bob.comment(redmine, "first")
        world.mesh.settle()
        world.bob.reword(redmine, said, "better")
        world.centre.edit_comment(1, world.comments()[0].id, "better", TPM)
        settled(world)
        assert world.conflicts() == []
        assert world.said(world.redmine, "corrected", redmine) == []

    def test_a_person_is_asked_where_the_policy_says_so_and_nothing_is_told_meanwhile(self) -> None:
        world = World(redmine_policy="ask")
        _, redmine = world.shared()
        said = world.bob.comment(redmine, "first")
        world.mesh.settle()
        world.bob.reword(redmine, said, "theirs")
        comment = world.comments()[0]
        world.centre.edit_comment(1, comment.id, "ours", TPM)
        settled(world)
        assert [c.winner for c in world.conflicts()] == ["undecided"]
        assert world.said(world.redmine, "corrected", redmine) == []
        assert "a person decides" in world.link("ngi-pl").disagreements[f"comment {comment.id}"]


class TestTheyDelete:
    def test_a_deletion_is_a_tombstone_here_and_nothing_elsewhere(self) -> None:
        world = World(rt=EDITING_RT)
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "a password")
        world.mesh.settle()
        world.bob.unsay(redmine, said)
        settled(world)
        (tombstone,) = world.comments()
        assert (tombstone.text, tombstone.deleted_at is not None) == ("", True)
        assert [e.data["before"] for e in world.events() if e.kind is Kind.COMMENT_DELETED] == ["a password"]
        assert len(world.said(world.rt, "a password", rt)) == 1

    @pytest.mark.parametrize(
        ("rt", "left"),
        [
            (EDITING_RT, []),
            (replace(EDITING_RT, delete_comments=False), ["[withdrawn by its author]"]),
            (RT_LIKE, ["a password", 'withdrawn by its author: "a password"']),
        ],
    )
    def test_a_policy_lets_it_follow_as_far_as_the_tracker_can(self, rt, left: list[str]) -> None:
        world = World(rt=rt, rt_follows_deletes=True)
        key, redmine = world.shared()
        said = world.bob.comment(redmine, "a password")
        world.alice.comment(key, "untouched")
        world.mesh.settle()
        world.bob.unsay(redmine, said)
        settled(world)
        everything = texts(world, world.rt, key)
        shown = [text for text in everything if "untouched" not in text]
        assert len(shown) == len(left)
        assert all(words in text for words, text in zip(left, shown, strict=True))
        assert len(everything) == len(left) + 1

    def test_our_copy_that_somebody_deleted_is_not_sent_again_and_the_author_keeps_it(self) -> None:
        world = World()
        rt, redmine = world.shared()
        world.alice.comment(rt, "restart the fridge")
        world.mesh.settle()
        (copy,) = world.said(world.redmine, "fridge", redmine)
        world.bob.unsay(redmine, copy.id)
        settled(world)
        (comment,) = world.comments()
        assert comment.deleted_at is None
        assert world.said(world.redmine, "fridge", redmine) == []
        assert world.link("ngi-pl").disagreements == {f"comment {comment.id}": "it was deleted there"}

    def test_what_is_deleted_before_it_was_carried_never_travels(self) -> None:
        world = World()
        rt, _ = world.shared()
        said = world.centre.comment(1, "too early", TPM)
        world.centre.delete_comment(1, said.id, TPM)
        settled(world)
        assert world.said(world.rt, "too early", rt) == []

    def test_a_comment_of_a_third_system_is_never_taken_for_a_deletion(self) -> None:
        world = World(rt=READING_RT)
        rt, redmine = world.shared()
        world.bob.comment(redmine, "of Redmine")
        world.centre.comment(1, "of the centre", TPM)
        world.alice.comment(rt, "of RT")
        settled(world)
        world.alice.edit(rt, status="open")
        settled(world)
        assert [c.deleted_at for c in world.comments()] == [None] * 3

    def test_where_not_all_is_read_absence_proves_nothing(self) -> None:
        world = World()
        rt, redmine = world.shared()
        said = world.alice.comment(rt, "cannot be unsaid")
        world.mesh.settle()
        world.alice.unsay(rt, said)
        world.mesh.settle()
        assert [c.deleted_at for c in world.comments()] == [None]
        assert len(world.said(world.redmine, "cannot be unsaid", redmine)) == 1


class TestItTurnsInternal:
    def test_what_turns_internal_there_is_withdrawn_everywhere(self) -> None:
        world = World(rt=EDITING_RT)
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "the root password is x", files={"keys.txt": b"k"})
        world.mesh.settle()
        world.bob.hide(redmine, said)
        world.mesh.settle()
        world.mesh.scan()
        world.mesh.settle()
        (comment,) = world.comments()
        assert comment.visibility is Visibility.INTERNAL
        (copy,) = [note for note in world.issue(world.rt, rt).notes if note.files]
        assert "root password" not in copy.text
        assert "[withdrawn]" in copy.text
        assert "files of it are still there" in world.link("ngi-cz").disagreements[f"comment {comment.id}"]

    def test_where_it_cannot_be_withdrawn_that_stands_and_is_told_to_nobody_there(self) -> None:
        world = World()
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "the root password is x")
        world.mesh.settle()
        before = texts(world, world.rt, rt)
        world.bob.hide(redmine, said)
        settled(world)
        (comment,) = world.comments()
        assert texts(world, world.rt, rt) == before
        assert "its text is still there" in world.link("ngi-cz").disagreements[f"comment {comment.id}"]

    def test_nothing_of_it_leaves_afterwards(self) -> None:
        world = World(rt=EDITING_RT)
        rt, redmine = world.shared()
        comment = world.centre.comment(1, "public for now", TPM)
        world.mesh.settle()
        world.centre.hide_comment(1, comment.id, TPM)
        world.centre.edit_comment(1, comment.id, "CANARY", TPM)
        world.canaries.append("CANARY")
        settled(world)
        for member, key in ((world.rt, rt), (world.redmine, redmine)):
            assert [t.startswith("[withdrawn]") for t in texts(world, member, key)] == [True]

    def test_what_turns_public_again_is_carried_again(self) -> None:
        world = World(rt=EDITING_RT)
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "not a secret after all")
        world.mesh.settle()
        world.bob.hide(redmine, said)
        settled(world)
        world.bob.show(redmine, said)
        settled(world)
        assert world.comments()[0].visibility is Visibility.PUBLIC
        (copy,) = world.issue(world.rt, rt).notes
        assert "not a secret after all" in copy.text
        assert not world.link("ngi-cz").disagreements

    def test_an_internal_comment_that_turns_public_there_arrives_then(self) -> None:
        world = World()
        rt, redmine = world.shared()
        said = world.bob.comment(redmine, "thinking aloud", internal=True)
        settled(world)
        assert not world.comments()
        world.bob.show(redmine, said)
        world.bob.edit(redmine, subject="and something that moves it")
        settled(world)
        assert len(world.said(world.rt, "thinking aloud", rt)) == 1


class TestAtTheMomentOfSending:
    """Case 15: what may be read is asked when it is sent, not when it was queued."""

    def test_a_comment_that_turns_internal_while_it_waits_is_not_sent(self) -> None:
        world = World()
        rt, _ = world.shared()
        comment = world.centre.comment(1, "CANARY", TPM)
        world.canaries.append("CANARY")
        world.centre.hide_comment(1, comment.id, TPM)
        settled(world)
        assert world.said(world.rt, "CANARY", rt) == []

    def test_a_comment_that_turns_internal_between_reading_and_sending_is_not_sent(self) -> None:
        world = World()
        rt, redmine = world.shared()
        first = world.centre.comment(1, "first", TPM)
        second = world.centre.comment(1, "CANARY", TPM)
        world.canaries.append("CANARY")
        once(world.rt.connector, "comment", lambda _: hide(world, second.id), done=False)
        once(world.redmine.connector, "comment", lambda _: hide(world, second.id), done=False)
        settled(world)
        assert first.id
        assert world.said(world.rt, "CANARY", rt) == []
        assert world.said(world.redmine, "CANARY", redmine) == []

    @pytest.mark.parametrize("steps", range(6))
    def test_one_that_turns_internal_between_any_two_steps_of_a_look_is_told_or_withdrawn_never_left(
        self, steps: int
    ) -> None:
        store = Watched()
        world = World(store=store, rt=EDITING_RT)
        rt, _ = world.shared()
        comment = world.centre.comment(1, "CANARY", TPM)
        sent_before = []

        def act() -> None:
            sent_before.append(len(world.said(world.rt, "CANARY", rt)))
            hide(world, comment.id)

        store.act, store.countdown = act, steps
        settled(world)
        assert world.said(world.rt, "CANARY", rt) == []
        rewords = [d for d in world.rt.tracker.log if d.kind == "reword"]
        assert bool(rewords) == bool(sent_before and sent_before[0])

    def test_one_that_turned_internal_while_its_answer_was_lost_is_withdrawn(self) -> None:
        world = World(rt=EDITING_RT)
        rt, redmine = world.shared()
        comment = world.bob.comment(redmine, "leaving now")

        def hidden(_) -> None:
            world.bob.hide(redmine, comment)
            raise Unknown("the answer is lost")

        once(world.rt.connector, "comment", hidden, done=True)
        world.mesh.settle(rounds=40)
        world.mesh.scan()
        assert world.end() == []
        (copy,) = world.issue(world.rt, rt).notes
        assert "leaving now" not in copy.text


def hide(world: World, comment_id: int) -> None:
    world.centre.hide_comment(1, comment_id, TPM)


class TestFaults:
    @pytest.mark.parametrize("done", [False, True])
    @pytest.mark.parametrize("operation", ["edit_comment", "comment", "fetch"])
    def test_a_lost_answer_makes_no_second_edit_and_no_second_note(self, operation: str, done: bool) -> None:
        world = World(redmine=DUMB_REDMINE, rt=EDITING_RT)
        rt, redmine = world.shared()
        comment = world.centre.comment(1, "first", TPM)
        world.mesh.settle()
        error = Unknown("lost") if done and operation != "fetch" else Transient("down")
        for member in (world.rt, world.redmine):
            once(member.connector, operation, failing(error), done=done)
        world.centre.edit_comment(1, comment.id, "second", TPM)
        world.mesh.settle(rounds=40)
        assert world.end() == []
        assert len(world.said(world.redmine, "corrected", redmine)) == 1
        (copy,) = world.issue(world.rt, rt).notes
        assert "second" in copy.text

    def test_an_edit_whose_answer_was_lost_is_no_edit_of_theirs(self) -> None:
        world = World(rt=EDITING_RT)
        rt, _ = world.shared()
        comment = world.centre.comment(1, "first", TPM)
        world.mesh.settle()
        once(world.rt.connector, "edit_comment", failing(Unknown("lost")), done=True)
        world.centre.edit_comment(1, comment.id, "second", TPM)
        world.mesh.round()
        world.centre.edit_comment(1, comment.id, "third", TPM)
        world.mesh.settle(rounds=40)
        assert world.end() == []
        assert world.conflicts() == []
        (copy,) = world.issue(world.rt, rt).notes
        assert "third" in copy.text

    def test_where_the_tracker_refuses_an_edit_a_note_goes_in_its_stead(self) -> None:
        world = World(rt=EDITING_RT)
        rt, _ = world.shared()
        comment = world.centre.comment(1, "first", TPM)
        world.mesh.settle()
        world.issue(world.rt, rt).notes[0].author = "somebody else"
        world.centre.edit_comment(1, comment.id, "second", TPM)
        world.mesh.settle()
        assert len(world.said(world.rt, "corrected", rt)) == 1


class TestAtTheCentre:
    def test_an_empty_text_and_a_deleted_comment_are_not_edited(self) -> None:
        world = World()
        world.shared()
        comment = world.centre.comment(1, "first", TPM)
        with pytest.raises(NotAllowed, match="needs a text"):
            world.centre.edit_comment(1, comment.id, " \n", TPM)
        world.centre.delete_comment(1, comment.id, TPM)
        with pytest.raises(NotAllowed, match="is deleted"):
            world.centre.edit_comment(1, comment.id, "back", TPM)
        with pytest.raises(LookupError, match="no comment 99"):
            world.centre.edit_comment(1, 99, "x", TPM)

    def test_the_same_text_again_is_nothing(self) -> None:
        world = World()
        world.shared()
        comment = world.centre.comment(1, "first", TPM)
        world.mesh.settle()
        before = len(world.events())
        world.centre.edit_comment(1, comment.id, "first", TPM)
        assert len(world.events()) == before
