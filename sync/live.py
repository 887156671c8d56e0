"""The life of a registered system: it goes live, pauses, and comes back."""

from dataclasses import replace
from datetime import datetime

from central.audit import Entry
from central.instance import Stop
from central.registry import System, SystemState
from central.store.api import NoSuch, Transaction
from connectors.api import Cursor
from mappings.loader import suggestion
from sync.bootstrap import Interdesk
from sync.poll import plain_cursor


class NotNow(Exception):
    """The system is not in a state for this. The sentence says what to do instead."""


def registered(tx: Transaction, name: str) -> System:
    """:raises NoSuch: there is no such system; the sentence names the nearest."""
    try:
        return tx.registry.system(name)
    except NoSuch:
        names = [system.name for system in tx.registry.systems()]
        raise NoSuch(f"no system {name!r} is registered{suggestion(name, names)}") from None


def go_live(desk: Interdesk, name: str) -> None:
    """Let a system take part. Where polling begins is fixed now: what is there already stays as it is.

    :raises ConnectorError: it cannot be reached.  :raises Unusable: its documents do not work as they stand."""
    system = desk.store.read(lambda tx: registered(tx, name))
    first: Cursor | None = None
    if system.cursor is None:
        first = desk.gateways.get(name).connector.changes(None).cursor

    def change(tx: Transaction) -> None:
        ready = _well(tx.registry.system(name))
        if first is not None and ready.cursor is None:
            ready = replace(ready, cursor=plain_cursor(first), scanned_at=desk.clock())
        tx.registry.put_system(ready)

    desk.store.write(change)
    desk.gateways.refresh()


def pause(tx: Transaction, name: str, why: str) -> None:
    """Stop its traffic both ways; what is owed waits.  :raises NotNow: it is a draft."""
    system = registered(tx, name)
    if system.state is SystemState.DRAFT:
        raise NotNow(f"system {name} is a draft: nothing of it runs")
    tx.registry.put_system(replace(system, state=SystemState.PAUSED, reason=why))


def resume(tx: Transaction, name: str) -> None:
    """Take up its traffic again where it was left.  :raises NotNow: it was never live."""
    system = registered(tx, name)
    if system.cursor is None:
        raise NotNow(f"system {name} was never live: interdesk system live {name}")
    tx.registry.put_system(_well(system))


def stop_all(tx: Transaction, at: datetime, by: str, why: str) -> None:
    """The stop button: from this commit on nothing is written to any system; reading goes on."""
    tx.instance.put(tx.instance.get().evolve(stopped=Stop(at, by, why)))
    tx.audit.record(Entry(at, by, "stop everything", data={"why": why}))


def let_go(tx: Transaction, at: datetime, by: str) -> None:
    """Let go of the stop button.  :raises NotNow: nobody pressed it."""
    instance = tx.instance.get()
    if instance.stopped is None:
        raise NotNow("nothing is stopped: there is nothing to resume")
    tx.instance.put(instance.evolve(stopped=None))
    tx.audit.record(Entry(at, by, "go on", data={"stopped_at": instance.stopped.at.isoformat()}))


def _well(system: System) -> System:
    return replace(system, state=SystemState.LIVE, reason="", last_error="", error_at=None, open_problem=False)
