"""`status`: the mesh at a glance, and one system's health as monitoring asks for it."""

from dataclasses import replace

import click

from central.desk import views
from central.registry import SystemState
from central.store.api import StoreError
from mappings.loader import DocumentError, suggestion
from sync.alerts.ailments import SILENT_AFTER
from sync.cli.nagios import Check, Level, check
from sync.cli.output import as_json, document, moment, say, table
from sync.cli.session import Session
from sync.identity import BadIdentity
from sync.recovery import copies
from sync.settings import BadSetting


@click.command()
@click.option(
    "--check", "name", metavar="NAME", help="Only this system, as a Nagios plugin says it: exit code 0, 1, 2 or 3."
)
@as_json
@click.pass_obj
def status(session: Session, name: str | None, as_json: bool) -> int:
    """Every system: state, lag, what is owed, last success and last error. Exit code 1 where one is not well."""
    if name is not None:
        return _checked(session, name, as_json=as_json)
    with session.interdesk() as desk:
        overview = views.overview(desk.store, desk.clock)
        held, beats = desk.store.read(lambda tx: (tx.instance.get().held, tx.heartbeats.list()))
    at_work = any(overview.at - each.at < SILENT_AFTER for each in beats)
    systems = overview.systems
    if as_json:
        document(views.status_data(overview))
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
        if not at_work:
            say("nobody is at work, what is owed waits: interdesk run, or interdesk worker")
        say(f"{overview.tickets} tickets")
    unwell = {views.Health.LATE, views.Health.FAILING, views.Health.STOPPED}
    return 1 if overview.stopped or any(system.health in unwell for system in systems) else 0


def _checked(session: Session, name: str, *, as_json: bool) -> int:
    """Say how one system is, as a Nagios plugin. What cannot be found out is UNKNOWN, and never a code of ours."""
    try:
        with session.interdesk() as desk:
            overview = views.overview(desk.store, desk.clock)
            instance, systems = desk.store.read(lambda tx: (tx.instance.get(), tx.registry.systems()))
    except (StoreError, BadSetting, BadIdentity, DocumentError) as problem:
        said = Check(Level.UNKNOWN, str(problem))
    else:
        system = next((each for each in systems if each.name == name), None)
        view = next((each for each in overview.systems if each.name == name), None)
        if system is None or view is None:
            names = [each.name for each in systems]
            said = Check(Level.UNKNOWN, f"no system {name!r} is registered{suggestion(name, names)}")
        else:
            said = check(system, view, overview.stopped, by_itself=instance.stopped is None)
            if as_json:
                data = views.status_data(replace(overview, systems=(view,)))
                document(data | {"check": said.level.name, "said": said.sentence})
                return said.level
    say(str(said))
    return said.level


COMMANDS = (status,)
