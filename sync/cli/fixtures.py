"""`mapping replay|coverage`: a mapping's examples, replayed and measured."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from mappings import library
from mappings.coverage import Report, measure
from mappings.coverage.mutants import UNJUDGED
from mappings.coverage.suggesting import suggestions
from mappings.fixtures.junit import junit
from mappings.fixtures.replay import Replayed, difference_lines, gather, replay_all, suite
from mappings.loader import DocumentError, Place, Problem
from sync import proving
from sync.cli.output import as_json, console, document, printable, say, table

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
        _write(xml, junit(results))
    if as_json:
        document({"green": all(each.green for each in results), "fixtures": [_plain(each) for each in results]})
    else:
        _tell(results)
    return GREEN if all(each.green for each in results) else RED


@click.command()
@click.argument("names", nargs=-1, metavar="[FILE|NAME]...")
@click.option("--fixtures", "folders", multiple=True, metavar="DIR|FILE", help="More fixtures. May be given again.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Exit code 1 where either figure is below that.")
@click.option("--suggest", metavar="FILE", help="Write fixtures that close the gap there; - is the standard output.")
@as_json
def coverage(
    names: Sequence[str], folders: Sequence[str], fail_under: float | None, suggest: str | None, as_json: bool
) -> int:
    """What no fixture shows of a mapping, and which mistakes in it none would notice; without FILE: of the library.

    FILE holds a mapping, its fixtures as well or not; NAME is a mapping that interdesk brings along, with its fixtures.
    Every way of every field, every pair of words and every memory ought to be shown. Then the mapping is changed in one
    place after the other, and the fixtures are replayed: a change that keeps them green would not be noticed. Changes
    that provably change nothing do not count, and are listed.

    Exit code 0: measured. 1: a fixture differs, or a figure is below --fail-under. 2: the documents are wrong.
    """
    names = names or library.names()
    wanted = [each.name for each in gather(names) if each.kind == "mapping"]
    if not wanted:
        raise DocumentError([Problem(Place(names[0], 1, 1), "there is no mapping here")])
    given = gather((*names, *folders))
    measured = suite(given)
    ours = {name: proving.centre().values(name) for name in proving.centre().fields}
    proven = partial(proving.is_proven, [each for each in given if each.kind == "vocabulary"])
    reports = [measure(measured.mappings[name], measured.of(name), ours, proven) for name in wanted]
    if suggest is not None:
        _suggest(suggest, [text for report in reports for text in suggestions(report, ours)])
    if as_json:
        document({"mappings": [_figures(report) for report in reports]})
    elif suggest != "-":
        _tell_figures(reports)
    return GREEN if all(report.reaches(fail_under or 0) for report in reports) else RED


def _suggest(where: str, texts: Sequence[str]) -> None:
    whole = "---\n".join(texts)
    if where == "-":
        sys.stdout.write(whole)
    else:
        _write(Path(where), whole)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from None


def _tell_figures(reports: Sequence[Report]) -> None:
    table(
        ("Mapping", "Fixtures", "Shown", "Mistakes noticed", "No mistakes", "Refused"),
        [
            (
                report.mapping.name,
                len(report.fixtures),
                f"{report.coverage:.1f} % of {report.duties}",
                f"{report.score:.1f} % of {report.killed + len(report.alive)}",
                len(report.equivalent),
                report.refused,
            )
            for report in reports
        ],
    )
    for report in reports:
        lists = (
            ("differs", [str(difference) for each in report.red for difference in each.differences]),
            ("not shown", report.missing),
            ("would not be noticed", report.alive),
            ("provably no mistake", report.equivalent),
        )
        for title, lines in lists:
            if lines:
                say("", f"{report.mapping.name}, {title}:", *(f"  {line}" for line in lines))


def _figures(report: Report) -> dict[str, Any]:
    return {
        "mapping": report.mapping.name,
        "file": report.document.file,
        "fixtures": len(report.fixtures),
        "coverage": report.coverage,
        "score": report.score,
        "differing": [each.fixture.name for each in report.red],
        "missing": [_placed(duty.place, duty.sentence) for duty in report.missing],
        "alive": [_placed(mutant.place, mutant.sentence) for mutant in report.alive],
        "equivalent": [_placed(mutant.place, mutant.sentence) for mutant in report.equivalent],
        "refused": report.refused,
        "not_judged": dict(UNJUDGED),
    }


def _placed(place: Place, sentence: str) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column, "sentence": sentence}


def _tell(results: Sequence[Replayed]) -> None:
    for each in results:
        if not each.green:
            place = each.fixture.document.place(("name",))
            say(f"{each.fixture.mapping} {each.fixture.name} ({place}): differs")
        for difference in each.differences:
            say(f"  {difference.item} ({difference.place})")
            for line in difference_lines(difference):
                console().print(Text(f"    {printable(line)}", style=_COLOURS.get(line[:1], "")), soft_wrap=True)
    failed = sum(not each.green for each in results)
    say(f"{len(results)} fixtures: {f'{failed} differ' if failed else 'all green'}")


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


COMMANDS = (replay, coverage)
