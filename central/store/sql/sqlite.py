"""Everything that is SQLite's own: its pragmas, its one writer, its lock beside the file."""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.exc import ArgumentError

from central.store.api import Busy, StoreError, WrongSchema

DIALECT = dialect()
BEGIN_WRITE = "BEGIN IMMEDIATE"
"""Take the write lock as the transaction begins, so that no writer can fail to get it later."""
BEGIN_READ = "BEGIN"

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


def writer(database: Path) -> sqlite3.Connection:
    """The connection that writes. A transaction on it begins with `BEGIN_WRITE`."""
    return _prepared(sqlite3.connect(database, check_same_thread=False), "foreign_keys = ON")


def reader(database: Path) -> sqlite3.Connection:
    """A connection for questions: a transaction on it is a snapshot that no writer waits for."""
    return _prepared(sqlite3.connect(database, check_same_thread=False), "query_only = ON")


def migrating(database: Path) -> Engine:
    """For migrations, all or nothing: tables may be rebuilt under the references to them."""
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:  # noqa: ARG001
        _prepared(connection, "foreign_keys = OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(BEGIN_WRITE)

    return engine


def damage(connection: sqlite3.Connection) -> list[str]:
    """What the file itself has lost, in sentences."""
    try:
        found = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    return [] if found == ["ok"] else [f"the file is damaged, restore a backup: {line}" for line in found]


def broken_references(connection: sqlite3.Connection) -> list[str]:
    """Rows that refer to something that is not there, in sentences."""
    found = connection.execute("PRAGMA foreign_key_check")
    return [f"row {row} of {table} refers to {parent} that is not there" for table, row, parent, _ in found]


def sync(connection: sqlite3.Connection, durable: bool) -> None:
    """Whether commits from now on wait until the disk has them, and everything before them."""
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}").close()


def data_version(connection: sqlite3.Connection) -> int:
    """A number that moves when another connection has committed, and only then."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
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


def _prepared(connection: sqlite3.Connection, own: str) -> sqlite3.Connection:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in (f"busy_timeout = {_BUSY_MS}", "journal_mode = WAL", "synchronous = FULL", own):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection
