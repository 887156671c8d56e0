"""Pages: a cursor is opaque, and means a place that stays where it is whatever happens before it."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from central.desk.rest.problems import Problem

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200, description="how many to a page")]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the page before; nothing: the first page")]
_NONE_OF_OURS = "this is no cursor: take `next` of the page before as it is"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
    place = _read(text)
    if not _is_number(place) or len(place) > 15:
        raise Problem(422, _NONE_OF_OURS)
    return int(place)


def word(text: str) -> str:
    """The place of a cursor among what is in the order of names; '': the beginning.  :raises Problem: as above."""
    place = _read(text) if text else ""
    if text and not (place and place.isprintable()):
        raise Problem(422, _NONE_OF_OURS)
    return place


def until(found: Sequence[T], limit: int, place: Callable[[T], int | str]) -> tuple[Sequence[T], str | None]:
    """A page, of which one more was asked for than it is to hold, and the cursor of the next: the place of its last."""
    return found[:limit], cursor(place(found[limit - 1]) if len(found) > limit else None)


def moment_and_number(text: str) -> tuple[datetime, int] | None:
    """The place of a cursor among what is in the order of a moment.  :raises Problem: it is none of ours."""
    if not text:
        return None
    first, _, second = _read(text).partition(".")
    if not (_is_number(first) and _is_number(second)):
        raise Problem(422, _NONE_OF_OURS)
    return _EPOCH + timedelta(microseconds=int(first)), int(second)


def place_of(at: datetime, number: int) -> str:
    """The same place, to be made a cursor."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{number}"


def _read(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 17
