"""tests/engine_rules.md against the tests: every rule is there, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "tests" / "engine_rules.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\d.]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
PARTS = {"1": 4, "2": 4, "3": 7, "4": 3, "5": 2, "6": 4, "7": 5, "8": 0, "9": 0, "10": 0}
"""How many rules each part has; 0: it is one."""


@cache
def defined(file: str) -> frozenset[str]:
    """The names of the test functions and methods of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_page_lists_every_rule_in_order() -> None:
    expected = [[f"{part}.{n + 1}" for n in range(many)] or [part] for part, many in PARTS.items()]
    assert [number for number, _, _ in ROWS] == [number for numbers in expected for number in numbers]


@pytest.mark.parametrize(("number", "rule", "held"), ROWS, ids=[number for number, _, _ in ROWS])
def test_every_rule_is_held_by_a_test_or_says_what_is_missing(number: str, rule: str, held: str) -> None:
    assert rule.strip()
    assert "::test_" in held or held.startswith("*later*: ")


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_named_test_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file(), f"{file} is named on the page and is not there"
    assert name in defined(file), f"{file} has no test {name}"


def test_nothing_on_the_page_looks_like_a_test_and_is_none() -> None:
    assert PAGE.count("::test_") == len(NAMED)
