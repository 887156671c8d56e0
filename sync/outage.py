"""Does a system as a whole not answer? Then one request tries it now and then, for all processes. Pure.

A failed look says nothing of the system, for it may be its ticket's own trouble: it is a suspicion, and the system is
asked what changed. Only where that fails, too, is the system out: nobody takes up what it is owed, no look burns its
tries, and whoever finds the time come takes the next turn. The first answer to anybody ends it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from central.registry import Outage, System
from connectors.errors import ConnectorError, ProtocolError, QuotaSpent, Transient
from sync.intents import TryLater

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
AFTER_YOU = timedelta(seconds=1)
"""Polls and looks go first by turns, lest one that fails for a reason of its own takes every turn."""
LOOK, POLL = "look", "poll"
"""Who noticed, or who tries."""


def may_be_out(error: Exception) -> bool:
    """Whether this error is what everybody would meet if the system as a whole did not answer."""
    return isinstance(error, Transient | ProtocolError) and not isinstance(error, TryLater | QuotaSpent)


def is_answer(error: Exception) -> bool:
    """Whether only a system that answers can say this."""
    return isinstance(error, ConnectorError) and not isinstance(error, Transient | ProtocolError)


def is_out(outage: Outage | None) -> bool:
    """Whether nothing is asked of it but in turn; a suspicion holds nobody up."""
    return outage is not None and not outage.suspected_by


def failed(known: Outage | None, error: Exception, at: datetime, *, by: str, in_turn: bool = False) -> Outage | None:
    """What is known after this failure of a look or a poll. `in_turn`: it was the one request that tried the system."""
    if not may_be_out(error):
        return None if is_answer(error) else known
    since = at if known is None else known.since
    why = f"{type(error).__name__}: {error}"
    asked = error.retry_after if isinstance(error, Transient) else None
    if asked is not None and asked >= FIRST_WAIT:  # it answers, and says itself that everybody is to wait
        until = at + asked if known is None else max(at + asked, known.next_try_at if is_out(known) else at)
        return Outage(since, why, until, 0 if known is None else known.tries)
    if known is not None and is_out(known):
        if not in_turn:
            return known
        return Outage(since, why, at + _wait(known.tries + 1), known.tries + 1)
    seen_by_both = known is not None and known.suspected_by != by
    if seen_by_both or (by == POLL and isinstance(error, Transient)):
        return Outage(since, why, at + _wait(0))
    return Outage(since, why, at, suspected_by=by)


def turn_at(outage: Outage, by: str) -> datetime:
    """When a look or a poll may try a system that is out."""
    first = POLL if outage.tries % 2 == 0 else LOOK
    return outage.next_try_at if by == first else outage.next_try_at + AFTER_YOU


def taken(outage: Outage, at: datetime, term: timedelta) -> Outage:
    """The turn is somebody's; should they die, the next one comes after their term."""
    return replace(outage, next_try_at=at + term)


def poll_at(system: System, planned: datetime, asked_at: datetime | None) -> datetime:
    """When to ask a system what changed: as planned; at once where a look raised a suspicion; in turn while it is out.

    `asked_at`: when it was asked last, by this process."""
    outage = system.outage
    if outage is None or outage.suspected_by == POLL:
        return planned
    if is_out(outage):
        return turn_at(outage, POLL)
    soon = outage.next_try_at if asked_at is None else max(outage.next_try_at, asked_at + FIRST_WAIT)
    return min(planned, soon)


def _wait(tries: int) -> timedelta:
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 20))
    return wait
