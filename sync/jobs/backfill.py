"""Backfill: tickets of a window that going live left alone come to the centre, or go to the system.

Every ticket takes the ordinary look, behind live work; the job only owes them, a bounded number at a time. It counts
first, so that its progress is known and a dry run is that and nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from central.delivery import Lane
from central.job import Job, JobRow, JobState
from central.model import Ticket
from central.store.api import Transaction
from connectors.api import Change, WriteKind
from sync import discussion, routing
from sync.gateway import Gateway
from sync.hints import plain_row
from sync.jobs.api import PATIENCE, Take, crowded, finished, moment, rested
from sync.mails import mails
from sync.means import Means

PAGE = 50
"""Tickets of the centre per step; the system's own pages are as long as it makes them."""


@dataclass(frozen=True, slots=True)
class Window:
    """Tickets last changed in here: from `since`, before `until`; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime | None) -> bool:
        """Whether a change at this moment lies within; one of which nobody knows the moment does."""
        if at is None:
            return True
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Writes:
    """What would be written to the system."""

    creates: int = 0
    comments: int = 0
    internal: int = 0

    def __add__(self, other: "Writes") -> "Writes":
        return Writes(self.creates + other.creates, self.comments + other.comments, self.internal + other.internal)

    @property
    def by_kind(self) -> Mapping[WriteKind, int]:
        """As the tracker tells them apart."""
        return {
            WriteKind.CREATE: self.creates,
            WriteKind.COMMENT: self.comments,
            WriteKind.INTERNAL_COMMENT: self.internal,
        }


def window(job: Job) -> Window:
    """The window that was asked for."""
    return Window(moment(job.params.get("since")), moment(job.params.get("until")))


def writes_for(tx: Transaction, system: str, ticket: Ticket, *, share_internal: bool) -> Writes | None:
    """What the system would be written for a ticket of its units; None: it has it already."""
    if tx.links.find(ticket.id, system) is not None:
        return None
    comments, files = tx.tickets.comments(ticket.id), tx.tickets.files(ticket.id)
    items = discussion.unsent(system, comments, files, {}, {}, share_internal=share_internal)
    hidden = sum(item.comment is not None and item.comment.visibility.value == "internal" for item in items)
    return Writes(1, len(items) - hidden, hidden)


class Backfill:
    """The kind `backfill`. Its params: `direction` (inward, outward, both), `since`, `until`, `dry_run`, `notify`."""

    writes = True

    def step(self, means: Means, gateway: Gateway, job: Job) -> Take:
        stage, at = _place(job)
        if stage == "drain":
            return lambda tx, now: _drain(tx, means, gateway, now)
        deed, direction = stage.split()
        if deed == "owe" and means.store.read(lambda tx: crowded(tx, gateway)):
            return lambda _, now: rested(now, means.clock() + PATIENCE, "its looks are waiting to be carried out")
        if direction == "outward":
            return lambda tx, now: _outward(tx, means, gateway, now, deed, at)
        asked_at = means.clock()
        page = gateway.connector.scan(at or "")
        onward = page.cursor.position if page.more else None

        def take(tx: Transaction, now: Job) -> Job:
            within = window(now)
            wanted = [c for c in page.changes if within.holds(c.changed_at) and _unknown(tx, gateway, c)]
            if deed == "owe":
                for change in wanted:
                    _owe(tx, means, gateway, change, asked_at, now)
            return _onward(tx, means, gateway, now, len(wanted), onward)

        return take


def stages(job: Job) -> tuple[str, ...]:
    """What a backfill goes through, in order."""
    asked = job.params["direction"]
    ways = ("inward", "outward") if asked == "both" else (asked,)
    counted = tuple(f"count {way}" for way in ways)
    return counted if job.params.get("dry_run") else (*counted, *(f"owe {way}" for way in ways), "drain")


def _place(job: Job) -> tuple[str, Any]:
    return job.position.get("stage", stages(job)[0]), job.position.get("at")


def _unknown(tx: Transaction, gateway: Gateway, change: Change) -> bool:
    return tx.links.find_by_key(gateway.system, change.key) is None


def _owe(tx: Transaction, means: Means, gateway: Gateway, change: Change, asked_at: datetime, job: Job) -> None:
    full = change.ticket if gateway.connector.capabilities.full_rows else None
    means.relay.owe_inward(
        tx,
        gateway.system,
        change.key,
        means.clock(),
        reason=reason(job),
        lane=Lane.BACKFILL,
        hint=plain_row(full, asked_at) if full is not None else None,
    )


def reason(job: Job) -> str:
    """Why its looks are owed."""
    return f"{job.kind} (job {job.id})"


def _outward(tx: Transaction, means: Means, gateway: Gateway, job: Job, deed: str, before: int | None) -> Job:
    tickets = tx.tickets.list(limit=PAGE, before=before)
    within, wanted, total = window(job), 0, Writes(**job.position.get("writes", {}))
    for ticket in tickets:
        target = routing.system_of(ticket["unit"], means.units())
        if not within.holds(ticket.changed_at) or target != gateway.system:
            continue
        writes = writes_for(tx, gateway.system, ticket, share_internal=gateway.share_internal)
        if writes is None:
            continue
        wanted, total = wanted + 1, total + writes
        if deed == "owe":
            at = means.clock()
            means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason=reason(job), lane=Lane.BACKFILL)
    if deed == "count":
        plain = {"creates": total.creates, "comments": total.comments, "internal": total.internal}
        job = replace(job, position={**job.position, "writes": plain})
    return _onward(tx, means, gateway, job, wanted, tickets[-1].id if len(tickets) == PAGE else None)


def _onward(tx: Transaction, means: Means, gateway: Gateway, job: Job, wanted: int, at: Any) -> Job:
    """The job after a page of so many tickets; `at` None: its stage is over."""
    stage, _ = _place(job)
    counting = stage.startswith("count")
    more = {"total": (job.total or 0) + wanted} if counting else {"done": job.done + wanted}
    job = replace(job, **more)  # type: ignore[arg-type]  # either is an int
    if at is not None:
        return replace(job, position={**job.position, "stage": stage, "at": at})
    if counting:
        counted = _counted(job, gateway, stage)
        tx.jobs.add_rows(job.id, [counted])
        if counted.data.get("mails") and not job.params.get("dry_run") and not job.params.get("notify"):
            told = f"{counted.data['sentence']}: say --notify if that is meant"
            return replace(job, state=JobState.FAILED, error=told)
    following = stages(job)[stages(job).index(stage) + 1 :]
    if not following:
        return finished(replace(job, done=job.total or 0))
    job = replace(job, position={**job.position, "stage": following[0], "at": None})
    if counting and not following[0].startswith("count"):
        job = replace(job, paced_from=means.clock())  # the pace is that of the work, not of the counting
    return job


def _counted(job: Job, gateway: Gateway, stage: str) -> JobRow:
    if stage == "count inward":  # it is always counted first
        return JobRow("inward", "to be taken in", {"tickets": job.total or 0})
    writes = Writes(**job.position.get("writes", {}))
    told = mails(gateway.connector.capabilities, writes.by_kind)
    data = {"tickets": writes.creates, "comments": writes.comments + writes.internal}
    return JobRow("outward", "to be created", {**data, "mails": told.most, "sentence": told.sentence})


def _drain(tx: Transaction, means: Means, gateway: Gateway, job: Job) -> Job:
    """Wait until the lanes have carried everything out, and count what became a dead letter."""
    if tx.outbox.waiting(gateway.system, Lane.BACKFILL, most=1):
        return rested(job, means.clock() + PATIENCE, "its last looks are being carried out")
    letters = (*tx.outbox.dead(gateway.system), *tx.outbox.discarded(gateway.system))
    failed = sum(each.reason == reason(job) for each in letters)
    return finished(replace(job, failed=failed))
