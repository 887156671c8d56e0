"""`connector …`: the kinds of trackers there are, and the proof of a new one."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from central.store.api import StoreError
from connectors import matrix, registry
from connectors.api import Connector, Value
from connectors.environment import Wire
from connectors.errors import SettingsError
from connectors.profiled.profile import Profile
from connectors.registry import AnyProfile
from connectors.sketch.drawing import draw
from connectors.sketch.openapi import Unreadable
from connectors.sketch.openapi import read as read_openapi
from connectors.sketch.services import read as read_wsdl
from connectors.trial import Trial, Tried
from mappings.editors import partly
from mappings.loader import Document, DocumentError, Problem, read_files, suggestion
from sync import extended
from sync.bootstrap import Interdesk
from sync.cli.lazily import Lazily
from sync.cli.output import as_json, document, pairs, say, table
from sync.cli.session import Session
from sync.config import SystemDocument, profile_document, system_document
from sync.gateways import profile_of
from sync.live import registered
from sync.stored import read_again

PROVEN, REFUTED = 0, 1
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@click.group("connector", commands=Lazily({"record": "tapes", "test": "tapes"}))
def group() -> None:
    """The kinds of trackers there are, and the proof of a new one."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of tracker, as far as it is known here."""

    name: str
    product: str
    family: str
    comes: str
    proven: str
    profile: AnyProfile | None


@group.command("list")
@as_json
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every kind of tracker that a system can name as its connector."""
    found = _kinds(session)
    if as_json:
        document(
            [
                {"name": k.name, "product": k.product, "family": k.family, "comes": k.comes, "proven": k.proven}
                for k in found
            ]
        )
    else:
        table(
            ("Name", "Product", "Family", "Comes", "Proven against"),
            [(k.name, k.product, k.family, k.comes, k.proven) for k in found],
        )


@group.command()
@click.argument("name", metavar="NAME|FILE")
@as_json
@click.pass_obj
def show(session: Session, name: str, as_json: bool) -> None:
    """One kind of tracker: its settings, what it can do, and which of our writes make it send mail."""
    kind = _kind(session, name)
    if kind.profile is None:
        raise click.UsageError(f"{name} is no profile: its own package says what it takes and does")
    profile = kind.profile
    if as_json:
        document(profile.model_dump(mode="json", exclude_defaults=True))
        return
    say(
        f"{kind.name}: {kind.product}, over {kind.family}; {kind.comes}",
        f"proven against: {kind.proven}",
        "",
        "settings:",
    )
    table(
        ("Setting", "Kind", "Default", "Says"),
        [
            (each, setting.kind, setting.default or ("" if setting.required else "may be left out"), setting.says)
            for each, setting in profile.settings.items()
        ],
    )
    say("", "what it can do:")
    pairs(matrix.told(profile))
    say("", "which of our writes make it send mail:" if profile.notifies else "none of our writes makes it send mail")
    if profile.notifies:
        pairs([(write.value, f"{', '.join(mail.to)}: {mail.says}") for write, mail in profile.notifies.items()])


@group.command()
def schema() -> None:
    """Print the JSON Schema of profiles, for editors."""
    document(partly("Profile", Profile.model_json_schema()))


@group.command()
@click.argument("what", nargs=-1, required=True, metavar="FILE...|SYSTEM")
@click.option("--write", is_flag=True, help="Make a ticket there, change it and comment on it, too. It stays.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="What that ticket holds; with --write.")
@as_json
@click.pass_obj
def probe(session: Session, what: Sequence[str], write: bool, fields: Sequence[str], as_json: bool) -> int:
    """Try each operation against the live system, and say what was understood.

    FILE holds a system's document, and its profile where it brings one; nothing is registered. SYSTEM is a registered
    one. Only reading, unless --write says otherwise.

    Exit code 0: all was understood. 1: something is to be mended.
    """
    wanted = field_values(fields, "--set")
    if write != bool(wanted):
        raise click.UsageError("--write goes with --set: say what the new ticket holds, its title first")
    with session.interdesk(create=True) as desk:
        connector = named(desk, what).open(desk)
        try:
            trial = Trial(connector, desk.clock, fresh_token)
            tried: list[Tried] = []
            for each in (*_shown(trial.reading(), as_json), *(_shown(trial.writing(wanted), as_json) if write else ())):
                tried.append(each)
        finally:
            connector.close()
    wrong = sum(not each.finding.ok for each in tried)
    if as_json:
        document({"proven": not wrong, "tried": [asdict(each) for each in tried]})
    else:
        say("", f"{wrong} to mend" if wrong else "all was understood")
    return REFUTED if wrong else PROVEN


@group.command()
@click.argument("name")
@click.option("--openapi", type=click.Path(path_type=Path, dir_okay=False), help="The product's OpenAPI document.")
@click.option("--wsdl", type=click.Path(path_type=Path, dir_okay=False), help="The product's WSDL.")
def new(name: str, openapi: Path | None, wsdl: Path | None) -> None:
    """Sketch a profile from an OpenAPI document or a WSDL, and print it.

    Guesses are marked as such; every operation that was found is listed at the end. `connector probe` tells what holds.
    """
    if (openapi is None) == (wsdl is None):
        raise click.UsageError("name an --openapi document or a --wsdl")
    if not _NAME.fullmatch(name):
        raise click.UsageError("a profile is named by small letters, digits, dashes and underscores, a letter first")
    given = openapi or wsdl
    try:
        interface = read_openapi(openapi.read_bytes()) if openapi is not None else read_wsdl(wsdl or Path())
    except OSError as trouble:
        raise click.UsageError(f"{given} cannot be read: {trouble.strerror}") from None
    except Unreadable as trouble:
        raise click.UsageError(f"{given}: {trouble}") from None
    click.echo(draw(interface, name), nl=False)


COMMANDS = (group,)


def fresh_token() -> str:
    """A token that nobody has."""
    return f"7Q-{secrets.token_hex(6).upper()}"


def _shown(tried: Any, as_json: bool) -> Any:
    """Each as it comes: a system that is slow is watched while it answers."""
    for each in tried:
        if not as_json:
            finding = each.finding
            say(f"{'ok' if finding.ok else 'NO':3} {each.operation:9} {finding.sentence}")
            if finding.remedy and not finding.ok:
                say(f"{'':13} {finding.remedy}")
        yield each


def field_values(given: Sequence[str], option: str) -> dict[str, Value]:
    """What stands behind an option as FIELD=VALUE, in its order."""
    found: dict[str, Value] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} is FIELD=VALUE, not {each!r}")
        found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class Named:
    """The system that was named, and the profile that it brings."""

    place: Document
    system: SystemDocument
    profile: AnyProfile | None

    def open(self, desk: Interdesk, wire: Wire | None = None) -> Connector:
        """Its connector.  :raises DocumentError: what is wrong with it, at its place."""
        system = self.system
        try:
            return desk.connectors.open(system.connector, system.settings, system.name, profile=self.profile, wire=wire)
        except SettingsError as error:
            raise DocumentError(
                Problem(self.place.place(("settings", *path)), sentence) for path, sentence in error.problems
            ) from None
        except LookupError as absent:
            raise DocumentError([Problem(self.place.place(("connector",)), str(absent))]) from None


def named(desk: Interdesk, what: Sequence[str]) -> Named:
    """The registered system of this name, or the one in these files.

    :raises DocumentError, LookupError: there is none."""
    if len(what) == 1 and not is_file(what[0]):
        stored = desk.store.read(lambda tx: (registered(tx, what[0]), tx.registry.document("system", what[0]))[1])
        documents: tuple[Document, ...] = (read_again(stored),)
    else:
        documents = read_files([Path(each) for each in what])
    systems = [each for each in documents if each.kind == "system"]
    if len(systems) != 1:
        raise DocumentError([Problem(documents[0].place(), "name one system: a document of kind system, alone")])
    system = system_document(systems[0])
    return Named(systems[0], system, taught(desk, documents, system.connector))


def taught(desk: Interdesk, documents: Sequence[Document], connector: str) -> AnyProfile | None:
    """The profile of this name, among these documents or registered; None: if any, it comes with interdesk."""
    given = [each for each in documents if (each.kind, each.name) == ("profile", connector)]
    stored = desk.store.read(lambda tx: profile_of(tx, connector))
    if given:
        return profile_document(desk.store.read(lambda tx: extended.whole(given[0], documents, tx)))
    return profile_document(read_again(stored)) if stored else None


def _kind(session: Session, name: str) -> _Kind:
    if is_file(name):
        documents = read_files([Path(name)])
        found = [profile_document(extended.whole(each, documents)) for each in documents if each.kind == "profile"]
        if len(found) != 1:
            raise click.UsageError(f"{name} holds {len(found)} profiles; name a file of one")
        return _of(found[0], f"in {name}")
    kinds: Mapping[str, _Kind] = {each.name: each for each in _kinds(session)}
    if name not in kinds:
        raise click.UsageError(f"there is no connector {name!r}{suggestion(name, sorted(kinds))}")
    return kinds[name]


def _kinds(session: Session) -> list[_Kind]:
    found = {name: _of(profile, "with interdesk") for name, profile in registry.profiles().items()}
    for name in registry.names():
        comes = "with interdesk" if name == "memory" else "by a package"
        found.setdefault(name, _Kind(name, "", "python", comes, "", None))
    try:
        with session.interdesk() as desk:
            stored = desk.store.read(lambda tx: tx.registry.documents("profile"))
    except StoreError:  # there is no database yet
        stored = ()
    for each in stored:
        found[each.name] = _of(profile_document(read_again(each)), f"registered, revision {each.revision}")
    return [found[name] for name in sorted(found)]


def _of(profile: AnyProfile, comes: str) -> _Kind:
    return _Kind(profile.name, profile.product, profile.family, comes, profile.proven, profile)


def is_file(name: str) -> bool:
    """Whether a file is meant."""
    return "/" in name or name.endswith((".yaml", ".yml")) or Path(name).is_file()
