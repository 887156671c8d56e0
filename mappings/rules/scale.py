"""Scale: their field is a number, ours a word; each word begins at a number and reaches up to the next one's."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from mappings.model import Losses, Place, Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules.part import Fault, FieldPart


@dataclass(frozen=True, slots=True)
class Scale:
    """`steps`: (number, our word), rising. A number below the first step still means the first word."""

    steps: tuple[tuple[int, str], ...]
    where: str = ""

    def say(self, ours: Value) -> Value:
        if ours is None:
            return None
        for number, word in self.steps:
            if word == ours:
                return number
        raise Untranslatable(f"our {ours!r} has no step on the scale{self.where}: give it a number there")

    def read(self, theirs: Value) -> Value:
        if theirs is None:
            return None
        number = _number(theirs)
        if number is None:
            raise Untranslatable(f"their {theirs!r} is not a number, as the scale{self.where} expects")
        return self.steps[max(0, bisect_right(self.steps, number, key=lambda step: step[0]) - 1)][1]

    def agrees(self, ours: Value, theirs: Value) -> bool:
        if theirs is None or _number(theirs) is None:
            return theirs is None and ours is None
        return self.read(theirs) == ours

    def canonical_ours(self, ours: Value) -> Value:
        return ours

    def canonical_theirs(self, theirs: Value) -> Value:
        number = _number(theirs)
        return theirs if number is None else number

    def losses(self) -> Losses:
        spans = ", ".join(f"{word!r} from {number}" for number, word in self.steps)
        return Losses(inward=(f"is a number there and read in steps: {spans}",))


def _number(value: Value) -> int | None:
    """Trackers give numbers as numbers or as text."""
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value) if len(value) < 19 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class ScaleField(FieldPart):
    """A field that is a number there."""

    scale: dict[str, int] = Field(min_length=1, description="Our word: the number it is written as.")

    def faults(self) -> Iterator[Fault]:
        seen: dict[int, str] = {}
        for word, number in self.scale.items():
            if number in seen:
                yield Fault(("scale", word), f"{number} is the step of {seen[number]!r} already")
            seen[number] = word

    def rule(self, central: str, at: Place) -> Rule:
        steps = sorted((number, word) for word, number in self.scale.items())
        return Remembering(Scale(tuple(steps), f" of {central} ({at})"))
