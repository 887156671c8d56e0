"""A mapping: what the words of one ticketing system mean in ours.

A *rule* is a lens with memory on one field: `inward` gives our value for theirs, `outward` theirs for ours, and
`held` is the value that the target side has now. A value that comes back and already corresponds to the one held
changes nothing. The laws that every rule keeps, for every `held`, None included:

- *ours survives the trip*: `inward(outward(o, held=r), held=o) == o`
- *what agrees is left alone*: `outward(inward(r), held=r) == r`
- *what they can say survives*: `inward(outward(inward(r))) == inward(r)`
- *a trip settles*: twice out and in is once
"""

from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

Value = None | bool | int | str | tuple[str, ...]


class Untranslatable(Exception):
    """A value that the rule has no word for. The sentence names the value and what to write in the mapping."""


@dataclass(frozen=True, slots=True)
class Spill:
    """The whole of a text that did not fit. It travels as a file of this very name: the text that was sent names it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Losses:
    """What a translation loses each way, in sentences for the people who live with it."""

    outward: tuple[str, ...] = ()
    inward: tuple[str, ...] = ()


@runtime_checkable
class Rule(Protocol):
    """A lens on one field. Pure, compiled once, cheap to call."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        """Our value for theirs, where `held` is ours now.  :raises Untranslatable: it has no word for it."""

    def outward(self, ours: Value, *, held: Value) -> Value:
        """Their value for ours, where `held` is theirs now.  :raises Untranslatable: it has no word for it."""

    def canonical_ours(self, ours: Value) -> Value:
        """The form of ours that is compared (line ends, trailing blanks)."""

    def canonical_theirs(self, theirs: Value) -> Value:
        """The form of theirs that is compared."""

    def spill(self, ours: Value) -> Spill | None:
        """The whole text where `outward` cannot carry all of it. None: nothing is left out."""

    def losses(self) -> Losses:
        """What this rule loses, for the loss statement."""


@runtime_checkable
class Merging(Rule, Protocol):
    """A rule whose values are sets: what each side did to its own can stand beside what the other did."""

    def merged(self, ours: Value, theirs: Value, *, agreed: tuple[Value, Value]) -> Value:
        """Ours with what they added, and without what they removed, since `agreed` (ours, theirs) was.

        A member on one side only was agreed on and is removed by the other, or was never agreed on and is added."""

    def shows(self, wrote: Value, *, before: Value, theirs: Value) -> bool:
        """Whether theirs has every member that a write added to what was there before, and none that it removed."""

    def landed(self, wrote: Value, *, before: Value, theirs: Value, agreed: Value) -> Value:
        """Theirs as it was agreed on, with as much of a write as theirs shows, member by member."""


class Carries(StrEnum):
    """Which way a field travels."""

    BOTH = "both"
    INWARD = "inward"
    OUTWARD = "outward"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: file, line and column, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fill:
    """What one of their fields must hold before a value can be reached: it travels with the write of that value."""

    remote: str
    central: str
    """Our field that is written there; '': a constant."""
    value: Value
    """The constant; or the text, as it is written, that stands in for ours where both sides hold nothing."""
    at: Place


@dataclass(frozen=True, slots=True)
class Transition:
    """How one value of theirs is reached."""

    at: Place
    fills: tuple[Fill, ...] = ()
    onward: abc.Mapping[Value, Value] = field(default_factory=dict)
    """Where theirs stands -> the value that is to be set next; a value that is not here is left by `first`."""
    first: Value = None
    """None: at once for what is to be reached."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One field's rule: our name, theirs, and which way it travels."""

    central: str
    remote: str
    rule: Rule
    carries: Carries
    policy: str | None
    """Who wins a conflict: central, remote, newest or ask; None: the mapping's or system's default."""
    only_on_create: bool
    """Written outward by the create alone: our later edits stay here, and are shown as not agreeing."""
    final: bool
    """Written after all other fields (a status that closes)."""
    stuck: abc.Mapping[str, str]
    """Their values that our account cannot always leave, and why: for the loss statement."""
    at: Place
    """Where it is written, for `why` and errors."""
    transitions: abc.Mapping[Value, Transition] = field(default_factory=dict)
    """By the value of theirs that is to be reached, where that takes more than setting it."""

    def way(self, theirs: Value, wanted: Value) -> tuple[Value, ...]:
        """What our account must set before `wanted`, one after the other, where `theirs` stands."""
        transition = self.transitions.get(wanted) if self.transitions else None
        between: list[Value] = []
        while transition is not None:
            theirs = transition.onward.get(theirs, transition.first)
            if theirs is None or theirs == wanted:
                break
            between.append(theirs)
        return tuple(between)

    def fills(self, wanted: Value) -> tuple[Fill, ...]:
        """What travels with a write of this value."""
        transition = self.transitions.get(wanted) if self.transitions else None
        return () if transition is None else transition.fills

    def walks(self, wanted: Value) -> bool:
        """Whether this value is reached by way of others: no ticket is born with it."""
        transition = self.transitions.get(wanted) if self.transitions else None
        return transition is not None and bool(transition.onward or transition.first is not None)

    @property
    def beside(self) -> frozenset[str]:
        """Our fields that travel with one of its transitions."""
        return frozenset(f.central for each in self.transitions.values() for f in each.fills if f.central)


@dataclass(frozen=True, slots=True)
class Carried:
    """A text as it is sent, and the whole of it where it did not fit."""

    text: str
    spill: Spill | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """What the first line of a comment of ours says of where it came from."""

    text: str
    author: str
    system: str
    """'' where the line does not say."""
    at: datetime | None


class CommentRule(Protocol):
    """How a comment's text travels: signed with its author, in their format, mentions neutralised, lengths kept."""

    def outward(self, text: str, *, author: str, system: str, at: datetime) -> Carried:
        """The text as the remote gets it. `system` names where the author wrote it."""

    def inward(self, text: str) -> str:
        """The text as central keeps it."""

    def noted(self, sent: str, notes: Sequence[str]) -> str:
        """What `outward` gave, with notes of ours below it, in their format."""

    def alike(self, one: str, other: str) -> bool:
        """Whether two texts of central are the same once they have been there: then neither is an edit of the other."""

    def signed(self, text: str) -> "Signed | None":
        """A text of ours, taken inward, as it was before it travelled; None: it does not begin as ours do."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A compiled mapping."""

    name: str
    revision: int
    fields: abc.Mapping[str, FieldMapping]
    """By our field name, in the order in which they are written."""
    comment: CommentRule
    lost_when: abc.Mapping[str, frozenset[str]]
    """Their field -> values that mean "this ticket is gone": the link is lost, nothing is translated."""
    constants: abc.Mapping[str, Value]
    """Their fields that every create carries and no ticket of ours decides."""
    policy: str
    """Default conflict policy: central, remote, newest or ask."""

    def stands(self, name: str) -> "Stands":
        """What stands where both sides changed this field of ours, unless a system's document says otherwise."""
        each = self.fields[name]
        if isinstance(each.rule, Merging):
            return Stands.BOTH
        if each.carries is not Carries.BOTH:
            return Stands.OURS if each.carries is Carries.OUTWARD else Stands.THEIRS
        if each.policy == "newest" or (each.policy is None and self.policy == "newest"):
            return _NEWEST[self.policy]
        return _CHOSEN[each.policy or self.policy]


class Stands(StrEnum):
    """What stands of two edits of one field."""

    OURS = "ours"
    THEIRS = "theirs"
    PERSON = "a person decides"
    NEWEST_OR_OURS = "newest, else ours"
    NEWEST_OR_THEIRS = "newest, else theirs"
    NEWEST_OR_PERSON = "newest, else a person decides"
    BOTH = "both"
    """A set: member by member."""


_CHOSEN = {"central": Stands.OURS, "remote": Stands.THEIRS, "ask": Stands.PERSON}
_NEWEST = {
    "central": Stands.NEWEST_OR_OURS,
    "newest": Stands.NEWEST_OR_OURS,
    "remote": Stands.NEWEST_OR_THEIRS,
    "ask": Stands.NEWEST_OR_PERSON,
}
