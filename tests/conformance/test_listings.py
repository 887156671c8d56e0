"""What the contract says of polling holds however a tracker lists: the same claims and tracker, another listing."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml

from connectors.emulators.plain import PlainEmulator
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import ConnectorConformance, Stand
from connectors.testing.emulated import Clock, environment, stand_on

SECONDS = {"form": "%Y-%m-%dT%H:%M:%S%z", "zone": "Asia/Kathmandu"}
OFFSET = {"query": {"limit": "{per_page}", "start": "{offset}"}, "pages": {"by": "offset"}}
SINCE = {"scan": {}, "changes": {"since": "{since}"}, "moments": SECONDS}
NEWEST = {"newest": {"newest": "1"}}
LISTINGS: dict[str, dict[str, Any]] = {
    "by offset": {**OFFSET, **SINCE, **NEWEST},
    "by offset, with a total, from now on": {**OFFSET, **SINCE, "total": "total"},
    "by offset, the oldest change first": {
        **OFFSET,
        **SINCE,
        "changes": {"since": "{since}", "oldest": "1"},
        "order": "time",
    },
    "by a limit alone": {
        "query": {"limit": "{per_page}", "oldest": "1"},
        "pages": {"by": "none", "most": 1000},
        "order": "time",
        **SINCE,
        "scan": {"since": "{since}"},
    },
    "the newest first": {**OFFSET, "scan": {"newest": "1"}, "changes": {"newest": "1"}, "order": "newest"},
    "everything each time": {**OFFSET, "scan": {}, "changes": {}},
    "by whole days": {**OFFSET, **SINCE, "moments": {"form": "%Y-%m-%dT00:00:00%z", "step": "P1D"}, **NEWEST},
    "compared": {**OFFSET, "scan": {}, "changes": {}, "compare": True},
}
CLAIMS = [
    ConnectorConformance.test_going_live_carries_only_later_changes,
    ConnectorConformance.test_a_change_is_listed_again_where_the_caller_overlaps,
    ConnectorConformance.test_a_row_shows_the_version_that_the_ticket_has,
    ConnectorConformance.test_many_changes_of_one_moment_are_all_listed_even_while_they_move,
    ConnectorConformance.test_a_full_scan_lists_every_ticket_once,
    ConnectorConformance.test_the_probe_finds_all_well_and_writes_nothing,
    ConnectorConformance.test_a_created_ticket_bears_what_was_sent_and_is_found_by_its_token,
]


@pytest.fixture(params=LISTINGS, ids=str)
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    clock = Clock()
    data = yaml.safe_load(files("connectors.profiles").joinpath("plain.yaml").read_text("utf-8"))
    told = {name: said for name, said in data["listing"].items() if name not in ("scan", "changes", "newest", "query")}
    profile = Profile.model_validate({**data, "listing": {**told, **LISTINGS[request.param]}})
    with PlainEmulator(clock) as emulator:
        settings = {"url": emulator.url, "key": emulator.key}
        connector = open_profile(profile, settings, system="s", environment=environment(clock))
        yield stand_on(emulator, clock, "subject", "description", connector=connector)
        connector.close()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_however_it_lists(stand: Stand, claim: Callable[[ConnectorConformance, Stand], None]) -> None:
    claim(ConnectorConformance(), stand)
