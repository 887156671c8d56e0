"""Tickets, comments, files and history of the reference store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from central.events import Event
from central.link import LinkState
from central.model import Attachment, Comment, Conflict, NewComment, NewFile, Ticket, Value, Visibility
from central.rights import Sight
from central.search import Page, Query, matches
from central.store.api import NoSuch, StaleRevision
from central.store.codec import as_json, settled
from central.store.memory.tables import Tables


class MemoryTickets:
    """`central.store.ports.tickets.Tickets`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def create(self, fields: Mapping[str, Value], at: datetime, *, born_in: str | None = None) -> Ticket:
        ticket = Ticket(self._tables.next_id("ticket"), 1, settled(fields), at, at, born_in)
        self._tables.tickets.put(ticket.id, ticket)
        return ticket

    def get(self, ticket_id: int) -> Ticket:
        ticket = self._tables.tickets.get(ticket_id)
        if ticket is None:
            raise NoSuch(f"there is no ticket {ticket_id}")
        return ticket

    def change(self, ticket: Ticket, changes: Mapping[str, Value], at: datetime | None) -> Ticket:
        current = self.get(ticket.id)
        if current.revision != ticket.revision:
            raise StaleRevision(f"ticket {ticket.id} is at revision {current.revision}, not {ticket.revision}")
        changed = current.with_fields(changes, at)
        changed = replace(changed, fields=settled(changed.fields))
        self._tables.tickets.put(ticket.id, changed)
        return changed

    def touch(self, ticket_id: int, at: datetime, *, internal: bool = False) -> None:
        ticket = self.get(ticket_id)
        shown_at = ticket.shown_at or ticket.changed_at if internal else None
        self._tables.tickets.put(ticket_id, replace(ticket, changed_at=at, shown_at=shown_at))

    def list(self, *, words: str = "", limit: int = 50, before: int | None = None) -> Sequence[Ticket]:
        wanted = words.casefold().split()
        found = [
            ticket
            for ticket in self._tables.tickets.rows()
            if (before is None or ticket.id < before)
            and all(word in str(ticket["subject"] or "").casefold() for word in wanted)
        ]
        return sorted(found, key=lambda ticket: -ticket.id)[:limit]

    def search(self, query: Query, sight: Sight, *, limit: int = 50, before: int | None = None) -> Page:
        found: list[Ticket] = []
        for ticket in sorted(self._tables.tickets.rows(), key=lambda ticket: -ticket.id):
            said = self.comments(ticket.id)
            if (before is None or ticket.id < before) and matches(query, sight, ticket, *self._linked(ticket.id), said):
                found.append(ticket)
                if len(found) > limit:
                    return Page(tuple(found[:limit]), found[limit - 1].id)
        return Page(tuple(found), None)

    def _linked(self, ticket_id: int) -> tuple[set[str], set[str]]:
        """The systems that it is linked to, and those that it disagrees with."""
        links = [self._tables.links.get(number) for number in self._tables.links_of.get(ticket_id) or ()]
        joined = [link for link in links if link is not None and link.state is not LinkState.DUPLICATE]
        return {link.system for link in joined}, {link.system for link in joined if link.disagreements}

    def count(self) -> int:
        return len(self._tables.tickets)

    def add_comment(self, ticket_id: int, comment: NewComment) -> Comment:
        there = self.comments(self.get(ticket_id).id)
        if None not in (comment.origin_system, comment.origin_id):
            for one in there:
                if (one.origin_system, one.origin_id) == (comment.origin_system, comment.origin_id):
                    return one
        added = Comment(
            id=self._tables.next_id("comment"),
            ticket_id=ticket_id,
            author=comment.author,
            text=comment.text,
            visibility=comment.visibility,
            created_at=comment.created_at,
            origin_system=comment.origin_system,
            origin_id=comment.origin_id,
            gap=comment.gap,
        )
        self._tables.comments.put(ticket_id, (*there, added))
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
        return self._tables.comments.get(ticket_id) or ()

    def conversation(self, ticket_id: int, *, after: int, limit: int) -> Sequence[Comment]:
        return [each for each in self.comments(ticket_id) if each.id > after][:limit]

    def revise_comment(self, comment: Comment) -> Comment:
        there = self.comments(comment.ticket_id)
        before = next((one for one in there if one.id == comment.id), None)
        if before is None:
            raise NoSuch(f"ticket {comment.ticket_id} has no comment {comment.id}")
        revised = replace(
            before,
            text=comment.text,
            gap=comment.gap,
            visibility=comment.visibility,
            edited_at=comment.edited_at,
            deleted_at=comment.deleted_at,
        )
        self._tables.comments.put(comment.ticket_id, tuple(revised if one is before else one for one in there))
        files = tuple(
            replace(file, visibility=revised.visibility) if file.comment_id == revised.id else file
            for file in self.files(comment.ticket_id)
        )
        self._tables.files.put(comment.ticket_id, files)
        return revised

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
        there = self.files(self.get(ticket_id).id)
        if None not in (origin_system, file.origin_id):
            for one in there:
                if (one.origin_system, one.origin_id) == (origin_system, file.origin_id):
                    return one
        if self._tables.blobs.get(file.sha256) is None:
            raise NoSuch(f"the bytes of {file.name!r} are not in the store: put_blob comes first")
        if comment_id is not None and comment_id not in {comment.id for comment in self.comments(ticket_id)}:
            raise NoSuch(f"ticket {ticket_id} has no comment {comment_id}")
        added = Attachment(
            id=self._tables.next_id("file"),
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
        self._tables.files.put(ticket_id, (*there, added))
        return added

    def files(self, ticket_id: int, *, after: int = 0, limit: int | None = None) -> Sequence[Attachment]:
        found = self._tables.files.get(ticket_id) or ()
        return found if limit is None else [each for each in found if each.id > after][:limit]

    def record(self, events: Iterable[Event]) -> None:
        for event in events:
            history = self._tables.events.get(self.get(event.ticket_id).id) or ()
            kept = replace(event, id=self._tables.next_id("event"), data=as_json(dict(event.data)))
            self._tables.events.put(event.ticket_id, (*history, kept))

    def events(self, ticket_id: int, *, field: str | None = None, last: int | None = None) -> Sequence[Event]:
        history = self._tables.events.get(ticket_id) or ()
        found = [event for event in history if field is None or event.field == field]
        return found if last is None else found[-last:]

    def history(self, ticket_id: int, *, after: int, limit: int) -> Sequence[Event]:
        return [each for each in self.events(ticket_id) if each.id > after][:limit]

    def happened(self, *, after: int, limit: int = 100) -> Sequence[Event]:
        found = (event for history in self._tables.events.rows() for event in history if event.id > after)
        return sorted(found, key=lambda event: event.id)[:limit]

    def newest_event(self) -> int:
        return self._tables.last_ids.get("event") or 0

    def keep_conflict(self, conflict: Conflict) -> Conflict:
        kept = replace(conflict, id=self._tables.next_id("conflict"), ticket_id=self.get(conflict.ticket_id).id)
        self._tables.conflicts.put(kept.id, kept)
        return kept

    def decide_conflict(self, conflict_id: int, *, winner: str, reason: str) -> None:
        kept = self._tables.conflicts.get(conflict_id)
        if kept is None:
            raise NoSuch(f"there is no conflict {conflict_id}")
        self._tables.conflicts.put(conflict_id, replace(kept, winner=winner, reason=reason, open=False))

    def conflicts(
        self, ticket_id: int | None = None, *, open_only: bool = False, after: int = 0, limit: int | None = None
    ) -> Sequence[Conflict]:
        found = [
            conflict
            for conflict in self._tables.conflicts.rows()
            if conflict.id > after and ticket_id in (None, conflict.ticket_id) and (conflict.open or not open_only)
        ]
        return found[:limit]
