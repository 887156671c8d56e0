"""Whom to poll and when. One poll per system at a time, on a thread of a bounded pool: a slow system delays nobody.

`step` does what is due now and says when it wants to be asked again; `run` is the thread that asks it. What other
processes commit (an `apply`, a `pause`, a retried letter) is noticed between two steps, within a second.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from central.delivery import Lease
from central.registry import Outage, System, SystemState
from central.store.api import Store, StoreError, Transaction
from connectors.api import SelfChecking
from connectors.errors import AccessError, ConnectorError, QuotaSpent, Transient
from sync import access, logs, outage
from sync.gateway import Gateway, Gateways
from sync.guards import marker
from sync.jobs.runner import Runner
from sync.listening import Listening
from sync.means import Means
from sync.poll import poll, scan
from sync.recovery.copies import at_rest

log = structlog.get_logger("interdesk.scheduler")

LOOK_AROUND = timedelta(milliseconds=250)
"""How often the commits of other processes are looked for."""
SWEEP_EVERY = timedelta(seconds=5)
"""How often what is owed is looked for though nobody says anything: a wake-up may be lost, and its giver may die."""
LONGEST_WAIT = timedelta(minutes=10)
"""However often a system failed, it is asked again after this time."""
MOST_AT_ONCE = 32
TERM = timedelta(seconds=15)
"""How long a process that polls for all is waited for when it falls silent. It is asked for three times in a term, so
that another one takes over within 20 seconds."""


@dataclass(slots=True)
class _Turn:
    """When a system is asked next, how often it has failed in a row, and whether it is being asked now."""

    at: datetime
    failures: int = 0
    asking: bool = False
    known: bool = False
    """Whether it was found to be the system we left, since it came (back) to life."""
    asked_at: datetime | None = None
    out: bool = False
    """Whether it was out when it was last looked for: once it answers somebody, it is asked at once."""
    doubt: str = ""
    """Why its polls may miss changes, as its last self-check found."""


class Scheduler:
    """Polls the systems that are live or in shadow.

    `submit` runs a round somewhere else (tests run it at once); `moved` is called after commits of other processes,
    and once at the start: it brings gateways and lanes up to date. `sweep` wakes whoever is owed a look."""

    def __init__(
        self,
        means: Means,
        gateways: Gateways,
        *,
        submit: Callable[[Callable[[], None]], object],
        moved: Callable[[], None],
        sweep: Callable[[], None],
        rivals: "Rivals | None" = None,
    ) -> None:
        self.listening = Listening(gateways, self.hurry)
        self._means, self._gateways, self._submit, self._moved = means, gateways, submit, moved
        self._sweep, self._swept_at = sweep, means.clock()
        self._rivals = rivals
        self._jobs = Runner(means, gateways, submit=submit)
        self._turns: dict[str, _Turn] = {}
        self._lock = threading.Lock()
        self._begun = False

    def step(self) -> datetime:
        """Start the rounds that are due; returns when the next one falls due, or when to look around again."""
        if self._means.store.changed_elsewhere() or not self._begun:
            self._begun = True
            self._moved()
        now = self._means.clock()
        if now - self._swept_at >= SWEEP_EVERY:
            self._swept_at = now
            self._sweep()
        soonest = now + LOOK_AROUND
        if self._rivals is not None and not self._rivals.is_mine(now):
            return soonest
        systems = self._means.store.read(lambda tx: () if at_rest(tx) else tx.registry.systems())
        self.listening.keep({system.name for system in systems if system.reads and not outage.is_out(system.outage)})
        with self._lock:
            turns = [self._turn(system, now) for system in systems]
        for system, turn in zip(systems, turns, strict=True):
            if turn is None or turn.asking:
                continue
            due_at = outage.poll_at(system, turn.at, turn.asked_at)
            if due_at > now:
                soonest = min(soonest, due_at)
                continue
            turn.asking, turn.asked_at = True, now
            self._submit(lambda name=system.name, turn=turn: self._round(name, turn))  # type: ignore[misc]  # bound now
        self._jobs.step()
        return soonest

    def hurry(self, name: str) -> None:
        """Something arrived there: ask it with the next step. One that failed is not asked the sooner for that."""
        with self._lock:
            turn = self._turns.get(name)
            if turn is not None and turn.failures == 0:
                turn.at = min(turn.at, self._means.clock())

    def _turn(self, system: System, now: datetime) -> _Turn | None:
        """The turn of a system that is read; one that comes (back) to life is asked at once. Under the lock."""
        turn = self._turns.get(system.name)
        if not system.reads:
            if turn is not None and not turn.asking:
                del self._turns[system.name]
            return None
        if turn is None:
            turn = self._turns[system.name] = _Turn(now)
        out = outage.is_out(system.outage)
        if turn.out and not out:
            turn.at, turn.failures = now, 0
        turn.out = out
        return turn

    def _round(self, name: str, turn: _Turn) -> None:
        """Ask one system, and decide when to ask it again."""
        wait = LONGEST_WAIT
        try:
            gateway = self._gateway(name)
            if gateway is not None and self._is_our_turn(name, turn):
                wait = self._ask(gateway, turn)
        except StoreError as problem:  # the system is as well as ever: it is asked again as soon as the store answers
            wait = SWEEP_EVERY
            log.warning("not polled: the store could not take it", system=name, error=logs.told(problem))
        except Exception as bug:
            turn.failures += 1
            log.exception("a poll stumbled over a bug of interdesk; please report it", system=name)
            self._note(name, f"{type(bug).__name__}: {bug}", wait, bug)
        finally:
            now = self._means.clock()
            turn.at = max(now, turn.at + wait) if turn.failures == 0 else now + wait
            turn.asking = False

    def _gateway(self, name: str) -> Gateway | None:
        try:
            return self._gateways.get(name)
        except LookupError as unusable:
            self._stop(name, str(unusable))
            return None

    def _is_our_turn(self, name: str, turn: _Turn) -> bool:
        """While a system is out, whether this poll is the one request that tries it."""

        def take(tx: Transaction) -> bool:
            system, now = tx.registry.system(name), self._means.clock()
            if system.outage is None or not outage.is_out(system.outage):
                return True
            if now < outage.turn_at(system.outage, outage.POLL):
                return False
            taken = outage.taken(system.outage, now, self._means.term)
            tx.registry.put_system(replace(system, outage=taken))
            return True

        return self._means.store.write(take, durable=False) if turn.out else True

    def _ask(self, gateway: Gateway, turn: _Turn) -> timedelta:
        """Poll, and scan where that is due; how long to wait until the next time."""
        try:
            self._look(gateway, turn)
        except AccessError as error:
            self._stop(gateway.system, f"AccessError: {error}", gateway)
        except QuotaSpent as spent:
            return spent.retry_after or LOOK_AROUND
        except ConnectorError as error:
            turn.failures += 1
            wait = _patience(gateway.poll_every, turn.failures, error)
            self._note(gateway.system, f"{type(error).__name__}: {error}", wait, error, in_turn=turn.out)
            return wait
        turn.failures = 0
        return gateway.poll_every

    def _look(self, gateway: Gateway, turn: _Turn) -> None:
        in_shadow = self._means.store.read(lambda tx: tx.registry.system(gateway.system)).state is SystemState.SHADOW
        if in_shadow:  # nothing is written: neither our mark nor a listing is worth a guard's while
            turn.known = False
            poll(self._means, gateway)
            return
        if not marker.ensure_ours(self._means, gateway, at_once=not turn.known):
            return
        turn.known = True
        polled = poll(self._means, gateway)
        if polled.owed:
            log.info("polled", system=gateway.system, rows=polled.rows, owed=polled.owed)
        system = self._means.store.read(lambda tx: tx.registry.system(gateway.system))
        if system.scanned_at is None or self._means.clock() - system.scanned_at >= gateway.full_scan:
            scanned = scan(self._means, gateway)
            log.info("scanned", system=gateway.system, rows=scanned.rows, owed=scanned.owed)
            turn.doubt = _doubt(gateway)
        if turn.doubt:
            self._tell(gateway, turn.doubt)

    def _tell(self, gateway: Gateway, doubt: str) -> None:
        """Say of a system that answers that its polls may miss changes. It goes on: the full scan finds them late."""

        def change(tx: Transaction) -> None:
            system = tx.registry.system(gateway.system)
            tx.registry.put_system(replace(system, last_error=doubt, error_at=self._means.clock()))

        self._means.store.write(change)
        log.error("may miss changes", system=gateway.system, reason=doubt)

    def _stop(self, name: str, reason: str, gateway: Gateway | None = None) -> None:
        """Stop this system only, and say so to those who can mend it. Without a gateway it cannot be used at all."""
        turned_away = access.kept(self._means.store, gateway) if gateway else ""

        def change(tx: Transaction) -> bool:
            system = tx.registry.system(name)
            if gateway is not None and access.is_outdated(gateway, system):
                return False
            tx.registry.put_system(access.lock_out(system, reason, self._means.clock(), turned_away=turned_away))
            return True

        if self._means.store.write(change):
            log.error(
                "stopped: it needs a person",
                system=name,
                reason=reason,
                remedy="mend it; with other credentials it goes on by itself after an apply or a restart, else say: "
                f"interdesk system resume {name}",
            )

    def _note(self, name: str, sentence: str, wait: timedelta, error: Exception, *, in_turn: bool = False) -> None:
        def change(tx: Transaction) -> Outage | None:
            system, at = tx.registry.system(name), self._means.clock()
            known = outage.failed(system.outage, error, at, by=outage.POLL, in_turn=in_turn)
            tx.registry.put_system(replace(system, last_error=sentence, error_at=at, outage=known))
            return known

        known = self._means.store.write(change)
        if known is not None and outage.is_out(known):
            wait = known.next_try_at - self._means.clock()
        log.warning("not polled", system=name, error=logs.told(error), again_in_seconds=wait.total_seconds())


def _doubt(gateway: Gateway) -> str:
    """What the system's self-check has against the way it is searched."""
    if not isinstance(gateway.connector, SelfChecking):
        return ""
    wrong = [each for each in gateway.connector.self_check() if not each.ok]
    return "; ".join(f"{each.sentence}: {each.remedy}" for each in wrong)


def _patience(every: timedelta, failures: int, error: ConnectorError) -> timedelta:
    """How long to leave a failing system alone: longer each time, as long as it asked for, never for ever."""
    wait: timedelta = min(max(LONGEST_WAIT, every), every * 2 ** min(failures - 1, 20))
    asked = error.retry_after if isinstance(error, Transient) else None
    return max(wait, asked) if asked is not None else wait


class Rivals:
    """Which of several processes polls: the one that holds the lease. A dead one's is free after `TERM`."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._lease: Lease | None = None
        self._asked_at: datetime | None = None

    def is_mine(self, now: datetime) -> bool:
        """Whether this process polls now; asks the database three times in a term."""
        if self._asked_at is None or now - self._asked_at >= TERM / 3:
            self._asked_at = now
            had = self._lease is not None
            self._lease = self._store.write(
                lambda tx: tx.outbox.take("polls", self._name, now, ttl=TERM), durable=False
            )
            if (self._lease is not None) is not had:
                log.info("polls" if self._lease else "leaves the polls to another process")
        return self._lease is not None and now < self._lease.expires_at


class Clockwork:
    """The thread that keeps a scheduler going, and the pool its rounds run on."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="poll")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._scheduler: Scheduler | None = None
        self._stepped_at: datetime | None = None

    @property
    def stepped_at(self) -> datetime | None:
        """When it took its last step; None: it was not begun yet."""
        return self._stepped_at

    def submit(self, round_: Callable[[], None]) -> object:
        """Run it on the pool."""
        return self._pool.submit(round_)

    def start(self, scheduler: Scheduler) -> None:
        """Begin."""
        self._scheduler, self._stepped_at = scheduler, self._clock()
        self._thread = threading.Thread(target=self._run, args=(scheduler,), name="scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the rounds that are under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._scheduler is not None:
            self._scheduler.listening.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, scheduler: Scheduler) -> None:
        while not self._stopping.is_set():
            self._stepped_at = self._clock()
            try:
                wait = (scheduler.step() - self._clock()).total_seconds()
            except StoreError as problem:  # nothing is lost: whoever is due stays due
                log.warning("the store does not answer", error=logs.told(problem))
                wait = LOOK_AROUND.total_seconds()
            except Exception:  # a bug of ours: say it loudly, keep polling
                log.exception("the scheduler stumbled over a bug of interdesk; please report it")
                wait = LOOK_AROUND.total_seconds()
            self._stopping.wait(max(0.001, wait))
