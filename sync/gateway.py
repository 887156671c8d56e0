"""A registered system as the engine meets it: its connector, its mapping, its rules of conduct."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from connectors.api import Connector
from mappings import model as mapping_model
from sync.guards.mark import Spot
from sync.guards.usual import Limits
from sync.policy import Policy


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that one revision of a system's document means at run time."""

    system: str
    revision: int
    connector: Connector
    mapping: mapping_model.Mapping
    policy: Policy
    birth_unit: str
    units: frozenset[str]
    share_internal: bool = False
    """Internal comments may go there, as internal ones (policy and connector both allow it)."""
    follow_deletes: bool = False
    """A comment that its author's side deleted is taken away there too, where it is ours (policy)."""
    poll_every: timedelta = timedelta(seconds=60)
    overlap: timedelta = timedelta(minutes=5)
    full_scan: timedelta = timedelta(hours=24)
    in_flight: int = 2
    contacts: tuple[str, ...] = ()
    marker: Spot | None = None
    """Where our mark stands there; None: a copy of it would not be noticed."""
    guard: Limits = field(default_factory=Limits)
    """What is held and asked about because it is so much."""

    credentials: str = field(default="", repr=False)
    """What tells the credentials that it shows from others (`sync.access.digest`); '': it shows none."""
    lockouts: int | None = None
    """How often the system had turned us away when this was opened; None: that does not matter."""

    @property
    def comment_effects(self) -> Mapping[str, Mapping[str, str]]:
        """What a comment of ours is known to do to fields there: field -> {value before: value after}."""
        return self.connector.capabilities.side_effects.get("comment", {})


class Gateways(Protocol):
    """The systems that are registered now. A changed document gives a new gateway at the next call."""

    def get(self, system: str) -> Gateway:
        """:raises LookupError: no such system is registered."""

    def names(self) -> tuple[str, ...]:
        """Every registered system, by name."""

    def units(self) -> Mapping[str, str]:
        """Support unit -> the system it belongs to."""
