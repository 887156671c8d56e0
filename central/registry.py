"""Registered systems, their documents and revisions.

A *document* is what an operator wrote (`kind` system, mapping or profile), kept as plain data with its source text;
each change is a new revision, so that `rollback` is a new revision with an old text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class SystemState(StrEnum):
    """The life of a registered system."""

    DRAFT = "draft"
    PROVING = "proving"
    SHADOW = "shadow"  # every write is computed, and none is made
    LIVE = "live"
    PAUSED = "paused"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Document:
    """One revision of one document. Secrets are references in it, never values."""

    kind: str
    name: str
    revision: int
    source: str
    """The YAML text as applied."""
    data: Mapping[str, Any]
    applied_at: datetime
    applied_by: str
    origin: str = ""
    """File name it was read from, for error positions."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A system as a whole does not answer, or is suspected of it. Every process goes by this one."""

    since: datetime
    why: str
    next_try_at: datetime
    """Nobody asks it anything before then; whoever does it then moves this on first."""
    tries: int = 0
    """How often it was tried in vain."""
    suspected_by: str = ""
    """Who suspects it, `look` or `poll`; work goes on meanwhile. '': it is out."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window, announced beforehand, in which a system is worked on: nothing is written there, and nobody is alarmed;
    it is read on, as far as it answers. It ends by itself."""

    begins_at: datetime
    ends_at: datetime
    by: str
    why: str = ""

    def lasts(self, at: datetime) -> bool:
        """Whether it is under way."""
        return self.begins_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class System:
    """A registered ticketing system as it runs: its state and its health, beside its document."""

    name: str
    state: SystemState
    revision: int
    """Of its document."""
    reason: str = ""
    """Why it is paused, stopped or quarantined; '' when all is well. One in shadow that has a reason is stopped."""
    cursor: Mapping[str, Any] | None = None
    """Where polling continues (plain form of the connector's cursor)."""
    polled_at: datetime | None = None
    scanned_at: datetime | None = None
    succeeded_at: datetime | None = None
    """The last time the remote answered well."""
    last_error: str = ""
    error_at: datetime | None = None
    open_problem: bool = False
    """An AccessError stopped it; contacts were told once."""
    turned_away: str = ""
    """A hash of the credentials that were not accepted then; '' where there were none to show."""
    lockouts: int = 0
    """How often that happened: connections that are older than the last time are opened anew."""
    outage: Outage | None = None
    """None: it answers, as far as anybody knows."""
    restored_at: datetime | None = None
    """Since when what is known of it is known to be from before a restore of ours; None: all was found again."""

    maintenance: Maintenance | None = None
    """The window that was announced last, or is under way, or is over."""

    def in_maintenance(self, at: datetime) -> bool:
        """Whether it is being worked on."""
        return self.maintenance is not None and self.maintenance.lasts(at)

    def blamed_since(self, since: datetime, at: datetime) -> datetime:
        """Since when what has been the case since then is held against it: not for what lasted through a window."""
        window = self.maintenance
        return since if window is None or at < window.begins_at else max(since, min(window.ends_at, at))

    @property
    def reads(self) -> bool:
        """Whether it is polled and looked at now: it is live, or in shadow and nothing has stopped it."""
        return self.state is SystemState.LIVE or (self.state is SystemState.SHADOW and not self.reason)

    def stopped(self, reason: str) -> "System":
        """The same, stopped: one in shadow stays there, so that whoever goes on does not go live."""
        state = self.state if self.state is SystemState.SHADOW else SystemState.PAUSED
        return replace(self, state=state, reason=reason)
