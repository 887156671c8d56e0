"""`/v1/status`, `/v1/audit` and `/v1/me`: the mesh as a whole, what was done to it, and who asks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, cursor, number
from central.desk.rest.problems import documented
from central.rights import Action, Principal, may


class StatusOut(BaseModel):
    """The mesh in a few figures: of the systems that you may see."""

    systems: int
    unwell: Annotated[int, Field(description="systems that need a person")]
    due: int
    dead: int
    held: int
    disagreements: int
    stopped: Annotated[str, Field(description="who pressed the stop button, and why; '' where nobody did")]


class StopButton(BaseModel):
    """Whether anything may be written to any system."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["stop", "let go"]
    why: Annotated[str, Field(max_length=500)] = ""


class EntryOut(BaseModel):
    """One administrative act."""

    id: int
    at: datetime
    by: str
    act: str
    subject: str
    data: dict[str, Any]


class Me(BaseModel):
    """Who asks."""

    login: str
    name: str
    roles: Annotated[list[str], Field(examples=[["supporter:NGI_CZ"]])]
    may: Annotated[list[str], Field(description="what you may do, to something at least")]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of these nouns."""
    routes = APIRouter(prefix="/v1", tags=["status"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    def shown(who: Principal) -> StatusOut:
        tiles, stop = desks.systems.tiles(who), desks.systems.instance(who).stopped
        return StatusOut(
            systems=len(tiles),
            unwell=sum(each.health in ("failing", "late", "stopped") for each in tiles),
            due=sum(each.due for each in tiles),
            dead=sum(each.dead for each in tiles),
            held=sum(each.held for each in tiles),
            disagreements=sum(each.disagreements for each in tiles),
            stopped=f"{stop.by}{f': {stop.why}' if stop.why else ''}" if stop else "",
        )

    @routes.get("/status", summary="Read the status", responses=documented())
    def status(who: Who) -> StatusOut:
        """Kept counters: nothing is counted for it."""
        return shown(who)

    @routes.post("/status/stop", summary="Press the stop button, or let go", responses=documented(409, 413, 415))
    def stop(who: Who, button: StopButton) -> StatusOut:
        """From then on nothing is written to any system; reading goes on, and what is owed waits."""
        if button.act == "stop":
            desks.systems.stop_all(who, button.why)
        else:
            desks.systems.let_go(who)
        return shown(who)

    @routes.get("/audit", summary="Read the audit log", responses=documented())
    def audit(who: Who, limit: Limit = 50, cursor_: Annotated[Cursor, Query(alias="cursor")] = "") -> Page[EntryOut]:
        """What was done to this installation and by whom, newest first."""
        found = desks.systems.audit(who, before=number(cursor_), limit=limit)
        items = [
            EntryOut(id=each.id, at=each.at, by=each.by, act=each.act, subject=each.subject, data=dict(each.data))
            for each in found
        ]
        return Page(items=items, next=cursor(found[-1].id) if len(found) == limit else None)

    @routes.get("/me", summary="Ask who you are", responses=documented())
    def me(who: Who) -> Me:
        """The account that your token stands for, and what you may do."""
        return Me(
            login=who.person.id,
            name=who.person.name,
            roles=sorted(map(str, who.grants)),
            may=[str(action) for action in Action if may(who, action)],
        )

    return routes
