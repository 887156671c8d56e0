"""`mapping capture`: an example, taken of a live ticket."""

import sys

import click

from sync import live
from sync.capturing import capture
from sync.cli.session import Session


@click.command("capture")
@click.argument("system")
@click.argument("key")
@click.pass_obj
def capture_(session: Session, system: str, key: str) -> None:
    """Print a fixture of the ticket KEY of SYSTEM as it is now, people and texts in other words.

    The system is asked by reading only. Words of the mapping, of our own vocabulary, moments and numbers stay; texts
    keep their length, their lines and their markup. It is green with the mapping as it is registered.
    """
    with session.interdesk() as desk:
        desk.store.read(lambda tx: live.registered(tx, system))
        text = capture(desk.store, desk.gateways.get(system), key, desk.secrets, centre=desk.means.centre)
    sys.stdout.write(text)


COMMANDS = (capture_,)
