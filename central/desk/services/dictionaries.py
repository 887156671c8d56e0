"""Mappings, for whoever reads and proves them."""

from dataclasses import dataclass
from typing import Protocol

from central.store.api import Transaction


@dataclass(frozen=True, slots=True)
class Said:
    """How one field is carried."""

    ours: str
    theirs: str
    rule: str


@dataclass(frozen=True, slots=True)
class States:
    """A table of statuses: (ours, theirs) as we say it, what of theirs means it too, and (theirs, ours) as we read it
    where nothing is held that agrees."""

    said: tuple[tuple[str, str], ...]
    also: tuple[tuple[str, str], ...]
    read: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A system's mapping."""

    name: str
    revision: int
    fields: tuple[Said, ...]
    states: States | None
    """None: its statuses are no table."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What every mapping promises, and whether this one keeps it."""

    sentence: str
    held: bool
    how: str
    broken: tuple[tuple[str, tuple[str, ...]], ...]
    """(where and how, the shortest story that breaks it); neither held nor broken: not judged, as another is broken."""


@dataclass(frozen=True, slots=True)
class Proven:
    """The proof of a mapping, and what is lost in translation."""

    proven: bool
    promises: tuple[Promise, ...]
    lost_outward: tuple[str, ...]
    lost_inward: tuple[str, ...]
    assumed: tuple[str, ...]


class Dictionaries(Protocol):
    """Mappings, shown and proven. Rights were asked for already."""

    def shown(self, tx: Transaction, system: str) -> Dictionary:
        """The mapping of this system.  :raises NoSuch: there is none.  :raises Wrong: it cannot be read any more."""

    def prove(self, tx: Transaction, system: str) -> Proven:
        """Its promises, judged without asking the system.  :raises NoSuch, Wrong: as `shown`."""
