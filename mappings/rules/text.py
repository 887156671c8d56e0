"""Text: written by people, kept whole. Formats, line ends, blanks and lengths differ between trackers; words do not."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from mappings.formats import FORMATS, FormatName
from mappings.model import Losses, Place, Rule, Spill, Untranslatable, Value
from mappings.plaintext import canonical, canonical_line, unquiet
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
        text = self._heard(theirs)
        whole = self._plain(held) if isinstance(held, str) else None
        if text is None or whole is None:
            return text
        return self.shortening.joined(text, whole) or text

    def outward(self, ours: Value, *, held: Value) -> Value:
        if self._agree(ours, held):
            return held
        text = self._plain(ours)
        return self.shortening.sent(text) or None if text is not None else None

    def canonical_ours(self, ours: Value) -> Value:
        text = self._plain(ours) if isinstance(ours, str) else ours
        return self._settled(text) or None if isinstance(text, str) else text

    def canonical_theirs(self, theirs: Value) -> Value:
        text = self._heard(theirs) if isinstance(theirs, str) else theirs
        return self.shortening.format.written(self._settled(text)) or None if isinstance(text, str) else text

    def spill(self, ours: Value) -> Spill | None:
        text = self._plain(ours)
        return None if text is None else self.shortening.spill(text)

    def losses(self) -> Losses:
        of_format = self.shortening.format.losses()
        one_line = ("line breaks become blanks",) if self.one_line else ()
        longest = f"{self.shortening.limit} {self.shortening.unit}"
        too_long = f"what exceeds {longest} is shown there by a mark that names a file with the whole"
        limited = () if self.shortening.limit is None else (too_long,)
        return Losses((*one_line, *limited, *of_format.outward), (*one_line, *of_format.inward))

    def _agree(self, ours: Value, theirs: Value) -> bool:
        if not isinstance(ours, str | None) or not isinstance(theirs, str | None):
            return False
        whole, text = self._plain(ours), self._heard(theirs)
        if whole is None or text is None:
            return not self._settled(whole or "") and not self._settled(text or "")
        return self._settled(text) == self._settled(whole) or self.shortening.stands_for(text, whole)

    def _settled(self, text: str) -> str:
        return self.shortening.format.settled(text)

    def _heard(self, theirs: Value) -> str | None:
        """Their text in our format."""
        text = self._text(theirs)
        return None if text is None else self._plain(self.shortening.format.heard(text))

    def _plain(self, value: Value) -> str | None:
        text = self._text(value)
        return None if text is None else (canonical_line if self.one_line else canonical)(unquiet(text)) or None

    def _text(self, value: Value) -> str | None:
        if value is not None and not isinstance(value, str):
            raise Untranslatable(f"{value!r} is not text{self.where}: use a table, or no rule at all, for this field")
        return value


class TextPart(Part):
    """How much text their field takes."""

    format: FormatName = Field("plain", description="What their text is written in: plain, markdown, …")
    one_line: bool = Field(False, description="Line breaks become blanks: a subject.")
    max_length: int | None = Field(None, ge=SMALLEST, description="Longest text there, in characters.")
    max_bytes: int | None = Field(None, ge=SMALLEST, description="Longest text there, in bytes of UTF-8.")


class TextField(FieldPart):
    """A field that people write."""

    text: TextPart

    def faults(self) -> Iterator[Fault]:
        if self.text.max_length is not None and self.text.max_bytes is not None:
            yield Fault(("text", "max_bytes"), "a text is counted in characters or in bytes, not in both")
        if self.text.one_line and self.text.format != "plain":
            yield Fault(("text", "format"), "a single line has no format: it is plain, whatever the texts there are")

    def rule(self, central: str, at: Place) -> Rule:
        in_bytes = self.text.max_bytes is not None
        shortening = Shortening(
            stem=central,
            gap=" " if self.text.one_line else "\n\n",
            limit=self.text.max_bytes if in_bytes else self.text.max_length,
            unit=Unit.BYTES if in_bytes else Unit.CHARACTERS,
            format=FORMATS[self.text.format],
        )
        return Text(shortening, self.text.one_line, f" ({central}, {at})")
