"""The alerts and heartbeats of the reference store."""

from collections.abc import Sequence
from datetime import datetime

from central.alert import Alert, AlertKind
from central.heartbeat import Heartbeat
from central.store.memory.tables import Tables


class MemoryAlerts:
    """`central.store.ports.oversight.Alerts`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def list(self) -> Sequence[Alert]:
        return [alert for _, alert in sorted(self._tables.alerts.items())]

    def put(self, alert: Alert) -> None:
        self._tables.alerts.put(alert.place, alert)

    def forget(self, system: str, kind: AlertKind) -> None:
        self._tables.alerts.drop((system, kind))


class MemoryHeartbeats:
    """`central.store.ports.oversight.Heartbeats`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def list(self) -> Sequence[Heartbeat]:
        return [Heartbeat(*each) for each in sorted(self._tables.heartbeats.items())]

    def beat(self, process: str, at: datetime) -> None:
        self._tables.heartbeats.put(process, at)

    def end(self, process: str) -> None:
        self._tables.heartbeats.drop(process)

    def end_old(self, before: datetime) -> None:
        for process, at in tuple(self._tables.heartbeats.items()):
            if at < before:
                self._tables.heartbeats.drop(process)
