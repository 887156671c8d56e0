"""Writes that were not made, as a transaction keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from central.model import Value
from central.shadow import Seen, Shadow


class Shadows(Protocol):
    """Writes that were computed for a system in shadow, and not made."""

    def record(self, shadow: Shadow) -> None:
        """Keep it (its `id` is given here). One that is still missing, about the same item, is superseded."""

    def judge(self, shadow_id: int, seen: Seen, at: datetime, *, did: Value = None) -> None:
        """Say what people did about it.  :raises NoSuch: there is none with this id."""

    def missing(self, system: str, *, ticket_id: int | None = None, key: str = "") -> Sequence[Shadow]:
        """Those of one ticket, by either name, that nobody has done yet, oldest first."""

    def list(self, system: str, *, seen: Seen | None = None, limit: int = 100) -> Sequence[Shadow]:
        """Newest first."""

    def counts(self, system: str) -> Mapping[Seen, int]:
        """How many became of which."""

    def prune(self, system: str, *, keep: int) -> None:
        """Forget all but the newest `keep`."""
