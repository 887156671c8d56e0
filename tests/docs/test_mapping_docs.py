"""mappings/README.md against the code: its examples compile, its tables hold, and no key is missing from it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mappings import vocabulary
from mappings.document import compile_mapping, schema
from mappings.extending import whole
from mappings.fixtures import document as fixture
from mappings.fixtures.replay import replay_all, suite
from mappings.library import names, shipped, with_vocabulary
from mappings.loader import read
from mappings.model import Mapping, Untranslatable, Value
from mappings.vocabulary import compile_vocabulary

README = (Path(__file__).parents[2] / "mappings" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```\n(?:\n(\| way [^\n]*\n(?:\|[^\n]*\n)+))?", README, re.DOTALL)
NO_WORD = "no word"


@dataclass(frozen=True)
class Claim:
    """One line of a table below an example."""

    mapping: Mapping
    way: str
    value: Value
    held: Value
    becomes: Value


def cell(text: str) -> Value:
    if members := re.fullmatch(r"`\{([^{}]*)\}`", text):
        return tuple(members[1].split(", "))
    if quoted := re.fullmatch(r"`(.*)`", text):
        return quoted[1]
    if text.isdigit():
        return int(text)
    return text or None


def claims() -> list[Any]:
    found = []
    for text, table in EXAMPLES:
        (document,) = read(text, "README.md")
        for line in table.splitlines()[2:]:
            way, *cells = [each.strip() for each in line.split("|")[1:-1]]
            claim = Claim(compile_mapping(whole(document, shipped), revision=1), way, *map(cell, cells))
            found.append(pytest.param(claim, id=f"{document.name}: {line}"))
    return found


def test_the_page_has_examples_with_tables() -> None:
    assert len(EXAMPLES) >= 9
    assert len(claims()) >= 20


@pytest.mark.parametrize("text", [text for text, _ in EXAMPLES])
def test_every_example_compiles(text: str) -> None:
    for document in read(text, "README.md"):
        if document.kind == "vocabulary":
            assert compile_vocabulary(whole(document, lambda name: with_vocabulary(name)[1])).fields
        elif document.kind == "fixture":
            assert all(each.green for each in replay_all(suite([document])))
        else:
            assert compile_mapping(whole(document, shipped), revision=1).fields


@pytest.mark.parametrize("claim", claims())
def test_every_line_of_a_table_is_true(claim: Claim) -> None:
    (field,) = claim.mapping.fields.values()
    step = field.rule.inward if claim.way == "inward" else field.rule.outward
    try:
        became = step(claim.value, held=claim.held)
    except Untranslatable:
        became = NO_WORD
    assert became == claim.becomes


def keys_of(part: dict[str, Any]) -> set[str]:
    return set(part.get("properties", {}))


def test_every_key_of_the_language_is_explained() -> None:
    schemas = (schema(), vocabulary.schema(), fixture.schema())
    keys = set().union(*(keys_of(part) for each in schemas for part in (each, *each["$defs"].values())))
    assert {key for key in keys if f"`{key}`" not in README} == set()


def test_every_shipped_mapping_is_listed() -> None:
    assert {name for name in names() if f"| `{name}` |" not in README} == set()
