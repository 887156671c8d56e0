"""Trackers that nobody here has seen, registered by YAML alone: what an evaluator does, done before."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connectors.api import Connector
from connectors.profiled.profile import Profile
from connectors.registry import open_profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from connectors.testing.emulated import Clock, environment, stand_on
from mappings.loader import read_files
from sync import extended
from sync.config import profile_document
from tests.conformance.strangers.glpi import GlpiEmulator
from tests.conformance.strangers.itop import ItopEmulator
from tests.conformance.strangers.ledger import LedgerEmulator
from tests.conformance.strangers.mantis import MantisEmulator
from tests.conformance.test_zones import CHANGES
from tests.conformance.znuny import ZONES, keeps_time

HERE = Path(__file__).parent / "strangers"


def opened_itop(emulator: ItopEmulator, clock: Clock, password: str) -> Connector:
    profile = Profile.model_validate(yaml.safe_load((HERE / "itop.yaml").read_text("utf-8")))
    said = {"url": emulator.url, "user": "interdesk", "password": password, "org": "1", "caller": "9"}
    settings = {**said, "zone": emulator.zone.key}
    return open_profile(profile, settings, system="s", environment=environment(clock))


def itop_keeps_time(emulator: ItopEmulator, clock: Clock) -> None:
    connector = opened_itop(emulator, clock, emulator.password)
    keeps_time(stand_on(emulator, clock, "title", "description", connector=connector))
    connector.close()


class TestItop(ConnectorConformance, FaultConformance):
    """One address, a form with JSON in it, a language of queries, objects by id, statuses by stimuli."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with ItopEmulator(clock) as emulator:
            connector = opened_itop(emulator, clock, emulator.password)
            yield stand_on(
                emulator,
                clock,
                "title",
                "description",
                connector=connector,
                refused=("status", "resolved"),
                owner=("agent", "bob"),
                stranger=lambda: opened_itop(emulator, clock, "wrong-secret"),
                secrets=(emulator.password, "wrong-secret"),
            )
            connector.close()


@ZONES
def test_whatever_zone_itop_lives_in_polling_keeps_time(zone: str) -> None:
    clock = Clock()
    with ItopEmulator(clock, zone=zone) as emulator:
        itop_keeps_time(emulator, clock)


@pytest.mark.parametrize("change", CHANGES)
def test_while_the_clocks_of_itop_change_polling_keeps_time(change: str) -> None:
    clock = Clock()
    clock.at = CHANGES[change]
    with ItopEmulator(clock) as emulator:
        itop_keeps_time(emulator, clock)


def opened_glpi(emulator: GlpiEmulator, clock: Clock, token: str) -> Connector:
    profile = Profile.model_validate(yaml.safe_load((HERE / "glpi.yaml").read_text("utf-8")))
    said = {"url": emulator.url, "user_token": token, "app_token": emulator.app_token, "entity": "3"}
    settings = {**said, "zone": emulator.zone.key}
    return open_profile(profile, settings, system="s", environment=environment(clock))


def glpi_keeps_time(emulator: GlpiEmulator, clock: Clock) -> None:
    connector = opened_glpi(emulator, clock, emulator.user_token)
    keeps_time(stand_on(emulator, clock, "name", "content", connector=connector))
    connector.close()


class TestGlpi(ConnectorConformance, FaultConformance):
    """A session beside an application's token, columns by number, ranges with their total in a header, errors as lists,
    people by number among a ticket's actors, HTML that is escaped once more, statuses passed over in silence."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with GlpiEmulator(clock) as emulator:
            connector = opened_glpi(emulator, clock, emulator.user_token)
            yield stand_on(
                emulator,
                clock,
                "name",
                "content",
                connector=connector,
                refused=("status", "closed"),
                owner=("assigned", "bob"),
                stranger=lambda: opened_glpi(emulator, clock, "wrong-secret"),
                secrets=(emulator.user_token, emulator.app_token, "wrong-secret"),
                expire=emulator.sessions.clear,
            )
            connector.close()


@ZONES
def test_whatever_zone_glpi_lives_in_polling_keeps_time(zone: str) -> None:
    clock = Clock()
    with GlpiEmulator(clock, zone=zone) as emulator:
        glpi_keeps_time(emulator, clock)


@pytest.mark.parametrize("change", CHANGES)
def test_while_the_clocks_of_glpi_change_polling_keeps_time(change: str) -> None:
    clock = Clock()
    clock.at = CHANGES[change]
    with GlpiEmulator(clock) as emulator:
        glpi_keeps_time(emulator, clock)


class TestMantis(ConnectorConformance, FaultConformance):
    """SOAP, rpc/encoded: names and passwords first, pairs of id and name, a list without filter or search."""

    @pytest.fixture
    def stand(self, tmp_path: Path) -> Iterator[Stand]:
        clock = Clock()
        profile = Profile.model_validate(yaml.safe_load((HERE / "mantis.yaml").read_text("utf-8")))
        with MantisEmulator(clock) as emulator:
            wsdl = tmp_path / "mantis.wsdl"
            wsdl.write_bytes(emulator.wsdl())

            def opened(password: str):  # type: ignore[no-untyped-def]
                said = {"url": emulator.url, "user": "interdesk", "password": password, "project": "1"}
                settings = {**said, "wsdl": str(wsdl)}
                return open_profile(profile, settings, system="s", environment=environment(clock))

            connector = opened(emulator.password)
            yield stand_on(
                emulator,
                clock,
                "summary",
                "description",
                connector=connector,
                refused=("status", "resolved"),
                owner=("handler", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.password, "wrong-secret"),
            )
            connector.close()


class TestLedger(ConnectorConformance, FaultConformance):
    """SOAP, document/literal: a session in the header, a list by cursor with an operation of its own, answers as MTOM,
    base64 inside base64."""

    @pytest.fixture
    def stand(self, tmp_path: Path) -> Iterator[Stand]:
        clock = Clock()
        profile = Profile.model_validate(yaml.safe_load((HERE / "ledger.yaml").read_text("utf-8")))
        with LedgerEmulator(clock) as emulator:
            wsdl = tmp_path / "ledger.wsdl"
            wsdl.write_bytes(emulator.wsdl())

            def opened(password: str):  # type: ignore[no-untyped-def]
                said = {"url": emulator.url, "user": "interdesk", "password": password, "unit": "Grid"}
                settings = {**said, "wsdl": str(wsdl)}
                return open_profile(profile, settings, system="s", environment=environment(clock))

            connector = opened(emulator.password)
            yield stand_on(
                emulator,
                clock,
                "Subject",
                "Details",
                connector=connector,
                refused=("Status", "Done"),
                owner=("Owner", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.password, "wrong-secret"),
                expire=emulator.sessions.clear,
            )
            connector.close()


@pytest.mark.parametrize("name", ["glpi", "itop", "ledger", "mantis"])
def test_a_stranger_is_taken_in_as_an_operator_writes_it_in_an_afternoon(name: str) -> None:
    file = HERE / f"{name}.yaml"
    (document,) = read_files([file])
    assert profile_document(extended.whole(document, ())).name == name
    assert len(file.read_text("utf-8").splitlines()) < 160, "an afternoon's work"
