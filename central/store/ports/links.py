"""Links, as a transaction keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from central.link import Agreed, Link, Tie


class Links(Protocol):
    """Links and the comments and files that they tie together."""

    def create(self, link: Link) -> Link:
        """Store a new link (its `id` is given here).

        :raises AlreadyLinked: the pair or the key is taken."""

    def save(self, link: Link) -> None:
        """Write the whole link back (its ticket and system stay as they are).

        :raises NoSuch: there is none with this id.  :raises AlreadyLinked: its key belongs to another ticket."""

    def find(self, ticket_id: int, system: str) -> Link | None:
        """The link of this ticket to this system (never a duplicate's)."""

    def find_by_key(self, system: str, key: str) -> Link | None:
        """The link that holds this key, or held it once; a duplicate's included."""

    def remember_key(self, link_id: int, key: str) -> None:
        """Their ticket was called this before: `find_by_key` goes on finding its link, until another link holds the
        key itself. A repeat is nothing."""

    def of(self, ticket_id: int) -> Sequence[Link]:
        """All links of a ticket, duplicates included, oldest first."""

    def find_intent(self, system: str, token: str) -> Link | None:
        """The link of this system that has, or ever had, an intent to create with this token."""

    def tie_comment(
        self, link_id: int, comment_id: int, remote_id: str, at: datetime, agreed: Agreed | None = None
    ) -> None:
        """This comment of ours is that comment of theirs. Both are unique within the link; a repeat is nothing.

        A parked one ('') may get its id later.  :raises AlreadyLinked: either is tied to another.
        :raises NoSuch: no such link, or no such comment on its ticket."""

    def agree_comment(self, link_id: int, comment_id: int, agreed: Agreed) -> None:
        """Both sides agree anew on a tied comment.  :raises NoSuch: it is not tied."""

    def untie_comment(self, link_id: int, comment_id: int) -> None:
        """This comment is not there any more. One of ours is to be sent anew; the id that one of theirs had there (its
        origin id) may be given to another one. Nothing happens where it is not tied."""

    def ties(self, link_id: int) -> Mapping[int, str]:
        """Comment id -> their comment id ('' for a parked one)."""

    def tied(self, link_id: int) -> Mapping[int, Tie]:
        """The same, with what both sides last agreed on."""

    def tie_file(self, link_id: int, file_id: int, remote_id: str) -> None:
        """This file of ours is that file of theirs, by the same rules."""

    def untie_file(self, link_id: int, file_id: int) -> None:
        """The same for a file."""

    def file_ties(self, link_id: int) -> Mapping[int, str]:
        """File id -> their file id ('' for one that a note stands in for)."""

    def of_system(self, system: str, *, after: int = 0, limit: int = 100) -> Sequence[Link]:
        """Links of one system in every state, by id, for the full scan."""
