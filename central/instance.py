"""This installation as its own database knows it: who it is, and whether anything may leave it."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody pressed the stop button: nothing is written to any system until somebody lets go of it."""

    at: datetime
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """One row. A database that was just made has no id yet."""

    id: str = ""
    """Random; made once, and copied with the database."""
    stopped: Stop | None = None
    held: str = ""
    """Why nothing may leave although nobody pressed the button (a copy, a restore); '' when all is well."""
    beats: int = 0
    """Rises while somebody works on it; what is kept beside the database tells by it that it went back in time."""
    restored_at: datetime | None = None
    """Since when it is known that it was restored from a backup; None: it was not, or all was found again."""
    plan: str = ""
    """The fingerprint of the plan that was shown after the restore; '' where there is none."""

    def evolve(self, **changes: object) -> "Instance":
        """A copy with these attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by dataclasses
