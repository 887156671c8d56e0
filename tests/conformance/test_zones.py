"""Wherever a tracker or our account in it lives, and while its clocks change, polling brings what changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.emulators import ggus, jira, rt, servicenow, znuny
from connectors.testing.emulated import EMULATED, Clock, stand_for
from tests.conformance.znuny import ZONES, keeps_time

LIVES: dict[str, Callable[[Clock, str], Any]] = {
    "ggus": lambda clock, zone: ggus.GgusEmulator(clock, quirks=ggus.Quirks(zone=ZoneInfo(zone))),
    "jira": lambda clock, zone: jira.JiraEmulator(clock, people=["alice"], quirks=jira.Quirks(zone=zone)),
    "jira-cloud": lambda clock, zone: jira.JiraEmulator(
        clock, people=["alice"], quirks=jira.Quirks(cloud=True, zone=zone)
    ),
    "rt": lambda clock, zone: rt.RtEmulator(clock, quirks=rt.Quirks(zone=zone)),
    "servicenow": lambda clock, zone: servicenow.ServiceNowEmulator(
        clock, people=["alice"], quirks=servicenow.Quirks(zone=ZoneInfo(zone).utcoffset(clock()) or timedelta(0))
    ),
    "znuny": lambda clock, zone: znuny.ZnunyEmulator(clock, quirks=znuny.Quirks(zone=zone)),
    "znuny-soap": lambda clock, zone: znuny.ZnunyEmulator(clock, quirks=znuny.Quirks(zone=zone)),
}
UTC_ALONE = sorted(EMULATED.keys() - LIVES.keys())
"""Those whose products say every time in UTC, wherever they live."""
CHANGES = {
    "forward": datetime(2026, 3, 29, 0, 59, 57, tzinfo=UTC),
    "back": datetime(2026, 10, 25, 0, 59, 57, tzinfo=UTC),
}


@pytest.mark.parametrize("name", LIVES)
@ZONES
def test_whatever_zone_it_lives_in_polling_keeps_time(name: str, zone: str) -> None:
    clock = Clock()
    with LIVES[name](clock, zone) as emulator:
        stand = stand_for(name, emulator, clock)
        keeps_time(stand)
        stand.connector.close()


@pytest.mark.parametrize("name", [*LIVES, *UTC_ALONE])
@pytest.mark.parametrize("change", CHANGES)
def test_while_its_clocks_change_polling_keeps_time(name: str, change: str) -> None:
    clock = Clock()
    clock.at = CHANGES[change]
    with LIVES[name](clock, "Europe/Berlin") if name in LIVES else EMULATED[name].make(clock) as emulator:
        stand = stand_for(name, emulator, clock)
        keeps_time(stand)
        stand.connector.close()
