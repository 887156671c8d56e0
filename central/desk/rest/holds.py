"""`/v1/holds`: what guards hold because it looked wrong."""

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
from central.guard import Hold
from central.rights import Principal

HoldNumber = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]


class HoldOut(BaseModel):
    """What a guard holds, and by what it was judged."""

    id: int
    kind: Annotated[str, Field(description="which guard it was")]
    system: str
    ticket: Annotated[int | None, Field(description="the only ticket that is held; null: the whole system")]
    reason: str
    state: Annotated[str, Field(description="open, approved, rejected, or withdrawn by itself")]
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str
    evidence: dict[str, Any]


class Judgement(BaseModel):
    """What is said to it."""

    model_config = ConfigDict(extra="forbid")

    say: Literal["approve", "reject"]
    write_back: Annotated[bool, Field(description="our values go back over what is rejected; with reject")] = False


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/holds", tags=["holds"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List holds", responses=documented())
    def list_(
        who: Who,
        system: System = "",
        decided: Annotated[bool, Query(description="those that were decided, too")] = False,
        limit: Limit = 50,
        cursor: Annotated[Cursor, Query()] = "",
    ) -> Page[HoldOut]:
        """By number."""
        place = number(cursor) or 0
        found = desks.queues.holds(who, system or None, open_only=not decided, after=place, limit=limit + 1)
        some, following = until(found, limit, lambda each: each.id)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.get("/{hold}", summary="Read a hold", responses=documented())
    def read(who: Who, hold: HoldNumber) -> HoldOut:
        """With everything that it was judged by."""
        return _plain(desks.queues.hold(who, hold))

    @routes.post("/{hold}/judgement", summary="Judge a hold", responses=documented(409, 413, 415))
    def judge(who: Who, hold: HoldNumber, judgement: Judgement) -> HoldOut:
        """Approve what was seen, or reject it: both lift the hold."""
        if judgement.say == "approve":
            return _plain(desks.queues.approve(who, hold))
        return _plain(desks.queues.reject(who, hold, write_back=judgement.write_back))

    return routes


def _plain(hold: Hold) -> HoldOut:
    return HoldOut(
        id=hold.id,
        kind=hold.kind.value,
        system=hold.system,
        ticket=hold.ticket_id,
        reason=hold.reason,
        state=hold.state.value,
        opened_at=hold.opened_at,
        decided_at=hold.decided_at,
        decided_by=hold.decided_by,
        evidence=dict(hold.evidence),
    )
