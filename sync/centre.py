"""What people do at the centre: the change, its event and the deliveries it owes, in one transaction.

The doors of the desk (pages, API, mail) and the demo come through here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from central import workflow
from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Also, Note, Upload
from central.events import Event, Kind
from central.link import LinkState
from central.model import (
    DEFAULTS,
    SYSTEM,
    Attachment,
    Comment,
    NewComment,
    NewFile,
    Person,
    Ticket,
    Value,
    Visibility,
    validate,
)
from central.origin import Origin
from central.store.api import NoSuch, StaleRevision, Transaction
from central.workflow import Actor
from sync import routing
from sync.absorb import consequences
from sync.means import Means
from sync.revise import change

log = structlog.get_logger("interdesk.centre")


class Centre:
    """People's acts on central tickets. Fulfils `central.desk.services.tickets.Tickets`."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def open(
        self,
        fields: Mapping[str, Value],
        author: Person,
        *,
        files: Iterable[Upload] = (),
        notes: Sequence[Note] = (),
        origin: Origin | None = None,
        also: Also | None = None,
    ) -> Ticket:
        """A new ticket with its first comments, routed to its unit's system; or the one that is known by this origin.

        :raises NotAllowed: a field is wrong."""
        values: dict[str, Value] = {**DEFAULTS, "submitter": author.email or author.label, **fields}
        values["status"] = workflow.Status.NEW.value
        _refuse(validate(values) or ([] if values.get("subject") else ["a ticket needs a subject"]))
        self._measure(notes)
        if values["unit"] != DEFAULTS["unit"]:
            values["status"] = workflow.Status.ASSIGNED.value
        stored = [self._store(upload) for upload in files]

        def change(tx: Transaction) -> Ticket:
            at = self._means.clock()
            there = tx.origins.find(origin.account, origin.system, origin.id) if origin else None
            if there is not None:
                return tx.tickets.get(there)
            ticket = tx.tickets.create(values, at)
            if origin is not None and tx.origins.add(ticket.id, origin) != ticket.id:
                raise _HandedIn
            tx.tickets.record([Event(Kind.TICKET_CREATED, ticket.id, at, author, data={"fields": sorted(values)})])
            for file in stored:
                tx.tickets.add_file(ticket.id, None, file, at)
            for note in notes:
                _say(tx, ticket.id, note, author, at)
            self._spread(tx, ticket, "opened at the centre")
            if also is not None:
                also(tx, ticket)
            return ticket

        try:
            return self._means.store.write(change)
        except _HandedIn:
            return self._means.store.write(change)  # what was handed in is there now

    def change(
        self,
        ticket_id: int,
        changes: Mapping[str, Value],
        author: Person,
        *,
        actor: Actor = Actor.SUPPORTER,
        revision: int | None = None,
        also: Also | None = None,
    ) -> Ticket:
        """Set fields; central adds what follows from them.

        :raises NotAllowed: the workflow or the model says no.  :raises StaleRevision: it is not at this revision."""
        _refuse(validate(changes))

        def change(tx: Transaction) -> Ticket:
            ticket = tx.tickets.get(ticket_id)
            if revision is not None and ticket.revision != revision:
                raise StaleRevision(
                    f"ticket {ticket_id} is at revision {ticket.revision}, not {revision}: read it again"
                )
            after = _set(tx, ticket, changes, author, actor, self._means.clock())
            if after is not ticket:
                self._spread(tx, after, "changed at the centre", before=ticket)
            if also is not None:
                also(tx, after)
            return after

        return self._means.store.write(change)

    def comment(
        self,
        ticket_id: int,
        text: str,
        author: Person,
        *,
        internal: bool = False,
        files: Iterable[Upload] = (),
        actor: Actor = Actor.SUPPORTER,
        also: Also | None = None,
    ) -> Comment:
        """Say something; internal text stays at the centre.  :raises NotAllowed: it is too long."""
        note = Note(text, internal)
        self._measure([note])
        stored = tuple(self._store(upload) for upload in files)

        def change(tx: Transaction) -> Comment:
            at = self._means.clock()
            comment = _say(tx, ticket_id, note, author, at, files=stored)
            ticket = _answered(tx, ticket_id, [note], actor, at)
            self._spread(tx, ticket, "a comment at the centre")
            if also is not None:
                also(tx, ticket)
            return comment

        return self._means.store.write(change)

    def act(
        self,
        ticket_id: int,
        changes: Mapping[str, Value],
        notes: Sequence[Note],
        author: Person,
        *,
        changes_as: Actor = Actor.SUPPORTER,
        says_as: Actor = Actor.SUPPORTER,
    ) -> Ticket:
        """Say something and set fields: all of it, or nothing.

        :raises NotAllowed: the workflow or the model says no, or a comment is too long."""
        _refuse(validate(changes))
        self._measure(notes)

        def change(tx: Transaction) -> Ticket:
            at = self._means.clock()
            before = tx.tickets.get(ticket_id)
            for note in notes:
                _say(tx, ticket_id, note, author, at)
            ticket = _answered(tx, ticket_id, notes, says_as, at) if notes else before
            after = _set(tx, ticket, changes, author, changes_as, at)
            if after is not before:
                self._spread(tx, after, "changed at the centre", before=before)
            return after

        return self._means.store.write(change)

    def call(self, ticket_id: int, origin: Origin) -> None:
        """Keep what somebody calls a ticket that is here already; what names another one names that one still."""
        self._means.store.write(lambda tx: tx.origins.add(ticket_id, origin))

    def attach(self, ticket_id: int, upload: Upload, author: Person, *, origin: str = "") -> Attachment:
        """Hang a file on a ticket, for all to see. One that its author hung there already is not hung there again.

        :raises TooLarge: it is.  :raises NoSuch: there is no such ticket."""
        stored = self._store(upload)

        def change(tx: Transaction) -> Attachment:
            at = self._means.clock()
            mine = {
                event.data.get("file")
                for event in tx.tickets.events(ticket_id)
                if event.kind is Kind.FILE_ADDED and event.actor.id == author.id
            }
            for there in tx.tickets.files(ticket_id):
                same = (there.name, there.sha256, there.gone_at) == (stored.name, stored.sha256, None)
                if same and there.id in mine:
                    return there
            file = tx.tickets.add_file(ticket_id, None, stored, at)
            tx.tickets.touch(ticket_id, at)
            data = {"file": file.id, "name": file.name} | ({"origin": origin} if origin else {})
            tx.tickets.record([Event(Kind.FILE_ADDED, ticket_id, at, author, data=data)])
            self._spread(tx, tx.tickets.get(ticket_id), "a file at the centre")
            return file

        return self._means.store.write(change)

    def edit_comment(self, ticket_id: int, comment_id: int, text: str, author: Person) -> Comment:
        """Give a comment another text; what it said before stays in the history.

        :raises NotAllowed: it is too long, empty, or the comment is deleted."""
        longest = self._means.limits.comment
        if len(text) > longest:
            _refuse([f"a comment holds at most {longest} characters; attach the text as a file"])
        _refuse([] if text.strip() else ["a comment needs a text; delete it to take it back"])
        return self._revise(ticket_id, comment_id, author, "a comment was edited at the centre", text=text)

    def delete_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Take a comment back: a tombstone stays, and what it said is in the history."""
        return self._revise(ticket_id, comment_id, author, "a comment was deleted at the centre", deleted=True)

    def hide_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Make a public comment internal, its files with it: it is withdrawn from whoever has it already."""
        hidden = Visibility.INTERNAL
        return self._revise(ticket_id, comment_id, author, "a comment became internal at the centre", visibility=hidden)

    def show_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Make an internal comment public, its files with it."""
        shown = Visibility.PUBLIC
        return self._revise(ticket_id, comment_id, author, "a comment became public at the centre", visibility=shown)

    def concerned(self, tx: Transaction, ticket: Ticket) -> frozenset[str]:
        """The systems that this ticket is linked to, and the one that its unit routes it to."""
        linked = {link.system for link in tx.links.of(ticket.id) if link.state is not LinkState.DUPLICATE}
        target = routing.system_of(ticket["unit"], self._means.units())
        return frozenset(linked | ({target} if target else set()))

    def _revise(
        self,
        ticket_id: int,
        comment_id: int,
        author: Person,
        reason: str,
        *,
        text: str | None = None,
        visibility: Visibility | None = None,
        deleted: bool = False,
    ) -> Comment:
        def write(tx: Transaction) -> Comment:
            at = self._means.clock()
            before = next((each for each in tx.tickets.comments(ticket_id) if each.id == comment_id), None)
            if before is None:
                raise NoSuch(f"ticket {ticket_id} has no comment {comment_id}")
            _refuse([] if before.deleted_at is None or deleted else [f"comment {comment_id} is deleted"])
            after = replace(
                before,
                text="" if deleted else before.text if text is None else text,
                visibility=visibility or before.visibility,
                deleted_at=before.deleted_at or (at if deleted else None),
            )
            events = change(tx, before, after, author, at)
            if events:
                tx.tickets.record(events)
                unseen = before.visibility is after.visibility is Visibility.INTERNAL
                tx.tickets.touch(ticket_id, at, internal=unseen)
                self._spread(tx, tx.tickets.get(ticket_id), reason)
            return next(each for each in tx.tickets.comments(ticket_id) if each.id == comment_id)

        return self._means.store.write(write)

    def _measure(self, notes: Sequence[Note]) -> None:
        longest = self._means.limits.comment
        if any(len(note.text) > longest for note in notes):
            _refuse([f"a comment holds at most {longest} characters; attach the text as a file"])

    def _store(self, upload: Upload) -> NewFile:
        digest, size = self._means.store.put_blob(upload.chunks, limit=self._means.limits.file)
        return NewFile(upload.name, upload.media_type, size, digest)

    def _spread(self, tx: Transaction, ticket: Ticket, reason: str, *, before: Ticket | None = None) -> None:
        target, left = (routing.system_of((each or ticket)["unit"], self._means.units()) for each in (ticket, before))
        concerned = routing.owed(tx.links.of(ticket.id), target, left)
        trail = self._means.relay.owe_outward(tx, concerned, ticket.id, self._means.clock(), reason=reason)
        said = {"subject": str(ticket.id), "did": reason, "owed": sorted(concerned), "trail": trail}
        tx.after_commit(lambda: log.info("acted", **said))


class _HandedIn(Exception):
    """Somebody else has handed it in this very moment: the ticket that was just made is not wanted."""


def _set(
    tx: Transaction, ticket: Ticket, changes: Mapping[str, Value], author: Person, actor: Actor, at: datetime
) -> Ticket:
    """The ticket with these fields set, and what follows from them; the same one where nothing changes."""
    wanted = dict(changes)
    if "status" in wanted:
        refusal = workflow.refusal(str(ticket["status"]), str(wanted["status"]), actor)
        if refusal:
            raise NotAllowed(refusal, field="status")
        wanted["status"] = workflow.arrive(str(ticket["status"]), str(wanted["status"]))
    everything = {k: v for k, v in consequences(ticket.fields, wanted).items() if ticket[k] != v}
    if not everything:
        return ticket
    after = tx.tickets.change(ticket, everything, at)
    tx.tickets.record(
        Event(
            Kind.FIELD_CHANGED,
            ticket.id,
            at,
            author if name in changes else SYSTEM,
            field=name,
            data={"from": ticket[name], "to": value},
            why="" if name in changes else "central's workflow sets it",
        )
        for name, value in everything.items()
    )
    return after


def _say(
    tx: Transaction, ticket_id: int, note: Note, author: Person, at: datetime, *, files: tuple[NewFile, ...] = ()
) -> Comment:
    visibility = Visibility.INTERNAL if note.internal else Visibility.PUBLIC
    comment = tx.tickets.add_comment(ticket_id, NewComment(author, note.text, visibility, at, files=files))
    tx.tickets.touch(ticket_id, at, internal=note.internal)
    tx.tickets.record([Event(Kind.COMMENT_ADDED, ticket_id, at, author, data={"comment": comment.id})])
    return comment


def _answered(tx: Transaction, ticket_id: int, notes: Sequence[Note], actor: Actor, at: datetime) -> Ticket:
    """The ticket after these were said: the submitter's own public reply ends the wait for it."""
    ticket = tx.tickets.get(ticket_id)
    before = str(ticket["status"])
    after = workflow.on_submitter_reply(before)
    if actor is not Actor.SUBMITTER or after == before or all(note.internal for note in notes):
        return ticket
    ticket = tx.tickets.change(ticket, {"status": after}, at)
    data = {"from": before, "to": after}
    why = "the submitter replied"
    tx.tickets.record([Event(Kind.FIELD_CHANGED, ticket_id, at, SYSTEM, field="status", data=data, why=why)])
    return ticket


def _refuse(problems: list[str]) -> None:
    if problems:
        raise NotAllowed("; ".join(problems))
