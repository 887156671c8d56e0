"""What the desk needs of the rest of the house. `sync.bootstrap` supplies it; the desk never knows who works for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from central.model import Comment, Person, Ticket, Value
from central.store.api import Transaction
from central.workflow import Actor


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What became of a webhook: an HTTP status, and a sentence for the sender."""

    status: int
    sentence: str


class Hooks(Protocol):
    """Takes webhooks in."""

    largest: int
    """Bytes of the largest body that is read at all."""

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """Verify the hint and keep it. 202 means that it is kept for good; header names are in small letters."""


class Readiness(Protocol):
    """Tells whether this process can do its work."""

    def problems(self) -> list[str]:
        """What stands in the way, in sentences; empty when all is well."""


class NotAllowed(Exception):
    """The workflow or the model says no, whoever asks. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody hands it in."""

    name: str
    media_type: str
    chunks: Iterable[bytes]


class Tickets(Protocol):
    """What people do to tickets: the change, its event and the deliveries it owes, in one transaction.

    Rights were asked for already; workflow and model are asked here, and say no by `NotAllowed`. Who looks for what is
    not there gets `NoSuch`; whoever names a `revision` that the ticket has left behind gets `StaleRevision`.
    """

    def open(self, fields: Mapping[str, Value], author: Person, *, files: Iterable[Upload] = ()) -> Ticket:
        """A new ticket, routed to its unit's system."""

    def change(
        self,
        ticket_id: int,
        changes: Mapping[str, Value],
        author: Person,
        *,
        actor: Actor = Actor.SUPPORTER,
        revision: int | None = None,
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
    ) -> Comment:
        """Say something; internal text stays at the centre."""

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
