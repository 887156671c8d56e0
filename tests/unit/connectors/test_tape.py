"""A tape of a tracker that gives sessions: none of them is on it, and it plays all the same."""

from datetime import UTC, datetime

import pytest

from connectors.emulators.gnarly import GnarlyEmulator
from connectors.environment import Environment
from connectors.profiled.connector import ProfiledConnector
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.tape import Player, Recorder, dumped
from tests.conformance.test_access import PROFILES, awkward
from tests.unit.connectors.conftest import LOOPBACK, Clock


def opened(profile: Profile, url: str, environment: Environment, key: str, password: str) -> ProfiledConnector:
    settings = {"url": url, "key": key, "password": password}
    connector = open_profile(profile, settings, system="s", environment=environment)
    assert isinstance(connector, ProfiledConnector)
    return connector


@pytest.mark.parametrize("way", PROFILES)
def test_no_secret_of_any_kind_is_on_a_tape_and_it_plays_as_it_was_answered(way: str, clock: Clock) -> None:
    switches, credentials, errors = PROFILES[way]
    profile = awkward(credentials, errors)
    recorder = Recorder(lambda: datetime.now(UTC), str)
    with GnarlyEmulator(clock, switches) as emulator:
        emulator.key, emulator.password = "s3cr3t & key/1", "s3cr3t + päss"
        key = emulator.tracker.person("alice").open(subject="jobs fail", description="since noon")
        here = Environment(clock=clock, allowed_networks=LOOPBACK, wire=recorder)
        live = opened(profile, emulator.url, here, emulator.key, emulator.password)
        heard = live.fetch(key, known=())
        live.close()
        recorder.blot(live.scrub)
        secrets = (emulator.key, emulator.password, "s3cr3t", *emulator.given)
    text = str(dumped(recorder.exchanges))
    assert [each for each in secrets if each in text] == []
    player = Player(recorder.exchanges)
    played = opened(profile, "http://nowhere.invalid", Environment(clock=clock, wire=player), "other", "other")
    assert played.fetch(key, known=()).fields == heard.fields
