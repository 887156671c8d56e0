"""Pages: a cursor is opaque, and means a place that stays where it is whatever happens before it."""

import base64
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from central.desk.rest.problems import Problem

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="how many to a page")]
Cursor = Annotated[str, Query(max_length=64, description="`next` of the page before; nothing: the first page")]
Number = Annotated[int, Field(ge=1, lt=2**53)]


class Page(BaseModel, Generic[T]):
    """Some of them, and where the next ones are."""

    items: list[T]
    next: Annotated[str | None, Field(description="the cursor of the next page; null: this was the last")] = None


def cursor(place: int | str | None) -> str | None:
    """The cursor of a place; None: there is no next page."""
    return None if place is None else base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def number(text: str) -> int | None:
    """The place of a cursor; None: the beginning.  :raises Problem: it is none of ours."""
    if not text:
        return None
    try:
        place = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        place = ""
    if not place.isdigit() or len(place) > 15:
        raise Problem(422, "this is no cursor: take `next` of the page before as it is")
    return int(place)


def cut(found: Sequence[T], place: int | None, limit: int) -> tuple[Sequence[T], str | None]:
    """A page of what lies in memory, and the cursor of the next."""
    start = place or 0
    return found[start : start + limit], cursor(start + limit if len(found) > start + limit else None)
