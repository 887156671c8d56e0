"""Evidence that something there is our own doing, and how far each piece of it carries."""

from datetime import UTC, datetime, timedelta

import pytest

from central.link import Intent, IntentKind, Link, LinkState, Pair
from mappings.document import compile_mapping
from mappings.loader import read
from sync import echo
from sync.echo import Entry, Mark

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LONGEST = timedelta(minutes=2)
MAPPING = compile_mapping(
    read(
        """
kind: mapping
name: small
connector: memory
fields:
  subject: {remote: summary, text: {}}
""",
        "small.yaml",
    )[0],
    revision=1,
)


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
    assert echo.set_by_people(link(writing("b")), entries("a>b!", "b>c", "c>b"), (), MAPPING) == {"subject"}
    assert echo.set_by_people(link(writing("b")), entries("a>c", "c>b!"), (), MAPPING) == frozenset()
    assert echo.set_by_people(link(writing("b")), [], (), MAPPING) == frozenset()


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
    found = echo.overwritten(link(), entries(*changes), MAPPING)
    assert found == ({} if lost is None else {"subject": lost})


def test_an_edit_that_was_read_before_our_write_was_not_lost() -> None:
    assert echo.overwritten(link(seen="1"), entries("a>x", "x>b!"), MAPPING) == {}


# -- side effects of a comment -------------------------------------------------------------------------------------

EFFECTS = {"status": {"resolved": "open"}}


def test_an_edit_that_our_comment_undid_before_anybody_read_it_is_found() -> None:
    history = entries("open>resolved", "resolved>open", field="status")
    found, _ = echo.swallowed(link(), history, [AT], EFFECTS, LONGEST)
    assert {name: (each.said, each.shown) for name, each in found.items()} == {"status": ("resolved", "open")}


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
