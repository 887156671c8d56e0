"""What happened, in the past tense.

An event is written once, in the transaction of the change that it tells of, and never altered.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from central.model import Person


class Kind(StrEnum):
    """The closed list of facts that the history of a ticket can hold."""

    TICKET_CREATED = "ticket created"
    FIELD_CHANGED = "field changed"
    FIELD_AGREED = "field agreed"  # an edit there changes nothing here: it says the same, in its own words
    COMMENT_ADDED = "comment added"
    LINKED = "linked"
    DETACHED = "detached"
    RESUMED = "resumed"
    LINK_LOST = "link lost"
    MOVED = "moved"  # the ticket has another key there; the link follows
    MERGED = "merged"  # it was merged there into a ticket that is another one here
    WRITTEN = "written"  # one of our writes arrived on a remote
    WRITE_REFUSED = "write refused"
    ECHO_DROPPED = "echo dropped"
    CONFLICT_KEPT = "conflict kept"
    EDIT_REJECTED = "edit rejected"  # central's workflow forbade it; the value is kept in the conflict
    COMMENT_SENT = "comment sent"
    COMMENT_PARKED = "comment parked"
    COMMENT_EDITED = "comment edited"  # `data` holds what it said before
    COMMENT_DELETED = "comment deleted"  # a tombstone stays
    COMMENT_HIDDEN = "comment hidden"  # it was public and is internal now
    COMMENT_SHOWN = "comment shown"  # it was internal and is public now
    COMMENT_AMENDED = "comment amended"  # an edit, a correction or a withdrawal of ours arrived there
    FILE_ADDED = "file added"  # at the centre, to the ticket itself
    FILE_NOTED = "file noted"  # a file was not accepted there; a visible note stands in
    DUPLICATE_SEEN = "duplicate seen"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about one ticket. `data` is plain and small; `why` names the rule, evidence or policy behind it."""

    kind: Kind
    ticket_id: int
    at: datetime
    actor: Person
    system: str | None = None
    """The remote it came from or went to; None: it happened at the centre."""
    field: str | None = None
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    why: str = ""
    id: int = 0
    """Given by the store, in commit order."""
