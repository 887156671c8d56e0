"""Copy-on-write tables: a transaction works on a fork, and a commit puts the fork in the place of the original."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from central.account import Account, Pass, Session, Token
from central.alert import Alert, AlertKind
from central.audit import Entry
from central.delivery import Delivery, Lease
from central.events import Event
from central.guard import Hold, Marker, Suspect
from central.instance import Instance
from central.job import Job, JobRow
from central.link import Agreed, Link
from central.mail import Mail
from central.model import Attachment, Comment, Conflict, Ticket
from central.origin import Origin
from central.registry import Document, System
from central.reply import Reply
from central.seal import Seal
from central.shadow import Shadow
from central.store.api import ReadOnly
from central.traffic import Minute

K = TypeVar("K")
V = TypeVar("V")


class Table(Generic[K, V]):
    """A map whose forks share its rows until one of them writes. Only a fork can be written, until it is sealed."""

    __slots__ = ("_rows", "_writable", "changed")

    def __init__(self, rows: dict[K, V] | None = None) -> None:
        self._rows: dict[K, V] = {} if rows is None else rows
        self._writable = rows is not None
        self.changed = False
        """Whether this fork has rows of its own."""

    def fork(self) -> "Table[K, V]":
        return Table(self._rows)

    def seal(self) -> None:
        """What is written stays as it is now."""
        self._writable = self.changed = False

    def _mine(self) -> dict[K, V]:
        if not self._writable:
            raise ReadOnly("a question must not write: use store.write")
        if not self.changed:
            self._rows, self.changed = dict(self._rows), True
        return self._rows

    def put(self, key: K, row: V) -> None:
        self._mine()[key] = row

    def drop(self, key: K) -> None:
        self._mine().pop(key, None)

    def get(self, key: K) -> V | None:
        return self._rows.get(key)

    def rows(self) -> Iterator[V]:
        return iter(self._rows.values())

    def items(self) -> Iterator[tuple[K, V]]:
        return iter(self._rows.items())

    def __len__(self) -> int:
        return len(self._rows)


@dataclass
class Tables:
    """All there is. Histories are tuples per ticket, so a fork never shares anything that can change."""

    tickets: Table[int, Ticket] = field(default_factory=Table)
    comments: Table[int, tuple[Comment, ...]] = field(default_factory=Table)
    files: Table[int, tuple[Attachment, ...]] = field(default_factory=Table)
    events: Table[int, tuple[Event, ...]] = field(default_factory=Table)
    conflicts: Table[int, Conflict] = field(default_factory=Table)
    links: Table[int, Link] = field(default_factory=Table)
    links_of: Table[int, tuple[int, ...]] = field(default_factory=Table)
    """Ticket id -> its link ids."""
    keys: Table[tuple[str, str], int] = field(default_factory=Table)
    """(system, key) -> link id."""
    old_keys: Table[tuple[str, str], int] = field(default_factory=Table)
    """The same, for keys that tickets bore before."""
    tokens: Table[tuple[str, str], int] = field(default_factory=Table)
    """(system, token of a create) -> link id, for ever."""
    comment_ties: Table[int, tuple[tuple[int, str], ...]] = field(default_factory=Table)
    file_ties: Table[int, tuple[tuple[int, str], ...]] = field(default_factory=Table)
    """Link id -> (our id, their id)."""
    agreed: Table[tuple[int, int], Agreed] = field(default_factory=Table)
    """(link id, comment id) -> what was last agreed on."""
    deliveries: Table[tuple[str, str, str], Delivery] = field(default_factory=Table)
    """By system, direction and subject."""
    leases: Table[str, Lease] = field(default_factory=Table)
    traffic: Table[tuple[str, int], Minute] = field(default_factory=Table)
    """By system and slot."""
    quotas: Table[str, datetime] = field(default_factory=Table)
    """System -> the first place that nobody has."""
    documents: Table[tuple[str, str], tuple[Document, ...]] = field(default_factory=Table)
    """(kind, name) -> its revisions."""
    systems: Table[str, System] = field(default_factory=Table)
    jobs: Table[int, Job] = field(default_factory=Table)
    job_rows: Table[tuple[int, str], JobRow] = field(default_factory=Table)
    """By job and subject."""
    shadows: Table[int, Shadow] = field(default_factory=Table)
    origins: Table[int, tuple[Origin, ...]] = field(default_factory=Table)
    """By ticket."""
    mails: Table[int, Mail] = field(default_factory=Table)
    mail_told: Table[int, int] = field(default_factory=Table)
    """By ticket: the last event that people were told."""
    holds: Table[int, Hold] = field(default_factory=Table)
    suspects: Table[tuple[str, str, int], Suspect] = field(default_factory=Table)
    """By system, kind and ticket."""
    rates: Table[tuple[str, str, datetime], int] = field(default_factory=Table)
    """By system, kind and hour."""
    markers: Table[str, Marker] = field(default_factory=Table)
    instance: Table[str, Instance] = field(default_factory=Table)
    """One row, `this`."""
    alerts: Table[tuple[str, AlertKind], Alert] = field(default_factory=Table)
    """By system and kind."""
    heartbeats: Table[str, datetime] = field(default_factory=Table)
    """Process -> when it was last heard of."""
    audit: Table[int, Entry] = field(default_factory=Table)
    accounts: Table[int, Account] = field(default_factory=Table)
    access_tokens: Table[int, Token] = field(default_factory=Table)
    sessions: Table[str, Session] = field(default_factory=Table)
    """By digest."""
    passes: Table[str, Pass] = field(default_factory=Table)
    """By digest."""
    tries: Table[str, datetime] = field(default_factory=Table)
    """Key -> until when it says something."""
    replies: Table[str, Reply] = field(default_factory=Table)
    seals: Table[tuple[str, str, str], Seal] = field(default_factory=Table)
    """By system, name and origin."""
    blobs: Table[str, bytes] = field(default_factory=Table)
    last_ids: Table[str, int] = field(default_factory=Table)

    def fork(self) -> "Tables":
        """These tables for a transaction that writes."""
        return _Fork(self)

    def whole(self) -> "Tables":
        """What a fork has become, once its transaction is over: it stands on its own."""
        return self

    def next_id(self, noun: str) -> int:
        """A number never given before for this noun."""
        number = (self.last_ids.get(noun) or 0) + 1
        self.last_ids.put(noun, number)
        return number


class _Fork(Tables):
    """Tables of one transaction. Each is forked once somebody asks for it: most transactions look at few."""

    def __init__(self, origin: Tables) -> None:
        self._origin = origin
        self._forked: dict[str, Table[Any, Any]] = {}

    def whole(self) -> Tables:
        changed = {name: table for name, table in self._forked.items() if table.changed}
        if not changed:
            return self._origin
        for table in changed.values():
            table.seal()
        tables = Tables.__new__(Tables)
        tables.__dict__.update(self._origin.__dict__)
        tables.__dict__.update(changed)
        return tables

    if not TYPE_CHECKING:  # a type checker is to know no other tables than those above

        def __getattr__(self, name):
            if name not in _NAMES:
                raise AttributeError(name)
            table = self.__dict__[name] = self._forked[name] = self._origin.__dict__[name].fork()
            return table


_NAMES = frozenset(each.name for each in fields(Tables))
