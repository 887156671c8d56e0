"""Jobs of the reference store, and what they report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from central.job import Job, JobRow
from central.store.api import NoSuch
from central.store.codec import as_json
from central.store.memory.tables import Tables


class MemoryJobs:
    """`central.store.ports.jobs.Jobs`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def create(self, job: Job) -> Job:
        created = replace(job, id=self._tables.next_id("job"))
        self._put(created)
        return created

    def save(self, job: Job) -> None:
        self.get(job.id)
        self._put(job)

    def get(self, job_id: int) -> Job:
        found = self._tables.jobs.get(job_id)
        if found is None:
            raise NoSuch(f"there is no job {job_id}")
        return found

    def list(self, *, open_only: bool = False, after: int = 0, limit: int | None = None) -> Sequence[Job]:
        found = (each for each in self._tables.jobs.rows() if each.id > after and (each.open or not open_only))
        return sorted(found, key=lambda job: job.id)[:limit]

    def add_rows(self, job_id: int, rows: Iterable[JobRow]) -> None:
        self.get(job_id)
        for row in rows:
            before = self._tables.job_rows.get((job_id, row.subject))
            number = self._tables.next_id("job row") if before is None else before.id
            self._tables.job_rows.put((job_id, row.subject), replace(row, id=number, data=as_json(dict(row.data))))

    def rows(self, job_id: int, *, verdict: str | None = None, after: int = 0, limit: int = 1000) -> Sequence[JobRow]:
        found = [r for r in self._of(job_id) if r.id > after and verdict in (None, r.verdict)]
        return sorted(found, key=lambda row: row.id)[:limit]

    def verdicts(self, job_id: int) -> Mapping[str, int]:
        return Counter(row.verdict for row in self._of(job_id))

    def _put(self, job: Job) -> None:
        plain = {"params": as_json(dict(job.params)), "position": as_json(dict(job.position))}
        self._tables.jobs.put(job.id, replace(job, **plain))

    def _of(self, job_id: int) -> Sequence[JobRow]:
        return [row for (of, _), row in self._tables.job_rows.items() if of == job_id]
