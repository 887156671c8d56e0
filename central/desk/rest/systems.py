"""`/v1/systems`: the registered systems, and the life that people give them."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Page
from central.desk.rest.problems import documented
from central.desk.rest.strict import Moment
from central.desk.views import SystemView
from central.rights import Principal

SystemName = Annotated[str, Path(min_length=1, max_length=100, examples=["ngi-cz"])]


class MaintenanceOut(BaseModel):
    """A window in which nothing is written to a system, and nobody is alarmed."""

    begins_at: datetime
    ends_at: datetime
    by: str
    why: str


class SystemOut(BaseModel):
    """A registered system, and how it is."""

    name: str
    state: Annotated[str, Field(description="draft, proving, shadow, live, paused or quarantined")]
    health: Annotated[str, Field(description="well, late, failing, stopped, draft, shadow or maintenance")]
    reason: Annotated[str, Field(description="why it is not live; '' when it is")]
    lag: Annotated[float, Field(description="seconds that the oldest look has been owed")]
    due: int
    dead: int
    held: int
    discarded: int
    links: int
    disagreements: int
    disagrees_since: Annotated[datetime | None, Field(description="since when the oldest disagreement stands")]
    error_rate: Annotated[
        float | None,
        Field(description="the part of its looks of the last hour that failed; none: there were none"),
    ]
    succeeded_at: datetime | None
    last_error: str
    error_at: datetime | None
    out_since: datetime | None
    next_try_at: datetime | None
    maintenance: Annotated[MaintenanceOut | None, Field(description="the window that is announced, or under way")]


class Act(BaseModel):
    """What is to be done to a system."""

    model_config = ConfigDict(extra="forbid")

    act: Annotated[
        Literal["live", "shadow", "pause", "resume", "release", "announce maintenance", "end maintenance"],
        Field(examples=["pause"]),
    ]
    why: Annotated[str, Field(max_length=500, description="for those who will wonder; with pause and maintenance")] = ""
    begins_at: Annotated[Moment | None, Field(description="none: now; with maintenance")] = None
    ends_at: Annotated[Moment | None, Field(description="with maintenance, which cannot be without")] = None
    take_theirs: Annotated[
        bool, Field(description="where it differs from what was agreed on, take theirs; with release")
    ] = False

    @model_validator(mode="after")
    def _maintenance_ends(self) -> Self:
        if self.act == "announce maintenance" and self.ends_at is None:
            raise ValueError("maintenance has an end: say ends_at")
        return self


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/systems", tags=["systems"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List the systems", responses=documented())
    def list_(who: Who) -> Page[SystemOut]:
        """Those that you may see, by name."""
        return Page(items=[_plain(each) for each in desks.systems.tiles(who)])

    @routes.get("/{system}", summary="Read a system", responses=documented())
    def read(who: Who, system: SystemName) -> SystemOut:
        """Its state and health; its document is under `/v1/documents/system/{name}`."""
        return _plain(desks.systems.show(who, system).view)

    @routes.post("/{system}/acts", summary="Act on a system", responses=documented(409, 413, 415, 502))
    def act(who: Who, system: SystemName, wanted: Act) -> SystemOut:
        """Let it go live or into shadow, pause it, take up its traffic, announce or end maintenance, or release it.

        What an operator had a hand in, or was registered on the pages, goes live once both sides have signed what is
        lost in its translation: `/v1/systems/{system}/losses`."""
        match wanted.act:
            case "live":
                desks.systems.go_live(who, system)
            case "shadow":
                desks.systems.go_into_shadow(who, system)
            case "pause":
                desks.systems.pause(who, system, wanted.why)
            case "resume":
                desks.systems.resume(who, system)
            case "announce maintenance" if wanted.ends_at is not None:
                desks.systems.announce_maintenance(
                    who, system, wanted.ends_at, begins_at=wanted.begins_at, why=wanted.why
                )
            case "end maintenance":
                desks.systems.end_maintenance(who, system)
            case "release":
                desks.systems.release(who, system, take_theirs=wanted.take_theirs)
        return _plain(desks.systems.show(who, system).view)

    @routes.post("/{system}/check", summary="Prove a system", responses=documented(409, 413, 502))
    def check(who: Who, system: SystemName) -> dict[str, Any]:
        """Ask the live system whether its registration works, by reading only: findings, mails, losses."""
        return desks.systems.check(who, system)

    return routes


def _plain(view: SystemView) -> SystemOut:
    return SystemOut.model_validate({**asdict(view), "lag": view.lag.total_seconds()})
