"""Which processes of interdesk live: each says so a few times a minute, for as long as its engine moves."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One process, and when it was last heard of. One that ends in order takes its own away."""

    process: str
    """Its name: host, number, and something that no other has."""
    at: datetime
