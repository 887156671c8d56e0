"""What is new in a conversation there, and what of ours is still to be sent."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from central.link import Intent, IntentKind, Link, LinkState
from central.model import Attachment, Comment, Person, Visibility
from sync.discussion import Item, arrivals, fit, token_of, unsent
from sync.echo import Mark
from sync.tokens import Tokens

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ANN = Person("ann", "Ann")


def mark(mark_id: str, *, own: bool = False, token: str | None = None, text: str = "words") -> Mark:
    return Mark(mark_id, token, own, text, AT)


def saying(token: str, text: str = "words", *, kind: IntentKind = IntentKind.COMMENT) -> Intent:
    return Intent(kind, token, AT, text=text, comment_id=1)


def link(*intents: Intent) -> Link:
    return Link(1, 1, "rt", LinkState.ACTIVE, key="7", intents=intents)


NOTHING_KNOWN: frozenset[str] = frozenset()


# -- what arrived --------------------------------------------------------------------------------------------------


def test_what_people_said_there_is_new_in_their_order() -> None:
    found = arrivals(link(), [mark("1"), mark("2")], NOTHING_KNOWN)
    assert (found.new, found.landed, found.duplicates) == (("1", "2"), {}, ())


def test_a_known_comment_is_never_looked_at_again() -> None:
    found = arrivals(link(saying("T1")), [mark("1", own=True, token="T1")], frozenset({"1"}))
    assert (found.new, found.landed, found.duplicates) == ((), {}, ())


def test_our_comment_of_an_open_intent_is_recognised_by_its_token() -> None:
    intent = saying("T1")
    found = arrivals(link(intent), [mark("5", own=True, token="T1", text="reworded")], NOTHING_KNOWN)
    assert (found.new, found.landed) == ((), {"5": intent})


def test_a_second_comment_with_the_same_token_is_a_duplicate() -> None:
    intent = saying("T1")
    twins = [mark("5", own=True, token="T1"), mark("6", own=True, token="T1")]
    found = arrivals(link(intent), twins, NOTHING_KNOWN)
    assert (found.landed, found.duplicates, found.new) == ({"5": intent}, ("6",), ())


def test_a_late_comment_of_a_closed_intent_is_a_duplicate() -> None:
    found = arrivals(link(), [mark("6", own=True, token="T1")], NOTHING_KNOWN)
    assert (found.duplicates, found.new) == (("6",), ())


def test_a_person_who_copies_our_token_has_said_something_new() -> None:
    found = arrivals(link(saying("T1")), [mark("6", token="T1")], NOTHING_KNOWN)
    assert (found.new, found.landed) == (("6",), {})


def test_our_comment_is_recognised_by_its_text_where_the_token_was_edited_away() -> None:
    intent = saying("T1", "first line\nsecond line")
    edited = mark("5", own=True, text="first line\r\nsecond line  \r\n\r\n")
    found = arrivals(link(intent), [edited], NOTHING_KNOWN)
    assert (found.landed, found.new) == ({"5": intent}, ())


def test_the_token_goes_before_the_text() -> None:
    first, second = saying("T1"), saying("T2")
    marks = [mark("5", own=True), mark("6", own=True, token="T1")]
    found = arrivals(link(first, second), marks, NOTHING_KNOWN)
    assert found.landed == {"6": first, "5": second}


def test_an_unmarked_comment_of_our_account_is_left_to_a_person_while_a_comment_of_ours_is_awaited() -> None:
    waiting = link(saying("T1", "first"))
    reworded = [mark("5", own=True, text="reworded")]
    two = [mark("5", own=True, text="first"), mark("6", own=True, text="first")]
    assert arrivals(waiting, reworded, NOTHING_KNOWN).doubtful == ("5",)
    assert arrivals(waiting, two, NOTHING_KNOWN).doubtful == ("5", "6")
    assert arrivals(link(), reworded, NOTHING_KNOWN).new == ("5",)


def test_what_is_still_to_be_sent_and_is_there_already_is_known_as_sent_and_its_twin_as_a_duplicate() -> None:
    next_one = saying("T1")
    marks = [mark("5", own=True, token="T1"), mark("6", own=True, token="T1"), mark("7", token="T1")]
    found = arrivals(link(), marks, NOTHING_KNOWN, {"T1": next_one})
    assert (found.landed, found.duplicates, found.new) == ({"5": next_one}, ("6",), ("7",))


@pytest.mark.parametrize(
    "intent",
    [Intent(IntentKind.COMMENT, "T1", AT, text="words", done=True), Intent(IntentKind.UPDATE, "T1", AT)],
    ids=["it was settled", "it writes fields"],
)
def test_an_unmarked_comment_of_our_account_is_new_while_no_comment_of_ours_is_awaited(intent: Intent) -> None:
    found = arrivals(link(intent), [mark("5", own=True, text="typed by hand")], NOTHING_KNOWN)
    assert (found.new, found.doubtful) == (("5",), ())


def test_another_persons_same_words_are_not_ours() -> None:
    found = arrivals(link(saying("T1")), [mark("5")], NOTHING_KNOWN)
    assert (found.landed, found.new) == ({}, ("5",))


def test_an_intent_to_write_fields_is_no_evidence_for_a_comment() -> None:
    update = Intent(IntentKind.UPDATE, "T1", AT, text="words")
    assert arrivals(link(update), [mark("5", own=True)], NOTHING_KNOWN).landed == {}


# -- what is to be sent --------------------------------------------------------------------------------------------


def comment(comment_id: int, *, origin: str | None = None, internal: bool = False) -> Comment:
    visibility = Visibility.INTERNAL if internal else Visibility.PUBLIC
    return Comment(
        comment_id, 1, ANN, f"comment {comment_id}", visibility, AT, origin, f"o{comment_id}" if origin else None
    )


def file(
    file_id: int, on: int | None = None, *, size: int = 3, internal: bool = False, origin: str | None = None
) -> Attachment:
    visibility = Visibility.INTERNAL if internal else Visibility.PUBLIC
    return Attachment(file_id, 1, on, f"file-{file_id}", "text/plain", size, "00", visibility, AT, origin)


def labels(items: tuple[Item, ...]) -> list[str]:
    return [item.label for item in items]


def test_everything_unsent_goes_in_central_order_with_its_files() -> None:
    items = unsent(
        "rt", [comment(1), comment(2, origin="redmine")], [file(10, 2), file(11)], {}, {}, share_internal=False
    )
    assert labels(items) == ["file 'file-11'", "comment 1", "comment 2"]
    assert [f.id for f in items[2].files] == [10]


def test_what_is_tied_parked_or_theirs_is_not_sent() -> None:
    comments = [comment(1), comment(2), comment(3, origin="rt"), comment(4)]
    files = [file(10), file(11, origin="rt"), file(12, 1)]
    items = unsent("rt", comments, files, {1: "77", 2: ""}, {10: "78"}, share_internal=False)
    assert labels(items) == ["comment 4"]


def test_a_comment_that_was_deleted_before_it_went_is_not_sent_and_the_later_ones_follow() -> None:
    items = unsent("rt", [replace(comment(1), deleted_at=AT), comment(2)], [], {}, {}, share_internal=False)
    assert labels(items) == ["comment 2"]


def test_an_item_bears_the_token_of_its_comment_or_of_the_files_that_hang_on_the_ticket() -> None:
    tokens = Tokens("an instance")
    assert token_of(tokens, Item(comment(1), (file(10, 1),))) == tokens.comment(comment(1))
    assert token_of(tokens, Item(None, (file(11),))) == tokens.file((file(11),))


@pytest.mark.parametrize(
    ("share", "sent"), [(False, ["comment 2"]), (True, ["file 'file-10'", "comment 1", "comment 2"])]
)
def test_internal_text_and_files_stay_unless_policy_and_remote_allow_them(share: bool, sent: list[str]) -> None:
    comments = [comment(1, internal=True), comment(2)]
    files = [file(10, internal=True), file(11, 2, internal=True)]
    items = unsent("rt", comments, files, {}, {}, share_internal=share)
    assert labels(items) == sent
    assert [f.id for f in items[-1].files] == ([11] if share else [])


# -- what fits -----------------------------------------------------------------------------------------------------


def test_each_file_that_the_remote_does_not_take_becomes_a_note_that_tells_why() -> None:
    files = [file(1), file(2, size=0), file(3, size=10), file(4, size=11)]
    result = fit(files, empty_files=False, max_file=10, any_files=True, where="see the centre")
    assert [f.id for f in result.accepted] == [1, 3]
    assert "file-2" in result.notes[0]
    assert "0 bytes" in result.notes[0]
    assert "larger than this system takes (10 bytes)" in result.notes[1]
    assert all("see the centre" in note for note in result.notes)


def test_a_remote_without_limits_takes_everything_and_one_without_files_nothing() -> None:
    files = [file(1), file(2, size=0)]
    assert fit(files, empty_files=True, max_file=None, any_files=True, where="").accepted == tuple(files)
    nothing = fit(files, empty_files=True, max_file=None, any_files=False, where="see the centre")
    told = "[file 'file-{}' ({} bytes) cannot be carried to this system; see the centre]"
    assert (nothing.accepted, nothing.notes) == ((), (told.format(1, 3), told.format(2, 0)))
