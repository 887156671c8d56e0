"""`status --check` in the dialect of Nagios: what is well, what warns, what is critical; one line, always."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.desk import views
from central.registry import Maintenance, Outage, System, SystemState
from central.store.memory import MemoryStore
from sync.cli.nagios import Check, Level, check

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WELL = System("ngi-cz", SystemState.LIVE, 1)
WINDOW = Maintenance(AT, AT + timedelta(hours=1), "olga")
PLUGIN = re.compile(r"(OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+ \| (\w+=\d+s?(;\d*){3}( |$))+")


def said(system: System, *, stopped: str = "", by_itself: bool = False, **figures: object) -> Check:
    store = MemoryStore()
    store.write(lambda tx: tx.registry.put_system(system))
    (view,) = views.overview(store, lambda: AT).systems
    return check(system, replace(view, **figures), stopped, by_itself=by_itself)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("system", "level", "words"),
    [
        (WELL, Level.OK, "is well"),
        (replace(WELL, state=SystemState.SHADOW), Level.OK, "in shadow"),
        (replace(WELL, state=SystemState.DRAFT), Level.WARNING, "system live"),
        (replace(WELL, state=SystemState.PAUSED, reason="they move house"), Level.WARNING, "they move house"),
        (replace(WELL, state=SystemState.PAUSED, reason="401", open_problem=True), Level.CRITICAL, "401"),
        (replace(WELL, state=SystemState.QUARANTINED, reason="a copy"), Level.CRITICAL, "a copy"),
        (replace(WELL, outage=Outage(AT, "refused", AT)), Level.CRITICAL, "does not answer since"),
        (replace(WELL, last_error="ProtocolError: what?"), Level.CRITICAL, "what?"),
        (replace(WELL, last_error="what?", maintenance=WINDOW), Level.OK, "in maintenance until 2026-03-02 09:00 UTC"),
    ],
)
def test_each_state_has_its_level(system: System, level: Level, words: str) -> None:
    found = said(system)
    assert (found.level, words in found.sentence) == (level, True)
    assert PLUGIN.fullmatch(str(found))


@pytest.mark.parametrize(
    ("figures", "level"),
    [
        ({"overdue": timedelta(minutes=15)}, Level.OK),
        ({"overdue": timedelta(minutes=16)}, Level.WARNING),
        ({"overdue": timedelta(minutes=61)}, Level.CRITICAL),
        ({"overdue": timedelta(minutes=61), "dead": 1}, Level.CRITICAL),
        ({"dead": 1}, Level.WARNING),
        ({"held": 1}, Level.WARNING),
        ({"disagreements": 5, "due": 100}, Level.OK),
    ],
)
def test_each_figure_has_its_limit(figures: dict[str, object], level: Level) -> None:
    assert said(WELL, **figures).level is level


def test_the_stop_button_warns_and_a_database_that_holds_itself_is_critical() -> None:
    assert said(WELL, stopped="stopped by ada").level is Level.WARNING
    assert said(WELL, stopped="this database is a copy", by_itself=True).level is Level.CRITICAL


def test_no_word_of_a_tracker_breaks_the_line_or_the_figures() -> None:
    found = said(replace(WELL, last_error="no\nOK - all is well | lag=0s"))
    assert PLUGIN.fullmatch(str(found))
    assert found.level is Level.CRITICAL
