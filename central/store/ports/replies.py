"""What is carried out once, as a transaction keeps it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from central.reply import Reply


class Replies(Protocol):
    """Requests that must be carried out once, however often they come."""

    def begin(self, key: str, digest: str, at: datetime) -> Reply | None:
        """Carry it out; or, instead, what became of the one that had this key first. Of two at once, one is told."""

    def settle(self, key: str, answer: Mapping[str, Any]) -> None:
        """It was carried out, and this is its answer.  :raises NoSuch: nobody began it."""

    def withdraw(self, key: str) -> None:
        """It was not carried out: it may be tried again."""

    def prune(self, *, before: datetime) -> None:
        """Forget those that were begun before then."""
