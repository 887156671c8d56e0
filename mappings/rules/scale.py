"""Scale: their field is a number, ours a word; each word begins at a number and reaches up to the next one's. Single
numbers may stand for nothing of ours."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from mappings.findings import in_words
from mappings.model import Losses, Place, Rule, Untranslatable, Value
from mappings.remembering import Remembering
from mappings.rules.part import Fault, FieldPart


@dataclass(frozen=True, slots=True)
class Scale:
    """`steps`: (number, our word), rising. A number below the first step still means the first word.

    `unset`: the numbers that mean nothing of ours, the first of which is written. Where there are some, their nothing
    is none of them unless it is listed."""

    steps: tuple[tuple[int, str], ...]
    where: str = ""
    unset: tuple[int | None, ...] = ()

    def say(self, ours: Value) -> Value:
        if ours is None:
            return self.unset[0] if self.unset else None
        for number, word in self.steps:
            if word == ours:
                return number
        raise Untranslatable(f"our {ours!r} has no step on the scale{self.where}: give it a number there")

    def read(self, theirs: Value) -> Value:
        if theirs is None and self._takes_nothing:
            return None
        number = _number(theirs)
        if number is None:
            raise Untranslatable(f"their {in_words(theirs)} is not a number, as the scale{self.where} expects")
        if number in self.unset:
            return None
        return self.steps[max(0, bisect_right(self.steps, number, key=lambda step: step[0]) - 1)][1]

    def agrees(self, ours: Value, theirs: Value) -> bool:
        if theirs is None or _number(theirs) is None:
            return theirs is None and ours is None and self._takes_nothing
        return self.read(theirs) == ours

    @property
    def _takes_nothing(self) -> bool:
        return not self.unset or None in self.unset

    def canonical_ours(self, ours: Value) -> Value:
        return ours

    def canonical_theirs(self, theirs: Value) -> Value:
        number = _number(theirs)
        return theirs if number is None else number

    def losses(self) -> Losses:
        spans = ", ".join(f"{word!r} from {number}" for number, word in self.steps)
        nothing = f"; as nothing: {', '.join(map(in_words, self.unset))}" if self.unset else ""
        return Losses(inward=(f"is a number there and read in steps: {spans}{nothing}",))


def _number(value: Value) -> int | None:
    """Trackers give numbers as numbers or as text."""
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value) if len(value) < 19 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _one_or_several(value: Any) -> list[int | None]:
    numbers = value if isinstance(value, list) else [value]
    if not numbers or any(isinstance(each, bool) or not isinstance(each, int | None) for each in numbers):
        raise ValueError("must be a number, or a list of them with the one to write first")
    return numbers


_NUMBER_SCHEMA: dict[str, Any] = {"type": ["integer", "null"]}
Numbers = Annotated[
    list[int | None],
    BeforeValidator(_one_or_several),
    WithJsonSchema({"anyOf": [_NUMBER_SCHEMA, {"type": "array", "items": _NUMBER_SCHEMA, "minItems": 1}]}),
]


class ScaleField(FieldPart):
    """A field that is a number there."""

    scale: dict[str, int] = Field(min_length=1, description="Our word: the number it is written as.")
    unset: Numbers = Field(
        default_factory=list,
        description="Their numbers for nothing of ours: the first is written, the others mean it too.",
    )

    def faults(self) -> Iterator[Fault]:
        seen: dict[int, str] = {}
        for word, number in self.scale.items():
            if number in seen:
                yield Fault(("scale", word), f"{number} is the step of {seen[number]!r} already")
            seen[number] = word
        for word, step in self.scale.items():
            if step in self.unset:
                yield Fault(("unset",), f"{step} is the step of {word!r} already: it cannot be nothing as well")

    def rule(self, central: str, at: Place) -> Rule:
        steps = sorted((number, word) for word, number in self.scale.items())
        return Remembering(Scale(tuple(steps), f" of {central} ({at})", tuple(dict.fromkeys(self.unset))))
