"""Everything that is SQLite's own: its pragmas, its one writer, its lock beside the file."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import dialect

from central.store.api import Busy, StoreError, WrongSchema
from central.store.sql.database import EXAMPLES, Database, Hand, parsed, wrong_revision

DIALECT = dialect()
BEGIN_WRITE = "BEGIN IMMEDIATE"
"""Take the write lock as the transaction begins, so that no writer can fail to get it later."""
BEGIN_READ = "BEGIN"

_CHECKPOINT_PAGES = 4000
"""16 MB of log. The commit that copies it back waits for the disk twice more; the usual 1000 pages are some twenty
changes of tickets."""
_BUSY_MS = 5000
"""How long a writer waits for another process's transaction."""


def file_of(url: str) -> Path:
    """The database file that this URL names.

    :raises StoreError: it names none."""
    address = parsed(url)
    if address.get_backend_name() != "sqlite":
        raise StoreError(f"{address.get_backend_name()} is no database that interdesk knows: write {EXAMPLES}")
    if address.database in (None, "", ":memory:"):
        raise StoreError(f"the database must be a file: write {EXAMPLES}")
    return Path(str(address.database))


class SqliteHand:
    """`central.store.sql.database.Hand`: the one writer."""

    def __init__(self, database: Path) -> None:
        self.driver = writer(database)
        self._syncs = True
        """Whether its next commit waits for the disk."""

    def begin(self, *, alone: bool, durable: bool) -> None:  # noqa: ARG002 (one writer waits for nobody)
        if durable is not self._syncs:
            sync(self.driver, durable)
            self._syncs = durable
        self.driver.execute(BEGIN_WRITE)

    def commit(self) -> None:
        self.driver.execute("COMMIT")

    def rollback(self) -> None:
        if self.driver.in_transaction:
            self.driver.execute("ROLLBACK")

    def close(self) -> None:
        self.driver.close()


class SqliteReader:
    """`central.store.sql.database.Reader`."""

    def __init__(self, database: Path) -> None:
        self.driver = reader(database)

    def begin(self) -> None:
        self.driver.execute(BEGIN_READ)

    def end(self) -> None:
        self.driver.execute("ROLLBACK")

    def close(self) -> None:
        self.driver.close()


class SqliteDatabase:
    """`central.store.sql.database.Database` in one file: whoever writes, writes alone."""

    dialect: Dialect = DIALECT
    hands = 1

    def __init__(self, url: str) -> None:
        self._file = file_of(url)

    def __str__(self) -> str:
        return str(self._file)

    def exists(self) -> bool:
        return self._file.exists()

    def migrating(self) -> Engine:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return migrating(self._file)

    def told(self, error: Exception) -> StoreError | None:  # noqa: ARG002 (what a file refuses names itself)
        return None

    def damage(self, driver: Any) -> list[str]:
        return damage(driver)

    def broken_references(self, driver: Any) -> list[str]:
        return broken_references(driver)

    def check_revision(self, wanted: str) -> None:
        check_revision(self._file, wanted)

    def lock(self) -> Callable[[], None]:
        return partial(os.close, lock(self._file))

    def hand(self) -> SqliteHand:
        return SqliteHand(self._file)

    def reader(self) -> SqliteReader:
        return SqliteReader(self._file)

    def version(self, hands: Sequence[Hand]) -> object:
        return data_version(hands[0].driver)

    def is_race(self, error: Exception) -> bool:  # noqa: ARG002 (one writer has no rivals)
        return False

    def is_ours(self, error: Exception) -> bool:  # noqa: ARG002 (whatever SQLite says of a change is about that change)
        return False


def writer(database: Path) -> sqlite3.Connection:
    """The connection that writes. A transaction on it begins with `BEGIN_WRITE`."""
    connection = _prepared(sqlite3.connect(database, check_same_thread=False), "foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}").close()
    return connection


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


def sync(connection: Any, durable: bool) -> None:
    """Whether commits from now on wait until the disk has them, and everything before them."""
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}").close()


def data_version(connection: Any) -> int:
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
    """:raises WrongSchema: the database is not there, or a program of this revision must not use it."""
    if not database.exists():
        raise WrongSchema(f"there is no database {database} yet: run interdesk db upgrade")
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            found = None if row is None else row[0]
            if found != wanted and not _serves(connection, wanted):
                raise wrong_revision(str(database), found, wanted)
        except sqlite3.DatabaseError as error:
            raise WrongSchema(f"{database} is no database of interdesk ({error}): choose another --state") from error


def _serves(connection: sqlite3.Connection, revision: str) -> bool:
    """Whether a newer database says that a program of this revision may go on using it."""
    there = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'served_revisions'"
    if connection.execute(there).fetchone() == (0,):
        return False
    served = "SELECT count(*) FROM served_revisions WHERE revision = ?"
    return bool(connection.execute(served, (revision,)).fetchone() == (1,))


def _prepared(connection: sqlite3.Connection, own: str) -> sqlite3.Connection:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in (f"busy_timeout = {_BUSY_MS}", "journal_mode = WAL", "synchronous = FULL", own):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


_: type[Database] = SqliteDatabase
