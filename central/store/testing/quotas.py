"""Claims about quotas."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

from central.store.api import Store
from central.store.testing.samples import NOW, later

SECOND = timedelta(seconds=1)
BURST = 10 * SECOND


def _reserve(store: Store, at: datetime = NOW, places: int = 1, system: str = "rt") -> datetime:
    return store.write(lambda tx: tx.quotas.reserve(system, at, places, every=SECOND, burst=BURST), durable=False)


class QuotaClaims:
    """What `Quotas` promises."""

    def test_places_follow_each_other_evenly_and_none_is_given_twice(self, store: Store) -> None:
        given = [_reserve(store, later(number / 100)) for number in range(30)]
        assert all(b - a == SECOND for a, b in pairwise(given))

    def test_what_was_not_asked_for_a_while_may_be_asked_at_once_and_no_more(self, store: Store) -> None:
        assert _reserve(store) == NOW - BURST
        assert _reserve(store, later(3600)) == later(3600) - BURST

    def test_a_batch_is_so_many_places_one_after_the_other(self, store: Store) -> None:
        first = _reserve(store, places=5)
        assert _reserve(store) == first + 5 * SECOND

    def test_each_system_has_a_quota_of_its_own(self, store: Store) -> None:
        _reserve(store, places=60)
        assert _reserve(store, system="redmine") == NOW - BURST

    def test_many_who_ask_at_once_are_given_different_places(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as askers:
            given = sorted(askers.map(lambda _: _reserve(store, places=2), range(24)))
        assert all(b - a == 2 * SECOND for a, b in pairwise(given))

    def test_whoever_asks_with_a_clock_that_is_behind_gets_the_next_place_all_the_same(self, store: Store) -> None:
        first = _reserve(store, later(60))
        assert _reserve(store, NOW) == first + SECOND
