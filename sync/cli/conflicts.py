"""`conflict …`: what both sides changed where the policy is `ask`, and what a person decides."""

from dataclasses import asdict

import click

from central.desk.views import shown
from sync import conflicts
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session, who


@click.group("conflict")
def group() -> None:
    """What both sides changed, where the policy leaves it to a person."""


@group.command("list")
@as_json
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every conflict that waits for a person, oldest first."""
    with session.interdesk() as desk:
        found = desk.store.read(lambda tx: list(conflicts.waiting(tx)))
    if as_json:
        document([asdict(each) for each in found])
        return
    table(
        ("Conflict", "Ticket", "System", "Field", "Ours", "Theirs", "Since"),
        [(c.id, c.ticket_id, c.system, c.field, shown(c.ours), shown(c.theirs), c.at) for c in found],
    )
    if found:
        say("decide with: interdesk conflict resolve CONFLICT --take ours|theirs")


@group.command()
@click.argument("conflict", type=click.IntRange(min=1))
@click.option("--take", type=click.Choice([conflicts.OURS, conflicts.THEIRS]), required=True, help="What is to stand.")
@click.pass_obj
def resolve(session: Session, conflict: int, take: str) -> None:
    """Decide a conflict: the value of one side stands, the other's is kept as an edit that lost."""
    with session.interdesk() as desk:
        decided = conflicts.resolve(desk.means, conflict, take, who())
    stands = shown(decided.ours if take == conflicts.OURS else decided.theirs)
    say(f"{decided.field} of ticket {decided.ticket_id} is to be {stands!r} in {decided.system} and here")


COMMANDS = (group,)
