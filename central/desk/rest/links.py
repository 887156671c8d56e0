"""`/v1/tickets/{ticket}/links`: where else a ticket is, of the systems that whoever asks may see."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.paging import Page
from central.desk.rest.problems import documented
from central.desk.rest.strict import StrictRoute
from central.desk.rest.tickets import TicketNumber
from central.link import Link
from central.rights import Principal


class LinkOut(BaseModel):
    """Our ticket's tie to a ticket of a system."""

    system: str
    key: Annotated[str | None, Field(description="what it is called there; null: not created yet")]
    state: Annotated[str, Field(description="pending, active, detached, lost or duplicate")]
    born_there: bool
    disagreements: Annotated[dict[str, str], Field(description="field -> why it cannot agree now")]
    agreed_at: Annotated[datetime | None, Field(description="the last look that left nothing to do")]
    last_error: str


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/tickets/{ticket}/links", tags=["links"], route_class=StrictRoute)
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="Read the links", responses=documented())
    def list_(who: Who, ticket: TicketNumber) -> Page[LinkOut]:
        """One per system; other systems that the ticket may be in are not told of."""
        found = desks.tickets.read(who, ticket, lambda tx, it: _readable(Reader.of(desks.tickets, tx, who, it)))
        return Page(items=found)

    return routes


def _readable(reader: Reader) -> list[LinkOut]:
    return [_plain(each) for each in reader.links()]


def _plain(link: Link) -> LinkOut:
    return LinkOut(
        system=link.system,
        key=link.key,
        state=link.state.value,
        born_there=link.birth,
        disagreements=dict(link.disagreements),
        agreed_at=link.agreed_at,
        last_error=link.last_error,
    )
