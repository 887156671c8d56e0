"""`mapping …`: is a mapping right, before anybody's ticket depends on it?"""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from mappings import document as mapping_document
from mappings import vocabulary
from mappings.check import PROMISES, Proof, Report
from mappings.fixtures import document as fixture_document
from mappings.model import Losses
from sync import proving
from sync.cli import fixtures, preview
from sync.cli.output import as_json, document, say

PROVEN, REFUTED = 0, 1
_SCHEMAS: Mapping[str, Any] = {"mapping": mapping_document, "vocabulary": vocabulary, "fixture": fixture_document}


@click.group()
def mapping() -> None:
    """Prove a mapping, before anybody's ticket depends on it."""


@mapping.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@as_json
def check(files: Sequence[str], as_json: bool) -> int:
    """Prove the mappings in these files, or tell the shortest story that breaks each of their promises.

    FILE is a file of documents, or the name of a mapping that interdesk brings along. A mapping is held against the
    vocabulary of its own name, or of its connector's, where one of the files declares it. Several mappings are proven
    alone and together, as systems around one centre. Nothing is asked of any system, and nothing is written.

    Exit code 0: proven. 1: refuted. 2: not a mapping.
    """
    reports = proving.prove(proving.documents(files))
    if as_json:
        document({"proven": all(r.proven for r in reports), "mappings": [_plain(report) for report in reports]})
    else:
        for report in reports:
            _tell(report)
    return PROVEN if all(report.proven for report in reports) else REFUTED


@mapping.command()
@click.argument("kind", type=click.Choice(tuple(_SCHEMAS)), default="mapping")
def schema(kind: str) -> None:
    """The JSON Schema of a document, for editors."""
    document(_SCHEMAS[kind].schema())


def _tell(report: Report) -> None:
    verdict = "proven" if report.proven else f"refuted, {_times(len(report.refuted))}"
    say(f"{report.mapping} ({report.file}): {verdict}")
    held = {shown.proof: shown.how for shown in report.shown}
    for proof in Proof:
        broken = [each for each in report.refuted if each.proof is proof]
        if proof in held:
            say(f"  holds   {proof}: {PROMISES[proof]} ({held[proof]})")
        elif broken:
            say(f"  BROKEN  {proof}: {PROMISES[proof]}")
        else:
            say(f"  open    {proof}: not judged, since another promise is broken")
        for each in broken:
            say(f"    {each}", *(f"      {number}. {line}" for number, line in enumerate(each.story, 1)))
    for way, losses in (("outward", report.losses.outward), ("inward", report.losses.inward)):
        say(f"  what is lost {way}:", *(f"    {loss}" for loss in losses or ("nothing",)))
    say("  assumed:", *(f"    {each}" for each in report.assumed))


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _plain(report: Report) -> dict[str, Any]:
    losses: Losses = report.losses
    return {
        "mapping": report.mapping,
        "file": report.file,
        "proven": report.proven,
        "proofs": [{"proof": each.proof, "how": each.how} for each in report.shown],
        "refuted": [
            {
                "proof": each.proof,
                "file": each.place.file,
                "line": each.place.line,
                "column": each.place.column,
                "sentence": each.sentence,
                "story": list(each.story),
            }
            for each in report.refuted
        ],
        "losses": {"outward": list(losses.outward), "inward": list(losses.inward)},
        "assumed": list(report.assumed),
    }


for _command in (*fixtures.COMMANDS, *preview.COMMANDS):
    mapping.add_command(_command)

COMMANDS = (mapping,)
