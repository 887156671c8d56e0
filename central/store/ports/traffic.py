"""What went on with systems, as a transaction tells it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from central.traffic import Looks, Minute


class Traffic(Protocol):
    """What went on with each system in the last hour. `Outbox` keeps it, in the transactions of what happens."""

    def minutes(self, since: datetime, system: str | None = None) -> Sequence[Minute]:
        """Those that began then or later and in which something happened, by system and minute; `system`: only its own,
        and the last one before `since`, where that is known still."""

    def looks(self, since: datetime) -> Mapping[str, Looks]:
        """System -> its looks in the minutes that began then or later; those without any are left out."""
