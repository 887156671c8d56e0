"""`db …`: the database itself."""

from pathlib import Path
from typing import Any

import click

from central.store.sql.database import shown
from sync import identity
from sync.bootstrap import Interdesk
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session, who
from sync.recovery import approval, copies
from sync.recovery.plan import ResyncPlan
from sync.settings import utc_now

_OWNER = "interdesk db plan"
"""Who holds the leases meanwhile: after a crash the next call goes on at once."""
_SHORT = 60


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
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(session: Session, file: Path) -> None:
    """Copy the database into a new FILE, whole and beside a running interdesk. Files are in it, secrets are not."""
    from sync.recovery.backup import save  # see sync.bootstrap

    with session.interdesk() as desk:
        size = save(desk.settings.database, file)
        desk.beat()  # so that it is known for a backup, however it is put in place
    say(f"{shown(session.settings.database)} is saved in {file}: {size} bytes")


@group.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def restore(session: Session, file: Path) -> None:
    """Put a backup FILE in the place of the database, while nobody runs. It writes nothing until a plan is approved."""
    from sync.recovery.backup import put_back  # see sync.bootstrap

    settings = session.settings
    done = put_back(settings.database, file, settings.state, utc_now)
    say(f"{file} is in the place of {done.database}")
    if done.kept is not None:
        say(f"what was there before is kept in {done.kept}")
    say(f"NOTHING IS READ OR WRITTEN: {done.held}", copies.remedy(done.held))


@group.command()
@click.option("--restored", is_flag=True, help="It was restored from a backup, though nothing shows it.")
@as_json
@click.pass_obj
def plan(session: Session, restored: bool, as_json: bool) -> None:
    """Find again what a restored database has forgotten, by reading only, and show what it would write."""
    with Interdesk(session.settings, exclusive=True) as desk:
        if restored:
            state = desk.settings.state
            why = "somebody said so"
            beat = desk.store.write(lambda tx: copies.mark_restored(tx, desk.clock(), why, identity.beats(state)))
            identity.keep_beats(state, beat)
        found = approval.look(desk.means, desk.gateways, _OWNER)
    _show(found, as_json)
    if not as_json:
        say("approve it, while it is still this one, with: interdesk db approve")


@group.command()
@as_json
@click.pass_obj
def approve(session: Session, as_json: bool) -> int:
    """Let a restored database write what `db plan` has shown. Exit code 1 where that has changed: it is shown anew."""
    with Interdesk(session.settings, exclusive=True) as desk:
        found, done = approval.approve(desk.means, desk.gateways, _OWNER, who())
    if as_json:
        document({**_plain(found), "approved": done})
    elif done:
        paused = ", ".join(found.unread)
        say(f"plan {found.fingerprint} is approved: {len(found.rows)} writes are made as soon as somebody runs")
        say(*([f"still paused, because they could not be read: {paused}; then: interdesk db plan"] if paused else []))
    else:
        _show(found, as_json)
        say("this is not the plan that was shown before: look at it, then approve it again")
    return 0 if done else 1


@group.command()
@click.option(
    "--newest", is_flag=True, help="It has forgotten nothing that was sent: no other one worked since it was copied."
)
@click.option("--restored", is_flag=True, help="It was restored from a backup: it writes once a plan is approved.")
@click.pass_obj
def adopt(session: Session, newest: bool, restored: bool) -> None:
    """Let a database that was copied or restored work here, and nowhere else."""
    if newest is restored:
        raise click.UsageError(
            "what was sent after this database was copied would be sent again: say --newest if nothing was, "
            "or --restored, and what was sent is looked for first"
        )
    with session.interdesk() as desk:
        state = desk.settings.state
        take = copies.adopt_restored if restored else copies.adopt
        mine = desk.store.write(lambda tx: take(tx, desk.clock(), who(), beats=identity.beats(state)))
        identity.write(state, mine.instance, machine=identity.fingerprint())
        identity.keep_beats(state, mine.beats)
        held = desk.store.read(lambda tx: tx.instance.get().held)
    if held:
        say(f"{shown(session.settings.database)} is at home here; {held}", copies.remedy(held))
    else:
        say(f"{shown(session.settings.database)} is at home here: what is owed is written now")


def _show(found: ResyncPlan, as_json: bool) -> None:
    if as_json:
        document(_plain(found))
        return
    again = found.found
    say(
        f"read again: {again.looked} tickets that moved; found again: {again.linked} copies of ours, "
        f"{again.tickets} tickets and {again.comments} comments of the centre"
    )
    for name, why in found.unread.items():
        say(f"{name} could not be read and stays paused: {why}")
    say(f"plan {found.fingerprint}: {len(found.rows)} writes")
    if found.rows:
        table(
            ("System", "Ticket", "There", "What", "From", "To", "Why"),
            [
                (r.system, r.ticket_id, r.key, r.write.item, _line(r.write.before), _line(r.write.would), r.write.why)
                for r in found.rows
            ],
        )
    for name, mails in found.mails.items():
        say(f"{name}: {mails.sentence}")


def _plain(found: ResyncPlan) -> dict[str, Any]:
    again = found.found
    return {
        "plan": found.fingerprint,
        "found": {
            "looked": again.looked,
            "copies": again.linked,
            "tickets": again.tickets,
            "comments": again.comments,
        },
        "unread": dict(found.unread),
        "writes": [
            {
                "system": row.system,
                "ticket": row.ticket_id,
                "key": row.key,
                "what": row.write.item,
                "from": row.write.before,
                "to": row.write.would,
                "why": row.write.why,
            }
            for row in found.rows
        ],
        "mails": {name: {"most": mails.most, "sentence": mails.sentence} for name, mails in found.mails.items()},
    }


def _line(value: object) -> str:
    """A value in one short line."""
    text = " / ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


COMMANDS = (group,)
