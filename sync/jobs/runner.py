"""The runner: takes each open job one step further whenever its time has come, in the process that polls."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from central.job import Job, JobState
from central.registry import SystemState
from central.store.api import NoSuch, Transaction
from connectors.errors import ConnectorError, QuotaSpent, Transient
from sync.gateway import Gateways
from sync.jobs.api import Kind, rested
from sync.jobs.backfill import Backfill
from sync.jobs.pair import Pair
from sync.jobs.resync import Resync
from sync.jobs.scan import Scan
from sync.means import Means
from sync.outage import is_out
from sync.permit import why_held
from sync.recovery.copies import at_rest

log = structlog.get_logger("interdesk.jobs")

KINDS: Mapping[str, Kind] = {"backfill": Backfill(), "pair": Pair(), "resync": Resync(), "scan": Scan()}
REST = timedelta(seconds=5)
"""How long a job rests while its system is at rest itself, or after the first failure of a step."""
LONGEST_REST = timedelta(minutes=10)
MOST_FAILURES = 50
"""Steps that may fail in a row before a job is given up; a person may start it again."""


class Runner:
    """Advances jobs. `submit` runs a step somewhere else (tests run it at once)."""

    def __init__(self, means: Means, gateways: Gateways, *, submit: Callable[[Callable[[], None]], object]) -> None:
        self._means, self._gateways, self._submit = means, gateways, submit
        self._busy: set[int] = set()
        self._lock = threading.Lock()

    def step(self) -> None:
        """Begin one step of every job whose time has come."""
        now = self._means.clock()
        for job in self._means.store.read(lambda tx: tx.jobs.list(open_only=True)):
            due = job.state is JobState.RUNNING and (job.not_before is None or job.not_before <= now)
            with self._lock:
                if not due or job.id in self._busy:
                    continue
                self._busy.add(job.id)
            self._submit(lambda job=job: self._advance(job))  # type: ignore[misc]  # bound now

    def _advance(self, job: Job) -> None:
        try:
            self._means.store.write(self._read(job), durable=False)
        except Exception as bug:
            log.exception("a job stumbled over a bug of interdesk; please report it", job=job.id)
            sentence = f"a bug of interdesk: {type(bug).__name__}: {bug}"
            self._means.store.write(lambda tx: self._fail(tx, job.id, sentence))
        finally:
            with self._lock:
                self._busy.discard(job.id)

    def _read(self, job: Job) -> Callable[[Transaction], None]:
        """Do the remote part of a step; what takes it in."""
        kind = KINDS.get(job.kind)
        if kind is None:
            return lambda tx: self._fail(tx, job.id, f"this program knows no job {job.kind!r}")
        why = self._means.store.read(lambda tx: _not_now(tx, job.system, self._means.clock(), writes=kind.writes))
        if why:
            return lambda tx: self._save(tx, job.id, lambda now: rested(now, self._means.clock() + REST, why))
        try:
            take = kind.step(self._means, self._gateways.get(job.system), job)
        except LookupError as unusable:
            sentence = str(unusable)
            return lambda tx: self._fail(tx, job.id, sentence)
        except QuotaSpent as spent:
            wait, why = spent.retry_after or REST, str(spent)
            return lambda tx: self._save(tx, job.id, lambda now: rested(now, self._means.clock() + wait, why))
        except ConnectorError as error:
            sentence = f"{type(error).__name__}: {error}"
            asked = error.retry_after if isinstance(error, Transient) else None
            return lambda tx: self._postpone(tx, job.id, sentence, asked)

        def take_in(tx: Transaction) -> None:
            def advanced(now: Job) -> Job:
                after = take(tx, replace(now, not_before=None, error=""))
                return replace(after, attempts=0)

            self._save(tx, job.id, advanced)

        return take_in

    def _save(self, tx: Transaction, job_id: int, change: Callable[[Job], Job]) -> None:
        """Change a job as it is now, unless a person paused or ended it meanwhile."""
        now = tx.jobs.get(job_id)
        if now.state is JobState.RUNNING:
            tx.jobs.save(replace(change(now), updated_at=self._means.clock()))

    def _postpone(self, tx: Transaction, job_id: int, why: str, asked: timedelta | None) -> None:
        def later(now: Job) -> Job:
            if now.attempts + 1 >= MOST_FAILURES:
                return replace(now, state=JobState.FAILED, error=why)
            wait = max(asked or REST, min(LONGEST_REST, REST * 2 ** min(now.attempts, 10)))
            return replace(rested(now, self._means.clock() + wait, why), attempts=now.attempts + 1)

        self._save(tx, job_id, later)

    def _fail(self, tx: Transaction, job_id: int, why: str) -> None:
        self._save(tx, job_id, lambda now: replace(now, state=JobState.FAILED, error=why))


def _not_now(tx: Transaction, name: str, at: datetime, *, writes: bool) -> str:
    """Why a job must rest now; '' when it may go on."""
    try:
        system = tx.registry.system(name)
    except NoSuch as problem:
        return str(problem)
    if not system.reads or (writes and system.state is not SystemState.LIVE):
        return f"system {name} is {system.state}{f': {system.reason}' if system.reason else ''}"
    if is_out(system.outage):
        return f"system {name} does not answer"
    return why_held(tx, name, at) if writes else at_rest(tx)


def moments(since: datetime | None, until: datetime | None) -> dict[str, str]:
    """A window as the parameters of a job."""
    given = {"since": since, "until": until}
    return {name: at.isoformat() for name, at in given.items() if at is not None}
