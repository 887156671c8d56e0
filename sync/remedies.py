"""What becomes of a look that went wrong: one remedy per error, nothing swallowed, nothing retried for ever. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from central.store.api import StoreError
from connectors.errors import AccessError, ProtocolError, Transient, VersionConflict

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)
MOST_TRIES = 80
"""After so many tries, half a day of them, what should have passed by itself needs a person. Those while the system as
a whole was out do not count: a night of maintenance makes no dead letter, a ticket that fails alone does."""
UNREADABLE_TRIES = 3
"""How often an answer that cannot be read is asked for again before it becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery after an error: another try at `not_before`, or a dead letter."""

    not_before: datetime | None
    stop_system: bool = False


def remedy(error: Exception, attempts: int, at: datetime, spread: float) -> Verdict:
    """The remedy for an error. `attempts` counts the tries before this one; `spread` in [0, 1) jitters the wait."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts, 20))
    later = at + wait * (0.75 + spread / 2)
    if isinstance(error, AccessError):
        return Verdict(later, stop_system=True)
    passes = isinstance(error, Transient | VersionConflict | StoreError)
    if passes and attempts + 1 >= MOST_TRIES:
        return Verdict(None)
    if isinstance(error, Transient):
        asked = at + error.retry_after if error.retry_after is not None else later
        return Verdict(max(asked, at + FIRST_WAIT))
    if passes:
        return Verdict(later)
    if isinstance(error, ProtocolError) and attempts + 1 < UNREADABLE_TRIES:
        return Verdict(later)
    return Verdict(None)
