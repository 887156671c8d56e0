"""The instance's own row and the audit log: in SQL."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select, update

from central.audit import Entry
from central.instance import Instance
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import audit, instance
from central.store.sql.session import Session

_INSTANCE = TypeAdapter(Instance)
_THIS = "this"
_GET = Prepared(select(instance.c.memory).where(instance.c.name == bindparam("of")), Lock.AS_IT_IS)
"""Held until the commit: no intent is committed beside a stop that was just pressed."""
_ADD = adding(instance)
_PUT = Prepared(update(instance).where(instance.c.name == bindparam("of")).values(memory=bindparam("remember")))

_RECORD = adding(audit)
_PAGE = select(audit).order_by(audit.c.id.desc()).limit(bindparam("most"))
_NEWEST = Prepared(_PAGE)
_OLDER = Prepared(_PAGE.where(audit.c.id < bindparam("before")))
_ABOUT = Prepared(_PAGE.where(audit.c.subject == bindparam("of"), audit.c.act == bindparam("done")))


class SqlInstances:
    """`central.store.ports.instance.Instances` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: Instance | None = None
        """As this transaction has it: several gates ask."""

    def get(self) -> Instance:
        if self._read is None:
            row = self._session.first(_GET, {"of": _THIS})
            self._read = Instance() if row is None else _instance(row.memory)
        return self._read

    def put(self, instance: Instance) -> None:
        self._read = None
        memory = _INSTANCE.dump_json(instance).decode()
        if not self._session.write(_PUT, {"of": _THIS, "remember": memory}):
            self._session.write(_ADD, {"name": _THIS, "memory": memory})


class SqlAudit:
    """`central.store.ports.instance.Audit` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, entry: Entry) -> None:
        row = {"at": entry.at, "by": entry.by, "act": entry.act, "subject": entry.subject}
        self._session.add(_RECORD, row | {"data": json.dumps(dict(entry.data))})

    def list(self, *, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        page = _NEWEST if before is None else _OLDER
        return [_entry(row) for row in self._session.rows(page, {"most": limit, "before": before})]

    def about(self, subject: str, acts: Iterable[str], *, limit: int = 100) -> Sequence[Entry]:
        found = [
            _entry(row)
            for act in sorted(set(acts))
            for row in self._session.rows(_ABOUT, {"of": subject, "done": act, "most": limit})
        ]
        return sorted(found, key=lambda entry: -entry.id)[:limit]


@lru_cache(maxsize=10)  # by all that it is made of: every look reads the same one again
def _instance(memory: str) -> Instance:
    return _INSTANCE.validate_json(memory)


def _entry(row: Any) -> Entry:
    return Entry(row.at, row.by, row.act, row.subject, json.loads(row.data), row.id)
