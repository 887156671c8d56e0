"""`mapping replay`: a mapping's examples, replayed."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from mappings.fixtures.junit import junit
from mappings.fixtures.replay import Difference, Replayed, gather, replay_all, shown, suite
from mappings.loader import DocumentError, Place, Problem
from sync.cli.output import as_json, console, document, printable, say

GREEN, RED = 0, 1
_COLOURS = {"-": "red", "+": "green", "?": "dim"}


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="DIR|FILE|NAME...")
@click.option("--junit", "xml", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML there, for CI.")
@as_json
def replay(names: Sequence[str], xml: Path | None, as_json: bool) -> int:
    """Replay the fixtures in these files and folders, and show what became of each record that should not.

    NAME is a mapping that interdesk brings along. A fixture is held against the mapping of its name in the same files,
    else against the library's. Nothing is asked of any system, and nothing is written.

    Exit code 0: every fixture is green. 1: one differs. 2: the documents are wrong, or there is no fixture.
    """
    results = replay_all(suite(gather(names)))
    if not results:
        raise DocumentError([Problem(Place(names[0], 1, 1), "there is no fixture here")])
    if xml is not None:
        xml.write_text(junit(results), encoding="utf-8")
    if as_json:
        document({"green": all(each.green for each in results), "fixtures": [_plain(each) for each in results]})
    else:
        _tell(results)
    return GREEN if all(each.green for each in results) else RED


def _tell(results: Sequence[Replayed]) -> None:
    for each in results:
        if not each.green:
            place = each.fixture.document.place(("name",))
            say(f"{each.fixture.mapping} {each.fixture.name} ({place}): differs")
        for difference in each.differences:
            say(f"  {difference.item} ({difference.place})")
            for line in diff(difference):
                console().print(Text(f"    {printable(line)}", style=_COLOURS.get(line[:1], "")), soft_wrap=True)
    failed = sum(not each.green for each in results)
    say(f"{len(results)} fixtures: {f'{failed} differ' if failed else 'all green'}")


def diff(difference: Difference) -> Iterator[str]:
    """Expected (`-`) and what became of it (`+`); line by line where it is a text of several."""
    expected, became = difference.expected, difference.became
    if isinstance(expected, str) and isinstance(became, str) and "\n" in f"{expected}{became}":
        yield from (line.rstrip("\n") for line in difflib.ndiff(expected.splitlines(), became.splitlines()))
    else:
        yield f"- {shown(expected)}"
        yield f"+ {shown(became)}"


def _plain(each: Replayed) -> dict[str, Any]:
    place = each.fixture.document.place(("name",))
    return {
        "mapping": each.fixture.mapping,
        "fixture": each.fixture.name,
        "file": place.file,
        "line": place.line,
        "green": each.green,
        "differences": [
            {
                "item": one.item,
                "file": one.place.file,
                "line": one.place.line,
                "column": one.place.column,
                "expected": one.expected,
                "became": one.became,
            }
            for one in each.differences
        ],
    }


COMMANDS = (replay,)
