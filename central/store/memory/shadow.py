"""What would have been written, in the reference store."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from central.model import Value
from central.shadow import Seen, Shadow
from central.store.api import NoSuch
from central.store.memory.tables import Tables


class MemoryShadows:
    """`central.store.ports.shadow.Shadows`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def record(self, shadow: Shadow) -> None:
        for before in self.missing(shadow.system, ticket_id=shadow.ticket_id, key=shadow.key):
            if (before.side, before.item) == (shadow.side, shadow.item):
                self._tables.shadows.put(before.id, replace(shadow, id=before.id))
                return
        number = self._tables.next_id("shadow")
        self._tables.shadows.put(number, replace(shadow, id=number))

    def judge(self, shadow_id: int, seen: Seen, at: datetime, *, did: Value = None) -> None:
        there = self._tables.shadows.get(shadow_id)
        if there is None:
            raise NoSuch(f"there is no shadow {shadow_id}")
        self._tables.shadows.put(shadow_id, replace(there, seen=seen, did=did, seen_at=at))

    def missing(self, system: str, *, ticket_id: int | None = None, key: str = "") -> Sequence[Shadow]:
        def about(one: Shadow) -> bool:
            return one.ticket_id == ticket_id if ticket_id is not None else one.ticket_id is None and one.key == key

        found = [one for one in self._of(system) if one.seen is Seen.MISSING and about(one)]
        return sorted(found, key=lambda one: one.id)

    def list(self, system: str, *, seen: Seen | None = None, limit: int = 100) -> Sequence[Shadow]:
        found = [one for one in self._of(system) if seen in (None, one.seen)]
        return sorted(found, key=lambda one: -one.id)[:limit]

    def counts(self, system: str) -> Mapping[Seen, int]:
        return Counter(one.seen for one in self._of(system))

    def prune(self, system: str, *, keep: int) -> None:
        for old in sorted(self._of(system), key=lambda one: -one.id)[keep:]:
            self._tables.shadows.drop(old.id)

    def _of(self, system: str) -> Sequence[Shadow]:
        return [one for one in self._tables.shadows.rows() if one.system == system]
