"""Tickets, for whoever opens, answers and changes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from central.erasure import Erasure
from central.model import Attachment, Comment, Person, Ticket, Value
from central.origin import Origin
from central.store.api import Transaction
from central.workflow import Actor


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody hands it in."""

    name: str
    media_type: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say on a ticket."""

    text: str
    internal: bool = False


Also = Callable[[Transaction, Ticket], None]
"""What belongs to an act besides, in its own transaction, once it is done. What it raises undoes everything."""


class Tickets(Protocol):
    """What people do to tickets: the change, its event and the deliveries it owes, in one transaction.

    Rights were asked for already; workflow and model are asked here, and say no by `NotAllowed`. Who looks for what is
    not there gets `NoSuch`; whoever names a `revision` that the ticket has left behind gets `StaleRevision`.
    """

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
        """A new ticket with its first comments, routed to its unit's system; or, where its account has handed in one
        under the id of this origin before, that one as it is now."""

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
        """Set fields; central adds what follows from them."""

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
        """Say something; internal text stays at the centre."""

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
        """Say something and set fields: all of it, or nothing."""

    def call(self, ticket_id: int, origin: Origin) -> None:
        """Keep what somebody calls a ticket that is here already; what names another one names that one still."""

    def attach(self, ticket_id: int, upload: Upload, author: Person, *, origin: str = "") -> Attachment:
        """Hang a file on a ticket, for all to see. One that its author hung there already is not hung there again.

        `origin`: where it says that it comes from."""

    def edit_comment(self, ticket_id: int, comment_id: int, text: str, author: Person) -> Comment:
        """Give a comment another text; what it said before stays in the history."""

    def delete_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Take a comment back: a tombstone stays."""

    def hide_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Make a public comment internal, its files with it."""

    def show_comment(self, ticket_id: int, comment_id: int, author: Person) -> Comment:
        """Make an internal comment public, its files with it."""

    def concerned(self, tx: Transaction, ticket: Ticket) -> frozenset[str]:
        """The systems that this ticket is linked to, and the one that its unit routes it to."""


class Erasing(Protocol):
    """Erases people from tickets, so that no system takes it for an edit."""

    def ticket(self, ticket_id: int, erasure: Erasure) -> Sequence[str]:
        """Erase somebody from one ticket; where they are named still, as `SYSTEM/KEY`.

        :raises Busy: it is being looked at this moment."""
