"""Prepared: a statement built by SQLAlchemy, compiled once, run at the driver.

SQLAlchemy writes the SQL and knows the types; running it there would cost ten times what SQLite needs for the work
(20 us against 2 for a row by its key).
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Select, Table, bindparam, insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

Params = Mapping[str, Any]
Convert = Callable[[Any], Any] | None


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
    """A statement that is compiled when it is first run on a dialect."""

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def on(self, dialect: Dialect) -> Compiled:
        """The statement in the words of this dialect."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return compiled


def adding(table: Table) -> Prepared:
    """Insert one row, every column given but the number that the database gives, which is answered."""
    number = table.autoincrement_column
    columns = [column.name for column in table.c if column is not number]
    statement = insert(table).values({name: bindparam(name) for name in columns})
    return Prepared(statement if number is None else statement.returning(number))


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
