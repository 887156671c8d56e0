"""This installation and what was done to it, as a transaction keeps them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from central.audit import Entry
from central.instance import Instance


class Instances(Protocol):
    """What this installation knows of itself."""

    def get(self) -> Instance:
        """The one row; of a fresh database, one without an id."""

    def put(self, instance: Instance) -> None:
        """Write it down."""


class Audit(Protocol):
    """Administrative acts, for ever."""

    def record(self, entry: Entry) -> None:
        """Append it (its `id` is given here)."""

    def list(self, *, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """Newest first; `before` is the last id of the page before."""

    def about(self, subject: str, acts: Iterable[str], *, limit: int = 100) -> Sequence[Entry]:
        """What was done to this one, of these acts, newest first."""
