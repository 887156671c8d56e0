"""The audit log: what was done to this installation by whom. Kept in the transaction of the act itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One administrative act."""

    at: datetime
    by: str
    act: str
    """What was done, in words: `pause`, `discard`."""
    subject: str = ""
    """To what: a system, a ticket, a dead letter."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """More about it: plain data, no secret."""
    id: int = 0
    """Given by the store."""
