"""Prepared: a statement built by SQLAlchemy, compiled once, run at the driver.

SQLAlchemy writes the SQL and knows the types; running it there would cost ten times what SQLite needs for the work
(20 us against 2 for a row by its key).
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Select, Table, bindparam, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

Params = Mapping[str, Any]
Convert = Callable[[Any], Any] | None


class Lock(Enum):
    """What a change does, until it is committed, to the rows that it reads, where changes run side by side.

    SQLite runs one change at a time and holds everything. A question holds nothing anywhere.
    """

    TO_CHANGE = auto()
    """It means to write them back: who else holds them waits."""
    IF_FREE = auto()
    """The same, but what somebody else holds is passed over."""
    AS_IT_IS = auto()
    """They must stay as read; others may hold them so as well. Never for a row that the same change may write."""


_LOCK: dict[Lock, dict[str, Any]] = {
    Lock.TO_CHANGE: {"key_share": True},
    Lock.IF_FREE: {"key_share": True, "skip_locked": True},
    Lock.AS_IT_IS: {"read": True},
}


class Compiled(NamedTuple):
    """What the driver is given, and how values go in and come out."""

    sql: str
    binds: Sequence[tuple[str, Convert]]
    defaults: Params
    row: Callable[[Sequence[Any]], Any]
    reads: Sequence[tuple[int, Callable[[Any], Any]]]

    def values(self, params: Params) -> list[Any]:
        """The parameters in the order the driver wants them."""
        defaults = self.defaults
        return [
            (params[name] if name in params else defaults[name])
            if convert is None
            else convert(params[name] if name in params else defaults[name])
            for name, convert in self.binds
        ]

    def read(self, raw: Sequence[Any]) -> Any:
        """One row, with its columns as attributes."""
        if self.reads:
            values = list(raw)
            for place, convert in self.reads:
                if values[place] is not None:
                    values[place] = convert(values[place])
            return self.row(values)
        return self.row(raw)


class Prepared:
    """A statement that is compiled when it is first run on a dialect. `hold`: what it does to the rows it reads."""

    def __init__(self, statement: Select[Any] | UpdateBase, hold: Lock | None = None) -> None:
        self._statement = statement
        self._holding = statement
        if hold is not None:
            assert isinstance(statement, Select)
            self._holding = statement.with_for_update(**_LOCK[hold])
        self._compiled: dict[tuple[str, bool], Compiled] = {}

    def on(self, dialect: Dialect, *, holding: bool = False) -> Compiled:
        """The statement in the words of this dialect; with its hold, or without."""
        compiled = self._compiled.get((dialect.name, holding))
        if compiled is None:
            statement = self._holding if holding else self._statement
            compiled = self._compiled[dialect.name, holding] = _compile(statement, dialect)
        return compiled


def adding(table: Table) -> Prepared:
    """Insert one row, every column given but the number that the database gives, which is answered."""
    number = table.autoincrement_column
    columns = [column.name for column in table.c if column is not number]
    statement = insert(table).values({name: bindparam(name) for name in columns})
    return Prepared(statement if number is None else statement.returning(number))


def adding_unless_there(table: Table) -> Prepared:
    """The same, but nothing is inserted and nothing answered where a unique constraint is in the way."""
    number = table.autoincrement_column
    assert number is not None
    columns = [column.name for column in table.c if column is not number]
    statement = postgresql.insert(table).values({name: bindparam(name) for name in columns})  # SQLite says it alike
    return Prepared(statement.on_conflict_do_nothing().returning(number))


def _compile(statement: Select[Any] | UpdateBase, dialect: Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    assert compiled.positiontup is not None, "a dialect with positional parameters"
    binds = compiled.binds
    columns = statement.exported_columns.values()
    row: Any = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]  # named by the statement
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return Compiled(
        sql=compiled.string,
        binds=[(name, binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in compiled.positiontup],
        defaults={name: value for name, value in compiled.params.items() if not binds[name].required},
        row=row._make,
        reads=[(place, convert) for place, convert in enumerate(results) if convert is not None],
    )
