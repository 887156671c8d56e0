"""`/v1/tickets`: search, open, read, change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, cursor, number
from central.desk.rest.problems import Problem, documented
from central.desk.rest.strict import Moment
from central.model import FIELDS, FieldSpec, Ticket, Value, plain, value_of
from central.rights import Principal
from central.search import Query as Sought
from central.store.api import Transaction

TicketNumber = Annotated[int, Field(ge=1, lt=2**53, description="our number of the ticket", examples=[1])]
Revision = Annotated[
    str | None, Header(alias="If-Match", max_length=200, description="the ETag of the ticket as you read it, or *")
]
_Names = Annotated[list[str], Query(max_length=20)]
FOUND_BY = "words of the subject, or their first letters; whole words of the description and of what was said"
OPENED: dict[str, Any] = {"subject": "The CE refuses jobs", "description": "since noon", "priority": "urgent"}


def _kind(spec: FieldSpec) -> Any:
    text = Annotated[str, Field(max_length=spec.max_length)] if spec.max_length else str
    return list[text] if spec.kind == "set" else text  # type: ignore[valid-type]  # as the model has it


_FIELDS: Any = {
    spec.name: (
        Annotated[
            _kind(spec) | None,
            Field(
                description=f"{spec.label}{': ' + ', '.join(spec.values) if spec.values else ''}",
                json_schema_extra={"enum": [*spec.values, None]} if spec.values else None,
            ),
        ],
        None,
    )
    for spec in FIELDS.values()
}
Fields: Any = create_model(
    "Fields", __config__=ConfigDict(extra="forbid", json_schema_extra={"example": OPENED}), **_FIELDS
)
Fields.__doc__ = "Fields of a ticket; null is not set."


class TicketOut(BaseModel):
    """A ticket as whoever asks may read it."""

    id: int
    revision: Annotated[int, Field(description="rises with every change of its fields; the ETag")]
    fields: Annotated[dict[str, str | list[str] | bool | int | None], Field(examples=[OPENED])]
    born_in: Annotated[str | None, Field(description="the system it was created in; null: here, or one unseen")]
    created_at: datetime
    changed_at: datetime


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="Search tickets", responses=documented())
    def search(
        who: Who,
        q: Annotated[str, Query(max_length=200, description=FOUND_BY, examples=["refuses"])] = "",
        called: Annotated[
            str, Query(max_length=200, description="anybody's id: our number, a key of theirs, or SYSTEM/KEY")
        ] = "",
        status: _Names = [],  # noqa: B006  # FastAPI copies it
        unit: _Names = [],  # noqa: B006
        priority: _Names = [],  # noqa: B006
        born_in: _Names = [],  # noqa: B006
        system: _Names = [],  # noqa: B006
        disagrees_with: _Names = [],  # noqa: B006
        changed_since: Moment | None = None,
        limit: Limit = 50,
        cursor_: Annotated[Cursor, Query(alias="cursor")] = "",
    ) -> Page[TicketOut]:
        """Those that you may read, newest first. Of several values of one parameter any will do.

        A page may hold fewer than `limit` and not be the last: go on as long as there is a `next`."""
        if called:
            found = desks.tickets.named(who, called)
            return Page(items=_shown(desks, who, found))
        query = Sought(
            words=q,
            statuses=frozenset(status),
            units=frozenset(unit),
            priorities=frozenset(priority),
            born_in=frozenset(born_in),
            systems=frozenset(system),
            disagrees_with=frozenset(disagrees_with),
            changed_since=changed_since,
        )
        page = desks.tickets.search(who, query, limit=limit, before=number(cursor_))
        return Page(items=_shown(desks, who, page.tickets), next=cursor(page.before))

    @routes.post("", status_code=201, summary="Open a ticket", responses=documented(409, 413, 415))
    def open_(who: Who, fields: Fields, response: Response) -> TicketOut:
        """A new ticket, yours; its unit is told of it where that has a system of its own."""
        ticket = desks.tickets.open(who, values(fields))
        response.headers["Location"] = f"/api/v1/tickets/{ticket.id}"
        return _told(response, _shown(desks, who, [ticket])[0])

    @routes.get("/{ticket}", summary="Read a ticket", responses=documented())
    def read(who: Who, ticket: TicketNumber, response: Response) -> TicketOut:
        """Its fields; the conversation, files, links and history have addresses of their own below it."""
        return _told(response, desks.tickets.read(who, ticket, lambda tx, found: _as_read(desks, tx, who, found)))

    @routes.patch("/{ticket}", summary="Change a ticket", responses=documented(412, 413, 415, 428))
    def change(
        who: Who, ticket: TicketNumber, fields: Fields, response: Response, if_match: Revision = None
    ) -> TicketOut:
        """Set the fields that are given, from the revision that you have read; null takes a value away."""
        changed = desks.tickets.change(who, ticket, values(fields), revision=revision(if_match))
        return _told(response, _shown(desks, who, [changed])[0])

    return routes


def revision(if_match: str | None) -> int | None:
    """The revision that a change is made from; None: from any (`*`).  :raises Problem: none is said, or no such."""
    if if_match is None:
        raise Problem(428, "say which revision you have read: If-Match with the ETag of the ticket, or *")
    tag = if_match.strip()
    if tag == "*":
        return None
    text = tag.strip('"')
    if tag != f'"{text}"' or not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Problem(412, f'no revision of it was ever {tag[:40]}: an ETag is a number in quotes, such as "3"')
    return int(text)


def _told(response: Response, ticket: TicketOut) -> TicketOut:
    response.headers["ETag"] = f'"{ticket.revision}"'
    return ticket


def values(fields: Any) -> dict[str, Value]:
    """What of these fields is given, as a ticket holds it."""
    return {name: value_of(value) for name, value in fields.model_dump(exclude_unset=True).items()}


def _shown(desks: Desks, who: Principal, found: Sequence[Ticket]) -> list[TicketOut]:
    return [
        _plain(each, each.born_in if each.born_in and desks.systems.sees(who, each.born_in) else None)
        for each in desks.tickets.as_read(who, found)
    ]


def _as_read(desks: Desks, tx: Transaction, who: Principal, ticket: Ticket) -> TicketOut:
    reader = Reader.of(desks.tickets, tx, who, ticket)
    return _plain(reader.shown(), reader.born_in())


def _plain(ticket: Ticket, born_in: str | None) -> TicketOut:
    return TicketOut(
        id=ticket.id,
        revision=ticket.revision,
        fields={name: plain(value) for name, value in ticket.fields.items()},
        born_in=born_in,
        created_at=ticket.created_at,
        changed_at=ticket.changed_at,
    )
