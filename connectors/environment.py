"""What a connector is given from outside: clock, sleep, networks, limits. Nothing here is read from the machine."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from requests.adapters import BaseAdapter

from connectors.emulators.tracker import Tracker

Network = IPv4Network | IPv6Network

Wire = Callable[[BaseAdapter], BaseAdapter]
"""Stands before the network, or instead of it (`connectors.tape`)."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The surroundings of every connector of one process."""

    clock: Callable[[], datetime]
    """Our own time, aware, UTC."""
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only grow: what deadlines are measured by."""
    allowed_networks: tuple[Network, ...] = ()
    """Loopback, link-local and private ranges that may be spoken to all the same."""
    ca_file: Path | None = None
    """Certificates trusted beside the usual ones, where a system does not name its own."""
    deadline: timedelta = timedelta(seconds=60)
    """The longest that one call of a connector may take, its reads' retries included."""
    tries: int = 3
    """How often a read is sent, where the tracker is busy or out of reach."""
    pace: Callable[[], None] | None = None
    """Called before each request: waits for its place in the system's quota."""
    max_answer: int = 32 * 1024 * 1024
    """Bytes of one answer's body, after unpacking."""
    max_file: int = 25 * 1024 * 1024
    """Bytes of one file."""
    max_comment: int = 1024 * 1024
    """Characters of a comment's text; a longer one is listed as too large."""
    wire: Wire | None = None
    trackers: Mapping[str, Tracker] = field(default_factory=dict)
    """The trackers in memory that the `memory` connector may be pointed at, by name."""
