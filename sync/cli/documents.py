"""`apply`, `diff`, `rollback`, `export`: documents in and out of the registry."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from central.desk.services.systems import Applicant
from central.registry import Document, SystemState
from central.store.api import NoSuch, Transaction
from mappings import loader
from sync import registration
from sync.bootstrap import Interdesk
from sync.cli.output import as_json, document, say
from sync.cli.session import Session, who
from sync.helm import Helm
from sync.registration import Change
from sync.stored import as_applied, read_again

files = click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True)
)
same_secret = click.option(
    "--same-secret", is_flag=True, help="A system may move to another address with its old secret."
)


@click.command()
@files
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--live", is_flag=True, help="Let the systems in these files go live at once.")
@same_secret
@as_json
@click.pass_obj
def apply(session: Session, files: Sequence[Path], dry_run: bool, live: bool, same_secret: bool, as_json: bool) -> None:
    """Register documents, or change them: all of them or none. `-` reads the standard input.

    Several documents stand in one file, divided by ---. Each change is a new revision, which `rollback` can undo.
    """
    read = _read(files)
    with session.interdesk(create=True) as desk:
        if dry_run:
            changes = desk.store.read(lambda tx: registration.plan(tx, read, desk.connectors, Applicant(same_secret)))
            _show(changes, as_json, done=False)
            return
        applied, readmitted = Helm(desk).take_in(lambda _: read, who(), Applicant(same_secret))
        names = [each.name for each in read if each.kind == "system"]
        for name in names if live else ():
            Helm(desk).go_live(name, who())
        if as_json:
            document([_plain(each.change, each.revision) for each in applied])
            return
        _show([each.change for each in applied], as_json=False, done=True)
        _tell_of(readmitted)
        _next_steps(desk, names)


@click.command()
@files
@same_secret
@as_json
@click.pass_obj
def diff(session: Session, files: Sequence[Path], same_secret: bool, as_json: bool) -> int:
    """Show what `apply` would change. Exit code 1 where something would."""
    read = _read(files)
    with session.interdesk(create=True) as desk:
        changes = desk.store.read(lambda tx: registration.plan(tx, read, desk.connectors, Applicant(same_secret)))
    _show(changes, as_json, done=False)
    return 1 if any(change.verb != "unchanged" for change in changes) else 0


@click.command()
@click.argument("kind", metavar="KIND", type=click.Choice(registration.KINDS))
@click.argument("name")
@click.argument("revision", type=click.IntRange(min=1))
@same_secret
@as_json
@click.pass_obj
def rollback(session: Session, kind: str, name: str, revision: int, same_secret: bool, as_json: bool) -> None:
    """Go back to an earlier revision of a document, which becomes the newest one.

    KIND is system, mapping or profile.
    """

    def earlier(tx: Transaction) -> Sequence[loader.Document]:
        return [read_again(tx.registry.document(kind, name, revision))]

    with session.interdesk() as desk:
        applied, readmitted = Helm(desk).take_in(earlier, who(), Applicant(same_secret))
    if as_json:
        document([_plain(each.change, each.revision) for each in applied])
    else:
        _show([each.change for each in applied], as_json=False, done=True)
        say(f"{kind} {name} is at revision {applied[-1].revision}, with the text of revision {revision}")
        _tell_of(readmitted)


@click.command()
@click.argument("kind", metavar="[KIND]", type=click.Choice(registration.KINDS), required=False)
@click.argument("name", required=False)
@click.option("--revision", type=click.IntRange(min=1), help="An earlier revision of the one document.")
@as_json
@click.pass_obj
def export(session: Session, kind: str | None, name: str | None, revision: int | None, as_json: bool) -> None:
    """Print registered documents as they were applied, ready to be applied elsewhere.

    KIND is system, mapping or profile; without NAME all of them. Secrets stay references. A mapping that extends
    another is printed as it was applied; --json gives it with all that it took.
    """
    if revision is not None and name is None:
        raise click.UsageError("--revision goes with KIND and NAME")
    with session.interdesk() as desk:
        found = desk.store.read(lambda tx: _documents(tx, kind, name, revision))
    if as_json:
        document([{"revision": each.revision, **each.data} for each in found])
        return
    click.echo("---\n".join(as_applied(each) for each in found), nl=False)


def _read(files: Iterable[Path]) -> tuple[loader.Document, ...]:
    """Every document of these files and the standard input.  :raises DocumentError: with all that is wrong in any."""
    paths = list(files)
    found: list[loader.Document] = []
    problems: list[loader.Problem] = []
    for path in paths:
        try:
            found += loader.read(sys.stdin.read(), "stdin") if str(path) == "-" else loader.read_files([path])
        except loader.DocumentError as error:
            problems += error.problems
    if problems:
        raise loader.DocumentError(problems)
    return tuple(found)


def _documents(tx: Transaction, kind: str | None, name: str | None, revision: int | None) -> list[Document]:
    if kind and name:
        return [tx.registry.document(kind, name, revision)]
    kinds = [kind] if kind else ["mapping", "system"]
    return [each for wanted in kinds for each in tx.registry.documents(wanted)]


def _show(changes: Iterable[Change], as_json: bool, *, done: bool) -> None:
    if as_json:
        document([_plain(change, None) for change in changes])
        return
    for change in changes:
        origin = ", from the library" if change.pinned else ""
        verb = change.verb if done or change.verb == "unchanged" else f"would be {change.verb}"
        say(f"{change.label}: {verb}{origin}")
        if change.verb == "changed" or (change.verb == "new" and not change.pinned):
            say(change.diff())


def _plain(change: Change, revision: int | None) -> dict[str, Any]:
    answer = {"kind": change.document.kind, "name": change.document.name, "change": change.verb, "diff": change.diff()}
    return answer if revision is None else {**answer, "revision": revision}


def _tell_of(readmitted: Iterable[str]) -> None:
    for name in readmitted:
        say(f"system {name} had turned us away; with other credentials it is tried again")


def _next_steps(desk: Interdesk, names: Iterable[str]) -> None:
    for name in names:
        try:
            state = desk.store.read(lambda tx, name=name: tx.registry.system(name)).state  # type: ignore[misc]  # bound now
        except NoSuch:
            continue
        if state is SystemState.DRAFT:
            say(f"next: interdesk system check {name}   (reads only)")
            say(f"then: interdesk system live {name}   (or shadow {name}: computed, not written)")


COMMANDS = (apply, diff, rollback, export)
