"""`/v1/deadletters`: looks that need a person, with the tracker's own words."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from central.desk.queues import Waiting
from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, moment_and_number, place_of, until
from central.desk.rest.problems import documented
from central.desk.rest.tickets import Fields, values
from central.rights import Principal

Letter = Annotated[int, Field(ge=1, lt=2**53, examples=[1])]
System = Annotated[str, Query(max_length=100, description="those of this system")]


class LetterOut(BaseModel):
    """A look that was given up after its last try."""

    id: int
    state: Annotated[str, Field(description="dead or discarded")]
    system: str
    direction: Annotated[str, Field(description="inward or outward")]
    subject: Annotated[str, Field(description="their key (inward), or our number (outward)")]
    ticket: Annotated[int | None, Field(description="null: it is not known here yet")]
    attempts: int
    owed_since: datetime
    reason: str
    error: str


class LetterRead(LetterOut):
    """A letter with what somebody has to say of it."""

    awaits: Annotated[
        str | None,
        Field(description="what our comment says whose answer was lost: say by settle what became of it"),
    ]


class Verdict(BaseModel):
    """What is to become of it."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["retry", "edit", "discard", "settle"]
    changes: Annotated[
        Fields | None, Field(description="what its ticket is to say instead, before it is tried again; with edit")
    ] = None
    why: Annotated[str, Field(min_length=1, max_length=500, description="read by whoever misses it; with discard")] = (
        "no reason was given"
    )
    there: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="their id of the comment that it `awaits`; with settle"),
    ] = None
    never: Annotated[bool, Field(description="it never got through, and is sent once more; with settle")] = False

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.act == "edit" and (self.changes is None or not self.changes.model_fields_set):
            raise ValueError("an edit changes something: say changes")
        if self.act == "settle" and (self.there is not None) == self.never:
            raise ValueError("say what became of the comment: there, or never")
        return self


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/deadletters", tags=["dead letters"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.get("", summary="List dead letters", responses=documented())
    def list_(
        who: Who,
        system: System = "",
        discarded: bool = False,
        limit: Limit = 50,
        cursor: Annotated[Cursor, Query()] = "",
    ) -> Page[LetterOut]:
        """Oldest first; with `discarded`, those that somebody gave up."""
        place = moment_and_number(cursor)
        found = desks.queues.letters(who, system or None, discarded=discarded, after=place, limit=limit + 1)
        some, following = until(found, limit, lambda each: place_of(*each.place))
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.get("/{letter}", summary="Read a dead letter", responses=documented())
    def read(who: Who, letter: Letter) -> LetterRead:
        """All that the tracker said."""
        found = desks.queues.letter(who, letter)
        return LetterRead(**_plain(found).model_dump(), awaits=found.awaits)

    @routes.post("/{letter}/verdict", status_code=204, summary="Decide", responses=documented(409, 413, 415, 502))
    def decide(who: Who, letter: Letter, verdict: Verdict) -> None:
        """Have it tried again, as it is, with its ticket changed, or once you said what became of its comment; or give
        it up."""
        if verdict.act == "retry":
            desks.queues.retry(who, letter)
        elif verdict.act == "edit":
            for problem in desks.queues.edit(who, [letter], values(verdict.changes)).values():
                raise problem
        elif verdict.act == "settle":
            desks.queues.settle(who, letter, verdict.there)
        else:
            desks.queues.discard(who, letter, verdict.why)

    return routes


def _plain(waiting: Waiting) -> LetterOut:
    letter = waiting.letter
    return LetterOut(
        id=letter.id,
        state=letter.state.value,
        system=letter.system,
        direction=letter.direction.value,
        subject=letter.subject,
        ticket=waiting.ticket_id,
        attempts=letter.attempts,
        owed_since=letter.owed_since,
        reason=letter.reason,
        error=letter.error,
    )
