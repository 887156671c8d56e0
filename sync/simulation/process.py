"""A worker process in the simulation: its lanes and its scheduler, as `interdesk worker` runs them."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sync.lane import Lane
from sync.scheduler import Rivals, Scheduler
from sync.simulation.baton import Killed, Player

if TYPE_CHECKING:
    from sync.simulation.world import World

LOOK_AROUND = timedelta(seconds=10)
"""How often a process asks its scheduler whom to poll: a coarse grain saves turns and changes no truth."""
SWEEP = timedelta(seconds=60)
"""How often a process looks for what is owed though nobody rang, for wake-ups get lost."""


class Process:
    """One of the worker processes. It can be paused in the middle of a step, killed, and started anew."""

    def __init__(self, world: "World", number: int) -> None:
        self.name = f"worker {number}"
        self.paused_until: datetime | None = None
        self.down_until: datetime | None = None
        self.sent_at: datetime | None = None
        self._world = world
        self._lanes: dict[str, Lane] = {}
        self._awake: set[str] = set()
        self._due: dict[str, datetime] = {}
        self._poll_at: datetime | None = None
        self._swept_at = world.clock.now
        self._scheduler: Scheduler | None = None
        self._player = Player(self.name, self._turn)

    def start(self) -> None:
        """A fresh process: all that it knows is in the store."""
        world = self._world
        self._lanes = {
            name: Lane(world.means, world.engine, world.gateways, name, owner=self.name, spread=lambda: 0.5)
            for name in world.gateways.names()
        }
        rivals = Rivals(world.means.store, self.name)
        self._scheduler = Scheduler(
            world.means,
            world.gateways,
            submit=lambda act: act(),
            moved=lambda: None,
            sweep=self._sweep,
            rivals=rivals,
        )
        self._awake, self._due = set(self._lanes), {}
        self._poll_at = self._swept_at = world.clock.now
        self.sent_at = None

    def ring(self, system: str) -> None:
        """A wake-up has come for one of its lanes."""
        if self.down_until is None:
            self._awake.add(system)

    def next_at(self, now: datetime) -> datetime | None:
        """When it has something to do."""
        if self.down_until is not None:
            return self.down_until
        if self._player.midway:
            return self.paused_until or now
        if self._awake:
            return now
        soonest = self._poll_at
        for due in self._due.values():
            if soonest is None or due < soonest:
                soonest = due
        return soonest

    def play(self) -> None:
        """One turn, or the rest of one."""
        if self.down_until is not None:
            self.down_until = None
            self._world.tell(f"{self.name} starts again")
            self.start()
            return
        self.paused_until = None
        try:
            self._player.play(rests=self._world.interrupts)
        except Killed:
            self._player.end()
            self._player = Player(self.name, self._turn)
            if self.down_until is None:
                self.down_until = self._world.clock.now

    def pause(self, until: datetime) -> None:
        """Rest in the middle of a turn. Called by whoever plays it."""
        self.paused_until = until
        self._player.rest()

    def kill(self) -> None:
        """It dies where it stands, and is started anew at once. Not for whoever plays it."""
        self._player.end()
        self._player = Player(self.name, self._turn)
        self.down_until = self._world.clock.now

    def end(self) -> None:
        """Play no more."""
        self._player.end()

    def _turn(self) -> None:
        world, now = self._world, self._world.clock.now
        choices = sorted(self._awake | {name for name, at in self._due.items() if at <= now})
        polls = self._poll_at is not None and self._poll_at <= now
        pick = world.rng.randrange(len(choices) + polls) if len(choices) + polls > 1 else 0
        if pick == len(choices):
            assert self._scheduler is not None
            self._poll_at = None
            self._poll_at = max(self._scheduler.step(), world.clock.now + LOOK_AROUND)
            return
        name = choices[pick]
        self._awake.discard(name)
        self._due.pop(name, None)
        lane = self._lanes[name]
        if lane.step() is not None:
            self._awake.add(name)
            return
        due = lane.next_due_at()
        if due is not None:
            self._due[name] = max(world.clock.now, due)

    def _sweep(self) -> None:
        now = self._world.clock.now
        if now - self._swept_at >= SWEEP:
            self._swept_at = now
            self._world.means.relay.sweep(self._world.means.store)
