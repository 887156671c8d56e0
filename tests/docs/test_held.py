"""tests/engine_rules.md and tests/failure_cases.md against the tests: every rule and every case is there, and every
test that they name exists."""

import pytest

from tests.docs.held import ROOT, Page, defined

RULES, CASES = Page("engine_rules.md"), Page("failure_cases.md")
PAGES = pytest.mark.parametrize("page", [RULES, CASES], ids=["rules", "cases"])
NAMED = [*RULES.named, *CASES.named]
PARTS = {"1": 4, "2": 4, "3": 7, "4": 3, "5": 2, "6": 4, "7": 5, "8": 0, "9": 0, "10": 0}
"""How many rules each part of the engine's page has; 0: it is one."""


def test_every_rule_is_listed_in_order() -> None:
    expected = [[f"{part}.{n + 1}" for n in range(many)] or [part] for part, many in PARTS.items()]
    assert [number for number, _, _ in RULES.rows] == [number for numbers in expected for number in numbers]


def test_the_twenty_five_cases_are_listed_in_order() -> None:
    assert [number for number, _, _ in CASES.rows] == [str(number) for number in range(1, 26)]


@PAGES
def test_everything_listed_is_held_by_a_test_or_says_what_is_missing(page: Page) -> None:
    for number, sentence, held in page.rows:
        assert sentence.strip(), number
        assert "::test_" in held or held.startswith("*later*: "), number


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_named_test_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file(), f"{file} is named on the page and is not there"
    assert name in defined(file), f"{file} has no test {name}"


@PAGES
def test_nothing_on_the_page_looks_like_a_test_and_is_none(page: Page) -> None:
    assert page.named_anyhow == len(page.named)
