"""The ten statuses of a ticket: who may set what, and what central sets by itself.

Source: GGUS staff guide and status page, as digested in `central/README.md`.
"""

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """In the order a ticket usually walks through them."""

    NEW = "new"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in progress"
    WAITING_FOR_REPLY = "waiting for reply"
    ON_HOLD = "on hold"
    REOPENED = "reopened"
    SOLVED = "solved"
    UNSOLVED = "unsolved"
    VERIFIED = "verified"
    CLOSED = "closed"


class Actor(StrEnum):
    """Whoever sets a status. A remote system speaks as the supporters behind it."""

    SYSTEM = "system"
    SUPPORTER = "supporter"
    SUBMITTER = "submitter"


OPEN = frozenset(
    {
        Status.NEW,
        Status.ASSIGNED,
        Status.IN_PROGRESS,
        Status.WAITING_FOR_REPLY,
        Status.ON_HOLD,
        Status.REOPENED,
    }
)
FINAL = frozenset({Status.VERIFIED, Status.CLOSED})
SET_BY_SYSTEM_ONLY = frozenset({Status.NEW, Status.ASSIGNED, Status.CLOSED})
_SOLVED = frozenset({Status.SOLVED, Status.UNSOLVED})


def refusal(frm: str, to: str, actor: Actor) -> str:
    """Why this actor may not set this status, as a sentence; '' when they may.

    :raises ValueError: one of them is no status."""
    before, after = Status(frm), Status(to)
    if before == after:
        return ""
    if before in FINAL:
        return f"a {before} ticket is final: it cannot become {after}"
    if actor is Actor.SYSTEM:
        return ""
    if after in SET_BY_SYSTEM_ONLY:
        return f"{after} is set by the system only"
    if after is Status.REOPENED and before not in _SOLVED:
        return f"only a solved or unsolved ticket can be reopened, and this one is {before}"
    if after is Status.VERIFIED:
        if before is not Status.SOLVED:
            return f"only a solved ticket can be verified, and this one is {before}"
        if actor is not Actor.SUBMITTER:
            return "only the submitter verifies a solution"
        return ""
    if actor is Actor.SUBMITTER and after is not Status.REOPENED:
        return f"a submitter cannot set {after}"
    return ""


def permitted(frm: str, actor: Actor) -> tuple[Status, ...]:
    """The statuses this actor may set now, in walking order."""
    return tuple(s for s in Status if s != frm and not refusal(frm, s, actor))


def arrive(frm: str, to: str) -> str:
    """Where a permitted change really ends: working on a solved ticket again makes it `reopened`.

    One that waits or is put on hold says more than that, and keeps its word."""
    return Status.REOPENED.value if frm in _SOLVED and to == Status.IN_PROGRESS else to


def assigned(frm: str) -> str:
    """What a change of the responsible unit makes of the status: every open ticket becomes `assigned`."""
    return Status.ASSIGNED.value if frm in OPEN else frm


def on_submitter_reply(frm: str) -> str:
    """What the submitter's own reply makes of the status."""
    return Status.IN_PROGRESS.value if frm == Status.WAITING_FOR_REPLY else frm


TABLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    actor: {frm: tuple(permitted(frm, actor)) for frm in Status} for actor in Actor
}
"""The whole workflow as plain data: actor -> from -> statuses; what `mapping check` is given."""
