"""What a look begins with: one consistent reading of a ticket, its link and its conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from central.link import SPEAKING, Intent, Link, Tie
from central.model import Attachment, Comment, Ticket
from central.store.api import Store, Transaction
from sync import discussion
from sync.tokens import Words, ticket_words


@dataclass(frozen=True, slots=True)
class Past:
    """The state that a decision is made on."""

    ticket: Ticket
    link: Link
    tied: Mapping[int, Tie]
    file_ties: Mapping[int, str]
    comments: Sequence[Comment]
    files: Sequence[Attachment]
    links: Sequence[Link]

    @property
    def ties(self) -> Mapping[int, str]:
        """Comment id -> their comment id ('' for a parked one)."""
        return {ours: tie.remote_id for ours, tie in self.tied.items()}

    @property
    def known(self) -> frozenset[str]:
        """Their comment ids that need no reading: tied, or ours and ignored."""
        return frozenset(self.ties.values()) | frozenset(self.link.ignored)

    @property
    def wanting(self) -> frozenset[str]:
        """Of what is known, their ids of what could not be taken in whole: a visible gap stands for the rest."""
        system = self.link.system
        return frozenset(c.origin_id for c in self.comments if c.gap and c.origin_id and c.origin_system == system)

    @property
    def words(self) -> Words:
        """What tells the ticket from all others, for tokens."""
        return words_of(self.ticket, self.links)

    def unsent(self, share_internal: bool) -> tuple[discussion.Item, ...]:
        """What has still to be said there, in order."""
        given = self.comments, self.files, self.ties, self.file_ties
        return discussion.unsent(self.link.system, *given, share_internal=share_internal)

    def awaited(self) -> tuple[Intent, ...]:
        """Open intents to comment of which nobody knows yet whether they got through."""
        return tuple(i for i in self.link.intents if i.kind in SPEAKING and not i.done)


def words_of(ticket: Ticket, links: Sequence[Link]) -> Words:
    """What tells this ticket from all others, for tokens."""
    return ticket_words(ticket, next((link.first_key or link.key for link in links if link.birth), None))


def read_past(tx: Transaction, link: Link) -> Past:
    """The whole past of one link."""
    return Past(
        ticket=tx.tickets.get(link.ticket_id),
        link=link,
        tied=tx.links.tied(link.id),
        file_ties=tx.links.file_ties(link.id),
        comments=tx.tickets.comments(link.ticket_id),
        files=tx.tickets.files(link.ticket_id),
        links=tx.links.of(link.ticket_id),
    )


def reread(store: Store, past: Past) -> Past:
    """The past as it is now."""

    def question(tx: Transaction) -> Past:
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        return read_past(tx, link)

    return store.read(question)
