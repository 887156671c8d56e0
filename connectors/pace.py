"""A system's quota: so many requests a minute and no more, whoever of us asks."""

import threading
from collections.abc import Callable
from datetime import timedelta

from connectors.errors import Transient

_BURST = timedelta(seconds=10)
"""What was not asked for so long may be asked at once."""
_PATIENCE = timedelta(seconds=5)
"""Longer than this nobody waits here: the queue can wait better than a worker."""


class Pace:
    """Lets requests through at an even pace, after a short burst. Thread-safe."""

    def __init__(self, per_minute: int, *, monotonic: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval = 60 / per_minute
        self._ahead = max(self._interval, _BURST.total_seconds()) - self._interval
        self._monotonic, self._sleep = monotonic, sleep
        self._lock = threading.Lock()
        self._next = monotonic() - self._ahead

    def __call__(self) -> None:
        """Wait for a place.

        :raises Transient: the quota is used up for longer than anybody waits here; nothing was sent."""
        with self._lock:
            now = self._monotonic()
            place = max(self._next, now - self._ahead)
            wait = timedelta(seconds=max(0.0, place - now))
            if wait > _PATIENCE:
                raise Transient("the quota of requests per minute is used up", retry_after=wait)
            self._next = place + self._interval
        if wait:
            self._sleep(wait.total_seconds())
