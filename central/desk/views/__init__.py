"""What pages, commands and the status document show, as plain values: the mesh, tickets in a list, one ticket.

Whoever shows a view has asked for rights before; what of a ticket is internal, the view is told whether to hold.
"""

from central.desk.views.mesh import LATE, Health, Overview, SystemView, health, overview, status_data, system_view
from central.desk.views.ticket import Letter, TicketView, letters, sharing, ticket
from central.desk.views.words import name_of, shown, span

__all__ = [
    "LATE",
    "Health",
    "Letter",
    "Overview",
    "SystemView",
    "TicketView",
    "health",
    "letters",
    "name_of",
    "overview",
    "sharing",
    "shown",
    "span",
    "status_data",
    "system_view",
    "ticket",
]
