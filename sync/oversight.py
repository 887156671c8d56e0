"""What a process does for being seen: it says that it lives, tells what is wrong, and pings a dead-man's switch."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from central.store.api import Store, StoreError, Transaction
from central.store.sql import SqlStore
from connectors.errors import ConnectorError
from sync import logs
from sync.alerts.ailments import Limits
from sync.alerts.herald import Concern, Herald
from sync.config import InstanceDocument, SystemDocument
from sync.outgoing import Outgoing

log = structlog.get_logger("interdesk.oversight")

BEAT_EVERY = timedelta(seconds=15)
ROUND_EVERY = timedelta(seconds=15)
FORGOTTEN_AFTER = timedelta(days=1)
"""A process that was not heard of for so long will not come back under its name: nobody waits for it any more."""


class Oversight:
    """Asked by the engine's own thread with each sweep, so that it falls silent when the engine does.

    What may take its time runs through `submit`, one after the other. `stalls`: what of the engine does not move."""

    def __init__(
        self,
        store: Store,
        herald: Herald,
        ping: Callable[[], None],
        *,
        name: str,
        alone: bool,
        clock: Callable[[], datetime],
        submit: Callable[[Callable[[], None]], object],
        stalls: Callable[[], list[str]],
        ping_every: timedelta,
    ) -> None:
        """`alone`: no other process works on this database, so that whoever is heard of is dead."""
        self._store, self._herald, self._ping = store, herald, ping
        self._name, self._alone, self._clock, self._submit, self._stalls = name, alone, clock, submit, stalls
        self._ping_every = ping_every
        self._beats_at = self._round_at = self._pings_at = clock()
        self._busy = False
        self._heard_of = False

    def step(self) -> None:
        """Do what is due.  :raises StoreError: the store does not take it."""
        now = self._clock()
        if self._stalls():
            return
        if now >= self._beats_at:
            self._store.write(lambda tx: self._beat(tx, now), durable=False)
            self._heard_of, self._beats_at = True, now + BEAT_EVERY
        if now >= self._round_at and not self._busy:
            self._busy, self._round_at = True, now + ROUND_EVERY
            self._submit(self._round)

    def end(self) -> None:
        """This process ends in order: nobody is to miss it."""
        if self._heard_of:
            with suppress(StoreError):
                self._store.write(lambda tx: tx.heartbeats.end(self._name))

    def _beat(self, tx: Transaction, now: datetime) -> None:
        if self._alone and not self._heard_of:
            for each in tx.heartbeats.list():
                tx.heartbeats.end(each.process)
        tx.heartbeats.end_old(now - FORGOTTEN_AFTER)
        tx.heartbeats.beat(self._name, now)

    def _round(self) -> None:
        try:
            self._herald.round()
        except StoreError as problem:  # it is told with the next round
            log.warning("nobody can be told: the store could not take it", error=logs.told(problem))
        except Exception:
            log.exception("telling stumbled over a bug of interdesk; please report it")
        finally:
            self._ping_if_due()
            self._busy = False

    def _ping_if_due(self) -> None:
        now = self._clock()
        if now < self._pings_at:
            return
        self._pings_at = now + self._ping_every
        try:
            self._ping()
        except ConnectorError as problem:
            log.warning("the dead-man's switch was not reached", error=logs.told(problem))


def oversee(
    store: SqlStore,
    outgoing: Outgoing,
    instance: InstanceDocument,
    documents: Callable[[], Mapping[str, SystemDocument]],
    *,
    name: str,
    clock: Callable[[], datetime],
    submit: Callable[[Callable[[], None]], object],
    stalls: Callable[[], list[str]],
) -> Oversight:
    """How a process called `name` is seen. `documents`: of the registered systems."""
    herald = Herald(
        store,
        outgoing,
        lambda: {system: concern(document, instance) for system, document in documents().items()},
        clock=clock,
        name=name,
        contacts=instance.alerts.contacts,
        centre=instance.centre,
        page=instance.public_url,
    )
    return Oversight(
        store,
        herald,
        outgoing.ping,
        name=name,
        alone=store.alone,
        clock=clock,
        submit=submit,
        stalls=stalls,
        ping_every=instance.alerts.ping_every,
    )


def concern(document: SystemDocument, instance: InstanceDocument) -> Concern:
    """What is borne of a system, and who is told: as its document says, else as the instance's does."""
    said, usual = document.alerts, instance.alerts
    limits = Limits(said.lag or usual.lag, said.errors or usual.errors, said.dead_letters or usual.dead_letters)
    return Concern(limits, document.contacts)
