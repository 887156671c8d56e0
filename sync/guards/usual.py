"""How much is usual for a system, and when it is too much. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from central.guard import HoldKind

HOUR = timedelta(hours=1)
REMEMBERED = timedelta(days=14)
"""How far back the usual is looked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many tickets a system may close, lose or change within an hour, however quiet it was before."""

    closings: int = 20
    losses: int = 20
    changes: int = 200
    times_usual: int = 5
    """More than that is still fine up to so many times the busiest hour of the last two weeks."""

    def least(self, kind: HoldKind) -> int:
        """Up to this number nothing is ever held."""
        match kind:
            case HoldKind.CLOSING:
                return self.closings
            case HoldKind.LOSS:
                return self.losses
            case _:
                return self.changes


def hour_of(at: datetime) -> datetime:
    """The hour that a moment lies in."""
    return at.replace(minute=0, second=0, microsecond=0)


def lately(rates: Sequence[tuple[datetime, int]], at: datetime) -> int:
    """How many there were in this hour and the one before: whatever happened within the last hour is among them."""
    return sum(number for hour, number in rates if hour >= hour_of(at) - HOUR)


def usual(rates: Sequence[tuple[datetime, int]], at: datetime) -> int:
    """The most there ever were in two hours running, before the present two."""
    before = {hour: number for hour, number in rates if hour < hour_of(at) - HOUR}
    return max((number + before.get(hour + HOUR, 0) for hour, number in before.items()), default=0)


def most(rates: Sequence[tuple[datetime, int]], at: datetime, kind: HoldKind, limits: Limits) -> int:
    """How many are still ordinary."""
    return max(limits.least(kind), limits.times_usual * usual(rates, at))
