"""`/v1/documents`: systems, mappings and profiles as they were written, with their revisions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from central.desk.rest.caller import Caller
from central.desk.rest.desks import Desks
from central.desk.rest.once import once
from central.desk.rest.paging import Cursor, Limit, Page, number, until, word
from central.desk.rest.problems import documented
from central.desk.services.systems import DocumentChange
from central.registry import Document
from central.rights import Principal

Kind = Literal["system", "mapping", "profile"]
Name = Annotated[str, Path(min_length=1, max_length=100, examples=["ngi-cz"])]
Revision = Annotated[int, Path(ge=1, lt=2**31, examples=[1])]


class DocumentOut(BaseModel):
    """One revision of a document. Secrets are references in it, never values."""

    kind: str
    name: str
    revision: int
    applied_at: datetime
    applied_by: str


class DocumentText(DocumentOut):
    """The same with its text."""

    text: Annotated[str, Field(description="the YAML as it was applied")]


class Documents(BaseModel):
    """Documents to apply: all of them or none."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[
        str, Field(max_length=2**20, description="YAML; several are divided by ---", examples=["kind: system\n"])
    ]
    same_secret: Annotated[bool, Field(description="a system may move and take its secret along")] = False
    dry_run: Annotated[bool, Field(description="tell what would change, and change nothing")] = False


class Rollback(BaseModel):
    """How to go back."""

    model_config = ConfigDict(extra="forbid")

    same_secret: bool = False


class ChangeOut(BaseModel):
    """What applying did, or would do, to one document."""

    kind: str
    name: str
    change: Annotated[str, Field(description="new, changed or unchanged")]
    diff: str
    pinned: Annotated[bool, Field(description="it comes with interdesk, because a system names it")]
    revision: Annotated[int | None, Field(description="null: nothing was done")]


def router(desks: Desks, caller: Caller) -> APIRouter:
    """The routes of this noun."""
    routes = APIRouter(prefix="/v1/documents", tags=["documents"], route_class=once(desks, caller))
    Who = Annotated[Principal, Depends(caller)]  # noqa: N806  # a type

    @routes.post("", summary="Apply documents", responses=documented(409, 413, 415))
    def apply(who: Who, documents: Documents) -> Page[ChangeOut]:
        """Register systems, mappings and profiles, or change them; each change is a new revision."""
        act = desks.documents.plan if documents.dry_run else desks.documents.apply
        return _changes(act(who, documents.text, same_secret=documents.same_secret))

    @routes.get("/{kind}", summary="List documents", responses=documented())
    def list_(who: Who, kind: Kind, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = "") -> Page[DocumentOut]:
        """The current revisions, by name."""
        found = desks.documents.listed(who, kind, after=word(cursor), limit=limit + 1)
        some, following = until(found, limit, lambda each: each.name)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.get("/{kind}/{name}", summary="Read a document", responses=documented())
    def read(who: Who, kind: Kind, name: Name) -> DocumentText:
        """The current revision."""
        return _whole(desks.documents.show(who, kind, name))

    @routes.get("/{kind}/{name}/revisions", summary="List the revisions", responses=documented())
    def revisions(
        who: Who, kind: Kind, name: Name, limit: Limit = 50, cursor: Annotated[Cursor, Query()] = ""
    ) -> Page[DocumentOut]:
        """Oldest first."""
        place = number(cursor) or 0
        found = desks.documents.revisions(who, kind, name, after=place, limit=limit + 1)
        some, following = until(found, limit, lambda each: each.revision)
        return Page(items=[_plain(each) for each in some], next=following)

    @routes.get("/{kind}/{name}/revisions/{revision}", summary="Read a revision", responses=documented())
    def read_revision(who: Who, kind: Kind, name: Name, revision: Revision) -> DocumentText:
        """That one."""
        return _whole(desks.documents.show(who, kind, name, revision))

    @routes.post(
        "/{kind}/{name}/revisions/{revision}/rollback", summary="Roll back", responses=documented(409, 413, 415)
    )
    def roll_back(who: Who, kind: Kind, name: Name, revision: Revision, how: Rollback) -> Page[ChangeOut]:
        """The text of that revision becomes the newest one."""
        return _changes(desks.documents.roll_back(who, kind, name, revision, same_secret=how.same_secret))

    return routes


def _plain(document: Document) -> DocumentOut:
    return DocumentOut(
        kind=document.kind,
        name=document.name,
        revision=document.revision,
        applied_at=document.applied_at,
        applied_by=document.applied_by,
    )


def _whole(document: Document) -> DocumentText:
    return DocumentText(**_plain(document).model_dump(), text=document.source)


def _changes(changes: Iterable[DocumentChange]) -> Page[ChangeOut]:
    return Page(
        items=[
            ChangeOut(
                kind=each.kind,
                name=each.name,
                change=each.verb,
                diff=each.diff,
                pinned=each.pinned,
                revision=each.revision,
            )
            for each in changes
        ]
    )
