"""What the REST door stands on."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from central.desk.auth import Gate
from central.desk.cookies import Cookies
from central.desk.documents import DocumentDesk
from central.desk.people import PeopleDesk
from central.desk.queues import QueueDesk
from central.desk.registering import RegisterDesk
from central.desk.services.queues import Queues
from central.desk.services.registrations import Registrations
from central.desk.services.systems import Systems
from central.desk.services.tickets import Tickets
from central.desk.systems import SystemDesk
from central.desk.tickets import TicketDesk
from central.events import Event
from central.link import Link
from central.model import Conflict, Limits, Ticket
from central.store.api import Store

Explain = Callable[[Ticket, str, Sequence[Event], Sequence[Link], Sequence[Conflict]], Mapping[str, Any]]
"""Why a field has its value, as plain data, read off what it is given.  Raises LookupError: there is no such field."""


@dataclass(frozen=True, slots=True)
class Desks:
    """The desks that the routers speak to, and who it is that comes."""

    store: Store
    clock: Callable[[], datetime]
    gate: Gate
    tickets: TicketDesk
    systems: SystemDesk
    documents: DocumentDesk
    registering: RegisterDesk
    queues: QueueDesk
    people: PeopleDesk
    explain: Explain
    limits: Limits = field(default_factory=Limits)
    cookies: Cookies = field(default_factory=Cookies)
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when the process ends: whoever listens is let go."""

    @classmethod
    def of(
        cls,
        store: Store,
        clock: Callable[[], datetime],
        gate: Gate,
        tickets: Tickets,
        systems: Systems,
        registrations: Registrations,
        queues: Queues,
        people: PeopleDesk,
        explain: Explain,
        *,
        limits: Limits,
        cookies: Cookies,
        ending: threading.Event,
    ) -> "Desks":
        """The desks over what the rest of the house supplies."""
        ticket_desk, system_desk = TicketDesk(store, tickets), SystemDesk(store, systems, clock)
        document_desk = DocumentDesk(store, systems, system_desk, clock)
        return cls(
            store=store,
            clock=clock,
            gate=gate,
            tickets=ticket_desk,
            systems=system_desk,
            documents=document_desk,
            registering=RegisterDesk(store, registrations, system_desk, document_desk, clock),
            queues=QueueDesk(store, queues, system_desk, ticket_desk),
            people=people,
            explain=explain,
            limits=limits,
            cookies=cookies,
            ending=ending,
        )
