"""`connector record|test`: what a live system answered, kept and played again; and the suite, on an emulator."""

import difflib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from connectors import registry
from connectors.api import Connector
from connectors.environment import Environment
from connectors.profiled.connector import ProfiledConnector
from connectors.profiled.profile import Profile
from connectors.registry import AnyProfile
from connectors.tape import Player, Recorder
from connectors.trial import Trial
from mappings.loader import Document, read_files
from sync import extended, taping
from sync.bootstrap import Interdesk
from sync.cli.connectors import fresh_token, is_file, named, taught
from sync.cli.held import Said, held, hold
from sync.cli.output import as_json, document, say
from sync.cli.session import Session
from sync.config import SystemDocument, profile_document
from sync.taping import Tape

HOLDS, DIFFERS = 0, 1


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="FILE...|SYSTEM")
@click.option("--to", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The tape's file.")
@click.pass_obj
def record(session: Session, what: Sequence[str], file: Path) -> int:
    """Record what a live system answers to everything that reads, for `connector test` to play again.

    Credentials are not kept, and nothing that could be somebody's: texts and people are said in other words, files are
    emptied. The profile understands the tape as it understood the system, or there is none. Look at it all the same
    before you give it away.
    """
    with session.interdesk(create=True) as desk:
        wanted = named(desk, what)
        profile = wanted.profile or registry.profiles().get(wanted.system.connector)
        if not isinstance(profile, Profile):
            raise click.UsageError("only what a profile speaks over HTTP can be recorded")
        recorder = Recorder(desk.clock, desk.secrets.mask)
        connector = wanted.open(desk, recorder)
        try:
            trial = Trial(connector, desk.clock, fresh_token)
            heard = tuple(taping.sentence(each) for each in trial.reading())
        finally:
            connector.close()
        if isinstance(connector, ProfiledConnector):
            recorder.blot(connector.scrub)
        key = desk.store.read(lambda tx: tx.instance.get()).id
        raw = taping.cleaned(profile, _settings(desk, profile, wanted.system), recorder, trial, key)
        played = taping.played(raw, lambda player: _open(profile, raw, player), fresh_token)
    if len(played) != len(heard) or [each[:2] for each in played] != [each[:2] for each in heard]:
        _differ(heard, played)
        say("", "without what is somebody's, the tape would be understood otherwise: it was not written")
        return DIFFERS
    tape = Tape(raw.connector, raw.settings, raw.exchanges, played)
    file.write_text(tape.dump(), encoding="utf-8")
    say(f"{file}: {len(tape.exchanges)} requests, {len(played)} sentences", f"next: interdesk connector test {file}")
    return HOLDS


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="TAPE...|NAME|FILE...|SYSTEM")
@click.option("--profile", "file", type=click.Path(path_type=Path), help="The profile, where it is not registered.")
@click.option("--people", multiple=True, metavar="SETTING=VALUE", help="What a second account has otherwise.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="What tickets hold: title, text, the rest.")
@click.option("--owner", multiple=True, metavar="FIELD=PERSON", help="Who can be put in charge.")
@click.option("--refused", multiple=True, metavar="FIELD=VALUE", help="What our account may not set on a new ticket.")
@click.option("--write", is_flag=True, help="The suite may make tickets there. They stay.")
@as_json
@click.pass_obj
def test(
    session: Session,
    what: Sequence[str],
    file: Path | None,
    people: Sequence[str],
    fields: Sequence[str],
    owner: Sequence[str],
    refused: Sequence[str],
    write: bool,
    as_json: bool,
) -> int:
    """Hold a profile to what it was, on tapes; or to the whole suite, on its product's emulator or a live system.

    TAPE is a file of `connector record`: what the profile understands must be what it understood then. NAME is a
    profile that interdesk brings; with --profile, yours is held to the suite in its place. With --people, FILE holds a
    system's document (and its profile) or SYSTEM is registered, and a second account of it acts as people do: its
    name, and a reference to its secret.

    Exit code 0: all holds. 1: something does not. 2: no tape, no emulator, or no profile.
    """
    if people:
        return hold(session, what, Said(people, fields, owner, refused, write), as_json=as_json)
    if fields or owner or refused or write:
        raise click.UsageError("--set, --owner, --refused and --write go with --people: a live system")
    documents = read_files([file]) if file else ()
    if not any(is_file(each) for each in what):
        return _claims(what, documents, as_json=as_json)
    found = []
    with session.interdesk(create=True) as desk:
        for each in what:
            tape = taping.read(Path(each))
            profile = taught(desk, documents, tape.connector) or registry.profiles().get(tape.connector)
            if not isinstance(profile, Profile):
                raise click.UsageError(f"{each} is of connector {tape.connector}: name its profile with --profile")
            now = taping.played(tape, lambda player, p=profile, t=tape: _open(p, t, player), fresh_token)  # type: ignore[misc]  # bound now
            found.append((each, tape.understood, now))
    if as_json:
        document([{"tape": each, "holds": was == now, "understood": now} for each, was, now in found])
    else:
        for each, was, now in found:
            say(f"{each}: {f'holds, {len(now)} sentences' if was == now else 'is understood otherwise'}")
            _differ(was, now)
    return HOLDS if all(was == now for _, was, now in found) else DIFFERS


COMMANDS = (record, test)
"""Of the group `connector`."""


def _claims(names: Sequence[str], documents: Sequence[Document], *, as_json: bool) -> int:
    """The suite of `connectors.testing`, on emulators."""
    try:
        from connectors.testing.emulated import EMULATED, emulated
        from connectors.testing.suite import Chosen
    except ModuleNotFoundError:
        raise click.UsageError("the suite needs pytest: pip install pytest") from None
    strange = [each for each in names if each not in EMULATED]
    if strange:
        there = ", ".join(sorted(EMULATED))
        raise click.UsageError(f"{strange[0]!r} is neither a tape nor a profile with an emulator; there are: {there}")
    given = [profile_document(extended.whole(each, documents)) for each in documents if each.kind == "profile"]
    profile = given[0] if given else None
    if profile is not None and not isinstance(profile, Profile):
        raise click.UsageError("only what a profile speaks over HTTP is held to this suite")
    return held([Chosen(each, partial(emulated, each, profile)) for each in names], as_json=as_json)


def _settings(desk: Interdesk, profile: AnyProfile, system: SystemDocument) -> dict[str, str]:
    """Settings fit for a tape: a secret keeps its form, not its content."""
    found = {}
    look_up = desk.secrets.of(system.name, system.settings)
    for name, value in system.settings.items():
        secret = profile.settings[name].kind == "secret"
        found[name] = taping.blotted(look_up(value["secret"])) if secret else str(value)
    return found


def _open(profile: Profile, tape: Tape, player: Player) -> Connector:
    environment = Environment(clock=player.clock, sleep=lambda _: None, wire=player, tries=1)
    return registry.open_profile(profile, tape.settings, system="tape", environment=environment)


def _differ(was: Sequence[str], now: Sequence[str]) -> None:
    for line in difflib.unified_diff(was, now, "as recorded", "now", lineterm="", n=0):
        say(f"  {line}")
