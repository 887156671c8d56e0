"""P9: flat memory. The same tickets change again and again; neither memory nor the time of a change grows with that.

What is kept of a change for ever is its history (`ticket why` reads it), and of the store nothing else may grow: what
was owed, its leases and its intents are gone once a look is done, what guards remember is bounded by tickets and hours.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from sync.bench.hub import Hub, Plan
from sync.bench.progress import tell
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.bench.stand import until
from sync.settings import Settings

TARGET = 1.0
_ALLOWED_MB = 5.0
_HISTORY = "events"
_BY_THE_HOUR = 20
"""Rows that what is counted by the hour may add in a run."""
_SIZES = {"small": (50, 1_000, 4), "full": (10_000, 100_000, 10)}
"""Tickets; events per stretch; stretches."""


def run(settings: Settings, size: str) -> Report:
    """One run: memory, time and store of the first stretch against the last."""
    tickets, events, stretches = _SIZES[size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        side = stack.enter_context(Side("a", ("interdesk",)))
        side.stock("interdesk", tickets)
        plan = Plan({"a": side.address("interdesk")}, routes=[("a", "a")], each=tickets)
        hub = stack.enter_context(Hub(settings, folder, plan))
        hub.start()
        seconds, resident, stores = [], [], [_store(folder)]
        for stretch in range(1, stretches + 1):
            tell(f"stretch {stretch} of {stretches}: {events} changes")
            seconds.append(hub.change(events, tickets))
            until(lambda: hub.owed() == 0, "everybody was told", patience=900)
            resident.append(hub.usage().rss_mb)
            stores.append(_store(folder))
        told = side.subjects("interdesk")
        wrong = [f"ticket {key} is still {subject!r} there" for key, subject in told.items() if "change" not in subject]
    wrong += grown_beside_history(stores[1].rows, stores[-1].rows)
    grown = resident[-1] - resident[0]
    early, late = (stores[after].size - stores[after - 1].size for after in (2, -1))
    return Report(
        bench="P9",
        size=size,
        metrics={
            "grown_mb": round(grown, 1),
            "rss_mb": round(resident[-1], 1),
            "events": events * stretches,
            "us_per_event": round(seconds[-1] / events * 1e6),
            "bytes_per_event": round(late / events),
        },
        floor={"grown_mb": _ALLOWED_MB},
        limit={},
        ratio=round(grown / _ALLOWED_MB, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={
            "time of a late event / of an early one": Law(round(seconds[-1] / seconds[0], 2), 1.1),
            "store grown by a late event / by an early one": Law(round(late / early, 2), 1.1),
        },
    )


@dataclass(frozen=True, slots=True)
class _Store:
    """What the store holds: bytes, and the rows of each table."""

    size: int
    rows: Mapping[str, int]


def _store(folder: Path) -> _Store:
    with closing(sqlite3.connect(folder / "interdesk.db")) as db:
        ((size,),) = db.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
    return _Store(size, rows)


def grown_beside_history(early: Mapping[str, int], late: Mapping[str, int]) -> Iterator[str]:
    """Tables that grew with the changes, though they are not the history."""
    for table, rows in late.items():
        if table != _HISTORY and rows > early.get(table, 0) + _BY_THE_HOUR:
            yield f"{table} grew from {early.get(table, 0)} to {rows} rows while the same tickets changed"
