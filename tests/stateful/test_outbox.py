"""The outbox and its leases, in every store, against a model that is nothing but its promises.

Time is a number that rules move. People owe looks, workers take them up, finish, fail, fall silent, come back late. At
the end of every story the queue is worked off, and each reason for a look must have been answered by one that began
after it.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from central.delivery import Claim, Delivery, Direction, Lane, Lease
from central.store.api import LeaseLost, Store, Transaction
from central.store.memory import MemoryStore
from central.store.migrations import upgrade
from central.store.sql import SqlStore
from central.store.testing.samples import NOW
from tests.postgres import Server

TTL = timedelta(seconds=20)
SYSTEMS, SUBJECTS, OWNERS = ("rt", "redmine"), ("1", "2", "3"), ("ada", "bob")
systems, subjects, directions = st.sampled_from(SYSTEMS), st.sampled_from(SUBJECTS), st.sampled_from(Direction)
seconds = st.sampled_from([0, 5, 40])

T = TypeVar("T")
Key = tuple[str, Direction, str]
_stories = itertools.count()


@dataclass
class Row:
    """A look that is owed, as the contract has it."""

    since: int
    generation: int
    lane: Lane
    not_before: datetime
    attempts: int = 0
    dead: bool = False
    error: str = ""


@dataclass
class Term:
    """A lease as the contract has it."""

    epoch: int
    owner: str
    ends_at: datetime


@dataclass
class Look:
    """A claim that was given out, and which reasons were there when it was."""

    claim: Claim
    key: Key
    reasons: frozenset[int]


@dataclass
class Model:
    """What is owed, who holds what, and what became of every reason."""

    rows: dict[Key, Row] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    reasons: dict[Key, set[int]] = field(default_factory=dict)
    """Those that no finished look has answered."""


class Outbox(RuleBasedStateMachine):
    """Every answer is foretold by the model."""

    looks: Bundle[Look] = Bundle("looks")

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store, self.story = store, next(_stories)  # many stories share a store: each has systems of its own
        self.now, self.model, self.count = NOW, Model(), itertools.count(1)

    # -- what happens --------------------------------------------------------------------------------------------------

    @rule(wait=st.sampled_from([0.5, 4, 19, 20, 21]))
    def time_passes(self, wait: float) -> None:
        self.now += timedelta(seconds=wait)

    @rule(system=systems, direction=directions, subject=subjects, lane=st.sampled_from(Lane), wait=seconds)
    def owe(self, system: str, direction: Direction, subject: str, lane: Lane, wait: int) -> None:
        key, number = (self._name(system), direction, subject), next(self.count)
        at = self.now + timedelta(seconds=wait)
        self._write(
            lambda tx: tx.outbox.owe(*key, self.now, reason=f"{number}", lane=lane, not_before=at if wait else None)
        )
        row = self.model.rows.get(key)
        if row is None:
            self.model.rows[key] = Row(number, 1, lane, at)
        elif row.dead:
            self.model.rows[key] = Row(row.since, row.generation + 1, lane, at)
        else:
            row.generation, row.lane, row.not_before = row.generation + 1, min(row.lane, lane), min(row.not_before, at)
        self.model.reasons.setdefault(key, set()).add(number)

    @rule(target=looks, system=systems, owner=st.sampled_from(OWNERS), only=st.sampled_from([None, *Direction]))
    def claim(self, system: str, owner: str, only: Direction | None) -> Any:
        look = self._claim(self._name(system), owner, only)
        return multiple() if look is None else look

    @rule(look=looks)
    def finish(self, look: Look) -> None:
        self._finish(look)

    @rule(look=looks, wait=seconds)
    def fail(self, look: Look, wait: int) -> None:
        later = self.now + timedelta(seconds=wait)
        if self._closes(look, lambda tx: tx.outbox.retry(look.claim, self.now, not_before=later, error="503")):
            row = self.model.rows[look.key]
            row.attempts, row.error, row.not_before = row.attempts + 1, "503", later

    @rule(look=looks, wait=seconds)
    def hand_back(self, look: Look, wait: int) -> None:
        later = self.now + timedelta(seconds=wait)
        if self._closes(look, lambda tx: tx.outbox.put_back(look.claim, self.now, not_before=later, error="held")):
            row = self.model.rows[look.key]
            if row.generation == look.claim.delivery.generation:
                row.error, row.not_before = "held", later

    @rule(look=looks)
    def bury(self, look: Look) -> None:
        if self._closes(look, lambda tx: tx.outbox.bury(look.claim, self.now, error="refused")):
            row = self.model.rows[look.key]
            row.attempts, row.error = row.attempts + 1, "refused"
            if row.generation == look.claim.delivery.generation:
                row.dead = True
            self.model.reasons[look.key] -= look.reasons  # a person knows of them

    @rule(look=looks)
    def let_go(self, look: Look) -> None:
        self._write(lambda tx: tx.outbox.release(look.claim.lease))
        if self._is_held(look.claim.lease, at=datetime.min.replace(tzinfo=UTC)):
            del self.model.terms[look.claim.lease.name]

    @rule(look=looks)
    def check(self, look: Look) -> None:
        held = self._is_held(look.claim.lease)
        assert self._answer(lambda tx: tx.outbox.check(look.claim.lease, self.now)) == (None if held else LeaseLost)

    @rule(owner=st.sampled_from(OWNERS))
    def take(self, owner: str) -> None:
        """A lease on what is no delivery: whoever has it keeps it, the other one gets it once it is over."""
        name = f"polls/{self.story}"
        term = self.model.terms.get(name)
        lease = self._write(lambda tx: tx.outbox.take(name, owner, self.now, ttl=TTL))
        if term is None or term.ends_at <= self.now:
            assert lease is not None
            self._begun(lease)
        elif term.owner == owner:
            assert lease == Lease(name, owner, term.epoch, self.now + TTL)
            term.ends_at = self.now + TTL
        else:
            assert lease is None

    # -- what is true at any time --------------------------------------------------------------------------------------

    @invariant()
    def every_look_and_every_counter_is_as_it_should_be(self) -> None:
        names = [self._name(system) for system in SYSTEMS]

        def question(tx: Transaction) -> Any:
            found = [tx.outbox.find(*key) for key in self.model.rows]
            dues = [[tx.outbox.next_due_at(of, after=after) for after in (None, self.now)] for of in names]
            return found, dues, [len(tx.outbox.dead(of)) for of in names], tx.outbox.counts()

        found, dues, dead, counts = self.store.read(question)
        for there, row in zip(found, self.model.rows.values(), strict=True):
            assert there is not None
            assert (there.generation, there.lane, there.not_before) == (row.generation, row.lane, row.not_before)
            assert (there.attempts, there.error, there.state == "dead") == (row.attempts, row.error, row.dead)
        for system, due, buried in zip(names, dues, dead, strict=True):
            rows = [row for key, row in self.model.rows.items() if key[0] == system]
            times = [row.not_before for row in rows if not row.dead]
            later = [at for at in times if at > self.now]
            assert due == [min(times, default=None), min(later, default=None)]
            assert buried == len(rows) - len(times)
            counted = counts.get(system)
            assert (counted.due if counted else 0, counted.dead if counted else 0) == (len(times), buried)

    def teardown(self) -> None:
        """All who hold something fall silent; somebody else works off what is owed. Nothing was forgotten."""
        self.now += timedelta(days=1)
        for system in map(self._name, SYSTEMS):
            while (look := self._claim(system, "the successor", None)) is not None:
                assert self._finish(look)
        assert not any(self.model.reasons.values()), "a reason was never answered"
        assert all(row.dead for row in self.model.rows.values())

    # -- the model -----------------------------------------------------------------------------------------------------

    def _write(self, change: Callable[[Transaction], T]) -> T:
        return self.store.write(change, durable=False)

    def _name(self, system: str) -> str:
        return f"{system}-{self.story}"

    def _claim(self, system: str, owner: str, only: Direction | None) -> Look | None:
        def lease_name(_: Transaction, delivery: Delivery) -> str:
            return f"{delivery.system}/{delivery.subject}"

        taken = self._write(
            lambda tx: tx.outbox.claim(system, owner, self.now, ttl=TTL, lease_name=lease_name, only=only)
        )
        due = [
            (row.lane, row.not_before, row.since, key)
            for key, row in self.model.rows.items()
            if key[0] == system and not row.dead and row.not_before <= self.now and only in (None, key[1])
        ]
        free = [each for each in sorted(due) if not self._is_taken(f"{system}/{each[-1][2]}")]
        if not free:
            assert taken is None
            return None
        assert taken is not None, "something is due and nobody holds it"
        key = free[0][-1]
        delivery = taken.delivery
        assert (delivery.system, delivery.direction, delivery.subject) == key
        assert (taken.lease.name, taken.lease.owner) == (f"{system}/{key[2]}", owner)
        self._begun(taken.lease)
        return Look(taken, key, frozenset(self.model.reasons[key]))

    def _begun(self, lease: Lease) -> None:
        """A new term: of a higher epoch than any before it under this name."""
        assert lease.epoch > self.model.epochs.get(lease.name, 0)
        assert lease.expires_at == self.now + TTL
        self.model.epochs[lease.name] = lease.epoch
        self.model.terms[lease.name] = Term(lease.epoch, lease.owner, lease.expires_at)

    def _is_taken(self, name: str) -> bool:
        term = self.model.terms.get(name)
        return term is not None and term.ends_at > self.now

    def _is_held(self, lease: Lease, at: datetime | None = None) -> bool:
        term = self.model.terms.get(lease.name)
        return term is not None and term.epoch == lease.epoch and term.ends_at > (at or self.now)

    def _closes(self, look: Look, change: Callable[[Transaction], Any]) -> bool:
        """Whether the look may still be closed: only under its own lease, and then once."""
        held = self._is_held(look.claim.lease)
        answer = self._answer(change)
        assert (answer is LeaseLost) is not held
        if held:
            del self.model.terms[look.claim.lease.name]
        return held

    def _finish(self, look: Look) -> bool:
        answers: list[bool] = []
        closed = self._closes(look, lambda tx: answers.append(tx.outbox.done(look.claim, self.now)))
        if not closed:
            return False
        row = self.model.rows[look.key]
        whole = row.generation == look.claim.delivery.generation
        assert answers[-1] is whole
        if whole:
            del self.model.rows[look.key]
        else:
            row.attempts, row.error = 0, ""
        self.model.reasons[look.key] -= look.reasons
        return True

    def _answer(self, change: Callable[[Transaction], Any]) -> Any:
        try:
            return self._write(change)
        except LeaseLost:
            return LeaseLost


def _attack(store: Store, stories: int) -> None:
    run_state_machine_as_test(
        lambda: Outbox(store),
        settings=settings(
            max_examples=stories,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def test_the_outbox_in_memory_keeps_its_promises() -> None:
    _attack(MemoryStore(), 60)


def test_the_outbox_on_sqlite_keeps_its_promises(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'interdesk.db'}"
    upgrade(url)
    store = SqlStore.open(url, clock=lambda: NOW, exclusive=True)
    _attack(store, 40)
    store.close()


@pytest.mark.peer
def test_the_outbox_on_postgresql_keeps_its_promises(postgres: Server) -> None:
    with postgres.database() as url:
        store = SqlStore.open(url, clock=lambda: NOW, exclusive=True)
        _attack(store, 20)
        store.close()
