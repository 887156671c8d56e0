"""`/v1/tickets/{ticket}/history` and `/why`: what happened, and why a field has its value."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.comments import name_of
from central.desk.rest.desks import Desks
from central.desk.rest.paging import Cursor, Limit, Page, number, until
from central.desk.rest.problems import documented
from central.desk.rest.strict import StrictRoute
from central.desk.rest.tickets import TicketNumber
from central.events import Event
from central.model import FIELDS, SUPPORTERS_ONLY
from central.rights import Principal
from central.store.api import NoSuch

FieldName = Annotated[str, Field(max_length=60, examples=["status"], json_schema_extra={"enum": list(FIELDS)})]


class EventOut(BaseModel):
    """One fact about a ticket."""

    id: int
    ticket: int
    kind: Annotated[str, Field(examples=["field changed"])]
    at: datetime
    by: Annotated[str, Field(description="what they are called; never their address")]
    system: Annotated[str | None, Field(description="where it came from or went to; null: here, or one unseen")]
    field: str | None
    data: dict[str, Any]
    why: Annotated[str, Field(description="the rule, evidence or policy behind it")]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/tickets/{ticket}", tags=["history"], route_class=StrictRoute)
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("/history", summary="Read the history", responses=documented())
    def history(
        who: Who, ticket: TicketNumber, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = ""
    ) -> Page[EventOut]:
        """What happened to it, oldest first; what is internal only for who may read that."""
        place = number(cursor) or 0
        found = desks.tickets.read(
            who, ticket, lambda tx, it: Reader.of(desks.tickets, tx, who, it).history(place, limit + 1)
        )
        some, following = until(found, limit, lambda each: each.id)
        return Page(items=[plain(each) for each in some], next=following)

    @routes.get("/why/{field}", summary="Ask why a field has its value", responses=documented())
    def why(who: Who, ticket: TicketNumber, field: FieldName) -> dict[str, Any]:
        """Who set it, by which rule or policy, what it was before, what lost, and how it stands in each system."""

        def question(tx: Any, found: Any) -> dict[str, Any]:
            reader = Reader.of(desks.tickets, tx, who, found)
            if field in SUPPORTERS_ONLY and not reader.internal:
                raise NoSuch(f"ticket {ticket} has no field {field} for you")
            return dict(desks.explain(found, field, reader.events(), reader.links(), reader.conflicts()))

        try:
            return desks.tickets.read(who, ticket, question)
        except NoSuch:
            raise
        except LookupError as missing:
            raise NoSuch(str(missing)) from None

    return routes


def plain(event: Event) -> EventOut:
    """An event that somebody may be told of."""
    return EventOut(
        id=event.id,
        ticket=event.ticket_id,
        kind=event.kind.value,
        at=event.at,
        by=name_of(event.actor),
        system=event.system or event.actor.system or None,
        field=event.field,
        data=dict(event.data),
        why=event.why,
    )
