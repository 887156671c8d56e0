"""Documents with their revisions, and the systems they describe: in SQL."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, select, tuple_, update

from central.registry import Document, System
from central.store.api import NoSuch
from central.store.codec import as_json
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import documents, systems
from central.store.sql.session import Session

_SYSTEM = TypeAdapter(System)
_APPLY = adding(documents)
_REVISIONS = Prepared(
    select(documents)
    .where(documents.c.kind == bindparam("of_kind"), documents.c.name == bindparam("named"))
    .order_by(documents.c.revision)
)
_LAST = (
    select(documents.c.kind, documents.c.name, func.max(documents.c.revision))
    .group_by(documents.c.kind, documents.c.name)
    .subquery()
)
_CURRENT = select(documents).where(tuple_(documents.c.kind, documents.c.name, documents.c.revision).in_(select(_LAST)))
_ALL_CURRENT = Prepared(_CURRENT)
_LATER = documents.alias("later")
_SUPERSEDED = select(_LATER.c.revision).where(
    _LATER.c.kind == documents.c.kind,
    _LATER.c.name == documents.c.name,
    _LATER.c.revision > documents.c.revision,
)
_LISTED = Prepared(
    select(documents)
    .where(documents.c.kind == bindparam("of_kind"), documents.c.name > bindparam("after"))
    .where(~_SUPERSEDED.exists())
    .order_by(documents.c.name)
    .limit(bindparam("most"))
)
_SOME_REVISIONS = Prepared(
    select(documents)
    .where(documents.c.kind == bindparam("of_kind"), documents.c.name == bindparam("named"))
    .where(documents.c.revision > bindparam("after"))
    .order_by(documents.c.revision)
    .limit(bindparam("most"))
)
_CURRENT_OF_KIND = Prepared(_CURRENT.where(documents.c.kind == bindparam("of_kind")))
_GET_SYSTEM = Prepared(select(systems.c.memory).where(systems.c.name == bindparam("named")))
_BEFORE = Prepared(select(systems.c.memory).where(systems.c.name == bindparam("named")), Lock.TO_CHANGE)
_SYSTEMS = Prepared(select(systems))
_CREATE_SYSTEM = adding(systems)
_REPLACE_SYSTEM = Prepared(
    update(systems).where(systems.c.name == bindparam("named")).values(memory=bindparam("memory"))
)


class SqlRegistry:
    """`central.store.ports.registry.Registry` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[str, System] = {}
        """Systems as this transaction has them: several gates ask."""

    def apply(
        self, kind: str, name: str, source: str, data: Mapping[str, Any], at: datetime, *, by: str, origin: str = ""
    ) -> Document:
        plain = as_json(dict(data))
        revisions = self.revisions(kind, name)
        if revisions and (revisions[-1].source, revisions[-1].data) == (source, plain):
            return revisions[-1]
        document = Document(kind, name, len(revisions) + 1, source, plain, at, by, origin)
        row = {column.name: getattr(document, column.name) for column in documents.c}
        self._session.write(_APPLY, row | {"data": json.dumps(plain)})
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
        rows = self._session.rows(_ALL_CURRENT if kind is None else _CURRENT_OF_KIND, {"of_kind": kind})
        return sorted(map(_document, rows), key=lambda document: (document.kind, document.name))

    def listed(self, kind: str, *, after: str = "", limit: int) -> Sequence[Document]:
        page = {"of_kind": kind, "after": after, "most": limit}
        return [_document(row) for row in self._session.rows(_LISTED, page)]

    def revisions(self, kind: str, name: str, *, after: int = 0, limit: int | None = None) -> Sequence[Document]:
        of = {"of_kind": kind, "named": name}
        if limit is None:
            return [_document(row) for row in self._session.rows(_REVISIONS, of)]
        return [_document(row) for row in self._session.rows(_SOME_REVISIONS, {**of, "after": after, "most": limit})]

    def put_system(self, system: System) -> None:
        self._read.pop(system.name, None)
        memory = _SYSTEM.dump_json(system).decode()
        before = self._session.first(_BEFORE, {"named": system.name})
        if before is None:
            self._session.write(_CREATE_SYSTEM, {"name": system.name, "memory": memory})
        else:
            self._session.rewrites(("system", system.name), before.memory, memory)
            self._session.write(_REPLACE_SYSTEM, {"named": system.name, "memory": memory})

    def system(self, name: str) -> System:
        if name in self._read:
            return self._read[name]
        row = self._session.first(_GET_SYSTEM, {"named": name})
        if row is None:
            there = ", ".join(system.name for system in self.systems()) or "none"
            raise NoSuch(f"there is no system {name!r}; there are: {there}")
        found = self._read[name] = self._system(name, row.memory)
        return found

    def systems(self) -> Sequence[System]:
        return [self._system(row.name, row.memory) for row in sorted(self._session.rows(_SYSTEMS, {}))]

    def _system(self, name: str, memory: str) -> System:
        self._session.saw(("system", name), memory)
        return _system(memory)


@lru_cache(maxsize=500)  # by all that it is made of: every look reads the same few again
def _system(memory: str) -> System:
    return _SYSTEM.validate_json(memory)


def _document(row: Any) -> Document:
    return Document(**row._asdict() | {"data": json.loads(row.data)})
