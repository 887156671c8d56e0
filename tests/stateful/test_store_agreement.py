"""Two stores, one story: whatever happens, SQL answers what the reference answers.

The rules are those of the outbox, the leases and the counters: owed looks, workers that finish, fail, die or come
late, changes that break half-way, time that passes.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from central.delivery import Claim, Delivery, Direction, Lane
from central.link import Link, LinkState
from central.store.api import Store, StoreError, Transaction
from central.store.memory import MemoryStore
from central.store.migrations import upgrade
from central.store.sql import SqlStore, sqlite
from central.store.sql.recount import miscounts
from central.store.sql.session import Session
from central.store.testing.samples import NOW

systems = st.sampled_from(["rt", "redmine"])
subjects = st.sampled_from(["1", "2", "3"])
directions = st.sampled_from(Direction)
waits = st.sampled_from([None, 0, 5, 40])
TTL = timedelta(seconds=20)

_folder = tempfile.TemporaryDirectory()
_empty = Path(_folder.name) / "empty.db"
upgrade(f"sqlite:///{_empty}")


class Halfway(Exception):
    """A change broke after it had written."""


class TwoStores(RuleBasedStateMachine):
    claims: Bundle[Claim] = Bundle("claims")
    links: Bundle[Link] = Bundle("links")

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.folder = Path(tempfile.mkdtemp(dir=_folder.name))
        database = Path(shutil.copy(_empty, self.folder / "interdesk.db"))
        self.sql = SqlStore.open(f"sqlite:///{database}", clock=lambda: self.now, exclusive=True)
        self.memory = MemoryStore()

    def both(self, change: Callable[[Transaction], Any]) -> Any:
        """Run a change in both stores; they agree on its result, or on its error."""
        answers = [_outcome(store, change) for store in (self.memory, self.sql)]
        assert answers[0] == answers[1]
        return None if isinstance(answers[0], str) else answers[0][0]

    @initialize()
    def some_tickets(self) -> None:
        self.both(lambda tx: [tx.tickets.create({"subject": str(number)}, NOW) for number in range(3)])

    @rule(seconds=st.sampled_from([0.5, 4, 19, 20, 21]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(system=systems, direction=directions, subject=subjects, lane=st.sampled_from(Lane), wait=waits)
    def owe(self, system: str, direction: Direction, subject: str, lane: Lane, wait: int | None) -> None:
        not_before = None if wait is None else self.now + timedelta(seconds=wait)
        self.both(
            lambda tx: tx.outbox.owe(
                system,
                direction,
                subject,
                self.now,
                reason=f"{wait}",
                lane=lane,
                not_before=not_before,
                hint=None if wait is None else {"wait": wait},
            )
        )

    @rule(target=claims, system=systems)
    def claim(self, system: str) -> Any:
        def lease_name(_: Transaction, delivery: Delivery) -> str:
            return delivery.subject

        taken = self.both(lambda tx: tx.outbox.claim(system, "worker", self.now, ttl=TTL, lease_name=lease_name))
        return multiple() if taken is None else taken

    @rule(taken=claims)
    def done(self, taken: Claim) -> None:
        self.both(lambda tx: tx.outbox.done(taken, self.now))

    @rule(taken=claims, wait=st.sampled_from([0, 10]))
    def retry(self, taken: Claim, wait: int) -> None:
        later = self.now + timedelta(seconds=wait)
        self.both(lambda tx: tx.outbox.retry(taken, self.now, not_before=later, error="503"))

    @rule(taken=claims)
    def bury(self, taken: Claim) -> None:
        self.both(lambda tx: tx.outbox.bury(taken, self.now, error="refused"))

    @rule(taken=claims)
    def discard(self, taken: Claim) -> None:
        self.both(lambda tx: tx.outbox.discard(taken.delivery.id, error="given up"))

    @rule(system=systems, places=st.integers(1, 3))
    def reserve(self, system: str, places: int) -> None:
        second = timedelta(seconds=1)
        self.both(lambda tx: tx.quotas.reserve(system, self.now, places, every=second, burst=10 * second))

    @rule(taken=claims)
    def release(self, taken: Claim) -> None:
        self.both(lambda tx: tx.outbox.release(taken.lease))

    @rule(taken=claims)
    def check(self, taken: Claim) -> None:
        self.both(lambda tx: tx.outbox.check(taken.lease, self.now))

    @rule(taken=claims, system=systems, subject=subjects)
    def break_halfway(self, taken: Claim, system: str, subject: str) -> None:
        def change(tx: Transaction) -> None:
            tx.outbox.owe(system, Direction.OUTWARD, subject, self.now, reason="never")
            tx.tickets.create({"subject": "never"}, self.now)
            tx.outbox.done(taken, self.now)
            raise Halfway

        self.both(change)

    @rule(
        target=links,
        ticket=st.integers(1, 4),
        system=systems,
        key=st.sampled_from([None, "7", "8"]),
        state=st.sampled_from(LinkState),
    )
    def link(self, ticket: int, system: str, key: str | None, state: LinkState) -> Any:
        made = self.both(lambda tx: tx.links.create(Link(0, ticket, system, state, key)))
        return multiple() if made is None else made

    @rule(
        target=links,
        link=consumes(links),
        key=st.sampled_from([None, "7", "8"]),
        state=st.sampled_from(LinkState),
        disagrees=st.booleans(),
    )
    def save(self, link: Link, key: str | None, state: LinkState, disagrees: bool) -> Link:
        changed = replace(link, key=key, state=state, disagreements={"status": "x"} if disagrees else {})
        saved = self.both(lambda tx: (tx.links.save(changed), "saved"))
        return link if saved is None else changed

    @invariant()
    def they_tell_the_same(self) -> None:
        for question in (
            lambda tx: tx.outbox.counts(),
            lambda tx: list(tx.outbox.dead()),
            lambda tx: list(tx.outbox.discarded()),
            lambda tx: [tx.outbox.next_due_at(system) for system in ("rt", "redmine")],
            lambda tx: [tx.outbox.next_due_at(system, after=self.now) for system in ("rt", "redmine")],
            lambda tx: [list(tx.links.of(ticket)) for ticket in (1, 2, 3)],
            lambda tx: [tx.links.find_by_key(system, key) for system in ("rt", "redmine") for key in ("7", "8")],
            lambda tx: tx.tickets.count(),
        ):
            assert self.memory.read(question) == self.sql.read(question)

    @invariant()
    def the_counters_are_what_a_recount_says(self) -> None:
        assert miscounts(Session(self.sql._hands[0].driver, sqlite.DIALECT, writable=False)) == []

    def teardown(self) -> None:
        self.sql.close()
        shutil.rmtree(self.folder)


def _outcome(store: Store, change: Callable[[Transaction], Any]) -> Any:
    """The result in a tuple, or the error in a sentence."""
    try:
        return (store.write(change),)
    except (StoreError, Halfway) as error:
        return f"{type(error).__name__}: {error}"


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
