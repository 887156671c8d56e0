"""Alerts and heartbeats: in SQL."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql

from central.alert import Alert, AlertKind
from central.heartbeat import Heartbeat
from central.store.sql.prepared import Prepared
from central.store.sql.schema import alerts, heartbeats
from central.store.sql.session import Session

_ALERT = TypeAdapter(Alert)
_ALERTS = Prepared(select(alerts).order_by(alerts.c.system, alerts.c.kind))
_insert = postgresql.insert(alerts).values({name: bindparam(name) for name in ("system", "kind", "memory")})
_PUT = Prepared(  # SQLite says it alike
    _insert.on_conflict_do_update(index_elements=["system", "kind"], set_={"memory": _insert.excluded.memory})
)
_FORGET = Prepared(delete(alerts).where(alerts.c.system == bindparam("of"), alerts.c.kind == bindparam("a")))

_HEARTBEATS = Prepared(select(heartbeats).order_by(heartbeats.c.process))
_beat = postgresql.insert(heartbeats).values({name: bindparam(name) for name in ("process", "at")})
_BEAT = Prepared(_beat.on_conflict_do_update(index_elements=["process"], set_={"at": _beat.excluded.at}))
_END = Prepared(delete(heartbeats).where(heartbeats.c.process == bindparam("of")))
_END_OLD = Prepared(delete(heartbeats).where(heartbeats.c.at < bindparam("before")))


class SqlAlerts:
    """`central.store.ports.oversight.Alerts` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Sequence[Alert]:
        return [_ALERT.validate_json(row.memory) for row in self._session.rows(_ALERTS, {})]

    def put(self, alert: Alert) -> None:
        memory = _ALERT.dump_json(alert).decode()
        self._session.write(_PUT, {"system": alert.system, "kind": alert.kind, "memory": memory})

    def forget(self, system: str, kind: AlertKind) -> None:
        self._session.write(_FORGET, {"of": system, "a": kind})


class SqlHeartbeats:
    """`central.store.ports.oversight.Heartbeats` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Sequence[Heartbeat]:
        return [Heartbeat(row.process, row.at) for row in self._session.rows(_HEARTBEATS, {})]

    def beat(self, process: str, at: datetime) -> None:
        self._session.write(_BEAT, {"process": process, "at": at})

    def end(self, process: str) -> None:
        self._session.write(_END, {"of": process})

    def end_old(self, before: datetime) -> None:
        self._session.write(_END_OLD, {"before": before})
