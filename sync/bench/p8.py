"""P8: recovery. A long queue, a kill in the middle, and how soon the next process is at work again.

Every ticket was changed at the centre and its tracker was not told; the process is killed when half of them are.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sync.bench.hub import Hub, Plan
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.bench.stand import until
from sync.bench.stock import changed
from sync.bootstrap import Settings

TARGET = 1.0
"""Seconds from the first moment that the new process could work to its first write."""
_SIZES = {"small": (200, 2_000), "full": (100, 100_000)}
"""A short and a long queue."""


def run(settings: Settings, size: str) -> Report:
    """One run: a short queue, then a long one."""
    short, long = _SIZES[size]
    wrong: list[str] = []
    first_short, rate_short, _ = _recover(settings, short, wrong)
    first_long, rate_long, rate_before = _recover(settings, long, wrong)
    return Report(
        bench="P8",
        size=size,
        metrics={
            "first_write_s": round(first_long, 3),
            "per_second": round(rate_long, 1),
            "per_second_before_the_kill": round(rate_before, 1),
            "queue": long,
        },
        floor={"first_write_s": 1.0},
        limit={},
        ratio=round(first_long, 3),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={
            "first write with a long queue / with a short one": Law(round(first_long / first_short, 2), 2.0),
            "time per look with a long queue / with a short one": Law(round(rate_short / rate_long, 2), 1.25),
            "time per look after the kill / before it": Law(round(rate_before / rate_long, 2), 1.11),
        },
    )


def _recover(settings: Settings, queue: int, wrong: list[str]) -> tuple[float, float, float]:
    """Seconds to the first write of the second process, its writes per second until the queue was empty, and those of
    the first process, which nothing had befallen."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        side = stack.enter_context(Side("a", ("interdesk",)))
        side.stock("interdesk", queue)
        plan = Plan({"a": side.address("interdesk")}, routes=[("a", "a")], each=queue, owed=True)
        with Hub(settings, folder, plan) as hub:
            hub.start()
            until(lambda: side.writes("interdesk") >= queue // 2, "half of the queue is done", patience=3600)
            hub.kill()
        before = side.writes("interdesk")
        with Hub(settings, folder, plan) as hub:
            began = time.monotonic()
            hub.start()
            until(lambda: side.writes("interdesk") > before, "the first write", patience=60)
            until(lambda: hub.owed() == 0, "the queue is empty", patience=3600)
            writes = side.arrived("interdesk")
        keys = [key for key, _, _ in writes]
        subjects = side.subjects("interdesk")
        for number in range(1, queue + 1):
            if subjects[str(number)] != changed(number):
                wrong.append(f"the change of ticket {number} was lost")
        if len(set(keys)) != len(keys):
            wrong.append(f"{len(keys) - len(set(keys))} changes were written twice")
        moments = [moment for _, _, moment in writes[before:]]
        # what was under way at the kill waits until it surely is no more: those few come last
        steady = len(moments) * 9 // 10
        undisturbed = [moment for _, _, moment in writes[:before]]
        rate_before = (before - 1) / (undisturbed[-1] - undisturbed[0])
        return moments[0] - began, steady / (moments[steady] - moments[0]), rate_before
