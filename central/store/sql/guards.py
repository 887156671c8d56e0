"""Holds, and what the guards judge by: in SQL."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, or_, select, update

from central.guard import Hold, HoldKind, HoldState, Marker, Suspect
from central.store.api import NoSuch
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import OPEN_HOLD, holds, markers, rates, suspects
from central.store.sql.session import Session

_HOLD, _MARKER = TypeAdapter(Hold), TypeAdapter(Marker)

_ADD = adding(holds)
_GET = Prepared(select(holds).where(holds.c.id == bindparam("of")), Lock.TO_CHANGE)
_SAVE = Prepared(
    update(holds).where(holds.c.id == bindparam("of")).values(state=bindparam("now"), memory=bindparam("remember"))
)
_HOLDING = Prepared(
    select(holds)
    .where(OPEN_HOLD, holds.c.system == bindparam("of"))
    .where(or_(holds.c.ticket_id == 0, holds.c.ticket_id == bindparam("about")))
    .order_by(holds.c.id)
    .limit(1)
)
_LATEST = Prepared(
    select(holds)
    .where(
        holds.c.kind == bindparam("of_kind"),
        holds.c.system == bindparam("of"),
        holds.c.ticket_id == bindparam("about"),
    )
    .order_by(holds.c.id.desc())
    .limit(1)
)

_ONE = (
    suspects.c.system == bindparam("of"),
    suspects.c.kind == bindparam("of_kind"),
    suspects.c.ticket_id == bindparam("about"),
)
_SUSPECT = adding(suspects)
_RENEW = Prepared(update(suspects).where(*_ONE).values(data=bindparam("shown")))
_FIND_SUSPECT = Prepared(select(suspects).where(*_ONE))
_SUSPECTS = Prepared(
    select(suspects)
    .where(*_ONE[:2], suspects.c.ticket_id > bindparam("after"))
    .order_by(suspects.c.ticket_id)
    .limit(bindparam("most"))
)
_ACQUIT = Prepared(delete(suspects).where(*_ONE, suspects.c.at < bindparam("before")))
_ACQUIT_ALL = Prepared(delete(suspects).where(*_ONE[:2], suspects.c.at < bindparam("before")))

_IN = (rates.c.system == bindparam("of"), rates.c.kind == bindparam("of_kind"))
_MORE = Prepared(update(rates).where(*_IN, rates.c.hour == bindparam("in_hour")).values(number=rates.c.number + 1))
_FIRST = adding(rates)
_RATES = Prepared(select(rates).where(*_IN, rates.c.hour >= bindparam("since")).order_by(rates.c.hour))
_DROP_RATES = Prepared(
    delete(rates).where(*_IN, rates.c.hour < bindparam("before"), rates.c.hour >= bindparam("since"))
)
_EVER = datetime(2000, 1, 1, tzinfo=UTC)

_GET_MARKER = Prepared(select(markers.c.memory).where(markers.c.system == bindparam("of")), Lock.TO_CHANGE)
_ADD_MARKER = adding(markers)
_PUT_MARKER = Prepared(update(markers).where(markers.c.system == bindparam("of")).values(memory=bindparam("remember")))


class SqlGuards:
    """`central.store.ports.guards.Guards` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold(self, hold: Hold) -> Hold:
        last = self.latest(hold.kind, hold.system, hold.ticket_id)
        if last is not None and last.state is HoldState.OPEN:
            return last
        row = {
            "kind": hold.kind.value,
            "system": hold.system,
            "ticket_id": hold.ticket_id or 0,
            "state": hold.state.value,
            "memory": _memory(hold),
        }
        self._session.move(hold.system, held=1)
        return self.get(self._session.add(_ADD, row))

    def get(self, hold_id: int) -> Hold:
        row = self._session.first(_GET, {"of": hold_id})
        if row is None:
            raise NoSuch(f"there is no hold {hold_id}")
        return _hold(row)

    def list(
        self, *, open_only: bool = False, system: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Hold]:
        page = select(holds).where(holds.c.id > after).order_by(holds.c.id).limit(limit)
        if open_only:
            page = page.where(OPEN_HOLD)
        if system is not None:
            page = page.where(holds.c.system == system)
        return [_hold(row) for row in self._session.rows(Prepared(page), {})]

    def holding(self, system: str, ticket_id: int | None = None) -> Hold | None:
        row = self._session.first(_HOLDING, {"of": system, "about": ticket_id or 0})
        return None if row is None else _hold(row)

    def latest(self, kind: HoldKind, system: str, ticket_id: int | None = None) -> Hold | None:
        row = self._session.first(_LATEST, {"of_kind": kind.value, "of": system, "about": ticket_id or 0})
        return None if row is None else _hold(row)

    def note(self, hold_id: int, evidence: Mapping[str, Any], *, reason: str | None = None) -> None:
        hold = self.get(hold_id)
        self._save(hold.evolve(evidence=dict(evidence), reason=hold.reason if reason is None else reason))

    def decide(self, hold_id: int, state: HoldState, at: datetime, *, by: str) -> Hold:
        hold = self.get(hold_id)
        if hold.state is not HoldState.OPEN:
            raise NoSuch(f"hold {hold_id} is not open: it was {hold.state} by {hold.decided_by}")
        decided = hold.evolve(state=state, decided_at=at, decided_by=by)
        self._save(decided)
        self._session.move(hold.system, held=-1)
        return decided

    def suspect(self, suspect: Suspect) -> bool:
        about = _about(suspect.system, suspect.kind) | {"about": suspect.ticket_id}
        data = json.dumps(dict(suspect.data))
        if self._session.write(_RENEW, about | {"shown": data}):
            return False
        row = {"system": suspect.system, "kind": suspect.kind.value, "ticket_id": suspect.ticket_id}
        self._session.write(_SUSPECT, row | {"at": suspect.at, "data": data})
        return True

    def find_suspect(self, system: str, kind: HoldKind, ticket_id: int) -> Suspect | None:
        row = self._session.first(_FIND_SUSPECT, _about(system, kind) | {"about": ticket_id})
        return None if row is None else _suspect(row)

    def suspects(self, system: str, kind: HoldKind, *, after: int = 0, limit: int = 100) -> Sequence[Suspect]:
        page = _about(system, kind) | {"after": after, "most": limit}
        return [_suspect(row) for row in self._session.rows(_SUSPECTS, page)]

    def acquit(self, system: str, kind: HoldKind, *, ticket_id: int | None = None, before: datetime) -> None:
        statement = _ACQUIT_ALL if ticket_id is None else _ACQUIT
        self._session.write(statement, _about(system, kind) | {"about": ticket_id, "before": before})

    def add_to_rate(self, system: str, kind: HoldKind, hour: datetime) -> None:
        if not self._session.write(_MORE, _about(system, kind) | {"in_hour": hour}):
            self._session.write(_FIRST, {"system": system, "kind": kind.value, "hour": hour, "number": 1})

    def rates(self, system: str, kind: HoldKind, since: datetime) -> Sequence[tuple[datetime, int]]:
        rows = self._session.rows(_RATES, _about(system, kind) | {"since": since})
        return [(row.hour, row.number) for row in rows]

    def drop_rates(self, system: str, kind: HoldKind, *, before: datetime, since: datetime | None = None) -> None:
        about = _about(system, kind) | {"before": before, "since": since or _EVER}
        self._session.write(_DROP_RATES, about)

    def marker(self, system: str) -> Marker:
        row = self._session.first(_GET_MARKER, {"of": system})
        return Marker(system) if row is None else _MARKER.validate_json(row.memory)

    def put_marker(self, marker: Marker) -> None:
        memory = _MARKER.dump_json(marker).decode()
        if not self._session.write(_PUT_MARKER, {"of": marker.system, "remember": memory}):
            self._session.write(_ADD_MARKER, {"system": marker.system, "memory": memory})

    def _save(self, hold: Hold) -> None:
        self._session.write(_SAVE, {"of": hold.id, "now": hold.state.value, "remember": _memory(hold)})


def _about(system: str, kind: HoldKind) -> dict[str, Any]:
    return {"of": system, "of_kind": kind.value}


_COLUMNS = {"id", "kind", "system", "ticket_id", "state"}


def _memory(hold: Hold) -> str:
    return _HOLD.dump_json(hold, exclude=_COLUMNS, fallback=dict).decode()


def _hold(row: Any) -> Hold:
    columns = {"id": row.id, "kind": row.kind, "system": row.system, "state": row.state}
    return _HOLD.validate_python({**json.loads(row.memory), **columns, "ticket_id": row.ticket_id or None})


def _suspect(row: Any) -> Suspect:
    return Suspect(row.system, HoldKind(row.kind), row.ticket_id, row.at, json.loads(row.data))
