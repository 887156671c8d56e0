"""The ticket and what hangs on it. Pure values: no clock, no database, no network.

Field names and lengths follow the GGUS data model. Values of fields are plain data (text, or a tuple of texts), so
that they can cross to a mapping as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from central.workflow import Status

Value = None | bool | int | str | tuple[str, ...]


class Visibility(StrEnum):
    """Who may read a comment and its files."""

    PUBLIC = "public"
    INTERNAL = "internal"


class Priority(StrEnum):
    """GGUS's four priorities, weakest first."""

    LESS_URGENT = "less urgent"
    URGENT = "urgent"
    VERY_URGENT = "very urgent"
    TOP_PRIORITY = "top priority"


class Notification(StrEnum):
    """When whoever submitted a ticket is told of it by mail; GGUS's notification mode. Not set, it is ON_SOLUTION."""

    ON_SOLUTION = "on solution"
    ON_EVERY_CHANGE = "on every change"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a field of the central ticket may hold. `max_length` in characters."""

    name: str
    label: str
    max_length: int | None = None
    values: tuple[str, ...] = ()
    kind: str = "text"  # text, choice, person, moment, set
    required: bool = False


TYPES_OF_TICKET = ("USER", "TEAM", "ALARM", "OPS")
CATEGORIES = ("Incident", "Service request", "Change request", "Documentation", "Release", "Test", "Spam")

FIELDS: Mapping[str, FieldSpec] = {
    spec.name: spec
    for spec in (
        FieldSpec("subject", "Subject", 255, required=True),
        FieldSpec("description", "Description"),
        FieldSpec("status", "Status", values=tuple(Status), kind="choice", required=True),
        FieldSpec("priority", "Priority", values=tuple(Priority), kind="choice"),
        FieldSpec("unit", "Responsible unit", 50),
        FieldSpec("assigned_to", "Assigned person", 254, kind="person"),
        FieldSpec("submitter", "Submitter", 254, kind="person"),
        FieldSpec("problem_type", "Type of problem", 50),
        FieldSpec("ticket_type", "Ticket type", values=TYPES_OF_TICKET, kind="choice"),
        FieldSpec("category", "Ticket category", values=CATEGORIES, kind="choice"),
        FieldSpec("affected_site", "Affected site", 255),
        FieldSpec("affected_vo", "Concerned VO", 255),
        FieldSpec("vo_specific", "VO specific", values=("No", "Yes"), kind="choice"),
        FieldSpec("problem_at", "Time of problem", kind="moment"),
        FieldSpec("solution", "Solution"),
        FieldSpec("involve", "Involve others", 254, kind="set"),
        FieldSpec("cc", "CC", 254, kind="set"),
        FieldSpec("related_issue", "Related issue", 125),
        FieldSpec("phone", "Phone", 50),
        FieldSpec("notification", "Notification mode", values=tuple(Notification), kind="choice"),
        FieldSpec("eta", "Estimated time of availability", kind="moment"),
    )
}
"""Every field a mapping may carry, by name. Sources: the GGUS interface FAQs and staff guide."""

SUPPORTERS_ONLY = frozenset({"phone", "involve"})
"""Fields that only those read who read internal notes: whom these are told, and where a submitter can be called."""

DEFAULTS: Mapping[str, Value] = {
    "status": "new",
    "priority": Priority.LESS_URGENT.value,
    "problem_type": "Other",
    "ticket_type": "USER",
    "category": "Incident",
    "vo_specific": "No",
    "unit": "TPM",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a ticket. `id` is stable within its origin; `system` names the remote they wrote from, or ''."""

    id: str
    name: str = ""
    email: str = ""
    system: str = ""

    @property
    def label(self) -> str:
        """What people call them, never empty."""
        return self.name or self.id or "somebody"


SYSTEM = Person(id="interdesk", name="interdesk")
"""The author of what central sets by itself."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket at one revision. `fields` holds every name of `FIELDS` that is set; absent means None."""

    id: int
    revision: int
    fields: Mapping[str, Value]
    created_at: datetime
    changed_at: datetime
    born_in: str | None = None
    """The system it was created in, for life; None: created at the centre."""
    shown_at: datetime | None = None
    """When it last changed for those who read nothing internal; None: when it last changed at all."""

    def __getitem__(self, name: str) -> Value:
        if name not in FIELDS:
            raise KeyError(f"no field {name!r} on a ticket; there are: {', '.join(FIELDS)}")
        return self.fields.get(name)

    def with_fields(self, changes: Mapping[str, Value], at: datetime | None) -> "Ticket":
        """The next revision, with these fields changed; `at`: None leaves its moments as they are."""
        fields = {name: value for name, value in {**self.fields, **changes}.items() if value is not None}
        changed = replace(self, fields=fields, revision=self.revision + 1)
        if at is None:
            return changed
        seen = {name for name in changes if fields.get(name) != self.fields.get(name)} - SUPPORTERS_ONLY
        return replace(changed, changed_at=at, shown_at=None if seen else self.shown_at or self.changed_at)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a ticket or comment. Its bytes live in the store under `sha256` and are streamed."""

    id: int
    ticket_id: int
    comment_id: int | None
    name: str
    media_type: str
    size: int
    sha256: str
    visibility: Visibility
    created_at: datetime
    origin_system: str | None = None
    origin_id: str | None = None
    gone_at: datetime | None = None
    """When its bytes were let go of, as they had been kept for long enough; None: they are here."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One contribution to the conversation. (origin_system, origin_id) is its identity; None, its own id."""

    id: int
    ticket_id: int
    author: Person
    text: str
    visibility: Visibility
    created_at: datetime
    """When its author wrote it, by the clock of where it was written."""
    origin_system: str | None = None
    origin_id: str | None = None
    gap: str = ""
    """Why the original's text is not here (too large, unreadable); empty for an ordinary comment."""
    edited_at: datetime | None = None
    """When its text last changed; what it said before is in the history."""
    deleted_at: datetime | None = None
    """Since when it is a tombstone: its text is empty, and what it said is in the history alone."""
    token: str | None = None
    """The mark that it bears elsewhere, where its author was erased; None: the mark follows from what it is."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """An edit that lost, kept whole so that a person can see and restore it."""

    id: int
    ticket_id: int
    system: str
    field: str
    ours: Value
    theirs: Value
    winner: str  # "central", "remote" or "undecided"
    reason: str
    at: datetime
    open: bool
    author: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes the centre accepts, in bytes (files) and characters (comments); configurable per instance."""

    file: int = 25 * 1024 * 1024
    comment: int = 1024 * 1024
    answer: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to store: its bytes are already in the store under `sha256`."""

    name: str
    media_type: str
    size: int
    sha256: str
    origin_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment to add; ids and revision are given by the store."""

    author: Person
    text: str
    visibility: Visibility
    created_at: datetime
    origin_system: str | None = None
    origin_id: str | None = None
    files: tuple[NewFile, ...] = ()
    gap: str = ""


def validate(fields: Mapping[str, Value]) -> list[str]:
    """Sentences about what is wrong with these field values; empty when all is well."""
    problems: list[str] = []
    for name, value in fields.items():
        spec = FIELDS.get(name)
        if spec is None:
            problems.append(f"there is no field {name!r}; there are: {', '.join(FIELDS)}")
        elif spec.required and not value:
            problems.append(f"{name} must not be empty")
        elif value is not None and spec.values and value not in spec.values:
            problems.append(f"{name} must be one of {', '.join(spec.values)}, not {value!r}")
        elif spec.kind != "set" and value is not None and not isinstance(value, str):
            problems.append(f"{name} is a text, not {value!r}")
        elif spec.kind == "set" and value is not None and not isinstance(value, tuple):
            problems.append(f"{name} is a list of texts, not {value!r}")
        elif spec.max_length and _length(value) > spec.max_length:
            problems.append(f"{name} is {_length(value)} characters long; at most {spec.max_length} fit")
    return problems


def _length(value: Value) -> int:
    """In characters; a set as it is written out, with "; " between."""
    return len("; ".join(value)) if isinstance(value, tuple) else len(str(value or ""))


def plain(value: Value) -> Any:
    """The value as JSON knows it (tuples become lists)."""
    return list(value) if isinstance(value, tuple) else value


def value_of(data: Any) -> Value:
    """The value that `plain` wrote."""
    return tuple(str(item) for item in data) if isinstance(data, list) else data
