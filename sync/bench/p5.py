"""P5: sustained work. Everybody edits at once, in one system, in ten, in three hundred; durable commits, webhooks.

The floor hub takes the same edits in the same run.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from sync.bench.floor import Floor, Route
from sync.bench.hub import Hub, Plan
from sync.bench.progress import tell
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.bench.stand import HOOK_KEY, until
from sync.settings import Settings

TARGET = 2.0
_SIZES = {"small": ((1, 10), 600), "full": ((1, 10, 300), 12_000)}
"""Systems on each side; changes."""


def run(settings: Settings, size: str) -> Report:
    """One run: the floor, then interdesk with few and with many systems."""
    widths, changes = _SIZES[size]
    wrong: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        floor_rate, floor_cpu = _floor(stack, folder, changes, wrong)
    ours = {}
    for width in widths:
        tell(f"{changes} changes in {width} systems")
        ours[width] = _ours(settings, width, changes, wrong)
    rate, cpu = ours[widths[0]]
    return Report(
        bench="P5",
        size=size,
        metrics={
            "changes_per_s": round(rate, 1),
            "cpu_ms_per_change": round(cpu, 2),
            **{f"changes_per_s_{width}_systems": round(ours[width][0], 1) for width in widths[1:]},
        },
        floor={"changes_per_s": round(floor_rate, 1), "cpu_ms_per_change": round(floor_cpu, 2)},
        limit={},
        ratio=round(floor_rate / rate, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={
            "processor time / the floor's": Law(round(cpu / floor_cpu, 2), 2.0),
            **{
                f"rate with one system / with {width}": Law(round(rate / ours[width][0], 2), 1.11)
                for width in widths[1:]
            },
        },
    )


def _floor(stack: ExitStack, folder: Path, changes: int, wrong: list[str]) -> tuple[float, float]:
    sides = {name: stack.enter_context(Side(name, ("floor",))) for name in ("a", "b")}
    for side in sides.values():
        side.stock("floor", changes)
    keys = {str(number): str(number) for number in range(1, changes + 1)}
    hub = stack.enter_context(Floor({"a": Route(sides["b"].address("floor"), keys)}, folder=folder, bare=False))
    sides["a"].hook("floor", f"{hub.url}/a", "")
    return _burst(sides["a"], sides["b"], {"floor": "floor"}, changes, hub.cpu, wrong, "floor: ")


def _ours(settings: Settings, width: int, changes: int, wrong: list[str]) -> tuple[float, float]:
    """Changes per second from the first edit to the last write, and milliseconds of processor time for each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        routes = [(f"a{number}", f"b{number}") for number in range(width)]
        left = stack.enter_context(Side("a", [a for a, _ in routes]))
        right = stack.enter_context(Side("b", [b for _, b in routes]))
        each = changes // width
        for a, b in routes:
            left.stock(a, each)
            right.stock(b, each)
        addresses = {a: left.address(a) for a, _ in routes} | {b: right.address(b) for _, b in routes}
        hub = stack.enter_context(Hub(settings, folder, Plan(addresses, routes=routes, each=each)))
        for a, _ in routes:
            left.hook(a, f"{hub.url}/hooks/{a}", HOOK_KEY)
        hub.start()
        until(lambda: hub.owed() == 0, "it is at rest")
        return _burst(left, right, dict(routes), each, lambda: hub.usage().cpu_s, wrong, "")


def _burst(
    left: Side,
    right: Side,
    routes: Mapping[str, str],
    each: int,
    cpu: Callable[[], float],
    wrong: list[str],
    who: str,
) -> tuple[float, float]:
    """Edit every ticket of every left tracker once, and wait until the right ones know."""
    edits: Sequence[tuple[str, str]] = [(str(number), f"edit of {number}") for number in range(1, each + 1)]
    used, began = cpu(), time.monotonic()
    for a in routes:
        left.edit(a, edits)
    for b in routes.values():
        what = f"{who}every edit arrives in {b}"
        until(lambda b=b: right.writes(b) >= each, what, patience=900, so_far=lambda b=b: right.writes(b) / each)  # type: ignore[misc]  # bound now
    last = max(moment for b in routes.values() for _, _, moment in right.arrived(b))
    for b in routes.values():
        arrived = sorted((key, subject) for key, subject, _ in right.arrived(b))
        if arrived != sorted(edits):
            wrong.append(f"{who}{b}: {each} edits were made, {len(arrived)} writes arrived, not one of each")
    changes = each * len(routes)
    return changes / (last - began), (cpu() - used) / changes * 1000
