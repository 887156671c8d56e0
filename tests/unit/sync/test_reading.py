"""What one reading proves, and for how long it may hide something."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.api import RemoteTicket, VersionStrength
from sync.reading import racy_window
from sync.simulation.members import REDMINE_LIKE
from tests.unit.sync.world import World

CHANGED_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WEAK = replace(REDMINE_LIKE, granularity=timedelta(seconds=1), search_lag=timedelta(seconds=30))
WINDOW = timedelta(seconds=31)
"""Within the grain of the version something may move unseen, and their list may show it as late as its index is."""


@pytest.mark.parametrize(
    ("age", "window"),
    [
        (timedelta(0), WINDOW),
        (timedelta(seconds=2), WINDOW),
        (timedelta(seconds=30, milliseconds=500), WINDOW),
        (WINDOW, WINDOW),
        (timedelta(seconds=32), None),
    ],
)
def test_a_weak_version_is_racy_until_their_own_clock_has_passed_its_grain_and_their_lag(
    age: timedelta, window: timedelta | None
) -> None:
    world = World(redmine=WEAK)
    read = RemoteTicket("1", "v", {}, None, changed_at=CHANGED_AT, read_at=CHANGED_AT + age)
    assert racy_window(world.mesh.gateways.get("ngi-pl"), read) == window


@pytest.mark.parametrize("unknown", ["changed_at", "read_at"])
def test_a_weak_version_whose_age_nobody_can_tell_is_racy(unknown: str) -> None:
    world = World(redmine=WEAK)
    read = RemoteTicket("1", "v", {}, None, changed_at=CHANGED_AT, read_at=CHANGED_AT + timedelta(days=1))
    assert racy_window(world.mesh.gateways.get("ngi-pl"), replace(read, **{unknown: None})) == WINDOW


def test_a_strong_version_hides_nothing() -> None:
    world = World(redmine=replace(WEAK, row_version=VersionStrength.STRONG))
    read = RemoteTicket("1", "v", {}, None, changed_at=CHANGED_AT, read_at=CHANGED_AT)
    assert racy_window(world.mesh.gateways.get("ngi-pl"), read) is None
