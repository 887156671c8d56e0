"""How often somebody may still try something: in SQL."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql

from central.store.sql.prepared import Lock, Prepared
from central.store.sql.schema import tries
from central.store.sql.session import Session

_UNTIL = Prepared(select(tries.c.until).where(tries.c.key == bindparam("of")), Lock.TO_CHANGE)
_BEGIN = Prepared(  # SQLite says it alike
    postgresql.insert(tries)
    .values(key=bindparam("of"), until=bindparam("first"))
    .on_conflict_do_nothing(index_elements=[tries.c.key])
)
_MOVE = Prepared(update(tries).where(tries.c.key == bindparam("of")).values(until=bindparam("later")))
_FORGET = Prepared(delete(tries).where(tries.c.key == bindparam("of")))
_PRUNE = Prepared(delete(tries).where(tries.c.until <= bindparam("before")))


class SqlTries:
    """`central.store.ports.tries.Tries` on SQL. The row is held to the commit: no two spend the same try."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def spend(self, key: str, at: datetime, *, every: timedelta, most: int) -> datetime | None:
        until = self._until(key)
        if until is None:
            self._session.write(_BEGIN, {"of": key, "first": at})
            until = self._until(key) or at
        full = max(until, at)
        free = full - every * (most - 1)
        if free > at:
            return free
        self._session.write(_MOVE, {"of": key, "later": full + every})
        return None

    def give_back(self, key: str, at: datetime, *, every: timedelta) -> None:
        until = self._until(key)
        if until is not None:
            self._session.write(_MOVE, {"of": key, "later": max(until - every, at)})

    def note(self, key: str, until: datetime) -> None:
        self._session.write(_BEGIN, {"of": key, "first": until})
        self._session.write(_MOVE, {"of": key, "later": until})

    def noted(self, key: str, at: datetime) -> bool:
        until = self._until(key)
        return until is not None and until > at

    def forget(self, key: str) -> None:
        self._session.write(_FORGET, {"of": key})

    def prune(self, at: datetime) -> None:
        self._session.write(_PRUNE, {"before": at})

    def _until(self, key: str) -> datetime | None:
        row = self._session.first(_UNTIL, {"of": key})
        return None if row is None else row.until
