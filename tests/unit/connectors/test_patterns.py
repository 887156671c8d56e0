"""Patterns in profiles: what no text can make slow is taken, all else refused with a sentence."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.patterns import check, found
from connectors.remedies import Errors


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(\d+)$", "[0-9]+", r" at \S+ line \d+\.?\s*$", "own|reassign|user does not exist", "^subject"),
        *("[A-Z][A-Z0-9]+-[0-9]+", "session [^ ]+ (has )?expired", "a{3}", "x{1,3}y", "/tickets/([0-9]+)(/|$)"),
        *("(ab)+c", "[]a]+x", "a.?b", r"\bno\b", "(?:yes|no) *$", "", "{name}"),
    ],
)
def test_an_expression_that_reads_a_text_in_one_way_is_taken(pattern: str) -> None:
    assert check(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+$", "(a|a)*b", "(a?){30}a", ".*.*x", ".*foo", "a?" * 40, "a*a*b", "((a))*", r"(\d|\d\d)+x"),
        *("(?:a{1,9}){1,9}$", "(a*)*", "([a-z]+)*x", "(x+x+)+y", r"\w+\s?\d+\d+", "(.|\n)*x", "(|a)+", "x" * 201),
        *(r"(a)\1", "(?=x)", "(?<!x)y", "(?i)x", "(?P<x>a+)+", "(?#x)a", "a++", "(?>a+)+", "(?(1)a|b)", r"\Ax"),
        *("(", "a**", "[a-", "a{0,999999999999}", "\\"),
    ],
)
def test_an_expression_that_a_text_could_make_slow_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(ValueError, match=r" ") as refused:
        check(pattern)
    assert len(str(refused.value).split()) > 4


def test_a_regex_bomb_is_refused_when_the_profile_is_read() -> None:
    with pytest.raises(ValueError, match="endlessly slow"):
        Errors.model_validate({"signs": [{"says": "(a+)+$", "means": "refused"}]})
    with pytest.raises(ValueError, match="very slow"):
        Errors.model_validate({"noise": ".*.*x"})


ATOMS = st.one_of(st.sampled_from(["a", "b", "[ab]", ".", r"\w", r"\d", "(a)", "(ab)", "(a|b)", "(a?)", "(a+)"]))
COUNTS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?"])


@given(st.lists(st.tuples(ATOMS, COUNTS), min_size=1, max_size=8), st.sampled_from(["a", "ab", "b", "1a", "aab"]))
def test_what_is_taken_needs_few_steps_on_the_texts_that_bombs_like(parts: list[tuple[str, str]], unit: str) -> None:
    """No clock: that this ends at all within the run is the proof; a bomb on 2000 characters never would."""
    pattern = "".join(atom + count for atom, count in parts) + "$"
    try:
        check(pattern)
    except ValueError:
        return
    found(pattern, unit * (2000 // len(unit)) + "!")


@given(st.text(alphabet=string.printable, max_size=12))
def test_every_text_is_a_pattern_or_refused_and_never_a_crash(text: str) -> None:
    try:
        check(text)
    except ValueError:
        return
    found(text, "any text at all")


def test_only_the_beginning_of_a_long_text_is_held_against_a_pattern() -> None:
    assert found("b", "a" * 1999 + "b") is not None
    assert found("b", "a" * 2000 + "b") is None
