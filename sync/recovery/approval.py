"""A restored database finds again what it has forgotten, shows what it would write, and is let go by a person.

All of it may be repeated, and goes on after a crash: what was found is kept, what is found again is known.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from central.audit import Entry
from central.desk.services.errors import NotNow
from central.registry import System, SystemState
from central.store.api import Transaction
from connectors.errors import ConnectorError
from sync.gateway import Gateways
from sync.guards import marker
from sync.means import Means
from sync.recovery.copies import COPIED, RESTORED, UNREAD, remedy
from sync.recovery.plan import ResyncPlan, compute
from sync.recovery.rebuild import rebuild
from sync.recovery.search import Search

_READABLE = (SystemState.LIVE, SystemState.PAUSED)


@dataclass(frozen=True, slots=True)
class _Due:
    """Whose forgotten things are to be found, and from which restore on."""

    systems: tuple[System, ...]
    restored_at: datetime
    whole: bool
    """The database itself is held; else only these systems are."""

    @property
    def written(self) -> tuple[str, ...]:
        """Those that will be written once they are let go."""
        return tuple(each.name for each in self.systems if _state_after(each) is SystemState.LIVE)


def look(means: Means, gateways: Gateways, owner: str) -> ResyncPlan:
    """Find again what was forgotten, and compute what would be written then; the plan is remembered as shown.

    :raises NotNow: nothing was restored, or it is a copy.  :raises StillWorking: somebody works on a ticket of it."""
    due = means.store.read(_due)
    alone = replace(means, guards=frozenset())  # a person sees the plan: nothing else is asked about meanwhile
    unread: dict[str, str] = {}
    for system in due.systems:
        try:
            gateway = gateways.get(system.name)
        except LookupError as unusable:
            unread[system.name] = f"{type(unusable).__name__}: {unusable}"
            continue
        try:
            marker.remember(means, gateway)
        except ConnectorError as problem:
            unread[system.name] = f"{type(problem).__name__}: {problem}"
    names = [each.name for each in due.systems if each.name not in unread]
    found = rebuild(Search(alone, gateways, names, restored_at=due.restored_at, owner=owner))
    found.unread |= unread
    plan = compute(alone, gateways, due.written, found)
    means.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(plan=plan.fingerprint)))
    return plan


def approve(means: Means, gateways: Gateways, owner: str, by: str) -> tuple[ResyncPlan, bool]:
    """Let go what was held, if what would be written is what was shown; the plan as it is now, and whether it was.

    A system that could not be read stays paused, with its reason.

    :raises NotNow: nothing was restored, or it is a copy.  :raises StillWorking: somebody works on a ticket of it."""
    shown = means.store.read(lambda tx: tx.instance.get().plan)
    plan = look(means, gateways, owner)
    if plan.fingerprint != shown:
        return plan, False

    def let_go(tx: Transaction) -> None:
        due, at = _due(tx), means.clock()
        for system in due.systems:
            why = plan.unread.get(system.name)
            tx.registry.put_system(_read(system) if why is None else _unread(system, why, due.restored_at))
        if due.whole:
            for system in tx.registry.systems():
                if system.state is SystemState.QUARANTINED:  # whoever releases it finds it paused, and to be read
                    tx.registry.put_system(replace(system, restored_at=due.restored_at))
        instance = tx.instance.get()
        tx.instance.put(instance.evolve(held="" if due.whole else instance.held, restored_at=None, plan=""))
        data = {"plan": shown, "writes": len(plan.rows), "unread": sorted(plan.unread)}
        tx.audit.record(Entry(at, by, "approve the plan after a restore", instance.id, data))
        for row in plan.rows:  # whoever slept through the restore is woken
            means.relay.owe_outward(tx, (row.system,), row.ticket_id, at, reason="the plan after a restore")

    means.store.write(let_go)
    return plan, True


def _due(tx: Transaction) -> _Due:
    instance = tx.instance.get()
    if instance.held.startswith(COPIED):
        raise NotNow(f"{instance.held}: {remedy(instance.held)}")
    known = [each for each in tx.registry.systems() if each.cursor is not None and each.state in _READABLE]
    moments = [each.restored_at for each in known if each.restored_at is not None]
    if instance.held.startswith(RESTORED) and instance.restored_at is not None:
        return _Due(tuple(known), min([instance.restored_at, *moments]), whole=True)
    if not moments:
        raise NotNow("nothing shows that this database was restored; if it was: interdesk db plan --restored")
    return _Due(tuple(each for each in known if each.restored_at is not None), min(moments), whole=False)


def _state_after(system: System) -> SystemState:
    """What it is once all was found again: paused only where somebody else paused it."""
    ours = system.reason.startswith(UNREAD)
    return SystemState.LIVE if ours else system.state


def _read(system: System) -> System:
    state = _state_after(system)
    reason = "" if state is SystemState.LIVE else system.reason
    return replace(system, state=state, reason=reason, restored_at=None)


def _unread(system: System, why: str, restored_at: datetime) -> System:
    if _state_after(system) is SystemState.LIVE:
        system = replace(system, state=SystemState.PAUSED, reason=f"{UNREAD} ({why})")
    return replace(system, restored_at=restored_at)
