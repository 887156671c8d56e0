"""Session: one change's hands on the database, the counters it moves, and what it has seen of the rows it rewrites."""

from collections.abc import Hashable
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Dialect

from central.store.api import ReadOnly
from central.store.sql.ledger import Ledger
from central.store.sql.prepared import Params, Prepared


class Raced(Exception):
    """Somebody else has changed what this change has read and means to rewrite: run it again."""


class Driver(Protocol):
    """What is used of a database driver's connection."""

    def execute(self, sql: Any, values: Any = ..., /) -> Any: ...


class Session:
    """Runs prepared statements; gathers what the counters must move by, to be moved in the same transaction.

    `earlier` holds the moves of changes before this one in the same transaction, which are not written yet either.
    """

    def __init__(self, driver: Driver, dialect: Dialect, *, writable: bool, earlier: Ledger | None = None) -> None:
        self._driver = driver
        self._dialect = dialect
        self._writable = writable
        self._earlier = earlier or Ledger()
        self._ledger = Ledger()
        self._wrote_earlier = False
        self._seen: dict[Hashable, object] = {}

    def first(self, statement: Prepared, params: Params) -> Any:
        """The first row, with its columns as attributes; None: there is none."""
        compiled = statement.on(self._dialect, holding=self._writable)
        row = self._driver.execute(compiled.sql, compiled.values(params)).fetchone()
        return None if row is None else compiled.read(row)

    def rows(self, statement: Prepared, params: Params) -> list[Any]:
        """Every row, with its columns as attributes."""
        compiled = statement.on(self._dialect, holding=self._writable)
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

    def find_room(self, statement: Prepared, params: Params) -> int | None:
        """Insert a row (`adding_unless_there`); the number it was given, None: another one is in its place."""
        compiled = statement.on(self._dialect)
        row = self._execute(compiled.sql, compiled.values(params)).fetchone()
        return None if row is None else int(row[0])

    def saw(self, what: Hashable, content: object) -> None:
        """A row that this change may rewrite later was read without holding it."""
        if self._writable:
            self._seen.setdefault(what, content)

    def rewrites(self, what: Hashable, now: object, then: object) -> None:
        """That row, held by now, is about to be rewritten.

        :raises Raced: it is not what this change has seen."""
        if self._seen.get(what, now) != now:
            raise Raced(f"{what} has changed meanwhile")
        self._seen[what] = then

    def move(self, system: str, **by: int) -> None:
        """Let the counters of a system move by so much when the transaction ends."""
        self._ledger.move(system, **by)

    def happen(self, system: str, at: datetime, **more: int) -> None:
        """Let the traffic of a system in the minute of this moment rise by so much when the transaction ends."""
        self._ledger.happen(system, at, **more)

    def grow(self, total: str) -> None:
        """Let a total rise by one when the transaction ends."""
        self._ledger.grow(total)

    def settle_counters(self) -> None:
        """Write the counters down before a question about them inside a change."""
        if not self._wrote_earlier:
            self._ledger.add(self._earlier)
            self._wrote_earlier = True
        self.write_down(self._ledger)

    def end(self) -> None:
        """The change has come to its end: what it moved is the transaction's to write."""
        if self._wrote_earlier:
            self._earlier.clear()
        self._earlier.add(self._ledger)

    def write_down(self, ledger: Ledger) -> None:
        """Write these moves, and forget them."""
        for statement, params in ledger.statements():
            self.write(statement, params)
        ledger.clear()

    def _execute(self, sql: str, values: Any) -> Any:
        if not self._writable:
            raise ReadOnly("a question must not write: use store.write")
        return self._driver.execute(sql, values)
