"""The rules with a vocabulary: what they say, what they read, what they keep, and what they refuse at load."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from mappings.document import compile_mapping
from mappings.loader import DocumentError, read
from mappings.model import Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules import Copy, Moment, Person, Scale
from mappings.rules.set import Set


def problems(field: str) -> list[str]:
    (document,) = read(f"kind: mapping\nname: m\nconnector: c\nfields:\n  x: {{remote: X, {field}}}\n", "m.yaml")
    with pytest.raises(DocumentError) as caught:
        compile_mapping(document, revision=1)
    return [problem.sentence for problem in caught.value.problems]


def compiled(field: str) -> Rule:
    (document,) = read(f"kind: mapping\nname: m\nconnector: c\nfields:\n  x: {{remote: X, {field}}}\n", "m.yaml")
    return compile_mapping(document, revision=1).fields["x"].rule


# -- copy ------------------------------------------------------------------------------------------------------------


def test_a_copy_keeps_every_kind_of_value() -> None:
    rule = Remembering(Copy())
    for value in ("word", 5, True, ("a", "b"), None):
        assert rule.outward(value, held="other") == value
        assert rule.inward(value, held="other") == value


# -- table -----------------------------------------------------------------------------------------------------------


def test_a_word_that_is_not_in_the_table_names_the_table_and_its_place() -> None:
    rule = compiled("table: {a: A}")
    with pytest.raises(Untranslatable, match=r"their 'Z' is in no line of the table of x \(m.yaml:5:3\)"):
        rule.inward("Z", held="a")
    with pytest.raises(Untranslatable, match=r"no word for our 'z' in the table of x \(m.yaml:5:3\)"):
        rule.outward("z", held=None)


def test_a_set_is_no_word_of_a_table() -> None:
    with pytest.raises(Untranslatable):
        compiled("table: {a: A}").outward(("a",), held=None)
    with pytest.raises(Untranslatable):
        compiled("table: {a: A}").inward(("A",), held=None)


@pytest.mark.parametrize(("written", "word"), [("5", 5), ("'5'", "5"), ("true", True), ("null", None), ("no", "no")])
def test_their_words_are_of_the_kind_in_which_they_are_written(written: str, word: Value) -> None:
    rule = compiled(f"table: {{a: {written}, b: B}}")
    assert rule.outward("a", held="B") == word
    assert rule.inward(word, held="b") == "a"


def test_of_several_words_the_first_is_written_and_each_of_them_is_read_and_left_alone() -> None:
    rule = compiled("table: {a: [A, AA, AAA], b: B}")
    assert rule.outward("a", held="B") == rule.outward("a", held=None) == "A"
    for word in ("A", "AA", "AAA"):
        assert rule.inward(word, held="b") == "a"
        assert rule.outward("a", held=word) == word


def test_a_shared_word_needs_a_way_back() -> None:
    assert problems("table: {a: A, b: A}") == [
        "fields.x.table.b: 'A' stands for 'a' and 'b': say under 'back' which of them it is read as"
    ]


def test_a_way_back_must_lead_to_a_word_that_agrees() -> None:
    (told,) = problems("table: {a: A, b: B}, back: {A: b}")
    assert told.startswith("fields.x.back.A: 'A' cannot be read as 'b', which is written as 'B': the next write would")
    assert told.endswith("or write b: [B, A]")


def test_a_way_back_names_words_of_the_table() -> None:
    assert problems("table: {word: WORD}, back: {WROD: word}") == [
        "fields.x.back.WROD: the table has no word 'WROD' of theirs; did you mean 'WORD'? there is: WORD"
    ]
    assert problems("table: {word: WORD}, back: {WORD: wrod}") == [
        "fields.x.back.WORD: the table has no word 'wrod' of ours; did you mean 'word'? there is: word"
    ]


def test_a_round_trip_must_end_where_it_began() -> None:
    (told,) = problems("table: {a: [A, B], b: B}, back: {B: b}")
    assert "'A' is read as 'a', which may be 'B' there, which is read as 'b'" in told


def test_nothing_of_ours_is_written_in_their_word_for_it_even_where_a_ticket_is_made() -> None:
    rule = compiled("table: {a: A, b: B}, unset: [none, '-']")
    assert [rule.outward(None, held=there) for there in (None, "A", "-", "none", "Z")] == [
        "none",
        "none",
        "-",
        "none",
        "none",
    ]
    assert [rule.inward(theirs, held="a") for theirs in ("none", "-")] == [None, None]
    with pytest.raises(Untranslatable, match="their nothing is in no line of the table of x"):
        rule.inward(None, held="a")


def test_their_nothing_is_one_of_their_words_for_nothing_where_it_is_listed() -> None:
    rule = compiled("table: {a: A, b: B}, unset: [null, '-']")
    assert [rule.outward(None, held=there) for there in (None, "A", "-")] == [None, None, "-"]
    assert [rule.inward(theirs, held="a") for theirs in (None, "-")] == [None, None]


def test_a_word_that_nothing_shares_is_nothing_where_nothing_is_held_and_what_it_is_read_as_elsewhere() -> None:
    alone, several = (
        compiled("table: {a: A, b: B}, unset: A"),
        compiled("table: {a: A, b: A, c: C}, back: {A: b}, unset: A"),
    )
    assert [alone.inward("A", held=held) for held in (None, "a", "b")] == [None, "a", "a"]
    assert [several.inward("A", held=held) for held in (None, "a", "b", "c")] == [None, "a", "b", "b"]
    assert several.losses().inward == (
        "'A' is read as 'b', unless the value held here agrees, and as nothing where nothing is held",
    )
    assert several.losses().outward == ("'a', 'b' and nothing are all 'A' there",)


def test_where_the_table_has_no_word_for_nothing_the_sentence_says_how_to_give_it_one() -> None:
    with pytest.raises(Untranslatable, match=r"no word for nothing of ours in the table of x \(m.yaml:5:3\): .*unset"):
        compiled("table: {a: [null], b: B}").outward(None, held=None)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("table: {a: A}, unset: []", "must be one of their words, or a list of them"),
        ("table: {a: A}, unset: {a: b}", "must be one of their words, or a list of them"),
        ("table: {a: A, b: B}, unset: '-', back: {'-': a}", "'-' cannot be read as 'a', which is written as 'A'"),
        ("table: {a: [A, B], b: C}, unset: B", "'A' is read as 'a', which may be 'B' there, which is read as nothing"),
        ("table: {a: A, b: B}, others: aa", "the table has no word 'aa' of ours; did you mean 'a'?"),
        ("table: {a: A, b: A}, back: {A: a}, others: b", "every other word is read as 'b', which may be 'A' there"),
        ("scale: {a: 1, b: 5}, unset: 5", "5 is the step of 'b' already: it cannot be nothing as well"),
        ("scale: {a: 1}, unset: none", "must be a number, or a list of them with the one to write first"),
        ("scale: {a: 1}, unset: true", "must be a number, or a list of them with the one to write first"),
        ("scale: {a: 1}, others: a", "the key 'others' does not go with the other keys"),
    ],
)
def test_what_cannot_be_meant_for_nothing_or_for_all_others_is_refused(field: str, sentence: str) -> None:
    (told,) = problems(field)
    assert sentence in told


def test_every_other_word_is_read_as_the_one_that_was_chosen_and_left_where_it_stands() -> None:
    rule = compiled("table: {a: A, b: B}, others: b")
    assert [rule.inward("Z", held=held) for held in (None, "a", "b")] == ["b", "b", "b"]
    assert [rule.outward(ours, held="Z") for ours in ("a", "b")] == ["A", "Z"]
    assert (rule.inward(None, held="a"), rule.outward("b", held=None), rule.outward("b", held="")) == (None, "B", "B")
    for none_at_all in ("", ("Z",)):
        with pytest.raises(Untranslatable):
            rule.inward(none_at_all, held=None)
    assert rule.losses().inward == ("every word that is in no line is 'b' here",)


def test_a_list_of_words_holds_words() -> None:
    assert "must be one of their words" in problems("table: {a: []}")[0]
    assert "must be one of their words" in problems("table: {a: {b: c}}")[0]
    assert "must be one of their words" in problems("table: {a: 1.5}")[0]


# -- scale -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "word"), [(-5, "low"), (0, "low"), (49, "low"), (50, "mid"), ("99", "mid"), (1000, "top")]
)
def test_a_number_is_read_as_the_step_below_it(number: Value, word: str) -> None:
    assert Scale(((25, "low"), (50, "mid"), (100, "top"))).read(number) == word


def test_a_number_that_means_nothing_is_no_step_of_a_scale() -> None:
    rule = compiled("scale: {low: 10, high: 50}, unset: 0")
    assert [rule.inward(theirs, held="high") for theirs in (0, "0", -1, 1, 60)] == [None, None, "low", "low", "high"]
    assert [rule.outward(None, held=there) for there in (None, 7, 0, "0")] == [0, 0, 0, "0"]
    assert rule.losses().inward[0].endswith("'low' from 10, 'high' from 50; as nothing: 0")
    with pytest.raises(Untranslatable, match="their nothing is not a number"):
        rule.inward(None, held=None)
    assert compiled("scale: {low: 10}, unset: [null, 0]").inward(None, held="low") is None


def test_a_scale_takes_steps_in_any_order_but_each_once() -> None:
    assert compiled("scale: {top: 100, low: 0}").inward(7, held=None) == "low"
    assert problems("scale: {low: 0, base: 0}") == ["fields.x.scale.base: 0 is the step of 'low' already"]


@pytest.mark.parametrize("value", ["high", "", "1.5", "--5", "²", ("5",), True, "9" * 30])
def test_what_is_not_a_number_has_no_step(value: Value) -> None:
    with pytest.raises(Untranslatable):
        compiled("scale: {low: 0}").inward(value, held="low")


# -- moment ----------------------------------------------------------------------------------------------------------

NOON = "2026-07-01T12:00:00Z"


def test_a_moment_is_written_by_their_clock_and_read_back_as_utc() -> None:
    rule = Remembering(Moment("%d.%m.%Y %H:%M:%S", ZoneInfo("Asia/Kolkata")))
    assert rule.outward(NOON, held=None) == "01.07.2026 17:30:00"
    assert rule.inward("01.07.2026 17:30:00", held=None) == NOON


def test_an_equal_moment_within_their_step_keeps_what_we_hold() -> None:
    rule = Remembering(Moment(granularity="minute"))
    assert rule.inward("2026-07-01T12:00:00Z", held="2026-07-01T12:00:42.5Z") == "2026-07-01T12:00:42.5Z"
    assert rule.inward("2026-07-01T12:01:00Z", held="2026-07-01T12:00:42Z") == "2026-07-01T12:01:00Z"


@pytest.mark.parametrize(
    "unset", ["1970-01-01T00:00:00Z", "1970-01-01T01:00:00+01:00", "0000-00-00 00:00:00", "", None]
)
def test_every_form_of_unset_is_no_time_at_all(unset: Value) -> None:
    rule = Remembering(Moment(unset=("1970-01-01T00:00:00Z", "0000-00-00 00:00:00")))
    assert rule.inward(unset, held=NOON) is None
    assert rule.outward(None, held=unset) == unset
    assert rule.outward(None, held=NOON) == "1970-01-01T00:00:00Z"


def test_the_hour_that_comes_twice_and_the_one_that_never_comes_move_nothing() -> None:
    rule = Remembering(Moment("%Y-%m-%d %H:%M", ZoneInfo("Europe/Prague")))
    for ours in ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"):
        assert rule.outward(ours, held=None) == "2026-10-25 02:30"
        assert rule.inward("2026-10-25 02:30", held=ours) == ours
    skipped = rule.inward("2026-03-29 02:30", held=None)
    assert rule.outward(skipped, held="2026-03-29 02:30") == "2026-03-29 02:30"


@pytest.mark.parametrize("value", ["tomorrow", "2026-13-01", "12:30", 5, ("2026-07-01",), "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_has_no_word_and_is_not_taken_for_none(value: Value) -> None:
    rule = Remembering(Moment(zone=ZoneInfo("Asia/Kolkata")))
    with pytest.raises(Untranslatable):
        rule.inward(value, held=NOON)
    with pytest.raises(Untranslatable):
        rule.outward(value, held=None)


def test_an_unknown_zone_and_a_poor_format_are_told_at_load() -> None:
    assert "did you mean 'Europe/Prague'" in problems("moment: {zone: Europe/Praha}")[0]
    assert "there is no time zone" in problems("moment: {zone: ../../etc/passwd}")[0]
    assert "%j is not among" in problems("moment: {format: '%Y %j'}")[0]
    assert "needs %m once" in problems("moment: {format: '%Y-%d'}")[0]
    assert "must be one of second, minute, hour, day" in problems("moment: {granularity: minutes}")[0]


def test_utc_needs_no_zone_data() -> None:
    assert compiled("moment: {}").outward(NOON, held=None) == NOON
    assert Moment().zone is UTC


# -- person ----------------------------------------------------------------------------------------------------------

DIRECTORY = "directory: {alice@example.org: alice, desk@example.org: desk}"


def test_a_person_without_an_entry_is_never_matched_by_likeness() -> None:
    rule = Remembering(Person({"alice@example.org": "alice"}))
    assert rule.outward("alice@other.example.org", held=None) is None
    assert rule.inward("Alice", held=None) is None
    assert rule.inward("alice@example.org", held=None) is None


def test_a_fallback_that_comes_back_does_not_erase_the_person_it_stands_for() -> None:
    rule = compiled(f"person: {{{DIRECTORY}, fallback: {{outward: desk@example.org, inward: nobody}}}}")
    assert rule.outward("carol@example.org", held=None) == "desk"
    assert rule.inward("desk", held="carol@example.org") == "carol@example.org"
    assert rule.inward("alice", held="carol@example.org") == "alice@example.org"


def test_a_stranger_of_theirs_stays_until_we_name_somebody_they_know() -> None:
    rule = compiled(f"person: {{{DIRECTORY}, fallback: {{outward: nobody, inward: nobody}}}}")
    assert rule.outward(None, held="zed") == "zed"
    assert rule.outward("carol@example.org", held="zed") == "zed"
    assert rule.outward("alice@example.org", held="zed") == "alice"


def test_refuse_says_who_is_missing_from_the_directory() -> None:
    rule = compiled(f"person: {{{DIRECTORY}, fallback: {{outward: refuse, inward: refuse}}}}")
    with pytest.raises(Untranslatable, match=r"'carol@example\.org' has no account in the directory of x"):
        rule.outward("carol@example.org", held="alice")
    with pytest.raises(Untranslatable, match="their 'zed' is nobody's account in the directory of x"):
        rule.inward("zed", held="alice@example.org")


def test_the_fallback_must_be_chosen_and_must_be_known() -> None:
    assert problems(f"person: {{{DIRECTORY}}}") == ["fields.x.person.fallback: this key is missing"]
    (told,) = problems(f"person: {{{DIRECTORY}, fallback: {{outward: nobdy, inward: nobody}}}}")
    assert "'nobdy' is neither 'nobody' nor 'refuse' nor one of our people" in told


def test_a_directory_is_read_without_doubt() -> None:
    fallback = "fallback: {outward: nobody, inward: nobody}"
    assert (
        "the same address as 'A@example.org'"
        in problems(f"person: {{directory: {{A@example.org: a, a@example.org: b}}, {fallback}}}")[0]
    )
    assert (
        "is how they write that nobody is assigned"
        in problems(f"person: {{directory: {{a@example.org: Nobody}}, nobody: Nobody, {fallback}}}")[0]
    )
    shared = "directory: {a@example.org: a, b@example.org: a}, fallback: {outward: nobody, inward: b@example.org}"
    assert "whose first person is another" in problems(f"person: {{{shared}}}")[0]


# -- set -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("{a: x, b: X}", "'X' stands for 'a' already: of the two, nobody could tell which was removed"),
        ("{a: x, A: y}", "the same member as 'a'"),
        ("{a: x;y}", "'a': 'x;y' cannot be written as one member"),
        ("{a: ' '}", "'a': ' ' cannot be written as one member"),
        ("{'': x}", "'': 'x' cannot be written as one member"),
    ],
)
def test_words_of_a_set_that_cannot_be_told_apart_are_refused_at_their_place(words: str, sentence: str) -> None:
    (said,) = problems(f"set: {{words: {words}, separator: ;, any_case: true}}")
    assert sentence in said
    assert said.startswith("fields.x.set.words.")


def test_a_separator_is_made_of_marks_and_blanks() -> None:
    assert "separator" in problems("set: {separator: and}")[0]


def test_a_set_without_members_clears_the_field_and_what_is_no_set_is_one_member() -> None:
    rule = compiled('set: {separator: ", "}')
    assert rule.outward((), held="a,b") is None
    assert rule.outward("a", held=None) == "a"
    assert rule.inward(7, held=None) == ("7",)
    assert rule.inward(" , ", held=("a",)) is None


def test_a_member_that_their_text_would_part_stays_here_and_the_loss_statement_says_so() -> None:
    rule = compiled('set: {separator: ", "}')
    assert rule.outward(("Doe, Jane", "a"), held=None) == "a"
    assert rule.inward("b", held=("Doe, Jane", "a")) == ("Doe, Jane", "b")
    assert rule.losses().outward == ("a member of ours with ',' in it is not carried there",)


def test_a_set_of_words_tells_who_is_not_carried_either_way() -> None:
    losses = compiled("set: {words: {a: x, b: y}}").losses()
    assert losses.outward == ("a member of ours, but the 2 with a word, is not carried there",)
    assert losses.inward == ("a member of theirs, but the 2 with a word, stays there and is not carried here",)
    assert compiled("set: {}").losses().outward == ()


@pytest.mark.parametrize(
    ("theirs", "shows", "agreed"),
    [
        ("b, c", True, "b, c"),
        ("b, c, z", True, "b, c"),
        ("a, b, c", False, "b, c, a"),
        ("b", False, "b"),
        ("a, b", False, "a, b"),
        ("a, z", False, "a, b"),
    ],
    ids=["all", "all, and somebody's", "what was added", "what was removed", "nothing", "nothing, and somebody's"],
)
def test_as_much_of_a_write_to_a_set_is_agreed_on_as_theirs_shows(theirs: str, shows: bool, agreed: str) -> None:
    rule, wrote, before = Set(separator=", "), "b, c", "a, b"
    assert rule.shows(wrote, before=before, theirs=theirs) is shows
    assert rule.landed(wrote, before=before, theirs=theirs, agreed=before) == agreed


def test_a_write_that_changes_no_member_shows_nowhere() -> None:
    assert not Set(any_case=True).shows(("A",), before=("a",), theirs=("a", "b"))
