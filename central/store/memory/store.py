"""MemoryStore: one writer at a time on a fork of the tables; a commit is one assignment, a rollback is none."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from central.store.api import NoSuch, Store, TooLarge, Transaction
from central.store.memory.accounts import MemoryAccounts
from central.store.memory.guards import MemoryGuards
from central.store.memory.instance import MemoryAudit, MemoryInstances
from central.store.memory.jobs import MemoryJobs
from central.store.memory.links import MemoryLinks
from central.store.memory.origins import MemoryMails, MemoryOrigins
from central.store.memory.outbox import MemoryOutbox
from central.store.memory.oversight import MemoryAlerts, MemoryHeartbeats
from central.store.memory.quotas import MemoryQuotas
from central.store.memory.registry import MemoryRegistry
from central.store.memory.replies import MemoryReplies
from central.store.memory.seals import MemorySeals
from central.store.memory.shadow import MemoryShadows
from central.store.memory.tables import Tables
from central.store.memory.tickets import MemoryTickets
from central.store.memory.traces import MemoryTraces
from central.store.memory.traffic import MemoryTraffic
from central.store.memory.tries import MemoryTries

T = TypeVar("T")
CHUNK = 256 * 1024


class MemoryTransaction:
    """`central.store.api.Transaction` on a fork of the tables. Its parts are made as they are asked for."""

    tickets: MemoryTickets
    links: MemoryLinks
    outbox: MemoryOutbox
    quotas: MemoryQuotas
    registry: MemoryRegistry
    jobs: MemoryJobs
    shadow: MemoryShadows
    guards: MemoryGuards
    instance: MemoryInstances
    audit: MemoryAudit
    replies: MemoryReplies
    seals: MemorySeals
    accounts: MemoryAccounts
    tries: MemoryTries
    traffic: MemoryTraffic
    alerts: MemoryAlerts
    heartbeats: MemoryHeartbeats
    origins: MemoryOrigins
    mails: MemoryMails
    traces: MemoryTraces

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.hooks: list[Callable[[], None]] = []

    if not TYPE_CHECKING:  # a type checker is to know no other parts than those above

        def __getattr__(self, name):
            if name not in _PARTS:
                raise AttributeError(name)
            part = self.__dict__[name] = _PARTS[name](self, self._tables)
            return part

    def after_commit(self, action: Callable[[], None]) -> None:
        self.hooks.append(action)

    def end(self) -> None:
        """It has done what it was asked to."""
        if "traffic" in self.__dict__:
            self.traffic.settle()


_PARTS: Mapping[str, Callable[[MemoryTransaction, Tables], object]] = {
    "tickets": lambda _, tables: MemoryTickets(tables),
    "links": lambda _, tables: MemoryLinks(tables),
    "outbox": lambda transaction, tables: MemoryOutbox(tables, transaction, transaction.traffic),
    "quotas": lambda _, tables: MemoryQuotas(tables),
    "registry": lambda _, tables: MemoryRegistry(tables),
    "jobs": lambda _, tables: MemoryJobs(tables),
    "shadow": lambda _, tables: MemoryShadows(tables),
    "guards": lambda _, tables: MemoryGuards(tables),
    "instance": lambda _, tables: MemoryInstances(tables),
    "audit": lambda _, tables: MemoryAudit(tables),
    "replies": lambda _, tables: MemoryReplies(tables),
    "seals": lambda _, tables: MemorySeals(tables),
    "accounts": lambda _, tables: MemoryAccounts(tables),
    "tries": lambda _, tables: MemoryTries(tables),
    "traffic": lambda _, tables: MemoryTraffic(tables),
    "alerts": lambda _, tables: MemoryAlerts(tables),
    "heartbeats": lambda _, tables: MemoryHeartbeats(tables),
    "origins": lambda _, tables: MemoryOrigins(tables),
    "mails": lambda _, tables: MemoryMails(tables),
    "traces": lambda _, tables: MemoryTraces(tables),
}


class MemoryStore:
    """The reference of `central.store.api.Store`: for tests, simulation, and as the meaning of the contract."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._lasting = self._tables
        """What a power cut leaves."""
        self._reading: tuple[Tables, MemoryTransaction] | None = None
        """What questions about these tables are asked of; nothing in it can change."""
        self._writing = threading.Lock()
        self._writer: int | None = None
        self._closed = False

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        if self._writer == threading.get_ident():
            raise RuntimeError("a write inside a write: pass the transaction on instead")
        with self._writing:
            self._check_open()
            self._writer = threading.get_ident()
            try:
                tables = self._tables.fork()
                transaction = MemoryTransaction(tables)
                result = change(transaction)
                transaction.end()
                self._tables = tables.whole()
                self._lasting = self._tables if durable else self._lasting
            finally:
                self._writer = None
        for hook in transaction.hooks:
            hook()
        return result

    def read(self, question: Callable[[Transaction], T]) -> T:
        self._check_open()
        tables, reading = self._tables, self._reading
        if reading is None or reading[0] is not tables:
            self._reading = reading = (tables, MemoryTransaction(tables))
        return question(reading[1])

    def lose_power(self) -> None:
        """Forget what no durable write has made last, as a power cut may."""
        with self._writing:
            self._tables = self._lasting

    def put_blob(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        data = bytearray()
        for chunk in chunks:
            data += chunk
            if len(data) > limit:
                raise TooLarge(f"more than the {limit} bytes that are allowed")
        sha256 = hashlib.sha256(data).hexdigest()
        with self._writing:
            self._check_open()
            tables = self._tables.fork()
            tables.blobs.put(sha256, bytes(data))
            self._tables = tables.whole()
        return sha256, len(data)

    @contextmanager
    def open_blob(self, sha256: str) -> Iterator[Iterator[bytes]]:
        self._check_open()
        data = self._tables.blobs.get(sha256)
        if data is None:
            raise NoSuch(f"there are no bytes with sha256 {sha256}")
        yield (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))

    def changed_elsewhere(self) -> bool:
        self._check_open()
        return False

    def close(self) -> None:
        with self._writing:
            self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")


_: type[Store] = MemoryStore
