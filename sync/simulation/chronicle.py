"""The god's log of a run: everything that anybody did anywhere, in one order, by the true time.

The judges read this and the trackers, never the engine's own tables, where it is about what happened out there.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.api import Value
from connectors.emulators.tracker import Deed
from sync.simulation.scenario import Kind


@dataclass(frozen=True, slots=True)
class Did:
    """A deed in a tracker, at its true time."""

    system: str
    at: datetime
    deed: Deed
    opened: Mapping[str, Value] = field(default_factory=dict)
    """What the ticket held, for a deed that opened one."""
    overdue: bool = False
    """A request of ours that executed later than any request may."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that came over a call of ours; `operation` is the connector's, or `commit` (of no system)."""

    at: datetime
    kind: Kind
    system: str
    operation: str


@dataclass(frozen=True, slots=True)
class Wrote:
    """An update of ours that a tracker carried out; of what it had already there is no deed."""

    at: datetime
    system: str
    key: str
    patch: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Restore:
    """A tracker went back at `at` to what it had been at `since`: what was done there in between is undone."""

    system: str
    since: datetime
    at: datetime
    told: bool
    """Whether our mark tells of it: not where a move of it was lost on its way, as far as we know, and has arrived."""


BACKUP = "the backup"
"""Who "sets" the values that a restore brings back."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story."""

    at: datetime
    text: str
    act: bool = False
    """Somebody's act or a fault, rather than what followed from it."""


@dataclass(slots=True)
class Chronicle:
    """All of it."""

    dids: list[Did] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    writes: list[Wrote] = field(default_factory=list)
    reads: dict[tuple[str, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """When interdesk came to know a ticket's state, by system and key."""
    restores: list[Restore] = field(default_factory=list)
    approvals: dict[str, datetime] = field(default_factory=dict)
    """By system, when an operator first approved what it had closed or lost in masses."""
    rejections: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """By system, when an operator rejected such a thing."""
    human_acts: int = 0

    def tell(self, at: datetime, text: str, *, act: bool = False) -> None:
        """Add a line to the story."""
        self.lines.append(Line(at, text, act))

    def undone(self, did: Did) -> bool:
        """Whether a restore has undone this."""
        return any(each.system == did.system and each.since < did.at < each.at for each in self.restores)

    def last_read(self, system: str, key: str, before: datetime) -> datetime | None:
        """When interdesk last read this ticket before this moment."""
        times = self.reads.get((system, key), [])
        place = bisect_right(times, before)
        return times[place - 1] if place else None
