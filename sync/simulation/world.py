"""The world of one scenario: several worker processes of the real engine around one store, trackers and their people,
on a virtual clock, with a moment between any two steps at which anything may happen.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any, TypeVar

from central.delivery import Direction
from central.registry import System, SystemState
from central.store.api import Store, Transaction
from connectors.emulators.tracker import Deed, Tracker
from connectors.errors import AccessError, ConnectorError, ProtocolError, Transient, Unknown
from sync.centre import Centre
from sync.engine import SyncEngine
from sync.gateway import Gateway
from sync.guards.mark import Spot
from sync.means import Means
from sync.policy import Policy
from sync.relay import Relay
from sync.simulation.baton import Killed
from sync.simulation.chronicle import Chronicle, Did, Strike
from sync.simulation.disasters import Disasters
from sync.simulation.mesh import START, Member, VirtualClock
from sync.simulation.operators import Operators
from sync.simulation.people import People
from sync.simulation.process import Process
from sync.simulation.scenario import DISASTERS, GOING_LIVE, LISTINGS, PEOPLE, Happening, Kind, Scenario
from sync.simulation.tempers import MARK
from sync.simulation.wire import DEADLINE, Wire
from sync.tokens import Tokens

T = TypeVar("T")
FULL_SCAN = timedelta(minutes=20)
PATIENCE = timedelta(minutes=2)
"""How long somebody waits for the middle of a step before they act anyway."""
QUIET = timedelta(minutes=30)
"""How long a mesh at rest is watched for silence."""
MOST_TURNS = 30_000
_REFLEX = timedelta(seconds=1)
"""How soon an automation answers."""
WARDEN = "warden"
"""Who opened the ticket that bears our mark."""
ROBOT = "robot"
"""Who such an automation acts as."""
_TICK = timedelta(microseconds=1)


class Restless(Exception):
    """The mesh does not come to rest. The sentence says what is still owed."""


class World:
    """Build one, `play` it, and let the oracle judge it. Everything in it follows from the scenario."""

    def __init__(
        self,
        scenario: Scenario,
        store: Store,
        *,
        means: Callable[[Means], Means] = lambda means: means,
        gateway: Callable[[Gateway], Gateway] = lambda gateway: gateway,
    ) -> None:
        """`means` and `gateway` hand in other parts: a test takes a rule away to see what it is good for."""
        self.scenario, self.clock, self.chronicle = scenario, VirtualClock(), Chronicle()
        self.rng = random.Random(f"{scenario.seed}/turns")
        self.store: Store = _Watched(store, self)
        self.raw_store = store
        self.tempers = {temper.name: temper for temper in scenario.tempers}
        self.members = {temper.name: self._member(index) for index, temper in enumerate(scenario.tempers)}
        self.gateways = _Gateways(self, gateway)
        self.means = means(
            Means(
                store=self.store,
                relay=Relay(self),
                clock=self.clock,
                tokens=Tokens("simulation"),
                units=self.gateways.units,
            )
        )
        self.engine = SyncEngine(self.means)
        self.centre = Centre(self.means)
        self.people, self.operators, self.disasters = People(self), Operators(self), Disasters(self)
        self.processes = [Process(self, number + 1) for number in range(scenario.workers)]
        self.current: Process | None = None
        self.healing = False
        self._pauses = len(self.processes) > 1 or any(each.kind is Kind.PAUSE for each in scenario.happenings)
        self.stepped: set[str] = set()
        """Systems whose clock has stepped."""
        self._coming = list(reversed(scenario.happenings))
        self._armed: list[Happening] = []
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._laters = 0
        self._unheard: datetime | None = None
        self._turns = 0
        for temper in scenario.tempers:
            store.write(lambda tx, name=temper.name: tx.registry.put_system(System(name, SystemState.LIVE, 1)))  # type: ignore[misc]  # bound now
        for process in self.processes:
            process.start()
        if any(happening.kind in DISASTERS for happening in scenario.happenings):
            self.operators.begin()
        self._run_until(START + timedelta(seconds=GOING_LIVE - 5))

    # -- what the engine works with ------------------------------------------------------------------------------------

    def _member(self, index: int) -> Member:
        temper = self.scenario.tempers[index]
        tracker: Tracker = temper.tracker(self.clock)
        spot = None
        if temper.marked:
            spot = Spot(tracker.person(WARDEN).open(subject="a mark", description="the mark: do not touch"), MARK)
        tracker.watch.append(lambda deed: self._noticed(temper.name, deed))
        wire = Wire(self, temper, tracker)
        units = frozenset({temper.unit})
        return Member(temper.name, wire, temper.mapping(), units, Policy(temper.policy), marker=spot)

    def wake(self, system: str, *, here: bool = False) -> None:
        """The bus: some of what rings is not heard, but for what a process tells itself."""
        if here and self.current is not None:
            self.current.ring(system)
            return
        for process in self.processes:
            if self.healing or not self.scenario.deaf or self.rng.random() >= self.scenario.deaf:
                process.ring(system)

    def position(self, system: str) -> int:  # noqa: ARG002  # processes here keep their own bells
        """Fulfils the bus; nobody waits at it."""
        return 0

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        """Fulfils the bus; nobody waits at it."""
        raise NotImplementedError("in a simulation the world says who plays next")

    def away(self) -> str:
        """Fulfils the bus; it never is."""
        return ""

    def close(self) -> None:
        """Fulfils the bus; there is nothing to close."""

    # -- moments -------------------------------------------------------------------------------------------------------

    @property
    def interrupts(self) -> bool:
        """Whether a process may have to rest in the middle of a turn."""
        return self._pauses and not self.healing

    def moment(self, operation: str, system: str, key: str, *, done: bool, takes: timedelta) -> None:
        """Between two steps of whoever plays: time passes, people act, things go wrong."""
        process = self.current
        if process is None or self._unheard:
            return
        self.clock.now += takes
        while self._coming and self._coming[-1].at <= self._seconds() and self._coming[-1].kind in PEOPLE:
            coming = self._coming.pop()
            if coming.moment is None:
                self._act(coming)
            else:
                self._armed.append(coming)
        waiting = (each for each in self._armed if each.moment and each.moment.operation == operation)
        for armed in [each for each in waiting if each.moment and each.moment.done == done] if self._armed else ():
            if armed.at > self._seconds():
                continue
            if armed not in self._armed:
                continue  # another process came upon it while this one was paused here
            if armed.system and system and armed.system != system:
                continue
            if armed.kind is Kind.LATE or armed.kind in LISTINGS:
                continue  # the wire itself asks for those
            self._armed.remove(armed)
            self._strike(armed, process, system, key, operation)
        if len(self.processes) > 1 and not self.healing and self.rng.random() < 0.03:
            process.pause(self.clock.now)

    def _strike(self, armed: Happening, process: Process, system: str, key: str, operation: str) -> None:
        if armed.kind in PEOPLE:
            self._act(armed)
            return
        self.chronicle.strikes.append(Strike(self.clock.now, armed.kind, system, operation))
        where = f"{operation} of {system}/{key}" if system else operation
        when = "after" if armed.moment and armed.moment.done else "before"
        self.tell(f"{armed.kind} ({process.name}, {when} the {where})", act=True)
        match armed.kind:
            case Kind.KILL:
                process.down_until = self.clock.now + timedelta(seconds=armed.seconds)
                raise Killed
            case Kind.PAUSE:
                process.pause(self.clock.now + timedelta(seconds=armed.seconds))
            case _ if operation == "commit":
                return
            case Kind.LOST_REQUEST:
                raise Transient("the connection broke")
            case Kind.LOST_ANSWER:
                raise Transient("the answer was lost")
            case Kind.BUSY:
                raise Transient("503 Service Unavailable")
            case Kind.THROTTLED:
                raise Transient("429 Too Many Requests", retry_after=timedelta(seconds=armed.seconds))
            case Kind.LOCKED_OUT:
                self.later(self.clock.now + timedelta(seconds=armed.seconds), self.operators.resume_systems)
                raise AccessError("401 Unauthorized")
            case Kind.HTML:
                if operation in ("create", "update", "comment"):
                    raise Unknown("the answer is HTML")
                raise ProtocolError("the answer is HTML", raw="<html>")

    def take(self, kind: Kind, system: str, operation: str) -> Happening | None:
        """The fault of this kind that is armed for this call, if any; it is spent then."""
        if self._unheard or self.current is None or not self._armed:
            return None
        for armed in self._armed:
            if armed.kind is kind and armed.system == system and armed.moment and armed.moment.operation == operation:
                self._armed.remove(armed)
                self.chronicle.strikes.append(Strike(self.clock.now, kind, system, operation))
                self.tell(f"{kind} ({self.current.name}, {operation} of {system})", act=True)
                return armed
        return None

    @property
    def player(self) -> str:
        """Who plays now, by name."""
        return self.current.name if self.current else "nobody"

    def later(self, at: datetime, act: Callable[[], None]) -> None:
        """Do this then."""
        self._laters += 1
        heappush(self._later, (at, self._laters, act))

    def sending(self, at: datetime) -> None:
        """A request of whoever plays is on its way since then."""
        if self.current is not None:
            self.current.sent_at = at

    @contextmanager
    def unheard(self, sent_at: datetime) -> Iterator[None]:
        """What executes now was sent then, and is answered to nobody."""
        before, self._unheard = self._unheard, sent_at
        try:
            yield
        except ConnectorError:
            pass
        finally:
            self._unheard = before

    def tell(self, text: str, *, act: bool = False) -> None:
        """A line of the story, now."""
        self.chronicle.tell(self.clock.now, text, act=act)

    # -- playing -------------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """People and faults to their end; then everything is mended, and the mesh comes to rest.

        :raises Restless: it does not."""
        last = self.scenario.happenings[-1].at if self.scenario.happenings else 0
        self._run_until(START + timedelta(seconds=last + 120))
        self._heal()
        for _ in range(12):
            begun = self.clock.now
            self._run_until(begun + FULL_SCAN + timedelta(minutes=5))
            # what is still missing after a rejection is looked for by the next full scan
            rejected = any(at > begun for times in self.chronicle.rejections.values() for at in times)
            if not rejected and not self.owed():
                return
        raise Restless(f"the mesh does not come to rest; it still owes: {'; '.join(self.owed()[:5])}")

    def rest(self) -> None:
        """Watch the mesh for a while, a full scan included."""
        self._run_until(self.clock.now + QUIET)

    def owed(self) -> list[str]:
        """What is due still, in sentences."""

        def question(tx: Transaction) -> list[str]:
            found = []
            stopped = [system for system in tx.registry.systems() if system.state is not SystemState.LIVE]
            found += [f"{system.name} is {system.state}: {system.reason}" for system in stopped]
            for ticket in range(1, tx.tickets.count() + 1):
                for name in self.members:
                    delivery = tx.outbox.find(name, Direction.OUTWARD, str(ticket))
                    held = tx.guards.holding(name, ticket) is not None  # it waits for a person
                    if delivery is not None and delivery.state == "due" and not held:
                        found.append(f"{name} a look at ticket {ticket}: {delivery.reason} ({delivery.error})")
            for name, member in self.members.items():
                for key in member.tracker.issues:
                    delivery = tx.outbox.find(name, Direction.INWARD, key)
                    link = tx.links.find_by_key(name, key)
                    held = link is not None and tx.guards.holding(name, link.ticket_id) is not None
                    if delivery is not None and delivery.state == "due" and not held:
                        found.append(f"a look at {name}/{key}: {delivery.reason} ({delivery.error})")
            return found

        return self.raw_store.read(question)

    def end(self) -> None:
        """Stop every process where it stands."""
        for process in self.processes:
            process.end()

    def _heal(self) -> None:
        """No more people, no more faults; operators bring back what needs them."""
        self._armed = [each for each in self._armed if each.kind in PEOPLE]
        for armed in self._armed:
            self._act(armed)
        self._armed = []
        self._coming = []
        self.healing = True
        self.tell("people stop, faults stop")
        for process in self.processes:
            process.down_until = process.down_until and self.clock.now
            process.paused_until = None
            if self.chronicle.restores:
                process.kill()  # the mark is read once a day, and whenever a process starts
        self._run_until(self.clock.now + DEADLINE * 2)
        self.operators.resume_systems()
        self.operators.retry_dead_letters()

    def _run_until(self, end: datetime) -> None:
        """The director: whoever can play plays; where nobody can, time passes."""
        while True:
            self._happen()
            now = self.clock.now
            turns = [(at, process) for process in self.processes if (at := process.next_at(now)) is not None]
            ready = [process for at, process in turns if at <= now]
            if ready:
                self._turns += 1
                if self._turns > MOST_TURNS:
                    raise Restless(
                        "it goes round and round: " + "; ".join(line.text for line in self.chronicle.lines[-4:])
                    )
                self._play(ready[0] if len(ready) == 1 else self.rng.choice(ready))
                continue
            if self.clock.now >= end:
                return
            moments = [end, *(at for at, _ in turns)]
            if self._later:
                moments.append(self._later[0][0])
            if self._coming:
                moments.append(START + timedelta(seconds=self._coming[-1].at))
            moments += [START + timedelta(seconds=a.at) + PATIENCE for a in self._armed if a.kind in PEOPLE]
            self.clock.now = max(self.clock.now + _TICK, min(moments))

    def _play(self, process: Process) -> None:
        self.current = process
        try:
            process.play()
        finally:
            self.current = None

    def _happen(self) -> None:
        """What falls due between two turns."""
        while self._later and self._later[0][0] <= self.clock.now:
            heappop(self._later)[2]()
        while self._coming and self._coming[-1].at <= self._seconds():
            coming = self._coming.pop()
            if coming.moment is not None:
                self._armed.append(coming)
            elif coming.kind in PEOPLE:
                self._act(coming)
            elif coming.kind in DISASTERS:
                self.disasters.strike(coming)
            elif coming.kind is Kind.STEP:
                self.tell(f"the clock of {coming.system} steps by {coming.seconds} s", act=True)
                self.stepped.add(coming.system)
                self.members[coming.system].tracker.offset += timedelta(seconds=coming.seconds)
        overdue = self._seconds() - PATIENCE.total_seconds() if self._armed else 0.0
        for armed in [each for each in self._armed if each.kind in PEOPLE and each.at < overdue]:
            self._armed.remove(armed)
            self._act(armed)

    def _seconds(self) -> float:
        return (self.clock.now - START).total_seconds()

    def _act(self, happening: Happening) -> None:
        before, self.current = self.current, None  # people's own steps are nobody's moments
        try:
            self.clock.advance(_TICK)
            self.people.act(happening)
            self.clock.advance(_TICK)
        finally:
            self.current = before

    def _noticed(self, system: str, deed: Deed) -> None:
        """A deed in a tracker."""
        self.clock.advance(_TICK)
        member = self.members[system]
        opened: Mapping[str, Any] = dict(member.tracker.issues[deed.key].fields) if deed.kind == "open" else {}
        ours = deed.who == member.connector.account
        sent_at = self._unheard if self.current is None else self._unheard or self.current.sent_at
        sent_at = sent_at if ours else None
        overdue = sent_at is not None and self.clock.now - sent_at > DEADLINE
        self.chronicle.dids.append(Did(system, self.clock.now, deed, opened, overdue))
        insists = self.tempers[system].insists
        if ours and insists and deed.kind == "set" and deed.field == "priority" and deed.new != insists:
            self.later(self.clock.now + _REFLEX, lambda: self._set_back(member, deed.key, insists))
        if ours or deed.cause:
            self.tell(_told(system, deed, self.current.name if self.current else "nobody"))
        elif self.scenario.webhooks and not self.healing:
            self._hook(system, deed.key)
        self.clock.advance(_TICK)

    def _set_back(self, member: Member, key: str, value: str) -> None:
        """An automation answers a write of ours, whether or not people have stopped."""
        if not member.tracker.issues[key].hidden:
            self.tell(f"an automation sets {member.name}/{key} priority to {value!r}", act=True)
            member.tracker.person(ROBOT).edit(key, {"priority": value})

    def _hook(self, system: str, key: str) -> None:
        """A webhook on its way: late, out of order, twice, or never."""
        rng = self.rng
        times = rng.choice((1, 1, 2, 0)) if self.scenario.faults else 1
        for _ in range(times):
            delay = rng.choice((0.1, 1.0, 30.0)) if self.scenario.faults else 0.1
            self.later(self.clock.now + timedelta(seconds=delay), lambda: self._hint(system, key))

    def _hint(self, system: str, key: str) -> None:
        relay, at = self.means.relay, self.clock.now
        self.raw_store.write(lambda tx: relay.owe_inward(tx, system, key, at, reason="a webhook named it"))


def _told(system: str, deed: Deed, who: str) -> str:
    place = f"{system}/{deed.key}"
    by = "the tracker itself" if deed.cause else f"interdesk ({who})"
    match deed.kind:
        case "open":
            return f"{by} opens {place}"
        case "set":
            return f"{by} sets {place} {deed.field} from {deed.old!r} to {deed.new!r}"
        case "comment":
            return f"{by} comments on {place}: {str(deed.new)[:200]!r}"
        case _:
            return f"{by} does {deed.kind} on {place}: {str(deed.new)[:80]!r}"


class _Gateways:
    """`sync.gateway.Gateways` of the world."""

    def __init__(self, world: World, other: Callable[[Gateway], Gateway]) -> None:
        self._gateways = {
            temper.name: other(
                Gateway(
                    system=temper.name,
                    revision=1,
                    connector=world.members[temper.name].connector,
                    mapping=world.members[temper.name].mapping,
                    policy=world.members[temper.name].policy,
                    birth_unit="TPM",
                    units=frozenset({temper.unit}),
                    marker=world.members[temper.name].marker,
                    guard=temper.limits,
                    poll_every=timedelta(seconds=temper.poll_every),
                    full_scan=FULL_SCAN,
                )
            )
            for temper in world.scenario.tempers
        }
        self._units = {temper.unit: temper.name for temper in world.scenario.tempers}

    def get(self, system: str) -> Gateway:
        return self._gateways[system]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._gateways))

    def units(self) -> Mapping[str, str]:
        return self._units


class _Watched:
    """The store, with a moment before and after each transaction."""

    def __init__(self, store: Store, world: World) -> None:
        self._store, self._world = store, world

    def write(self, change: Callable[[Transaction], T], *, durable: bool = True) -> T:
        self._world.moment("commit", "", "", done=False, takes=_TICK)
        result = self._store.write(change, durable=durable)
        self._world.moment("commit", "", "", done=True, takes=_TICK)
        return result

    def read(self, question: Callable[[Transaction], T]) -> T:
        return self._store.read(question)

    def changed_elsewhere(self) -> bool:
        return self._store.changed_elsewhere()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
