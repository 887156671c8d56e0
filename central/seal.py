"""A secret as it is kept: in a box that only a key from outside the store opens."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Seal:
    """One secret of one system, for the addresses that it was given for."""

    system: str
    name: str
    """As the system's document calls it: `sealed:NAME`."""
    origin: str
    """Where it may be sent, and nowhere else."""
    box: str
    """What it is, encrypted."""
    sealed_at: datetime
