"""Documents and systems of the reference store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from central.registry import Document, System
from central.store.api import NoSuch
from central.store.codec import as_json
from central.store.memory.tables import Tables


class MemoryRegistry:
    """`central.store.ports.registry.Registry`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def apply(
        self, kind: str, name: str, source: str, data: Mapping[str, Any], at: datetime, *, by: str, origin: str = ""
    ) -> Document:
        plain = as_json(dict(data))
        revisions = self.revisions(kind, name)
        if revisions and (revisions[-1].source, revisions[-1].data) == (source, plain):
            return revisions[-1]
        document = Document(kind, name, len(revisions) + 1, source, plain, at, by, origin)
        self._tables.documents.put((kind, name), (*revisions, document))
        return document

    def document(self, kind: str, name: str, revision: int | None = None) -> Document:
        revisions = self.revisions(kind, name)
        if not revisions:
            there = ", ".join(document.name for document in self.documents(kind)) or "none"
            raise NoSuch(f"there is no {kind} {name!r}; there are: {there}")
        if revision is None:
            return revisions[-1]
        if not 1 <= revision <= len(revisions):
            raise NoSuch(f"{kind} {name!r} has no revision {revision}; the last is {len(revisions)}")
        return revisions[revision - 1]

    def documents(self, kind: str | None = None) -> Sequence[Document]:
        current = [revisions[-1] for revisions in self._tables.documents.rows()]
        found = [document for document in current if kind in (None, document.kind)]
        return sorted(found, key=lambda document: (document.kind, document.name))

    def listed(self, kind: str, *, after: str = "", limit: int) -> Sequence[Document]:
        return [each for each in self.documents(kind) if each.name > after][:limit]

    def revisions(self, kind: str, name: str, *, after: int = 0, limit: int | None = None) -> Sequence[Document]:
        found = self._tables.documents.get((kind, name)) or ()
        return found if limit is None else found[after : after + limit]

    def put_system(self, system: System) -> None:
        self._tables.systems.put(system.name, replace(system, cursor=as_json(system.cursor)))

    def system(self, name: str) -> System:
        system = self._tables.systems.get(name)
        if system is None:
            there = ", ".join(one.name for one in self.systems()) or "none"
            raise NoSuch(f"there is no system {name!r}; there are: {there}")
        return system

    def systems(self) -> Sequence[System]:
        return sorted(self._tables.systems.rows(), key=attrgetter("name"))
