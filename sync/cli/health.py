"""`status`: the mesh at a glance, and one system's health as an exit code."""

import click

from central.desk import views
from central.registry import SystemState
from mappings.loader import suggestion
from sync.cli.output import as_json, document, moment, say, table
from sync.cli.session import Session
from sync.recovery import copies


@click.command()
@click.option("--check", "name", metavar="NAME", help="Only this system; exit code 1 unless it is well.")
@as_json
@click.pass_obj
def status(session: Session, name: str | None, as_json: bool) -> int:
    """Every system: state, lag, what is owed, last success and last error. Exit code 1 where one is not well."""
    with session.interdesk() as desk:
        overview = views.overview(desk.store, desk.clock)
        held = desk.store.read(lambda tx: tx.instance.get()).held
    systems = [system for system in overview.systems if name in (None, system.name)]
    if name is not None and not systems:
        names = [system.name for system in overview.systems]
        raise click.UsageError(f"no system {name!r} is registered{suggestion(name, names)}")
    if as_json:
        data = views.status_data(overview)
        data["systems"] = [each for each in data["systems"] if name in (None, each["name"])]
        document(data)
    else:
        table(
            ("System", "Health", "State", "Lag", "Due", "Dead", "Held", "Linked", "Disagree", "Last success"),
            [
                (
                    s.name,
                    s.health,
                    s.state,
                    views.span(s.lag),
                    s.due,
                    s.dead,
                    s.held,
                    s.links,
                    s.disagreements,
                    s.succeeded_at,
                )
                for s in systems
            ],
        )
        for system in systems:
            if system.out_since:
                since, then = moment(system.out_since), moment(system.next_try_at)
                say(f"{system.name}: does not answer since {since}; next try at {then}, what it is owed waits")
            if system.reason or system.last_error:
                say(f"{system.name}: {system.reason or system.last_error}")
        if any(system.dead for system in systems):
            say("dead letters wait for a person: interdesk deadletter list")
        for system in systems:
            if system.discarded:
                say(f"{system.name}: discarded letters, {system.discarded}: interdesk deadletter list --discarded")
        for system in systems:
            if system.state is SystemState.SHADOW:
                say(f"{system.name} is not written: interdesk system shadow {system.name} --report")
        if any(system.held for system in systems):
            say("guards hold something until a person has looked at it: interdesk guard list")
        if overview.stopped:
            say(f"NOTHING IS WRITTEN TO ANY SYSTEM: {overview.stopped}")
            say(copies.remedy(held) if held else "go on with: interdesk resume --all")
        say(f"{overview.tickets} tickets")
    unwell = {views.Health.LATE, views.Health.FAILING, views.Health.STOPPED}
    if name is not None:
        unwell.add(views.Health.DRAFT)
    return 1 if overview.stopped or any(system.health in unwell for system in systems) else 0


COMMANDS = (status,)
