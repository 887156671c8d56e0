"""What somebody has to be told: something is wrong with a system or with interdesk itself, and then it is well again.

One alert is one episode: it begins when something is noticed, is told when it has lasted too long, and ends when all
are told that it is over. Of one kind there is one at most per system at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class AlertKind(StrEnum):
    """What is wrong."""

    STOPPED = "stopped"  # it was stopped, by nobody: its credentials, a copy, a restore
    OUT = "out"  # it does not answer as a whole
    FAILING = "failing"  # it answers, and what it answers is no good
    LATE = "late"  # what it is owed has waited for too long
    LETTERS = "letters"  # dead letters
    HELD = "held"  # a guard holds something
    SILENT = "silent"  # a process of interdesk is not heard of any more


class Stage(StrEnum):
    """What there is to say of an episode."""

    NOTHING = ""
    BEGUN = "begun"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode."""

    system: str
    """'' where it is about interdesk itself."""
    kind: AlertKind
    since: datetime
    due_at: datetime
    """When it is told, if it has not ended before."""
    sentence: str
    """What is wrong, after the system's name; no words of a ticket."""
    remedy: str
    """The next step."""
    well_at: datetime | None = None
    """Since when nothing is wrong any more."""
    told: Mapping[str, Stage] = field(default_factory=dict)
    """Who was told what, by their address."""

    @property
    def place(self) -> tuple[str, AlertKind]:
        """What tells it from others that are open."""
        return self.system, self.kind

    def evolve(self, **changes: object) -> "Alert":
        """A copy with these attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by dataclasses
