"""A ticket as somebody may read it: without what is internal, and without any word of systems that they may not see."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from central.desk.services.errors import Gone
from central.desk.tickets import TicketDesk, for_everybody
from central.events import Event, Kind
from central.link import Link
from central.model import SUPPORTERS_ONLY, Attachment, Comment, Conflict, Person, Ticket, Visibility
from central.rights import Action, Extent, Principal, extent, may_on_system
from central.store.api import NoSuch, Transaction

Numbered = TypeVar("Numbered", Comment, Event, Attachment)
ELSEWHERE = Person(id="another system", name="another system")
"""Who did what came from a system that the reader may not see."""
_CENTRAL = frozenset({Kind.TICKET_CREATED, Kind.FIELD_CHANGED, Kind.COMMENT_ADDED, Kind.COMMENT_EDITED})
_CENTRAL |= {Kind.COMMENT_DELETED, Kind.COMMENT_HIDDEN, Kind.COMMENT_SHOWN, Kind.FILE_ADDED}
"""What happened to our ticket, wherever it came from; all else happened in a system."""
_WORDS = frozenset({"before"})
"""What of an event holds what a comment said before: it may have been internal then."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads one ticket, in one transaction."""

    tx: Transaction
    principal: Principal
    ticket: Ticket
    internal: bool
    """Whether they may read internal notes on it."""

    @classmethod
    def of(cls, desk: TicketDesk, tx: Transaction, principal: Principal, ticket: Ticket) -> "Reader":
        """A reader of a ticket that they may read."""
        return cls(tx, principal, ticket, desk.sees_internal(tx, principal, ticket))

    def sees(self, system: str | None) -> bool:
        """Whether this system may be named to them."""
        return not system or may_on_system(self.principal, Action.SEE_SYSTEM, system)

    @property
    def sees_all(self) -> bool:
        """Whether every system may be named to them."""
        return extent(self.principal, Action.SEE_SYSTEM) is Extent.ALL

    def born_in(self) -> str | None:
        """The system that the ticket was born in, as far as it may be named."""
        return self.ticket.born_in if self.sees(self.ticket.born_in) else None

    def shown(self) -> Ticket:
        """The ticket without what is not for them."""
        return self.ticket if self.internal else for_everybody(self.ticket)

    def comments(self) -> Sequence[Comment]:
        """The conversation, in central order; of tombstones nothing but that they are."""
        return [self._masked(each) for each in self.tx.tickets.comments(self.ticket.id) if self._reads(each)]

    def conversation(self, after: int, limit: int) -> Sequence[Comment]:
        """A page of it: `limit` comments after the one with this id."""
        tickets, ticket_id = self.tx.tickets, self.ticket.id
        found = _paged(lambda place: tickets.conversation(ticket_id, after=place, limit=limit), after)
        return [self._masked(each) for each in islice((each for each in found if self._reads(each)), limit)]

    def comment(self, number: int) -> Comment:
        """One comment.  :raises NoSuch: there is none, or none that they may read."""
        found = next((each for each in self.comments() if each.id == number), None)
        if found is None:
            raise NoSuch(f"ticket {self.ticket.id} has no comment {number}")
        return found

    def files(self) -> Sequence[Attachment]:
        """The files, those of tombstones aside."""
        gone = {each.id for each in self.tx.tickets.comments(self.ticket.id) if each.deleted_at is not None}
        return [each for each in self.tx.tickets.files(self.ticket.id) if self._shows(each, gone)]

    def listed(self, after: int, limit: int) -> Sequence[Attachment]:
        """A page of the files: `limit` of them after the one with this id."""
        tickets, ticket_id = self.tx.tickets, self.ticket.id
        gone = {each.id for each in tickets.comments(ticket_id) if each.deleted_at is not None}
        found = _paged(lambda place: tickets.files(ticket_id, after=place, limit=limit), after)
        return list(islice((each for each in found if self._shows(each, gone)), limit))

    def file(self, number: int) -> Attachment:
        """One file.  :raises NoSuch: there is none, or none that they may read."""
        found = next((each for each in self.files() if each.id == number), None)
        if found is None:
            raise NoSuch(f"ticket {self.ticket.id} has no file {number}")
        return found

    def download(self, number: int) -> Attachment:
        """One file whose bytes are here.  :raises NoSuch: as above.  :raises Gone: they are kept no longer."""
        found = self.file(number)
        if found.gone_at is not None:
            raise Gone(f"the bytes of file {number} were kept until {found.gone_at:%Y-%m-%d}, and are here no more")
        return found

    def links(self) -> Sequence[Link]:
        """The links to systems that they may see, without what stands apart in comments that they may not read."""
        hidden = {f"comment {number}" for number in self.hidden_comments()}
        return [
            each.evolve(disagreements={name: why for name, why in each.disagreements.items() if name not in hidden})
            for each in self.tx.links.of(self.ticket.id)
            if self.sees(each.system)
        ]

    def conflicts(self) -> Sequence[Conflict]:
        """Edits that lost, of systems that they may see."""
        hidden = {f"comment {number}" for number in self.hidden_comments()}
        hidden |= set() if self.internal else SUPPORTERS_ONLY
        return [
            each
            for each in self.tx.tickets.conflicts(self.ticket.id)
            if self.sees(each.system) and each.field not in hidden
        ]

    def events(self, *, field: str | None = None) -> Sequence[Event]:
        """The history, oldest first."""
        told = self.teller()
        return [each for each in map(told, self.tx.tickets.events(self.ticket.id, field=field)) if each is not None]

    def history(self, after: int, limit: int) -> Sequence[Event]:
        """A page of it: `limit` events after the one with this id."""
        tickets, ticket_id, told = self.tx.tickets, self.ticket.id, self.teller()
        found = _paged(lambda place: tickets.history(ticket_id, after=place, limit=limit), after)
        return list(islice((each for each in map(told, found) if each is not None), limit))

    def teller(self) -> Callable[[Event], Event | None]:
        """What may be told of an event of this ticket; None: nothing."""
        hidden = self.hidden_comments()
        tied = {f"comment {number}" for number in hidden}
        files = () if self.internal else self.tx.tickets.files(self.ticket.id)
        secret = {each.name for each in files if each.visibility is Visibility.INTERNAL}

        def told(event: Event) -> Event | None:
            if event.field in SUPPORTERS_ONLY and not self.internal:
                return None
            if event.data.get("comment") in hidden or event.field in tied or event.data.get("file") in secret:
                return None
            data = {name: value for name, value in event.data.items() if self.internal or name not in _WORDS}
            if self.sees(event.system):
                person = event.actor if self.sees(event.actor.system) else ELSEWHERE
                return replace(event, data=data, actor=person)
            if event.kind not in _CENTRAL:
                return None
            data = {name: value for name, value in data.items() if name in ("from", "to", "comment", "file", "fields")}
            return replace(event, system=None, actor=ELSEWHERE, data=data, why="")

        return told

    def hidden_comments(self) -> frozenset[int]:
        """Comments of which no more may be told than that they are."""
        if self.internal:
            return frozenset()
        return frozenset(
            each.id
            for each in self.tx.tickets.comments(self.ticket.id)
            if each.visibility is Visibility.INTERNAL or each.deleted_at is not None
        )

    def _reads(self, comment: Comment) -> bool:
        return self.internal or comment.visibility is Visibility.PUBLIC

    def _shows(self, file: Attachment, gone: Collection[int | None]) -> bool:
        return (self.internal or file.visibility is Visibility.PUBLIC) and file.comment_id not in gone

    def _masked(self, comment: Comment) -> Comment:
        if self.sees(comment.origin_system) and self.sees(comment.author.system):
            return comment
        return replace(comment, author=ELSEWHERE, origin_system=None, origin_id=None)


def _paged(page: Callable[[int], Sequence[Numbered]], after: int) -> Iterator[Numbered]:
    """What follows, page by page: no more of them than are wanted."""
    while found := page(after):
        yield from found
        after = found[-1].id
