"""Every connector that runs without a server keeps the contract: memory, and each shipped profile on its emulator."""

from collections.abc import Iterator

import pytest

from connectors.emulators.tracker import Tracker
from connectors.emulators.znuny import Quirks as ZnunyQuirks
from connectors.emulators.znuny import ZnunyEmulator
from connectors.memory import MemoryConnector
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from connectors.testing.emulated import Clock, TrackerPeople, emulated, environment, stand_for, stand_on
from tests.conformance.odd import PROFILE, OddEmulator
from tests.conformance.znuny import ZONES, ZnunyConformance, keeps_time


class TestMemory(ConnectorConformance):
    @pytest.fixture
    def stand(self) -> Stand:
        clock = Clock()
        tracker = Tracker(clock)
        return Stand(
            MemoryConnector(tracker),
            TrackerPeople(tracker, "subject", "description"),
            subject="subject",
            description="description",
            owner=("owner", "bob"),
            settle=clock.step,
        )


class TestRt(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("rt") as stand:
            yield stand


class TestBugzilla(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("bugzilla") as stand:
            yield stand


class TestRedmine(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("redmine") as stand:
            yield stand


class TestZammad(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("zammad") as stand:
            yield stand


class TestServiceNow(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("servicenow") as stand:
            yield stand


class TestPlain(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("plain") as stand:
            yield stand


class TestJira(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("jira") as stand:
            yield stand


class TestJiraCloud(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("jira-cloud") as stand:
            yield stand


class TestOdd(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with OddEmulator(clock) as emulator:

            def opened(key: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "key": key}
                profile = Profile.model_validate(PROFILE)
                return open_profile(profile, settings, system="s", environment=environment(clock))

            connector = opened(emulator.key)
            yield stand_on(
                emulator,
                clock,
                "subject",
                "description",
                connector=connector,
                refused=("state", "closed"),
                owner=("owner", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.key, "wrong-secret"),
            )
            connector.close()


class TestZnuny(ZnunyConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("znuny") as stand:
            yield stand

    @ZONES
    def test_whatever_zone_it_lives_in_polling_keeps_time(self, zone: str) -> None:
        clock = Clock()
        with ZnunyEmulator(clock, quirks=ZnunyQuirks(zone=zone)) as emulator:
            stand = stand_for("znuny", emulator, clock)
            keeps_time(stand)
            stand.connector.close()

    def test_no_password_and_no_session_is_in_an_address(self) -> None:
        clock = Clock()
        with ZnunyEmulator(clock) as emulator:
            stand = stand_for("znuny", emulator, clock)
            stand.create()
            stand.connector.probe()
            assert all(not each.query for each in emulator.asked)
            stand.connector.close()


class TestZnunyBySoap(ZnunyConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("znuny-soap") as stand:
            yield stand
