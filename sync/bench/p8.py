"""P8: recovery. A long queue, a kill in the middle, and how soon the next process is at work again.

Every ticket was changed at the centre and its tracker was not told; the process is killed when half of them are.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sync.bench.hub import Hub, Plan
from sync.bench.progress import tell
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.bench.stand import until
from sync.bench.stock import changed
from sync.settings import Settings

TARGET = 1.0
"""Seconds from the first moment that the new process could work to its first write."""
_SIZES = {"small": (200, 1_000), "full": (100, 100_000)}
"""A short and a long queue."""


def run(settings: Settings, size: str) -> Report:
    """One run: a short queue, then a long one."""
    short, long = _SIZES[size]
    wrong: list[str] = []
    with ExitStack() as stack:
        few, many = (_Queue(stack, settings, length) for length in (short, long))
        tell("a short queue, killed half-way, then a long one")
        first_few, rate_few, _ = few.recover()
        first_many, rate_many, rate_before = many.recover()
        for queue in (few, many):
            queue.end(wrong)
    return Report(
        bench="P8",
        size=size,
        metrics={
            "first_write_s": round(first_many, 3),
            "per_second": round(rate_many, 1),
            "per_second_before_the_kill": round(rate_before, 1),
            "queue": long,
        },
        floor={"first_write_s": 1.0},
        limit={},
        ratio=round(first_many, 3),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={
            "first write with a long queue / with a short one": Law(round(first_many / first_few, 2), 2.0),
            "time per look with a long queue / with a short one": Law(round(rate_few / rate_many, 2), 1.25),
            "time per look after the kill / before it": Law(round(rate_before / rate_many, 2), 1.11),
        },
    )


class _Queue:
    """Tickets that were changed at the centre, a tracker that was not told, and who goes on after a kill."""

    def __init__(self, stack: ExitStack, settings: Settings, length: int) -> None:
        self._stack, self._settings, self._length = stack, settings, length
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        self._side = stack.enter_context(Side("a", ("interdesk",)))
        self._side.stock("interdesk", length)
        self._plan = Plan({"a": self._side.address("interdesk")}, routes=[("a", "a")], each=length, owed=True)

    def recover(self) -> tuple[float, float, float]:
        """Seconds to the first write of the second process, its writes per second, and those of the first process,
        which nothing had befallen.

        What was under way at the kill waits until it surely is no more: those few are left to `end`."""
        hub = self._stack.enter_context(self._hub())
        hub.start()
        until(
            lambda: self._written() >= self._length // 2, "half of the queue is done", patience=3600, so_far=self._part
        )
        hub.kill()
        before = self._written()
        self._second = self._stack.enter_context(self._hub())
        began = time.monotonic()
        self._second.start()
        until(lambda: self._written() > before, "the first write", patience=600)
        steady = (self._length - before) * 9 // 10
        until(
            lambda: self._written() > before + steady,
            "nearly all of the queue is done",
            patience=3600,
            so_far=self._part,
        )
        moments = [moment for _, _, moment in self._side.arrived("interdesk")]
        earlier, later = moments[:before], moments[before:]
        rate_before = (before - 1) / (earlier[-1] - earlier[0])
        return later[0] - began, steady / (later[steady] - later[0]), rate_before

    def end(self, wrong: list[str]) -> None:
        """Wait until nothing is owed; what was lost or done twice is wrong."""
        until(lambda: self._second.owed() == 0, "the queue is empty", patience=3600)
        keys = [key for key, _, _ in self._side.arrived("interdesk")]
        subjects = self._side.subjects("interdesk")
        for number in range(1, self._length + 1):
            if subjects[str(number)] != changed(number):
                wrong.append(f"the change of ticket {number} was lost")
        if len(set(keys)) != len(keys):
            wrong.append(f"{len(keys) - len(set(keys))} changes were written twice")

    def _hub(self) -> Hub:
        return Hub(self._settings, self._folder, self._plan)

    def _written(self) -> int:
        return self._side.writes("interdesk")

    def _part(self) -> float:
        return self._written() / self._length
