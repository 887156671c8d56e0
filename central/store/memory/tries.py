"""The tries of the reference store."""

from datetime import datetime, timedelta

from central.store.memory.tables import Tables


class MemoryTries:
    """`central.store.ports.tries.Tries`: each key's budget is full again at the moment that is kept."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def spend(self, key: str, at: datetime, *, every: timedelta, most: int) -> datetime | None:
        full = max(self._tables.tries.get(key) or at, at)
        free = full - every * (most - 1)
        if free > at:
            return free
        self._tables.tries.put(key, full + every)
        return None

    def give_back(self, key: str, at: datetime, *, every: timedelta) -> None:
        full = self._tables.tries.get(key)
        if full is not None:
            self._tables.tries.put(key, max(full - every, at))

    def note(self, key: str, until: datetime) -> None:
        self._tables.tries.put(key, until)

    def noted(self, key: str, at: datetime) -> bool:
        until = self._tables.tries.get(key)
        return until is not None and until > at

    def forget(self, key: str) -> None:
        self._tables.tries.drop(key)

    def prune(self, at: datetime) -> None:
        for key in [key for key, until in self._tables.tries.items() if until <= at]:
            self._tables.tries.drop(key)
