"""Our own mailbox: where mail arrives, what was taken in and sent is kept, and what was not taken in is laid aside.

The kept ones are the shadow (`connectors.mail.shadow`): each stands in the archive as one message that holds an entry
and the original mail, found by headers of ours. So every process sees the same, and nothing of it is lost with ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that waits to be looked at."""

    uid: str
    raw: bytes
    cut: int = 0
    """How many bytes of it were too many, and were not read."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A kept mail, from outside."""

    uid: int
    at: datetime
    pending: bool
    """It was about to be sent; whether it was accepted is not known."""
    key: str


@dataclass(frozen=True, slots=True)
class Labels:
    """By what a kept mail is found."""

    key: str
    id: str
    sender: str = ""
    number: str = ""
    first: bool = False

    def headers(self) -> Mapping[str, str]:
        """As the headers of the kept message."""
        said = {
            KEY: self.key,
            ID: self.id,
            SENDER: self.sender,
            NUMBER: self.number,
            FIRST: "yes" if self.first else "",
        }
        return {name: value for name, value in said.items() if value}


KEY, ID, SENDER, NUMBER, FIRST = (f"X-Interdesk-{name}" for name in ("Key", "Id", "From", "Number", "First"))


class Mailbox(Protocol):
    """Blocking and thread-safe; every call keeps the deadline.

    Each may raise `Transient` (nothing was done, or what was done may be done again) and `AccessError`."""

    def arrivals(self, limit: int) -> Sequence[Arrival]:
        """The oldest mails that wait."""

    def drop(self, uid: str) -> None:
        """Take one out of those that wait: it is kept, or is our own copy. Repeatable."""

    def lay_aside(self, arrival: Arrival, reason: str) -> None:
        """Take one out of those that wait and lay it where a person finds it, with the reason in a header."""

    def keep(self, labels: Labels, entry: bytes, original: bytes, at: datetime, *, pending: bool = False) -> Slip:
        """Add to the archive."""

    def settle(self, uid: int) -> None:
        """It is pending no longer."""

    def forget(self, uid: int) -> None:
        """Take a pending one back out of the archive: it was surely not sent."""

    def find(self, header: str, value: str) -> Sequence[Slip]:
        """Kept mails whose header holds this value somewhere, oldest first."""

    def since(self, floor: int, at: datetime) -> Sequence[Slip]:
        """Kept mails above this uid that were kept at or after this moment, oldest first."""

    def newest(self) -> int:
        """The highest uid of the archive; 0: it is empty."""

    def generation(self) -> str:
        """What its uids are valid in: another answer means that they are others now."""

    def entries(self, uids: Sequence[int]) -> Mapping[int, bytes]:
        """Their entries."""

    def original(self, uid: int) -> bytes | None:
        """The original mail; None: it is gone."""

    def wait(self, seconds: float) -> bool:
        """Wait until a mail arrives, at most so long; whether one did."""

    def check(self) -> Sequence[str]:
        """Read-only proof: log in, and look at the folders; those that are missing."""

    def close(self) -> None:
        """Release the connection."""
