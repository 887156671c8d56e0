"""How the mesh is, in the figures that Prometheus reads: one snapshot of kept counters, whatever their size.

Whatever a worker does is in the database, so that any process with pages tells the figures of all of them. The only
label is the name of a system.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from ipaddress import ip_address

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from central.alert import Alert
from central.delivery import Counts
from central.desk import views
from central.heartbeat import Heartbeat
from central.registry import System, SystemState
from central.store.api import Store, Transaction

_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip")
"""Headers by which a web server says that somebody else asks through it."""

MEDIA_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads the figures: they name every system. Whoever asks from this machine itself does."""

    open: bool = False
    """Anybody does."""
    token: Callable[[], str] | None = None
    """Whoever shows this does; None: there is none."""

    def let_in(self, client: str, headers: Mapping[str, str]) -> bool:
        """Whether who asks from this address, with these headers (in small letters), is told."""
        if self.open:
            return True
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if self.token is not None and scheme.casefold() == "bearer":
            return compare_digest(shown.strip().encode(errors="replace"), self.token().encode())
        return _is_here(client) and not any(name in headers for name in _PASSED_ON)


def _is_here(client: str) -> bool:
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Figures:
    """The mesh at one moment."""

    at: datetime
    systems: tuple[tuple[System, Counts], ...]
    tickets: int
    heartbeats: tuple[Heartbeat, ...]
    alerts: tuple[Alert, ...]
    stopped: bool
    """The stop button was pressed, or the database holds itself back."""


def figures(tx: Transaction, at: datetime) -> Figures:
    """What is to be told, in a fixed number of questions."""
    counts, instance = tx.outbox.counts(), tx.instance.get()
    systems = tuple((system, counts.get(system.name, Counts())) for system in tx.registry.systems())
    return Figures(
        at,
        systems,
        tx.tickets.count(),
        tuple(tx.heartbeats.list()),
        tuple(tx.alerts.list()),
        instance.stopped is not None or bool(instance.held),
    )


def exposition(store: Store, clock: Callable[[], datetime]) -> bytes:
    """The figures as Prometheus reads them."""
    at = clock()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(_families(store.read(lambda tx: figures(tx, at)))))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(figures: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily("interdesk_tickets", "Tickets at the centre.", value=figures.tickets)
    yield GaugeMetricFamily(
        "interdesk_stopped", "1 while nothing is written to any system (stop button, copy, restore).", figures.stopped
    )
    yield from _processes(figures)
    open_ = Counter(alert.system for alert in figures.alerts if alert.well_at is None)
    family = GaugeMetricFamily(
        "interdesk_alerts", "Open alerts; without a name: of interdesk itself.", labels=["system"]
    )
    for name in ("", *(system.name for system, _ in figures.systems)):
        family.add_metric([name], open_[name])
    yield family
    for name, about, of in _OF_A_SYSTEM:
        family = GaugeMetricFamily(f"interdesk_{name}", about, labels=["system"])
        for system, counts in figures.systems:
            value = of(system, counts, figures.at)
            if value is not None:
                family.add_metric([system.name], value)
        yield family


def _processes(figures: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily("interdesk_processes", "Processes that are heard of.", value=len(figures.heartbeats))
    ages = sorted(_seconds(figures.at - each.at) for each in figures.heartbeats)
    newest, oldest = (ages[0], ages[-1]) if ages else (None, None)  # before the first one there is nothing to tell
    about = "Time since the engine was last heard of, in any process."
    yield GaugeMetricFamily("interdesk_heartbeat_age_seconds", about, value=newest)
    about = "Time since the process that is silent for longest was heard of."
    yield GaugeMetricFamily("interdesk_oldest_heartbeat_age_seconds", about, value=oldest)


_Of = Callable[[System, Counts, datetime], float | None]


def _oldest(_: System, counts: Counts, at: datetime) -> float:
    return _age(counts.oldest_due_at, at) or 0.0


def _oldest_disagreement(_: System, counts: Counts, at: datetime) -> float:
    return _age(counts.disagrees_since, at) or 0.0


def _out(system: System, _: Counts, at: datetime) -> float:
    """Since when it does not answer as a whole; a suspicion is none yet."""
    known = system.outage
    return 0.0 if known is None or known.suspected_by else _age(known.since, at) or 0.0


def _lag(system: System, counts: Counts, at: datetime) -> float:
    return max(_oldest(system, counts, at), _out(system, counts, at))


def _poll_age(system: System, _: Counts, at: datetime) -> float | None:
    return _age(system.polled_at, at) if system.reads else None


def _well(system: System, counts: Counts, at: datetime) -> float:
    return float(views.health(system, counts, at) in _AS_IT_SHOULD_BE)


def _age(since: datetime | None, at: datetime) -> float | None:
    return None if since is None else _seconds(at - since)


def _seconds(length: timedelta) -> float:
    return max(0.0, length.total_seconds())


_AS_IT_SHOULD_BE = (views.Health.WELL, views.Health.SHADOW, views.Health.MAINTENANCE)
_OF_A_SYSTEM: tuple[tuple[str, str, _Of], ...] = (
    ("system_well", "1 while the system is well, as on the status page.", _well),
    ("system_live", "1 while the system takes part and is written to.", lambda s, _, __: s.state is SystemState.LIVE),
    ("system_paused", "1 while it takes no part: paused, stopped, quarantined.", lambda s, _, __: _is_stopped(s)),
    ("system_maintenance", "1 while it is worked on, as announced.", lambda s, _, at: s.in_maintenance(at)),
    ("lag_seconds", "For how long changes may have been waiting, owed or unseen.", _lag),
    ("oldest_delivery_age_seconds", "Age of the oldest look that the system is owed.", _oldest),
    ("outage_seconds", "For how long the system as a whole has not answered; 0: it does.", _out),
    ("poll_age_seconds", "Time since it last said what changed; an idle one is noted every five minutes.", _poll_age),
    ("deliveries_due", "Looks that the system is owed.", lambda _, c, __: c.due),
    ("dead_letters", "Looks that need a person.", lambda _, c, __: c.dead),
    ("discarded_letters", "Looks that a person gave up.", lambda _, c, __: c.discarded),
    ("held", "What guards hold until a person has looked at it.", lambda _, c, __: c.held),
    ("links", "Tickets linked to the system.", lambda _, c, __: c.links),
    ("disagreements", "Links with a standing disagreement.", lambda _, c, __: c.disagreements),
    ("oldest_disagreement_age_seconds", "Age of the oldest standing disagreement.", _oldest_disagreement),
)
"""Name, what it is, and how it is told from a system and its counters; None: there is nothing to tell."""


def _is_stopped(system: System) -> bool:
    return system.state is not SystemState.DRAFT and not system.reads
