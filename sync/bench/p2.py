"""P2: what a change costs in requests, and that it costs the same however many tickets there are.

People change tickets in `a`; one poll finds them and `b` is told. A floor that knows its state by heart asks for one
page of a hundred changes and writes each once.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sync.bench.progress import tell
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.bench.stand import opened, until
from sync.bench.stock import fill
from sync.bootstrap import Interdesk
from sync.poll import poll
from sync.settings import Settings

_SIZES = {"small": ((1_000, 5_000), (0, 10, 100)), "full": ((1_000, 10_000, 100_000), (0, 10, 100, 1_000))}
"""Tickets; changes."""
_AGAIN = 2
"""So often the most changes are made again: whatever else the machine does can only add to their time."""
_PAGE = 100


def run(settings: Settings, size: str) -> Report:
    """One run: every number of changes among every number of tickets."""
    stocks, amounts = _SIZES[size]
    most = amounts[-1]
    wrong: list[str] = []
    seconds: dict[int, float] = {}
    requests: dict[int, int] = {}
    for tickets in stocks:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
            sides = {name: stack.enter_context(Side(name, ("interdesk",))) for name in ("a", "b")}
            for side in sides.values():
                side.stock("interdesk", tickets)
            addresses = {name: side.address("interdesk") for name, side in sides.items()}

            def stocked(desk: Interdesk, tickets: int = tickets) -> None:
                fill(desk, [("a", "b")], tickets)

            desk = stack.enter_context(opened(settings, folder, addresses, before_live=stocked))
            desk.catch_up()  # the lanes alone: nobody polls but this benchmark, which counts the requests
            _poll(desk)
            for number, changes in enumerate((*amounts, *(most,) * _AGAIN)):
                tell(f"{changes} changes among {tickets} tickets")
                taken, requests[changes] = _measure(desk, sides, number, changes, wrong)
                if changes == most:
                    seconds[tickets] = min(taken, seconds.get(tickets, taken))
    per_change = requests[most] / most
    least = (most + -(-most // _PAGE)) / most
    return Report(
        bench="P2",
        size=size,
        metrics={
            "requests_per_change": round(per_change, 4),
            "requests_when_idle": requests[0],
            "ms_per_change": round(seconds[stocks[-1]] / most * 1000, 2),
            "tickets": stocks[-1],
            "changes": most,
        },
        floor={"requests_per_change": round(least, 4)},
        limit={},
        ratio=round(per_change / least, 3),
        target=round(1.05 / least, 3),
        correct=not wrong,
        wrong=tuple(wrong),
        laws={"time with most tickets / with fewest": Law(round(seconds[stocks[-1]] / seconds[stocks[0]], 2), 1.25)},
    )


def _poll(desk: Interdesk) -> None:
    for name in desk.gateways.names():
        poll(desk.means, desk.gateways.get(name))


def _measure(desk: Interdesk, sides: dict[str, Side], number: int, changes: int, wrong: list[str]) -> tuple[float, int]:
    """Seconds from the poll to the last write, and the requests that it took, the poll of `b` left out."""
    edits = [(str(key), f"edit {number} of {key}") for key in range(1, changes + 1)]
    sides["a"].edit("interdesk", edits)
    before = sum(sum(side.counts("interdesk").values()) for side in sides.values())
    written = len(sides["b"].arrived("interdesk"))
    began = time.monotonic()
    poll(desk.means, desk.gateways.get("a"))
    until(lambda: len(sides["b"].arrived("interdesk")) >= written + changes, f"{changes} changes arrive", patience=600)
    seconds = time.monotonic() - began
    until(lambda: all(not c.due for c in desk.store.read(lambda tx: tx.outbox.counts()).values()), "nothing is owed")
    requests = sum(sum(side.counts("interdesk").values()) for side in sides.values()) - before
    arrived = [(key, subject) for key, subject, _ in sides["b"].arrived("interdesk")[written:]]
    if sorted(arrived) != sorted(edits):
        wrong.append(f"{len(edits)} changes were made, and {len(set(arrived) & set(edits))} arrived in {len(arrived)}")
    return seconds, requests
