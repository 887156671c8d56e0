"""`mapping …`: is a mapping right, before anybody's ticket depends on it?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from mappings.check import PROMISES, Proof, Report
from mappings.model import Losses
from sync import proving
from sync.cli import named
from sync.cli.lazily import Lazily
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session

PROVEN, REFUTED = 0, 1


@click.group(
    commands=Lazily(
        {"preview": "preview", "replay": "fixtures", "coverage": "fixtures", "capture": "captures", "schema": "schemas"}
    )
)
def mapping() -> None:
    """Prove a mapping, before anybody's ticket depends on it."""


@mapping.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--system", help="Hold them against this registered system as it is now; without FILE, its own mapping.")
@as_json
@click.pass_obj
def check(session: Session, files: Sequence[str], system: str | None, as_json: bool) -> int:
    """Prove the mappings in these files, or tell the shortest story that breaks each of their promises.

    FILE is a file of documents, or the name of a mapping that interdesk brings along. A mapping is held against the
    vocabulary of its own name, or of its connector's, where one of the files declares it. Several mappings are proven
    alone and together, as systems around one centre. No system is asked anything but the one that --system names,
    which is read only: its fields and words go before those that are declared.

    Exit code 0: proven. 1: refuted. 2: not a mapping. 3: the system cannot be reached.
    """
    if not files and system is None:
        raise click.UsageError("name a FILE or more, or a --system")
    given = proving.documents(files)
    if system is None:
        reports = proving.prove(given)
    else:
        from sync.cli.hearing import hear  # it takes the whole house, which a proof of files need not wait for

        mapping, spoken = hear(session, system)
        reports = proving.prove(given or (mapping,), spoken)
    if as_json:
        document({"proven": all(r.proven for r in reports), "mappings": [_plain(report) for report in reports]})
    else:
        for report in reports:
            _tell(report)
    return PROVEN if all(report.proven for report in reports) else REFUTED


@mapping.command()
@click.argument("mapping", metavar="MAPPING")
@as_json
@click.pass_obj
def show(session: Session, mapping: str, as_json: bool) -> None:
    """Show all that a mapping says, with what it extends, and where each word of it is written.

    MAPPING is a file, the NAME of a mapping that is registered or comes with interdesk, or NAME@REVISION.
    """
    (whole,) = named.anywhere(session, [mapping])
    rows = [(".".join(path), value, str(whole.place(path))) for path, value in _leaves(whole.data)]
    if as_json:
        places = {key: place for key, _, place in rows}
        document({"mapping": whole.data, "extends": [base.name for base in whole.bases], "places": places})
    else:
        table(("Key", "Says", "Written at"), [(key, _said(value), place) for key, value, place in rows])


def _leaves(data: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that holds no further keys."""
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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


COMMANDS = (mapping,)
