"""The quotas of the reference store."""

from datetime import datetime, timedelta

from central.store.memory.tables import Tables


class MemoryQuotas:
    """`central.store.ports.quotas.Quotas`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def reserve(self, system: str, at: datetime, places: int, *, every: timedelta, burst: timedelta) -> datetime:
        first = max(self._tables.quotas.get(system) or at - burst, at - burst)
        self._tables.quotas.put(system, first + every * places)
        return first
