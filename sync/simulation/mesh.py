"""A mesh in one process: the real engine, store, lanes and polling over trackers in memory, on a virtual clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from central.guard import HoldKind
from central.registry import System, SystemState
from central.store.api import Store, Transaction
from connectors.emulators.tracker import Tracker
from connectors.errors import ConnectorError
from connectors.memory import MemoryConnector
from mappings import model as mapping_model
from sync.bus.inprocess import InProcessBus
from sync.centre import Centre
from sync.engine import SyncEngine
from sync.gateway import Gateway
from sync.guards import marker
from sync.guards.mark import Spot
from sync.lane import Lane
from sync.means import Means
from sync.policy import Policy
from sync.poll import poll, scan
from sync.recovery.copies import at_rest
from sync.relay import Relay
from sync.tokens import Tokens

ALL_GUARDS = frozenset(HoldKind)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class VirtualClock:
    """Time that moves only when told to."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass(frozen=True, slots=True)
class Member:
    """A system of the mesh: its tracker, and how interdesk speaks to it."""

    name: str
    connector: MemoryConnector
    mapping: mapping_model.Mapping
    units: frozenset[str]
    policy: Policy = field(default_factory=Policy)
    birth_unit: str = "TPM"
    share_internal: bool = False
    follow_deletes: bool = False
    marker: Spot | None = None

    @property
    def tracker(self) -> Tracker:
        """The helpdesk itself, for the people who work in it."""
        return self.connector.tracker


class Members:
    """`sync.gateway.Gateways` of a mesh."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._gateways = {
            m.name: Gateway(
                system=m.name,
                revision=1,
                connector=m.connector,
                mapping=m.mapping,
                policy=m.policy,
                birth_unit=m.birth_unit,
                units=m.units,
                share_internal=m.share_internal,
                follow_deletes=m.follow_deletes,
                marker=m.marker,
            )
            for m in members
        }

    def get(self, system: str) -> Gateway:
        return self._gateways[system]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._gateways))

    def units(self) -> Mapping[str, str]:
        return {unit: g.system for g in self._gateways.values() for unit in g.units}


def _ensure_live(tx: Transaction, name: str) -> None:
    """A store that was used before knows where polling continues."""
    if name not in {system.name for system in tx.registry.systems()}:
        tx.registry.put_system(System(name, SystemState.LIVE, 1))


class Mesh:
    """Systems around one centre. Everything happens when a method is called, in one thread, in one order."""

    def __init__(
        self, store: Store, members: Sequence[Member], clock: VirtualClock, *, guards: frozenset[HoldKind] = ALL_GUARDS
    ) -> None:
        self.store, self.clock = store, clock
        self.members = {m.name: m for m in members}
        self.gateways = Members(members)
        self.means = Means(
            store=store,
            relay=Relay(InProcessBus()),
            clock=clock,
            tokens=Tokens("mesh"),
            units=self.gateways.units,
            guards=guards,
        )
        self.centre = Centre(self.means)
        self._lanes = self._open_lanes()
        for name in self.gateways.names():
            store.write(lambda tx, name=name: _ensure_live(tx, name))  # type: ignore[misc]  # bound now
        self.poll()

    def _open_lanes(self) -> dict[str, Lane]:
        engine = SyncEngine(self.means)
        return {
            name: Lane(self.means, engine, self.gateways, name, owner="mesh", spread=lambda: 0.5)
            for name in self.gateways.names()
        }

    def restart(self) -> None:
        """What a crash leaves behind is the store alone; the successor waits out the leases."""
        self._lanes = self._open_lanes()
        self.clock.advance(timedelta(minutes=3))

    def poll(self, only: Sequence[str] | None = None) -> None:
        """Ask every live system, and those in shadow, what changed; an unreachable one is asked again next time."""
        if self.store.read(at_rest):
            return
        for name in only or self.gateways.names():
            system = self.store.read(lambda tx, name=name: tx.registry.system(name))  # type: ignore[misc]  # bound now
            if system.reads:
                try:
                    live = system.state is SystemState.LIVE
                    if live and not marker.ensure_ours(self.means, self.gateways.get(name)):
                        continue
                    poll(self.means, self.gateways.get(name))
                except ConnectorError:
                    continue

    def scan(self) -> None:
        """The full scan of every system."""
        for name in self.gateways.names():
            scan(self.means, self.gateways.get(name))

    def work(self, limit: int = 1000) -> int:
        """Carry out everything that is due now; how many looks it took."""
        steps = 0
        while steps < limit:
            busy = [lane.step() for lane in self._lanes.values()]
            done = sum(outcome is not None for outcome in busy)
            if not done:
                return steps
            steps += done
        raise AssertionError(f"the mesh does not come to rest within {limit} looks: something ping-pongs")

    def round(self, after: timedelta = timedelta(minutes=1)) -> int:
        """Let time pass, poll, and work."""
        self.clock.advance(after)
        self.poll()
        return self.work()

    def settle(self, rounds: int = 12) -> int:
        """Run rounds until one finds nothing to do, and no delivery waits for a later time; how many it took."""
        for number in range(1, rounds + 1):
            if self.round() == 0 and self.pending() is None:
                return number
        raise AssertionError(f"the mesh is not quiet after {rounds} rounds")

    def pending(self) -> datetime | None:
        """When the next delivery falls due; None: nothing is owed."""
        moments = [lane.next_due_at() for lane in self._lanes.values()]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known else None
