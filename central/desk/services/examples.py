"""Examples of mappings, for whoever tries them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from central.registry import Document


@dataclass(frozen=True, slots=True)
class Handed:
    """A text as somebody hands it in, and what its file is called."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that becomes of an example, its values in words. None: the example, or the mapping, says nothing."""

    item: str
    place: str
    """Where the example says it, as `file:line:column`."""
    expected: str | None
    became: str | None
    agrees: bool
    other: str | None = None
    """What the other mapping makes of it."""
    differs: bool = False
    """Whether the two mappings make something else of it."""
    lines: tuple[str, ...] = ()
    """Of a text of several lines that became another: those that went (`-`), came (`+`) and stayed."""


@dataclass(frozen=True, slots=True)
class Translated:
    """One way of an example, translated."""

    way: str
    given: tuple[tuple[str, str], ...]
    held: tuple[tuple[str, str], ...] | None
    """What the side that it goes to has; None: nothing yet."""
    items: tuple[Item, ...]
    back: tuple[tuple[str, str, str], ...] | None
    """What would not come back as it was: (field, as it was, as it comes back). None: it does not go back."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a mapping, held against it."""

    name: str
    mapping: str
    about: str
    place: str
    ways: tuple[Translated, ...]
    green: bool
    other_green: bool | None
    """By the other mapping; None: there is no other."""


Meaning = Document | str | None
"""Which mapping translates: one that is registered; one that comes along, by name; None: the one that each names."""


class Examples(Protocol):
    """Examples of mappings. Rights were asked for already; nothing is kept, and only `capture` asks a system."""

    def shipped(self) -> Sequence[str]:
        """The mappings that come along, by name."""

    def fixtures(self, name: str) -> str:
        """The examples that come along with one of those; '' where there are none."""

    def replay(
        self, handed: Sequence[Handed], registered: Sequence[Document], by: Meaning, against: Meaning
    ) -> Sequence[Example]:
        """Every example in these texts, translated by one mapping and, where `against` names it, by another.

        The one that an example names is in the same texts, else among the `registered`, else comes along.
        :raises Wrong: with all that is wrong in any of them."""

    def capture(self, system: str, key: str) -> str:
        """An example of a live ticket, with people and texts in other words. The system is asked by reading only.

        :raises NoSuch: it has no such ticket.  :raises NotNow, OutOfReach: it cannot be asked."""
