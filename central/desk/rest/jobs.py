"""`/v1/jobs`: deliberate work over many tickets."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.letters import System
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, cursor, number, until
from central.desk.rest.problems import documented
from central.job import Job
from central.rights import Principal

JobNumber = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]


class JobOut(BaseModel):
    """A job, and how far it is."""

    id: int
    kind: str
    system: str
    params: dict[str, Any]
    state: Annotated[str, Field(description="running, paused, done or failed")]
    done: int
    total: Annotated[int | None, Field(description="null: not known yet")]
    failed: int
    error: Annotated[str, Field(description="why it rests, or failed")]
    created_at: datetime
    created_by: str


class NewJob(BaseModel):
    """What is to be done."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["backfill", "pair", "scan", "resync"]
    system: Annotated[str, Field(min_length=1, max_length=100, examples=["ngi-cz"])]
    params: Annotated[
        dict[str, Any],
        Field(
            description="of backfill: direction, since, until, dry_run, notify; of pair: by, since, until, dry_run, "
            "notify, leave; of resync: ticket; of scan none"
        ),
    ] = {}


class Turn(BaseModel):
    """Whether it is to go on."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["pause", "resume"]


class RowOut(BaseModel):
    """A row of a job's report."""

    subject: str
    verdict: str
    data: dict[str, Any]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List jobs", responses=documented())
    def list_(
        who: Who, system: System = "", limit: Limit = 50, cursor_: Annotated[Cursor, Query(alias="cursor")] = ""
    ) -> Page[JobOut]:
        """Oldest first."""
        found = desks.queues.jobs(who, system or None, after=number(cursor_) or 0, limit=limit + 1)
        some, following = until(found, limit, lambda each: each.id)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.post("", status_code=201, summary="Start a job", responses=documented(409, 413, 415))
    def start(who: Who, job: NewJob) -> JobOut:
        """The process that runs the mesh carries it out, and goes on where it was after any crash."""
        return _plain(desks.queues.start_job(who, job.kind, job.system, job.params))

    @routes.get("/{job}", summary="Read a job", responses=documented())
    def read(who: Who, job: JobNumber) -> JobOut:
        """How far it is."""
        return _plain(desks.queues.job(who, job))

    @routes.get("/{job}/report", summary="Read a job's report", responses=documented())
    def report(
        who: Who, job: JobNumber, limit: Limit = 50, cursor_: Annotated[Cursor, Query(alias="cursor")] = ""
    ) -> Page[RowOut]:
        """What it found, or would do."""
        rows = desks.queues.report(who, job, after=number(cursor_) or 0, limit=limit)
        items = [RowOut(subject=each.subject, verdict=each.verdict, data=dict(each.data)) for each in rows]
        return Page(items=items, next=cursor(rows[-1].id) if len(rows) == limit else None)

    @routes.post("/{job}/turn", summary="Pause or resume a job", responses=documented(409, 413, 415))
    def turn(who: Who, job: JobNumber, wanted: Turn) -> JobOut:
        """Let it rest where it is, or go on."""
        act = desks.queues.pause_job if wanted.act == "pause" else desks.queues.resume_job
        return _plain(act(who, job))

    return routes


def _plain(job: Job) -> JobOut:
    return JobOut(
        id=job.id,
        kind=job.kind,
        system=job.system,
        params=dict(job.params),
        state=job.state.value,
        done=job.done,
        total=job.total,
        failed=job.failed,
        error=job.error,
        created_at=job.created_at,
        created_by=job.created_by,
    )
