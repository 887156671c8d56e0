"""What went on with each system, minute by minute, through the last hour; kept in the transactions of what happens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

STEP = timedelta(minutes=1)
STEPS = 60
"""So many minutes are remembered of each system; the next one takes the place of the first."""


@dataclass(frozen=True, slots=True)
class Minute:
    """One system in one minute."""

    system: str
    at: datetime
    """When it began."""
    inward: int = 0
    """Looks at their side that came to an end."""
    outward: int = 0
    """Looks at what they are to be told that came to an end."""
    failed: int = 0
    """Looks that failed: tried again later, or dead letters now."""
    most_due: int = 0
    """The most that it was owed as any transaction of this minute ended."""
    due: int = 0
    """What it was owed as the last one ended."""

    def with_more(self, more: "Minute") -> "Minute":
        """This minute, and more of it."""
        return Minute(
            self.system,
            self.at,
            self.inward + more.inward,
            self.outward + more.outward,
            self.failed + more.failed,
            max(self.most_due, more.most_due),
            more.due,
        )


@dataclass(frozen=True, slots=True)
class Looks:
    """How many looks came to an end in a while, and how many failed."""

    ended: int
    failed: int

    @property
    def error_rate(self) -> float | None:
        """The part of them that failed, to the hundredth of a per cent: 0 is none. None: there were no looks."""
        tries = self.ended + self.failed
        if not tries:
            return None
        return max(0.0001, round(self.failed / tries, 4)) if self.failed else 0.0


def minute_of(at: datetime) -> datetime:
    """When the minute of this moment began."""
    return at.replace(second=0, microsecond=0)


def slot_of(minute: datetime) -> int:
    """Its place in the ring."""
    return int(minute.timestamp()) // int(STEP.total_seconds()) % STEPS


def an_hour_before(at: datetime) -> datetime:
    """When the first minute began that is remembered still."""
    return minute_of(at) - (STEPS - 1) * STEP


def sum_of(minutes: Iterable[Minute]) -> Looks:
    """The looks of all these minutes."""
    seen = tuple(minutes)
    return Looks(sum(each.inward + each.outward for each in seen), sum(each.failed for each in seen))


def hour(known: Iterable[Minute], system: str, at: datetime) -> tuple[Minute, ...]:
    """Every minute of the last hour, the one of `at` last. One in which nothing happened is owed what was owed before.

    `known`: what is known of this system, in order."""
    first = an_hour_before(at)
    there = {each.at: each for each in known}
    due = next((each.due for each in reversed(list(there.values())) if each.at < first), 0)
    minutes = []
    for begin in _an_hour_from(first):
        found = there.get(begin)
        minute = Minute(system, begin, most_due=due, due=due) if found is None else found
        minutes.append(minute)
        due = minute.due
    return tuple(minutes)


@lru_cache(maxsize=2)  # the same for every system
def _an_hour_from(first: datetime) -> tuple[datetime, ...]:
    return tuple(first + number * STEP for number in range(STEPS))
