"""A system's quota: so many requests a minute and no more, whoever of us asks, in however many processes.

Requests take places in time, evenly apart, which are given out once for all processes; each takes a second's worth at
a time, so that asking costs little and nobody sits on more."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from connectors.errors import QuotaSpent

_BURST = timedelta(seconds=10)
"""What was not asked for so long may be asked at once."""
_LOOK = 5
"""So many requests may always be made at once, for a look that can never be finished only wastes what it asked."""
_BATCH = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=5)
"""Longer than this nobody waits here: the queue can wait better than a worker."""


class Places(Protocol):
    """Gives out the next so many places, `every` apart: the first of them, never further back than `burst`.

    :raises QuotaSpent: none can be had now."""

    def __call__(self, at: datetime, places: int, *, every: timedelta, burst: timedelta) -> datetime: ...


class Pace:
    """Lets requests through at an even pace, after a short burst. Thread-safe."""

    def __init__(
        self, per_minute: int, places: Places, *, clock: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> None:
        self._every = timedelta(minutes=1) / per_minute
        self._burst = max(_BURST, self._every * _LOOK) - self._every
        self._batch = max(1, _BATCH // self._every)
        self._places, self._clock, self._sleep = places, clock, sleep
        self._lock = threading.Lock()
        self._mine: deque[datetime] = deque()

    def __call__(self) -> None:
        """Wait for a place.

        :raises QuotaSpent: there is none for longer than anybody waits here; nothing was sent."""
        with self._lock:
            now = self._clock()
            while self._mine and self._mine[0] < now - self._burst:  # not used in time: void for everybody
                self._mine.popleft()
            if not self._mine:
                first = self._places(now, self._batch, every=self._every, burst=self._burst)
                self._mine.extend(first + self._every * number for number in range(self._batch))
            wait = self._mine[0] - now
            if wait > _PATIENCE:
                enough = wait + self._every * (_LOOK - 1)
                raise QuotaSpent("the quota of requests per minute is used up", retry_after=enough)
            self._mine.popleft()
        if wait > timedelta(0):
            self._sleep(wait.total_seconds())
