"""From settings to connectors: everything that is wrong is said at once, and no secret is ever repeated."""

from collections.abc import Mapping
from typing import Any

import pytest

from connectors.api import WriteKind
from connectors.environment import Environment
from connectors.errors import SettingsError
from connectors.memory import MemoryConnector, Tracker
from connectors.profiled.connector import ProfiledConnector
from connectors.profiled.profile import Profile
from connectors.registry import names, open_connector, open_profile, profiles
from tests.unit.connectors.conftest import Clock

GOOD = {"url": "https://rt.example.org/", "queue": "ggus", "token": {"secret": "env:INTERDESK_SECRET_RT"}}


def look_up(reference: str) -> str:
    if reference == "env:INTERDESK_SECRET_RT":
        return "1-14-secret"
    raise LookupError(f"the variable of {reference} is not set")


def problems(settings: Mapping[str, Any], here: Environment) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(SettingsError) as raised:
        open_connector("rt", settings, system="s", environment=here, secrets=look_up)
    return dict(raised.value.problems)


def test_the_shipped_connectors_have_names() -> None:
    assert {"memory", "plain", "redmine", "rt"} <= set(names())


def test_good_settings_open_a_connector_that_has_asked_nobody_yet(here: Environment) -> None:
    connector = open_connector("rt", GOOD, system="s", environment=here, secrets=look_up)
    assert isinstance(connector, ProfiledConnector)
    assert connector.capabilities.notifies[WriteKind.COMMENT].to
    connector.close()


def test_everything_that_is_wrong_is_said_at_once(here: Environment) -> None:
    found = problems({"ur": "x", "queue": "", "token": "1-14-secret", "external_id": 3.5, "account": True}, here)
    assert set(found) == {("ur",), ("url",), ("queue",), ("token",), ("external_id",), ("account",)}
    assert "did you mean 'url'" in found[("ur",)]
    assert "1-14-secret" not in str(found)


def test_a_secret_that_is_missing_is_told_where_it_is_named(here: Environment) -> None:
    found = problems({**GOOD, "token": {"secret": "env:INTERDESK_SECRET_NO"}}, here)
    assert found == {("token", "secret"): "the variable of env:INTERDESK_SECRET_NO is not set"}


@pytest.mark.parametrize(
    "url",
    [
        *("rt.example.org", "ftp://rt.example.org", "https://", "https://user:pw@rt.example.org", "https://x/?a=b"),
        *("https://x/#top", "https://[::1", "https://x:99999999", "javascript:alert(1)"),
    ],
)
def test_an_address_that_is_none_is_refused(here: Environment, url: str) -> None:
    assert set(problems({**GOOD, "url": url}, here)) == {("url",)}


@pytest.mark.parametrize("url", ["https://we:s3cr3t@x", "ftp://we:s3cr3t@x", "https://we:s3cr3t@x:99999999"])
def test_a_password_in_an_address_is_refused_and_not_said_again(here: Environment, url: str) -> None:
    assert "s3cr3t" not in str(problems({**GOOD, "url": url}, here))


def test_a_file_of_certificates_that_cannot_be_read_is_told(here: Environment, tmp_path: Any) -> None:
    assert set(problems({**GOOD, "ca_file": str(tmp_path / "none.pem")}, here)) == {("ca_file",)}
    (tmp_path / "empty.pem").write_text("no certificate")
    assert set(problems({**GOOD, "ca_file": str(tmp_path / "empty.pem")}, here)) == {("ca_file",)}


def test_an_unknown_connector_is_told_with_the_nearest(here: Environment) -> None:
    with pytest.raises(LookupError, match="did you mean 'redmine'"):
        open_connector("redmin", {}, system="s", environment=here)


def test_memory_is_pointed_at_a_tracker_by_name(clock: Clock) -> None:
    tracker = Tracker(clock)
    here = Environment(clock=clock, trackers={"desk": tracker})
    connector = open_connector("memory", {"tracker": "desk"}, system="s", environment=here)
    assert isinstance(connector, MemoryConnector)
    assert connector.tracker is tracker
    with pytest.raises(SettingsError) as raised:
        open_connector("memory", {"tracker": "dosk", "x": 1}, system="s", environment=here)
    assert len(raised.value.problems) == 2


def test_a_profile_of_an_operator_opens_like_a_shipped_one(here: Environment) -> None:
    data = profiles()["plain"].model_dump(mode="json")
    data["name"] = "theirs"
    connector = open_profile(
        Profile.model_validate(data), {"url": "https://x.example.org", "key": "k"}, system="s", environment=here
    )
    assert isinstance(connector, ProfiledConnector)


def test_a_profile_can_name_shipped_quirks_and_nothing_else(here: Environment) -> None:
    profile = profiles()["plain"].model_copy(update={"quirks": "os.system"})
    with pytest.raises(SettingsError, match=r"os\.system"):
        open_profile(profile, {"url": "https://x.example.org", "key": "k"}, system="s", environment=here)


@pytest.mark.parametrize("name", ["rt", "redmine", "plain"])
def test_a_profile_says_what_each_setting_is(name: str) -> None:
    profile = profiles()[name]
    assert all(len(setting.says) > 5 for setting in profile.settings.values())
    assert profile.name == name
