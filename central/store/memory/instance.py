"""The instance's own row and the audit log of the reference store."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from central.audit import Entry
from central.instance import Instance
from central.store.codec import as_json
from central.store.memory.tables import Tables

_UNNAMED = Instance()


class MemoryInstances:
    """`central.store.ports.instance.Instances`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self) -> Instance:
        return self._tables.instance.get("this") or _UNNAMED

    def put(self, instance: Instance) -> None:
        self._tables.instance.put("this", instance)


class MemoryAudit:
    """`central.store.ports.instance.Audit`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def record(self, entry: Entry) -> None:
        number = self._tables.next_id("audit")
        self._tables.audit.put(number, replace(entry, id=number, data=as_json(dict(entry.data))))

    def list(self, *, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        found = [entry for entry in self._tables.audit.rows() if before is None or entry.id < before]
        return sorted(found, key=lambda entry: -entry.id)[:limit]

    def about(self, subject: str, acts: Iterable[str], *, limit: int = 100) -> Sequence[Entry]:
        wanted = frozenset(acts)
        found = [entry for entry in self._tables.audit.rows() if entry.subject == subject and entry.act in wanted]
        return sorted(found, key=lambda entry: -entry.id)[:limit]
