"""A lane: it takes up what one system is owed, has it looked at, and tells the store what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars

from central.delivery import Claim, Delivery, Direction
from central.link import Link
from central.registry import Maintenance, SystemState
from central.store.api import LeaseLost, NoSuch, StoreError, Transaction
from connectors.errors import ConnectorError, NotFound, ProtocolError, QuotaSpent, Refused, VersionConflict
from sync import access, logs, outage
from sync.ending import Ending
from sync.engine import SyncEngine
from sync.gateway import Gateway, Gateways
from sync.means import Means, Outcome
from sync.outage import is_out
from sync.permit import Held, why_held
from sync.recovery.copies import at_rest
from sync.remedies import FIRST_WAIT, LONGEST_WAIT, remedy

log = structlog.get_logger("interdesk.lane")


def lease_name(tx: Transaction, delivery: Delivery) -> str:
    """What must not be worked on twice at once: the link, however it is addressed."""
    if delivery.direction is Direction.INWARD:
        link = tx.links.find_by_key(delivery.system, delivery.subject)
        if link is None:
            return f"{delivery.system}/key/{delivery.subject}"
        return f"{delivery.system}/ticket/{link.ticket_id}"
    return f"{delivery.system}/ticket/{delivery.subject}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A claim, and what was known of the system when it was taken up."""

    claim: Claim
    gateway: Gateway
    at: datetime
    doubted: bool
    """Somebody doubts that the system answers."""
    in_turn: bool
    """The system is out, and this look is the one that tries it."""
    shadow: bool
    """The system is in shadow: what is to be written is computed, and not sent."""
    next_due_at: datetime | None = None
    """When the next thing was due that is not due yet, where whoever took this up looked ahead."""


class Lane:
    """Carries out the deliveries of one system, one at a time. Each thread has a lane object of its own."""

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
        self._unclosed: Callable[[Transaction], object] | None = None
        """How the last look ended, which the store could not take: until it does, nobody else may look there."""
        self._rests_until: datetime | None = None

    def step(self) -> Outcome | None:
        """Take up one due delivery and finish it, one way or another; None: nothing is due, or the system rests.

        :raises StoreError: the store could not take what became of it; the next step tells it first."""
        taken = self.take()
        return None if taken is None else self.carry_out(taken, further=False)[0]

    def take(self) -> Taken | None:
        """Take up one due delivery, to be carried out; None: nothing is due, or the system rests.

        :raises StoreError: the store could not."""
        self.close()  # where the store is still away, the claim says so
        asked_at = self._asked_at = self._means.clock()
        gateway = self._gateway()
        if gateway is None or (self._rests_until is not None and asked_at < self._rests_until):
            return None
        return self._means.store.write(lambda tx: self._take(tx, gateway, asked_at, ahead=True), durable=False)

    def carry_out(self, taken: Taken, *, further: bool) -> tuple[Outcome, Taken | None]:
        """Finish a delivery, one way or another. Where nothing went wrong the commit that ends it, the last of the look
        itself where that is known to be it, takes up the next one, if that is wanted (`further`) and one is due.

        :raises StoreError: the store could not take what became of it; `close` tells it."""
        with bound_contextvars(trail=taken.claim.delivery.trail):  # whatever is said meanwhile belongs to it
            return self._carry_out(taken, further=further)

    def _carry_out(self, taken: Taken, *, further: bool) -> tuple[Outcome, Taken | None]:
        onward, next_up = self._gateway() if further else None, list[Taken]()
        ending = Ending(lambda tx: self._done_and_on(tx, taken, None, onward, next_up))
        try:
            outcome = self._engine.look(taken.gateway, taken.claim, shadow=taken.shadow, ending=ending)
        except Held as held:
            return self._put_back(taken, held), None
        except QuotaSpent as spent:
            return self._rest(taken, spent), None
        except (ConnectorError, StoreError) as error:
            return self._failed(taken, error, next_up), None
        except Exception as bug:
            log.exception("a look stumbled over a bug of interdesk; please report it", system=self.system)
            return self._failed(taken, bug, next_up), None
        if not ending.over and not self._finish(taken, outcome, onward, next_up):
            return outcome, None
        log.info(
            "looked",
            system=self.system,
            direction=taken.claim.delivery.direction.value,
            subject=taken.claim.delivery.subject,
            did=[logs.gist(sentence) for sentence in outcome.said],
        )
        return outcome, next_up[0] if next_up else None

    def close(self) -> bool:
        """Tell the store how the last look ended, where it could not take that; whether it knows now."""
        if self._unclosed is not None:
            try:
                self._write(self._unclosed)
            except StoreError:
                return False
        return True

    def next_due_at(self, *, after: datetime | None = None) -> datetime | None:
        """When there is something to do again; None: not before somebody says so.

        What was due when nothing could be taken up, `after` (else: when this lane asked last), is in somebody's hands,
        who takes it up as they finish."""
        asked_at = after or self._asked_at

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
            if rest is None or asked_at is None or rest <= asked_at:
                return _or_after(system.maintenance, tx.outbox.next_due_at(self.system, after=asked_at), asked_at)
            due = tx.outbox.next_due_at(self.system)
            return None if due is None else max(due, rest)

        return self._means.store.read(question)

    def _gateway(self) -> Gateway | None:
        try:
            return self._gateways.get(self.system)
        except LookupError:
            return None

    def _take(self, tx: Transaction, gateway: Gateway, at: datetime, *, ahead: bool = False) -> Taken | None:
        """Claim what is due; while the system is out, only whoever finds the next try due, and takes that turn.

        `ahead`: say when the next thing is due, where nothing else is due now."""
        system = tx.registry.system(self.system)
        known, out = system.outage, is_out(system.outage)
        if not system.reads or at_rest(tx) or (out and known and at < outage.turn_at(known, outage.LOOK)):
            return None
        ttl = self._means.term
        computes = system.state is SystemState.SHADOW  # nothing it does is a write
        only = Direction.INWARD if not computes and why_held(tx, self.system, at) else None
        claim = tx.outbox.claim(self.system, self._owner, at, ttl=ttl, lease_name=lease_name, only=only)
        if claim is None:
            return None
        if out and known:
            tx.registry.put_system(replace(system, outage=outage.taken(known, at, ttl)))
        due = tx.outbox.next_due_at(self.system, after=at) if ahead and not claim.more else None
        return Taken(claim, gateway, at, doubted=known is not None, in_turn=out, shadow=computes, next_due_at=due)

    def _finish(self, taken: Taken, outcome: Outcome, onward: Gateway | None, next_up: list[Taken]) -> bool:
        """The look is done, and no commit of its own has said so; False: a successor has it in hand."""

        def done_and_on(tx: Transaction) -> None:
            self._done_and_on(tx, taken, outcome.look_again_at, onward, next_up)

        def done_after_all(tx: Transaction) -> None:
            """Nobody knows whether it was committed; what was taken up with it is let go."""
            self._let_go(tx, next_up)
            try:
                self._done(tx, taken, outcome.look_again_at)
            except LeaseLost:
                return

        return self._write(done_and_on, done_after_all)

    def _done_and_on(
        self,
        tx: Transaction,
        taken: Taken,
        look_again_at: datetime | None,
        onward: Gateway | None,
        next_up: list[Taken],
    ) -> None:
        """A look is over; what is taken up next by the same commit, where there is a gateway to go on with."""
        self._done(tx, taken, look_again_at)
        following = None if onward is None else self._take(tx, onward, self._means.clock())
        next_up[:] = [] if following is None else [following]

    def _done(self, tx: Transaction, taken: Taken, look_again_at: datetime | None) -> None:
        delivery, at = taken.claim.delivery, self._means.clock()
        tx.outbox.done(taken.claim, at)
        if taken.doubted:
            self._conclude(tx, taken, at)
        if look_again_at is not None:
            tx.outbox.owe(
                delivery.system,
                delivery.direction,
                delivery.subject,
                at,
                reason="a second look",
                lane=delivery.lane,
                not_before=look_again_at,
                trail=delivery.trail,
            )
            self._means.relay.remind(tx, self.system)

    def _let_go(self, tx: Transaction, next_up: Sequence[Taken]) -> None:
        """What a commit took up of which nobody knows whether it was made."""
        for each in next_up:
            tx.outbox.release(each.claim.lease)
        self._means.relay.remind(tx, self.system)

    def _conclude(self, tx: Transaction, taken: Taken, at: datetime) -> None:
        """The look is over and nothing went wrong: if it asked the system anything, the system answers."""
        system, link = tx.registry.system(self.system), _link(tx, taken.claim.delivery)
        asked = [] if link is None else [link.read_at, link.written_at]
        if any(moment is not None and moment >= taken.at for moment in asked):
            tx.registry.put_system(replace(system, outage=None))
            self._means.relay.wake(tx, self.system)
        elif taken.in_turn and system.outage is not None:
            tx.registry.put_system(replace(system, outage=outage.taken(system.outage, at, timedelta(0))))

    def _put_back(self, taken: Taken, held: Held) -> Outcome:
        """It may not be written now; whoever lifts the hold on a ticket owes the look anew."""
        at = self._means.clock()
        not_before = at + LONGEST_WAIT if held.alone else at
        log.info("waits", system=self.system, subject=taken.claim.delivery.subject, why=logs.gist(str(held)))
        return self._wait(taken, f"waits: {held}", at, not_before)

    def _rest(self, taken: Taken, spent: QuotaSpent) -> Outcome:
        """Our own quota is spent: it was no try, and this lane takes up nothing else meanwhile."""
        at = self._means.clock()
        self._rests_until = at + (spent.retry_after or FIRST_WAIT)
        log.info("rests", system=self.system, why=str(spent), until=self._rests_until.isoformat())
        return self._wait(taken, f"waits: {spent}", at, at)

    def _wait(self, taken: Taken, sentence: str, at: datetime, not_before: datetime) -> Outcome:
        def change(tx: Transaction) -> None:
            tx.outbox.put_back(taken.claim, at, not_before=not_before, error=sentence)
            self._means.relay.remind(tx, self.system)
            if taken.doubted:
                self._conclude(tx, taken, at)

        self._write(change)
        return Outcome((sentence,))

    def _failed(self, taken: Taken, error: Exception, next_up: Sequence[Taken]) -> Outcome:
        """`next_up`: what the look's last commit took up, if there was one that went wrong."""
        at, claim, gateway = self._means.clock(), taken.claim, taken.gateway
        verdict = remedy(error, claim.delivery.attempts, at, self._spread())
        sentence = f"{type(error).__name__}: {error}"
        turned_away = access.kept(self._means.store, gateway) if verdict.stop_system else ""

        def change(tx: Transaction) -> None:
            self._let_go(tx, next_up)
            try:
                note(tx)
            except LeaseLost:
                if not next_up:
                    raise

        def note(tx: Transaction) -> None:
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
            error=logs.told(error),
            again_at=verdict.not_before.isoformat() if verdict.not_before else None,
        )
        return Outcome((sentence,))

    def _write(
        self, change: Callable[[Transaction], object], again: Callable[[Transaction], object] | None = None
    ) -> bool:
        """Close a claim: False, where a lane that was paused past its lease has a successor, and nothing left to say.

        `again`: what to tell a store that could not take it."""
        self._unclosed = None
        try:
            self._means.store.write(change, durable=False)
        except LeaseLost:
            return False
        except StoreError:
            self._unclosed = again or change
            raise
        return True


def _or_after(window: Maintenance | None, due: datetime | None, asked_at: datetime | None) -> datetime | None:
    """When to ask again: what a maintenance window holds was due before it ends."""
    if window is None or asked_at is None or not window.lasts(asked_at):
        return due
    return window.ends_at if due is None else min(due, window.ends_at)


def _link(tx: Transaction, delivery: Delivery) -> Link | None:
    if delivery.direction is Direction.INWARD:
        return tx.links.find_by_key(delivery.system, delivery.subject)
    return tx.links.find(int(delivery.subject), delivery.system)


def _answer(error: Exception) -> str:
    """The answer that nobody could read, for whoever has to."""
    return f"\nthe answer began: {error.raw}" if isinstance(error, ProtocolError) and error.raw else ""
