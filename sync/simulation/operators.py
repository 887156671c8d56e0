"""The operators of the mesh: what waits for a person is decided now and then, as the commands would do it."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from central.guard import Hold, HoldKind, HoldState
from central.registry import SystemState
from central.store.api import Transaction
from connectors.errors import ConnectorError
from sync.guards import holds
from sync.guards.release import go_on

if TYPE_CHECKING:
    from sync.simulation.world import World

ROUND = timedelta(minutes=3)
"""How often they look what waits for them."""
NAME = "ada"


class Operators:
    """`go_round` is a round of theirs; the other methods are what they do when something is mended."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._rng = random.Random(f"{world.scenario.seed}/operators")

    def begin(self) -> None:
        """From now on they look around."""
        self._world.later(self._world.clock.now + ROUND, self._round)

    def _round(self) -> None:
        self.decide()
        self.begin()

    def decide(self) -> None:
        """Decide what the guards ask about systems as a whole; a ticket that goes to and fro is left as it is held."""
        for hold in self._world.raw_store.read(lambda tx: tx.guards.list(open_only=True)):
            if hold.kind is HoldKind.COPY:
                self._approve(hold)
            elif hold.ticket_id is None:
                self._rng.choice((self._approve, self._reject))(hold)
        for name in self._world.members:
            self._release(name)

    def _approve(self, hold: Hold) -> None:
        self._world.tell(f"an operator approves hold {hold.id}: {hold.reason}", act=True)
        holds.approve(self._world.means, hold.id, NAME)
        if hold.kind is not HoldKind.COPY:
            self._world.chronicle.approvals.setdefault(hold.system, self._world.clock.now)

    def _reject(self, hold: Hold) -> None:
        """It was a mistake, and what was deleted is there again by now."""
        world, write_back = self._world, self._rng.random() < 0.5
        if hold.kind is HoldKind.LOSS:
            world.disasters.bring_back(hold.system)
        world.tell(f"an operator rejects hold {hold.id}: {hold.reason}", act=True)
        holds.reject(world.means, hold.id, NAME, write_back=write_back)
        world.chronicle.rejections[hold.system].append(world.clock.now)

    def _release(self, name: str) -> None:
        world = self._world
        system, hold = world.raw_store.read(
            lambda tx: (tx.registry.system(name), tx.guards.latest(HoldKind.COPY, name))
        )
        if system.state is not SystemState.QUARANTINED or hold is None or hold.state is HoldState.OPEN:
            return
        try:
            said = go_on(world.means, world.gateways.get(name), hold, NAME)
        except ConnectorError as problem:
            world.tell(f"an operator cannot release {name} yet: {problem}", act=True)
            return
        world.tell(f"an operator releases {name}: {said}", act=True)
        world.wake(name)

    def resume_systems(self) -> None:
        """Take up again whatever was paused."""

        def change(tx: Transaction) -> None:
            for system in tx.registry.systems():
                if system.state is SystemState.PAUSED:
                    self._world.tell(f"an operator resumes {system.name}: {system.reason}")
                    tx.registry.put_system(replace(system, state=SystemState.LIVE, reason="", open_problem=False))

        self._world.raw_store.write(change)
        for name in self._world.members:
            self._world.wake(name)

    def retry_dead_letters(self) -> None:
        """Have every dead letter tried again."""

        def change(tx: Transaction) -> None:
            for letter in tx.outbox.dead():
                self._world.tell(f"an operator retries a dead letter of {letter.system}: {letter.error}")
                tx.outbox.owe(letter.system, letter.direction, letter.subject, self._world.clock.now, reason="retried")

        self._world.raw_store.write(change)
