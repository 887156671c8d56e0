"""`/v1/conflicts`: what both sides changed, where a person decides."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.letters import System
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, number, until
from central.desk.rest.problems import documented
from central.model import Conflict, plain
from central.rights import Principal


class ConflictOut(BaseModel):
    """A field that both sides changed, with both values."""

    id: int
    ticket: int
    system: str
    field: str
    ours: Any
    theirs: Any
    reason: str
    at: datetime


class Decision(BaseModel):
    """What is to stand."""

    model_config = ConfigDict(extra="forbid")

    take: Literal["ours", "theirs"]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/conflicts", tags=["conflicts"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List conflicts", responses=documented())
    def list_(
        who: Who, system: System = "", limit: Limit = 50, cursor: Annotated[Cursor, Query()] = ""
    ) -> Page[ConflictOut]:
        """Those that wait for a person, oldest first."""
        found = desks.queues.conflicts(who, system or None, after=number(cursor) or 0, limit=limit + 1)
        some, following = until(found, limit, lambda each: each.id)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.post("/{conflict}/decision", summary="Decide a conflict", responses=documented(409, 413, 415))
    def decide(
        who: Who, conflict: Annotated[int, Field(ge=1, lt=2**53, examples=[1])], decision: Decision
    ) -> ConflictOut:
        """The value of one side stands; the other's is kept as an edit that lost."""
        return _plain(desks.queues.resolve(who, conflict, decision.take))

    return routes


def _plain(conflict: Conflict) -> ConflictOut:
    return ConflictOut(
        id=conflict.id,
        ticket=conflict.ticket_id,
        system=conflict.system,
        field=conflict.field,
        ours=plain(conflict.ours),
        theirs=plain(conflict.theirs),
        reason=conflict.reason,
        at=conflict.at,
    )
