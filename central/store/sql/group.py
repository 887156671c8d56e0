"""GroupCommit: whoever comes first commits for all who wait.

There is no writer thread: a caller with nobody before it runs its own change at once, in its own thread. Those who
come while it works wait; when its commit has returned, the first of them commits for all of them, and so on. A slow
disk makes groups larger; there are no timers. Where several may commit at once, only those beyond them wait.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from central.store.api import CommitFailed, CommitUnknown

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
    ended: bool = False
    """Its outcome stands, whatever becomes of the rest of the group."""
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Its caller waits here until the job is ended by another, or until it is its own turn to lead."""


class GroupCommit:
    """Gathers jobs into groups and runs `width` groups at a time.

    `run` is given a group; it gives every job its `result` or `error` and commits. What it raises instead is the end
    of the whole group.
    """

    def __init__(self, run: Callable[[Sequence[Job]], None], *, width: int = 1) -> None:
        self._run = run
        self._width = width
        self._guard = threading.Condition(threading.Lock())
        self._waiting: deque[Job] = deque()
        self._leading = 0
        self._leaders: set[int] = set()
        """The threads that run a group now."""
        self._closed = False

    def write(self, change: Callable[[Any], Any], *, durable: bool = True) -> Any:
        """Run a change in some group; its result, once the group is committed: durably where any of it asks for that.

        :raises CommitFailed: nothing of the group was written.  :raises CommitUnknown: nobody knows whether it was.
        What `change` raises is raised here alone."""
        if threading.get_ident() in self._leaders:
            raise RuntimeError("a write inside a write: pass the transaction on instead")
        job = Job(change, durable)
        with self._guard:
            if self._closed:
                raise RuntimeError("the store is closed")
            self._waiting.append(job)
            if self._leading == self._width:
                job.turn.acquire()
            else:
                self._leading += 1
                job.leads = True
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
            self._guard.wait_for(lambda: not self._leading)

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
            group = self._gather(mine)
        self._leaders.add(threading.get_ident())
        try:
            self._run(group)
        except CommitUnknown as error:
            for job in _not_ended(group):
                job.error = CommitUnknown(*error.args)
                job.error.__cause__ = error
        except BaseException as error:
            for job in _not_ended(group):
                job.error = CommitFailed(f"nothing was written, because the database failed: {error}")
                job.error.__cause__ = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._leaders.discard(threading.get_ident())
            with self._guard:
                self._hand_over()
            for job in group:
                if job is not mine:
                    job.turn.release()

    def _gather(self, mine: Job) -> list[Job]:
        """The leader's own job and the first of those that have no leader yet."""
        self._waiting.remove(mine)
        others = [job for job in self._waiting if not job.leads][: MOST - 1]
        for job in others:
            self._waiting.remove(job)
        return [mine, *others]

    def _hand_over(self) -> None:
        """The first of those who wait leads the next group."""
        following = next((job for job in self._waiting if not job.leads), None)
        if following is not None:
            following.leads = True
            following.turn.release()
        else:
            self._leading -= 1
            self._guard.notify_all()


def _not_ended(group: Sequence[Job]) -> list[Job]:
    return [job for job in group if not job.ended]
