"""A job: deliberate work over many tickets, in bounded steps, that goes on where it was after any crash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """The life of a job. Running and paused ones are open; the others are over."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands. What it is about (`system`, `params`) never changes; how far it is does."""

    id: int
    kind: str
    system: str
    params: Mapping[str, Any]
    """What was asked for, plain."""
    created_at: datetime
    created_by: str
    updated_at: datetime
    state: JobState = JobState.RUNNING
    position: Mapping[str, Any] = field(default_factory=dict)
    """Where the next step begins, in the words of its kind; empty at the start."""
    done: int = 0
    total: int | None = None
    """How many tickets there are to it; None: not known yet."""
    failed: int = 0
    not_before: datetime | None = None
    """It rests until then: the system is busy, or did not answer."""
    error: str = ""
    """Why it rests or failed."""
    attempts: int = 0
    """Steps that failed in a row."""
    paced_from: datetime | None = None
    """Since when it has been running without a pause; with `paced_done` it tells the pace."""
    paced_done: int = 0

    @property
    def open(self) -> bool:
        """Whether something may still come of it."""
        return self.state in (JobState.RUNNING, JobState.PAUSED)

    def left(self, at: datetime) -> timedelta | None:
        """An estimate of the time that is left at the pace so far; None where nothing can be said yet."""
        done = self.done - self.paced_done
        if self.state is not JobState.RUNNING or self.total is None or self.paced_from is None or done <= 0:
            return None
        return (at - self.paced_from) * ((self.total - self.done) / done)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of a job's report: what it found, or would do, about one thing."""

    subject: str
    """What it is about: our ticket's number, their key, or both."""
    verdict: str
    """One word that rows are counted by."""
    data: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
