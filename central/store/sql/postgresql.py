"""Everything that is PostgreSQL's own: connections that come back, who has committed, commits whose answer was lost.

Every connection that writes owns a row of `writers` and raises its number in each of its transactions. Where the
connection is lost during COMMIT, the number says afterwards whether it was committed. Moved numbers of others say that
something has changed elsewhere. (The status of a transaction id would not do: after a crash of the server ids that
were never written down are given out again.)
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect, Engine, bindparam, create_engine, delete, event, select, update
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.pool import NullPool

from central.store.api import CommitUnknown, StoreError, Unreachable, WrongSchema
from central.store.sql.database import Database, Hand, parsed, shown, wrong_revision
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import writers
from central.store.sql.session import Driver, Session

DIALECT: Dialect = dialect(paramstyle="format")  # type: ignore[no-untyped-call]

HANDS = 4
"""Connections of one process that write; more of them do not make Python faster."""

_PATIENCE = 30.0
"""Seconds for which a server that went away in the middle of a commit is asked what became of it."""

_FORGOTTEN_AFTER = timedelta(days=30)
"""A writer that has not written for so long is no more; were it, it would make itself a new row."""

_BEGIN_TOGETHER = "BEGIN; SET LOCAL lock_timeout = '250ms'"
"""A group holds what its first change wrote while its last one waits: it gives way, and its changes run one by one."""
_BEGIN_ALONE = "BEGIN; SET LOCAL lock_timeout = '10s'"
_SOON = "; SET LOCAL synchronous_commit = off"
"""The commit does not wait for the disk; the next one that does makes it last."""
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_SESSION = {
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
    # a process that stands still, or a host that is cut off, must not keep what others need
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
}
_CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "interdesk",
    "options": " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in _SESSION.items()),
}

_RACES = (
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.InFailedSqlTransaction,
)
"""What a change meets where another one was faster. Run again, it sees what that one did and says so in its words."""

_OPEN = adding(writers)
_MINE = Prepared(select(writers.c.commits).where(writers.c.id == bindparam("of")), Lock.TO_CHANGE)
_COUNT = Prepared(
    update(writers)
    .where(writers.c.id == bindparam("of"))
    .values(commits=bindparam("commits"), written_at=bindparam("written_at"))
)
_FORGET = Prepared(delete(writers).where(writers.c.written_at < bindparam("before")))
_ALL = Prepared(select(writers.c.id, writers.c.commits))


def _connect(url: str) -> psycopg.Connection[Any]:
    """A connection that begins nothing by itself.

    :raises Unreachable: the server does not answer.  :raises StoreError: it answers, and lets nobody in."""
    place = parsed(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(place, autocommit=True, **_CONNECTION)
    except psycopg.OperationalError as error:
        raise told(url, error) from None
    connection.prepared_max = 500
    return connection


def told(url: str, error: Exception) -> StoreError:
    """What the failure to connect means for whoever wrote this URL."""
    words = " ".join(str(error).split())
    if "does not exist" in words and 'database "' in words:
        name = parsed(url).database
        return WrongSchema(f"there is no database {name!r} on that server: createdb {name}, then interdesk db upgrade")
    if "authentication failed" in words or "no pg_hba.conf entry" in words or 'role "' in words:
        return StoreError(f"{shown(url)} lets nobody in under this name: {words}")
    return Unreachable(f"{shown(url)} does not answer: {words}")


class _Line:
    """A connection that is opened when it is needed, and again when it was lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.driver = _connect(url)

    def _begin(self, words: str) -> None:
        try:
            self.driver.execute(words)
        except psycopg.OperationalError:
            if not self.driver.broken and not self.driver.closed:
                raise
            self._reopen()
            self.driver.execute(words)

    def _reopen(self) -> None:
        self.driver.close()
        self.driver = _connect(self._url)

    def rollback(self) -> None:
        if not self.driver.closed and self.driver.info.transaction_status != TransactionStatus.IDLE:
            try:
                self.driver.execute("ROLLBACK")
            except psycopg.Error:  # whatever it was, it is not committed
                self.driver.close()

    def close(self) -> None:
        self.driver.close()


class PostgresHand(_Line):
    """`central.store.sql.database.Hand`: a connection that can tell whether its last commit came through."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        super().__init__(url)
        self._clock = clock
        self._commits = 0
        self.id = self._enter()

    def begin(self, *, alone: bool, durable: bool) -> None:
        self._begin((_BEGIN_ALONE if alone else _BEGIN_TOGETHER) + ("" if durable else _SOON))

    def commit(self) -> None:
        session = Session(self.driver, DIALECT, writable=True)
        count = {"of": self.id, "commits": self._commits + 1, "written_at": self._clock()}
        if not session.write(_COUNT, count):
            raise errors.SerializationFailure("this writer was forgotten")
        try:
            self.driver.execute("COMMIT")
        except psycopg.OperationalError:
            if not self.driver.broken and not self.driver.closed:
                raise
            if not self._came_through():
                raise
        self._commits += 1

    def _enter(self) -> int:
        session = Session(self.driver, DIALECT, writable=True)
        now = self._clock()
        session.write(_FORGET, {"before": now - _FORGOTTEN_AFTER})
        return session.add(_OPEN, {"commits": 0, "written_at": now})

    def _came_through(self) -> bool:
        """Ask, on a new connection, whether the transaction whose COMMIT was not answered is committed.

        :raises CommitUnknown: the server does not come back."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._reopen()
                # held: should the server still be at work on that COMMIT, this waits for it
                row = Session(self.driver, DIALECT, writable=True).first(_MINE, {"of": self.id})
            except (psycopg.Error, StoreError) as error:
                if time.monotonic() > end:
                    raise CommitUnknown(
                        f"{shown(self._url)} was lost in the middle of a commit and did not come back:"
                        " whether it was written is not known"
                    ) from error
                time.sleep(0.1)
            else:
                return row is not None and row.commits == self._commits + 1


class PostgresReader(_Line):
    """`central.store.sql.database.Reader`."""

    def begin(self) -> None:
        self._begin(_BEGIN_READ)

    def end(self) -> None:
        self.rollback()


class PostgresDatabase:
    """`central.store.sql.database.Database` on a server: any number of processes and hosts run the mesh on it."""

    dialect: Dialect = DIALECT
    hands = HANDS

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._clock = clock

    def __str__(self) -> str:
        return shown(self._url)

    def exists(self) -> bool:
        try:
            connection = _connect(self._url)
        except WrongSchema:
            return False
        with connection:
            return _has(connection, "alembic_version")

    def migrating(self) -> Engine:
        engine = create_engine(
            parsed(self._url).set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=dict(_CONNECTION)
        )

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            """One host at a time."""
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('interdesk db upgrade'))")

        return engine

    def told(self, error: Exception) -> StoreError | None:
        if isinstance(error, errors.InsufficientPrivilege):
            words = " ".join(str(error).split())
            return StoreError(f"{self} may not be changed under this name: {words}")
        return told(self._url, error) if isinstance(error, psycopg.OperationalError) else None

    def damage(self, driver: Driver) -> list[str]:  # noqa: ARG002 (the server looks after its own files)
        return []

    def broken_references(self, driver: Driver) -> list[str]:  # noqa: ARG002 (nor can it lose a reference)
        return []

    def check_revision(self, wanted: str) -> None:
        with _connect(self._url) as connection:
            if not _has(connection, "alembic_version"):
                raise WrongSchema(f"there is nothing in {self} yet: run interdesk db upgrade")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            found = None if row is None else row[0]
            if found == wanted:
                return
            served = "SELECT count(*) FROM served_revisions WHERE revision = %s"
            if not _has(connection, "served_revisions") or connection.execute(served, [wanted]).fetchone() == (0,):
                raise wrong_revision(str(self), found, wanted)

    def lock(self) -> None:
        return None

    def hand(self) -> PostgresHand:
        return PostgresHand(self._url, self._clock)

    def reader(self) -> PostgresReader:
        return PostgresReader(self._url)

    def version(self, hands: Sequence[Hand]) -> object:
        first = hands[0]
        ours = {hand.id for hand in hands if isinstance(hand, PostgresHand)}
        first.begin(alone=True, durable=False)
        try:
            rows = Session(first.driver, DIALECT, writable=False).rows(_ALL, {})
        finally:
            first.rollback()
        return {row.id: row.commits for row in rows if row.id not in ours and row.commits}

    def is_race(self, error: Exception) -> bool:
        return isinstance(error, _RACES)

    def is_ours(self, error: Exception) -> bool:
        return isinstance(error, psycopg.Error)


def _has(connection: psycopg.Connection[Any], table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", [table]).fetchone() != (None,)


_: type[Database] = PostgresDatabase
