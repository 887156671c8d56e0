"""Every system at a glance: how it is, and whether it needs a person. From kept counters only, in a few questions to
the store, however many systems and tickets there are.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from central.delivery import Counts
from central.desk.views.words import about, moment
from central.instance import Instance
from central.registry import Maintenance, System, SystemState
from central.store.api import Store, Transaction
from central.traffic import Looks, an_hour_before

LATE = timedelta(minutes=15)
"""A system whose oldest owed look is older than this is late."""


class Health(StrEnum):
    """How a system is, in one word."""

    WELL = "well"
    LATE = "late"
    FAILING = "failing"
    STOPPED = "stopped"
    DRAFT = "draft"
    SHADOW = "shadow"
    MAINTENANCE = "maintenance"


class Need(IntEnum):
    """How much a system needs a person: what comes first is looked at first."""

    PERSON = 0  # nothing goes on there until somebody does something
    EYE = 1  # it may come right by itself
    NOTHING = 2
    ASIDE = 3  # somebody wants it to be out of the traffic


@dataclass(frozen=True, slots=True)
class SystemView:
    """One system as the mesh shows it."""

    name: str
    state: SystemState
    health: Health
    reason: str
    lag: timedelta
    """How long the oldest look has been owed."""
    overdue: timedelta
    """The same, but for what a maintenance window held."""
    due: int
    dead: int
    held: int
    """What guards hold there until a person has looked at it."""
    discarded: int
    """Looks that a person gave up, and that nothing has made owed again."""
    links: int
    disagreements: int
    disagrees_since: datetime | None
    """Since when the oldest standing disagreement stands."""
    error_rate: float | None
    """The part of the looks of the last hour that failed; None: there were none."""
    succeeded_at: datetime | None
    last_error: str
    error_at: datetime | None
    out_since: datetime | None
    """Since when it does not answer as a whole; None: it does, as far as anybody knows."""
    next_try_at: datetime | None
    maintenance: Maintenance | None
    """The window that is announced, or under way."""

    @property
    def need(self) -> Need:
        """How much it needs a person."""
        if self.health is Health.MAINTENANCE:
            return Need.ASIDE
        if self.state is SystemState.QUARANTINED or self.dead or self.held or self._stopped_itself:
            return Need.PERSON
        if self.health in (Health.FAILING, Health.LATE):
            return Need.EYE
        return Need.NOTHING if self.state in (SystemState.LIVE, SystemState.SHADOW) else Need.ASIDE

    @property
    def agreement(self) -> str:
        """Its tickets that agree in everything, of all that are linked there: `99.97 %`, never rounded up to all."""
        return part(self.links - self.disagreements, self.links)

    @property
    def errors(self) -> str:
        """Its error rate in per cent, never rounded down to none; `—` where nothing was looked at."""
        return "—" if self.error_rate is None else f"{self.error_rate * 100:.2f}".rstrip("0").rstrip(".") + " %"

    @property
    def mark(self) -> str:
        """The one word for how it is, and by which a tile looks."""
        said_by_state = (SystemState.PAUSED, SystemState.QUARANTINED, SystemState.PROVING)
        return self.state if self.state in said_by_state else self.health

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is to be known about it, in sentences; the gravest first."""
        told = []
        if self.maintenance is not None:
            told.append(_worked_on(self.maintenance, now=self.health is Health.MAINTENANCE))
        if self.state is not SystemState.LIVE and self.reason:
            told.append(self.reason if self.reason.startswith(self.state) else f"{self.state}: {self.reason}")
        if self.held:
            told.append(f"guards hold {_several(self.held, 'thing')} until a person has looked")
        if self.dead:
            told.append(f"{_several(self.dead, 'dead letter')} {'waits' if self.dead == 1 else 'wait'} for a person")
        if self.out_since:
            told.append(f"does not answer since {moment(self.out_since)}; next try {moment(self.next_try_at)}")
        if self.last_error:
            told.append(self.last_error)
        if self.health is Health.LATE:
            told.append(f"its oldest look has been owed for {about(self.overdue)}")
        if self.discarded:
            told.append(f"{_several(self.discarded, 'discarded letter')}: what changed was not told")
        return tuple(told)

    @property
    def _stopped_itself(self) -> bool:
        """An error stopped it, not a person: it says what it was."""
        return self.health is Health.STOPPED and bool(self.last_error)


@dataclass(frozen=True, slots=True)
class Overview:
    """The mesh at one moment."""

    at: datetime
    systems: tuple[SystemView, ...]
    tickets: int
    stopped: str
    """Why nothing is written to any system; '' when all is well."""


def overdue(system: System, counts: Counts, at: datetime) -> timedelta:
    """For how long a system has been owed its oldest look, but for what a maintenance window held."""
    oldest = counts.oldest_due_at
    return timedelta(0) if oldest is None else max(timedelta(0), at - system.blamed_since(oldest, at))


def health(system: System, counts: Counts, at: datetime) -> Health:
    """How a system is."""
    if system.state is SystemState.DRAFT:
        return Health.DRAFT
    if not system.reads:
        return Health.STOPPED
    if system.in_maintenance(at):
        return Health.MAINTENANCE
    out = system.outage is not None and not system.outage.suspected_by
    if out or system.last_error or counts.dead or counts.held:
        return Health.FAILING
    if system.state is SystemState.SHADOW:
        return Health.SHADOW
    return Health.LATE if overdue(system, counts, at) > LATE else Health.WELL


def overview(store: Store, clock: Callable[[], datetime]) -> Overview:
    """Every system, by name, on one snapshot."""
    at = clock()

    def question(tx: Transaction) -> Overview:
        counts, looks = tx.outbox.counts(), tx.traffic.looks(an_hour_before(at))
        systems = tuple(
            system_view(system, counts.get(system.name, Counts()), at, looks.get(system.name))
            for system in tx.registry.systems()
        )
        return Overview(at, systems, tx.tickets.count(), _stopped(tx.instance.get()))

    return store.read(question)


def by_need(systems: tuple[SystemView, ...]) -> tuple[SystemView, ...]:
    """Those that need a person first, by how much waits; then by how long; those that are well stay where they are."""

    def place(each: SystemView) -> tuple[object, ...]:
        need = each.need
        waits = each.dead + each.held if need is Need.PERSON else 0
        return need, -waits, -each.lag if need is Need.EYE else timedelta(0), each.name

    return tuple(sorted(systems, key=place))


def part(some: int, whole: int) -> str:
    """Some of a whole in per cent, never rounded up: `100 %` is all of them."""
    if not whole:
        return "—"
    hundredths = some * 10_000 // whole
    return f"{hundredths / 100:.2f} %" if hundredths % 100 else f"{hundredths // 100} %"


def status_data(overview: Overview) -> dict[str, Any]:
    """The overview as JSON knows it; moments in ISO form, lags in seconds."""
    return {
        "at": overview.at.isoformat(),
        "stopped": overview.stopped,
        "tickets": overview.tickets,
        "systems": [
            {
                **asdict(system),
                "lag": system.lag.total_seconds(),
                "overdue": system.overdue.total_seconds(),
                "maintenance": _window(system.maintenance),
                "disagrees_since": _moment(system.disagrees_since),
                "succeeded_at": _moment(system.succeeded_at),
                "error_at": _moment(system.error_at),
                "out_since": _moment(system.out_since),
                "next_try_at": _moment(system.next_try_at),
            }
            for system in overview.systems
        ],
    }


def _stopped(instance: Instance) -> str:
    stop = instance.stopped
    if stop is None:
        return instance.held
    return f"stopped by {stop.by} at {_moment(stop.at)}{f': {stop.why}' if stop.why else ''}"


def system_view(system: System, counts: Counts, at: datetime, looks: Looks | None = None) -> SystemView:
    """One system, with its kept counters, and its looks of the last hour."""
    lag = max(timedelta(0), at - counts.oldest_due_at) if counts.oldest_due_at else timedelta(0)
    out = system.outage if system.outage is not None and not system.outage.suspected_by else None
    return SystemView(
        name=system.name,
        state=system.state,
        health=health(system, counts, at),
        reason=system.reason,
        lag=lag,
        overdue=overdue(system, counts, at),
        due=counts.due,
        dead=counts.dead,
        held=counts.held,
        discarded=counts.discarded,
        links=counts.links,
        disagreements=counts.disagreements,
        disagrees_since=counts.disagrees_since,
        error_rate=looks.error_rate if looks else None,
        succeeded_at=system.succeeded_at,
        last_error=system.last_error,
        error_at=system.error_at,
        out_since=out.since if out else None,
        next_try_at=out.next_try_at if out else None,
        maintenance=system.maintenance if system.maintenance and at < system.maintenance.ends_at else None,
    )


def _worked_on(window: Maintenance, *, now: bool) -> str:
    why = f": {window.why}" if window.why else ""
    if now:
        return f"in maintenance until {moment(window.ends_at)}, by {window.by}{why}; what it is owed waits"
    return f"maintenance is announced from {moment(window.begins_at)} to {moment(window.ends_at)}, by {window.by}{why}"


def _window(window: Maintenance | None) -> dict[str, Any] | None:
    if window is None:
        return None
    moments = {"begins_at": window.begins_at.isoformat(), "ends_at": window.ends_at.isoformat()}
    return moments | {"by": window.by, "why": window.why}


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
