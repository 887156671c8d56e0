"""Copy: both sides use the same words, so the value travels as it is."""

from dataclasses import dataclass

from mappings.model import Losses, Place, Rule, Value
from mappings.remembering import Remembering
from mappings.rules.part import FieldPart


@dataclass(frozen=True, slots=True)
class Copy:
    """Ours and theirs are one vocabulary. Nothing at all, an empty text and an empty set say the same."""

    def say(self, ours: Value) -> Value:
        return _something(ours)

    def read(self, theirs: Value) -> Value:
        return _something(theirs)

    def agrees(self, ours: Value, theirs: Value) -> bool:
        return _something(ours) == _something(theirs)

    def canonical_ours(self, ours: Value) -> Value:
        return _something(ours)

    def canonical_theirs(self, theirs: Value) -> Value:
        return _something(theirs)

    def losses(self) -> Losses:
        return Losses()


def _something(value: Value) -> Value:
    return None if value in ("", ()) else value


class CopyField(FieldPart):
    """A field without a rule of its own."""

    def rule(self, central: str, at: Place) -> Rule:  # noqa: ARG002  # every copy is like every other
        return Remembering(Copy())
