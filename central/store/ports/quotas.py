"""How fast a system is asked, as a transaction keeps it."""

from datetime import datetime, timedelta
from typing import Protocol


class Quotas(Protocol):
    """Places in time for the requests to a system: whoever asks it, however many ask, they spend one quota."""

    def reserve(self, system: str, at: datetime, places: int, *, every: timedelta, burst: timedelta) -> datetime:
        """The next so many places, `every` apart, are the caller's; when the first of them is.

        No place is given twice, and none lies further back than `burst`: what was not asked for so long may be asked
        at once. A place may be used from its time on, and is void when that is longer ago than `burst`."""
