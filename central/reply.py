"""What became of a request that must be carried out once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

KEPT = timedelta(days=1)
"""So long it is known what came once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request that bears a key of its own was answered, or that it is under way."""

    digest: str
    """What tells its content from another's."""
    begun_at: datetime
    answer: Mapping[str, Any] | None = None
    """Plain data; None: it is under way, or was cut off."""
