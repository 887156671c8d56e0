"""`db …`: the database itself."""

import click

from central.store.sql.database import shown
from sync import identity
from sync.cli.output import as_json, document, say
from sync.cli.session import Session, who
from sync.recovery import copies


@click.group("db")
def group() -> None:
    """The database itself."""


@group.command()
@click.pass_obj
def upgrade(session: Session) -> None:
    """Bring the database to what this version wants, or make it."""
    from central.store import migrations  # see sync.bootstrap

    database = session.settings.database
    migrations.upgrade(database)
    say(f"{shown(database)} is up to date")


@group.command()
@as_json
@click.pass_obj
def check(session: Session, as_json: bool) -> int:
    """Read the whole database and say what is wrong with it. Exit code 1 where something is."""
    from central.store import migrations  # see sync.bootstrap

    problems = migrations.check(session.settings.database)
    database = shown(session.settings.database)
    if as_json:
        document({"database": database, "problems": problems})
    else:
        say(*(problems or [f"{database} is well"]))
    return 1 if problems else 0


@group.command()
@click.option(
    "--newest", is_flag=True, help="It has forgotten nothing that was sent: no other one worked since it was copied."
)
@click.pass_obj
def adopt(session: Session, newest: bool) -> None:
    """Let a database that was copied or restored work here, and nowhere else."""
    if not newest:
        raise click.UsageError(
            "what was sent after this database was copied would be sent again: say --newest if nothing was"
        )
    with session.interdesk() as desk:
        state = desk.settings.state
        mine = desk.store.write(lambda tx: copies.adopt(tx, desk.clock(), who(), beats=identity.beats(state)))
        identity.write(state, mine.instance, machine=identity.fingerprint())
        identity.keep_beats(state, mine.beats)
    say(f"{shown(session.settings.database)} is at home here: what is owed is written now")


COMMANDS = (group,)
