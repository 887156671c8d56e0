"""How far a run has come, for whoever waits for it: a full one takes minutes, some take hours."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

EVERY = 5.0
"""Seconds between two sentences about the same."""

_told: ContextVar[Callable[[str], None] | None] = ContextVar("told", default=None)


@contextmanager
def telling(told: Callable[[str], None]) -> Iterator[None]:
    """Inside the block this is given a sentence now and then."""
    before = _told.set(told)
    try:
        yield
    finally:
        _told.reset(before)


def tell(sentence: str) -> None:
    """Something begins."""
    told = _told.get()
    if told is not None:
        told(sentence)


class Pace:
    """Tells how far one thing has come, every few seconds."""

    def __init__(self, what: str, every: float = EVERY) -> None:
        self._what, self._every, self._began = what, every, time.monotonic()
        self._next = self._began + every

    def tell(self, so_far: Callable[[], float] | None = None) -> None:
        """It goes on. `so_far`: which part of it is done, if anybody knows."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self._every
            tell(f"{self._what}: {now - self._began:.0f} s" + ("" if so_far is None else f", {so_far():.0%} done"))
