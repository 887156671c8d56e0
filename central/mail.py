"""Mail as the desk remembers it: what came, what became of it, and how far people were told by it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a mail that came."""

    OPENED = "opened"  # a ticket
    ANSWERED = "answered"  # a ticket that was there
    QUARANTINED = "quarantined"  # until somebody has looked at it
    DROPPED = "dropped"  # an automatic answer, a bounce, one of our own: nothing to do, and nobody is answered
    DISCARDED = "discarded"  # somebody looked at it, and that was all


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that came, by its Message-ID: it is taken in once."""

    message_id: str
    at: datetime
    sender: str
    subject: str
    verdict: Verdict
    why: str = ""
    ticket_id: int | None = None
    sha256: str = ""
    """Where its bytes are, of one in quarantine."""
    id: int = 0
    """Given by the store."""

    def with_id(self, mail_id: int) -> "Mail":
        """The same as it is kept."""
        return replace(self, id=mail_id)
