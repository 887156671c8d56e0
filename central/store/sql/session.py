"""Session: one change's hands on the database, and the counters it moved."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row, bindparam, insert, update

from central.store.api import ReadOnly
from central.store.sql.schema import counters, totals

_MOVE = (
    update(counters)
    .where(counters.c.system == bindparam("of"))
    .values({name: counters.c[name] + bindparam(f"d_{name}") for name in ("links", "disagreements", "due", "dead")})
)
_START = insert(counters)
_ADD = update(totals).where(totals.c.name == bindparam("of")).values(value=totals.c.value + bindparam("more"))
_START_TOTAL = insert(totals)

Params = Mapping[str, Any]


class Session:
    """Runs statements built once; gathers what the counters must move by and moves them in the same transaction."""

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._moves: defaultdict[str, dict[str, int]] = defaultdict(
            lambda: {"links": 0, "disagreements": 0, "due": 0, "dead": 0}
        )
        self._more: defaultdict[str, int] = defaultdict(int)

    def first(self, statement: Executable, params: Params | None = None) -> Row[Any] | None:
        return self._connection.execute(statement, params).first()

    def rows(self, statement: Executable, params: Params | None = None) -> Sequence[Row[Any]]:
        return self._connection.execute(statement, params).all()

    def write(self, statement: Executable, params: Params | Sequence[Params]) -> CursorResult[Any]:
        """:raises ReadOnly: this is a question."""
        if not self._writable:
            raise ReadOnly("a question must not write: use store.write")
        return self._connection.execute(statement, params)

    def add(self, statement: Executable, params: Params) -> int:
        """Insert a row; the number it was given."""
        key = self.write(statement, params).inserted_primary_key
        assert key is not None
        return int(key[0])

    def move(self, system: str, **by: int) -> None:
        """Let the counters of a system move by so much when the change ends."""
        moves = self._moves[system]
        for name, delta in by.items():
            moves[name] += delta

    def grow(self, total: str) -> None:
        """Let a total rise by one when the change ends."""
        self._more[total] += 1

    def settle_counters(self) -> None:
        """Write the counters down: at the end of a change, and before a question about them inside it."""
        for system, moves in self._moves.items():
            if any(moves.values()):
                moved = self.write(_MOVE, {"of": system, **{f"d_{name}": delta for name, delta in moves.items()}})
                if not moved.rowcount:
                    self.write(_START, {"system": system, **moves})
        for total, more in self._more.items():
            if not self.write(_ADD, {"of": total, "more": more}).rowcount:
                self.write(_START_TOTAL, {"name": total, "value": more})
        self._moves.clear()
        self._more.clear()
