"""Claims about what would have been written."""

from dataclasses import replace

import pytest

from central.shadow import Seen, Shadow, Side
from central.store.api import NoSuch, Store
from central.store.testing.samples import NOW, later

WOULD = Shadow(0, "rt", Side.SYSTEM, 7, "345", "field Status", ("a", "b"), None, "central changed it", NOW)


def _record(store: Store, *shadows: Shadow) -> None:
    for shadow in shadows:
        store.write(lambda tx, shadow=shadow: tx.shadow.record(shadow))  # type: ignore[misc]  # bound now


class ShadowClaims:
    """What `Shadows` promises."""

    def test_what_is_recorded_comes_back_whole(self, store: Store) -> None:
        _record(store, WOULD)
        (found,) = store.read(lambda tx: tx.shadow.list("rt"))
        assert found == replace(WOULD, id=found.id)
        assert store.read(lambda tx: list(tx.shadow.list("redmine"))) == []

    def test_the_latest_supersedes_what_nobody_has_done_yet(self, store: Store) -> None:
        later_one = replace(WOULD, would="open", before="new", why="again", at=later(1))
        _record(store, WOULD, later_one, replace(WOULD, item="comment 3"), replace(WOULD, side=Side.CENTRE))
        found = store.read(lambda tx: tx.shadow.missing("rt", ticket_id=7))
        assert [(one.side, one.item) for one in found] == [
            (Side.SYSTEM, "field Status"),
            (Side.SYSTEM, "comment 3"),
            (Side.CENTRE, "field Status"),
        ]
        assert found[0] == replace(later_one, id=found[0].id)

    def test_what_was_judged_stays_beside_what_is_recorded_later(self, store: Store) -> None:
        _record(store, WOULD)
        (first,) = store.read(lambda tx: tx.shadow.missing("rt", ticket_id=7))
        store.write(lambda tx: tx.shadow.judge(first.id, Seen.DIFFERS, later(5), did="stalled"))
        _record(store, WOULD)
        newest, oldest = store.read(lambda tx: tx.shadow.list("rt"))
        assert oldest == replace(first, seen=Seen.DIFFERS, did="stalled", seen_at=later(5))
        assert newest.seen is Seen.MISSING
        assert store.read(lambda tx: dict(tx.shadow.counts("rt"))) == {Seen.DIFFERS: 1, Seen.MISSING: 1}
        assert [one.id for one in store.read(lambda tx: tx.shadow.list("rt", seen=Seen.DIFFERS))] == [oldest.id]
        assert len(store.read(lambda tx: tx.shadow.list("rt", limit=1))) == 1

    def test_a_ticket_is_found_by_either_name(self, store: Store) -> None:
        unknown_here = replace(WOULD, ticket_id=None, side=Side.CENTRE, item="create")
        _record(store, WOULD, unknown_here, replace(unknown_here, key="346"))
        by_key = store.read(lambda tx: tx.shadow.missing("rt", key="345"))
        assert [(one.ticket_id, one.key) for one in by_key] == [(None, "345")]
        assert [one.key for one in store.read(lambda tx: tx.shadow.missing("rt", ticket_id=7))] == ["345"]

    def test_only_the_newest_are_kept(self, store: Store) -> None:
        _record(store, *(replace(WOULD, item=f"comment {n}") for n in range(5)), replace(WOULD, system="redmine"))
        store.write(lambda tx: tx.shadow.prune("rt", keep=2))
        assert [one.item for one in store.read(lambda tx: tx.shadow.list("rt"))] == ["comment 4", "comment 3"]
        assert len(store.read(lambda tx: tx.shadow.list("redmine"))) == 1

    def test_a_record_that_is_not_there_is_not_judged(self, store: Store) -> None:
        with pytest.raises(NoSuch, match="no shadow 3"):
            store.write(lambda tx: tx.shadow.judge(3, Seen.AGREED, NOW))
