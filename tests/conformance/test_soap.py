"""The SOAP family keeps the contract: GGUS classic, and an rpc/encoded tracker whose profile no package ships."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connectors.emulators.rpc import Quirks, RpcEmulator
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from connectors.testing.emulated import Clock, emulated, environment, stand_on

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


class TestGgus(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        with emulated("ggus") as stand:
            yield stand
