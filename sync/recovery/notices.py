"""3: our last notices, which tell whom a ticket was given to."""

from central.events import Event, Kind
from central.link import LinkState
from central.model import SYSTEM
from central.store.api import Transaction
from sync import routing
from sync.recovery.search import Notice, Search


def give_back(search: Search) -> None:
    """The newest last notice names the unit; a copy that nobody was told to leave does, where there is none."""
    newest: dict[int, Notice] = {}
    for notice in sorted(search.notices, key=lambda each: each.at):
        newest[notice.ticket_id] = notice
    for notice in newest.values():
        left = {each.system for each in search.notices if each.ticket_id == notice.ticket_id}
        _assign(search, notice.ticket_id, notice.unit, left)
    for ticket_id, system in search.copies:
        units = sorted(search.gateways.get(system).units)
        if ticket_id not in newest and units:
            ticket = search.means.store.read(lambda tx, i=ticket_id: tx.tickets.get(i))  # type: ignore[misc]  # bound now
            _assign(search, ticket_id, str(ticket["unit"]) if ticket["unit"] in units else units[0], set())


def _assign(search: Search, ticket_id: int, unit: str, left: set[str]) -> None:
    means = search.means

    def change(tx: Transaction) -> None:
        at, ticket = means.clock(), tx.tickets.get(ticket_id)
        target = routing.system_of(unit, means.units())
        if ticket["unit"] != unit and "unit" not in search.moved_here(tx, ticket_id, ""):
            before = ticket["unit"]
            ticket = tx.tickets.change(ticket, {"unit": unit}, at)
            why = "what was written before the restore tells that it was given to this unit"
            data = {"from": before, "to": unit}
            tx.tickets.record([Event(Kind.FIELD_CHANGED, ticket_id, at, SYSTEM, field="unit", data=data, why=why)])
        for link in tx.links.of(ticket_id):
            if link.state is LinkState.DETACHED and link.system == target:
                tx.links.save(link.evolve(state=LinkState.ACTIVE, version="", row_version="", last_error=""))
            elif link.state is LinkState.ACTIVE and link.system in left - {target} and not link.birth:
                tx.links.save(link.evolve(state=LinkState.DETACHED, disagreements={}, intents=()))
        means.relay.owe_outward(
            tx, routing.owed(tx.links.of(ticket_id), target), ticket_id, at, reason="found again after the restore"
        )

    means.store.write(change)
