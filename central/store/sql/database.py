"""Database: what the store needs of a dialect. `sqlite.py` and `postgresql.py` are the two there are."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import URL, Dialect, Engine, make_url
from sqlalchemy.exc import ArgumentError

from central.store.api import StoreError, WrongSchema
from central.store.sql.session import Driver

EXAMPLES = "sqlite:////path/to/interdesk.db or postgresql://USER@HOST/DATABASE"


class Hand(Protocol):
    """A connection that writes, one transaction at a time. A lost connection is opened again by the next `begin`."""

    @property
    def driver(self) -> Driver: ...

    def begin(self, *, alone: bool, durable: bool) -> None:
        """Begin a transaction: for one change `alone`, which may wait longer for others, or for several; whose commit
        is to be `durable`, or lasts from the next durable one on."""

    def commit(self) -> None:
        """Return once everything is durable.

        :raises CommitUnknown: the database was lost meanwhile and did not come back.  Whatever else it raises:
        nothing was written."""

    def rollback(self) -> None:
        """Undo what is under way, if anything is."""

    def close(self) -> None: ...


class Reader(Protocol):
    """A connection for questions: between `begin` and `end` it sees one snapshot, and nobody waits for it."""

    @property
    def driver(self) -> Driver: ...

    def begin(self) -> None: ...
    def end(self) -> None: ...
    def close(self) -> None: ...


class Database(Protocol):
    """One database of one dialect."""

    dialect: Dialect
    hands: int
    """How many transactions of one process may write at once."""

    def __str__(self) -> str:
        """How it is called in sentences; never with a password."""

    def exists(self) -> bool:
        """Whether there is anything at this address.  :raises Unreachable: its server does not answer."""

    def migrating(self) -> Engine:
        """For migrations, all or nothing; its place is made where there is none."""

    def told(self, error: Exception) -> StoreError | None:
        """What this error of a question or a migration means for whoever asked; None: it is a bug."""

    def damage(self, driver: Driver) -> list[str]:
        """What the database itself has lost, in sentences."""

    def broken_references(self, driver: Driver) -> list[str]:
        """Rows that refer to something that is not there, in sentences."""

    def check_revision(self, wanted: str) -> None:
        """:raises WrongSchema: a program of the wanted revision must not use it."""

    def lock(self) -> Callable[[], None] | None:
        """Keep every other process from running the mesh here until the answer is called; None where any number may.

        :raises Busy: another process runs it."""

    def hand(self) -> Hand: ...

    def reader(self) -> Reader: ...

    def version(self, hands: Sequence[Hand]) -> object:
        """What stays equal for as long as nobody but these hands commits. Nobody uses the first of them meanwhile."""

    def is_race(self, error: Exception) -> bool:
        """Whether this error only says that somebody else was faster, so that the change may be run again."""

    def is_ours(self, error: Exception) -> bool:
        """Whether this error is the database's, not one that a change has raised on purpose."""


def wrong_revision(database: str, found: str | None, wanted: str) -> WrongSchema:
    """The sentence for a database of a revision that a program cannot use."""
    at = "no revision" if found is None else f"revision {found}"
    return WrongSchema(
        f"{database} is at {at}, this program wants {wanted}: run interdesk db upgrade"
        " (or the newer program that made it)"
    )


def parsed(url: str) -> URL:
    """The parts of a database's address.

    :raises StoreError: it is none. The sentence does not repeat it: it may hold a password."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the database address cannot be read: write {EXAMPLES}") from None


def shown(url: str) -> str:
    """A database's address as it may be printed: without its password."""
    address = parsed(url)
    return address.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


def database_of(url: str, clock: Callable[[], datetime]) -> Database:
    """The database of this address. It is not touched yet.

    :raises StoreError: the address is wrong."""
    dialect = parsed(url).get_backend_name()
    if dialect in ("postgresql", "postgres"):
        from central.store.sql.postgresql import PostgresDatabase  # its driver is slow to load

        return PostgresDatabase(url, clock)
    from central.store.sql.sqlite import SqliteDatabase

    return SqliteDatabase(url)
