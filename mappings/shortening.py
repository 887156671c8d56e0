"""Shortening without loss: the head of a text is sent, and a visible mark stands for the rest and names its file.

    The CE refuses every job since this morning, and the log sa

    [... 5321 more characters in description-3f2a9c1e.txt]

The mark says how many characters it stands for and, in the file's name, which: so an edited head that comes back can be
joined with the rest that we hold, and a stale mark is never taken for another text's.
"""

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum

from mappings.model import Spill
from mappings.plaintext import comparable, quiet

SMALLEST = 100
"""The smallest limit that leaves room for a mark and a few words."""


class Unit(StrEnum):
    """How a tracker counts the length of a text."""

    CHARACTERS = "characters"
    BYTES = "bytes"  # of UTF-8


@dataclass(frozen=True, slots=True)
class Shortening:
    """Keeps the texts of one field within `limit`. Takes and gives canonical texts.

    `stem` begins the file's name; `gap` stands between a head and its mark. No limit: every text fits."""

    stem: str
    gap: str
    limit: int | None = None
    unit: Unit = Unit.CHARACTERS
    _mark: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = rf"\[\.\.\. ([0-9]{{1,9}}) more characters in {re.escape(self.stem)}-([0-9a-f]{{8}})\.txt\]"
        object.__setattr__(self, "_mark", re.compile(pattern))

    def sent(self, text: str) -> str:
        """The text as it is sent: mentions made harmless, and within the limit."""
        if self.fits(text):
            return quiet(text)
        cut = self._cut(text)
        return self._gapped(quiet(text[:cut])) + _mark(self.stem, text[cut:])

    def spill(self, text: str) -> Spill | None:
        """The file with the whole text, where `sent` is not the whole."""
        if self.fits(text):
            return None
        return Spill(_file(self.stem, text[self._cut(text) :]), text)

    def fits(self, text: str) -> bool:
        """Whether the text can be sent as it is."""
        return self.limit is None or self._size(quiet(text)) <= self.limit

    def stands_for(self, short: str, whole: str) -> bool:
        """Whether `short` is `whole` with a mark in place of one piece."""
        return (joined := self.joined(short, whole)) is not None and comparable(joined) == comparable(whole)

    def joined(self, short: str, whole: str) -> str | None:
        """`short`, however it was edited, with the piece of `whole` that its mark stands for; None: there is none."""
        marks = list(self._mark.finditer(short)) if "[... " in short else []
        if not marks:
            return None
        mark = marks[-1]
        head, tail, length = short[: mark.start()].rstrip(), short[mark.end() :], int(mark[1])
        # The piece lies behind the head or before the tail, whichever of them was not edited; or at the very end.
        for begin in (len(head), len(whole) - length - len(tail), len(whole) - length):
            piece = whole[begin : begin + length]
            if (begin == 0 or (begin > 0 and head)) and len(piece) == length and _digest(piece) == mark[2]:
                return head + piece + tail
        return None

    def _cut(self, text: str) -> int:
        """How much of the text is sent: as much as fits, never ending in a blank (trackers strip those)."""
        assert self.limit is not None
        low, high = 0, min(len(text), self.limit)
        while low < high:
            middle = (low + high + 1) // 2
            sent = self._gapped(quiet(text[:middle])) + _mark(self.stem, text[middle:])
            low, high = (middle, high) if self._size(sent) <= self.limit else (low, middle - 1)
        return len(text[:low].rstrip())

    def _gapped(self, head: str) -> str:
        return head + self.gap if head else ""

    def _size(self, text: str) -> int:
        return len(text.encode()) if self.unit is Unit.BYTES else len(text)


def _mark(stem: str, rest: str) -> str:
    return f"[... {len(rest)} more characters in {_file(stem, rest)}]"


def _file(stem: str, rest: str) -> str:
    return f"{stem}-{_digest(rest)}.txt"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
