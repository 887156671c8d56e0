"""Tickets, their comments and files, their history: in SQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from central.events import Event, Kind
from central.model import (
    Attachment,
    Comment,
    Conflict,
    NewComment,
    NewFile,
    Person,
    Ticket,
    Value,
    Visibility,
    plain,
    value_of,
)
from central.store.api import NoSuch, StaleRevision
from central.store.codec import settled
from central.store.sql.schema import OPEN, blobs, comments, conflicts, events, files, tickets, totals
from central.store.sql.session import Session

_TICKET = select(
    tickets.c.id,
    tickets.c.revision,
    tickets.c.fields,
    tickets.c.created_at,
    tickets.c.changed_at,
    tickets.c.born_in,
)
_GET = _TICKET.where(tickets.c.id == bindparam("ticket_id"))
_CREATE = insert(tickets)
_CHANGE = update(tickets).where(tickets.c.id == bindparam("ticket_id"), tickets.c.revision == bindparam("expected"))
_CHANGE = _CHANGE.values({name: bindparam(name) for name in ("revision", "subject_folded", "fields", "changed_at")})
_TOUCH = update(tickets).where(tickets.c.id == bindparam("ticket_id")).values(changed_at=bindparam("changed_at"))
_COUNT = select(totals.c.value).where(totals.c.name == "tickets")

_COMMENTS = select(comments).where(comments.c.ticket_id == bindparam("ticket_id")).order_by(comments.c.id)
_COMMENT_FROM = select(comments).where(
    comments.c.ticket_id == bindparam("ticket_id"),
    comments.c.origin_system == bindparam("origin_system"),
    comments.c.origin_id == bindparam("origin_id"),
)
_COMMENT = select(comments.c.id).where(
    comments.c.ticket_id == bindparam("ticket_id"), comments.c.id == bindparam("comment_id")
)
_ADD_COMMENT = insert(comments)

_FILES = select(files).where(files.c.ticket_id == bindparam("ticket_id")).order_by(files.c.id)
_FILE_FROM = select(files).where(
    files.c.ticket_id == bindparam("ticket_id"),
    files.c.origin_system == bindparam("origin_system"),
    files.c.origin_id == bindparam("origin_id"),
)
_BLOB = select(blobs.c.id).where(blobs.c.sha256 == bindparam("sha256"))
_ADD_FILE = insert(files)

_RECORD = insert(events)
_EVENTS = select(events).where(events.c.ticket_id == bindparam("ticket_id")).order_by(events.c.id)
_EVENTS_OF_FIELD = _EVENTS.where(events.c.field == bindparam("field"))

_KEEP_CONFLICT = insert(conflicts)
_CONFLICTS = select(conflicts).order_by(conflicts.c.id)


class SqlTickets:
    """`central.store.api.Tickets` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, fields: Mapping[str, Value], at: datetime, *, born_in: str | None = None) -> Ticket:
        ticket = Ticket(0, 1, settled(fields), at, at, born_in)
        row = {**_written(ticket), "created_at": at, "born_in": born_in}
        self._session.grow("tickets")
        return replace(ticket, id=self._session.add(_CREATE, row))

    def get(self, ticket_id: int) -> Ticket:
        row = self._session.first(_GET, {"ticket_id": ticket_id})
        if row is None:
            raise NoSuch(f"there is no ticket {ticket_id}")
        return _ticket(row)

    def change(self, ticket: Ticket, changes: Mapping[str, Value], at: datetime) -> Ticket:
        changed = ticket.with_fields(changes, at)
        changed = replace(changed, fields=settled(changed.fields))
        row = {**_written(changed), "ticket_id": ticket.id, "expected": ticket.revision}
        if not self._session.write(_CHANGE, row).rowcount:
            current = self.get(ticket.id)
            raise StaleRevision(f"ticket {ticket.id} is at revision {current.revision}, not {ticket.revision}")
        return changed

    def touch(self, ticket_id: int, at: datetime) -> None:
        if not self._session.write(_TOUCH, {"ticket_id": ticket_id, "changed_at": at}).rowcount:
            raise NoSuch(f"there is no ticket {ticket_id}")

    def list(self, *, words: str = "", limit: int = 50, before: int | None = None) -> Sequence[Ticket]:
        page = _TICKET.order_by(tickets.c.id.desc()).limit(limit)
        if before is not None:
            page = page.where(tickets.c.id < before)
        for word in words.casefold().split():
            page = page.where(tickets.c.subject_folded.contains(word, autoescape=True))
        return [_ticket(row) for row in self._session.rows(page)]

    def count(self) -> int:
        self._session.settle_counters()
        row = self._session.first(_COUNT)
        return 0 if row is None else int(row.value)

    def add_comment(self, ticket_id: int, comment: NewComment) -> Comment:
        if comment.origin_system is not None and comment.origin_id is not None:
            origin = {"origin_system": comment.origin_system, "origin_id": comment.origin_id}
            there = self._session.first(_COMMENT_FROM, {"ticket_id": ticket_id, **origin})
            if there is not None:
                return _comment(there)
        added = Comment(
            id=0,
            ticket_id=ticket_id,
            author=comment.author,
            text=comment.text,
            visibility=comment.visibility,
            created_at=comment.created_at,
            origin_system=comment.origin_system,
            origin_id=comment.origin_id,
            gap=comment.gap,
        )
        row = {**_columns(added), "author": _person_out(added.author)}
        added = replace(added, id=self._add(_ADD_COMMENT, row, ticket_id))
        for file in comment.files:
            self.add_file(
                ticket_id,
                added.id,
                file,
                comment.created_at,
                internal=comment.visibility is Visibility.INTERNAL,
                origin_system=comment.origin_system,
            )
        return added

    def comments(self, ticket_id: int) -> Sequence[Comment]:
        return [_comment(row) for row in self._session.rows(_COMMENTS, {"ticket_id": ticket_id})]

    def add_file(
        self,
        ticket_id: int,
        comment_id: int | None,
        file: NewFile,
        at: datetime,
        *,
        internal: bool = False,
        origin_system: str | None = None,
    ) -> Attachment:
        if origin_system is not None and file.origin_id is not None:
            origin = {"origin_system": origin_system, "origin_id": file.origin_id}
            there = self._session.first(_FILE_FROM, {"ticket_id": ticket_id, **origin})
            if there is not None:
                return _file(there)
        if self._session.first(_BLOB, {"sha256": file.sha256}) is None:
            raise NoSuch(f"the bytes of {file.name!r} are not in the store: put_blob comes first")
        if comment_id is not None:
            place = {"ticket_id": ticket_id, "comment_id": comment_id}
            if self._session.first(_COMMENT, place) is None:
                raise NoSuch(f"ticket {ticket_id} has no comment {comment_id}")
        added = Attachment(
            id=0,
            ticket_id=ticket_id,
            comment_id=comment_id,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            visibility=Visibility.INTERNAL if internal else Visibility.PUBLIC,
            created_at=at,
            origin_system=origin_system,
            origin_id=file.origin_id,
        )
        return replace(added, id=self._add(_ADD_FILE, _columns(added), ticket_id))

    def files(self, ticket_id: int) -> Sequence[Attachment]:
        return [_file(row) for row in self._session.rows(_FILES, {"ticket_id": ticket_id})]

    def record(self, events: Iterable[Event]) -> None:
        rows = [
            {**_columns(event), "actor": _person_out(event.actor), "data": json.dumps(dict(event.data))}
            for event in events
        ]
        if rows:
            try:
                self._session.write(_RECORD, rows)
            except IntegrityError as error:
                told = ", ".join(sorted({str(row["ticket_id"]) for row in rows}))
                raise NoSuch(f"an event tells of a ticket that is not there (they tell of {told})") from error

    def events(self, ticket_id: int, *, field: str | None = None) -> Sequence[Event]:
        if field is None:
            return [_event(row) for row in self._session.rows(_EVENTS, {"ticket_id": ticket_id})]
        return [_event(row) for row in self._session.rows(_EVENTS_OF_FIELD, {"ticket_id": ticket_id, "field": field})]

    def keep_conflict(self, conflict: Conflict) -> Conflict:
        row = {**_columns(conflict), "ours": _value_out(conflict.ours), "theirs": _value_out(conflict.theirs)}
        return replace(conflict, id=self._add(_KEEP_CONFLICT, row, conflict.ticket_id))

    def conflicts(self, ticket_id: int | None = None, *, open_only: bool = False) -> Sequence[Conflict]:
        wanted = _CONFLICTS
        if ticket_id is not None:
            wanted = wanted.where(conflicts.c.ticket_id == ticket_id)
        if open_only:
            wanted = wanted.where(OPEN)
        return [_conflict(row) for row in self._session.rows(wanted)]

    def _add(self, statement: Any, row: Mapping[str, Any], ticket_id: int) -> int:
        try:
            return self._session.add(statement, row)
        except IntegrityError as error:  # whatever else it refers to has been looked up
            raise NoSuch(f"there is no ticket {ticket_id}") from error


def _columns(value: Any) -> dict[str, Any]:
    """The attributes of a value as columns; its id is given by the database."""
    return {name: getattr(value, name) for name in value.__slots__ if name != "id"}


def _written(ticket: Ticket) -> dict[str, Any]:
    return {
        "revision": ticket.revision,
        "subject_folded": str(ticket["subject"] or "").casefold(),
        "fields": json.dumps({name: plain(value) for name, value in ticket.fields.items()}),
        "changed_at": ticket.changed_at,
    }


def _ticket(row: Row[Any]) -> Ticket:
    fields = {name: value_of(value) for name, value in json.loads(row.fields).items()}
    return Ticket(row.id, row.revision, fields, row.created_at, row.changed_at, row.born_in)


def _comment(row: Row[Any]) -> Comment:
    read = {"author": _person_in(row.author), "visibility": Visibility(row.visibility)}
    return Comment(**row._asdict() | read)


def _file(row: Row[Any]) -> Attachment:
    return Attachment(**row._asdict() | {"visibility": Visibility(row.visibility)})


def _event(row: Row[Any]) -> Event:
    read = {"kind": Kind(row.kind), "actor": _person_in(row.actor), "data": json.loads(row.data)}
    return Event(**row._asdict() | read)


def _conflict(row: Row[Any]) -> Conflict:
    read = {"ours": _value_in(row.ours), "theirs": _value_in(row.theirs)}
    return Conflict(**row._asdict() | read)


def _person_out(person: Person) -> str:
    return json.dumps(asdict(person))


def _person_in(text: str) -> Person:
    return Person(**json.loads(text))


def _value_out(value: Value) -> str:
    return json.dumps(plain(value))


def _value_in(text: str) -> Value:
    return value_of(json.loads(text))
