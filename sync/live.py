"""The life of a registered system: it goes live, pauses, and comes back."""

from dataclasses import replace
from datetime import datetime, timedelta

from central.audit import Entry
from central.delivery import Counts
from central.desk.services.errors import NotNow
from central.instance import Stop
from central.registry import Maintenance, System, SystemState
from central.store.api import NoSuch, Transaction
from connectors.api import Cursor
from mappings.loader import suggestion
from sync.access import recovered
from sync.bootstrap import Interdesk
from sync.poll import plain_cursor

LONGEST_WINDOW = timedelta(days=14)
"""One that is longer was mistyped, or is forgotten before it ends."""


def registered(tx: Transaction, name: str) -> System:
    """:raises NoSuch: there is no such system; the sentence names the nearest."""
    try:
        return tx.registry.system(name)
    except NoSuch:
        names = [system.name for system in tx.registry.systems()]
        raise NoSuch(f"no system {name!r} is registered{suggestion(name, names)}") from None


def go_live(desk: Interdesk, name: str, by: str = "interdesk") -> None:
    """Let a system take part. Where polling begins is fixed now: what is there already stays as it is. What was
    recorded in shadow is forgotten, and stays undone.

    :raises NotNow: it is in quarantine, or looks from its time in shadow are still owed.
    :raises ConnectorError: it cannot be reached.  :raises Unusable: its documents do not work as they stand."""
    before = desk.store.read(lambda tx: registered(tx, name))
    shaded = before.state is SystemState.SHADOW
    first = _from_now_on(desk, name) if shaded or before.cursor is None else None
    awaited = _awaited(desk, name) if shaded else []

    def change(tx: Transaction) -> None:
        system = tx.registry.system(name)
        _ensure_released(system)
        if system.state is SystemState.SHADOW:
            _leave_shadow(tx, desk, name, awaited)
            system = replace(system, cursor=None)
        tx.registry.put_system(_begun(recovered(system), first, desk.clock()))
        tx.audit.record(Entry(desk.clock(), by, "go live", name, {"it was": before.state.value}))

    desk.store.write(change)
    desk.gateways.refresh()


def go_into_shadow(desk: Interdesk, name: str, by: str = "interdesk") -> None:
    """From now on every write to and from this system is computed, and none is made.

    :raises NotNow: it is in shadow already, or in quarantine.  :raises ConnectorError: it cannot be reached.
    :raises Unusable: its documents do not work as they stand."""
    never_asked = desk.store.read(lambda tx: registered(tx, name)).cursor is None
    first = _from_now_on(desk, name) if never_asked else None

    def change(tx: Transaction) -> None:
        system = registered(tx, name)
        if system.state is SystemState.SHADOW:
            told = (
                f"go on with: interdesk system resume {name}" if system.reason else "see what it would write: --report"
            )
            raise NotNow(f"system {name} is in shadow already; {told}")
        _ensure_released(system)
        shaded = replace(recovered(system), state=SystemState.SHADOW)
        tx.registry.put_system(_begun(shaded, first, desk.clock()))
        tx.audit.record(Entry(desk.clock(), by, "go into shadow", name, {"it was": system.state.value}))

    desk.store.write(change)
    desk.gateways.refresh()


def _ensure_released(system: System) -> None:
    if system.state is SystemState.QUARANTINED:
        told = f"decide its hold (interdesk guard list), then: interdesk system release {system.name}"
        raise NotNow(f"system {system.name} is quarantined: {told}")
    if system.restored_at is not None:
        raise NotNow(f"what was forgotten of {system.name} is still to be found again: interdesk db plan")


def _from_now_on(desk: Interdesk, name: str) -> Cursor:
    """Where polling begins: no overlap reaches back before this moment."""
    return desk.gateways.get(name).connector.changes(None).cursor


def _begun(system: System, first: Cursor | None, at: datetime) -> System:
    if first is None or system.cursor is not None:
        return system
    return replace(system, cursor=plain_cursor(first), scanned_at=at)


def _awaited(desk: Interdesk, name: str) -> list[int]:
    """Our tickets whose writes there were under way when their system went into shadow."""
    found: list[int] = []
    after = 0
    while links := desk.store.read(lambda tx, after=after: tx.links.of_system(name, after=after, limit=200)):  # type: ignore[misc]  # bound now
        found += [link.ticket_id for link in links if link.intents]
        after = links[-1].id
    return found


def _leave_shadow(tx: Transaction, desk: Interdesk, name: str, awaited: list[int]) -> None:
    """What was recorded is forgotten; what was under way before the shadow is accounted for."""
    waiting = tx.outbox.counts().get(name, Counts()).due
    if waiting:
        told = f"let a running interdesk compute them (interdesk status), then: interdesk system live {name}"
        raise NotNow(f"system {name} is owed {waiting} looks from its time in shadow; {told}")
    tx.shadow.prune(name, keep=0)
    reason = "its write was under way when the system went into shadow"
    for ticket_id in awaited:
        desk.means.relay.owe_outward(tx, (name,), ticket_id, desk.clock(), reason=reason)


def pause(tx: Transaction, name: str, why: str) -> None:
    """Stop its traffic both ways; what is owed waits.  :raises NotNow: it is a draft."""
    system = registered(tx, name)
    if system.state is SystemState.DRAFT:
        raise NotNow(f"system {name} is a draft: nothing of it runs")
    # whatever stopped it before, it is a person's word now, and only a person's takes it back
    tx.registry.put_system(replace(system.stopped(why), open_problem=False, turned_away=""))


def resume(tx: Transaction, name: str) -> None:
    """Take up its traffic again where it was left; one in shadow stays there.

    :raises NotNow: it was never live, is in quarantine, or a restored database has yet to find again what it has
    forgotten of it."""
    system = registered(tx, name)
    if system.cursor is None:
        raise NotNow(f"system {name} was never live: interdesk system live {name}")
    _ensure_released(system)
    well = recovered(system)
    tx.registry.put_system(replace(well, state=system.state) if system.state is SystemState.SHADOW else well)


def announce_maintenance(tx: Transaction, name: str, window: Maintenance, at: datetime) -> None:
    """A system is going to be worked on; this window takes the place of one that was announced before.

    :raises NotNow: it is a draft, or the window is over already, or too long to be meant."""
    system = registered(tx, name)
    if system.state is SystemState.DRAFT:
        raise NotNow(f"system {name} is a draft: nothing of it runs")
    if window.ends_at <= max(at, window.begins_at):
        raise NotNow("a maintenance window ends after it begins, and not before now")
    if window.ends_at - window.begins_at > LONGEST_WINDOW:
        raise NotNow(
            f"a maintenance window is at most {LONGEST_WINDOW.days} days long: pause {name} until somebody resumes it"
        )
    tx.registry.put_system(replace(system, maintenance=window))
    data = {"begins_at": window.begins_at.isoformat(), "ends_at": window.ends_at.isoformat(), "why": window.why}
    tx.audit.record(Entry(at, window.by, "announce maintenance", name, data))


def end_maintenance(tx: Transaction, name: str, at: datetime, by: str) -> None:
    """The work on a system is over early, or is not begun at all.

    :raises NotNow: no window is announced or under way."""
    system = registered(tx, name)
    window = system.maintenance
    if window is None or window.ends_at <= at:
        raise NotNow(f"no maintenance of system {name} is announced or under way")
    ended = replace(window, ends_at=at) if window.lasts(at) else None
    tx.registry.put_system(replace(system, maintenance=ended))
    tx.audit.record(Entry(at, by, "end maintenance", name, {"ends_at": window.ends_at.isoformat()}))


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
