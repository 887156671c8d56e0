"""Evidence that something there is our own doing, and how far each piece of it carries."""

from datetime import UTC, datetime, timedelta

import pytest

from central.link import Intent, IntentKind, Link, LinkState, Pair
from central.model import Value
from mappings import model as mapping_model
from mappings.document import compile_mapping
from mappings.loader import read
from sync import echo
from sync.echo import Entry, Mark

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LONGEST = timedelta(minutes=2)


def mapping_of(fields: str) -> mapping_model.Mapping:
    text = f"kind: mapping\nname: small\nconnector: memory\nfields:\n  {fields}\n"
    return compile_mapping(read(text, "small.yaml")[0], revision=1)


MAPPING = mapping_of("subject: {remote: summary, text: {}}")
STATUS = mapping_of("status: {remote: status, text: {}}")


def entries(*changes: str, field: str = "summary") -> list[Entry]:
    """`a>b` is a change that people made, `a>b!` one of ours; ids count from 1."""
    found = []
    for number, change in enumerate(changes, 1):
        old, new = change.rstrip("!").split(">")
        found.append(Entry(str(number), field, old, new, change.endswith("!"), AT))
    return found


def writing(theirs: str, *, seen: str | None = "", ours: str | None = None) -> Intent:
    pair = Pair(ours or theirs, theirs)
    return Intent(IntentKind.UPDATE, f"T-{theirs}", AT, wrote={"subject": pair}, history_seen=seen)


def link(*intents: Intent, seen: str | None = "", **changes: object) -> Link:
    return Link(1, 1, "rt", LinkState.ACTIVE, key="7", intents=intents, history_seen=seen).evolve(**changes)


# -- versions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "racy", "seen", "again"),
    [
        ("v2", None, False, None),
        ("v1", None, True, None),
        ("", None, False, None),
        ("v1", AT + LONGEST, False, AT + LONGEST),
        ("v1", AT - LONGEST, False, AT),
    ],
    ids=["moved", "read already", "no version", "racy yet", "racy no more"],
)
def test_a_row_that_was_read_already_is_old_news_unless_it_is_racy(
    row: str, racy: datetime | None, seen: bool, again: datetime | None
) -> None:
    assert echo.seen_already(link(row_version="v1", racy_until=racy), row, AT) == (seen, again)


def test_a_link_without_a_version_has_seen_no_row() -> None:
    assert echo.seen_already(link(), "", AT) == (False, None)


# -- history -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seen", "ids"), [("", ["1", "2"]), ("1", ["2"]), ("2", []), (None, []), ("unknown", [])])
def test_only_entries_after_the_mark_are_new_and_an_unknown_mark_proves_nothing(
    seen: str | None, ids: list[str]
) -> None:
    assert [e.id for e in echo.after(entries("a>b", "b>c"), seen)] == ids


def test_a_write_is_proven_by_an_entry_of_ours_after_its_intent_though_a_later_edit_hides_it() -> None:
    history = entries("a>b!", "b>c")
    assert echo.landed(link(writing("b")), history, MAPPING) == {"subject": Pair("b", "b")}


@pytest.mark.parametrize(
    ("intent", "history"),
    [
        (writing("b", seen="1"), entries("a>b!", "b>c")),
        (writing("b"), entries("a>b")),
        (writing("b"), entries("a>c!")),
        (writing("b"), entries("a>b!", field="another")),
    ],
    ids=["an older entry", "somebody else's", "another value", "another field"],
)
def test_a_write_is_not_proven_by(intent: Intent, history: list[Entry]) -> None:
    assert echo.landed(link(intent), history, MAPPING) == {}


def test_a_write_is_recognised_in_another_form_of_its_text() -> None:
    assert echo.landed(link(writing("b")), entries("a>b \r\n!"), MAPPING) != {}


@pytest.mark.parametrize(("seen", "proven"), [("", True), ("0", False), ("1", False), (None, False)])
def test_a_write_from_memory_is_proven_by_what_came_after_the_last_reading_of_the_history(
    seen: str | None, proven: bool
) -> None:
    told = echo.landed(link(writing("b", seen=None), seen=seen), entries("a>b!", "b>c"), MAPPING)
    assert bool(told) is proven


def test_a_value_that_people_set_last_is_theirs_though_an_open_intent_wrote_the_same() -> None:
    assert echo.set_by_people(link(writing("b")), entries("a>b!", "b>c", "c>b"), (), LONGEST, MAPPING) == {"subject"}
    assert echo.set_by_people(link(writing("b")), entries("a>c", "c>b!"), (), LONGEST, MAPPING) == frozenset()
    assert echo.set_by_people(link(writing("b")), [], (), LONGEST, MAPPING) == frozenset()


def test_what_people_set_last_of_another_field_says_nothing_about_what_we_wrote() -> None:
    history = [*entries("a>b!"), *entries("x>y", field="another")]
    assert echo.set_by_people(link(writing("b")), history, (), LONGEST, MAPPING) == frozenset()


@pytest.mark.parametrize(("seen", "theirs"), [("", {"subject"}), ("1", set())])
def test_after_a_write_from_memory_only_what_was_not_read_before_may_be_theirs(seen: str, theirs: set[str]) -> None:
    assert echo.set_by_people(link(writing("b", seen=None), seen=seen), entries("a>b"), (), LONGEST, MAPPING) == theirs


def test_what_people_set_before_a_comment_of_ours_arrived_is_theirs_and_not_its_doing() -> None:
    comments = (AT + timedelta(seconds=9), AT + timedelta(seconds=1))
    assert echo.set_by_people(link(), entries("a>b"), comments, LONGEST, MAPPING) == {"subject"}


def test_what_people_set_long_after_every_comment_of_ours_had_arrived_is_theirs_and_not_its_doing() -> None:
    long_ago = (AT - LONGEST - timedelta(seconds=1), AT - timedelta(minutes=3))
    assert echo.set_by_people(link(), entries("a>b"), long_ago, LONGEST, MAPPING) == {"subject"}


@pytest.mark.parametrize(
    ("history", "first", "seen"),
    [
        (entries("a>b"), 0, ""),
        (entries("a>b"), -1, ""),
        (entries("a>b"), None, ""),
        (entries("a>b!"), 1, ""),
        (entries("a>b", field="another"), 1, ""),
        (entries("a>b"), 1, "1"),
    ],
    ids=["as it arrived", "after it", "no comment", "we set it", "another field", "read before"],
)
def test_it_may_be_the_doing_of_our_comment_or_is_no_news_where(
    history: list[Entry], first: int | None, seen: str
) -> None:
    comments = () if first is None else (AT + timedelta(seconds=first), AT + timedelta(seconds=9))
    assert echo.set_by_people(link(seen=seen), history, comments, LONGEST, MAPPING) == frozenset()


# -- writes that were given up -------------------------------------------------------------------------------------

GIVEN_UP = {"subject": ("late", "later"), "no longer mapped": ("late",)}


@pytest.mark.parametrize(
    "history",
    [
        entries("a>late!"),
        entries("a>b", "b>later!"),
        entries("a>late \r\n!"),
        [*entries("a>late!"), *entries("x>y", field="another")],
    ],
)
def test_a_write_that_was_given_up_and_is_carried_out_after_all_is_known_for_that(history: list[Entry]) -> None:
    assert echo.stale(link(superseded=GIVEN_UP), history, MAPPING) == {"subject"}


@pytest.mark.parametrize(
    ("history", "seen"),
    [
        (entries("a>late"), ""),
        (entries("a>late!", "late>b"), ""),
        (entries("a>b!"), ""),
        (entries("a>late!", field="another"), ""),
        (entries("a>late!"), "1"),
        ([], ""),
    ],
    ids=["people said the same", "people went on", "a write that stands", "another field", "read before", "nothing"],
)
def test_no_write_that_was_given_up_has_come_late_where(history: list[Entry], seen: str) -> None:
    assert echo.stale(link(seen=seen, superseded=GIVEN_UP), history, MAPPING) == frozenset()


def test_each_field_tells_for_itself_whether_a_write_came_late() -> None:
    given_up = {"no longer mapped": ("late",), "subject": ("late",)}
    assert echo.stale(link(superseded=given_up), entries("a>late!"), MAPPING) == {"subject"}


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        (["a>x", "x>b!"], "x"),
        (["a>x", "x>y", "y>b!"], "y"),
        (["a>x", "x>a", "a>b!"], None),
        (["a>b!"], None),
        (["a>b!", "b>c"], None),
        (["a>b!", "b>x", "x>b!"], "x"),
        (["a>x", "x>b!", "b>c!"], "x"),
    ],
)
def test_an_edit_that_our_write_replaced_unread_is_told_by_the_entries(changes: list[str], lost: str | None) -> None:
    found = echo.overwritten(link(), entries(*changes), MAPPING, {})
    assert found == ({} if lost is None else {"subject": lost})


def test_an_edit_that_was_read_before_our_write_was_not_lost() -> None:
    assert echo.overwritten(link(seen="1"), entries("a>x", "x>b!"), MAPPING, {}) == {}


def test_entries_of_other_fields_between_say_nothing_about_a_lost_edit() -> None:
    other = entries("p>q", field="another")
    (edit, ours) = entries("a>x", "x>b!")
    assert echo.overwritten(link(), [*other, edit, *other, ours], MAPPING, {}) == {"subject": "x"}


# -- side effects of a comment -------------------------------------------------------------------------------------

EFFECTS = {"status": {"resolved": "open"}}


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        (["resolved>open", "open>resolved", "resolved>stalled!"], "resolved"),
        (["resolved>open", "open>stalled", "stalled>resolved", "resolved>new!"], "resolved"),
        (["resolved>open", "open>new!"], "open"),
        (["resolved>open", "open>stalled", "stalled>open", "open>new!"], "open"),
        (["resolved>new", "new>resolved", "resolved>stalled!"], None),
        (["open>resolved", "resolved>open", "open>stalled!"], None),
    ],
    ids=["set back at once", "set back later", "not set back", "it was a person", "not its effect", "undone by it"],
)
def test_who_set_back_what_a_comment_had_done_had_answered_that_and_is_replaced_by_our_write(
    changes: list[str], lost: str | None
) -> None:
    found = echo.overwritten(link(), entries(*changes, field="status"), STATUS, EFFECTS)
    assert found == ({} if lost is None else {"status": lost})


@pytest.mark.parametrize("apart", [timedelta(0), LONGEST, -LONGEST])
@pytest.mark.parametrize("before", [(), ("new>open",)], ids=["the only edit", "not the first one"])
def test_an_edit_that_our_comment_undid_before_anybody_read_it_is_found(
    before: tuple[str, ...], apart: timedelta
) -> None:
    history = entries(*before, "open>resolved", "resolved>open", field="status")
    found, replaced = echo.swallowed(link(), history, [AT + apart], EFFECTS, LONGEST)
    assert {name: (each.said, each.shown) for name, each in found.items()} == {"status": ("resolved", "open")}
    assert replaced == {}


@pytest.mark.parametrize(("next_one", "lost"), [("open>stalled!", {"status": "resolved"}), ("open>stalled", {})])
def test_an_edit_that_our_comment_undid_is_kept_where_we_have_written_since_and_no_news_where_people_have(
    next_one: str, lost: dict[str, str]
) -> None:
    history = entries("open>resolved", "resolved>open", next_one, field="status")
    assert echo.swallowed(link(), history, [AT], EFFECTS, LONGEST) == ({}, lost)


@pytest.mark.parametrize(
    ("history", "arrived"),
    [
        (entries("open>resolved", "resolved>open", field="status"), []),
        (entries("open>resolved", "resolved>open", field="status"), [AT + LONGEST * 2]),
        (entries("resolved>open", field="status"), [AT]),
        (entries("open>resolved!", "resolved>open", field="status"), [AT]),
        (entries("open>resolved", "resolved>stalled", field="status"), [AT]),
        (entries("open>resolved", "resolved>open", "open>stalled", field="status"), [AT]),
    ],
    ids=["no comment of ours", "at another time", "nobody's edit", "our edit", "not its effect", "undone since"],
)
def test_nothing_was_hidden_where(history: list[Entry], arrived: list[datetime]) -> None:
    assert echo.swallowed(link(), history, arrived, EFFECTS, LONGEST)[0] == {}


STANDING = Pair("solved", "resolved")


def taken_back(history: list[Entry], arrived: list[datetime], base: Pair = STANDING) -> dict[str, Value]:
    stood = link().evolve(base={"status": base})
    return echo.taken_back(stood, history, arrived, EFFECTS, LONGEST, STATUS)


@pytest.mark.parametrize("apart", [timedelta(0), LONGEST, -LONGEST])
@pytest.mark.parametrize("since", [("open>resolved",), ("open>stalled", "stalled>resolved")], ids=["at once", "later"])
def test_what_our_comment_had_made_is_what_people_answer_who_set_it_back(
    since: tuple[str, ...], apart: timedelta
) -> None:
    history = entries("resolved>open", *since, field="status")
    assert taken_back(history, [AT + apart]) == {"status": "open"}


@pytest.mark.parametrize(
    ("history", "arrived", "base"),
    [
        (entries("resolved>open", "open>resolved", field="status"), [], STANDING),
        (entries("resolved>open", "open>resolved", field="status"), [AT + LONGEST * 2], STANDING),
        (entries("resolved>open", field="status"), [AT], STANDING),
        (entries("resolved>open!", "open>resolved", field="status"), [AT], STANDING),
        (entries("resolved>open", "open>resolved!", field="status"), [AT], STANDING),
        (entries("resolved>stalled", "stalled>resolved", field="status"), [AT], STANDING),
        (entries("resolved>open", "open>resolved", field="status"), [AT], Pair("new", "new")),
    ],
    ids=["no comment", "another time", "nobody answered", "our edit", "our answer", "not its effect", "another base"],
)
def test_nothing_was_taken_back_where(history: list[Entry], arrived: list[datetime], base: Pair) -> None:
    assert taken_back(history, arrived, base) == {}


# -- comments ------------------------------------------------------------------------------------------------------


def test_a_token_counts_only_in_a_comment_of_our_account() -> None:
    intent = Intent(IntentKind.COMMENT, "T1", AT, text="words")
    assert echo.own_comment(Mark("5", "T1", True, "words", AT), [intent]) is intent
    assert echo.own_comment(Mark("5", "T1", False, "words", AT), [intent]) is None
    assert echo.own_comment(Mark("5", None, True, "words", AT), [intent]) is None
    assert echo.own_comment(Mark("5", "T2", True, "words", AT), [intent]) is None


def test_without_a_token_one_candidate_with_the_same_words_is_recognised_and_two_are_not() -> None:
    intent = Intent(IntentKind.COMMENT, "T1", AT, text="one\ntwo")
    same = Mark("5", None, True, "one \r\ntwo\r\n", AT)
    assert echo.unmarked_comment([same, Mark("6", None, True, "other", AT)], intent) is same
    assert echo.unmarked_comment([same, Mark("6", None, True, "one\ntwo", AT)], intent) is None
    assert echo.unmarked_comment([Mark("5", None, False, "one\ntwo", AT)], intent) is None


def test_two_texts_say_the_same_where_only_line_ends_and_blanks_around_lines_differ() -> None:
    assert echo.comparable("\r\none  \r\ntwo words\t\n\n") == "one\ntwo words"
    assert echo.comparable("two words") != echo.comparable("two\nwords")


def commenting(token: str, *, text: str = "words", done: bool = False, landed_at: datetime | None = None) -> Intent:
    return Intent(IntentKind.COMMENT, token, AT, text=text, done=done, landed_at=landed_at)


def test_a_comment_of_ours_has_arrived_where_its_token_or_its_words_alone_show_it() -> None:
    marked, unmarked = Mark("5", "T1", True, "reworded", AT), Mark("6", None, True, "words", AT)
    others = [Mark("7", "T2", True, "other", AT), Mark("8", None, False, "words", AT)]
    assert echo.arrived([*others, marked], commenting("T1"))
    assert echo.arrived([*others, unmarked], commenting("T1"))
    assert not echo.arrived(others, commenting("T1"))


def test_our_comments_arrived_when_their_marks_say_so_or_when_they_were_settled() -> None:
    settled = commenting("T1", done=True, landed_at=AT)
    waiting = commenting("T2", landed_at=AT + LONGEST)
    untold = commenting("T3", done=True)
    marks = [
        Mark("5", "T2", True, "words", AT + LONGEST * 2),
        Mark("6", "T9", True, "of no intent", AT + LONGEST * 3),
        Mark("7", "T2", False, "copied by a person", AT + LONGEST * 4),
    ]
    assert echo.landings(link(settled, waiting, untold), marks) == (AT, AT + LONGEST * 2)


def test_a_comment_is_expected_to_move_only_what_stands_where_the_tracker_moves_it() -> None:
    effects = {"status": {"resolved": "open"}, "state": {"closed": "new"}, "level": {"3": "4"}, "unseen": {"a": "b"}}
    seen = {"status": "resolved", "state": "new", "level": 3}
    assert echo.expected_effects(effects, seen) == (
        {"status": "resolved", "level": 3},
        {"status": "open", "level": "4"},
    )
