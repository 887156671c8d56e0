"""Why a field has its value, for whoever asks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from central.events import Event
from central.link import Link, LinkState
from central.model import Conflict, Person, Ticket, Value


class Cause(Protocol):
    """Who set a value, where and when, and what carried it here."""

    @property
    def value(self) -> Any: ...
    @property
    def who(self) -> Person | None: ...
    @property
    def system(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...
    @property
    def because(self) -> str: ...


class There(Protocol):
    """A field in one linked system."""

    @property
    def system(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def state(self) -> LinkState: ...
    @property
    def theirs(self) -> Value: ...
    @property
    def carried(self) -> bool: ...
    @property
    def disagreement(self) -> str: ...
    @property
    def written(self) -> Sequence[Any]: ...
    @property
    def echoes(self) -> Sequence[Any]: ...


class Reason(Protocol):
    """Why a field has its value."""

    @property
    def field(self) -> str: ...
    @property
    def value(self) -> Value: ...
    @property
    def origin(self) -> Cause: ...
    @property
    def earlier(self) -> Sequence[Cause]: ...
    @property
    def lost(self) -> Sequence[Conflict]: ...
    @property
    def there(self) -> Sequence[There]: ...


Reasons = Callable[[Ticket, str, Sequence[Event], Sequence[Link], Sequence[Conflict]], Reason]
"""Explains a field of a ticket by what it is given.  Raises LookupError where there is no such field."""
