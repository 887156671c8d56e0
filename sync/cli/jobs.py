"""`job …`: deliberate work over many tickets. It is carried out by the process that runs the mesh."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from central.job import Job, JobRow
from central.store.api import Transaction
from sync.clerk import Clerk
from sync.cli.output import as_json, document, say, table
from sync.cli.session import Session, ticket_id, who
from sync.jobs.runner import moments

_MOST_NAMED = 12
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group("job")
def group() -> None:
    """Deliberate work over many tickets; it goes on where it was after any crash."""


@group.group("start")
def start() -> None:
    """Start a job."""


@start.command()
@click.argument("system")
@click.option("--direction", type=click.Choice(["inward", "outward", "both"]), default="inward", show_default=True)
@click.option("--since", type=_DAY, help="Tickets last changed then or later (UTC).")
@click.option("--until", type=_DAY, help="Tickets last changed before then (UTC).")
@click.option("--dry-run", is_flag=True, help="Only count what would be done, and the mails it would send.")
@click.option("--notify", is_flag=True, help="The system may send the mails that it sends for each write.")
@click.pass_obj
def backfill(
    session: Session,
    system: str,
    direction: str,
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    notify: bool,
) -> None:
    """Carry the older tickets that going live left alone: inward those of SYSTEM, outward those of its units."""
    window = moments(*(at.replace(tzinfo=UTC) if at else None for at in (since, until)))
    params = {"direction": direction, "dry_run": dry_run, "notify": notify, **window}
    _start(session, "backfill", system, params)


@start.command()
@click.argument("system")
@click.option(
    "--by", "clues", multiple=True, required=True, metavar="FIELD[=PATTERN]", help="Their field that names ours."
)
@click.option("--since", type=_DAY, help="Tickets last changed there then or later (UTC).")
@click.option("--until", type=_DAY, help="Tickets last changed there before then (UTC).")
@click.option(
    "--dry-run", is_flag=True, help="Only tell the pairs, what differs, and the mails that deciding it sends."
)
@click.option("--notify", is_flag=True, help="The system may send the mails that it sends for each write.")
@click.option("--leave", is_flag=True, help="Let what differs stand until somebody touches it; nothing is written.")
@click.pass_obj
def pair(
    session: Session,
    system: str,
    clues: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    dry_run: bool,
    notify: bool,
    leave: bool,
) -> None:
    """Link tickets that people keep both here and in SYSTEM, by a field of theirs that names ours.

    PATTERN says how: {id} stands for our number, {NAME} for the key of the ticket in the system NAME. Without one, the
    field is our number and nothing else: --by 'CF.GGUS id', --by 'Subject=[GGUS #{id}]'. Nothing is written while they
    are linked; at the end what differs is decided by the policy, and the losers are kept. Pair in shadow, before the
    system is live: a twin that changes before it is paired is taken for a new ticket.
    """
    window = moments(*(at.replace(tzinfo=UTC) if at else None for at in (since, until)))
    params = {"by": list(clues), "dry_run": dry_run, "notify": notify, "leave": leave, **window}
    _start(session, "pair", system, params)


@start.command()
@click.argument("system")
@click.pass_obj
def scan(session: Session, system: str) -> None:
    """Compare everything in SYSTEM with what was last seen of it, now; whatever differs is looked at."""
    _start(session, "scan", system, {})


@start.command()
@click.argument("ticket")
@click.option("--system", help="Where, when it lives in several.")
@click.pass_obj
def resync(session: Session, ticket: str, system: str | None) -> None:
    """Look at one TICKET anew, both ways; what was refused before is tried again."""

    def question(tx: Transaction) -> tuple[int, list[str]]:
        number = ticket_id(tx, ticket)
        return number, [link.system for link in tx.links.of(number)]

    with session.interdesk() as desk:
        number, systems = desk.store.read(question)
    wanted = [each for each in systems if system in (None, each)]
    if not wanted:
        raise click.UsageError(f"ticket {number} is not linked to {system or 'any system'}")
    for each in wanted:
        _start(session, "resync", each, {"ticket": number})


@group.command("list")
@as_json
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every job: how far it is, and how long it will take."""
    with session.interdesk() as desk:
        found, now = desk.store.read(lambda tx: tx.jobs.list()), desk.clock()
    if as_json:
        document([_plain(job, now) for job in found])
        return
    rows = [(job.id, job.kind, job.system, job.state, _progress(job), _left(job, now), job.error) for job in found]
    table(("Job", "Kind", "System", "State", "Done", "Left", "Waits for, or failed because"), rows)


@group.command()
@click.argument("number", metavar="JOB", type=int)
@click.option("--verdict", help="Only what was found to be so: pair, ambiguous, no twin, and so on.")
@click.option("--limit", default=1000, show_default=True, help="How many lines of the report.")
@as_json
@click.pass_obj
def show(session: Session, number: int, verdict: str | None, limit: int, as_json: bool) -> None:
    """One job with its report."""

    def question(tx: Transaction) -> tuple[Job, Sequence[JobRow], Mapping[str, int]]:
        return tx.jobs.get(number), tx.jobs.rows(number, verdict=verdict, limit=limit), tx.jobs.verdicts(number)

    with session.interdesk() as desk:
        job, rows, verdicts = desk.store.read(question)
        now = desk.clock()
    report = [{"subject": row.subject, "verdict": row.verdict, **row.data} for row in rows]
    if as_json:
        document({**_plain(job, now), "verdicts": dict(verdicts), "report": report})
        return
    say(f"job {job.id}: {job.kind} of {job.system}, {job.state}, {_progress(job)}", *([job.error] if job.error else []))
    say(*([", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))] if verdicts else []))
    for row in rows:
        say("  " + ", ".join((f"{row.subject}: {row.verdict}", *map(_said, row.data.items()))))


@group.command()
@click.argument("number", metavar="JOB", type=int)
@click.pass_obj
def pause(session: Session, number: int) -> None:
    """Let a job rest where it is."""
    with session.interdesk() as desk:
        Clerk(desk.means, desk.gateways).pause_job(number, who())
    say(f"job {number} is paused")


@group.command()
@click.argument("number", metavar="JOB", type=int)
@click.pass_obj
def resume(session: Session, number: int) -> None:
    """Let a paused job go on."""
    with session.interdesk() as desk:
        Clerk(desk.means, desk.gateways).resume_job(number, who())
    say(f"job {number} is running")


def _start(session: Session, kind: str, system: str, params: dict[str, Any]) -> None:
    with session.interdesk() as desk:
        job = Clerk(desk.means, desk.gateways).start_job(kind, system, params, who())
    say(f"job {job.id} is started; a running interdesk carries it out: interdesk job show {job.id}")


def _said(item: tuple[str, Any]) -> str:
    name, value = item
    if isinstance(value, list):
        value = f"{len(value)} of them" if len(value) > _MOST_NAMED else ", ".join(map(str, value)) or "none"
    return f"{name} {value}"


def _progress(job: Job) -> str:
    return f"{job.done} of {'?' if job.total is None else job.total}"


def _left(job: Job, now: datetime) -> str:
    left = job.left(now)
    return "" if left is None else str(left).split(".")[0]


def _plain(job: Job, now: datetime) -> dict[str, Any]:
    left = job.left(now)
    return {
        "id": job.id,
        "kind": job.kind,
        "system": job.system,
        "params": dict(job.params),
        "state": job.state.value,
        "done": job.done,
        "total": job.total,
        "failed": job.failed,
        "error": job.error,
        "left_s": None if left is None else round(left.total_seconds()),
        "created_at": job.created_at,
        "created_by": job.created_by,
    }


COMMANDS = (group,)
