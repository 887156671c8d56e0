"""The mark that we keep in a partner's system, and what it tells. Pure.

The operator names a ticket and a free field of it. There stands who we are and a counter, which moves only together
with a write that we make anyway. A copy of the system, or one that was restored from a backup, shows another number
than the last one we wrote; a second interdesk shows another name.
"""

import re
from dataclasses import dataclass

from central.guard import Marker

_MARK = re.compile(r"interdesk ([A-Za-z0-9._-]{1,64}) ([0-9]{1,15})")

_UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the mark stands: their ticket's key, and their field."""

    ticket: str
    field: str


def mark(instance: str, counter: int) -> str:
    """The text of a mark."""
    return f"interdesk {instance or _UNNAMED} {counter}"


def counter_of(shown: object) -> int | None:
    """The counter of a mark; None: this is none."""
    found = _MARK.fullmatch(str(shown or "").strip())
    return int(found[2]) if found else None


def doubt(known: Marker, instance: str, shown: object) -> str:
    """Why what stands there cannot be what we left, in a sentence; '' where it is."""
    text = str(shown or "").strip()
    found = _MARK.fullmatch(text)
    if not text:
        return f"our mark is gone; the last one was number {known.counter}" if known.counter else ""
    if found is None:
        return f"the field of our mark holds {text[:80]!r}: name a field that nobody else uses"
    if found[1] != (instance or _UNNAMED):
        return f"another interdesk ({found[1]}) has its mark there"
    number = int(found[2])
    if number in (known.counter, known.writing):
        return ""
    if number < known.counter:
        return f"our mark went back from number {known.counter} to {number}: a copy, or restored from a backup"
    return f"our mark stands at number {number}, and the last one we wrote is {known.counter}: somebody else moves it"
