"""Tickets, as a transaction keeps them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from central.events import Event
from central.model import Attachment, Comment, Conflict, NewComment, NewFile, Ticket, Value
from central.rights import Sight
from central.search import Page, Query


class Tickets(Protocol):
    """Tickets, their comments and files, their history."""

    def create(self, fields: Mapping[str, Value], at: datetime, *, born_in: str | None = None) -> Ticket:
        """A new ticket at revision 1."""

    def get(self, ticket_id: int) -> Ticket:
        """:raises NoSuch: no ticket has this id."""

    def change(self, ticket: Ticket, changes: Mapping[str, Value], at: datetime | None) -> Ticket:
        """Compare and set: the ticket as given must still be the current revision. `at`: None where nobody is to take
        it for a change; its moments stay.

        :raises StaleRevision: it is not."""

    def touch(self, ticket_id: int, at: datetime, *, internal: bool = False) -> None:
        """The conversation moved: `changed_at` rises, the revision of the fields does not. `internal`: for those only
        who read internal notes; for all others it has last changed when it had before (`shown_at`)."""

    def list(self, *, words: str = "", limit: int = 50, before: int | None = None) -> Sequence[Ticket]:
        """Newest (highest id) first; each of `words` is looked for in the subject, whatever its case; `before` is
        the last id of the page before."""

    def search(self, query: Query, sight: Sight, *, limit: int = 50, before: int | None = None) -> Page:
        """Those that `central.search.matches` finds, newest (highest id) first; `before` is that of the page before.

        No page costs more than looking through so many tickets, however many there are."""

    def count(self) -> int:
        """How many there are (a kept counter)."""

    def add_comment(self, ticket_id: int, comment: NewComment) -> Comment:
        """Append a comment and its files. Its (origin_system, origin_id) is added once per ticket: a second call
        returns it as it is.

        :raises NoSuch: no such ticket, or the bytes of a file are not in the store."""

    def comments(self, ticket_id: int) -> Sequence[Comment]:
        """In central order (the order they arrived)."""

    def conversation(self, ticket_id: int, *, after: int, limit: int) -> Sequence[Comment]:
        """A page of the comments: `limit` of them after the one with this id."""

    def revise_comment(self, comment: Comment) -> Comment:
        """Write back its text, gap, visibility, `edited_at` and `deleted_at`; its files get its visibility.

        :raises NoSuch: no such comment on this ticket."""

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
        """Hang a stored file on a ticket or comment; the same (origin_system, origin_id) is added once per ticket.

        :raises NoSuch: no such ticket or comment, or its bytes are not in the store."""

    def files(self, ticket_id: int, *, after: int = 0, limit: int | None = None) -> Sequence[Attachment]:
        """Every file of the ticket, in order of arrival. A page of them: `limit`, after the one with this id."""

    def record(self, events: Iterable[Event]) -> None:
        """Append to the history."""

    def events(self, ticket_id: int, *, field: str | None = None, last: int | None = None) -> Sequence[Event]:
        """The history, oldest first; `last`: only that many of the newest, at a cost that does not grow with it."""

    def history(self, ticket_id: int, *, after: int, limit: int) -> Sequence[Event]:
        """A page of the history: `limit` events after the one with this id."""

    def happened(self, *, after: int, limit: int = 100) -> Sequence[Event]:
        """What happened to any ticket, by id. Of several processes that write at once, one may show its events a little
        after those that bear higher ids."""

    def newest_event(self) -> int:
        """The id of the newest event; 0: nothing ever happened. Cheap."""

    def keep_conflict(self, conflict: Conflict) -> Conflict:
        """Keep an edit that lost (its `id` is given here)."""

    def decide_conflict(self, conflict_id: int, *, winner: str, reason: str) -> None:
        """A person has decided it: it is open no more.  :raises NoSuch: there is none with this id."""

    def conflicts(
        self, ticket_id: int | None = None, *, open_only: bool = False, after: int = 0, limit: int | None = None
    ) -> Sequence[Conflict]:
        """Of one ticket, or of all, oldest first. A page of them: `limit`, after the one with the id `after`."""
