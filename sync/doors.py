"""The desk's doors for other helpdesks, put together from what this process has."""

from central.desk.soap.acts import SoapDesk
from central.desk.soap.door import SoapDoor
from central.desk.soap.vocabulary import FILE
from central.desk.tickets import TicketDesk
from connectors.soap.calls import Calls
from sync.bootstrap import Interdesk


def soap_door(desk: Interdesk) -> SoapDoor:
    """GGUS's classic interface over this desk's tickets."""
    instance = desk.settings.instance
    opens, largest = instance.where_tickets_open, desk.means.limits.file
    tickets = TicketDesk(desk.store, desk.centre)
    acts = SoapDesk(
        desk.store, tickets, lambda number: opens.replace("{id}", str(number)) or f"#{number}", largest_file=largest
    )
    return SoapDoor(acts, Calls(FILE), desk.gate, largest_file=largest, public_url=instance.public_url)
