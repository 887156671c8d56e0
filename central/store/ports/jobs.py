"""Jobs, as a transaction keeps them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from central.job import Job, JobRow


class Jobs(Protocol):
    """Jobs and what they report."""

    def create(self, job: Job) -> Job:
        """Store a new job (its `id` is given here)."""

    def save(self, job: Job) -> None:
        """Write the whole job back.  :raises NoSuch: there is none with this id."""

    def get(self, job_id: int) -> Job:
        """:raises NoSuch: no job has this id."""

    def list(self, *, open_only: bool = False, after: int = 0, limit: int | None = None) -> Sequence[Job]:
        """Oldest first; `open_only`: those of which something may still come. A page of them: `limit`, after the one
        with the id `after`."""

    def add_rows(self, job_id: int, rows: Iterable[JobRow]) -> None:
        """Append to its report; a row about the same subject takes the place of the earlier one."""

    def rows(self, job_id: int, *, verdict: str | None = None, after: int = 0, limit: int = 1000) -> Sequence[JobRow]:
        """Its report, in order; `after` is the last row's id of the page before."""

    def verdicts(self, job_id: int) -> Mapping[str, int]:
        """How many rows of its report have which verdict."""
