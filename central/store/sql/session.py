"""Session: one change's hands on the database, and the counters it moved."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import Dialect, bindparam, update

from central.store.api import ReadOnly
from central.store.sql.prepared import Params, Prepared, adding
from central.store.sql.schema import counters, totals

_COUNTED = ("links", "disagreements", "due", "dead", "held")
_MOVE = Prepared(
    update(counters)
    .where(counters.c.system == bindparam("of"))
    .values({name: counters.c[name] + bindparam(f"by_{name}") for name in _COUNTED})
)
_START = adding(counters)
_ADD = Prepared(update(totals).where(totals.c.name == bindparam("of")).values(value=totals.c.value + bindparam("more")))
_START_TOTAL = adding(totals)


class Driver(Protocol):
    """What is used of a database driver's connection."""

    def execute(self, sql: str, values: Any = ..., /) -> Any: ...


class Session:
    """Runs prepared statements; gathers what the counters must move by and moves them in the same transaction."""

    def __init__(self, driver: Driver, dialect: Dialect, *, writable: bool) -> None:
        self._driver = driver
        self._dialect = dialect
        self._writable = writable
        self._moves: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED, 0))
        self._more: defaultdict[str, int] = defaultdict(int)

    def first(self, statement: Prepared, params: Params) -> Any:
        """The first row, with its columns as attributes; None: there is none."""
        compiled = statement.on(self._dialect)
        row = self._driver.execute(compiled.sql, compiled.values(params)).fetchone()
        return None if row is None else compiled.read(row)

    def rows(self, statement: Prepared, params: Params) -> list[Any]:
        """Every row, with its columns as attributes."""
        compiled = statement.on(self._dialect)
        return [compiled.read(row) for row in self._driver.execute(compiled.sql, compiled.values(params)).fetchall()]

    def write(self, statement: Prepared, params: Params) -> int:
        """Write, and say how many rows it met.

        :raises ReadOnly: this is a question."""
        compiled = statement.on(self._dialect)
        met: int = self._execute(compiled.sql, compiled.values(params)).rowcount
        return met

    def add(self, statement: Prepared, params: Params) -> int:
        """Insert a row (`adding`); the number it was given."""
        compiled = statement.on(self._dialect)
        number: int = self._execute(compiled.sql, compiled.values(params)).fetchone()[0]
        return number

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
            if any(moves.values()) and not self.write(_MOVE, {"of": system} | _by(moves.items())):
                self.write(_START, {"system": system, **moves})
        for total, more in self._more.items():
            if not self.write(_ADD, {"of": total, "more": more}):
                self.write(_START_TOTAL, {"name": total, "value": more})
        self._moves.clear()
        self._more.clear()

    def _execute(self, sql: str, values: Any) -> Any:
        if not self._writable:
            raise ReadOnly("a question must not write: use store.write")
        return self._driver.execute(sql, values)


def _by(moves: Iterable[tuple[str, int]]) -> dict[str, Any]:
    return {f"by_{name}": delta for name, delta in moves}
