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

from mappings.formats import PLAIN, Format
from mappings.model import Spill

SMALLEST = 100
"""The smallest limit that leaves room for a mark and a few words."""


class Unit(StrEnum):
    """How a tracker counts the length of a text."""

    CHARACTERS = "characters"
    BYTES = "bytes"  # of UTF-8


@dataclass(frozen=True, slots=True)
class Shortening:
    """Keeps the texts of one field within `limit`, counted in what is sent. Takes canonical texts.

    `stem` begins the file's name; `gap` stands between a head and its mark. No limit: every text fits."""

    stem: str
    gap: str
    limit: int | None = None
    unit: Unit = Unit.CHARACTERS
    format: Format = PLAIN
    _mark: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = rf"\[\.\.\. ([0-9]{{1,9}}) more characters in {re.escape(self.stem)}-([0-9a-f]{{8}})\.txt\]"
        object.__setattr__(self, "_mark", re.compile(pattern))

    def sent(self, text: str) -> str:
        """The text as it is sent: in their format, mentions made harmless, and within the limit."""
        return self.format.said(self.shown(text))

    def shown(self, text: str) -> str:
        """What is sent, in our format: the text, or its head and the mark."""
        return text if self.fits(text) else self._shortened(text, self._cut(text))

    def spill(self, text: str) -> Spill | None:
        """The file with the whole text, where `sent` is not the whole."""
        if self.fits(text):
            return None
        return Spill(_file(self.stem, text[self._cut(text) :]), text)

    def fits(self, text: str) -> bool:
        """Whether the text can be sent as it is."""
        return self.limit is None or self._size(self.format.said(text)) <= self.limit

    def stands_for(self, short: str, whole: str) -> bool:
        """Whether `short` is `whole` with a mark in place of one piece."""
        joined, settled = self.joined(short, whole), self.format.settled
        if joined is not None and settled(joined) == settled(whole):
            return True
        # A head that was cut within a list or a fence reads otherwise than it did in the whole.
        return self._mark.search(short) is not None and settled(short) == settled(self.shown(whole))

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
            sent = self.format.said(self._shortened(text, len(text[:middle].rstrip())))
            low, high = (middle, high) if self._size(sent) <= self.limit else (low, middle - 1)
        return len(text[:low].rstrip())

    def _shortened(self, text: str, cut: int) -> str:
        return (text[:cut] + self.gap if cut else "") + _mark(self.stem, text[cut:])

    def _size(self, text: str) -> int:
        return len(text.encode()) if self.unit is Unit.BYTES else len(text)


def _mark(stem: str, rest: str) -> str:
    return f"[... {len(rest)} more characters in {_file(stem, rest)}]"


def _file(stem: str, rest: str) -> str:
    return f"{stem}-{_digest(rest)}.txt"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
