"""The contract of a kind of job.

A job advances by steps. A step reads what it needs (remote calls belong here) and answers with the transaction that
takes it in: the looks it owes, its report and the job's new position, all at once. A kill therefore repeats at most
one step, and a step that is repeated owes nothing twice.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from central.delivery import Lane
from central.job import Job, JobState
from central.store.api import Transaction
from sync.gateway import Gateway
from sync.means import Means

Take = Callable[[Transaction, Job], Job]
"""Takes a step in, given the job as it is now; the job as it is afterwards."""


class Kind(Protocol):
    """One kind of job."""

    writes: bool
    """What it owes may be written there: it rests while nothing may be. Any kind rests while its system is not read."""

    def step(self, means: Means, gateway: Gateway, job: Job) -> Take:
        """Read one page.  :raises ConnectorError: by remedy; the step is tried again."""


PATIENCE = timedelta(seconds=1)
"""How long a job rests before it looks whether the lanes have caught up."""


QUEUE = 200
"""How many looks behind live work may wait in a system's outbox before a job adds more."""


def crowded(tx: Transaction, gateway: Gateway) -> bool:
    """Whether the lanes must catch up first."""
    return tx.outbox.waiting(gateway.system, Lane.BACKFILL, most=QUEUE) >= QUEUE


def rested(job: Job, until: datetime, why: str) -> Job:
    """The job, resting."""
    return replace(job, not_before=until, error=why)


def finished(job: Job) -> Job:
    """The job, done."""
    return replace(job, state=JobState.DONE, not_before=None, error="")


def moment(said: object) -> datetime | None:
    """A moment among the parameters of a job."""
    return datetime.fromisoformat(said) if isinstance(said, str) else None
