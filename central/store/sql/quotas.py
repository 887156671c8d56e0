"""Places in time for the requests to a system: in SQL."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql

from central.store.sql.prepared import Lock, Prepared
from central.store.sql.schema import quotas
from central.store.sql.session import Session

_NEXT = Prepared(select(quotas.c.next_at).where(quotas.c.system == bindparam("of")), Lock.TO_CHANGE)
_BEGIN = Prepared(  # SQLite says it alike
    postgresql.insert(quotas)
    .values(system=bindparam("of"), next_at=bindparam("first"))
    .on_conflict_do_nothing(index_elements=[quotas.c.system])
)
_MOVE = Prepared(update(quotas).where(quotas.c.system == bindparam("of")).values(next_at=bindparam("later")))


class SqlQuotas:
    """`central.store.ports.quotas.Quotas` on SQL. The row is held to the commit: no two are given one place."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def reserve(self, system: str, at: datetime, places: int, *, every: timedelta, burst: timedelta) -> datetime:
        row = self._session.first(_NEXT, {"of": system})
        if row is None:
            self._session.write(_BEGIN, {"of": system, "first": at - burst})
            row = self._session.first(_NEXT, {"of": system})
        first: datetime = max(row.next_at, at - burst)
        self._session.write(_MOVE, {"of": system, "later": first + every * places})
        return first
