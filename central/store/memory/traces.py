"""What people have left, in the reference store."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from central.audit import Entry
from central.delivery import DeliveryState
from central.events import Event
from central.model import Attachment, Comment, Conflict, Ticket
from central.origin import Origin
from central.shadow import Shadow
from central.store.api import NoSuch
from central.store.codec import as_json
from central.store.memory.tables import Tables


class MemoryTraces:
    """`central.store.ports.traces.Traces`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def tickets(self, words: Iterable[str]) -> Sequence[int]:
        wanted = [json.dumps(word)[1:-1].lower() for word in words if word]
        return [
            ticket.id
            for ticket in sorted(self._tables.tickets.rows(), key=lambda each: each.id)
            if any(word in text.lower() for text in self._texts(ticket.id) for word in wanted)
        ]

    def spoken_of(self, words: Iterable[str]) -> Sequence[int]:
        wanted = [re.compile(".*".join(map(re.escape, word.casefold().split())), re.DOTALL) for word in words if word]
        return [
            ticket.id
            for ticket in sorted(self._tables.tickets.rows(), key=lambda each: each.id)
            if any(word.search(text.casefold()) for text in self._said(ticket) for word in wanted)
        ]

    def comment(self, comment: Comment) -> None:
        there = self._tables.comments.get(comment.ticket_id) or ()
        if comment.id not in {each.id for each in there}:
            raise NoSuch(f"ticket {comment.ticket_id} has no comment {comment.id}")
        kept = (
            replace(each, author=comment.author, token=comment.token) if each.id == comment.id else each
            for each in there
        )
        self._tables.comments.put(comment.ticket_id, tuple(kept))

    def events(self, ticket_id: int, changed: Callable[[Event], Event]) -> None:
        history = self._tables.events.get(ticket_id) or ()
        told = [(event, changed(event)) for event in history]
        kept = tuple(replace(old, actor=new.actor, data=as_json(dict(new.data)), why=new.why) for old, new in told)
        self._tables.events.put(ticket_id, kept)

    def files(self, ticket_id: int, changed: Callable[[Attachment], Attachment]) -> None:
        there = self._tables.files.get(ticket_id) or ()
        self._tables.files.put(ticket_id, tuple(replace(old, name=changed(old).name) for old in there))

    def conflicts(self, ticket_id: int, changed: Callable[[Conflict], Conflict]) -> None:
        for old in [each for each in self._tables.conflicts.rows() if each.ticket_id == ticket_id]:
            new = changed(old)
            self._tables.conflicts.put(old.id, replace(old, author=new.author, ours=new.ours, theirs=new.theirs))

    def origins(self, ticket_id: int, changed: Callable[[Origin], Origin]) -> None:
        there = self._tables.origins.get(ticket_id) or ()
        new = tuple(replace(changed(old), system=old.system, id=old.id) for old in there)
        if new != there:
            self._tables.origins.put(ticket_id, new)

    def drop_bytes(self, sha256: str) -> None:
        borne = (file for files in self._tables.files.rows() for file in files if file.gone_at is None)
        if not any(file.sha256 == sha256 for file in borne):
            self._tables.blobs.drop(sha256)

    def let_go(self, file: Attachment, at: datetime) -> bool:
        there = self._tables.files.get(file.ticket_id) or ()
        if file.id not in {each.id for each in there}:
            raise NoSuch(f"ticket {file.ticket_id} has no file {file.id}")
        kept = (replace(each, gone_at=at) if each.id == file.id and each.gone_at is None else each for each in there)
        self._tables.files.put(file.ticket_id, tuple(kept))
        waiting = any(mail.sha256 == file.sha256 for mail in self._tables.mails.rows())
        if not waiting:
            self.drop_bytes(file.sha256)
        return True

    def audit(self, changed: Callable[[Entry], Entry]) -> None:
        for old in list(self._tables.audit.rows()):
            new = changed(old)
            kept = replace(old, by=new.by, subject=new.subject, data=as_json(dict(new.data)))
            self._tables.audit.put(old.id, kept)

    def shadows(self, changed: Callable[[Shadow], Shadow]) -> None:
        for old in list(self._tables.shadows.rows()):
            new = changed(old)
            kept = replace(old, would=new.would, before=new.before, did=new.did, why=new.why)
            self._tables.shadows.put(old.id, kept)

    def replies(self, changed: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        for key, old in list(self._tables.replies.items()):
            if old.answer is not None:
                self._tables.replies.put(key, replace(old, answer=as_json(dict(changed(old.answer)))))

    def prune_audit(self, before: datetime) -> None:
        for entry in [each for each in self._tables.audit.rows() if each.at < before]:
            self._tables.audit.drop(entry.id)

    def blunt_letters(self, before: datetime) -> None:
        for place, letter in list(self._tables.deliveries.items()):
            if letter.state is not DeliveryState.DUE and letter.owed_since < before:
                blunt = replace(letter, error=letter.error.partition("\n")[0], hint=None)
                self._tables.deliveries.put(place, blunt)

    def page(self, *, after: int, limit: int) -> Sequence[Ticket]:
        found = [each for each in self._tables.tickets.rows() if each.id > after]
        return sorted(found, key=lambda ticket: ticket.id)[:limit]

    def _said(self, ticket: Ticket) -> Iterator[str]:
        yield from map(str, ticket.fields.values())
        for comment in self._tables.comments.get(ticket.id) or ():
            yield from (comment.text, comment.gap)
        yield from (file.name for file in self._tables.files.get(ticket.id) or ())
        for event in self._tables.events.get(ticket.id) or ():
            yield from (event.why, *map(str, event.data.values()))

    def _texts(self, ticket_id: int) -> Iterator[str]:
        ticket = self._tables.tickets.get(ticket_id)
        yield json.dumps(dict(ticket.fields) if ticket else {})
        for comment in self._tables.comments.get(ticket_id) or ():
            yield json.dumps(asdict(comment.author))
        for event in self._tables.events.get(ticket_id) or ():
            yield json.dumps([asdict(event.actor), dict(event.data)])
        for origin in self._tables.origins.get(ticket_id) or ():
            yield json.dumps([origin.account, origin.submitter_name, origin.submitter_login])
        for conflict in self._tables.conflicts.rows():
            if conflict.ticket_id == ticket_id:
                yield json.dumps([conflict.author, conflict.ours, conflict.theirs])
