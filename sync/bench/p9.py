"""P9: flat memory. The same tickets change again and again; neither memory nor the time of a change grows with that."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from sync.bench.hub import Hub, Plan
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.bench.stand import until
from sync.bootstrap import Settings

TARGET = 1.0
_ALLOWED_MB = 5.0
_SIZES = {"small": (50, 1_000, 4), "full": (10_000, 100_000, 10)}
"""Tickets; events per stretch; stretches."""


def run(settings: Settings, size: str) -> Report:
    """One run: memory and time of the first stretch against the last."""
    tickets, events, stretches = _SIZES[size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        side = stack.enter_context(Side("a", ("interdesk",)))
        side.stock("interdesk", tickets)
        plan = Plan({"a": side.address("interdesk")}, routes=[("a", "a")], each=tickets)
        hub = stack.enter_context(Hub(settings, folder, plan))
        hub.start()
        seconds, resident = [], []
        for _ in range(stretches):
            seconds.append(hub.change(events, tickets))
            until(lambda: hub.owed() == 0, "everybody was told", patience=900)
            resident.append(hub.usage().rss_mb)
        told = side.subjects("interdesk")
        wrong = [f"ticket {key} is still {subject!r} there" for key, subject in told.items() if "change" not in subject]
    grown = resident[-1] - resident[0]
    return Report(
        bench="P9",
        size=size,
        metrics={
            "grown_mb": round(grown, 1),
            "rss_mb": round(resident[-1], 1),
            "events": events * stretches,
            "us_per_event": round(seconds[-1] / events * 1e6),
        },
        floor={"grown_mb": _ALLOWED_MB},
        limit={},
        ratio=round(grown / _ALLOWED_MB, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={"time of a late event / of an early one": Law(round(seconds[-1] / seconds[0], 2), 1.1)},
    )
