"""`/v1/tickets/{ticket}/comments`: the conversation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from central.desk.reading import Reader
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.forms import BYTES, form, is_form, upload
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, number, until
from central.desk.rest.problems import Problem, documented
from central.desk.rest.strict import LARGEST
from central.desk.rest.tickets import TicketNumber
from central.desk.services.tickets import Upload
from central.model import Comment, Person, Visibility
from central.rights import Principal

CommentNumber = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]


class CommentIn(BaseModel):
    """Something to say."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, examples=["It is better now, thank you."])]
    internal: Annotated[bool, Field(description="for supporters only; it stays at the centre")] = False


MOST_FILES = 4
"""That come with one comment: as many as GGUS took at once."""
_JSON, _FORM = "application/json", "multipart/form-data"
_SAID = CommentIn.model_json_schema()
_SAID_WITH_FILES = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": _SAID["properties"]["text"],
        "internal": {"type": "string", "enum": ["true", "false"], "default": "false"},
        "file": {"type": "array", "items": BYTES["schema"], "maxItems": MOST_FILES},
    },
    "additionalProperties": False,
}
_SAID_EITHER_WAY = {_JSON: {"schema": _SAID}, _FORM: {"schema": _SAID_WITH_FILES}}


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

    def say(who: Principal, ticket: int, said: CommentIn, files: Sequence[Upload]) -> Comment:
        return desks.tickets.comment(who, ticket, said.text, internal=said.internal, files=files)

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

    @routes.post(
        "",
        status_code=201,
        summary="Say something",
        responses=documented(409, 413, 415),
        openapi_extra={"requestBody": {"required": True, "content": _SAID_EITHER_WAY}},
    )
    async def add(who: Who, ticket: TicketNumber, request: Request) -> CommentOut:
        """To all who may read the ticket, or to supporters only. As a form, with files that go wherever it goes."""
        if not is_form(request):
            return _plain(await run_in_threadpool(say, who, ticket, _said(await _json(request)), ()))
        async with form(request, files=MOST_FILES, largest=desks.limits.file, beside=LARGEST) as found:
            parts = found.multi_items()
            if any(not isinstance(part, str) and name != "file" for name, part in parts):
                raise Problem(422, "each file of the form is called `file`")
            said = _said({name: part for name, part in parts if isinstance(part, str)})
            files = [upload(part) for _, part in parts if not isinstance(part, str)]
            return _plain(await run_in_threadpool(say, who, ticket, said, files))

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


async def _json(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise Problem(415, f"send {_JSON}, or {_FORM} with files, " + (f"not {kind}" if kind else "and say so"))
    return await request.json()


def _said(data: Any) -> CommentIn:
    """:raises RequestValidationError: it is something else."""
    try:
        return CommentIn.model_validate(data)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None


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
