"""A page that tells which tests hold what it lists: rows of number, sentence, and tests named as `file::test`."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Page:
    """One of them, by its name below `tests`."""

    def __init__(self, name: str) -> None:
        text = (ROOT / "tests" / name).read_text(encoding="utf-8")
        self.rows: list[tuple[str, str, str]] = re.findall(
            r"^\| ([\d.]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE
        )
        self.named: list[tuple[str, str]] = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
        self.named_anyhow = text.count("::test_")
        """What looks like a test's name, however it is written."""


@cache
def defined(file: str) -> frozenset[str]:
    """The names of the test functions and methods of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
