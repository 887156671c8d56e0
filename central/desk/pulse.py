"""The mesh as it changes: one look at the store every few seconds for the whole process, however many watch."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from central.desk.views.mesh import Overview
from central.traffic import STEP, Minute, an_hour_before, hour, minute_of

EVERY = timedelta(seconds=2)
_EVER = timedelta(days=3650)
"""What happened last in a system that stands still is remembered, however long ago that was."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Beat:
    """What one look saw, and how the queues have been."""

    number: int
    overview: Overview
    trails: Mapping[str, tuple[int, ...]]
    """System -> the most looks that it was owed in each minute of the last hour, whichever process made them."""


class TooMany(Exception):
    """As many watch already as this process bears."""


class Pulse:
    """Looks at the mesh, and wakes whoever watches it. Use it in a `with`: while that lasts it looks by itself."""

    def __init__(
        self,
        look: Callable[[], Overview],
        traffic: Callable[[datetime], Sequence[Minute]],
        *,
        every: timedelta = EVERY,
        watchers: int = 256,
    ) -> None:
        """`traffic`: what is known of every system from then on. `watchers`: so many at most at a time."""
        self._look, self._traffic, self._every, self._most = look, traffic, every, watchers
        self._lock = threading.Lock()
        self._beat: Beat | None = None
        self._trails = _Trails()
        self._told_at: datetime | None = None
        """Up to when they are known."""
        self._watching: dict[object, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._wake()
        self._thread.join()

    @property
    def full(self) -> bool:
        """Whether no more may watch now."""
        return len(self._watching) >= self._most

    def beat(self) -> Beat:
        """Look at once, and let everybody know."""
        seen = self._look()
        with self._lock:
            trails = self._remember(seen)
            number = self._beat.number + 1 if self._beat else 1
            self._beat = beat = Beat(number, seen, trails)
        self._wake()
        return beat

    async def beats(self, *, lasting: timedelta) -> AsyncIterator[Beat | None]:
        """Every beat from now on; None where nothing came for a while. It ends after `lasting`, or with the process.

        :raises TooMany: before the first."""
        key, event, loop = object(), asyncio.Event(), asyncio.get_running_loop()
        if self.full:
            raise TooMany
        self._watching[key] = (loop, event)
        try:
            end = loop.time() + lasting.total_seconds()
            told = 0
            while not self._over.is_set() and (left := end - loop.time()) > 0:
                event.clear()
                beat = self._beat
                if beat is not None and beat.number > told:
                    told = beat.number
                    yield beat
                    continue
                try:
                    await asyncio.wait_for(event.wait(), min(left, 15))
                except TimeoutError:
                    yield None
        finally:
            del self._watching[key]

    def _run(self) -> None:
        while not self._over.wait(self._every.total_seconds()):
            try:
                self.beat()
            except Exception as problem:  # noqa: BLE001  # the database may be away for a while: whoever watches waits
                _log.warning("the mesh could not be looked at: %s", type(problem).__name__)

    def _wake(self) -> None:
        for loop, event in list(self._watching.values()):
            with suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(event.set)

    def _remember(self, seen: Overview) -> Mapping[str, tuple[int, ...]]:
        """Ask for what is not known yet; how the queues have been. Under the lock."""
        since = seen.at - _EVER if self._told_at is None else minute_of(self._told_at) - STEP
        self._trails.learn(self._traffic(since))
        self._told_at = seen.at
        return self._trails.up_to(seen)


class _Trails:
    """How the queues have been: of three hundred systems, only those are looked at again of which something is new."""

    def __init__(self) -> None:
        self._minutes: dict[str, dict[datetime, Minute]] = {}
        """System -> its minutes of the last hour, and one before that."""
        self._drawn: dict[str, tuple[int, ...]] = {}
        """System -> its trail, where nothing has come to it since it was drawn."""
        self._begins_at: datetime | None = None
        """When the first minute began of those that are drawn."""

    def learn(self, minutes: Iterable[Minute]) -> None:
        """More is known, or what was known is told anew."""
        for minute in minutes:
            known = self._minutes.setdefault(minute.system, {})
            if known.get(minute.at) != minute:
                known[minute.at] = minute
                self._drawn.pop(minute.system, None)

    def up_to(self, seen: Overview) -> Mapping[str, tuple[int, ...]]:
        """The trail of each system of which anything is known, or to which anything is owed now."""
        if self._begins_at != an_hour_before(seen.at):
            self._begins_at, self._drawn = an_hour_before(seen.at), {}
        trails = {}
        for system in seen.systems:
            if system.name in self._minutes or system.due:
                *before, last = self._drawn.get(system.name) or self._draw(system.name, seen.at, self._begins_at)
                trails[system.name] = (*before, max(last, system.due))
        return trails

    def _draw(self, system: str, at: datetime, begins_at: datetime) -> tuple[int, ...]:
        known = self._minutes.get(system, {})
        for old in [each for each in known if each < begins_at][:-1]:
            del known[old]
        trail = self._drawn[system] = tuple(each.most_due for each in hour(known.values(), system, at))
        return trail
