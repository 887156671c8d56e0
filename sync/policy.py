"""Who wins when both sides changed one field, and what central admits from outside. Pure.

A policy is one of: `central`, `remote`, `newest` (needs a change time per field on both sides; where the intervals of
uncertainty overlap, or a time is missing, the default decides) and `ask` (a person decides; both values are kept).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from central import workflow
from central.model import Value, validate
from central.workflow import Actor


class Winner(StrEnum):
    """Whose value stands."""

    CENTRAL = "central"
    REMOTE = "remote"
    UNDECIDED = "undecided"


POLICIES = ("central", "remote", "newest", "ask")


@dataclass(frozen=True, slots=True)
class ChangeTime:
    """When a field was changed, and how far that moment may be off either way."""

    at: datetime
    uncertainty: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Times:
    """The change times of one field on both sides, as far as they are known."""

    ours: ChangeTime | None = None
    theirs: ChangeTime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Conflict policy per field (by our field name), and the one for all others."""

    default: str = "central"
    fields: Mapping[str, str] = field(default_factory=dict)

    def rule(self, name: str) -> str:
        """The policy of this field."""
        return self.fields.get(name, self.default)

    def winner(self, name: str, times: Times | None = None) -> tuple[Winner, str]:
        """Whose value stands in a conflict on this field, and why, in a few words."""
        rule = self.rule(name)
        if rule == "newest":
            newest = _newest(times)
            if newest is not None:
                return newest, "policy newest: it was changed last"
            rule = self.default if self.default != "newest" else "central"
            why = f"policy newest cannot tell, so {rule}"
        else:
            why = f"policy {rule}"
        if rule == "remote":
            return Winner.REMOTE, why
        if rule == "ask":
            return Winner.UNDECIDED, "policy ask: a person decides"
        return Winner.CENTRAL, why


def _newest(times: Times | None) -> Winner | None:
    if times is None or times.ours is None or times.theirs is None:
        return None
    slack = times.ours.uncertainty + times.theirs.uncertainty
    if times.ours.at - times.theirs.at > slack:
        return Winner.CENTRAL
    if times.theirs.at - times.ours.at > slack:
        return Winner.REMOTE
    return None


@dataclass(frozen=True, slots=True)
class Admission:
    """What central makes of a value that a remote sets: where it ends, or why it is refused."""

    value: Value
    refusal: str = ""


def admit(name: str, held: Value, new: Value) -> Admission:
    """Ask central's model and workflow about one inward value. A remote speaks as the supporters behind it."""
    if name == "status":
        if not isinstance(new, str) or new not in set(workflow.Status):
            return Admission(held, f"{new!r} is not a status")
        if isinstance(held, str):
            refusal = workflow.refusal(held, new, Actor.SUPPORTER)
            return Admission(held, refusal) if refusal else Admission(workflow.arrive(held, new))
        return Admission(new)
    problems = validate({name: new})  # one at most
    return Admission(held, problems[0]) if problems else Admission(new)
