"""SqlStore: group commit for writers, snapshots for readers."""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TypeVar, cast

from central.store.api import Store, Transaction
from central.store.sql import sqlite
from central.store.sql.blobs import Blobs
from central.store.sql.group import GroupCommit, Job
from central.store.sql.guards import SqlGuards
from central.store.sql.instance import SqlAudit, SqlInstances
from central.store.sql.jobs import SqlJobs
from central.store.sql.links import SqlLinks
from central.store.sql.outbox import SqlOutbox
from central.store.sql.registry import SqlRegistry
from central.store.sql.schema import REVISION
from central.store.sql.session import Session
from central.store.sql.shadow import SqlShadows
from central.store.sql.tickets import SqlTickets

T = TypeVar("T")


class SqlTransaction:
    """`central.store.api.Transaction` over one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tickets = SqlTickets(session)
        self.links = SqlLinks(session)
        self.outbox = SqlOutbox(session, self)
        self.registry = SqlRegistry(session)
        self.jobs = SqlJobs(session)
        self.shadow = SqlShadows(session)
        self.guards = SqlGuards(session)
        self.instance = SqlInstances(session)
        self.audit = SqlAudit(session)
        self.hooks: list[Callable[[], None]] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        self.hooks.append(action)


class SqlStore:
    """`central.store.api.Store` on a SQLite file.

    One connection writes, in groups; every question has a connection of its own. Open it with `SqlStore.open`.
    """

    def __init__(self, database: Path, clock: Callable[[], datetime], lock: int | None) -> None:
        self._database = database
        self._lock = lock
        self._readers: deque[sqlite3.Connection] = deque()
        """Those that nobody asks anything now."""
        self._writer = sqlite.writer(database)
        self._syncs = True
        """Whether the writer's next commit waits for the disk."""
        self._hands = Lock()
        """Held by whoever uses the writer's connection."""
        self._group = GroupCommit(self._run)
        self._blobs = Blobs(self._write_rows, self._read_rows, clock)
        self._version = sqlite.data_version(self._writer)
        self._closed = False

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime], exclusive: bool) -> "SqlStore":
        """Open the database of this URL, which `central.store.migrations.upgrade` has made.

        `exclusive`: this is the one process that runs the mesh on it; others may still read and write.

        :raises Busy: another process runs on it.  :raises WrongSchema: upgrade it first.
        :raises StoreError: the URL names no SQLite file."""
        database = sqlite.file_of(url)
        sqlite.check_revision(database, REVISION)
        lock = sqlite.lock(database) if exclusive else None
        try:
            store = cls(database, clock, lock)
        except BaseException:
            if lock is not None:
                os.close(lock)
            raise
        if exclusive:
            store._blobs.drop_abandoned()
        return store

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        return self._write(change, durable=durable)

    def read(self, question: Callable[[Transaction], T]) -> T:
        return self._read_rows(lambda session: question(SqlTransaction(session)))

    def put_blob(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        return self._blobs.put(chunks, limit=limit)

    def open_blob(self, sha256: str) -> AbstractContextManager[Iterator[bytes]]:
        return self._blobs.open(sha256)

    def changed_elsewhere(self) -> bool:
        with self._hands:
            self._check_open()
            before, self._version = self._version, sqlite.data_version(self._writer)
        return before != self._version

    def close(self) -> None:
        if not self._closed:
            self._group.close()
            self._closed = True
            self._writer.close()
            while self._readers:
                self._readers.pop().close()
            if self._lock is not None:
                os.close(self._lock)

    def _write(self, change: Callable[[SqlTransaction], T], *, durable: bool = True) -> T:
        return cast(T, self._group.write(change, durable=durable))

    def _write_rows(self, change: Callable[[Session], T]) -> T:
        return self._write(lambda transaction: change(transaction.session))

    def _read_rows(self, question: Callable[[Session], T]) -> T:
        self._check_open()
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = sqlite.reader(self._database)
        try:
            reader.execute(sqlite.BEGIN_READ)
            try:
                return question(Session(reader, sqlite.DIALECT, writable=False))
            finally:
                reader.execute("ROLLBACK")
        finally:
            if self._closed:
                reader.close()
            else:
                self._readers.append(reader)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")

    def _run(self, group: Sequence[Job]) -> None:
        """One group in one transaction: the work of `GroupCommit`."""
        durable = any(job.durable for job in group)
        with self._hands:
            if durable is not self._syncs:
                sqlite.sync(self._writer, durable)
                self._syncs = durable
            self._writer.execute(sqlite.BEGIN_WRITE)
            try:
                for job in group:
                    self._perform(job, among_others=len(group) > 1)
                self._writer.execute("ROLLBACK" if all(job.error for job in group) else "COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def _perform(self, job: Job, *, among_others: bool) -> None:
        """Run one change; where it fails among others, undo it alone."""
        if among_others:
            self._writer.execute("SAVEPOINT change")
        transaction = SqlTransaction(Session(self._writer, sqlite.DIALECT, writable=True))
        try:
            job.result = job.change(transaction)
            transaction.session.settle_counters()
            job.hooks = transaction.hooks
        except Exception as error:  # noqa: BLE001  # its caller's, and raised there
            job.error = error
            if among_others:
                self._writer.execute("ROLLBACK TO change")
        if among_others:
            self._writer.execute("RELEASE change")


_: type[Store] = SqlStore
