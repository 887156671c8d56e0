"""What the desk needs of the rest of the house, a module per subject. `sync.bootstrap` supplies it; the desk never
knows who works for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import APIRouter, FastAPI

from central.desk.auth import Gate
from central.desk.cookies import Cookies
from central.desk.mail.arrived import Arrived
from central.desk.metrics import Readers
from central.desk.pulse import Pulse
from central.desk.services.dictionaries import Dictionaries
from central.desk.services.examples import Examples
from central.desk.services.hooks import Hooks
from central.desk.services.queues import Queues
from central.desk.services.readiness import Readiness
from central.desk.services.reasons import Reasons
from central.desk.services.registrations import Registrations
from central.desk.services.systems import Systems
from central.desk.services.tickets import Tickets
from central.store.api import Store


@dataclass(frozen=True, slots=True)
class Services:
    """All that the desk stands on."""

    store: Store
    clock: Callable[[], datetime]
    centre: str
    """What the helpdesk is called."""
    hooks: Hooks
    readiness: Readiness
    gate: Gate
    cookies: Cookies
    tickets: Tickets
    systems: Systems
    queues: Queues
    reasons: Reasons
    dictionaries: Dictionaries
    examples: Examples
    registrations: Registrations
    pulse: Pulse
    largest_file: int
    """Bytes."""
    figures: Readers = field(default_factory=Readers)
    """Who reads `/metrics`."""
    reads_mail: Callable[[bytes], Arrived] | None = None
    """Reads a mail as it came, believing nothing; raises NotNow where it cannot. None: this desk has no mail."""
    openid: bool = False
    """Whether an OpenID provider lets people in, too: one of the doors."""
    doors: Sequence[APIRouter] = ()
    """For programs: each guards itself."""
    api: FastAPI | None = None
    """The REST door."""
