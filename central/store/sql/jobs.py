"""Jobs and what they report: in SQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, select, update

from central.job import Job, JobRow
from central.store.api import NoSuch
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import OPEN_JOB, job_rows, jobs
from central.store.sql.session import Session

_JOB = TypeAdapter(Job)
_CREATE = adding(jobs)
_SAVE = Prepared(
    update(jobs).where(jobs.c.id == bindparam("of")).values(state=bindparam("state"), memory=bindparam("memory"))
)
_GET = Prepared(select(jobs).where(jobs.c.id == bindparam("of")), Lock.TO_CHANGE)
_LISTED = select(jobs).where(jobs.c.id > bindparam("after")).order_by(jobs.c.id).limit(bindparam("most"))
_ALL = Prepared(_LISTED)
_OPEN = Prepared(_LISTED.where(OPEN_JOB))
_EVERY = 2**53
"""More than there ever are."""
_ABOUT = (job_rows.c.job_id == bindparam("of"), job_rows.c.subject == bindparam("about"))
_ADD_ROW = adding(job_rows)
_CHANGE_ROW = Prepared(update(job_rows).where(*_ABOUT).values(verdict=bindparam("verdict"), data=bindparam("data")))
_PAGE = (
    select(job_rows)
    .where(job_rows.c.job_id == bindparam("of"), job_rows.c.id > bindparam("after"))
    .order_by(job_rows.c.id)
    .limit(bindparam("most"))
)
_ROWS = Prepared(_PAGE)
_ROWS_OF_VERDICT = Prepared(_PAGE.where(job_rows.c.verdict == bindparam("said")))
_VERDICTS = Prepared(
    select(job_rows.c.verdict, func.count().label("number"))
    .where(job_rows.c.job_id == bindparam("of"))
    .group_by(job_rows.c.verdict)
)


class SqlJobs:
    """`central.store.ports.jobs.Jobs` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, job: Job) -> Job:
        number = self._session.add(_CREATE, _columns(job))
        return self.get(number)

    def save(self, job: Job) -> None:
        if not self._session.write(_SAVE, {"of": job.id, **_columns(job)}):
            raise NoSuch(f"there is no job {job.id}")

    def get(self, job_id: int) -> Job:
        row = self._session.first(_GET, {"of": job_id})
        if row is None:
            raise NoSuch(f"there is no job {job_id}")
        return _job(row)

    def list(self, *, open_only: bool = False, after: int = 0, limit: int | None = None) -> Sequence[Job]:
        page = {"after": after, "most": _EVERY if limit is None else limit}
        return [_job(row) for row in self._session.rows(_OPEN if open_only else _ALL, page)]

    def add_rows(self, job_id: int, rows: Iterable[JobRow]) -> None:
        for row in rows:
            said = {"verdict": row.verdict, "data": json.dumps(dict(row.data))}
            if not self._session.write(_CHANGE_ROW, {"of": job_id, "about": row.subject, **said}):
                self._session.add(_ADD_ROW, {"job_id": job_id, "subject": row.subject, **said})

    def rows(self, job_id: int, *, verdict: str | None = None, after: int = 0, limit: int = 1000) -> Sequence[JobRow]:
        asked = {"of": job_id, "after": after, "most": limit, "said": verdict}
        found = self._session.rows(_ROWS if verdict is None else _ROWS_OF_VERDICT, asked)
        return [JobRow(row.subject, row.verdict, json.loads(row.data), row.id) for row in found]

    def verdicts(self, job_id: int) -> Mapping[str, int]:
        return {row.verdict: row.number for row in self._session.rows(_VERDICTS, {"of": job_id})}


def _columns(job: Job) -> dict[str, Any]:
    return {"state": job.state.value, "memory": _JOB.dump_json(job, exclude={"id", "state"}).decode()}


def _job(row: Any) -> Job:
    return _JOB.validate_python({**json.loads(row.memory), "id": row.id, "state": row.state})
