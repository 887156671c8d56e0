"""Text: written by people, kept whole. Line ends, blanks and lengths differ between trackers; the words do not."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from mappings.model import Losses, Place, Rule, Spill, Untranslatable, Value
from mappings.plaintext import canonical, canonical_line, comparable, unquiet
from mappings.rules.part import Fault, FieldPart, Part
from mappings.shortening import SMALLEST, Shortening, Unit


@dataclass(frozen=True, slots=True)
class Text:
    """A rule of its own, not a translation: joining an edited head with the rest needs the value held.

    An empty text and none at all say the same."""

    shortening: Shortening
    one_line: bool = False
    where: str = ""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        if self._agree(held, theirs):
            return held
        text = self._plain(theirs)
        whole = self._plain(held) if isinstance(held, str) else None
        if text is None or whole is None:
            return text
        return self.shortening.joined(text, whole) or text

    def outward(self, ours: Value, *, held: Value) -> Value:
        if self._agree(ours, held):
            return held
        text = self._plain(ours)
        return None if text is None else self.shortening.sent(text)

    def canonical_ours(self, ours: Value) -> Value:
        text = self._plain(ours) if isinstance(ours, str) else ours
        return comparable(text) if isinstance(text, str) else text

    def canonical_theirs(self, theirs: Value) -> Value:
        return self.canonical_ours(theirs)

    def spill(self, ours: Value) -> Spill | None:
        text = self._plain(ours)
        return None if text is None else self.shortening.spill(text)

    def losses(self) -> Losses:
        if self.shortening.limit is None:
            return Losses()
        longest = f"{self.shortening.limit} {self.shortening.unit}"
        return Losses((f"what exceeds {longest} is shown there by a mark that names a file with the whole",))

    def _agree(self, ours: Value, theirs: Value) -> bool:
        if not isinstance(ours, str | None) or not isinstance(theirs, str | None):
            return False
        if ours == theirs:
            return True
        whole, text = self._plain(ours), self._plain(theirs)
        if whole is None or text is None:
            return whole is text
        return comparable(whole) == comparable(text) or self.shortening.stands_for(text, whole)

    def _plain(self, value: Value) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise Untranslatable(f"{value!r} is not text{self.where}: use a table, or no rule at all, for this field")
        return (canonical_line if self.one_line else canonical)(unquiet(value)) or None


class TextPart(Part):
    """How much text their field takes."""

    one_line: bool = Field(False, description="Line breaks become blanks: a subject.")
    max_length: int | None = Field(None, ge=SMALLEST, description="Longest text there, in characters.")
    max_bytes: int | None = Field(None, ge=SMALLEST, description="Longest text there, in bytes of UTF-8.")


class TextField(FieldPart):
    """A field that people write."""

    text: TextPart

    def faults(self) -> Iterator[Fault]:
        if self.text.max_length is not None and self.text.max_bytes is not None:
            yield Fault(("text", "max_bytes"), "a text is counted in characters or in bytes, not in both")

    def rule(self, central: str, at: Place) -> Rule:
        in_bytes = self.text.max_bytes is not None
        shortening = Shortening(
            stem=central,
            gap=" " if self.text.one_line else "\n\n",
            limit=self.text.max_bytes if in_bytes else self.text.max_length,
            unit=Unit.BYTES if in_bytes else Unit.CHARACTERS,
        )
        return Text(shortening, self.text.one_line, f" ({central}, {at})")
