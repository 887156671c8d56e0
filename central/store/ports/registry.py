"""What is registered, as a transaction keeps it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from central.registry import Document, System


class Registry(Protocol):
    """Documents with their revisions, and the systems they describe."""

    def apply(
        self, kind: str, name: str, source: str, data: Mapping[str, Any], at: datetime, *, by: str, origin: str = ""
    ) -> Document:
        """A new revision, or the current one where neither source nor data differ."""

    def document(self, kind: str, name: str, revision: int | None = None) -> Document:
        """The current (or that) revision.  :raises NoSuch: there is none; the sentence lists the names there are."""

    def documents(self, kind: str | None = None) -> Sequence[Document]:
        """Current revisions, by kind and name."""

    def listed(self, kind: str, *, after: str = "", limit: int) -> Sequence[Document]:
        """A page of the current revisions of a kind: `limit` of them behind this name."""

    def revisions(self, kind: str, name: str, *, after: int = 0, limit: int | None = None) -> Sequence[Document]:
        """All revisions, oldest first. A page of them: `limit`, behind this one."""

    def put_system(self, system: System) -> None:
        """Create or replace the running state of a system."""

    def system(self, name: str) -> System:
        """:raises NoSuch: not registered."""

    def systems(self) -> Sequence[System]:
        """By name."""
