"""Looks at interdesk from outside: whether anybody is at work at all. For a process that shares nothing with it.

What is wrong with single systems the engine tells itself (`sync.alerts`); this notices when it cannot any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from central.delivery import Counts
from central.registry import System
from central.store.api import Store, StoreError, Transaction
from connectors.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is borne."""

    silence: timedelta = timedelta(seconds=90)
    """Since the engine was last heard of, in any process."""
    lag: timedelta = timedelta(hours=1)
    """How long a system that answers may be owed something."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How the engine is looked at."""

    opened: Callable[[], Store]
    """Opens the database anew.  :raises StoreError: it cannot be used."""
    web: Callable[[], None] | None
    """Asks the pages for their health.  :raises ConnectorError: with what is wrong; None: nobody asks."""
    clock: Callable[[], datetime]
    bounds: Bounds = field(default_factory=Bounds)

    def look(self) -> tuple[str, ...]:
        """What is wrong, in sentences; empty when all is well."""
        return (*self._database(), *self._pages())

    def _pages(self) -> tuple[str, ...]:
        try:
            if self.web is not None:
                self.web()
        except ConnectorError as problem:
            return (f"the pages do not answer: {problem}",)
        return ()

    def _database(self) -> tuple[str, ...]:
        try:
            store = self.opened()
        except StoreError as problem:
            return (f"the database cannot be asked: {problem}",)
        try:
            return store.read(self._judge)
        except StoreError as problem:
            return (f"the database cannot be asked: {problem}",)
        finally:
            store.close()

    def _judge(self, tx: Transaction) -> tuple[str, ...]:
        at = self.clock()
        newest = max((each.at for each in tx.heartbeats.list()), default=None)
        if newest is None:
            return ("the engine has stopped: nobody is at work",)
        if at - newest > self.bounds.silence:
            return (f"the engine has stopped: it is not heard of since {_moment(newest)}",)
        instance, counts = tx.instance.get(), tx.outbox.counts()
        if instance.stopped is not None or instance.held:  # what waits waits for that; status says so
            return ()
        late = [
            f"{system.name} is owed something since {_moment(since)}"
            for system in tx.registry.systems()
            if (since := _owed_since(system, counts.get(system.name, Counts()))) and at - since > self.bounds.lag
        ]
        return tuple(late)


def _owed_since(system: System, counts: Counts) -> datetime | None:
    """Since when something waits that only the engine can see to."""
    out = system.outage is not None and not system.outage.suspected_by
    return None if out or counts.held or not system.reads else counts.oldest_due_at


@dataclass(slots=True)
class Verdict:
    """What is believed after several looks: a single one that finds something may have met a restart."""

    patience: int = 2
    """How many looks in a row have to find something."""
    wrong: tuple[str, ...] = ()
    ill: bool = False
    _bad: int = 0

    def take(self, found: Sequence[str]) -> bool:
        """Take a look's findings in; whether the verdict has changed by it."""
        self._bad = self._bad + 1 if found else 0
        if found and not self.ill and self._bad >= self.patience:
            self.ill, self.wrong = True, tuple(found)
            return True
        if not found and self.ill:
            self.ill, self.wrong = False, ()
            return True
        return False


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
