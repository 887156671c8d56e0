"""Bounded threads for every system, each with a lane of its own: one slow system never slows another.

One lane of a system at a time looks out for work; as soon as it has some, the next one looks out. So a wake-up makes
one lane ask the database, however many there are; and whoever has work takes up the next with the commit that ends it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from central.store.api import StoreError
from sync import logs
from sync.bus.api import Bus
from sync.gateway import Gateways
from sync.lane import Lane, Taken
from sync.remedies import FIRST_WAIT, LONGEST_WAIT

log = structlog.get_logger("interdesk.worker")


@dataclass(slots=True)
class _Lookout:
    """What the lanes of one system know together; whoever holds the lock looks out for work."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    position: int = -1
    """Of the bus, before the database was asked last."""
    asked_at: datetime | None = None
    more: bool = True
    """Whether something may be due of which nobody is told any more."""
    ahead: Taken | None = None
    """What was taken up last and tells when the next thing is due, unless that was asked since."""


class Worker:
    """Runs the lanes of all systems on threads, woken by the bus, never polling."""

    def __init__(
        self, lanes: Callable[[str], Lane], bus: Bus, gateways: Gateways, clock: Callable[[], datetime]
    ) -> None:
        self._lanes, self._bus, self._gateways, self._clock = lanes, bus, gateways, clock
        self._stopping = threading.Event()
        self._threads: dict[str, list[threading.Thread]] = {}
        self._lookouts: dict[str, _Lookout] = {}

    def dead_lanes(self) -> list[str]:
        """The systems of which a lane has ended though nobody told it to."""
        if self._stopping.is_set():
            return []
        return [name for name, threads in tuple(self._threads.items()) if not all(each.is_alive() for each in threads)]

    def ensure_lanes(self) -> None:
        """Start lanes for the systems that have none yet; one that cannot be used as it stands waits."""
        for name in self._gateways.names():
            try:
                in_flight = self._gateways.get(name).in_flight
            except LookupError:
                continue
            running = self._threads.setdefault(name, [])
            lookout = self._lookouts.setdefault(name, _Lookout())
            for number in range(len(running), in_flight):
                thread = threading.Thread(
                    target=self._run, args=(name, lookout), name=f"lane-{name}-{number}", daemon=True
                )
                thread.start()
                running.append(thread)

    def stop(self, timeout: float = 30.0) -> None:
        """Let each lane finish the look it is at."""
        self._stopping.set()
        for name in self._threads:
            self._bus.wake(name)
        for threads in self._threads.values():
            for thread in threads:
                thread.join(timeout)

    def _run(self, system: str, lookout: _Lookout) -> None:
        lane = self._lanes(system)
        while not self._stopping.is_set():
            with lookout.lock:
                taken = self._look_out(lane, lookout)
            while taken is not None:
                try:
                    _, taken = lane.carry_out(taken, further=not self._stopping.is_set())
                except Exception as problem:  # noqa: BLE001  # told
                    taken = None
                    _tell(system, problem)
            while not lane.close() and not self._stopping.wait(FIRST_WAIT.total_seconds()):
                pass

    def _look_out(self, lane: Lane, lookout: _Lookout) -> Taken | None:
        """Wait until something is due, and take it up; None: this is the end."""
        while not self._stopping.is_set():
            try:
                if not lookout.more:
                    self._sleep(lane, lookout)
                    lookout.more = True
                    continue
                lookout.position = self._bus.position(lane.system)
                lookout.asked_at = self._clock()
                taken = lane.take()
                lookout.more = taken is not None and taken.claim.more
                # a try at a system that is out moves the time of the next one
                lookout.ahead = None if taken is None or taken.in_turn else taken
                if taken is not None:
                    return taken
            except Exception as problem:  # noqa: BLE001  # told
                lookout.more = True
                wait = _tell(lane.system, problem)
                self._bus.wait(lane.system, self._bus.position(lane.system), wait.total_seconds())
        return None

    def _sleep(self, lane: Lane, lookout: _Lookout) -> None:
        """Until somebody says that there is something to do, or the time for it comes."""
        ahead, lookout.ahead = lookout.ahead, None
        due = lane.next_due_at(after=lookout.asked_at) if ahead is None else ahead.next_due_at
        wait = None if due is None else max(0.001, (due - self._clock()).total_seconds())
        self._bus.wait(lane.system, lookout.position, wait)


def _tell(system: str, problem: Exception) -> timedelta:
    """Say what went wrong; how long the lane waits. Nothing was lost: what is owed is still owed."""
    if isinstance(problem, StoreError):
        log.warning("the store could not take this", system=system, error=logs.told(problem))
        return FIRST_WAIT
    log.error("a lane stumbled over a bug of interdesk; please report it", system=system, exc_info=problem)
    return LONGEST_WAIT
