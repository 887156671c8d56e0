"""Links of the reference store, and the comments and files they tie together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from central.link import Agreed, Link, LinkState, Tie
from central.model import Attachment, Comment
from central.store.api import AlreadyLinked, NoSuch
from central.store.codec import copied, create_tokens
from central.store.memory.tables import Table, Tables

Thing = TypeVar("Thing", Comment, Attachment)


class MemoryLinks:
    """`central.store.ports.links.Links`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def create(self, link: Link) -> Link:
        if self._tables.tickets.get(link.ticket_id) is None:
            raise NoSuch(f"there is no ticket {link.ticket_id}")
        created = replace(link, id=self._tables.next_id("link"))
        self._put(created)
        there = self._tables.links_of.get(link.ticket_id) or ()
        self._tables.links_of.put(link.ticket_id, (*there, created.id))
        return created

    def save(self, link: Link) -> None:
        before = self._tables.links.get(link.id)
        if before is None:
            raise NoSuch(f"there is no link {link.id}")
        if (link.ticket_id, link.system) != (before.ticket_id, before.system):
            link = replace(link, ticket_id=before.ticket_id, system=before.system)
        self._put(link)
        if before.key is not None and before.key != link.key:
            self._tables.keys.drop((before.system, before.key))

    def _put(self, link: Link) -> None:
        if link.state is not LinkState.DUPLICATE:
            taken = self.find(link.ticket_id, link.system)
            if taken is not None and taken.id != link.id:
                raise AlreadyLinked(f"ticket {link.ticket_id} has a link to {link.system} already (link {taken.id})")
        if link.key is not None:
            holder = self._tables.keys.get((link.system, link.key))
            if holder is not None and holder != link.id:
                raise AlreadyLinked(f"{link.key} of {link.system} belongs to link {holder} already")
            self._tables.keys.put((link.system, link.key), link.id)
        for token in create_tokens(link):
            if self._tables.tokens.get((link.system, token)) is None:
                self._tables.tokens.put((link.system, token), link.id)
        self._tables.links.put(link.id, copied(link))

    def find(self, ticket_id: int, system: str) -> Link | None:
        for link in self.of(ticket_id):
            if link.system == system and link.state is not LinkState.DUPLICATE:
                return link
        return None

    def find_by_key(self, system: str, key: str) -> Link | None:
        link_id = self._tables.keys.get((system, key)) or self._tables.old_keys.get((system, key))
        return None if link_id is None else self._tables.links.get(link_id)

    def remember_key(self, link_id: int, key: str) -> None:
        self._tables.old_keys.put((self._existing(link_id).system, key), link_id)

    def of(self, ticket_id: int) -> Sequence[Link]:
        ids = self._tables.links_of.get(ticket_id) or ()
        return [link for link in map(self._tables.links.get, ids) if link is not None]

    def find_intent(self, system: str, token: str) -> Link | None:
        link_id = self._tables.tokens.get((system, token))
        return None if link_id is None else self._tables.links.get(link_id)

    def tie_comment(
        self,
        link_id: int,
        comment_id: int,
        remote_id: str,
        at: datetime,  # noqa: ARG002  # kept by SQL only
        agreed: Agreed | None = None,
    ) -> None:
        link = self._existing(link_id)
        if comment_id not in {comment.id for comment in self._tables.comments.get(link.ticket_id) or ()}:
            raise NoSuch(f"ticket {link.ticket_id} has no comment {comment_id}")
        _tie(self._tables.comment_ties, link_id, comment_id, remote_id, "comment")
        if agreed is not None:
            self.agree_comment(link_id, comment_id, agreed)

    def agree_comment(self, link_id: int, comment_id: int, agreed: Agreed) -> None:
        if comment_id not in self.ties(link_id):
            raise NoSuch(f"comment {comment_id} is not tied on link {link_id}")
        self._tables.agreed.put((link_id, comment_id), agreed)

    def untie_comment(self, link_id: int, comment_id: int) -> None:
        ties = self._tables.comment_ties.get(link_id) or ()
        self._tables.comment_ties.put(link_id, tuple(tie for tie in ties if tie[0] != comment_id))
        link = self._existing(link_id)
        told = self._tables.comments.get(link.ticket_id) or ()
        self._tables.comments.put(link.ticket_id, tuple(_no_longer(each, comment_id, link.system) for each in told))

    def ties(self, link_id: int) -> Mapping[int, str]:
        return dict(self._tables.comment_ties.get(link_id) or ())

    def tied(self, link_id: int) -> Mapping[int, Tie]:
        return {
            ours: Tie(theirs, self._tables.agreed.get((link_id, ours))) for ours, theirs in self.ties(link_id).items()
        }

    def tie_file(self, link_id: int, file_id: int, remote_id: str) -> None:
        link = self._existing(link_id)
        if file_id not in {file.id for file in self._tables.files.get(link.ticket_id) or ()}:
            raise NoSuch(f"ticket {link.ticket_id} has no file {file_id}")
        _tie(self._tables.file_ties, link_id, file_id, remote_id, "file")

    def untie_file(self, link_id: int, file_id: int) -> None:
        ties = self._tables.file_ties.get(link_id) or ()
        self._tables.file_ties.put(link_id, tuple(tie for tie in ties if tie[0] != file_id))
        link = self._existing(link_id)
        files = self._tables.files.get(link.ticket_id) or ()
        self._tables.files.put(link.ticket_id, tuple(_no_longer(each, file_id, link.system) for each in files))

    def file_ties(self, link_id: int) -> Mapping[int, str]:
        return dict(self._tables.file_ties.get(link_id) or ())

    def of_system(self, system: str, *, after: int = 0, limit: int = 100) -> Sequence[Link]:
        found = [link for link in self._tables.links.rows() if link.system == system and link.id > after]
        return sorted(found, key=lambda link: link.id)[:limit]

    def _existing(self, link_id: int) -> Link:
        link = self._tables.links.get(link_id)
        if link is None:
            raise NoSuch(f"there is no link {link_id}")
        return link


def _no_longer(thing: Thing, gone: int, system: str) -> Thing:
    """It as it is, or with an origin id that nobody will give anew, where it was there and is gone."""
    if thing.id != gone or thing.origin_system != system or thing.origin_id is None:
        return thing
    return replace(thing, origin_id=f"{thing.origin_id}/{gone}")


def _tie(table: Table[int, tuple[tuple[int, str], ...]], link_id: int, our_id: int, remote_id: str, noun: str) -> None:
    ties = dict(table.get(link_id) or ())
    before = ties.get(our_id)
    if before == remote_id:
        return
    if before:
        raise AlreadyLinked(f"{noun} {our_id} is tied to {before} on link {link_id} already, not to {remote_id}")
    if remote_id and remote_id in ties.values():
        raise AlreadyLinked(f"their {noun} {remote_id} is tied to another {noun} on link {link_id} already")
    ties[our_id] = remote_id
    table.put(link_id, tuple(ties.items()))
