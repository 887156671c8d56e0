"""The tokens of our own writes: derived, never random. Pure.

A token is a keyed hash over what it stands for, so that a write that is repeated bears the same one, and a database
that was restored from a backup recognises what it has forgotten it sent. Its first letter tells what kind of thing it
marks. A ticket's and a comment's are the same in every system: copies of one ticket are known as such by nothing but
their tokens.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from central.link import Pair
from central.model import Attachment, Comment, Ticket

Words = tuple[str, ...]
"""What tells one thing from all others, as texts."""


class Stands(StrEnum):
    """What a token stands for: its first letter."""

    TICKET = "T"
    COMMENT = "C"
    FILE = "F"
    NOTICE = "N"
    WRITE = "W"  # never seen outside: it only tells one open intent from another


LENGTH = 12
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class Tokens:
    """Derives the tokens of one instance."""

    def __init__(self, instance: str) -> None:
        """`instance`: the id of the database; another one never derives the same token."""
        self._key = hashlib.blake2b(instance.encode()).digest()

    def ticket(self, words: Words) -> str:
        """Of a ticket, by its `ticket_words`."""
        return self._token(Stands.TICKET, words)

    def comment(self, comment: Comment) -> str:
        """Of a comment. The ticket is no part of it: one that was forgotten may come back under another number."""
        if comment.token is not None:
            return comment.token  # its author was erased
        if comment.origin_system is None and comment.origin_id is not None:
            return comment.origin_id  # known by its token alone: see `sync.recovery`
        return self._token(Stands.COMMENT, _comment_words(comment))

    def file(self, files: Sequence[Attachment]) -> str:
        """Of files that hang on a ticket itself."""
        each = (word for file in files for word in _origin(file, file.origin_system, file.origin_id))
        return self._token(Stands.FILE, tuple(each))

    def notice(self, words: Words, system: str, text: str, about: str) -> str:
        """Of a notice of interdesk's own to one system. `about`: what tells it from others of the same text."""
        return self._token(Stands.NOTICE, (*words, system, text, about))

    def write(self, words: Words, system: str, wrote: dict[str, Pair], at: datetime, epoch: int) -> str:
        """Of one write of fields."""
        pairs = (f"{name}={pair.ours!r}>{pair.theirs!r}" for name, pair in sorted(wrote.items()))
        return self._token(Stands.WRITE, (*words, system, _moment(at), str(epoch), *pairs))

    def act(self, words: Words, system: str, kind: str, remote_id: str, text: str, at: datetime) -> str:
        """Of an act on a comment there: it is told anew whenever it is decided anew."""
        return self._token(Stands.WRITE, (*words, system, kind, remote_id, text, _moment(at)))

    def _token(self, stands: Stands, words: Words) -> str:
        plain = b"".join(b"%d:%s" % (len(word.encode()), word.encode()) for word in (stands.value, *words))
        digest = hashlib.blake2b(plain, key=self._key, digest_size=10).digest()
        return stands.value + base64.b32encode(digest).decode()[: LENGTH - 1]


def ticket_words(ticket: Ticket, birth_key: str | None) -> Words:
    """What tells a ticket from all others, before and after a restore: where it was born and as what, or its number
    and the moment it was made (a restored database gives the same number to another ticket, later)."""
    if ticket.born_in is not None and birth_key:
        return (ticket.born_in, birth_key)
    return ("", str(ticket.id), _moment(ticket.created_at))


def stands_for(token: str | None) -> Stands | None:
    """What a token found somewhere stands for; None: it is none of this kind."""
    if token is None or len(token) != LENGTH or not _ALPHABET.issuperset(token):
        return None
    return Stands(token[0]) if token[0] in {each.value for each in Stands} else None


def _comment_words(comment: Comment) -> Words:
    # not its text: that may be edited
    author = (comment.author.system, comment.author.id)
    return (*_origin(comment, comment.origin_system, comment.origin_id), *author)


def _origin(thing: Comment | Attachment, system: str | None, origin_id: str | None) -> Words:
    if system is not None and origin_id is not None:
        return (system, origin_id)
    return ("", str(thing.id), _moment(thing.created_at))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
