"""P4: latency where no hint comes and only the poll finds a change.

A change waits for the next poll, half an interval on average and a whole one at worst. What counts is what comes on
top: from that poll to the write, and by how much a poll is late. Each poll reaches back five intervals, as it does by
default, and lists again what was changed in them.
"""

import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from sync.bench.hub import Hub, Plan
from sync.bench.progress import tell
from sync.bench.report import Report, spread
from sync.bench.sides import Side
from sync.bench.stand import until
from sync.settings import Settings

TARGET = 1.0
_ALLOWED_MS = 20.0
_SIZES = {"small": (2, 120), "full": (5, 600)}
"""Seconds between polls; changes."""
_PACE = 0.145898
"""Of an interval between two changes: with this number their moments fall evenly over the interval."""


def run(settings: Settings, size: str) -> Report:
    """One run."""
    interval, changes = _SIZES[size]
    wrong: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        sides = {name: stack.enter_context(Side(name, ("interdesk",))) for name in ("a", "b")}
        for side in sides.values():
            side.stock("interdesk", changes)
        addresses = {name: side.address("interdesk") for name, side in sides.items()}
        overlap = f"{5 * interval}s"
        plan = Plan(addresses, every=f"{interval}s", overlap=overlap, routes=[("a", "b")], each=changes)
        hub = stack.enter_context(Hub(settings, folder, plan))
        hub.start()
        edits = [(str(number), f"edit of {number}") for number in range(1, changes + 1)]
        sides["a"].begin("interdesk", edits, interval * _PACE)
        tell(f"{changes} edits within {changes * interval * _PACE:.0f} s")
        made = sides["a"].finish()
        until(lambda: len(sides["b"].arrived("interdesk")) >= changes, "every edit arrives", patience=600)
        arrived = sides["b"].arrived("interdesk")
        polls = sides["a"].polls("interdesk")
    if sorted((key, subject) for key, subject, _ in arrived) != sorted(edits):
        wrong.append(f"{changes} edits were made, {len(arrived)} writes arrived, not one of each")
    waits = [moment - min(each for each in polls if each >= made[subject]) for _, subject, moment in arrived]
    measured = spread(waits)
    late = max(0.0, max(after - before for before, after in pairwise(polls)) - interval) * 1000
    above = {
        "above_p50_ms": measured["p50_ms"],
        "above_p99_ms": round(measured["p99_ms"] + late, 2),
    }
    return Report(
        bench="P4",
        size=size,
        metrics={**above, "interval_s": interval, "changes": changes},
        floor=dict.fromkeys(above, _ALLOWED_MS),
        limit={},
        ratio=round(max(above.values()) / _ALLOWED_MS, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
    )
