"""central/README.md against the code: its tables are the code's tables, and its examples run."""

import inspect
import re
from pathlib import Path

import pytest

from central import workflow
from central.desk.soap.vocabulary import OPERATIONS
from central.events import Kind
from central.link import LinkState
from central.model import FIELDS, Limits
from central.rights import MATRIX, Extent
from central.store import api
from central.store.sql.blobs import PIECE
from central.store.sql.group import MOST
from central.workflow import FINAL, OPEN, TABLE, Actor, Status

PACKAGE = Path(__file__).parents[2] / "central"
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def table(first_heading: str) -> dict[str, list[str]]:
    """The rows of the table whose first heading this is: first cell -> the others, without back-ticks."""
    start = README.index(f"\n| {first_heading} |") + 1
    lines = README[start : README.index("\n\n", start)].splitlines()[2:]
    rows = [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines]
    return {first: rest for first, *rest in rows}


def words(cell: str) -> set[str]:
    return {word.strip() for word in cell.split(",")} - {""}


def test_the_fields_are_those_of_the_model_in_their_order() -> None:
    told = table("Field")
    assert list(told) == list(FIELDS)
    for name, (label, kind, most, values) in told.items():
        spec = FIELDS[name]
        assert (label, kind, most) == (spec.label, spec.kind, str(spec.max_length or ""))
        assert ("required" in values) == spec.required
        if name not in ("status", "subject"):
            assert words(values) == set(spec.values)


def test_the_statuses_are_the_ten_in_their_groups() -> None:
    told = table("Status")
    assert list(told) == list(Status)
    groups = {status: group for status, (_, group) in told.items()}
    assert {status for status, group in groups.items() if group == "open"} == OPEN
    assert {status for status, group in groups.items() if group == "final"} == FINAL


@pytest.mark.parametrize("column", [Actor.SUPPORTER, Actor.SUBMITTER])
def test_who_sets_what_is_the_workflow(column: Actor) -> None:
    place = [Actor.SUPPORTER, Actor.SUBMITTER].index(column)
    told = {before: words(cells[place]) for before, cells in table("From").items()}
    assert told == {before: set(after) for before, after in TABLE[column].items()}


def test_what_only_the_system_sets_is_told() -> None:
    [sentence] = re.findall(r"Only the system sets (.*?)\.", README, re.DOTALL)
    assert set(re.findall(r"`(.*?)`", sentence)) == workflow.SET_BY_SYSTEM_ONLY
    assert set(TABLE[Actor.SYSTEM][Status.ON_HOLD]) == set(Status) - {Status.ON_HOLD}


def test_every_fact_of_the_history_is_told_and_no_other() -> None:
    [paragraph] = re.findall(r"These are the facts:(.*?)\n\n", README, re.DOTALL)
    assert re.findall(r"`(.*?)`", paragraph) == [kind.value for kind in Kind]


def test_the_states_of_a_link_are_told() -> None:
    assert list(table("State")) == list(LinkState)


def test_every_error_of_the_store_stands_beside_its_promise() -> None:
    errors = {
        name
        for name, thing in vars(api).items()
        if inspect.isclass(thing) and issubclass(thing, api.StoreError) and thing is not api.StoreError
    }
    told = {name for row in table("Promise").values() for cell in row for name in re.findall(r"\b[A-Z]\w+", cell)}
    assert errors <= told


def test_sizes_are_those_of_the_code() -> None:
    limits = Limits()
    mb = 1024 * 1024
    assert f"a file\n{limits.file // mb} MB, a comment {limits.comment // mb} MB" in README
    assert f"an answer of another system {limits.answer // mb} MB" in README
    assert f"at most {MOST}" in README
    assert f"pieces of {PIECE // 1024} KB" in README


def test_every_module_of_the_package_is_listed() -> None:
    told = set(table("Look at"))
    there = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    there |= {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    assert told == there


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs(example: str) -> None:
    exec(compile(example, "central/README.md", "exec"), {"__name__": "example"})


def test_every_link_on_the_page_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in README.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#(.*?)\)", README)) <= headings


def test_the_operations_of_the_soap_door_are_told_by_every_name() -> None:
    start = README.index("\n| Operation | Also called |")
    rows = re.findall(r"`(\w+)`", README[start : README.index("\n\n", start)])
    assert sorted(rows) == sorted(OPERATIONS)


def test_the_table_of_rights_is_the_one_that_every_door_asks() -> None:
    told = {Extent.NO: "", Extent.OWN: "own", Extent.ALL: "all"}
    assert table("To") == {action: [told[far] for far in row.values()] for action, row in MATRIX.items()}
