"""What the suite stands on: a connector, somebody at work in the tracker behind it, and how trouble is made."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from connectors.api import Change, Connector, Cursor, FileDraft, Lookup, RemoteComment, RemoteTicket, Value


class People(Protocol):
    """Somebody at work in the tracker, who is not us. Keys and field names are those of the connector."""

    def open(self, subject: str, description: str) -> str:
        """Open a ticket; its key."""

    def change(self, key: str, field: str, value: Value) -> None:
        """Set one field."""

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        """Write a comment, files with it."""

    def reword(self, key: str, comment_id: str, text: str) -> None:
        """Give one of their comments another text; "" takes it away. Only where whole conversations are read."""


@dataclass(frozen=True)
class Stand:
    """A connector under test and what surrounds it. The tracker may hold tickets already; nobody else changes it."""

    connector: Connector
    people: People
    subject: str
    """The field that is a ticket's title, and the one that holds its first text."""
    description: str
    refused: tuple[str, Value] | None = None
    """A field and a value that the tracker refuses to our account on a new ticket; None: it refuses nothing."""
    owner: tuple[str, str] | None = None
    """The field for the person in charge, and somebody who can be."""
    stranger: Callable[[], Connector] | None = None
    """The same connector with wrong credentials."""
    secrets: tuple[str, ...] = ()
    """What must not show in any error."""
    many: int = 300
    """How many tickets the paging claim opens, all at once; 0: too slow here."""
    large: bool = True
    """Whether a file of 20 MB and a comment of 10 MB may be tried; else a file of 5 MB is, and no such comment."""
    settle: Callable[[], None] = lambda: None
    """Let the tracker's clock move on by one step."""
    faults: "Callable[[str, str], AbstractContextManager[None]] | None" = None
    """(how, operation): inside, that operation's requests go wrong that way. For `FaultConformance`."""
    expire: Callable[[], None] | None = None
    """End every session that the tracker gave us, now. None: it gives none."""
    writes: Callable[[], int] | None = None
    """How many requests could have written so far."""
    extra: Mapping[str, Value] = field(default_factory=dict)
    """Fields that a create needs besides subject and description."""

    def token(self) -> str:
        """A token that nobody has."""
        return f"7Q-{secrets.token_hex(6).upper()}"

    def create(self, subject: str = "jobs fail", description: str = "since noon") -> RemoteTicket:
        """One of our tickets."""
        fields = {**self.extra, self.subject: subject, self.description: description}
        return self.connector.create(fields, token=self.token())

    def find(self, token: str) -> RemoteTicket | Lookup:
        """The ticket that bears a token, as soon as searches that lag know it."""
        can = self.connector.capabilities
        for _ in range(int(can.search_lag / max(can.granularity, timedelta(seconds=1)))):
            found = self.connector.find(token, datetime.now(UTC))
            if isinstance(found, RemoteTicket):
                return found
            self.settle()
        return self.connector.find(token, datetime.now(UTC))

    def comments(self, key: str, known: tuple[str, ...] = ()) -> tuple[RemoteComment, ...]:
        """Its comments save the known ones."""
        found = self.connector.fetch(key, known=known).comments
        assert found is not None, "comments are read where the caller names those it knows"
        return found

    def need(self, capability: bool, what: str) -> None:
        """Skip a claim that this connector does not make."""
        if not capability:
            pytest.skip(f"this connector has no {what}")


def draft(name: str, content: bytes, media_type: str = "application/octet-stream") -> FileDraft:
    """A file to send."""

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield (content[start : start + 65536] for start in range(0, len(content), 65536))

    return FileDraft(name, media_type, len(content), opened)


def listed(connector: Connector, since: Cursor) -> tuple[list[Change], Cursor]:
    """Everything that a round of polling brings, and where the next begins."""
    found: list[Change] = []
    cursor = since
    while True:
        page = connector.changes(cursor)
        found += page.changes
        cursor = page.cursor
        if not page.more:
            return found, cursor
