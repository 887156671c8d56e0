"""A store with many times the tickets that were made in order: copied within the database, a million in some minutes.

What is copied is what a ticket is found by and shown with: itself, its marks and words, its conversation, its history,
its links. Each copy has numbers of its own, here and in its system.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table, create_engine, insert

from central.store.sql.schema import comments, events, links, ticket_marks, ticket_words, tickets, traffic
from central.traffic import STEP, STEPS, Minute, an_hour_before, slot_of

_COPIED = (tickets, ticket_marks, ticket_words, comments, events, links)
_MOVED = {
    "id": "id + step * {own}",
    "ticket_id": "ticket_id + step * {tickets}",
    "key": "CAST(CAST(key AS INTEGER) + step * {tickets} AS TEXT)",
}


def multiply(database: Path, times: int) -> None:
    """Let all tickets of this SQLite file be there so many times. Nobody else may be at work on it."""
    if times == 1:
        return
    with closing(sqlite3.connect(database)) as db, db:
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:  # made anew at the end: far quicker than kept up row by row
            db.execute(f'DROP INDEX "{name}"')
        (there,) = db.execute("SELECT max(id) FROM tickets").fetchone()
        for table in _COPIED:
            _copy(db, table, there, times)
        for _, sql in indexes:
            db.execute(sql)
        db.execute("UPDATE totals SET value = value * ?", (times,))
        db.execute("UPDATE counters SET links = links * ?", (times,))


def busy_hour(database: Path, systems: Iterable[str], now: datetime) -> None:
    """Let something have gone on with each of these systems in every minute of the hour before now."""
    first = an_hour_before(now)
    minutes = [
        asdict(Minute(name, first + step * STEP, step % 7, step % 5, step % 59 == 0, step % 11, step % 3))
        for name in systems
        for step in range(STEPS)
    ]
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as db:
        db.execute(traffic.delete())
        db.execute(insert(traffic), [each | {"slot": slot_of(each["at"])} for each in minutes])
    engine.dispose()


def _copy(db: sqlite3.Connection, table: Table, there: int, times: int) -> None:
    names = [column.name for column in table.columns]
    own = db.execute(f"SELECT max(id) FROM {table.name}").fetchone()[0] if "id" in names else None  # noqa: S608
    if "id" in names and own is None:
        return
    told = ", ".join(_MOVED.get(name, name).format(own=own, tickets=there) for name in names)
    db.execute(
        f"WITH RECURSIVE steps(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM steps WHERE step + 1 < ?)"  # noqa: S608
        f" INSERT INTO {table.name} ({', '.join(names)}) SELECT {told} FROM steps CROSS JOIN {table.name}"
        f" ORDER BY {', '.join(str(number) for number in _ordered(table, names))}",
        (times,),
    )


def _ordered(table: Table, names: list[str]) -> list[int]:
    """The places of the columns of its key, so that a row is appended and not squeezed in."""
    return [names.index(column.name) + 1 for column in table.primary_key.columns]
