"""Ledger: by how much the kept counters have to move.

Everybody moves the same few counters, so they are written last, just before the commit, and in one order: whoever
waits for one holds it only for the length of a commit, and no two wait for one another.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql

from central.store.sql.prepared import Params, Prepared
from central.store.sql.schema import counters, totals

COUNTED = ("links", "disagreements", "due", "dead", "held", "discarded")


def _moving(table: Table, *columns: str) -> Prepared:
    """Add to a row's numbers, or make the row. SQLite says it alike."""
    row = postgresql.insert(table).values({column.name: bindparam(column.name) for column in table.c})
    moved = {name: table.c[name] + row.excluded[name] for name in columns}
    return Prepared(row.on_conflict_do_update(index_elements=list(table.primary_key), set_=moved))


_MOVE = _moving(counters, *COUNTED)
_GROW = _moving(totals, "value")


class Ledger:
    """Moves that are not written yet: of one change, or of the whole group of changes it is one of."""

    def __init__(self) -> None:
        self.moves: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
        self.more: defaultdict[str, int] = defaultdict(int)

    def move(self, system: str, **by: int) -> None:
        """The counters of a system move by so much."""
        moves = self.moves[system]
        for name, delta in by.items():
            moves[name] += delta

    def grow(self, total: str, by: int = 1) -> None:
        """A total rises."""
        self.more[total] += by

    def add(self, other: "Ledger") -> None:
        """Take over another one's moves."""
        for system, moves in other.moves.items():
            self.move(system, **moves)
        for total, more in other.more.items():
            self.grow(total, more)

    def clear(self) -> None:
        """They are written."""
        self.moves.clear()
        self.more.clear()

    def statements(self) -> Iterator[tuple[Prepared, Params]]:
        """What writes them, in the order that everybody keeps."""
        for system, moves in sorted(self.moves.items()):
            if any(moves.values()):
                row: dict[str, Any] = {"system": system, **moves}
                yield _MOVE, row
        for total, more in sorted(self.more.items()):
            yield _GROW, {"name": total, "value": more}
