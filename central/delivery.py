"""A look that a system is owed, who takes it up, and what is counted of it.

One row per (system, direction, subject), where the subject is their key (inward) or our ticket id (outward).
`generation` rises with every new reason; a delivery is done only if its generation is still the one that was claimed,
so no wake-up is lost. A *lease* says who works on a subject now; its epoch fences late writers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any


class Direction(StrEnum):
    INWARD = "inward"
    OUTWARD = "outward"


class Lane(IntEnum):
    """Live goes before backfill."""

    LIVE = 0
    BACKFILL = 1


class DeliveryState(StrEnum):
    DUE = "due"
    DEAD = "dead"  # a dead letter: needs a person
    DISCARDED = "discarded"  # a person gave it up: owed no more, until there is a new reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """A look that a system is owed."""

    id: int
    system: str
    direction: Direction
    subject: str
    generation: int
    lane: Lane
    state: DeliveryState
    not_before: datetime
    owed_since: datetime
    """Since when no look that finished has answered for it: the lag of the system shows here."""
    attempts: int
    reason: str
    """Why it is owed (the latest reason)."""
    error: str = ""
    hint: Mapping[str, Any] | None = None
    """What the latest hint itself carried (a full row), plain; never believed where the ticket can be fetched."""
    trail: str = ""
    """Of the latest reason: all looks that follow from one change bear the same."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one subject until `expires_at`. Every transaction of the work checks it."""

    name: str
    owner: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery taken up under a lease."""

    delivery: Delivery
    lease: Lease
    more: bool = False
    """Whether others were due behind it; somebody else may hold their leases."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Kept counters of one system: what the status page shows without counting."""

    links: int = 0
    """Links in every state, duplicates aside."""
    disagreements: int = 0
    """Those of them that carry at least one standing disagreement."""
    due: int = 0
    dead: int = 0
    oldest_due_at: datetime | None = None
    """The earliest `owed_since` of what is due."""
    held: int = 0
    """Open holds of the guards, those on single tickets included."""
    discarded: int = 0
    """Looks that a person gave up, and that nothing has made owed again: each is a loss that must show."""
    disagrees_since: datetime | None = None
    """Since when the oldest standing disagreement stands."""
