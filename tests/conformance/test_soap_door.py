"""Our own GGUS profile against our own SOAP door: whoever spoke to GGUS speaks to us."""

from collections.abc import Iterator, Mapping

import pytest

from central.desk.services.tickets import Upload
from central.desk.soap.fields import FIELD_OF
from central.model import Person
from connectors.api import Connector, Value
from connectors.registry import open_connector
from connectors.testing import ConnectorConformance, Stand
from connectors.testing.emulated import Clock, environment
from sync.centre import Centre
from tests.unit.central.desk.soap.hotline import Hotline
from tests.unit.sync.world import World

ALICE = Person("alice", "alice", "alice@example.org")


class People:
    """Alice, at work at the centre."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def open(self, subject: str, description: str) -> str:
        values = {"subject": subject, "description": description, "unit": "NGI_CZ"}
        return str(self._centre.open(values, ALICE).id)

    def change(self, key: str, field: str, value: Value) -> None:
        self._centre.change(int(key), {FIELD_OF[field]: value}, ALICE)

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        uploads = [Upload(name, "text/plain", [content]) for name, content in (files or {}).items()]
        self._centre.comment(int(key), text, ALICE, internal=internal, files=uploads)

    def reword(self, key: str, comment_id: str, text: str) -> None:
        raise AssertionError("GGUS's diaries are not edited")


class TestOurOwnDoor(ConnectorConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock, world = Clock(), World()

        def opened(password: str) -> Connector:
            settings = {"url": line.url, "user": "ngi-cz", "unit": "NGI_CZ", "password": password}
            return open_connector("ggus", settings, system="s", environment=environment(clock))

        with Hotline(world, clock=clock) as line:
            connector = opened("ngi-cz")
            yield Stand(
                connector,
                People(line.centre),
                "GHD_Short_Description",
                "GHD_Description",
                refused=("GHD_Status", "verified"),
                stranger=lambda: opened("wrong-secret"),
                secrets=("wrong-secret",),
                many=0,
                settle=clock.step,
            )
            connector.close()
