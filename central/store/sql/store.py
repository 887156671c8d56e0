"""SqlStore: group commit for writers, snapshots for readers."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar, cast

from central.store.api import CommitFailed, CommitUnknown, Store, Transaction
from central.store.sql.accounts import SqlAccounts
from central.store.sql.blobs import Blobs
from central.store.sql.database import Database, Hand, Reader, database_of
from central.store.sql.group import GroupCommit, Job
from central.store.sql.guards import SqlGuards
from central.store.sql.instance import SqlAudit, SqlInstances
from central.store.sql.jobs import SqlJobs
from central.store.sql.ledger import Ledger
from central.store.sql.links import SqlLinks
from central.store.sql.origins import SqlMails, SqlOrigins
from central.store.sql.outbox import SqlOutbox
from central.store.sql.oversight import SqlAlerts, SqlHeartbeats
from central.store.sql.quotas import SqlQuotas
from central.store.sql.registry import SqlRegistry
from central.store.sql.replies import SqlReplies
from central.store.sql.schema import REVISION
from central.store.sql.seals import SqlSeals
from central.store.sql.session import Raced, Session
from central.store.sql.shadow import SqlShadows
from central.store.sql.tickets import SqlTickets
from central.store.sql.traces import SqlTraces
from central.store.sql.traffic import SqlTraffic
from central.store.sql.tries import SqlTries

T = TypeVar("T")
P = TypeVar("P")


class _Part(Generic[P]):
    """A part of a transaction, made when it is first asked for: a change needs three or four of the twenty."""

    def __init__(self, made: Callable[[Session], P]) -> None:
        self._made = made

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, transaction: "SqlTransaction", owner: type) -> P:
        part = self._made(transaction.session)
        transaction.__dict__[self._name] = part  # which is found first from now on
        return part


class SqlTransaction:
    """`central.store.api.Transaction` over one session."""

    tickets = _Part(SqlTickets)
    links = _Part(SqlLinks)
    quotas = _Part(SqlQuotas)
    registry = _Part(SqlRegistry)
    jobs = _Part(SqlJobs)
    shadow = _Part(SqlShadows)
    guards = _Part(SqlGuards)
    instance = _Part(SqlInstances)
    audit = _Part(SqlAudit)
    replies = _Part(SqlReplies)
    seals = _Part(SqlSeals)
    accounts = _Part(SqlAccounts)
    tries = _Part(SqlTries)
    traffic = _Part(SqlTraffic)
    alerts = _Part(SqlAlerts)
    heartbeats = _Part(SqlHeartbeats)
    origins = _Part(SqlOrigins)
    mails = _Part(SqlMails)
    traces = _Part(SqlTraces)

    def __init__(self, session: Session) -> None:
        self.session = session
        self.outbox = SqlOutbox(session, self)
        self.hooks: list[Callable[[], None]] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        self.hooks.append(action)


TRIES = 8
"""How often a change is run alone before it is given up because others were always faster."""


class SqlStore:
    """`central.store.api.Store` on SQLite or PostgreSQL. Open it with `SqlStore.open`.

    As many connections write as the database allows at once, each in groups; every question has a connection of its
    own.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], unlock: Callable[[], None] | None = None
    ) -> None:
        self._database = database
        self._unlock = unlock
        self._readers: deque[Reader] = deque()
        """Those that nobody asks anything now."""
        self._hands = [database.hand()]
        self._free = deque(self._hands)
        """Those that write nothing now."""
        self._first = Lock()
        """Held by whoever uses the first of them."""
        self._group = GroupCommit(self._run, width=database.hands)
        self._blobs = Blobs(self._write_rows, self._read_rows, clock)
        self._version = self._database.version(self._hands)
        self._closed = False

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime], exclusive: bool) -> "SqlStore":
        """Open the database of this URL, which `central.store.migrations.upgrade` has made.

        `exclusive`: this process is to run the mesh on it; on SQLite as the only one, while others may still read
        and write.

        :raises Busy: another process runs on it.  :raises WrongSchema: upgrade it first.
        :raises Unreachable: its server does not answer.  :raises StoreError: the URL is wrong."""
        database = database_of(url, clock)
        database.check_revision(REVISION)
        unlock = database.lock() if exclusive else None
        try:
            store = cls(database, clock, unlock)
        except BaseException:
            if unlock is not None:
                unlock()
            raise
        if exclusive:
            store._blobs.drop_abandoned()
        return store

    @property
    def alone(self) -> bool:
        """Whether no other process can run the mesh on this database."""
        return self._unlock is not None

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        return self._write(change, durable=durable)

    def read(self, question: Callable[[Transaction], T]) -> T:
        return self._read_rows(lambda session: question(SqlTransaction(session)))

    def put_blob(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        return self._blobs.put(chunks, limit=limit)

    def open_blob(self, sha256: str) -> AbstractContextManager[Iterator[bytes]]:
        return self._blobs.open(sha256)

    def changed_elsewhere(self) -> bool:
        self._check_open()
        with self._first, self._told():
            before, self._version = self._version, self._database.version(self._hands)
        return before != self._version

    def close(self) -> None:
        if not self._closed:
            self._group.close()
            self._closed = True
            for hand in self._hands:
                hand.close()
            while self._readers:
                self._readers.pop().close()
            if self._unlock is not None:
                self._unlock()

    def _write(self, change: Callable[[SqlTransaction], T], *, durable: bool = True) -> T:
        return cast(T, self._group.write(change, durable=durable))

    def _write_rows(self, change: Callable[[Session], T]) -> T:
        return self._write(lambda transaction: change(transaction.session))

    def _read_rows(self, question: Callable[[Session], T]) -> T:
        self._check_open()
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = self._database.reader()
        try:
            with self._told():
                reader.begin()
                try:
                    return question(Session(reader.driver, self._database.dialect, writable=False))
                finally:
                    reader.end()
        finally:
            if self._closed:
                reader.close()
            else:
                self._readers.append(reader)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the database says when it is lost in the middle of an answer, in the words of the contract."""
        try:
            yield
        except Exception as error:
            told = self._database.told(error)
            if told is None:
                raise
            raise told from error

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")

    @contextmanager
    def _hand(self) -> Iterator[Hand]:
        """A connection that writes, for one group; `GroupCommit` sees to it that there are never too many."""
        try:
            hand = self._free.pop()
        except IndexError:
            hand = self._database.hand()
            self._hands.append(hand)
        try:
            with self._first if hand is self._hands[0] else nullcontext():
                yield hand
        finally:
            self._free.append(hand)

    def _run(self, group: Sequence[Job]) -> None:
        """Commit one group: the work of `GroupCommit`. Changes that others were faster than run again, one by one."""
        with self._hand() as hand:
            for job in self._together(hand, group):
                self._alone(hand, job)

    def _together(self, hand: Hand, group: Sequence[Job]) -> Sequence[Job]:
        """Run a group in one transaction; those whose turn is to come again."""
        raced: list[Job] = []
        ledger = Ledger()
        try:
            hand.begin(alone=len(group) == 1, durable=any(job.durable for job in group))
            for job in group:
                if not self._perform(hand, job, ledger, among_others=len(group) > 1):
                    raced.append(job)
            if all(job.error or job in raced for job in group):
                hand.rollback()
            else:
                Session(hand.driver, self._database.dialect, writable=True).write_down(ledger)
                hand.commit()
            for job in group:
                job.ended = job not in raced
        except Exception as error:
            if not self._database.is_race(error):
                raise
            return [job for job in group if job.error is None]
        finally:
            hand.rollback()
        return raced

    def _alone(self, hand: Hand, job: Job) -> None:
        """Run one change again until nobody is faster."""
        for _ in range(TRIES):
            try:
                if not self._together(hand, [job]):
                    return
            except CommitUnknown as error:
                job.error = error
                return
            except Exception as error:  # noqa: BLE001  # its group is committed, so this is its own
                job.error = _failed(error)
                return
        job.error = CommitFailed("nothing was written, because others kept changing the same: try again")

    def _perform(self, hand: Hand, job: Job, ledger: Ledger, *, among_others: bool) -> bool:
        """Run one change; where it fails among others, undo it alone. False: it must be run again."""
        if among_others:
            hand.driver.execute("SAVEPOINT change")
        session = Session(hand.driver, self._database.dialect, writable=True, earlier=ledger)
        transaction = SqlTransaction(session)
        raced = False
        try:
            job.result = job.change(transaction)
            job.hooks = transaction.hooks
        except Exception as error:  # noqa: BLE001  # its caller's, and raised there
            raced = isinstance(error, Raced) or self._database.is_race(error)
            if not raced:
                job.error = _failed(error) if self._database.is_ours(error) else error
            if among_others:
                hand.driver.execute("ROLLBACK TO change")
        else:
            session.end()
        if among_others:
            hand.driver.execute("RELEASE change")
        return not raced


def _failed(error: Exception) -> CommitFailed:
    failure = CommitFailed(f"nothing was written, because the database failed: {error}")
    failure.__cause__ = error
    return failure


_: type[Store] = SqlStore
