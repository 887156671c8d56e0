"""What is decided on one link: a step for each field, with its reason. Pure data; `reconcile` makes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from central.link import Pair
from central.model import Value
from sync.policy import Times, Winner

UNDECIDED = "both sides changed it; a person decides"
AGREED_NEVER = "both sides hold a value and never agreed; a person decides"
MEANING_CHANGED = "the mapping changed its meaning; nobody has touched the field since"
LEFT_IN_SHADOW = "it differed while the system was in shadow; nobody has touched the field since"
LEFT_BY_PAIRING = "it differed when the tickets were paired; nobody has touched the field since"
ERASED = "somebody was erased here and may still be named there; nobody has touched the field since"
UNTOUCHED = frozenset({MEANING_CHANGED, LEFT_IN_SHADOW, LEFT_BY_PAIRING, ERASED})
"""Why a field may stand unwritten until either side moves."""


class Verdict(StrEnum):
    """What is to be done about one field; every look gives one per mapped field."""

    AGREED = "already agreed"
    SETTLE = "agrees now"  # only the base moves
    INWARD = "take theirs"
    OUTWARD = "write ours"
    STANDING = "standing disagreement"
    UNSURE = "another look tells"  # nothing is judged: ours was set after they were asked


@dataclass(frozen=True, slots=True)
class Loser:
    """An edit that did not stand; it is kept, shown and restorable."""

    ours: Value
    theirs: Value
    winner: Winner
    reason: str
    rejected: bool = False
    """Central's workflow or model forbade it, rather than a policy."""


class Step(NamedTuple):
    """The decision on one field, with its reason."""

    name: str
    verdict: Verdict
    why: str
    ours: Value
    theirs: Value
    base: Pair | None
    """What the base is once the central part of the plan is committed (an outward write moves it on settling)."""
    become: Value = None
    """INWARD: our new value. OUTWARD: theirs, to be reached."""
    loser: Loser | None = None
    landed: bool = False
    """One of our own writes was found in place: an echo."""
    way: tuple[Value, ...] = ()
    """OUTWARD: the values of theirs that must be set before it, in order."""

    @property
    def sends(self) -> Pair:
        """OUTWARD: what is written now. A step on the way says nothing of ours: the base keeps what ours was, so that
        the next look goes on from there."""
        if not self.way:
            return Pair(self.ours, self.become)
        return Pair(None if self.base is None else self.base.ours, self.way[0])


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, in the order of the mapping. It can be printed, previewed and tested."""

    steps: tuple[Step, ...]

    @property
    def inward(self) -> Mapping[str, Value]:
        """Our field -> the new value taken from theirs."""
        return {s.name: s.become for s in self.steps if s.verdict is Verdict.INWARD}

    @property
    def outward(self) -> tuple[Step, ...]:
        """The steps that write to the remote."""
        return tuple(s for s in self.steps if s.verdict is Verdict.OUTWARD)

    @property
    def standing(self) -> Mapping[str, str]:
        """Our field -> why it cannot agree now."""
        return {s.name: s.why for s in self.steps if s.verdict is Verdict.STANDING}

    @property
    def unsure(self) -> frozenset[str]:
        """Our fields that say what theirs said before ours was set: only another look tells whether they agree."""
        return frozenset(s.name for s in self.steps if s.verdict is Verdict.UNSURE)

    @property
    def base(self) -> Mapping[str, Pair]:
        """The base after the central part."""
        return {s.name: s.base for s in self.steps if s.base is not None}

    @property
    def quiet(self) -> bool:
        """Nothing is to be changed on either side."""
        return not self.inward and not self.outward


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beyond the present values, by our field name."""

    landed: Mapping[str, Pair] = field(default_factory=dict)
    """Writes of ours that their history proves to have arrived, though a later edit may hide them."""
    by_people: frozenset[str] = frozenset()
    """Fields whose present value, by the same history, is not ours: there an intent's value proves nothing."""
    times: Mapping[str, Times] = field(default_factory=dict)
    """When each side changed a field, for the policy `newest`."""
    stale: frozenset[str] = frozenset()
    """Fields that a write of ours, given up long ago, was the last to set."""
    overtaken: bool = False
    """Our ticket was changed after they were asked: where both say the same now, both may not have stood together."""
    taken_back: Mapping[str, Value] = field(default_factory=dict)
    """What a comment of ours had made of fields that people have set anew since: their answer is to that."""


NO_EVIDENCE = Evidence()
