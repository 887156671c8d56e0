"""What would have been written: the record of a system in shadow, beside what people did themselves."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from central.model import Value


class Side(StrEnum):
    """Whose ticket would have been written."""

    SYSTEM = "system"
    CENTRE = "centre"


class Seen(StrEnum):
    """What became of the same thing by people's hands."""

    MISSING = "missing"  # nobody did it
    AGREED = "agreed"  # somebody did just that
    DIFFERS = "differs"  # somebody did something else
    WITHDRAWN = "withdrawn"  # it would not have been written any more


@dataclass(frozen=True, slots=True)
class Shadow:
    """One write that was computed and not made."""

    id: int
    system: str
    side: Side
    ticket_id: int | None
    """Our ticket; None: it would have been made here."""
    key: str
    """Theirs; '': it would have been made there."""
    item: str
    """`create`, `field NAME`, `comment ID`, `edit of comment ID`, `file NAME` or `notice`."""
    would: Value
    """What would have been written, in the words of that side."""
    before: Value
    """What stood there."""
    why: str
    at: datetime
    """When this was first computed."""
    seen: Seen = Seen.MISSING
    did: Value = None
    """What people did, where that differs."""
    seen_at: datetime | None = None
