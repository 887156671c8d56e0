"""GroupCommit: whoever comes first commits for all who wait.

There is no writer thread: a caller with nobody before it runs its own change at once, in its own thread. Those who
come while it works wait; when its commit has returned, the first of them commits for all of them, and so on. A slow
disk makes groups larger; there are no timers.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from central.store.api import CommitFailed

MOST = 50
"""Changes in one group: enough to share an fsync, few enough to keep the first caller's wait short."""


@dataclass(eq=False, slots=True)
class Job:
    """One caller's change on its way through a group."""

    change: Callable[[Any], Any]
    durable: bool
    result: Any = None
    error: Exception | None = None
    hooks: Sequence[Callable[[], None]] = ()
    leads: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Its caller waits here until the job is ended by another, or until it is its own turn to lead."""


class GroupCommit:
    """Gathers jobs into groups and runs one group at a time.

    `run` is given a group; it gives every job its `result` or `error` and commits. What it raises instead is the end
    of the whole group.
    """

    def __init__(self, run: Callable[[Sequence[Job]], None]) -> None:
        self._run = run
        self._guard = threading.Condition(threading.Lock())
        self._waiting: deque[Job] = deque()
        self._busy = False
        self._leader: int | None = None
        self._closed = False

    def write(self, change: Callable[[Any], Any], *, durable: bool = True) -> Any:
        """Run a change in some group; its result, once the group is committed: durably where any of it asks for that.

        :raises CommitFailed: nothing of the group was written.  What `change` raises is raised here alone."""
        if self._leader == threading.get_ident():
            raise RuntimeError("a write inside a write: pass the transaction on instead")
        job = Job(change, durable)
        with self._guard:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._waiting.append(job)
            if self._busy:
                job.turn.acquire()
            else:
                self._busy = job.leads = True
        if not job.leads:
            self._wait(job)
        if job.leads:
            self._lead(job)
        if job.error is not None:
            raise job.error
        for hook in job.hooks:
            hook()
        return job.result

    def close(self) -> None:
        """Refuse what comes from now on; return when everything accepted is ended."""
        with self._guard:
            self._closed = True
            self._guard.wait_for(lambda: not self._busy)

    def _wait(self, job: Job) -> None:
        try:
            job.turn.acquire()
        except BaseException:  # Ctrl-C while waiting: the job must not be left to lead
            with self._guard:
                if job in self._waiting:
                    self._waiting.remove(job)
                    if job.leads:
                        self._hand_over()
            raise

    def _lead(self, mine: Job) -> None:
        with self._guard:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        self._leader = threading.get_ident()
        try:
            self._run(group)
        except BaseException as error:
            for job in group:
                job.error = CommitFailed(f"nothing was written, because the database failed: {error}")
                job.error.__cause__ = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._leader = None
            with self._guard:
                self._hand_over()
            for job in group:
                if job is not mine:
                    job.turn.release()

    def _hand_over(self) -> None:
        """The first of those who wait leads the next group."""
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].turn.release()
        else:
            self._busy = False
            self._guard.notify_all()
