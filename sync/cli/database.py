"""`db …`: the database itself."""

import click

from central.store.sql.database import shown
from sync.cli.output import as_json, document, say
from sync.cli.session import Session


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


COMMANDS = (group,)
