"""What came in from programs and by mail, as a transaction keeps it."""

from collections.abc import Sequence
from typing import Protocol

from central.mail import Mail, Verdict
from central.origin import Origin


class Origins(Protocol):
    """Where tickets say that they come from, and how those who handed them in find them again."""

    def add(self, ticket_id: int, origin: Origin) -> int:
        """Keep it. The ticket that bears this id already, where one does: nothing is kept then, and whoever has just
        made another one for it undoes that."""

    def find(self, account: str, system: str, origin_id: str) -> int | None:
        """The ticket that this account handed in under this id; never one without an id."""

    def of(self, ticket_id: int) -> Sequence[Origin]:
        """Everything that was said about where it comes from, oldest first."""

    def tickets(self, origin_id: str, system: str = "") -> Sequence[int]:
        """The tickets that anybody handed in under this id, by id; `system`: only as of this one."""


class Mails(Protocol):
    """Mail that came, for a while, and how far people were told by mail."""

    def take(self, mail: Mail) -> bool:
        """Keep it (its `id` is given here). False: one with this Message-ID was taken in before."""

    def find(self, message_id: str) -> Mail | None:
        """The mail with this Message-ID."""

    def get(self, mail_id: int) -> Mail:
        """:raises NoSuch: no mail has this id."""

    def save(self, mail: Mail) -> None:
        """Write the whole mail back.  :raises NoSuch: no mail has this id."""

    def list(self, *, verdict: Verdict | None = None, before: int | None = None, limit: int = 100) -> Sequence[Mail]:
        """Newest first; `before` is the last id of the page before."""

    def told(self, ticket_id: int) -> int:
        """The id of the last event of this ticket that people were told by mail; 0: of none."""

    def tell(self, ticket_id: int, event_id: int) -> None:
        """People were told up to this event."""
