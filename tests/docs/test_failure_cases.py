"""tests/failure_cases.md against the tests: every case is there, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "tests" / "failure_cases.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@cache
def defined(file: str) -> frozenset[str]:
    """The names of the test functions and methods of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_page_lists_the_twenty_five_cases_in_order() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 26))


@pytest.mark.parametrize(("number", "case", "held"), ROWS, ids=[number for number, _, _ in ROWS])
def test_every_case_is_held_by_a_test_or_says_what_is_missing(number: str, case: str, held: str) -> None:
    assert case.strip()
    assert "::test_" in held or held.startswith("*later*: ")


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_named_test_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file(), f"{file} is named on the page and is not there"
    assert name in defined(file), f"{file} has no test {name}"


def test_nothing_on_the_page_looks_like_a_test_and_is_none() -> None:
    assert PAGE.count("::test_") == len(NAMED)
