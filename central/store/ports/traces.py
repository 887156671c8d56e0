"""Traces of people, as a transaction finds and changes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from central.audit import Entry
from central.events import Event
from central.model import Attachment, Comment, Conflict, Ticket
from central.origin import Origin
from central.shadow import Shadow


class Traces(Protocol):
    """What people have left on tickets and in the audit log: to be looked for, and to be written over."""

    def tickets(self, words: Iterable[str]) -> Sequence[int]:
        """The tickets on which any of these words stands, in whatever case, as or in somebody's name, address or login:
        in their fields, conversation, history or conflicts. It looks at everything there is."""

    def spoken_of(self, words: Iterable[str]) -> Sequence[int]:
        """The tickets in whose words any of these stands: fields, what was said, how files are called, history. It
        looks at everything there is, and may tell of some on which it stands in other letters."""

    def comment(self, comment: Comment) -> None:
        """Write back its author and its token.  :raises NoSuch: no such comment on this ticket."""

    def events(self, ticket_id: int, changed: Callable[[Event], Event]) -> None:
        """Write back the actors, the data and the reasons of a ticket's history."""

    def files(self, ticket_id: int, changed: Callable[[Attachment], Attachment]) -> None:
        """Write back how a ticket's files are called."""

    def conflicts(self, ticket_id: int, changed: Callable[[Conflict], Conflict]) -> None:
        """Write back the authors and the values of a ticket's conflicts."""

    def origins(self, ticket_id: int, changed: Callable[[Origin], Origin]) -> None:
        """Write back who handed a ticket in, and who submitted it there."""

    def drop_bytes(self, sha256: str) -> None:
        """Let go of bytes that no file bears; a repeat is nothing."""

    def let_go(self, file: Attachment, at: datetime) -> bool:
        """Let go of a file's bytes; its name, size and hash stay. What bears the same bytes goes on bearing them.
        False, and nothing is done, where a store that many write to got them once more within a day: somebody may be
        about to hang them on a ticket.

        :raises NoSuch: there is no such file."""

    def audit(self, changed: Callable[[Entry], Entry]) -> None:
        """Write back who did what to whom, over the whole log."""

    def shadows(self, changed: Callable[[Shadow], Shadow]) -> None:
        """Write back the values and the reasons of what would have been written, in every system."""

    def replies(self, changed: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Write back what requests that bear a key of their own were answered."""

    def prune_audit(self, before: datetime) -> None:
        """Forget the entries of the audit log that are older."""

    def blunt_letters(self, before: datetime) -> None:
        """Of dead letters, and of those that were discarded, whose look has been owed since before then: keep the first
        line of what was said, and forget what a hint carried."""

    def page(self, *, after: int, limit: int) -> Sequence[Ticket]:
        """Tickets by id, `limit` of them after that one."""
