"""Tickets for whoever asks: rights first, then the act. Every door comes through here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from central import workflow
from central.desk.services.tickets import Also, Note, Tickets, Upload
from central.model import SUPPORTERS_ONLY, Attachment, Comment, Ticket, Value, Visibility
from central.origin import Origin
from central.rights import (
    Action,
    Extent,
    Principal,
    Sight,
    demand,
    extent,
    is_submitter,
    may,
    may_on_system,
    may_on_ticket,
    sight,
)
from central.search import Page, Query
from central.store.api import NoSuch, Store, Transaction
from central.workflow import Actor

T = TypeVar("T")
SUBMITTERS_FIELDS = frozenset({"status", "cc", "notification"})
"""What somebody who is no supporter may change on a ticket of their own; of statuses, what the workflow grants them."""

TOLD_ALL = ("involve", "assigned_to")
"""Whoever is named there is told by mail what is internal: who names them has to be one who works on tickets."""


class TicketDesk:
    """Tickets, as far as whoever asks may have to do with them.

    What somebody may not even read does not exist for them: every method raises `NoSuch` then. What they may read and
    not do raises `Forbidden`; `NotAllowed` and `StaleRevision` come from `Tickets`.
    """

    def __init__(self, store: Store, tickets: Tickets) -> None:
        self._store, self._tickets = store, tickets

    def read(self, principal: Principal, ticket_id: int, question: Callable[[Transaction, Ticket], T]) -> T:
        """Ask something about a ticket that they may read. What of the answer is internal, `sees_internal` says."""
        return self._store.read(lambda tx: question(tx, self.ticket(tx, principal, ticket_id)))

    def ticket(self, tx: Transaction, principal: Principal, ticket_id: int) -> Ticket:
        """The ticket, if they may read it."""
        ticket = tx.tickets.get(ticket_id)
        if not self.may(tx, principal, Action.READ_TICKET, ticket):
            demand(may(principal, Action.READ_TICKET), principal, Action.READ_TICKET)
            raise NoSuch(f"there is no ticket {ticket_id}")
        return ticket

    def may(self, tx: Transaction, principal: Principal, action: Action, ticket: Ticket) -> bool:
        """Whether they may do this to it."""
        return may_on_ticket(principal, action, ticket, self._tickets.concerned(tx, ticket))

    def sees_internal(self, tx: Transaction, principal: Principal, ticket: Ticket) -> bool:
        """Whether internal notes on it, and all that tells of them, may be shown to them."""
        return self.may(tx, principal, Action.READ_INTERNAL, ticket)

    def as_read(self, principal: Principal, found: Sequence[Ticket]) -> Sequence[Ticket]:
        """These tickets, which they may read, without what is not for them."""
        return self._store.read(lambda tx: self.shown(tx, principal, found))

    def shown(self, tx: Transaction, principal: Principal, found: Sequence[Ticket]) -> Sequence[Ticket]:
        """The same, asked in a transaction."""
        if extent(principal, Action.READ_INTERNAL) is Extent.ALL:
            return found
        return [each if self.sees_internal(tx, principal, each) else for_everybody(each) for each in found]

    def search(self, principal: Principal, query: Query, *, limit: int = 50, before: int | None = None) -> Page:
        """Those of the tickets that they may read. What is asked about systems is asked of those that they may see."""
        demand(may(principal, Action.READ_TICKET), principal, Action.READ_TICKET)
        far = sight(principal)

        def question(tx: Transaction) -> Page:
            for name in sorted(query.born_in | query.systems | query.disagrees_with):
                if not may_on_system(principal, Action.SEE_SYSTEM, name):
                    raise NoSuch(f"there is no system {name!r}")
            return tx.tickets.search(query, _routed(tx, far), limit=limit, before=before)

        return self._store.read(question)

    def named(self, principal: Principal, reference: str) -> Sequence[Ticket]:
        """The tickets that anybody calls this: our number, a key of theirs (now or before), or SYSTEM/KEY."""
        demand(may(principal, Action.READ_TICKET), principal, Action.READ_TICKET)
        called = reference.strip().removeprefix("#")

        def question(tx: Transaction) -> Sequence[Ticket]:
            numbers = [int(called)] if called.isascii() and called.isdigit() and len(called) < 16 else []
            for system in tx.registry.systems() if called else ():
                if may_on_system(principal, Action.SEE_SYSTEM, system.name):
                    link = tx.links.find_by_key(system.name, called.removeprefix(f"{system.name}/"))
                    numbers += [link.ticket_id] if link is not None else []
            found = []
            for number in dict.fromkeys(numbers):
                with suppress(NoSuch):
                    found.append(self.ticket(tx, principal, number))
            return found

        return self._store.read(question)

    def open(
        self,
        principal: Principal,
        fields: Mapping[str, Value],
        *,
        files: Iterable[Upload] = (),
        notes: Sequence[Note] = (),
        origin: Origin | None = None,
        also: Also | None = None,
    ) -> Ticket:
        """A new ticket with its first comments; or the one that they handed in under this origin before."""
        demand(may(principal, Action.OPEN_TICKET), principal, Action.OPEN_TICKET)
        if any(note.internal for note in notes):
            demand(may(principal, Action.WRITE_INTERNAL), principal, Action.WRITE_INTERNAL)
        mine = {"submitter": principal.person.email} if principal.person.email else {}
        if fields.get("submitter", principal.person.email) != principal.person.email:  # they would be told of it by us
            demand(may(principal, Action.CHANGE_TICKET), principal, Action.CHANGE_TICKET)
        if any(fields.get(name) for name in TOLD_ALL):
            demand(may(principal, Action.CHANGE_TICKET), principal, Action.CHANGE_TICKET)
        return self._tickets.open(
            {**mine, **fields}, principal.person, files=files, notes=notes, origin=origin, also=also
        )

    def call(self, principal: Principal, ticket_id: int, origin: Origin) -> None:
        """Keep what they call a ticket: for who may answer it."""
        self._store.read(
            lambda tx: self._demand(tx, principal, Action.ANSWER_TICKET, self.ticket(tx, principal, ticket_id))
        )
        self._tickets.call(ticket_id, origin)

    def change(
        self,
        principal: Principal,
        ticket_id: int,
        changes: Mapping[str, Value],
        *,
        revision: int | None = None,
        also: Also | None = None,
    ) -> Ticket:
        """Set fields: as a supporter, or as the submitter of it what a submitter may."""
        actor = self._store.read(lambda tx: self._changes_as(tx, principal, ticket_id, changes))
        return self._tickets.change(ticket_id, changes, principal.person, actor=actor, revision=revision, also=also)

    def comment(
        self,
        principal: Principal,
        ticket_id: int,
        text: str,
        *,
        internal: bool = False,
        files: Iterable[Upload] = (),
        also: Also | None = None,
    ) -> Comment:
        """Say something, to all or to supporters only."""
        action = Action.WRITE_INTERNAL if internal else Action.ANSWER_TICKET

        def actor(tx: Transaction) -> Actor:
            ticket = self.ticket(tx, principal, ticket_id)
            demand(self.may(tx, principal, action, ticket), principal, action)
            return Actor.SUBMITTER if is_submitter(principal, ticket) else Actor.SUPPORTER

        return self._tickets.comment(
            ticket_id,
            text,
            principal.person,
            internal=internal,
            files=files,
            actor=self._store.read(actor),
            also=also,
        )

    def act(self, principal: Principal, ticket_id: int, changes: Mapping[str, Value], notes: Sequence[Note]) -> Ticket:
        """Say something and set fields, all of it or nothing, by the rights of both."""

        def actors(tx: Transaction) -> tuple[Actor, Actor]:
            ticket = self.ticket(tx, principal, ticket_id)
            for note in notes:
                self._demand(tx, principal, Action.WRITE_INTERNAL if note.internal else Action.ANSWER_TICKET, ticket)
            changes_as = self._changes_as(tx, principal, ticket_id, changes) if changes else Actor.SUPPORTER
            return changes_as, Actor.SUBMITTER if is_submitter(principal, ticket) else Actor.SUPPORTER

        changes_as, says_as = self._store.read(actors)
        return self._tickets.act(ticket_id, changes, notes, principal.person, changes_as=changes_as, says_as=says_as)

    def attach(self, principal: Principal, ticket_id: int, upload: Upload, *, origin: str = "") -> Attachment:
        """Hang a file on a ticket: for who may answer it."""
        self._store.read(
            lambda tx: self._demand(tx, principal, Action.ANSWER_TICKET, self.ticket(tx, principal, ticket_id))
        )
        return self._tickets.attach(ticket_id, upload, principal.person, origin=origin)

    def edit_comment(self, principal: Principal, ticket_id: int, comment_id: int, text: str) -> Comment:
        """Give a comment another text: their own, or as a supporter anybody's that was written here."""
        self._store.read(lambda tx: self._demand_comment(tx, principal, ticket_id, comment_id))
        return self._tickets.edit_comment(ticket_id, comment_id, text, principal.person)

    def delete_comment(self, principal: Principal, ticket_id: int, comment_id: int) -> Comment:
        """Take a comment back, by the same right."""
        self._store.read(lambda tx: self._demand_comment(tx, principal, ticket_id, comment_id))
        return self._tickets.delete_comment(ticket_id, comment_id, principal.person)

    def hide_comment(self, principal: Principal, ticket_id: int, comment_id: int) -> Comment:
        """Make a comment internal: for who may read and write what is internal."""
        self._store.read(lambda tx: self._demand_note(tx, principal, ticket_id))
        return self._tickets.hide_comment(ticket_id, comment_id, principal.person)

    def show_comment(self, principal: Principal, ticket_id: int, comment_id: int) -> Comment:
        """Make an internal comment public, by the same right."""
        self._store.read(lambda tx: self._demand_note(tx, principal, ticket_id))
        return self._tickets.show_comment(ticket_id, comment_id, principal.person)

    def _demand(self, tx: Transaction, principal: Principal, action: Action, ticket: Ticket) -> None:
        demand(self.may(tx, principal, action, ticket), principal, action)

    def _changes_as(self, tx: Transaction, principal: Principal, ticket_id: int, changes: Mapping[str, Value]) -> Actor:
        ticket = self.ticket(tx, principal, ticket_id)
        supporter = self.may(tx, principal, Action.CHANGE_TICKET, ticket)
        submitter = is_submitter(principal, ticket) and self.may(tx, principal, Action.ANSWER_TICKET, ticket)
        if submitter and changes.keys() <= SUBMITTERS_FIELDS:
            status = changes.get("status")
            if not supporter or status in workflow.permitted(str(ticket["status"]), Actor.SUBMITTER):
                return Actor.SUBMITTER
        demand(supporter, principal, Action.CHANGE_TICKET)
        return Actor.SUPPORTER

    def _demand_comment(self, tx: Transaction, principal: Principal, ticket_id: int, comment_id: int) -> None:
        ticket = self.ticket(tx, principal, ticket_id)
        comment = next((each for each in tx.tickets.comments(ticket_id) if each.id == comment_id), None)
        hidden = comment is not None and comment.visibility is Visibility.INTERNAL
        if comment is None or (hidden and not self.sees_internal(tx, principal, ticket)):
            raise NoSuch(f"ticket {ticket_id} has no comment {comment_id}")
        mine = comment.origin_system is None and comment.author.id == principal.person.id
        action = Action.ANSWER_TICKET if mine else Action.CHANGE_TICKET
        demand(self.may(tx, principal, action, ticket), principal, action)

    def _demand_note(self, tx: Transaction, principal: Principal, ticket_id: int) -> None:
        ticket = self.ticket(tx, principal, ticket_id)
        demand(self.may(tx, principal, Action.WRITE_INTERNAL, ticket), principal, Action.WRITE_INTERNAL)


def for_everybody(ticket: Ticket) -> Ticket:
    """A ticket as everybody reads it: neither with the fields that are for supporters, nor as late as their notes."""
    fields = {name: each for name, each in ticket.fields.items() if name not in SUPPORTERS_ONLY}
    return replace(ticket, fields=fields, changed_at=ticket.shown_at or ticket.changed_at, shown_at=None)


def _routed(tx: Transaction, far: Sight) -> Sight:
    """The same sight; a ticket is also in a system's reach that its unit is routed to."""
    units = {
        str(unit)
        for document in tx.registry.documents("system")
        if document.name in far.systems
        for unit in document.data.get("support_units") or ()
    }
    notes = replace(far.notes, units=far.notes.units | units) if far.notes is not None else None
    return replace(far, units=far.units | units, notes=notes)
