"""Which systems a ticket belongs in. Pure.

A ticket is created and kept in the system whose support units include its responsible unit; the link to the system it
was born in stays for life; reassigned away, any other link is detached with one last notice, and resumes when the
ticket comes back. A unit belongs to at most one system.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from central.link import Link, LinkState


class Course(StrEnum):
    """What is to become of a ticket in one system."""

    NOTHING = "nothing"
    CREATE = "create"
    KEEP = "keep"
    DETACH = "detach"
    RESUME = "resume"


def system_of(unit: object, units: Mapping[str, str]) -> str | None:
    """The system that this support unit belongs to (`units`: unit -> system)."""
    return units.get(unit) if isinstance(unit, str) else None


def course(system: str, link: Link | None, target: str | None) -> Course:
    """What this system is to do about the ticket whose unit belongs to `target`."""
    wanted = target == system
    if link is None:
        return Course.CREATE if wanted else Course.NOTHING
    if link.state is LinkState.PENDING:  # an open intent may have got through: that must be known first
        return Course.CREATE if wanted or link.intents else Course.NOTHING
    if link.state is LinkState.ACTIVE:
        return Course.KEEP if wanted or link.birth else Course.DETACH
    if link.state is LinkState.DETACHED:
        if wanted:
            return Course.RESUME
        return Course.DETACH if link.intents else Course.NOTHING  # whether the last notice arrived is still to be known
    return Course.NOTHING


def owed(
    links: Sequence[Link], target: str | None, left: str | None = None, *, source: str | None = None
) -> frozenset[str]:
    """The systems that are owed a look after a change that came from `source`. `left`: where it was routed before."""
    concerned = {link.system for link in links if link.state in (LinkState.ACTIVE, LinkState.PENDING)}
    concerned |= {name for name in (target, left) if name is not None}
    return frozenset(concerned - {source})
