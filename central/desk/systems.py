"""Systems for whoever asks: rights first, then the act. Every door comes through here.

Whoever may not see a system is told that there is none of that name, whether there is one or not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from central.audit import Entry
from central.delivery import Counts
from central.desk import views
from central.desk.services.systems import Systems
from central.instance import Instance
from central.registry import Document
from central.rights import Action, Extent, Principal, demand, extent, may, may_on_system
from central.store.api import NoSuch, Store, Transaction
from central.traffic import Minute, an_hour_before, hour, sum_of


@dataclass(frozen=True, slots=True)
class Shown:
    """One system with its document and all its revisions, oldest first."""

    view: views.SystemView
    document: Document
    revisions: tuple[Document, ...]
    hour: tuple[Minute, ...]
    """What went on with it in each minute of the last hour."""


class SystemDesk:
    """The mesh, as far as whoever asks may have to do with it.

    Every method raises `Forbidden` for what they may see and not do, and `NoSuch` for what they may not even see;
    `NotNow` and `OutOfReach` come from `Systems`.
    """

    def __init__(self, store: Store, systems: Systems, clock: Callable[[], datetime]) -> None:
        self._store, self._systems, self._clock = store, systems, clock

    def sees(self, principal: Principal, name: str) -> bool:
        """Whether a system of this name may be told of to them."""
        return may_on_system(principal, Action.SEE_SYSTEM, name)

    def may(self, principal: Principal, action: Action, name: str) -> bool:
        """Whether they may do this to it."""
        return may_on_system(principal, action, name)

    def require(self, tx: Transaction, principal: Principal, name: str, action: Action = Action.SEE_SYSTEM) -> None:
        """Ask for this right on a registered system.  :raises NoSuch, Forbidden: as of every method."""
        if not self.sees(principal, name):
            demand(may(principal, Action.SEE_SYSTEM), principal, Action.SEE_SYSTEM)
            raise no_system(name)
        try:
            tx.registry.system(name)
        except NoSuch:
            raise no_system(name) from None
        demand(may_on_system(principal, action, name), principal, action)

    def tiles(self, principal: Principal) -> Sequence[views.SystemView]:
        """Every system that they may see, by name."""
        demand(may(principal, Action.SEE_SYSTEM), principal, Action.SEE_SYSTEM)
        at = self._clock()

        def question(tx: Transaction) -> Sequence[views.SystemView]:
            counts, looks = tx.outbox.counts(), tx.traffic.looks(an_hour_before(at))
            return [
                views.system_view(system, counts.get(system.name, Counts()), at, looks.get(system.name))
                for system in tx.registry.systems()
                if self.sees(principal, system.name)
            ]

        return self._store.read(question)

    def show(self, principal: Principal, name: str) -> Shown:
        """One system."""

        def question(tx: Transaction) -> Shown:
            self.require(tx, principal, name)
            system, counts, at = tx.registry.system(name), tx.outbox.counts().get(name, Counts()), self._clock()
            minutes = hour(tx.traffic.minutes(an_hour_before(at), name), name, at)
            revisions = tuple(tx.registry.revisions("system", name))
            return Shown(views.system_view(system, counts, at, sum_of(minutes)), revisions[-1], revisions, minutes)

        return self._store.read(question)

    def check(self, principal: Principal, name: str) -> dict[str, Any]:
        """Prove it against the live system, by reading only."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        return dict(self._systems.check(name))

    def go_live(self, principal: Principal, name: str) -> views.SystemView:
        """Let it take part."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        self._systems.go_live(name, principal.person.id)
        return self.show(principal, name).view

    def go_into_shadow(self, principal: Principal, name: str) -> views.SystemView:
        """Compute every write to and from it, and make none."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        self._systems.go_into_shadow(name, principal.person.id)
        return self.show(principal, name).view

    def pause(self, principal: Principal, name: str, why: str = "") -> views.SystemView:
        """Stop its traffic both ways."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        self._systems.pause(name, principal.person.id, why)
        return self.show(principal, name).view

    def resume(self, principal: Principal, name: str) -> views.SystemView:
        """Take up its traffic where it was left."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        self._systems.resume(name, principal.person.id)
        return self.show(principal, name).view

    def announce_maintenance(
        self, principal: Principal, name: str, ends_at: datetime, *, begins_at: datetime | None = None, why: str = ""
    ) -> views.SystemView:
        """It is worked on: nothing is written there and nobody is alarmed, from then (None: now) to then."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        self._systems.announce_maintenance(name, begins_at, ends_at, principal.person.id, why)
        return self.show(principal, name).view

    def end_maintenance(self, principal: Principal, name: str) -> views.SystemView:
        """The work is over early, or not begun at all."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        self._systems.end_maintenance(name, principal.person.id)
        return self.show(principal, name).view

    def release(self, principal: Principal, name: str, *, take_theirs: bool = False) -> str:
        """Take up a quarantined system again."""
        self._demand(principal, Action.RUN_SYSTEM, name)
        return self._systems.release(name, principal.person.id, take_theirs=take_theirs)

    def instance(self, principal: Principal) -> Instance:
        """Whether everything is stopped or held, for whoever may see any system."""
        demand(may(principal, Action.SEE_SYSTEM), principal, Action.SEE_SYSTEM)
        return self._store.read(lambda tx: tx.instance.get())

    def stop_all(self, principal: Principal, why: str = "") -> None:
        """Nothing is written to any system from now on."""
        demand(may(principal, Action.STOP_EVERYTHING), principal, Action.STOP_EVERYTHING)
        self._systems.stop_all(principal.person.id, why)

    def let_go(self, principal: Principal) -> None:
        """Let go of the stop button."""
        demand(may(principal, Action.STOP_EVERYTHING), principal, Action.STOP_EVERYTHING)
        self._systems.let_go(principal.person.id)

    def audit(self, principal: Principal, *, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """What was done to this installation, newest first. Only who sees every system sees this log."""
        allowed = extent(principal, Action.SEE_AUDIT) is Extent.ALL
        demand(allowed, principal, Action.SEE_AUDIT)
        return self._store.read(lambda tx: tx.audit.list(before=before, limit=limit))

    def _demand(self, principal: Principal, action: Action, name: str) -> None:
        self._store.read(lambda tx: self.require(tx, principal, name, action))


def no_system(name: str) -> NoSuch:
    """The same words whether it is not there or may not be seen: no other name is in them."""
    return NoSuch(f"there is no system {name!r}")
