"""Where somebody is named on a ticket, and what would stand there once they are erased."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from central.erasure import Erasure
from central.model import plain
from central.store.api import Transaction

LONGEST = 120
"""Signs of a line that are shown."""


class Place(StrEnum):
    """What somebody may be named in."""

    FIELD = "field"
    AUTHOR = "author of comment"
    COMMENT = "comment"
    FILE = "file"
    HISTORY = "history"
    CONFLICT = "conflict"
    ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class Mention:
    """One place that names somebody."""

    ticket: int
    place: Place
    which: str
    """The field's name, the number of the comment, the file, the event or the conflict."""
    says: str
    """The line that names them, in short."""
    becomes: str


def mentions(tx: Transaction, ticket_id: int, erasure: Erasure) -> Iterator[Mention]:
    """Every place on a ticket that an erasure would change."""
    ticket = tx.tickets.get(ticket_id)
    for name, value in erasure.fields(ticket).items():
        yield _mention(ticket_id, Place.FIELD, name, ticket[name], value)
    for comment in tx.tickets.comments(ticket_id):
        after = erasure.comment(comment, "")
        if after.author != comment.author:
            yield _mention(ticket_id, Place.AUTHOR, comment.id, comment.author.label, after.author.label)
        if (after.text, after.gap) != (comment.text, comment.gap):
            yield _mention(ticket_id, Place.COMMENT, comment.id, comment.text, after.text)
    for file in tx.tickets.files(ticket_id):
        if erasure.file(file) != file:
            yield _mention(ticket_id, Place.FILE, file.id, file.name, erasure.file(file).name)
    for fact in tx.tickets.events(ticket_id):
        told = erasure.event(fact)
        if told != fact:
            before, becomes = ((each.actor.label, *each.data.values(), each.why) for each in (fact, told))
            yield _mention(ticket_id, Place.HISTORY, fact.id, *_apart(before, becomes))
    for lost in tx.tickets.conflicts(ticket_id):
        kept = erasure.conflict(lost)
        if kept != lost:
            as_lost, as_kept = ((each.author, each.ours, each.theirs) for each in (lost, kept))
            yield _mention(ticket_id, Place.CONFLICT, lost.id, *_apart(as_lost, as_kept))
    for number, origin in enumerate(tx.origins.of(ticket_id), 1):
        if erasure.origin(origin) != origin:
            yield _mention(ticket_id, Place.ORIGIN, number, origin.submitter_name or origin.account, erasure.alias)


def _apart(before: tuple[object, ...], after: tuple[object, ...]) -> tuple[object, object]:
    """The first of these values that differs."""
    return next((old, new) for old, new in zip(before, after, strict=True) if old != new)


def _mention(ticket_id: int, place: Place, which: object, before: object, after: object) -> Mention:
    old, new = (
        str(plain(each) or "") if isinstance(each, str | tuple) else str(each or "") for each in (before, after)
    )
    lines = zip_longest(old.splitlines(), new.splitlines(), fillvalue="")
    says, becomes = next(((was, now) for was, now in lines if was != now), ("", ""))
    return Mention(ticket_id, place, str(which), _short(says), _short(becomes))


def _short(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
