"""Polling where trackers make it hard: time zones, summer time, clocks that are off, rights that shorten pages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.api import Connector, Cursor
from connectors.emulators.redmine import Quirks as RedmineQuirks
from connectors.emulators.redmine import RedmineEmulator
from connectors.emulators.rt import Quirks, RtEmulator
from connectors.environment import Environment
from connectors.registry import open_connector
from connectors.testing import listed
from tests.unit.connectors.conftest import Clock

OVERLAP = timedelta(minutes=5)


@pytest.fixture
def rt(clock: Clock) -> Iterator[RtEmulator]:
    with RtEmulator(clock) as running:
        yield running


@pytest.fixture
def redmine(clock: Clock) -> Iterator[RedmineEmulator]:
    with RedmineEmulator(clock) as running:
        yield running


def on_rt(rt: RtEmulator, here: Environment) -> Connector:
    return open_connector("rt", {"url": rt.url, "queue": "ggus", "token": rt.token}, system="s", environment=here)


def on_redmine(redmine: RedmineEmulator, here: Environment) -> Connector:
    settings = {"url": redmine.url, "project": "ggus", "api_key": redmine.api_key, "external_id": 1}
    return open_connector("redmine", settings, system="s", environment=here)


def poll(connector: Connector, cursor: Cursor) -> tuple[set[str], Cursor]:
    """A round as the scheduler makes it: a little earlier than it must, and never back behind where it was."""
    changes, after = listed(connector, Cursor(cursor.at - OVERLAP, cursor.position))
    return {each.key for each in changes}, replace(after, at=max(after.at, cursor.at))


ZONES = [
    *("UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"),
    "Australia/Lord_Howe",
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hours_off", [-7, 0, 1])
def test_no_time_zone_and_no_clock_changes_what_is_listed(
    rt: RtEmulator, here: Environment, clock: Clock, zone: str, hours_off: int
) -> None:
    """Failure case 10."""
    rt.quirks = Quirks(zone=zone)
    rt.tracker.offset = timedelta(hours=hours_off)
    alice = rt.tracker.person("alice")
    old = alice.open({"Subject": "old"})
    clock.passes(seconds=1)
    connector = on_rt(rt, here)
    cursor = connector.changes(None).cursor
    clock.passes(hours=1)
    new = alice.open({"Subject": "new"})
    keys, cursor = poll(connector, cursor)
    assert keys == {new}
    clock.passes(hours=3)
    alice.edit(old, {"Subject": "touched"})
    keys, cursor = poll(connector, cursor)
    assert keys == {old, new}, "the one at the edge comes again"
    keys, cursor = poll(connector, cursor)
    assert keys == {old}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("around", ["2026-03-29T00:59:00Z", "2026-10-25T00:30:00Z", "2026-11-01T05:30:00Z"])
def test_no_change_of_summer_time_loses_a_change(here: Environment, clock: Clock, zone: str, around: str) -> None:
    """Every minute of three hours on either side: RT's own reading of times is off by an hour for a while."""
    clock.at = datetime.fromisoformat(around) - timedelta(hours=8)
    with RtEmulator(clock, quirks=Quirks(zone=zone)) as rt:
        alice, connector = rt.tracker.person("alice"), on_rt(rt, here)
        cursor = connector.changes(None).cursor
        missing: set[str] = set()
        for minute in range(16 * 12):
            clock.passes(minutes=5)
            missing.add(alice.open({"Subject": str(minute)}))
            keys, cursor = poll(connector, cursor)
            missing -= keys
            assert not missing, f"lost at {clock.at}"


def test_without_the_witness_a_round_is_asked_again_with_all_doubt_taken_off(
    rt: RtEmulator, here: Environment, clock: Clock
) -> None:
    alice, connector = rt.tracker.person("alice"), on_rt(rt, here)
    key = alice.open({"Subject": "the only witness"})
    clock.passes(seconds=1)
    cursor = connector.changes(None).cursor
    rt.tracker.delete("alice", key)
    clock.passes(minutes=10)
    new = alice.open({"Subject": "new"})
    before = rt.counts["list"]
    keys, cursor = poll(connector, cursor)
    assert keys == {new}
    assert rt.counts["list"] - before == 2
    before = rt.counts["list"]
    poll(connector, cursor)
    assert rt.counts["list"] - before == 1, "the new one bears witness from now on"


def test_a_quiet_system_costs_one_request_a_poll(
    rt: RtEmulator, redmine: RedmineEmulator, here: Environment, clock: Clock
) -> None:
    for emulator, connector, subject in (
        (rt, on_rt(rt, here), "Subject"),
        (redmine, on_redmine(redmine, here), "subject"),
    ):
        emulator.tracker.person("alice").open({subject: "old"})
        clock.passes(minutes=1)
        cursor = connector.changes(None).cursor
        before = emulator.counts.total()
        for _ in range(60):
            clock.passes(minutes=1)
            keys, cursor = poll(connector, cursor)
            assert keys == set()
        assert emulator.counts.total() - before == 60


@pytest.mark.parametrize("hours_off", [-30, 0, 5])
@pytest.mark.parametrize("tells_time", [True, False])
def test_an_empty_project_is_begun_with_whatever_its_clock_says(
    redmine: RedmineEmulator, here: Environment, clock: Clock, hours_off: int, tells_time: bool
) -> None:
    redmine.tracker.offset = timedelta(hours=hours_off)
    redmine.quirks = RedmineQuirks(tells_time=tells_time)
    connector = on_redmine(redmine, here)
    first = connector.changes(None)
    assert first.changes == ()
    key = redmine.tracker.person("alice").open(subject="first of all")
    keys, cursor = poll(connector, first.cursor)
    assert keys == {key}
    clock.passes(hours=1)
    assert poll(connector, cursor)[0] == {key}, "inclusive"


def test_a_floor_holds_though_the_caller_overlaps(redmine: RedmineEmulator, here: Environment, clock: Clock) -> None:
    alice = redmine.tracker.person("alice")
    for number in range(250):
        alice.open(subject=f"old {number}")
    connector = on_redmine(redmine, here)
    cursor = connector.changes(None).cursor
    assert poll(connector, cursor)[0] == set(), "250 of one second, all there before"
    clock.passes(seconds=1)
    alice.edit("7", subject="touched")
    keys, cursor = poll(connector, cursor)
    assert keys == {"7"}


def test_short_pages_are_not_taken_for_the_end_where_rows_cannot_be_counted(
    rt: RtEmulator, here: Environment, clock: Clock
) -> None:
    rt.quirks = Quirks(counts_rows=False)
    connector = on_rt(rt, here)
    cursor = connector.changes(None).cursor
    clock.passes(seconds=1)
    key = rt.tracker.person("alice").open({"Subject": "x"})
    page = connector.changes(cursor)
    assert [each.key for each in page.changes] == [key]
    assert page.more
    rest = connector.changes(page.cursor)
    assert not rest.more
    assert rest.changes == ()


def test_a_round_is_continued_by_another_process(redmine: RedmineEmulator, here: Environment, clock: Clock) -> None:
    connector = on_redmine(redmine, here)
    cursor = connector.changes(None).cursor
    clock.passes(seconds=1)
    keys = [redmine.tracker.person("alice").open(subject=str(number)) for number in range(120)]
    page = connector.changes(cursor)
    assert page.more
    assert page.cursor.at == cursor.at, "until a round ends, the next may begin where it began"
    rest, _ = listed(on_redmine(redmine, here), Cursor(page.cursor.at - OVERLAP, page.cursor.position))
    assert [each.key for each in (*page.changes, *rest)] == keys


def test_a_tracker_that_ignores_the_time_is_found_by_the_probe(
    redmine: RedmineEmulator, here: Environment, clock: Clock
) -> None:
    redmine.tracker.person("alice").open(subject="x")
    redmine.tracker.issues["1"].changed_at = clock() + timedelta(days=400)
    findings = on_redmine(redmine, here).probe()
    assert any("ignores the time" in each.sentence for each in findings if not each.ok)


def test_a_clock_that_is_off_is_told_by_the_probe(rt: RtEmulator, here: Environment) -> None:
    rt.tracker.offset = timedelta(hours=1)
    sentences = [each.sentence for each in on_rt(rt, here).probe()]
    assert any("1:00:00 ahead of ours" in each for each in sentences)
