"""Does a value go to and fro between us and a system, with nobody behind it? Pure.

A *bounce* is a write of ours that finds the value of our last write moved again by them. People let a write stand
sooner or later, or somebody at the centre has a say; an automation answers every write in the same way, for ever. So
what counts is a run of bounces in which nothing else happens. The run may be long where people may be behind it, and
is short where each answer came faster than a person reads, or brought back a value that had been left before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from central.events import Event, Kind
from central.model import SYSTEM, Value, value_of
from sync.echo import Entry

LOOKED_AT = 160
"""How many of a field's newest events are enough to decide."""
PAUSE = timedelta(hours=6)
"""After a rest of this length a run begins anew."""
REFLEX = timedelta(seconds=2)
"""Who answers a write of ours this fast has not read it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many bounces in a row are too many."""

    reflex: int = 6
    """Every answer came at once, with a value that had been left before."""
    reflex_new: int = 15
    """Every answer came at once, with new values."""
    returning: int = 25
    """Values that had been left come back, and people may be behind it."""
    anything: int = 50
    """Nobody lets anything stand."""


@dataclass(frozen=True, slots=True)
class Fight:
    """A value that goes to and fro: why it was called so, and the trail."""

    reason: str
    trail: tuple[Mapping[str, Any], ...]
    """Who moved what to what, when: plain data, oldest first."""


def reflex(history: Sequence[Entry], field: str) -> bool:
    """Whether their history shows the present value of this field as an answer to ours that nobody can have read."""
    entries = [entry for entry in history if entry.field == field][-2:]
    return len(entries) == 2 and entries[0].own and not entries[1].own and entries[1].at - entries[0].at <= REFLEX


@dataclass(slots=True)
class _Run:
    """The bounces since somebody had a say."""

    bounces: int = 0
    returning: int = 0
    all_reflex: bool = True
    left: tuple[Value, ...] = ()
    """Values of theirs that a write of ours has replaced."""
    wrote: Value = None
    wrote_at: datetime | None = None
    moves: int = 0
    """How often they have moved it since our last write."""
    reflex: bool = False
    on_the_way: bool = False
    """Our last write was a step on the way to another value: the next one belongs to it."""


def fight(
    events: Sequence[Event], system: str, now: datetime, theirs: Value, *, patience: Patience, since: datetime | None
) -> Fight | None:
    """Whether one more write of ours into this system, over `theirs`, would go on with a fight.

    `events`: the newest of one field of one ticket, oldest first; those up to `since` were judged by a person."""
    run = _Run()
    begins = 0
    for index, event in enumerate(events):
        if since is not None and event.at <= since:
            begins = index + 1
            continue
        if not _goes_on(run, event, system):
            run, begins = _Run(), index
    if run.wrote_at is None or now - run.wrote_at > PAUSE or theirs == run.wrote:
        return None
    _bounce(run, theirs)
    verdict = _verdict(run, patience)
    if not verdict:
        return None
    return Fight(f"{verdict}, and nobody else had a say", tuple(map(_plain, events[begins:])))


def _goes_on(run: _Run, event: Event, system: str) -> bool:
    """Take one event into the run; False: it ends with it."""
    if event.kind is Kind.FIELD_CHANGED and event.system is None:
        return event.actor.id == SYSTEM.id
    if event.system != system:
        return True
    if event.kind is Kind.FIELD_CHANGED:
        run.moves += 1
        run.reflex = bool(event.data.get("reflex"))
        return run.moves == 1  # a second change of theirs answers nothing
    if event.kind is Kind.WRITTEN:
        before, wrote = value_of(event.data.get("before")), value_of(event.data.get("theirs"))
        goes_on = run.on_the_way and before == run.wrote
        run.on_the_way = bool(event.data.get("on_the_way"))
        if goes_on:
            run.wrote, run.wrote_at = wrote, event.at
            return True
        if run.wrote_at is not None:
            if before == run.wrote or event.at - run.wrote_at > PAUSE:
                return False
            _bounce(run, before)
        run.left = (*run.left, before)
        run.wrote, run.wrote_at, run.moves, run.reflex = wrote, event.at, 0, False
    return True


def _bounce(run: _Run, brought: Value) -> None:
    run.bounces += 1
    run.returning = run.returning + 1 if brought in run.left else 0
    run.all_reflex = run.all_reflex and run.reflex


def _verdict(run: _Run, patience: Patience) -> str:
    n = run.bounces
    if run.all_reflex and run.returning >= patience.reflex:
        return f"{n} writes of ours in a row were answered at once with a value that had been left before"
    if run.all_reflex and n >= patience.reflex_new:
        return f"{n} writes of ours in a row were answered at once with another value"
    if run.returning >= patience.returning:
        return f"{n} writes of ours in a row were answered with a value that had been left before"
    if n >= patience.anything:
        return f"{n} writes of ours in a row were answered with another value"
    return ""


def _plain(event: Event) -> dict[str, Any]:
    """One step of the trail."""
    data = event.data
    written = event.kind is Kind.WRITTEN
    return {
        "at": event.at.isoformat(),
        "system": event.system or "",
        "who": "interdesk" if written else event.actor.label,
        "from": data.get("before") if written else data.get("from"),
        "to": data.get("theirs") if written else data.get("to"),
        "what": event.kind.value,
    }
