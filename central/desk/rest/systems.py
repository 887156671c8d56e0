"""`/v1/systems`: the registered systems, and the life that people give them."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Page
from central.desk.rest.problems import documented
from central.desk.views import SystemView
from central.rights import Principal

SystemName = Annotated[str, Path(min_length=1, max_length=100, examples=["ngi-cz"])]


class SystemOut(BaseModel):
    """A registered system, and how it is."""

    name: str
    state: Annotated[str, Field(description="draft, proving, shadow, live, paused or quarantined")]
    health: Annotated[str, Field(description="well, late, failing, stopped, draft or shadow")]
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


class Act(BaseModel):
    """What is to be done to a system."""

    model_config = ConfigDict(extra="forbid")

    act: Annotated[Literal["live", "shadow", "pause", "resume", "release"], Field(examples=["pause"])]
    why: Annotated[str, Field(max_length=500, description="for those who will wonder; with pause")] = ""
    take_theirs: Annotated[
        bool, Field(description="where it differs from what was agreed on, take theirs; with release")
    ] = False


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
        """Let it go live or into shadow, pause it, take up its traffic again, or release it from quarantine."""
        match wanted.act:
            case "live":
                desks.systems.go_live(who, system)
            case "shadow":
                desks.systems.go_into_shadow(who, system)
            case "pause":
                desks.systems.pause(who, system, wanted.why)
            case "resume":
                desks.systems.resume(who, system)
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
