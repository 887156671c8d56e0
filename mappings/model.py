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
from dataclasses import dataclass
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
    """How a comment's text travels: signed with its author, mentions neutralised, lengths kept."""

    def outward(self, text: str, *, author: str, system: str, at: datetime) -> Carried:
        """The text as the remote gets it. `system` names where the author wrote it."""

    def inward(self, text: str) -> str:
        """The text as central keeps it."""

    def signed(self, text: str) -> "Signed | None":
        """A text of ours as it was before it travelled; None: it does not begin as ours do."""


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
