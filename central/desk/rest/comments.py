"""`/v1/tickets/{ticket}/comments`: the conversation."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, number, until
from central.desk.rest.problems import documented
from central.desk.rest.tickets import TicketNumber
from central.model import Comment, Person, Visibility
from central.rights import Principal

CommentNumber = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]


class CommentIn(BaseModel):
    """Something to say."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, examples=["It is better now, thank you."])]
    internal: Annotated[bool, Field(description="for supporters only; it stays at the centre")] = False


class CommentChange(BaseModel):
    """What is to be otherwise."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str | None, Field(min_length=1, examples=["It is much better now."])] = None
    internal: Annotated[bool | None, Field(description="make it internal, or public")] = None


class CommentOut(BaseModel):
    """One contribution to the conversation."""

    id: int
    author: Annotated[str, Field(description="what they are called; never their address")]
    system: Annotated[str | None, Field(description="the system it was written in; null: here, or one unseen")]
    text: str
    internal: bool
    gap: Annotated[str, Field(description="why the original's text is not here; '' where it is")]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: Annotated[datetime | None, Field(description="since when only its tombstone is left")]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/tickets/{ticket}/comments", tags=["comments"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    def one(who: Principal, ticket: int, comment: int) -> CommentOut:
        return desks.tickets.read(
            who, ticket, lambda tx, found: _plain(Reader.of(desks.tickets, tx, who, found).comment(comment))
        )

    @routes.get("", summary="Read the conversation", responses=documented())
    def list_(
        who: Who, ticket: TicketNumber, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = ""
    ) -> Page[CommentOut]:
        """In central order; internal notes only for who may read them."""
        place = number(cursor) or 0
        found = desks.tickets.read(
            who, ticket, lambda tx, it: Reader.of(desks.tickets, tx, who, it).conversation(place, limit + 1)
        )
        some, following = until(found, limit, lambda each: each.id)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.post("", status_code=201, summary="Say something", responses=documented(409, 413, 415))
    def add(who: Who, ticket: TicketNumber, said: CommentIn) -> CommentOut:
        """To all who may read the ticket, or to supporters only."""
        return _plain(desks.tickets.comment(who, ticket, said.text, internal=said.internal))

    @routes.get("/{comment}", summary="Read a comment", responses=documented())
    def read(who: Who, ticket: TicketNumber, comment: CommentNumber) -> CommentOut:
        """One comment."""
        return one(who, ticket, comment)

    @routes.patch("/{comment}", summary="Change a comment", responses=documented(413, 415))
    def change(who: Who, ticket: TicketNumber, comment: CommentNumber, wanted: CommentChange) -> CommentOut:
        """Give it another text, hide it, or show it."""
        if wanted.internal is True:
            desks.tickets.hide_comment(who, ticket, comment)
        if wanted.text is not None:
            desks.tickets.edit_comment(who, ticket, comment, wanted.text)
        if wanted.internal is False:
            desks.tickets.show_comment(who, ticket, comment)
        return one(who, ticket, comment)

    @routes.delete("/{comment}", status_code=204, summary="Take a comment back", responses=documented())
    def delete(who: Who, ticket: TicketNumber, comment: CommentNumber) -> None:
        """A tombstone stays in its place."""
        desks.tickets.delete_comment(who, ticket, comment)

    return routes


def name_of(person: Person) -> str:
    """What somebody is called, never their whole mail address."""
    return person.label.partition("@")[0] or "somebody"


def _plain(comment: Comment) -> CommentOut:
    return CommentOut(
        id=comment.id,
        author=name_of(comment.author),
        system=comment.author.system or comment.origin_system,
        text=comment.text,
        internal=comment.visibility is Visibility.INTERNAL,
        gap=comment.gap,
        created_at=comment.created_at,
        edited_at=comment.edited_at,
        deleted_at=comment.deleted_at,
    )
