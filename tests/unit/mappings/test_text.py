"""Texts travel whole: what does not fit is attached, what is edited is joined again, and nobody is called."""

import re

import pytest

from mappings.model import Untranslatable
from mappings.plaintext import canonical, canonical_line, quiet, unquiet
from mappings.rules import Text
from mappings.shortening import Shortening, Unit

LONG = "\n".join(f"line {number}: the CE refuses every job of @alice" for number in range(100))
RULE = Text(Shortening("description", "\n\n", 400))
LINE = Text(Shortening("subject", " ", 200, Unit.BYTES), one_line=True)


def sent(rule: Text = RULE, text: str = LONG) -> str:
    out = rule.outward(text, held=None)
    assert isinstance(out, str)
    return out


def test_a_long_text_is_sent_as_a_head_that_names_the_file_with_the_whole() -> None:
    out, spill = sent(), RULE.spill(LONG)
    assert spill is not None
    assert len(out) <= 400
    assert out.endswith(f"more characters in {spill.name}]")
    assert spill.text == LONG
    assert LONG.startswith(unquiet(out).split("\n\n[...")[0])


def test_the_limit_is_used_to_the_full_and_counts_bytes_where_they_count() -> None:
    assert 195 <= len(sent(LINE, "€" * 300).encode()) <= 200
    assert sent(LINE, "€" * 66) == "€" * 66
    assert LINE.spill("€" * 66) is None


@pytest.mark.parametrize("limit", [100, 101, 150, 399])
def test_whatever_the_limit_nothing_exceeds_it(limit: int) -> None:
    for unit in Unit:
        rule = Text(Shortening("description", "\n\n", limit, unit))
        for text in (LONG, "€" * 1000, "@a " * 200, " " * 50 + "x" * 500, "\U0001f600" * 300):
            out = sent(rule, text)
            assert (len(out.encode()) if unit is Unit.BYTES else len(out)) <= limit
            assert rule.inward(out, held=text) == text


def test_the_mark_coming_back_changes_nothing() -> None:
    assert RULE.inward(sent(), held=LONG) == LONG
    assert RULE.inward(sent().replace("\n", "\r\n") + "\r\n", held=LONG) == LONG


def test_an_edited_head_is_joined_with_the_rest_that_we_hold() -> None:
    assert RULE.inward(sent().replace("line 0", "LINE ZERO"), held=LONG) == LONG.replace("line 0:", "LINE ZERO:")


def test_words_taken_from_the_end_of_the_head_are_taken_and_nothing_else() -> None:
    out = sent()
    cut = out.index("\n\n[...")
    joined = RULE.inward(out[: cut - 10] + out[cut:], held=LONG)
    assert joined == LONG[: len(unquiet(out[:cut])) - 10] + LONG[len(unquiet(out[:cut])) :]


def test_words_added_below_the_mark_follow_the_rest() -> None:
    once = RULE.inward(sent() + "\nPS: solved?", held=LONG)
    assert once == LONG + "\nPS: solved?"
    assert RULE.inward(sent() + "\nPS: solved!", held=once) == LONG + "\nPS: solved!"
    assert RULE.outward(once, held=sent() + "\nPS: solved?") == sent() + "\nPS: solved?"


def test_edits_one_after_the_other_are_all_kept() -> None:
    theirs, ours = sent(), LONG
    for old, new in (("line 0", "zero"), ("line 1", "one, and rather longer than it was before"), ("line 2", "")):
        theirs = theirs.replace(old, new, 1)
        joined = RULE.inward(theirs, held=ours)
        assert isinstance(joined, str)
        assert RULE.outward(joined, held=theirs) == theirs
        ours = joined
    assert ours == LONG.replace("line 0", "zero", 1).replace(
        "line 1", "one, and rather longer than it was before", 1
    ).replace("line 2", "", 1)


def test_a_mark_whose_rest_we_do_not_hold_is_left_standing() -> None:
    assert RULE.inward(sent(), held=None) == unquiet(sent())
    assert RULE.inward(sent(), held="something else " * 50) == unquiet(sent())


def test_a_changed_rest_is_noticed_though_its_length_is_the_same() -> None:
    changed = LONG[:-5] + "ALICE"
    assert RULE.outward(changed, held=sent()) != sent()
    assert RULE.spill(changed) != RULE.spill(LONG)


def test_a_marks_likeness_in_somebodys_text_is_only_text() -> None:
    text = "see [... 12 more characters in description-0123abcd.txt]"
    assert sent(RULE, text) == text
    assert RULE.inward(text, held=LONG) == text


@pytest.mark.parametrize(
    "stored",
    [
        "a\r\nb\r\n",
        "a  \nb\t\n\n",
        "a\rb",
        "a\nb",
    ],
    ids=["CRLF", "trailing blanks", "CR", "as it was"],
)
def test_case_4_another_serialisation_of_the_same_text_is_no_edit(stored: str) -> None:
    assert RULE.inward(stored, held="a\nb") == "a\nb"
    assert RULE.outward("a\nb", held=stored) == stored
    assert RULE.canonical_theirs(stored) == RULE.canonical_ours("a\nb")


def test_case_4_another_unicode_form_of_the_same_text_is_no_edit() -> None:
    assert RULE.inward("cafe\u0301", held="caf\u00e9") == "caf\u00e9"
    assert RULE.canonical_theirs("cafe\u0301") == RULE.canonical_theirs("caf\u00e9")


def test_case_17_text_is_stable_after_one_trip_and_loses_no_word() -> None:
    corpus = [
        "Traceback (most recent call last):\n  File \"x.py\", line 3\n    a = b[*c]\nKeyError: '_x_'",
        "/DC=org/DC=example/O=Grid/CN=Alice *Example*",
        "| a | b |\n|---|---|\n| ~1~ | 2 |",
        "> quoted\n>> twice\n\n-- \nsignature",
        "2026-11-22 18:45:07 -- 2026-11-23",
        "  indented\n\ttabbed",
    ]
    for text in corpus:
        there = RULE.outward(text, held=None)
        back = RULE.inward(there, held=None)
        assert back == canonical(text)
        assert RULE.outward(back, held=None) == there
        assert str(back).split() == text.split()


def test_characters_that_trackers_choke_on_are_shown_instead_of_dropped() -> None:
    assert canonical("\x1b[31mred\x00\ud800\x7f") == "␛[31mred␀\ufffd␡"
    assert RULE.inward("␛[31mred", held="\x1b[31mred") == "\x1b[31mred"


def test_a_line_is_one_line() -> None:
    assert canonical_line("  two\r\n  lines\n\n here\t") == "two lines here"
    assert canonical_line("two  blanks\tand a tab") == "two  blanks\tand a tab"


@pytest.mark.parametrize("text", ["@alice", "(@alice)", "see @bob.", "[~carol] and @d", "@1", "@élise"])
def test_case_16_a_mention_calls_nobody_and_reads_the_same(text: str) -> None:
    silent = quiet(text)
    assert not re.search(r"(^|[^\w])@\w|\[~\w", silent)
    assert silent.replace("\u200b", "") == text
    assert quiet(silent) == silent
    assert unquiet(silent) == text


@pytest.mark.parametrize("text", ["alice@example.org", "a.b+c@example.org", "50 @ 3", "[~", "@", "#123", "!5"])
def test_what_is_no_mention_is_not_touched(text: str) -> None:
    assert quiet(text) == text


def test_an_empty_text_and_none_say_the_same() -> None:
    assert RULE.inward("", held=None) is None
    assert RULE.inward(" \n", held="") == ""
    assert RULE.outward("", held=None) is None
    assert RULE.outward(None, held="") == ""
    assert RULE.outward(None, held="gone") is None


def test_what_is_not_text_has_no_word() -> None:
    with pytest.raises(Untranslatable, match="is not text"):
        RULE.inward(5, held=None)
    with pytest.raises(Untranslatable, match="is not text"):
        RULE.outward(("a",), held=None)


@pytest.mark.parametrize("piece", [" ", "\t\n", "@", "[~", "\r", "[... ", "@\u200b"])
def test_hostile_text_of_a_megabyte_takes_no_longer_than_other_text(piece: str) -> None:
    text = piece * (1_000_000 // len(piece)) + "x"
    out = LINE.outward(text, held="x")
    assert LINE.inward(out, held=text) == text
