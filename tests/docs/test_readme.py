"""README.md and sync/README.md against the program: commands, options, keys, defaults, exit codes, links."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from mappings.loader import read
from sync.cli import program
from sync.config import InstanceDocument, SystemDocument, system_document

ROOT = Path(__file__).parents[2]
FRONT = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "sync" / "README.md").read_text(encoding="utf-8")


def commands(group: click.Group = program.interdesk, words: str = "interdesk") -> Iterator[tuple[str, click.Command]]:
    """Every command that can be typed."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}", command


def table(heading: str, columns: int) -> dict[str, list[str]]:
    """The rows of the first table after this heading or mark, by their first cell."""
    after = PAGE.split(heading, 1)[1]
    rows = []
    for line in after.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == columns:
            rows.append(cells)
        elif rows:
            break
    return {row[0].strip("`"): row[1:] for row in rows[2:]}


def documented() -> dict[str, tuple[str, str]]:
    """The commands of the page: name -> how it is typed, what it does."""
    rows = table("## Commands", 2)
    return {re.split(r" (?=[A-Z\[]|--)", typed)[0]: (typed, does[0]) for typed, does in rows.items()}


def test_the_page_lists_every_command_and_no_other() -> None:
    page = {name.removesuffix(" P3") for name in documented()}
    assert page == {name for name, _ in commands()}


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_each_command_is_described_as_its_help_does(name: str, command: click.Command) -> None:
    typed, does = documented()[name]
    assert (command.help or "").startswith(does)
    options = {param.opts[-1] for param in command.params if isinstance(param, click.Option)}
    assert set(re.findall(r"--[a-z-]+", typed)) == options
    for param in command.params:
        if isinstance(param, click.Argument) and name != "interdesk bench":
            assert param.make_metavar(click.Context(command)).strip("[].") in typed


def keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every key of a document, inner ones with their path."""
    for name, field in model.model_fields.items():
        inner = [each for each in (field.annotation, *getattr(field.annotation, "__args__", ())) if _is_model(each)]
        if inner and inner[0].__name__ != "SecretReference":
            yield from keys(inner[0], f"{before}{field.alias or name}.")
        else:
            yield f"{before}{field.alias or name}"


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


@pytest.mark.parametrize("model", [SystemDocument, InstanceDocument])
def test_every_key_of_a_document_is_on_the_page_and_no_other(model: type[BaseModel]) -> None:
    assert list(table(f"<!-- keys: {model.__name__} -->", 3)) == list(keys(model))


def test_the_defaults_on_the_page_are_the_programs() -> None:
    page = {key: row[0].strip("`") for key, row in table("<!-- keys: SystemDocument -->", 3).items()}
    bare = "kind: system\nname: x\nconnector: rt\nsettings: {}\nmapping: rt\n"
    said = bare + f"birth_unit: {page['birth_unit']}\nsupport_units: {page['support_units']}\n"
    said += f"contacts: {page['contacts']}\nlimits: {{in_flight: {page['limits.in_flight']}}}\n"
    said += (
        f"poll: {{every: {page['poll.every']}, overlap: {page['poll.overlap']}, full_scan: {page['poll.full_scan']}}}\n"
    )
    assert system_document(read(said, "x.yaml")[0]) == system_document(read(bare, "x.yaml")[0])
    limits = {key: row[0].strip("`") for key, row in table("<!-- keys: InstanceDocument -->", 3).items()}
    told = {name: limits[f"limits.{name}"] for name in ("file", "comment", "answer")}
    assert InstanceDocument.model_validate({"limits": told}) == InstanceDocument()


def test_the_exit_codes_on_the_page_are_the_programs() -> None:
    codes = {program.DONE, program.NO, program.MISTAKE, program.UNREACHABLE, program.BUG, program.INTERRUPTED}
    assert {int(code) for code in table("### Exit codes", 2)} == codes


def test_the_variables_on_the_page_are_the_programs() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "sync").glob("*.py"))
    used = set(re.findall(r'"(INTERDESK_[A-Z]+(?:_[A-Z]+)*)"', source))
    assert set(table("## The environment", 3)) - {"INTERDESK_SECRET_…"} == used


def test_the_paths_on_the_page_are_the_applications() -> None:
    routes = {"/hooks/*"}
    for file in (ROOT / "central" / "desk" / "web").glob("*.py"):
        source = file.read_text(encoding="utf-8")
        (prefix,) = re.findall(r'APIRouter\(prefix="([^"]+)"\)', source) or ("",)
        routes |= {prefix + re.sub(r"\{\w+\}", "*", path) for path in re.findall(r'@\w+\.get\("([^"]*)"', source)}
    told = {re.sub(r"[A-Z]+", "*", path) for path in table("## The pages", 2)}
    assert told == routes - {"/static/*"}


def test_the_first_document_of_the_front_page_is_understood() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", FRONT, re.DOTALL)
    assert system_document(read(text, "README.md")[0]).support_units == ("NGI_CZ",)


@pytest.mark.parametrize("page", [FRONT, PAGE])
def test_every_command_in_an_example_can_be_typed(page: str) -> None:
    known = {name for name, _ in commands()}
    for line in re.findall(r"^ {4}interdesk (.*)$", page, re.MULTILINE):
        words = [word for word in line.split("  ")[0].split() if not word.startswith("-") and "/" not in word]
        assert any(" ".join(["interdesk", *words[:count]]) in known for count in (1, 2)), line


@pytest.mark.parametrize("file", ["README.md", "sync/README.md"])
def test_every_link_leads_somewhere(file: str) -> None:
    page = (ROOT / file).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", page):
        path, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        there = (ROOT / file).parent / path if path else ROOT / file
        assert there.exists(), target
        headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target


def test_the_make_targets_of_the_front_page_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", FRONT)) - {"and"} <= targets


def test_the_lock_names_no_place_to_fetch_from() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(-|--)|https?://|file://", lock, re.MULTILINE)
