"""Tries, as a transaction counts them."""

from datetime import datetime, timedelta
from typing import Protocol


class Tries(Protocol):
    """How often somebody may still try something: whichever process they ask, they spend one budget."""

    def spend(self, key: str, at: datetime, *, every: timedelta, most: int) -> datetime | None:
        """One more try. None: it may be made, and counts; otherwise nothing is counted, and this is when one may be.

        `most` may be made at once, and one more for each `every` that has passed."""

    def give_back(self, key: str, at: datetime, *, every: timedelta) -> None:
        """The last try does not count after all."""

    def note(self, key: str, until: datetime) -> None:
        """Remember this key until then."""

    def noted(self, key: str, at: datetime) -> bool:
        """Whether it is remembered."""

    def forget(self, key: str) -> None:
        """Neither tries nor a note are left of this key."""

    def prune(self, at: datetime) -> None:
        """Forget what says nothing any more."""
