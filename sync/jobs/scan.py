"""The full scan now, page by page: what it listed is in the job's report, so that a kill costs it one page."""

from dataclasses import replace

from central.delivery import Counts
from central.job import Job, JobRow
from central.store.api import Transaction
from sync.gateway import Gateway
from sync.jobs.api import PATIENCE, Take, crowded, finished, rested
from sync.means import Means
from sync.poll import AT_ONCE, compare, owe_unlisted, scanned, unlisted


class Scan:
    """The kind `scan`. It has no params. It only owes looks."""

    writes = False

    def step(self, means: Means, gateway: Gateway, job: Job) -> Take:
        if means.store.read(lambda tx: crowded(tx, gateway)):
            return lambda _, now: rested(now, means.clock() + PATIENCE, "its looks are waiting to be carried out")
        match job.position.get("stage", "list"):
            case "list":
                return _list(means, gateway, job)
            case "unlisted":
                return _find_unlisted(means, gateway, job)
        return lambda tx, now: _look(tx, means, gateway, now)


def _list(means: Means, gateway: Gateway, job: Job) -> Take:
    page = gateway.connector.scan(job.position.get("at", ""))

    def take(tx: Transaction, now: Job) -> Job:
        owed = compare(means, gateway, page.changes, tx)
        keys = [change.key for change in page.changes]
        number = int(now.position.get("pages", 0)) + 1
        tx.jobs.add_rows(now.id, [JobRow(f"page {number}", "listed", {"looks owed": owed, "keys": keys})])
        links = tx.outbox.counts().get(gateway.system, Counts()).links
        done = now.done + len(keys)
        where = {"stage": "list" if page.more else "unlisted", "at": page.cursor.position, "pages": number}
        return replace(now, position=where, done=done, total=max(done, links) if page.more else done)

    return take


def _find_unlisted(means: Means, gateway: Gateway, job: Job) -> Take:
    listed: set[str] = set()
    after = 0
    while rows := means.store.read(lambda tx, after=after: tx.jobs.rows(job.id, verdict="listed", after=after)):  # type: ignore[misc]  # bound now
        listed.update(key for row in rows for key in row.data["keys"])
        after = rows[-1].id
    missing = unlisted(means, gateway, listed, job.created_at)

    def take(tx: Transaction, now: Job) -> Job:
        verdict = "held by a guard" if missing is None else "looked at"
        tx.jobs.add_rows(now.id, [JobRow("unlisted", verdict, {"keys": missing or []})])
        return replace(now, position={"stage": "look", "at": 0})

    return take


def _look(tx: Transaction, means: Means, gateway: Gateway, job: Job) -> Job:
    begin = int(job.position["at"])
    keys = [key for row in tx.jobs.rows(job.id, verdict="looked at") for key in row.data["keys"]]
    owe_unlisted(means, gateway, keys[begin : begin + AT_ONCE], tx)
    if begin + AT_ONCE < len(keys):
        return replace(job, position={"stage": "look", "at": begin + AT_ONCE})
    scanned(means, gateway, tx)
    return finished(job)
