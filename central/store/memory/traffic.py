"""What went on with each system in the last hour: of the reference store."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from central.delivery import DeliveryState
from central.store.memory.tables import Tables
from central.traffic import Looks, Minute, minute_of, slot_of


class MemoryTraffic:
    """`central.store.api.Traffic`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._happened: dict[tuple[str, datetime], Minute] = {}
        """Of this transaction: it is written down as that ends, as only then is it known what is owed."""

    def happen(self, system: str, at: datetime, *, inward: int = 0, outward: int = 0, failed: int = 0) -> None:
        """Something went on with a system."""
        minute = Minute(system, minute_of(at))
        before = self._happened.get((system, minute.at), minute)
        self._happened[system, minute.at] = before.with_more(
            Minute(system, minute.at, inward=inward, outward=outward, failed=failed)
        )

    def settle(self) -> None:
        """Write it down."""
        for (system, at), more in sorted(self._happened.items()):
            due = sum(
                each.system == system and each.state is DeliveryState.DUE for each in self._tables.deliveries.rows()
            )
            before = self._tables.traffic.get((system, slot_of(at)))
            if before is None or before.at != at:
                before = Minute(system, at)
            now = Minute(system, at, more.inward, more.outward, more.failed, most_due=due, due=due)
            self._tables.traffic.put((system, slot_of(at)), before.with_more(now))
        self._happened.clear()

    def minutes(self, since: datetime, system: str | None = None) -> Sequence[Minute]:
        self.settle()
        known = sorted(self._tables.traffic.rows(), key=lambda each: (each.system, each.at))
        if system is None:
            return [each for each in known if each.at >= since]
        found = [each for each in known if each.system == system]
        before = [each for each in found if each.at < since]
        return [*before[-1:], *(each for each in found if each.at >= since)]

    def looks(self, since: datetime) -> Mapping[str, Looks]:
        self.settle()
        looks: dict[str, Looks] = {}
        for each in self._tables.traffic.rows():
            if each.at >= since and (each.inward or each.outward or each.failed):
                before = looks.get(each.system, Looks(0, 0))
                looks[each.system] = Looks(before.ended + each.inward + each.outward, before.failed + each.failed)
        return looks
