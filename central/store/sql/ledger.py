"""Ledger: by how much the kept counters have to move.

Everybody moves the same few counters, so they are written last, just before the commit, and in one order: whoever
waits for one holds it only for the length of a commit, and no two wait for one another.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, case, func, select
from sqlalchemy.dialects import postgresql

from central.store.sql.prepared import Params, Prepared
from central.store.sql.schema import counters, totals, traffic
from central.traffic import minute_of, slot_of

COUNTED = ("links", "disagreements", "due", "dead", "held", "discarded")
HAPPENING = ("inward", "outward", "failed")


def _moving(table: Table, *columns: str) -> Prepared:
    """Add to a row's numbers, or make the row. SQLite says it alike."""
    row = postgresql.insert(table).values({column.name: bindparam(column.name) for column in table.c})
    moved = {name: table.c[name] + row.excluded[name] for name in columns}
    return Prepared(row.on_conflict_do_update(index_elements=list(table.primary_key), set_=moved))


def _happening() -> Prepared:
    """Add to a minute, or begin it in the place of the one an hour before; what is owed now is in the counters."""
    owed = select(counters.c.due).where(counters.c.system == bindparam("system")).scalar_subquery()
    given = ("system", "slot", "at", *HAPPENING)
    row = postgresql.insert(traffic).values(
        {name: bindparam(name) for name in given} | dict.fromkeys(("most_due", "due"), func.coalesce(owed, 0))
    )
    new, same = row.excluded, traffic.c.at == row.excluded.at
    more = {name: case((same, traffic.c[name] + new[name]), else_=new[name]) for name in HAPPENING}
    most = case((same & (traffic.c.most_due > new.due), traffic.c.most_due), else_=new.due)
    changed = {"at": new.at, "most_due": most, "due": new.due}
    return Prepared(row.on_conflict_do_update(index_elements=list(traffic.primary_key), set_=more | changed))


_MOVE = _moving(counters, *COUNTED)
_GROW = _moving(totals, "value")
_HAPPENED = _happening()


class Ledger:
    """Moves that are not written yet: of one change, or of the whole group of changes it is one of."""

    def __init__(self) -> None:
        self.moves: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
        self.more: defaultdict[str, int] = defaultdict(int)
        self.happened: defaultdict[tuple[str, datetime], dict[str, int]] = defaultdict(
            lambda: dict.fromkeys(HAPPENING, 0)
        )
        """By system and minute."""

    def move(self, system: str, **by: int) -> None:
        """The counters of a system move by so much."""
        moves = self.moves[system]
        for name, delta in by.items():
            moves[name] += delta

    def grow(self, total: str, by: int = 1) -> None:
        """A total rises."""
        self.more[total] += by

    def happen(self, system: str, at: datetime, **more: int) -> None:
        """Something went on with a system in the minute of this moment."""
        happened = self.happened[system, minute_of(at)]
        for name, number in more.items():
            happened[name] += number

    def add(self, other: "Ledger") -> None:
        """Take over another one's moves."""
        for system, moves in other.moves.items():
            self.move(system, **moves)
        for total, more in other.more.items():
            self.grow(total, more)
        for (system, minute), happened in other.happened.items():
            self.happen(system, minute, **happened)

    def clear(self) -> None:
        """They are written."""
        self.moves.clear()
        self.more.clear()
        self.happened.clear()

    def statements(self) -> Iterator[tuple[Prepared, Params]]:
        """What writes them, in the order that everybody keeps."""
        for system, moves in sorted(self.moves.items()):
            if any(moves.values()):
                row: dict[str, Any] = {"system": system, **moves}
                yield _MOVE, row
        for total, more in sorted(self.more.items()):
            yield _GROW, {"name": total, "value": more}
        for (system, minute), happened in sorted(self.happened.items()):  # after the counters: they say what is owed
            yield _HAPPENED, {"system": system, "slot": slot_of(minute), "at": minute, **happened}
