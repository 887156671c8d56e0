"""The contract of the store: one transaction holds a change, its events, the deliveries it owes and the counters.

Work is passed in as a function of a transaction. The store may run several such functions in one group and commit
them together (each in a savepoint, so that one bad change does not take the others with it); `write` returns only
after the group's commit, so whatever it returned is durable. Never call a remote from inside one.

What a transaction offers is cut by subject: each of its parts is a port of its own in `ports`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar, runtime_checkable

from central.store.ports.accounts import Accounts
from central.store.ports.guards import Guards
from central.store.ports.instance import Audit, Instances
from central.store.ports.jobs import Jobs
from central.store.ports.links import Links
from central.store.ports.origins import Mails, Origins
from central.store.ports.outbox import Outbox
from central.store.ports.oversight import Alerts, Heartbeats
from central.store.ports.quotas import Quotas
from central.store.ports.registry import Registry
from central.store.ports.replies import Replies
from central.store.ports.seals import Seals
from central.store.ports.shadow import Shadows
from central.store.ports.tickets import Tickets
from central.store.ports.traces import Traces
from central.store.ports.traffic import Traffic
from central.store.ports.tries import Tries

T = TypeVar("T")


class StoreError(Exception):
    """The root of what a store may raise on purpose."""


class NoSuch(StoreError, LookupError):
    """A lookup by id or name found nothing. The sentence says what was looked for."""


class StaleRevision(StoreError):
    """The ticket has moved since it was read: read it again and decide again."""


class LeaseLost(StoreError):
    """Somebody else works on this now. Stop at once; nothing of this transaction was written."""


class AlreadyLinked(StoreError):
    """The key belongs to another ticket, or the ticket has a link to this system already."""


class Taken(StoreError):
    """Somebody else has this login, or signs in as this subject, already."""


class Busy(StoreError):
    """Another process holds what this one needs. The sentence says who and what to do."""


class CommitFailed(StoreError):
    """The database could not commit; nothing of this transaction was written. Try again once it is well."""


class CommitUnknown(StoreError):
    """The database was lost in the middle of a commit and did not come back: whether this transaction was written is
    not known. Look before you repeat it."""


class Unreachable(StoreError):
    """The database's server does not answer. The sentence has its own words."""


class WrongSchema(StoreError):
    """The database is not at the revision this program was written for. The sentence says what to run."""


class ReadOnly(StoreError):
    """A question tried to write. That is a bug: use `Store.write`."""


class TooLarge(StoreError):
    """More bytes than the limit allows."""


@runtime_checkable
class Transaction(Protocol):
    """Everything a change touches, in one transaction."""

    @property
    def tickets(self) -> Tickets: ...
    @property
    def links(self) -> Links: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def quotas(self) -> Quotas: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def shadow(self) -> Shadows: ...
    @property
    def guards(self) -> Guards: ...
    @property
    def instance(self) -> Instances: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def alerts(self) -> Alerts: ...
    @property
    def heartbeats(self) -> Heartbeats: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def replies(self) -> Replies: ...
    @property
    def seals(self) -> Seals: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def tries(self) -> Tries: ...
    @property
    def traces(self) -> Traces: ...
    @property
    def origins(self) -> Origins: ...
    @property
    def mails(self) -> Mails: ...

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run this in the caller's thread once the group's commit has returned (wake a lane); never on rollback."""


@runtime_checkable
class Store(Protocol):
    """Opens transactions. Thread-safe."""

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        """Run a change and return its result after it is durable. What `change` raises rolls it back, alone.

        `durable=False`: it is committed and seen by all, and survives a kill; a power cut may forget it, and whatever
        was committed after it. The next durable write makes it last too. For what nobody was told yet, and what is
        only done again when it is forgotten: nothing may leave this process on its account before a durable write.

        `change` may run in another caller's thread, and must not call the store. It may run more than once, where
        another process was faster: only its last run counts, so it must leave no trace but in the transaction and in
        what it returns.

        :raises CommitFailed: nothing was written.  :raises CommitUnknown: nobody knows whether it was."""

    def read(self, question: Callable[[Transaction], T]) -> T:
        """Run a question on one consistent snapshot; writing in it is a bug.

        :raises Unreachable: the server does not answer, or was lost in the middle of it."""

    def put_blob(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        """Stream bytes in, bounded in memory; returns (sha256, size). The same bytes are stored once.

        :raises TooLarge: more than `limit` bytes; nothing is kept."""

    def open_blob(self, sha256: str) -> AbstractContextManager[Iterator[bytes]]:
        """Stream bytes out, in chunks, none of them empty.  :raises NoSuch: no such bytes (upon entering)."""

    def changed_elsewhere(self) -> bool:
        """Whether another process has committed since this was last asked (or since the store was opened). Cheap."""

    def close(self) -> None:
        """Finish what was accepted, then let go of the database. Idempotent; any other call then raises."""
