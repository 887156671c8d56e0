"""A lane per system: bounded threads that take up what the system is owed. One slow system never slows another.

What went wrong decides what happens next, one remedy per error (`REMEDIES`); nothing is swallowed, nothing is retried
for ever.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from central.link import Link
from central.registry import SystemState
from central.store.api import Claim, Delivery, Direction, LeaseLost, NoSuch, StoreError, Transaction
from connectors.errors import (
    AccessError,
    ConnectorError,
    NotFound,
    ProtocolError,
    QuotaSpent,
    Refused,
    Transient,
    VersionConflict,
)
from sync import access, outage
from sync.bus.api import Bus
from sync.engine import SyncEngine
from sync.gateway import Gateway, Gateways
from sync.means import Means, Outcome
from sync.outage import is_out
from sync.permit import Held, why_held
from sync.recovery.copies import at_rest

log = structlog.get_logger("interdesk.worker")

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)
MOST_TRIES = 80
"""After so many tries, half a day of them, what should have passed by itself needs a person. Those while the system as
a whole was out do not count: a night of maintenance makes no dead letter, a ticket that fails alone does."""
UNREADABLE_TRIES = 3
"""How often an answer that cannot be read is asked for again before it becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery after an error: another try at `not_before`, or a dead letter."""

    not_before: datetime | None
    stop_system: bool = False


def remedy(error: Exception, attempts: int, at: datetime, spread: float) -> Verdict:
    """The remedy for an error. `attempts` counts the tries before this one; `spread` in [0, 1) jitters the wait."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts, 20))
    later = at + wait * (0.75 + spread / 2)
    if isinstance(error, AccessError):
        return Verdict(later, stop_system=True)
    passes = isinstance(error, Transient | VersionConflict | StoreError)
    if passes and attempts + 1 >= MOST_TRIES:
        return Verdict(None)
    if isinstance(error, Transient):
        asked = at + error.retry_after if error.retry_after is not None else later
        return Verdict(max(asked, at + FIRST_WAIT))
    if passes:
        return Verdict(later)
    if isinstance(error, ProtocolError) and attempts + 1 < UNREADABLE_TRIES:
        return Verdict(later)
    return Verdict(None)


def lease_name(tx: Transaction, delivery: Delivery) -> str:
    """What must not be worked on twice at once: the link, however it is addressed."""
    if delivery.direction is Direction.INWARD:
        link = tx.links.find_by_key(delivery.system, delivery.subject)
        if link is None:
            return f"{delivery.system}/key/{delivery.subject}"
        return f"{delivery.system}/ticket/{link.ticket_id}"
    return f"{delivery.system}/ticket/{delivery.subject}"


def _answer(error: Exception) -> str:
    """The answer that nobody could read, for whoever has to."""
    return f"\nthe answer began: {error.raw}" if isinstance(error, ProtocolError) and error.raw else ""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A claim, and what was known of the system when it was taken up."""

    claim: Claim
    at: datetime
    doubted: bool
    """Somebody doubts that the system answers."""
    in_turn: bool
    """The system is out, and this look is the one that tries it."""


def _link(tx: Transaction, delivery: Delivery) -> Link | None:
    if delivery.direction is Direction.INWARD:
        return tx.links.find_by_key(delivery.system, delivery.subject)
    return tx.links.find(int(delivery.subject), delivery.system)


class Lane:
    """Carries out the deliveries of one system, one step at a time. Each thread has a lane object of its own."""

    def __init__(
        self,
        means: Means,
        engine: SyncEngine,
        gateways: Gateways,
        system: str,
        *,
        owner: str,
        spread: Callable[[], float],
    ) -> None:
        self._means, self._engine, self._gateways = means, engine, gateways
        self.system, self._owner, self._spread = system, owner, spread
        self._asked_at: datetime | None = None
        self._unclosed: Callable[[Transaction], None] | None = None
        """How the last look ended, which the store could not take: until it does, nobody else may look there."""
        self._rests_until: datetime | None = None

    def step(self) -> Outcome | None:
        """Take up one due delivery and finish it, one way or another; None: nothing is due, or the system rests.

        :raises StoreError: the store could not take what became of it; the next step tells it first."""
        means = self._means
        if self._unclosed is not None:
            with suppress(StoreError):  # where the store is still away, the claim says so
                self._write(self._unclosed)
        try:
            gateway = self._gateways.get(self.system)
        except LookupError:
            return None
        asked_at = self._asked_at = means.clock()
        if self._rests_until is not None and asked_at < self._rests_until:
            return None
        taken = means.store.write(lambda tx: self._take(tx, asked_at), durable=False)
        if taken is None:
            return None
        try:
            outcome = self._engine.look(gateway, taken.claim)
        except Held as held:
            return self._put_back(taken, held)
        except QuotaSpent as spent:
            return self._rest(taken, spent)
        except (ConnectorError, StoreError) as error:
            return self._failed(gateway, taken, error)
        except Exception as bug:
            log.exception("a look stumbled over a bug of interdesk; please report it", system=self.system)
            return self._failed(gateway, taken, bug)
        self._finish(taken, outcome)
        return outcome

    def _take(self, tx: Transaction, at: datetime) -> _Taken | None:
        """Claim what is due; while the system is out, only whoever finds the next try due, and takes that turn."""
        system = tx.registry.system(self.system)
        known, out = system.outage, is_out(system.outage)
        if not system.reads or at_rest(tx) or (out and known and at < outage.turn_at(known, outage.LOOK)):
            return None
        ttl = self._means.longest_look
        computes = system.state is SystemState.SHADOW  # nothing it does is a write
        only = Direction.INWARD if not computes and why_held(tx, self.system) else None
        claim = tx.outbox.claim(self.system, self._owner, at, ttl=ttl, lease_name=lease_name, only=only)
        if claim is None:
            return None
        if out and known:
            tx.registry.put_system(replace(system, outage=outage.taken(known, at, ttl)))
        return _Taken(claim, at, doubted=known is not None, in_turn=out)

    def next_due_at(self) -> datetime | None:
        """When there is something to do again; None: not before somebody says so."""

        def question(tx: Transaction) -> datetime | None:
            try:
                system = tx.registry.system(self.system)
            except NoSuch:
                return None
            if not system.reads or at_rest(tx):
                return None
            rests = [] if self._rests_until is None else [self._rests_until]
            if system.outage is not None and is_out(system.outage):
                rests.append(outage.turn_at(system.outage, outage.LOOK))
            rest = max(rests, default=None)
            if rest is None or self._asked_at is None or rest <= self._asked_at:
                return tx.outbox.next_due_at(self.system, after=self._asked_at)
            due = tx.outbox.next_due_at(self.system)
            return None if due is None else max(due, rest)

        return self._means.store.read(question)

    def _finish(self, taken: _Taken, outcome: Outcome) -> None:
        delivery = taken.claim.delivery

        def done(tx: Transaction) -> None:
            at = self._means.clock()
            tx.outbox.done(taken.claim, at)
            if taken.doubted:
                self._conclude(tx, taken, at)
            if outcome.look_again_at is not None:
                tx.outbox.owe(
                    delivery.system,
                    delivery.direction,
                    delivery.subject,
                    at,
                    reason="a second look",
                    lane=delivery.lane,
                    not_before=outcome.look_again_at,
                )

        self._write(done)
        log.info(
            "looked",
            system=self.system,
            direction=delivery.direction.value,
            subject=delivery.subject,
            did=list(outcome.said),
        )

    def _conclude(self, tx: Transaction, taken: _Taken, at: datetime) -> None:
        """The look is over and nothing went wrong: if it asked the system anything, the system answers."""
        system, link = tx.registry.system(self.system), _link(tx, taken.claim.delivery)
        asked = [] if link is None else [link.read_at, link.written_at]
        if any(moment is not None and moment >= taken.at for moment in asked):
            tx.registry.put_system(replace(system, outage=None))
            self._means.relay.wake(tx, self.system)
        elif taken.in_turn and system.outage is not None:
            tx.registry.put_system(replace(system, outage=outage.taken(system.outage, at, timedelta(0))))

    def _put_back(self, taken: _Taken, held: Held) -> Outcome:
        """It may not be written now; whoever lifts the hold on a ticket owes the look anew."""
        at = self._means.clock()
        not_before = at + LONGEST_WAIT if held.alone else at
        sentence = f"waits: {held}"

        def change(tx: Transaction) -> None:
            tx.outbox.put_back(taken.claim, at, not_before=not_before, error=sentence)
            if taken.doubted:
                self._conclude(tx, taken, at)

        self._write(change)
        log.info("waits", system=self.system, subject=taken.claim.delivery.subject, why=str(held))
        return Outcome((sentence,))

    def _write(self, change: Callable[[Transaction], None]) -> None:
        """Close a claim; a lane that was paused past its lease has a successor, and nothing left to say."""
        self._unclosed = None
        try:
            self._means.store.write(change, durable=False)
        except LeaseLost:
            return
        except StoreError:
            self._unclosed = change
            raise

    def _rest(self, taken: _Taken, spent: QuotaSpent) -> Outcome:
        """Our own quota is spent: it was no try, and this lane takes up nothing else meanwhile."""
        at = self._means.clock()
        self._rests_until = at + (spent.retry_after or FIRST_WAIT)
        sentence = f"waits: {spent}"

        def change(tx: Transaction) -> None:
            tx.outbox.put_back(taken.claim, at, not_before=at, error=sentence)
            if taken.doubted:
                self._conclude(tx, taken, at)

        self._write(change)
        log.info("rests", system=self.system, why=str(spent), until=self._rests_until.isoformat())
        return Outcome((sentence,))

    def _failed(self, gateway: Gateway, taken: _Taken, error: Exception) -> Outcome:
        at, claim = self._means.clock(), taken.claim
        verdict = remedy(error, claim.delivery.attempts, at, self._spread())
        sentence = f"{type(error).__name__}: {error}"
        turned_away = access.kept(self._means.store, gateway) if verdict.stop_system else ""

        def change(tx: Transaction) -> None:
            system = tx.registry.system(self.system)
            if verdict.stop_system and access.is_outdated(gateway, system):
                tx.outbox.put_back(claim, at, not_before=at + FIRST_WAIT, error=sentence)
                return
            known = outage.failed(system.outage, error, at, by=outage.LOOK, in_turn=taken.in_turn)
            if is_out(known) and outage.may_be_out(error):  # not this look's own trouble: it was not a try
                tx.outbox.put_back(claim, at, not_before=at, error=sentence)
            elif verdict.not_before is None:
                tx.outbox.bury(claim, at, error=sentence + _answer(error))
            else:
                tx.outbox.retry(claim, at, not_before=verdict.not_before, error=sentence)
            if taken.in_turn and known is not None and known == system.outage:  # whatever it was, it was no try
                known = outage.taken(known, at, timedelta(0))
            system = replace(system, outage=known)
            if verdict.stop_system:
                system = access.lock_out(system, sentence, at, turned_away=turned_away)
            elif not isinstance(error, Refused | NotFound | VersionConflict | StoreError):
                system = replace(system, last_error=sentence, error_at=at)
            tx.registry.put_system(system)

        self._write(change)
        log.warning(
            "not done",
            system=self.system,
            direction=claim.delivery.direction.value,
            subject=claim.delivery.subject,
            error=sentence,
            again_at=verdict.not_before.isoformat() if verdict.not_before else None,
            contacts=list(gateway.contacts) if verdict.stop_system else None,
        )
        return Outcome((sentence,))


class Worker:
    """Runs the lanes of all systems on threads, woken by the bus, never polling."""

    def __init__(
        self, lanes: Callable[[str], Lane], bus: Bus, gateways: Gateways, clock: Callable[[], datetime]
    ) -> None:
        self._lanes, self._bus, self._gateways, self._clock = lanes, bus, gateways, clock
        self._stopping = threading.Event()
        self._threads: dict[str, list[threading.Thread]] = {}

    def ensure_lanes(self) -> None:
        """Start lanes for the systems that have none yet; one that cannot be used as it stands waits."""
        for name in self._gateways.names():
            try:
                in_flight = self._gateways.get(name).in_flight
            except LookupError:
                continue
            running = self._threads.setdefault(name, [])
            for number in range(len(running), in_flight):
                thread = threading.Thread(target=self._run, args=(name,), name=f"lane-{name}-{number}", daemon=True)
                running.append(thread)
                thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Let each lane finish the look it is at."""
        self._stopping.set()
        for name in self._threads:
            self._bus.wake(name)
        for threads in self._threads.values():
            for thread in threads:
                thread.join(timeout)

    def _run(self, system: str) -> None:
        lane = self._lanes(system)
        while not self._stopping.is_set():
            position = self._bus.position(system)
            try:
                if lane.step() is not None:
                    continue
                due = lane.next_due_at()
            except StoreError as problem:  # nothing was lost: what is owed is still owed
                log.warning("the store could not take this", system=system, error=str(problem))
                due = self._clock() + FIRST_WAIT
            except Exception:  # a bug of ours: say it loudly, keep the lane alive, lose nothing
                log.exception("a lane stumbled over a bug of interdesk; please report it", system=system)
                due = self._clock() + LONGEST_WAIT
            wait = None if due is None else max(0.001, (due - self._clock()).total_seconds())
            self._bus.wait(system, position, wait)
