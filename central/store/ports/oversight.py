"""What is watched, as a transaction keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from central.alert import Alert, AlertKind
from central.heartbeat import Heartbeat


class Alerts(Protocol):
    """The episodes that somebody is told of, or still to be told of."""

    def list(self) -> Sequence[Alert]:
        """All that are not over, by system and kind."""

    def put(self, alert: Alert) -> None:
        """Write it down, in the place of the one of its kind in its system."""

    def forget(self, system: str, kind: AlertKind) -> None:
        """It is over, and nobody is to be told any more. Nothing happens where there is none."""


class Heartbeats(Protocol):
    """Which processes live, and when each was last heard of."""

    def list(self) -> Sequence[Heartbeat]:
        """By the name of their process."""

    def beat(self, process: str, at: datetime) -> None:
        """It lives."""

    def end(self, process: str) -> None:
        """It has ended in order, or is known to be dead: nobody waits for it."""

    def end_old(self, before: datetime) -> None:
        """Forget those that were not heard of since."""
