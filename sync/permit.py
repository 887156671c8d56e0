"""The one gate before every write to a remote. It is asked in the transaction that commits the intent.

Whatever may stop writing is a fact in the store: the stop button, a copied or restored database, the state of the
system and its maintenance, a guard's hold. Because the intent is committed together with the question, nothing is sent
after such a fact was committed, but for a request that was under way already.
"""

from datetime import datetime

from central.registry import SystemState
from central.store.api import Transaction


class Held(Exception):
    """Nothing may be written there now. What is owed stays owed; whoever lifts the hold wakes it.

    `alone`: only this ticket is held, the system's others are not."""

    def __init__(self, reason: str, *, alone: bool = False) -> None:
        super().__init__(reason)
        self.alone = alone


def why_held(tx: Transaction, system: str, at: datetime) -> str:
    """Why nothing may be written to this system now; '' when it may."""
    instance = tx.instance.get()
    if instance.stopped is not None:
        why = f": {instance.stopped.why}" if instance.stopped.why else ""
        return f"everything is stopped, by {instance.stopped.by}{why}"
    if instance.held:
        return instance.held
    state = tx.registry.system(system)
    if state.state is not SystemState.LIVE:
        return f"system {system} is {state.state}{f': {state.reason}' if state.reason else ''}"
    if state.maintenance is not None and state.in_maintenance(at):
        why = f": {state.maintenance.why}" if state.maintenance.why else ""
        return f"system {system} is in maintenance until {state.maintenance.ends_at:%Y-%m-%d %H:%M} UTC{why}"
    hold = tx.guards.holding(system)
    return f"held by a guard ({hold.kind}, hold {hold.id}): {hold.reason}" if hold is not None else ""


def ensure_permitted(tx: Transaction, system: str, ticket_id: int, at: datetime) -> None:
    """Before an intent is committed.

    :raises Held: nothing may be written there, or not on this ticket."""
    reason = why_held(tx, system, at)
    if reason:
        raise Held(reason)
    hold = tx.guards.holding(system, ticket_id)
    if hold is not None:
        raise Held(f"held by a guard ({hold.kind}, hold {hold.id}): {hold.reason}", alone=True)
