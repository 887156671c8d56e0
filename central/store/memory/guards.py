"""Holds of the reference store, and what the guards judge by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from central.guard import Hold, HoldKind, HoldState, Marker, Suspect
from central.store.api import NoSuch
from central.store.codec import as_json
from central.store.memory.tables import Tables


class MemoryGuards:
    """`central.store.ports.guards.Guards`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def hold(self, hold: Hold) -> Hold:
        last = self.latest(hold.kind, hold.system, hold.ticket_id)
        if last is not None and last.state is HoldState.OPEN:
            return last
        held = replace(hold, id=self._tables.next_id("hold"), evidence=as_json(dict(hold.evidence)))
        self._tables.holds.put(held.id, held)
        return held

    def get(self, hold_id: int) -> Hold:
        found = self._tables.holds.get(hold_id)
        if found is None:
            raise NoSuch(f"there is no hold {hold_id}")
        return found

    def list(
        self, *, open_only: bool = False, system: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[Hold]:
        found = [
            hold
            for hold in self._tables.holds.rows()
            if hold.id > after and system in (None, hold.system) and (hold.state is HoldState.OPEN or not open_only)
        ]
        return sorted(found, key=lambda hold: hold.id)[:limit]

    def holding(self, system: str, ticket_id: int | None = None) -> Hold | None:
        opened = self.list(open_only=True, system=system, limit=len(self._tables.holds))
        return next((hold for hold in opened if hold.ticket_id in (None, ticket_id)), None)

    def latest(self, kind: HoldKind, system: str, ticket_id: int | None = None) -> Hold | None:
        about = (kind, system, ticket_id)
        found = [hold for hold in self._tables.holds.rows() if (hold.kind, hold.system, hold.ticket_id) == about]
        return max(found, key=lambda hold: hold.id, default=None)

    def note(self, hold_id: int, evidence: Mapping[str, Any], *, reason: str | None = None) -> None:
        hold = self.get(hold_id)
        noted = replace(hold, evidence=as_json(dict(evidence)), reason=hold.reason if reason is None else reason)
        self._tables.holds.put(hold_id, noted)

    def decide(self, hold_id: int, state: HoldState, at: datetime, *, by: str) -> Hold:
        hold = self.get(hold_id)
        if hold.state is not HoldState.OPEN:
            raise NoSuch(f"hold {hold_id} is not open: it was {hold.state} by {hold.decided_by}")
        decided = replace(hold, state=state, decided_at=at, decided_by=by)
        self._tables.holds.put(hold_id, decided)
        return decided

    def suspect(self, suspect: Suspect) -> bool:
        key = (suspect.system, suspect.kind.value, suspect.ticket_id)
        known = self._tables.suspects.get(key)
        data = as_json(dict(suspect.data))
        self._tables.suspects.put(key, replace(suspect, data=data) if known is None else replace(known, data=data))
        return known is None

    def find_suspect(self, system: str, kind: HoldKind, ticket_id: int) -> Suspect | None:
        return self._tables.suspects.get((system, kind.value, ticket_id))

    def suspects(self, system: str, kind: HoldKind, *, after: int = 0, limit: int = 100) -> Sequence[Suspect]:
        found = [
            s for s in self._tables.suspects.rows() if (s.system, s.kind) == (system, kind) and s.ticket_id > after
        ]
        return sorted(found, key=lambda suspect: suspect.ticket_id)[:limit]

    def acquit(self, system: str, kind: HoldKind, *, ticket_id: int | None = None, before: datetime) -> None:
        for suspect in [s for s in self._tables.suspects.rows() if (s.system, s.kind) == (system, kind)]:
            if suspect.at < before and ticket_id in (None, suspect.ticket_id):
                self._tables.suspects.drop((system, kind.value, suspect.ticket_id))

    def add_to_rate(self, system: str, kind: HoldKind, hour: datetime) -> None:
        key = (system, kind.value, hour)
        self._tables.rates.put(key, (self._tables.rates.get(key) or 0) + 1)

    def rates(self, system: str, kind: HoldKind, since: datetime) -> Sequence[tuple[datetime, int]]:
        counted = self._tables.rates.items()
        return sorted((hour, n) for (s, k, hour), n in counted if (s, k) == (system, kind) and hour >= since)

    def drop_rates(self, system: str, kind: HoldKind, *, before: datetime, since: datetime | None = None) -> None:
        for key, _ in list(self._tables.rates.items()):
            if key[:2] == (system, kind) and key[2] < before and (since is None or key[2] >= since):
                self._tables.rates.drop(key)

    def marker(self, system: str) -> Marker:
        return self._tables.markers.get(system) or Marker(system)

    def put_marker(self, marker: Marker) -> None:
        self._tables.markers.put(marker.system, marker)
