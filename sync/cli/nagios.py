"""One system's health as a Nagios plugin says it: a line, figures behind a bar, and an exit code of its own dialect."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from central.desk import views
from central.registry import System, SystemState

CRITICAL_LAG = 4 * views.LATE
"""What is owed for longer is no delay any more."""


class Level(IntEnum):
    """The four answers there are, by their exit codes."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Check:
    """What a plugin says, and how it ends."""

    level: Level
    sentence: str
    figures: str = ""

    def __str__(self) -> str:
        said = " ".join(self.sentence.replace("|", "/").split())  # a bar begins the figures, a line's end ends them
        return f"{self.level.name} - {said}" + (f" | {self.figures}" if self.figures else "")


def check(system: System, view: views.SystemView, stopped: str, *, by_itself: bool) -> Check:
    """How one system is. `stopped`: why nothing is written to any system; `by_itself`: nobody has said so."""
    level, sentence = _judged(system, view, stopped, by_itself=by_itself)
    return Check(level, f"{system.name} {sentence}", _figures(view))


def _judged(system: System, view: views.SystemView, stopped: str, *, by_itself: bool) -> tuple[Level, str]:
    if stopped:
        return (Level.CRITICAL if by_itself else Level.WARNING), f"is not written, nor any other: {stopped}"
    if system.state is SystemState.DRAFT:
        return Level.WARNING, "is a draft: interdesk system live"
    if not system.reads:
        unasked = system.open_problem or system.state is SystemState.QUARANTINED
        return (Level.CRITICAL if unasked else Level.WARNING), f"is {system.state}: {system.reason or 'no reason'}"
    if view.health is views.Health.MAINTENANCE and view.maintenance is not None:
        return Level.OK, f"is in maintenance until {view.maintenance.ends_at:%Y-%m-%d %H:%M} UTC"
    if view.out_since is not None:
        return Level.CRITICAL, f"does not answer since {view.out_since:%Y-%m-%d %H:%M:%S} UTC: {system.last_error}"
    if view.last_error:
        return Level.CRITICAL, f"fails: {view.last_error}"
    if view.overdue > CRITICAL_LAG:
        return Level.CRITICAL, f"is late by {views.span(view.overdue)}"
    if view.dead:
        return Level.WARNING, "has dead letters: interdesk deadletter list"
    if view.held:
        return Level.WARNING, "is held by a guard: interdesk guard list"
    if view.overdue > views.LATE:
        return Level.WARNING, f"is late by {views.span(view.overdue)}"
    return Level.OK, "is in shadow, and well" if system.state is SystemState.SHADOW else "is well"


def _figures(view: views.SystemView) -> str:
    lag = f"lag={view.lag.total_seconds():.0f}s;{_seconds(views.LATE)};{_seconds(CRITICAL_LAG)};0"
    to_see_to = f"dead={view.dead};0;;0 held={view.held};0;;0"
    return f"{lag} due={view.due};;;0 {to_see_to} disagreements={view.disagreements};;;0 links={view.links};;;0"


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f}"
