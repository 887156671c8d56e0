"""Registered systems and their documents, for whoever runs them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from central.store.api import Transaction


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as it was handed in, read as far as rights need it."""

    kind: str
    name: str
    units: frozenset[str] = frozenset()
    """The support units that a system claims."""
    secrets: frozenset[str] = frozenset()
    """The references of secrets in it."""


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What applying one document does, or did."""

    kind: str
    name: str
    verb: str
    """new, changed or unchanged."""
    diff: str
    """As a unified diff of the texts; '' where there is none."""
    pinned: bool = False
    """It comes from the library, because a system names it."""
    revision: int | None = None
    """The one that was made, or found; None: nothing was done."""


Reads = Callable[[Transaction, str, str], bool]
"""Whether whoever asks may read the registered document of this kind and name."""


def _all(*_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whoever hands documents in, as far as it matters to what they do."""

    same_secret: bool = False
    """A system may move to another address and take its secret along: they say so."""
    sees: Callable[[str], bool] = _all
    """Of which systems they may know; any other is called "another system" in what is wrong."""
    reads: Reads = _all
    """Which mappings and profiles they may read; others are not there, neither to be used nor to be extended."""


OURSELVES = Applicant()
"""Whoever runs this installation, and says no more."""


class Systems(Protocol):
    """What people do to registered systems, each act with its entry in the audit log, in the act's own transaction.

    Rights were asked for already. What is not there raises `NoSuch`, what cannot be done as things stand `NotNow`, and
    where a system must be asked that does not answer, `OutOfReach`. `by` is the login of whoever does it.
    """

    def drafts(self, text: str) -> Sequence[Draft]:
        """The documents in this text.  :raises Wrong: it is no YAML, or holds no documents."""

    def users(self, tx: Transaction, kind: str, name: str) -> frozenset[str]:
        """The registered systems that this mapping or profile is used by."""

    def plan(self, text: str, applicant: Applicant) -> Sequence[DocumentChange]:
        """What applying these documents together would do.  :raises Wrong: with all that is wrong."""

    def apply(self, text: str, by: str, applicant: Applicant) -> Sequence[DocumentChange]:
        """Take these documents in, all of them or none.  :raises Wrong: as `plan`."""

    def roll_back(self, kind: str, name: str, revision: int, by: str, applicant: Applicant) -> Sequence[DocumentChange]:
        """An earlier revision becomes the newest one.  :raises Wrong: as `plan`."""

    def check(self, name: str) -> Mapping[str, Any]:
        """Prove a registration against the live system, by reading only: findings, mails, losses, as plain data."""

    def go_live(self, name: str, by: str) -> None:
        """Let it take part: only what changes from now on travels."""

    def go_into_shadow(self, name: str, by: str) -> None:
        """Compute every write to and from it, and make none."""

    def pause(self, name: str, by: str, why: str) -> None:
        """Stop its traffic both ways; what is owed waits."""

    def resume(self, name: str, by: str) -> None:
        """Take up its traffic where it was left."""

    def announce_maintenance(self, name: str, begins_at: datetime | None, ends_at: datetime, by: str, why: str) -> None:
        """It is worked on from then (None: now) to then: nothing is written there and nobody is alarmed meanwhile."""

    def end_maintenance(self, name: str, by: str) -> None:
        """The work is over early, or not begun at all."""

    def release(self, name: str, by: str, *, take_theirs: bool = False) -> str:
        """Take up a quarantined system again; answers what was done, in a sentence."""

    def stop_all(self, by: str, why: str) -> None:
        """Nothing is written to any system from now on."""

    def let_go(self, by: str) -> None:
        """Let go of the stop button."""
