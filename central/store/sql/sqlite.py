"""Everything that is SQLite's own: its pragmas, its one writer, its lock beside the file."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from central.store.api import Busy, StoreError, WrongSchema

_BUSY_MS = 5000
"""How long a writer waits for another process's transaction."""


def file_of(url: str) -> Path:
    """The database file that this URL names.

    :raises StoreError: it names none."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"{url!r} is no database address: write sqlite:////path/to/interdesk.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"{parsed.get_backend_name()} is not supported here: write sqlite:////path/to/interdesk.db")
    if parsed.database in (None, "", ":memory:"):
        raise StoreError("the database must be a file: write sqlite:////path/to/interdesk.db")
    return Path(str(parsed.database))


def writing(url: str) -> Engine:
    """For writers: every transaction takes the write lock as it begins, so that none can fail to get it later."""
    return _engine(url, begin="BEGIN IMMEDIATE", pragmas=())


def reading(url: str) -> Engine:
    """For questions: every transaction is a snapshot that no writer waits for."""
    return _engine(url, begin="BEGIN", pragmas=("query_only = ON",))


def migrating(url: str) -> Engine:
    """For migrations: as for writers, but tables may be rebuilt under the references to them."""
    return _engine(url, begin="BEGIN IMMEDIATE", pragmas=("foreign_keys = OFF",))


def damage(connection: Connection) -> list[str]:
    """What the file itself has lost, in sentences."""
    found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return [] if found == ["ok"] else [f"the file is damaged, restore a backup: {line}" for line in found]


def broken_references(connection: Connection) -> list[str]:
    """Rows that refer to something that is not there, in sentences."""
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return [f"row {row} of {table} refers to {parent} that is not there" for table, row, parent, _ in found]


def data_version(connection: Connection) -> int:
    """A number that moves when another connection has committed, and only then."""
    driver: Any = connection.connection.dbapi_connection  # at the driver, or SQLAlchemy would begin a transaction
    (version,) = driver.execute("PRAGMA data_version").fetchone()
    return int(version)


def lock(database: Path) -> int:
    """Take the lock beside the database for as long as the returned descriptor is open.

    :raises Busy: another process has it."""
    place = database.with_name(database.name + ".lock")
    handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(handle)
        raise Busy(
            f"{database} is in use by another interdesk (process {holder}): stop it first, or choose another --state"
        ) from error
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def check_revision(database: Path, wanted: str) -> None:
    """:raises WrongSchema: the database is not there, or not at the revision that this program was written for."""
    if not database.exists():
        raise WrongSchema(f"there is no database {database} yet: run interdesk db upgrade")
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise WrongSchema(f"{database} is no database of interdesk ({error}): choose another --state") from error
    if row is None or row[0] != wanted:
        found = "no revision" if row is None else f"revision {row[0]}"
        raise WrongSchema(
            f"{database} is at {found}, this program wants {wanted}: run interdesk db upgrade"
            " (or the newer program that made it)"
        )


def _engine(url: str, *, begin: str, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:  # noqa: ARG001
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            *pragmas,
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin_by_hand(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
