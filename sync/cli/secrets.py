"""`secret …`: the sealed secrets of systems. What is in them is asked for, and shown nowhere."""

import sys

import click

from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session, who
from sync.helm import Helm
from sync.sealing import LONGEST


@click.group("secret")
def group() -> None:
    """Secrets of systems, encrypted in the database under a key from outside it."""


_system = click.option("--system", required=True, metavar="NAME", help="The system that it belongs to.")


@group.command()
@click.argument("name")
@_system
@click.option(
    "--for",
    "addresses",
    multiple=True,
    metavar="ADDRESS",
    help="Where it may be sent, before the system is registered; may be given several times.",
)
@click.pass_obj
def seal(session: Session, name: str, system: str, addresses: tuple[str, ...]) -> None:
    """Seal a secret, which the system's document then calls `sealed:NAME`.

    It is asked for, or read from the standard input. It is bound to the system and to its address: when that changes,
    seal it again.
    """
    with session.interdesk(create=True) as desk:
        helm = Helm(desk)
        settings = {str(number): each for number, each in enumerate(addresses)} if addresses else helm.settings(system)
        if sys.stdin.isatty():
            given = click.prompt("Secret", hide_input=True, confirmation_prompt=True)
        else:
            given = sys.stdin.read(LONGEST + 2).removesuffix("\n").removesuffix("\r")
        sealed = helm.seal(system, name, given, who(), settings=settings)
    say(*(each for each in (sealed.told,) if each))
    say(f"sealed:{name} is sealed for {sealed.origin}, and is shown to nobody again.")
    for each in sealed.readmitted:
        say(f"{each} had been turned away; it is tried again with this.")


@group.command("list")
@as_json
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every sealed secret, by system: what it is called, where it may go, since when. Never what it is."""
    with session.interdesk() as desk:
        found = desk.store.read(lambda tx: tx.seals.list())
    if as_json:
        told = [{"system": e.system, "name": e.name, "for": e.origin, "sealed_at": e.sealed_at} for e in found]
        document(told)
        return
    table(("System", "Name", "For", "Since"), [(e.system, e.name, e.origin, e.sealed_at) for e in found])


@group.command()
@click.argument("name")
@_system
@click.pass_obj
def forget(session: Session, name: str, system: str) -> None:
    """Throw a sealed secret away, for whatever address it was."""
    with session.interdesk() as desk:
        desk.sealing.forget(system, name, who())
    say(f"{system} has no sealed:{name} any more.")


COMMANDS = (group,)
