"""`mapping …`: is a mapping right, before anybody's ticket depends on it?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from central.registry import Document as Registered
from central.store.api import Transaction
from mappings import document as mapping_document
from mappings import vocabulary
from mappings.check import PROMISES, Proof, Report
from mappings.fixtures import document as fixture_document
from mappings.loader import Document
from mappings.model import Losses
from sync import live, proving
from sync.cli import fixtures, named, preview
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session
from sync.config import profile_document, system_document
from sync.gateways import profile_of
from sync.spoken import Spoken, listen
from sync.stored import read_again

PROVEN, REFUTED = 0, 1
_SCHEMAS: Mapping[str, Any] = {"mapping": mapping_document, "vocabulary": vocabulary, "fixture": fixture_document}


@click.group()
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
        mapping, spoken = _listen(session, system)
        reports = proving.prove(given or (mapping,), spoken)
    if as_json:
        document({"proven": all(r.proven for r in reports), "mappings": [_plain(report) for report in reports]})
    else:
        for report in reports:
            _tell(report)
    return PROVEN if all(report.proven for report in reports) else REFUTED


def _listen(session: Session, system: str) -> tuple[Document, Spoken]:
    """The mapping of a registered system, and what that says of itself."""
    with session.interdesk() as desk:
        stored = desk.store.read(lambda tx: _registered(tx, system))
        registered, own = system_document(read_again(stored[0])), read_again(stored[1])
        taught = desk.store.read(lambda tx: profile_of(tx, registered.connector))
        profile = profile_document(read_again(taught)) if taught else None
        connector = desk.connectors.open(registered.connector, registered.settings, system, profile=profile)
        try:
            return own, listen(system, desk.connectors.words(registered.connector, profile), connector)
        finally:
            connector.close()


def _registered(tx: Transaction, system: str) -> tuple[Registered, Registered]:
    live.registered(tx, system)
    document = tx.registry.document("system", system)
    return document, tx.registry.document("mapping", system_document(read_again(document)).mapping)


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
