"""What the guards remember: holds, what they suspect, how much is usual, and the marks they left in a partner's system.

A *hold* stops the writes to a system, or to one ticket there, until a person has approved or rejected what was seen, or
what was seen turns out not to stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class HoldKind(StrEnum):
    """Which guard it was."""

    PING_PONG = "ping-pong"  # a value goes to and fro, and no person is behind it
    CLOSING = "mass closing"  # a system closes far more tickets than it usually does
    LOSS = "mass loss"  # far more tickets than usual are gone there, or no longer listed
    CHANGE = "mass change"  # a system changes far more tickets than it usually does
    COPY = "copy or restore"  # the system that answers is not in the state we left it in


class HoldState(StrEnum):
    """What became of it."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by itself, and nobody decided: what it was judged by does not stand any more


@dataclass(frozen=True, slots=True)
class Hold:
    """What a guard holds up, and why. Open, there is one at most per (kind, system, ticket)."""

    id: int
    """Given by the store."""
    kind: HoldKind
    system: str
    reason: str
    """In a sentence."""
    opened_at: datetime
    ticket_id: int | None = None
    """The only ticket that is held; None: the system as a whole."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What it was judged by, and what is planned: plain data."""
    state: HoldState = HoldState.OPEN
    decided_at: datetime | None = None
    decided_by: str = ""

    def evolve(self, **changes: object) -> "Hold":
        """A copy with these attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by dataclasses


@dataclass(frozen=True, slots=True)
class Suspect:
    """One ticket that a system has closed, lost or changed: counted once per kind while it is remembered."""

    system: str
    kind: HoldKind
    ticket_id: int
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    """What they show now, by our field name: plain data."""


@dataclass(frozen=True, slots=True)
class Marker:
    """What we know of the mark that we keep in a partner's system."""

    system: str
    counter: int = 0
    """The last one that we know to stand there."""
    writing: int | None = None
    """The one that we were about to write: whether it arrived is not known."""
    written_at: datetime | None = None
    read_at: datetime | None = None
    doubt: str = ""
    """Why it should be read again at once; '' for no reason."""
