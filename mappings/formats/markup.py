"""A format as the rules use it: texts of ours in, texts of theirs out, and back."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from mappings.formats import ours
from mappings.formats.blocks import Blocks, spoken
from mappings.model import Losses
from mappings.plaintext import canonical, comparable, quiet, unquiet

_KEPT = 256  # one look compares the same few texts many times


class Format(Protocol):
    """What a tracker's texts are written in. Pure; never raises, whatever the text."""

    def said(self, ours: str) -> str:
        """The text as it is sent, with every mention made harmless."""

    def heard(self, theirs: str) -> str:
        """A text of theirs in ours. `settled(heard(said(text))) == settled(text)`, whatever is said."""

    def settled(self, ours: str) -> str:
        """One form for the texts of ours that cannot be told apart there."""

    def written(self, ours: str) -> str:
        """As `said`, mentions and all: the form in which texts of theirs are compared."""

    def losses(self) -> Losses:
        """What cannot be said in this format, and what of it cannot be said here."""


@dataclass(frozen=True, slots=True)
class Plain:
    """No format at all: every character is itself."""

    def said(self, ours: str) -> str:
        return quiet(ours)

    def heard(self, theirs: str) -> str:
        return canonical(theirs)

    def settled(self, ours: str) -> str:
        return comparable(ours)

    def written(self, ours: str) -> str:
        return ours

    def losses(self) -> Losses:
        return Losses()


PLAIN = Plain()


@dataclass(frozen=True, slots=True)
class Markup:
    """A format with marks of its own: `read` and `write` go between it and blocks."""

    name: str
    read: Callable[[str], Blocks]
    write: Callable[[Blocks], str]
    _heard: Callable[[str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_heard", lru_cache(maxsize=_KEPT)(self._read))

    def said(self, ours: str) -> str:
        return self.write(spoken(_read_ours(ours), quiet))

    def heard(self, theirs: str) -> str:
        return self._heard(theirs)

    def settled(self, ours: str) -> str:
        return _settled(ours)

    def written(self, ours: str) -> str:
        return self.write(_read_ours(ours))

    def losses(self) -> Losses:
        shown = "headings come as bold lines, tables as lines, images as their names; colours and sizes stay there"
        return Losses(
            (f"is written there in {self.name}; the language named after a fence is not carried",),
            (
                f"is read from {self.name}: {shown}",
                "an edit here writes the text there anew, without what this one cannot say",
            ),
        )

    def _read(self, theirs: str) -> str:
        return _settled(unquiet(ours.write(self.read(canonical(theirs)))))


@lru_cache(maxsize=_KEPT)
def _settled(text: str) -> str:
    return ours.write(_read_ours(text))


def _read_ours(text: str) -> Blocks:
    return ours.read(unicodedata.normalize("NFC", canonical(text)))


_: tuple[type[Format], ...] = (Plain, Markup)
