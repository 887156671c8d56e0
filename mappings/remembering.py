"""From two plain translations to a lens with memory.

A rule's author writes `say` (ours to theirs), `read` (theirs to ours) and `agrees` (do these two values say the
same?). `Remembering` adds the memory: a held value that agrees is kept, whatever the translation would have made of it.

All lens laws follow from three promises of the translation, for every value it has a word for:

- `agrees(ours, say(ours))`
- `agrees(read(theirs), theirs)`
- `read(say(read(theirs))) == read(theirs)`
"""

from dataclasses import dataclass
from typing import Protocol

from mappings.model import Losses, Rule, Spill, Value


class Translation(Protocol):
    """A vocabulary's two directions, without memory. Pure, and cheap to call."""

    def say(self, ours: Value) -> Value:
        """Their word for ours.  :raises Untranslatable: there is none."""

    def read(self, theirs: Value) -> Value:
        """Our word for theirs.  :raises Untranslatable: there is none."""

    def agrees(self, ours: Value, theirs: Value) -> bool:
        """Whether the two say the same. Never raises: a value without a word agrees with nothing."""

    def canonical_ours(self, ours: Value) -> Value:
        """The form of ours that is compared."""

    def canonical_theirs(self, theirs: Value) -> Value:
        """The form of theirs that is compared."""

    def losses(self) -> Losses:
        """What is lost each way, in sentences."""


@dataclass(frozen=True, slots=True)
class Remembering:
    """The rule that a translation makes once it remembers the value held."""

    translation: Translation

    def inward(self, theirs: Value, *, held: Value) -> Value:
        return held if self.translation.agrees(held, theirs) else self.translation.read(theirs)

    def outward(self, ours: Value, *, held: Value) -> Value:
        return held if self.translation.agrees(ours, held) else self.translation.say(ours)

    def canonical_ours(self, ours: Value) -> Value:
        return self.translation.canonical_ours(ours)

    def canonical_theirs(self, theirs: Value) -> Value:
        return self.translation.canonical_theirs(theirs)

    def spill(self, ours: Value) -> Spill | None:  # noqa: ARG002  # only a text is ever too long
        return None

    def losses(self) -> Losses:
        return self.translation.losses()


_: type[Rule] = Remembering
