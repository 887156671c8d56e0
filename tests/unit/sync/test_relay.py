"""What is owed is written in the transaction of its reason, and the wake-up follows the commit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from central.delivery import Direction, Lane
from central.registry import System, SystemState
from central.store.api import Transaction
from central.store.memory import MemoryStore
from sync.relay import Relay

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


class Bells:
    """A bus that only notes who was woken."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, bool]] = []

    def wake(self, system: str, *, here: bool = False) -> None:
        self.rung.append((system, here))


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for name in ("ngi-cz", "ngi-pl"):
        store.write(lambda tx, name=name: tx.registry.put_system(System(name, SystemState.LIVE, 1)))
    return store


Owe = Callable[[Relay, Transaction], None]


def inward(relay: Relay, tx: Transaction, **more) -> None:
    relay.owe_inward(tx, "ngi-cz", "7", NOW, reason="a webhook", **more)


def outward(relay: Relay, tx: Transaction, **more) -> None:
    relay.owe_outward(tx, ("ngi-pl", "ngi-cz"), 7, NOW, reason="changed", **more)


def test_a_look_inward_is_owed_with_all_that_is_known_and_its_lane_woken(store: MemoryStore) -> None:
    bells = Bells()
    store.write(lambda tx: inward(Relay(bells), tx, not_before=LATER, hint={"row": 1}))
    owed = store.read(lambda tx: tx.outbox.find("ngi-cz", Direction.INWARD, "7"))
    assert owed is not None
    assert (owed.reason, owed.lane, owed.not_before, owed.hint) == ("a webhook", Lane.LIVE, LATER, {"row": 1})
    assert bells.rung == [("ngi-cz", False)]


def test_looks_outward_are_owed_to_each_system_in_one_order_and_each_lane_is_woken(store: MemoryStore) -> None:
    bells = Bells()
    store.write(lambda tx: outward(Relay(bells), tx, not_before=LATER))
    for name in ("ngi-cz", "ngi-pl"):
        owed = store.read(lambda tx, name=name: tx.outbox.find(name, Direction.OUTWARD, "7"))
        assert owed is not None
        assert (owed.reason, owed.lane, owed.not_before) == ("changed", Lane.LIVE, LATER)
    assert bells.rung == [("ngi-cz", False), ("ngi-pl", False)]


@pytest.mark.parametrize("owe", [inward, outward])
def test_what_follows_from_a_backfill_goes_behind_unless_it_is_said_otherwise(store: MemoryStore, owe) -> None:
    direction = Direction.INWARD if owe is inward else Direction.OUTWARD

    def lane() -> Lane:
        owed = store.read(lambda tx: tx.outbox.find("ngi-cz", direction, "7"))
        assert owed is not None
        return owed.lane

    bells = Bells()
    store.write(lambda tx: owe(Relay(bells).behind(), tx))
    assert lane() is Lane.BACKFILL
    assert bells.rung
    store.write(lambda tx: owe(Relay(bells).behind(), tx, lane=Lane.LIVE))
    assert lane() is Lane.LIVE


def test_nobody_is_woken_for_what_was_rolled_back(store: MemoryStore) -> None:
    bells = Bells()

    def fails(tx: Transaction) -> None:
        inward(Relay(bells), tx)
        outward(Relay(bells), tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(fails)
    assert bells.rung == []


def test_who_may_go_on_with_what_was_owed_before_is_woken_once_that_is_committed(store: MemoryStore) -> None:
    bells = Bells()

    def change(tx: Transaction) -> None:
        Relay(bells).wake(tx, "ngi-pl")
        assert bells.rung == []

    store.write(change)
    assert bells.rung == [("ngi-pl", False)]
    assert store.read(lambda tx: tx.outbox.counts()) == {}


def test_who_looks_out_in_this_process_is_reminded_once_it_is_committed(store: MemoryStore) -> None:
    bells = Bells()

    def change(tx: Transaction) -> None:
        Relay(bells).remind(tx, "ngi-pl")
        assert bells.rung == []

    store.write(change)
    assert bells.rung == [("ngi-pl", True)]


def test_a_sweep_wakes_the_lanes_of_this_process_that_are_owed_something(store: MemoryStore) -> None:
    bells = Bells()
    store.write(lambda tx: inward(Relay(Bells()), tx))
    Relay(bells).sweep(store)
    assert bells.rung == [("ngi-cz", True)]


def test_who_looks_out_here_is_reminded_and_nobody_elsewhere(store: MemoryStore) -> None:
    bells = Bells()
    store.write(lambda tx: Relay(bells).remind(tx, "ngi-cz"))
    assert bells.rung == [("ngi-cz", True)]
