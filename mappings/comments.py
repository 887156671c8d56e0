"""How a comment's text travels: signed with its author, mentions made harmless, kept within their length."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter

from pydantic import Field

from mappings.formats import FORMATS, PLAIN, FormatName
from mappings.loader import suggestion
from mappings.model import Carried, CommentRule, Signed
from mappings.plaintext import canonical, canonical_line
from mappings.rules.part import Fault, Part
from mappings.shortening import SMALLEST, Shortening, Unit

_MOMENT = "%Y-%m-%d %H:%M UTC"
_WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
NAMES = ("author", "system", "at")


@dataclass(frozen=True, slots=True)
class SignedComments:
    """Every comment begins with a line that says who wrote it where and when: on the remote they are all ours."""

    attribution: str
    shortening: Shortening

    def outward(self, text: str, *, author: str, system: str, at: datetime) -> Carried:
        names = {"author": author, "system": system, "at": f"{at.astimezone(UTC):{_MOMENT}}"}
        signature = self.attribution.format_map({name: canonical_line(word) for name, word in names.items()})
        whole = canonical(f"{signature}\n\n{canonical(text)}")
        return Carried(self.shortening.sent(whole), self.shortening.spill(whole))

    def inward(self, text: str) -> str:
        return self.shortening.format.heard(text)

    def noted(self, sent: str, notes: Sequence[str]) -> str:
        form = self.shortening.format
        gap = "\n" if form is PLAIN else "\n\n"
        return gap.join(filter(None, [sent, *map(form.said, notes)]))

    def alike(self, one: str, other: str) -> bool:
        settled = self.shortening.format.settled
        return settled(canonical(one)) == settled(canonical(other))

    def signed(self, text: str) -> Signed | None:
        first, _, rest = canonical(text).partition("\n")
        found = self._signature().fullmatch(first)
        if found is None:
            return None
        said = found.groupdict()
        at = datetime.strptime(said["at"], _MOMENT).replace(tzinfo=UTC) if said.get("at") else None
        return Signed(rest.strip("\n"), said["author"], said.get("system", ""), at)

    def _signature(self) -> re.Pattern[str]:
        """What a first line of ours looks like. Every name is caught once."""
        pattern, caught = "", set[str]()
        for literal, name, _, _ in Formatter().parse(self.attribution):
            pattern += re.escape(literal)
            if name is not None:
                words = {"at": _WHEN, "author": ".*"}.get(name, ".*?")
                pattern += f"(?P<{name}>{words})" if name not in caught else words
                caught.add(name)
        return re.compile(pattern)


_: type[CommentRule] = SignedComments


class CommentsPart(Part):
    """How comments are written there."""

    attribution: str = Field(
        "{author} ({system}, {at}):", description="The first line of every comment: {author}, {system} and {at}."
    )
    format: FormatName = Field("plain", description="What comments there are written in: plain, markdown, …")
    max_length: int | None = Field(None, ge=SMALLEST, description="Longest comment there, in characters.")
    max_bytes: int | None = Field(None, ge=SMALLEST, description="Longest comment there, in bytes of UTF-8.")

    def faults(self) -> Iterator[Fault]:
        """What is well formed but cannot work."""
        if self.max_length is not None and self.max_bytes is not None:
            yield Fault(("max_bytes",), "a comment is counted in characters or in bytes, not in both")
        try:
            pieces = list(Formatter().parse(self.attribution))
        except ValueError as error:
            yield Fault(("attribution",), f"cannot be read: {error}; write a brace that is meant as such twice")
            return
        used = [name for _, name, _, _ in pieces if name is not None]
        for name in used:
            if name not in NAMES:
                yield Fault(("attribution",), f"there is no {{{name}}}{suggestion(name, NAMES)}")
        if any(spec or conversion for _, _, spec, conversion in pieces):
            yield Fault(("attribution",), "names stand in braces as they are, without a format: {author}")
        if "author" not in used:
            yield Fault(("attribution",), "must name the {author}: on their side every comment is written by us")

    def rule(self) -> CommentRule:
        """The rule that this part describes."""
        in_bytes = self.max_bytes is not None
        return SignedComments(
            self.attribution,
            Shortening(
                stem="comment",
                gap="\n\n",
                limit=self.max_bytes if in_bytes else self.max_length,
                unit=Unit.BYTES if in_bytes else Unit.CHARACTERS,
                format=FORMATS[self.format],
            ),
        )
