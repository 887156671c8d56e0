"""What went on with each system in the last hour: in SQL. `Ledger` writes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select

from central.store.sql.prepared import Prepared
from central.store.sql.schema import traffic
from central.store.sql.session import Session
from central.traffic import Looks, Minute

_MINUTE = select(
    traffic.c.system,
    traffic.c.at,
    traffic.c.inward,
    traffic.c.outward,
    traffic.c.failed,
    traffic.c.most_due,
    traffic.c.due,
).order_by(traffic.c.system, traffic.c.at)
_SINCE = traffic.c.at >= bindparam("since")
_MINUTES = Prepared(_MINUTE.where(_SINCE))
_MINUTES_OF = Prepared(_MINUTE.where(traffic.c.system == bindparam("of")))
_LOOKS = Prepared(
    select(
        traffic.c.system,
        func.sum(traffic.c.inward + traffic.c.outward).label("ended"),
        func.sum(traffic.c.failed).label("failed"),
    )
    .where(_SINCE)
    .group_by(traffic.c.system)
)


class SqlTraffic:
    """`central.store.api.Traffic` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def minutes(self, since: datetime, system: str | None = None) -> Sequence[Minute]:
        self._session.settle_counters()
        if system is None:
            return [Minute(*row) for row in self._session.rows(_MINUTES, {"since": since})]
        found = [Minute(*row) for row in self._session.rows(_MINUTES_OF, {"of": system})]
        before = [each for each in found if each.at < since]
        return [*before[-1:], *(each for each in found if each.at >= since)]

    def looks(self, since: datetime) -> Mapping[str, Looks]:
        self._session.settle_counters()
        rows = self._session.rows(_LOOKS, {"since": since})
        return {row.system: Looks(int(row.ended), int(row.failed)) for row in rows if row.ended or row.failed}
