"""Tickets, their comments and files, their history: in SQL."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, literal_column, null, select, update

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
from central.rights import Sight
from central.search import Page, Query, matches
from central.store.api import NoSuch, StaleRevision
from central.store.codec import settled
from central.store.sql import search
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import GONE, OPEN, blobs, comments, conflicts, events, files, tickets, totals
from central.store.sql.session import Session

_TICKET = select(
    tickets.c.id,
    tickets.c.revision,
    tickets.c.fields,
    tickets.c.created_at,
    tickets.c.changed_at,
    tickets.c.born_in,
    tickets.c.shown_at,
)
_GET = Prepared(_TICKET.where(tickets.c.id == bindparam("of")), Lock.TO_CHANGE)
_THERE = Prepared(select(tickets.c.id).where(tickets.c.id == bindparam("of")), Lock.TO_CHANGE)
"""Held, so that what joins a ticket, its comments above all, is numbered in the order in which it can be seen."""
_CREATE = adding(tickets)
_CHANGE = Prepared(
    update(tickets)
    .where(tickets.c.id == bindparam("of"), tickets.c.revision == bindparam("expected"))
    .values(
        {
            name: bindparam(name)
            for name in ("revision", "marked", "worded", "subject_folded", "fields", "changed_at", "shown_at")
        }
    )
)
_MOVED = update(tickets).where(tickets.c.id == bindparam("of")).values(changed_at=bindparam("changed_at"))
_TOUCH = Prepared(_MOVED.values(shown_at=null()))
_TOUCH_UNSEEN = Prepared(_MOVED.values(shown_at=func.coalesce(tickets.c.shown_at, tickets.c.changed_at)))
_PAGE = Prepared(_TICKET.where(tickets.c.id > bindparam("after")).order_by(tickets.c.id).limit(bindparam("most")))
_COUNT = Prepared(select(totals.c.value).where(totals.c.name == "tickets"))

_COMMENTS = Prepared(select(comments).where(comments.c.ticket_id == bindparam("of")).order_by(comments.c.id))
_CONVERSATION = Prepared(
    select(comments)
    .where(comments.c.ticket_id == bindparam("of"), comments.c.id > bindparam("after"))
    .order_by(comments.c.id)
    .limit(bindparam("most"))
)
_COMMENT = Prepared(
    select(comments.c.id).where(comments.c.ticket_id == bindparam("of"), comments.c.id == bindparam("comment"))
)
_ADD_COMMENT = adding(comments)
_REVISE = Prepared(
    update(comments)
    .where(comments.c.ticket_id == bindparam("of"), comments.c.id == bindparam("comment"))
    .values({name: bindparam(name) for name in ("text", "gap", "visibility", "edited_at", "deleted_at")})
)
_HIDE_FILES = Prepared(
    update(files)
    .where(files.c.ticket_id == bindparam("of"), files.c.comment_id == bindparam("comment"))
    .values(visibility=bindparam("visibility"))
)
_FILES = Prepared(select(files).where(files.c.ticket_id == bindparam("of")).order_by(files.c.id))
_SOME_FILES = Prepared(
    select(files)
    .where(files.c.ticket_id == bindparam("of"), files.c.id > bindparam("after"))
    .order_by(files.c.id)
    .limit(bindparam("most"))
)
_BLOB = Prepared(select(blobs.c.id).where(blobs.c.sha256 == bindparam("sha256")))
_ADD_FILE = adding(files)


def _from_origin(table: Table) -> Prepared:
    return Prepared(
        select(table).where(
            table.c.ticket_id == bindparam("of"),
            table.c.origin_system == bindparam("system"),
            table.c.origin_id == bindparam("origin"),
        )
    )


_COMMENT_FROM = _from_origin(comments)
_FILE_FROM = _from_origin(files)

_RECORD = adding(events)
_EVENTS = select(events).where(events.c.ticket_id == bindparam("of")).order_by(events.c.id)
_HISTORY = Prepared(_EVENTS)
_HISTORY_PAGE = Prepared(_EVENTS.where(events.c.id > bindparam("after")).limit(bindparam("most")))
_HISTORY_OF_FIELD = Prepared(_EVENTS.where(events.c.field == bindparam("field")))
_LAST = select(events).where(events.c.ticket_id == bindparam("of")).order_by(events.c.id.desc())
_NEWEST = Prepared(_LAST.limit(bindparam("most")))
_NEWEST_OF_FIELD = Prepared(_LAST.where(events.c.field == bindparam("field")).limit(bindparam("most")))
_HAPPENED = Prepared(
    select(events).where(events.c.id > bindparam("after")).order_by(events.c.id).limit(bindparam("most"))
)
_NEWEST_EVENT = Prepared(select(func.coalesce(func.max(events.c.id), literal_column("0")).label("id")))
_KEEP_CONFLICT = adding(conflicts)
_DECIDE_CONFLICT = Prepared(
    update(conflicts)
    .where(conflicts.c.id == bindparam("of"))
    .values(winner=bindparam("by"), reason=bindparam("because"), open=False)
)
_CONFLICTS = select(conflicts).order_by(conflicts.c.id)


class SqlTickets:
    """`central.store.ports.tickets.Tickets` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, fields: Mapping[str, Value], at: datetime, *, born_in: str | None = None) -> Ticket:
        ticket = Ticket(0, 1, settled(fields), at, at, born_in)
        row = {**_written(ticket), "created_at": at, "born_in": born_in}
        self._session.grow("tickets")
        ticket = replace(ticket, id=self._session.add(_CREATE, row))
        search.mark_new(self._session, ticket)
        return ticket

    def get(self, ticket_id: int) -> Ticket:
        row = self._session.first(_GET, {"of": ticket_id})
        if row is None:
            raise NoSuch(f"there is no ticket {ticket_id}")
        return _ticket(row)

    def page(self, *, after: int, limit: int) -> Sequence[Ticket]:
        """Of `Traces`: by id, without holding any."""
        return [_ticket(row) for row in self._session.rows(_PAGE, {"after": after, "most": limit})]

    def change(self, ticket: Ticket, changes: Mapping[str, Value], at: datetime | None) -> Ticket:
        changed = ticket.with_fields(changes, at)
        changed = replace(changed, fields=settled(changed.fields))
        reworded = search.rewords(self._session, ticket, changed)
        row = {**_written(changed), "of": ticket.id, "expected": ticket.revision}
        if not self._session.write(_CHANGE, row):
            current = self.get(ticket.id)
            raise StaleRevision(f"ticket {ticket.id} is at revision {current.revision}, not {ticket.revision}")
        search.mark_anew(self._session, changed, reworded=reworded)
        return changed

    def touch(self, ticket_id: int, at: datetime, *, internal: bool = False) -> None:
        if not self._session.write(_TOUCH_UNSEEN if internal else _TOUCH, {"of": ticket_id, "changed_at": at}):
            raise NoSuch(f"there is no ticket {ticket_id}")

    def list(self, *, words: str = "", limit: int = 50, before: int | None = None) -> Sequence[Ticket]:
        page = _TICKET.order_by(tickets.c.id.desc()).limit(limit)
        if before is not None:
            page = page.where(tickets.c.id < before)
        for word in words.casefold().split():
            page = page.where(tickets.c.subject_folded.contains(word, autoescape=True))
        return [_ticket(row) for row in self._session.rows(Prepared(page), {})]

    def search(self, query: Query, sight: Sight, *, limit: int = 50, before: int | None = None) -> Page:
        searched = search.Search(self._session, query, sight, limit, before)
        ids, ended = searched.ids()
        strayed = {each for each in searched.strayed() if ended is None or each >= ended}
        marked = self._of([each for each in ids if each not in strayed][: limit + 1])
        compared = (
            each
            for each in self._of(strayed)
            if matches(query, sight, each, *searched.linked(each.id), self.comments(each.id))
        )
        found = sorted((*marked, *compared), key=lambda ticket: -ticket.id)
        if len(found) > limit:
            return Page(tuple(found[:limit]), found[limit - 1].id)
        return Page(tuple(found), ended)

    def _of(self, ids: Collection[int]) -> Sequence[Ticket]:
        if not ids:
            return []
        numbers: Sequence[ColumnElement[int]] = [literal_column(str(each)) for each in ids]
        return [_ticket(row) for row in self._session.rows(Prepared(_TICKET.where(tickets.c.id.in_(numbers))), {})]

    def count(self) -> int:
        self._session.settle_counters()
        row = self._session.first(_COUNT, {})
        return 0 if row is None else int(row.value)

    def add_comment(self, ticket_id: int, comment: NewComment) -> Comment:
        if comment.origin_system is not None and comment.origin_id is not None:
            place = {"of": ticket_id, "system": comment.origin_system, "origin": comment.origin_id}
            there = self._session.first(_COMMENT_FROM, place)
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
        self._require(ticket_id)
        row = {**_columns(added), "author": _person_out(added.author)}
        added = replace(added, id=self._session.add(_ADD_COMMENT, row))
        search.add_spoken(self._session, added)
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
        return [_comment(row) for row in self._session.rows(_COMMENTS, {"of": ticket_id})]

    def conversation(self, ticket_id: int, *, after: int, limit: int) -> Sequence[Comment]:
        page = {"of": ticket_id, "after": after, "most": limit}
        return [_comment(row) for row in self._session.rows(_CONVERSATION, page)]

    def revise_comment(self, comment: Comment) -> Comment:
        place = {"of": comment.ticket_id, "comment": comment.id}
        if not self._session.write(_REVISE, {**_columns(comment), **place}):
            raise NoSuch(f"ticket {comment.ticket_id} has no comment {comment.id}")
        self._session.write(_HIDE_FILES, {**place, "visibility": comment.visibility})
        search.speak_anew(self._session, comment.ticket_id, self.comments(comment.ticket_id))
        return comment

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
            place = {"of": ticket_id, "system": origin_system, "origin": file.origin_id}
            there = self._session.first(_FILE_FROM, place)
            if there is not None:
                return _file(there)
        if self._session.first(_BLOB, {"sha256": file.sha256}) is None:
            raise NoSuch(f"the bytes of {file.name!r} are not in the store: put_blob comes first")
        self._require(ticket_id)
        place = {"of": ticket_id, "comment": comment_id}
        if comment_id is not None and self._session.first(_COMMENT, place) is None:
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
        return replace(added, id=self._session.add(_ADD_FILE, _columns(added)))

    def files(self, ticket_id: int, *, after: int = 0, limit: int | None = None) -> Sequence[Attachment]:
        if limit is None:
            return [_file(row) for row in self._session.rows(_FILES, {"of": ticket_id})]
        return [_file(row) for row in self._session.rows(_SOME_FILES, {"of": ticket_id, "after": after, "most": limit})]

    def record(self, events: Iterable[Event]) -> None:
        for event in events:
            self._require(event.ticket_id)
            row = {**_columns(event), "actor": _person_out(event.actor), "data": json.dumps(dict(event.data))}
            self._session.add(_RECORD, row)

    def events(self, ticket_id: int, *, field: str | None = None, last: int | None = None) -> Sequence[Event]:
        if last is not None:
            newest = _NEWEST if field is None else _NEWEST_OF_FIELD
            rows = self._session.rows(newest, {"of": ticket_id, "field": field, "most": last})
            return [_event(row) for row in reversed(rows)]
        wanted = _HISTORY if field is None else _HISTORY_OF_FIELD
        return [_event(row) for row in self._session.rows(wanted, {"of": ticket_id, "field": field})]

    def history(self, ticket_id: int, *, after: int, limit: int) -> Sequence[Event]:
        page = {"of": ticket_id, "after": after, "most": limit}
        return [_event(row) for row in self._session.rows(_HISTORY_PAGE, page)]

    def happened(self, *, after: int, limit: int = 100) -> Sequence[Event]:
        return [_event(row) for row in self._session.rows(_HAPPENED, {"after": after, "most": limit})]

    def newest_event(self) -> int:
        return int(self._session.first(_NEWEST_EVENT, {}).id)

    def keep_conflict(self, conflict: Conflict) -> Conflict:
        self._require(conflict.ticket_id)
        row = {**_columns(conflict), "ours": _value_out(conflict.ours), "theirs": _value_out(conflict.theirs)}
        return replace(conflict, id=self._session.add(_KEEP_CONFLICT, row))

    def decide_conflict(self, conflict_id: int, *, winner: str, reason: str) -> None:
        if not self._session.write(_DECIDE_CONFLICT, {"of": conflict_id, "by": winner, "because": reason}):
            raise NoSuch(f"there is no conflict {conflict_id}")

    def conflicts(
        self, ticket_id: int | None = None, *, open_only: bool = False, after: int = 0, limit: int | None = None
    ) -> Sequence[Conflict]:
        wanted = _CONFLICTS.where(conflicts.c.id > after).limit(limit) if after or limit is not None else _CONFLICTS
        if ticket_id is not None:
            wanted = wanted.where(conflicts.c.ticket_id == ticket_id)
        if open_only:
            wanted = wanted.where(OPEN)
        return [_conflict(row) for row in self._session.rows(Prepared(wanted), {})]

    def _require(self, ticket_id: int) -> None:
        if self._session.first(_THERE, {"of": ticket_id}) is None:
            raise NoSuch(f"there is no ticket {ticket_id}")


def _columns(value: Any) -> dict[str, Any]:
    """The attributes of a value as columns; its id is given by the database."""
    return {name: getattr(value, name) for name in value.__slots__ if name != "id"}


def _written(ticket: Ticket) -> dict[str, Any]:
    return {
        "revision": ticket.revision,
        "marked": ticket.revision,
        "worded": ticket.revision,
        "subject_folded": str(ticket["subject"] or "").casefold(),
        "fields": json.dumps({name: plain(value) for name, value in ticket.fields.items()}),
        "changed_at": ticket.changed_at,
        "shown_at": ticket.shown_at,
    }


def _ticket(row: Any) -> Ticket:
    fields = {name: value_of(value) for name, value in json.loads(row.fields).items()}
    return Ticket(row.id, row.revision, fields, row.created_at, row.changed_at, row.born_in, row.shown_at)


def _comment(row: Any) -> Comment:
    read = {"author": _person_in(row.author), "visibility": Visibility(row.visibility)}
    return Comment(**row._asdict() | read)


def _file(row: Any) -> Attachment:
    kept = {"visibility": Visibility(row.visibility), "sha256": row.sha256.removeprefix(GONE)}
    return Attachment(**row._asdict() | kept)


def _event(row: Any) -> Event:
    read = {"kind": Kind(row.kind), "actor": _person_in(row.actor), "data": json.loads(row.data)}
    return Event(**row._asdict() | read)


def _conflict(row: Any) -> Conflict:
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
