"""What is wrong with the mesh right now, by its counters and limits. Pure.

Of what follows from something else only the cause is told: a system that does not answer is late as well, and one that
a guard holds owes what it may not write.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from central.alert import AlertKind
from central.delivery import Counts
from central.heartbeat import Heartbeat
from central.registry import System, SystemState

SILENT_AFTER = timedelta(seconds=90)
"""A process says that it lives every 15 seconds; one that has not for so long is dead, stuck or cut off."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is borne before anybody is told."""

    lag: timedelta = timedelta(minutes=30)
    errors: timedelta = timedelta(minutes=10)
    dead_letters: int = 1


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something that is wrong."""

    since: datetime | None
    """None: nobody knows, so it counts from when it is noticed."""
    patience: timedelta
    """How long it is borne."""
    sentence: str
    remedy: str


Place = tuple[str, AlertKind]
"""System ('' for interdesk itself) and kind."""


def ailments(
    systems: Sequence[tuple[System, Counts]],
    heartbeats: Sequence[Heartbeat],
    limits: Mapping[str, Limits],
    at: datetime,
    *,
    stopped: bool,
) -> Mapping[Place, Ailment]:
    """Everything that is wrong. `stopped`: nothing is written anywhere on purpose, so that nobody is late."""
    found: dict[Place, Ailment] = {}
    for system, counts in systems:
        for kind, ailment in _of(system, counts, limits.get(system.name, Limits()), at, stopped=stopped):
            found[system.name, kind] = ailment
    silent = [each for each in heartbeats if at - each.at > SILENT_AFTER]
    if silent:
        found["", AlertKind.SILENT] = _silent(silent)
    return found


def _of(
    system: System, counts: Counts, limits: Limits, at: datetime, *, stopped: bool
) -> Iterator[tuple[AlertKind, Ailment]]:
    name, at_once = system.name, timedelta(0)
    if system.state is SystemState.DRAFT or system.in_maintenance(at):
        return
    if not system.reads:
        if system.open_problem or system.state is SystemState.QUARANTINED:
            yield (
                AlertKind.STOPPED,
                Ailment(system.error_at, at_once, f"was stopped: {_words(system.reason)}", _go_on(system)),
            )
        return
    out = system.outage if system.outage is not None and not system.outage.suspected_by else None
    if out is not None:
        remedy = (
            "nothing is lost and it is tried again by itself; if it is down on purpose: "
            f"interdesk system maintenance {name} --until WHEN"
        )
        since = system.blamed_since(out.since, at)
        yield AlertKind.OUT, Ailment(since, limits.errors, f"does not answer: {_words(out.why)}", remedy)
    elif system.last_error:
        sentence = f"fails: {_words(system.last_error)}"
        yield (
            AlertKind.FAILING,
            Ailment(None, limits.errors, sentence, f"see what it says: interdesk system check {name}"),
        )
    if counts.held:
        sentence = f"is held by a guard, {counts.held} in all"
        yield AlertKind.HELD, Ailment(None, at_once, sentence, "look at it and decide: interdesk guard list")
    if counts.dead >= limits.dead_letters:
        sentence = f"has dead letters, {counts.dead} in all"
        remedy = f"read what it says and try again: interdesk deadletter list --system {name}"
        yield AlertKind.LETTERS, Ailment(None, at_once, sentence, remedy)
    oldest = None if counts.oldest_due_at is None else system.blamed_since(counts.oldest_due_at, at)
    if oldest is not None and at - oldest > limits.lag and not (out or counts.held or stopped):
        sentence = f"is late: something waits since {oldest:%Y-%m-%d %H:%M} UTC"
        yield AlertKind.LATE, Ailment(oldest, at_once, sentence, "see what it waits for: interdesk status")


def _silent(silent: Sequence[Heartbeat]) -> Ailment:
    names = ", ".join(each.process for each in silent)
    last = min(each.at for each in silent)
    sentence = f"a process of interdesk has fallen silent: {names}"
    return Ailment(last, timedelta(0), sentence, "look at its host, and start it anew; the others go on meanwhile")


def _go_on(system: System) -> str:
    if system.state is SystemState.QUARANTINED:
        return f"look at its hold (interdesk guard list), decide it, then: interdesk system release {system.name}"
    return f"mend it; with other credentials it goes on by itself, else: interdesk system resume {system.name}"


def _words(error: str) -> str:
    """What a mail may repeat: words of connections and log-ins; what is said of a ticket may repeat the ticket."""
    kind, colon, said = error.partition("\n")[0].partition(": ")
    if not colon or kind in ("Transient", "AccessError") or " " in kind:
        return error.partition("\n")[0][:300]
    return f"{kind} (interdesk status tells its words)" if said else kind
