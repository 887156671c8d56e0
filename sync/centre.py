"""What people do at the centre: the change, its event and the deliveries it owes, in one transaction.

The doors of the desk (pages, API, mail) and the demo come through here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from central import workflow
from central.events import Event, Kind
from central.model import DEFAULTS, SYSTEM, Comment, NewComment, NewFile, Person, Ticket, Value, Visibility, validate
from central.store.api import NoSuch, Transaction
from central.workflow import Actor
from sync import routing
from sync.absorb import consequences
from sync.means import Means
from sync.revise import change


class NotAllowed(Exception):
    """The workflow or the model says no. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody hands it in."""

    name: str
    media_type: str
    chunks: Iterable[bytes]


class Centre:
    """People's acts on central tickets."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def open(self, fields: Mapping[str, Value], author: Person) -> Ticket:
        """A new ticket, routed to its unit's system.  :raises NotAllowed: a field is wrong."""
        values: dict[str, Value] = {**DEFAULTS, "submitter": author.email or author.label, **fields}
        values["status"] = workflow.Status.NEW.value
        _refuse(validate(values) or ([] if values.get("subject") else ["a ticket needs a subject"]))
        if values["unit"] != DEFAULTS["unit"]:
            values["status"] = workflow.Status.ASSIGNED.value

        def change(tx: Transaction) -> Ticket:
            at = self._means.clock()
            ticket = tx.tickets.create(values, at)
            tx.tickets.record([Event(Kind.TICKET_CREATED, ticket.id, at, author, data={"fields": sorted(values)})])
            self._spread(tx, ticket, "opened at the centre")
            return ticket

        return self._means.store.write(change)

    def change(
        self, ticket_id: int, changes: Mapping[str, Value], author: Person, *, actor: Actor = Actor.SUPPORTER
    ) -> Ticket:
        """Set fields; central adds what follows from them.  :raises NotAllowed: the workflow or the model says no."""
        _refuse(validate(changes))

        def change(tx: Transaction) -> Ticket:
            at = self._means.clock()
            ticket = tx.tickets.get(ticket_id)
            wanted = dict(changes)
            if "status" in wanted:
                refusal = workflow.refusal(str(ticket["status"]), str(wanted["status"]), actor)
                _refuse([refusal] if refusal else [])
                wanted["status"] = workflow.arrive(str(ticket["status"]), str(wanted["status"]))
            everything = {k: v for k, v in consequences(ticket.fields, wanted).items() if ticket[k] != v}
            if not everything:
                return ticket
            after = tx.tickets.change(ticket, everything, at)
            tx.tickets.record(
                Event(
                    Kind.FIELD_CHANGED,
                    ticket_id,
                    at,
                    author if name in changes else SYSTEM,
                    field=name,
                    data={"from": ticket[name], "to": value},
                    why="" if name in changes else "central's workflow sets it",
                )
                for name, value in everything.items()
            )
            self._spread(tx, after, "changed at the centre", before=ticket)
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
    ) -> Comment:
        """Say something; internal text stays at the centre.  :raises NotAllowed: it is too long."""
        means = self._means
        if len(text) > means.limits.comment:
            _refuse([f"a comment holds at most {means.limits.comment} characters; attach the text as a file"])
        stored = [self._store(upload) for upload in files]
        visibility = Visibility.INTERNAL if internal else Visibility.PUBLIC

        def change(tx: Transaction) -> Comment:
            at = means.clock()
            new = NewComment(author, text, visibility, at, files=tuple(stored))
            comment = tx.tickets.add_comment(ticket_id, new)
            tx.tickets.touch(ticket_id, at)
            tx.tickets.record([Event(Kind.COMMENT_ADDED, ticket_id, at, author, data={"comment": comment.id})])
            ticket = tx.tickets.get(ticket_id)
            status = str(ticket["status"])
            answered = workflow.on_submitter_reply(status)
            if actor is Actor.SUBMITTER and not internal and answered != status:
                ticket = tx.tickets.change(ticket, {"status": answered}, at)
                tx.tickets.record(
                    [
                        Event(
                            Kind.FIELD_CHANGED,
                            ticket_id,
                            at,
                            SYSTEM,
                            field="status",
                            data={"from": status, "to": answered},
                            why="the submitter replied",
                        )
                    ]
                )
            self._spread(tx, ticket, "a comment at the centre")
            return comment

        return means.store.write(change)

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
                tx.tickets.touch(ticket_id, at)
                self._spread(tx, tx.tickets.get(ticket_id), reason)
            return next(each for each in tx.tickets.comments(ticket_id) if each.id == comment_id)

        return self._means.store.write(write)

    def _store(self, upload: Upload) -> NewFile:
        digest, size = self._means.store.put_blob(upload.chunks, limit=self._means.limits.file)
        return NewFile(upload.name, upload.media_type, size, digest)

    def _spread(self, tx: Transaction, ticket: Ticket, reason: str, *, before: Ticket | None = None) -> None:
        target, left = (routing.system_of((each or ticket)["unit"], self._means.units()) for each in (ticket, before))
        concerned = routing.owed(tx.links.of(ticket.id), target, left)
        self._means.relay.owe_outward(tx, concerned, ticket.id, self._means.clock(), reason=reason)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise NotAllowed("; ".join(problems))
