"""The SOAP family keeps the contract: GGUS classic, and an rpc/encoded tracker whose profile no package ships."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from connectors.emulators.ggus import GgusEmulator
from connectors.emulators.rpc import Quirks, RpcEmulator
from connectors.emulators.tracker import Tracker
from connectors.profiled.profile import Profile
from connectors.registry import open_connector, open_profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from tests.conformance.test_connectors import Clock, TrackerPeople, environment, stand_on

CLERK = Path(__file__).parent / "profiles" / "clerk.yaml"


class TestClerk(ConnectorConformance, FaultConformance):
    """Arguments by position, SOAP's own arrays, a log-in; what it answers stands apart and is referred to."""

    quirks = Quirks()

    @pytest.fixture
    def stand(self, tmp_path: Path) -> Iterator[Stand]:
        clock = Clock()
        profile = Profile.model_validate(yaml.safe_load(CLERK.read_text("utf-8")))
        with RpcEmulator(clock, quirks=self.quirks) as emulator:
            wsdl = tmp_path / "clerk.wsdl"
            wsdl.write_bytes(emulator.wsdl())

            def opened(password: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "wsdl": str(wsdl), "user": emulator.username, "password": password}
                return open_profile(profile, settings, system="s", environment=environment(clock))

            connector = opened(emulator.password)
            yield stand_on(
                emulator,
                clock,
                "summary",
                "description",
                connector=connector,
                refused=("status", "done"),
                owner=("assignee", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.password, "wrong-secret"),
            )
            connector.close()


class TestClerkAtItsWorst(TestClerk):
    """Faults with the status of success, in a namespace that does not mean them; nothing stands apart."""

    quirks = Quirks(apart=False, fault_with_200=True, bare_faults=True)


class UnitPeople(TrackerPeople):
    """Somebody whose tickets are for one unit."""

    def __init__(self, tracker: Tracker, subject: str, description: str, unit: str) -> None:
        super().__init__(tracker, subject, description)
        self._unit = unit

    def open(self, subject: str, description: str) -> str:
        words = {self._names[0]: subject, self._names[1]: description, "GHD_Responsible_Unit": self._unit}
        return self._person.open(words)


class TestGgus(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        subject, description = "GHD_Short_Description", "GHD_Description"
        with GgusEmulator(clock) as emulator:

            def opened(password: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "user": emulator.username, "password": password, "unit": emulator.unit}
                return open_connector("ggus", settings, system="s", environment=environment(clock))

            connector = opened(emulator.password)
            stand = stand_on(
                emulator,
                clock,
                subject,
                description,
                connector=connector,
                refused=("GHD_Status", "verified"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.password, "wrong-secret"),
                many=0,  # one answer lists everything: no page has an edge
            )
            yield replace(stand, people=UnitPeople(emulator.tracker, subject, description, emulator.unit))
            connector.close()
