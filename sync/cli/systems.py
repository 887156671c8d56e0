"""`system …`: the registered systems, and their life."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from central.delivery import Counts
from central.model import Value
from central.registry import System, SystemState
from central.shadow import Seen
from central.store.api import Transaction
from mappings import loader
from sync import checks, live, shadow
from sync.cli.output import as_json, document, moment, pairs, say, table
from sync.cli.session import Session, who
from sync.helm import Helm
from sync.stored import read_again

_WIDEST = 60


@click.group("system")
def group() -> None:
    """The registered systems, and their life: draft, in shadow, live, paused."""


@group.command("list")
@as_json
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Every registered system."""
    with session.interdesk() as desk:
        found, counts = desk.store.read(lambda tx: (tx.registry.systems(), tx.outbox.counts()))
    if as_json:
        document([_plain(system, counts.get(system.name, Counts())) for system in found])
        return
    table(
        ("System", "State", "Revision", "Linked", "Due", "Dead", "Last success", "Reason or last error"),
        [
            (
                system.name,
                system.state,
                system.revision,
                counts.get(system.name, Counts()).links,
                counts.get(system.name, Counts()).due,
                counts.get(system.name, Counts()).dead,
                system.succeeded_at,
                system.reason or system.last_error,
            )
            for system in found
        ],
    )


@group.command()
@click.argument("name")
@as_json
@click.pass_obj
def show(session: Session, name: str, as_json: bool) -> None:
    """One system: its state, its document and its revisions. Secrets are shown as the references they are."""

    def question(tx: Transaction) -> tuple[System, Any, Any, Counts]:
        system = live.registered(tx, name)
        stored = tx.registry.document("system", name)
        return system, stored, tx.registry.revisions("system", name), tx.outbox.counts().get(name, Counts())

    with session.interdesk() as desk:
        system, stored, revisions, counts = desk.store.read(question)
    if as_json:
        document(
            {**_plain(system, counts), "document": stored.data, "revisions": [each.revision for each in revisions]}
        )
        return
    pairs(
        [
            ("state", f"{system.state}{f': {system.reason}' if system.reason else ''}"),
            ("last success", system.succeeded_at),
            ("last error", f"{system.last_error} ({moment(system.error_at)})" if system.last_error else "none"),
            ("owed looks", f"{counts.due} due, {counts.dead} dead, {counts.discarded} discarded"),
            ("links", f"{counts.links}, {counts.disagreements} with standing disagreements"),
        ]
    )
    say("")
    table(("Revision", "Applied", "By"), [(each.revision, each.applied_at, each.applied_by) for each in revisions])
    say("", stored.source.rstrip())


@group.command()
@click.argument("what", metavar="FILE|NAME")
@click.option("--same-secret", is_flag=True, help="A system may move to another address with its old secret.")
@as_json
@click.pass_obj
def check(session: Session, what: str, same_secret: bool, as_json: bool) -> int:
    """Prove a registration against the live system, by reading only.

    Exit code 0: it works. 1: something is missing. 2: the document is wrong. 3: the system cannot be reached.
    """
    with session.interdesk(create=True) as desk:
        file = "/" in what or what.endswith((".yaml", ".yml"))
        wanted = loader.read_files([Path(what)]) if file else desk.store.read(lambda tx: _registered(tx, what))
        reports = checks.check(desk, wanted, same_secret=same_secret)
    if as_json:
        document([report.plain() for report in reports])
    else:
        for report in reports:
            _show_report(report)
    return max((report.verdict for report in reports), default=0)


@group.command("live")
@click.argument("name")
@click.pass_obj
def live_(session: Session, name: str) -> None:
    """Let a system take part. What is there already stays as it is: only later changes travel.

    So no mail is sent now. What was recorded in shadow is forgotten, and stays undone. Of a system that was
    registered on the pages both sides have to sign first what is lost in translation; of any other it is told who has
    not."""
    with session.interdesk() as desk:
        helm = Helm(desk)
        missing = helm.unsigned(name)
        helm.go_live(name, who())
    say(f"system {name} is live")
    if missing:
        say(
            f"nobody has signed for the {' and the '.join(missing)} what is lost in translation: "
            f"interdesk system check {name} tells it, /register/{name} takes signatures"
        )


@group.command("shadow")
@click.argument("name")
@click.option("--report", "wanted", is_flag=True, help="What it would have written so far, and what people did.")
@click.option("--seen", type=click.Choice([each.value for each in Seen]), help="Only those; with --report.")
@click.option("--limit", default=shadow.SHOWN, show_default=True, help="How many, newest first; with --report.")
@as_json
@click.pass_obj
def shadow_(session: Session, name: str, wanted: bool, seen: str | None, limit: int, as_json: bool) -> None:
    """Compute every write to and from a system, and make none; `system live` ends it.

    What a live system was owed is computed as well, and stays undone. With --report: what would have been written to
    either side, beside what people did themselves: just that, something else, or nothing (missing)."""
    with session.interdesk() as desk:
        if not wanted:
            Helm(desk).go_into_shadow(name, who())
            system = desk.store.read(lambda tx: live.registered(tx, name))
        else:
            system = desk.store.read(lambda tx: live.registered(tx, name))
            known = desk.gateways.registration(name)
            only = Seen(seen) if seen else None
            told = shadow.report(desk.store, name, known.translated(), known.powers, seen=only, limit=limit)
    if wanted:
        _show_shadow(system, told, as_json=as_json)
    elif as_json:
        document({"name": name, "state": system.state.value})
    else:
        say(
            f"system {name} is in shadow: its writes are computed, and none is made",
            f"what it would write: interdesk system shadow {name} --report",
        )


@group.command()
@click.argument("name")
@click.option("--reason", default="", help="Why, for those who will wonder.")
@click.pass_obj
def pause(session: Session, name: str, reason: str) -> None:
    """Stop a system's traffic both ways. Nothing is lost: what is owed waits."""
    with session.interdesk() as desk:
        Helm(desk).pause(name, who(), reason)
    say(f"system {name} is paused; what is owed waits", f"go on with: interdesk system resume {name}")


@group.command()
@click.argument("name")
@click.pass_obj
def resume(session: Session, name: str) -> None:
    """Take up a paused system's traffic again."""
    with session.interdesk() as desk:
        Helm(desk).resume(name, who())
        system = desk.store.read(lambda tx: live.registered(tx, name))
    say(f"system {name} is {'in shadow' if system.state is SystemState.SHADOW else 'live'} again")


_MOMENT = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@group.command()
@click.argument("name")
@click.option("--from", "begins_at", type=_MOMENT, help="When it begins (UTC); now, where it is not said.")
@click.option("--until", "ends_at", type=_MOMENT, help="When it ends by itself (UTC).")
@click.option("--over", is_flag=True, help="It is over, or does not take place.")
@click.option("--reason", default="", help="Why, for those who will wonder.")
@click.pass_obj
def maintenance(
    session: Session, name: str, begins_at: datetime | None, ends_at: datetime | None, over: bool, reason: str
) -> None:
    """Announce that a system is worked on: in that window nothing is written there and nobody is alarmed.

    Reading goes on, as far as it answers; what is owed waits, and is written when the window ends, by itself."""
    if over is (ends_at is not None) or (over and (begins_at or reason)):
        raise click.UsageError("say either --until WHEN, or --over")
    with session.interdesk() as desk:
        if ends_at is None:
            Helm(desk).end_maintenance(name, who())
        else:
            begin = begins_at.replace(tzinfo=UTC) if begins_at else None
            Helm(desk).announce_maintenance(name, begin, ends_at.replace(tzinfo=UTC), who(), reason)
        window = desk.store.read(lambda tx: live.registered(tx, name)).maintenance
    if over or window is None:
        say(f"no maintenance of system {name} is announced any more: what it is owed is written")
    else:
        say(
            f"system {name} is in maintenance from {moment(window.begins_at)} to {moment(window.ends_at)}: "
            "nothing is written there and nobody is alarmed",
            f"if it is over before: interdesk system maintenance {name} --over",
        )


_all = click.option("--all", "everything", is_flag=True, required=True, help="Every system, present and future.")


@click.command("pause")
@_all
@click.option("--reason", default="", help="Why, for those who will wonder.")
@click.pass_obj
def stop_all(session: Session, everything: bool, reason: str) -> None:  # noqa: ARG001  # it must be said
    """The stop button: nothing is written to any system, until `resume --all`. Reading goes on, nothing is lost."""
    with session.interdesk() as desk:
        Helm(desk).stop_all(who(), reason)
    say(
        "everything is stopped: nothing is written to any system; what is owed waits",
        "go on with: interdesk resume --all",
    )


@click.command("resume")
@_all
@click.pass_obj
def let_go(session: Session, everything: bool) -> None:  # noqa: ARG001  # it must be said
    """Let go of the stop button: what is owed is written now."""
    with session.interdesk() as desk:
        Helm(desk).let_go(who())
    say("nothing is stopped any more; systems that were paused one by one still are")


@group.command()
@click.argument("name")
@click.option("--take-theirs", is_flag=True, help="Where it differs from what was agreed on, take theirs.")
@click.pass_obj
def release(session: Session, name: str, take_theirs: bool) -> None:
    """Take up a quarantined system again, once its hold is decided. Ours is written where it went back in time."""
    with session.interdesk() as desk:
        done = Helm(desk).release(name, who(), take_theirs=take_theirs)
    say(f"system {name} is live again: {done}")


def _registered(tx: Transaction, name: str) -> tuple[loader.Document, ...]:
    live.registered(tx, name)
    return (read_again(tx.registry.document("system", name)),)


def _plain(system: System, counts: Counts) -> dict[str, Any]:
    return {
        "name": system.name,
        "state": system.state.value,
        "reason": system.reason,
        "revision": system.revision,
        "links": counts.links,
        "disagreements": counts.disagreements,
        "due": counts.due,
        "dead": counts.dead,
        "discarded": counts.discarded,
        "succeeded_at": system.succeeded_at,
        "polled_at": system.polled_at,
        "scanned_at": system.scanned_at,
        "last_error": system.last_error,
        "error_at": system.error_at,
    }


def _show_shadow(system: System, told: shadow.Report, *, as_json: bool) -> None:
    if as_json:
        counts = {seen.value: told.counts.get(seen, 0) for seen in Seen}
        rows = [{**asdict(one), "side": one.side.value, "seen": one.seen.value} for one in told.records]
        answer = {"name": system.name, "state": system.state.value, "counts": counts}
        document({**answer, "mails": told.mails and told.mails.most, "writes": rows})
        return
    counted = ", ".join(f"{told.counts.get(seen, 0)} {seen}" for seen in Seen)
    say(f"system {system.name}: {system.state}", f"computed and not written: {counted}")
    would = "what mail it would have sent, its connector alone knows: interdesk system check tells"
    if told.mails is not None:
        would = told.mails.sentence.replace("this will send", "live, it would have sent")
    say(would, "")
    table(
        ("When", "To", "Ticket", "Key", "Item", "Would be", "Was", "People", "Did", "Why"),
        [
            (
                one.at,
                one.side,
                one.ticket_id,
                one.key or None,
                one.item,
                _brief(one.would),
                _brief(one.before),
                one.seen,
                _brief(one.did),
                one.why,
            )
            for one in told.records
        ],
    )


def _brief(value: Value) -> str | None:
    """A value in a cell."""
    if value is None:
        return None
    text = " ".join(str("; ".join(value) if isinstance(value, tuple) else value).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _show_report(report: checks.Report) -> None:
    say(f"system {report.system}, by connector {report.connector}")
    for finding in report.findings:
        say(f"  {'yes' if finding.ok else 'NO '}  {finding.sentence}")
        if finding.remedy:
            say(f"       {finding.remedy}")
    say(f"  mails: {len(report.mails) or 'none'} of our kinds of write make it send some")
    for kind, mail in report.mails.items():
        say(f"    - {kind.replace('_', ' ')}: {len(mail.to)} at most ({', '.join(mail.to)}): {mail.says}")
    say("  going live: this will send no mail; only what changes from then on travels")
    if report.older.tickets:
        say(f"  a backfill outward of the {report.older.tickets} tickets of its units: {report.older.says}")
    lost = {"lost on the way to the centre": report.losses.inward, "lost on the way there": report.losses.outward}
    for title, sentences in lost.items():
        say(f"  {title}{'' if sentences else ': nothing'}")
        for sentence in sentences:
            say(f"    - {sentence}")
    say(f"  {report.conclusion}")


COMMANDS = (group, stop_all, let_go)
