"""Our mark in a comment: it comes out as it went in, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import marks

TOKENS = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{2,79}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(text=TEXTS, token=TOKENS)
def test_what_was_stamped_is_read_back_save_nul_and_blanks_at_the_very_end(text: str, token: str) -> None:
    assert marks.read(marks.stamp(text, token)) == (marks.sayable(text).rstrip(), token)


@given(text=TEXTS, token=TOKENS, tail=st.text(" \t\r\n", max_size=5))
def test_a_mark_survives_crlf_and_blanks_behind_it(text: str, token: str, tail: str) -> None:
    stamped = marks.stamp(text, token)
    assert marks.read(stamped.replace("\r\n", "\n").replace("\n", "\r\n") + tail)[1] == token


@given(text=TEXTS)
def test_a_text_without_a_mark_is_left_alone(text: str) -> None:
    if "[interdesk " not in text:
        assert marks.read(text) == (text, None)


@pytest.mark.parametrize(
    "text",
    [
        "hello\n> [interdesk 7Q2M-1]",
        "hello\n>[interdesk 7Q2M-1]",
        "| [interdesk 7Q2M-1]",
        "[interdesk 7Q2M-1]\nand more",
        "see [interdesk 7Q2M-1]",
        "[interdesk 7Q2M-1].",
        "[interdesk ]",
        "[interdesk a b c]",
        "[interdesk " + "x" * 81 + "]",
    ],
)
def test_quoted_or_mentioned_it_is_no_mark(text: str) -> None:
    assert marks.read(text) == (text, None)


def test_only_the_last_mark_is_taken_out() -> None:
    assert marks.read(marks.stamp("a\n[interdesk OLD-1]", "NEW-1")) == ("a\n[interdesk OLD-1]", "NEW-1")


@pytest.mark.parametrize("token", ["", "ab", "a b c", "x" * 81, "a]b", "a\nb", "-abc"])
def test_a_token_that_no_mark_can_carry_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="3 to 80"):
        marks.stamp("text", token)
