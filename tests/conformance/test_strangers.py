"""Trackers that nobody here has seen, registered by YAML alone: what an evaluator does, done before."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

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
from tests.conformance.strangers.boards import BoardsEmulator
from tests.conformance.strangers.glpi import GlpiEmulator
from tests.conformance.strangers.itop import ItopEmulator
from tests.conformance.strangers.ledger import LedgerEmulator
from tests.conformance.strangers.mantis import MantisEmulator
from tests.conformance.strangers.unicentre import UnicentreEmulator
from tests.conformance.test_zones import CHANGES
from tests.conformance.znuny import ZONES, keeps_time

HERE = Path(__file__).parent / "strangers"


@contextmanager
def standing(
    emulator: Any, clock: Clock, opened: Callable[[str], Connector], secret: str, *shown: str, **more: Any
) -> Iterator[Stand]:
    """A stand on it, whose stranger comes with a wrong secret. `shown`: the fields of subject and description."""
    secrets = (secret, *more.pop("secrets", ()), "wrong-secret")
    with closing(opened(secret)) as connector:
        yield stand_on(
            emulator,
            clock,
            *shown,
            connector=connector,
            stranger=lambda: opened("wrong-secret"),
            secrets=secrets,
            **more,
        )


def opened_by_wsdl(name: str, emulator: Any, clock: Clock, folder: Path, **said: str) -> Callable[[str], Connector]:
    """Opens the stranger of this name with a password; its WSDL is in a file."""
    profile = Profile.model_validate(yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8")))
    wsdl = folder / f"{name}.wsdl"
    wsdl.write_bytes(emulator.wsdl())
    known = {"url": emulator.url, "wsdl": str(wsdl), "user": "interdesk", **said}

    def opened(password: str) -> Connector:
        return open_profile(profile, {**known, "password": password}, system="s", environment=environment(clock))

    return opened


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
            opened = partial(opened_itop, emulator, clock)
            shown = ("title", "description")
            refused, owner = ("status", "resolved"), ("agent", "bob")
            with standing(emulator, clock, opened, emulator.password, *shown, refused=refused, owner=owner) as stand:
                yield stand


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
            opened = partial(opened_glpi, emulator, clock)
            with standing(
                emulator,
                clock,
                opened,
                emulator.user_token,
                "name",
                "content",
                refused=("status", "closed"),
                owner=("assigned", "bob"),
                secrets=(emulator.app_token,),
                expire=emulator.sessions.clear,
            ) as stand:
                yield stand


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


def opened_boards(emulator: BoardsEmulator, clock: Clock, token: str) -> Connector:
    profile = Profile.model_validate(yaml.safe_load((HERE / "boards.yaml").read_text("utf-8")))
    settings = {"url": emulator.url, "project": "Grid", "account": "interdesk", "token": token}
    return open_profile(profile, settings, system="s", environment=environment(clock))


class TestBoards(ConnectorConformance, FaultConformance):
    """Names with dots, JSON Patch, a query that answers bare numbers, tickets read many at a time, a history by field,
    files that are taken in first."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with BoardsEmulator(clock) as emulator:
            opened = partial(opened_boards, emulator, clock)
            shown = ("title", "description")
            refused, owner = ("state", "Done"), ("assigned", "bob")
            with standing(emulator, clock, opened, emulator.token, *shown, refused=refused, owner=owner) as stand:
                yield stand


class TestMantis(ConnectorConformance, FaultConformance):
    """SOAP, rpc/encoded: names and passwords first, pairs of id and name, a list without filter or search."""

    @pytest.fixture
    def stand(self, tmp_path: Path) -> Iterator[Stand]:
        clock = Clock()
        with MantisEmulator(clock) as emulator:
            opened = opened_by_wsdl("mantis", emulator, clock, tmp_path, project="1")
            shown = ("summary", "description")
            refused, owner = ("status", "resolved"), ("handler", "bob")
            with standing(emulator, clock, opened, emulator.password, *shown, refused=refused, owner=owner) as stand:
                yield stand


class TestLedger(ConnectorConformance, FaultConformance):
    """SOAP, document/literal: a session in the header, a list by cursor with an operation of its own, answers as MTOM,
    base64 inside base64."""

    @pytest.fixture
    def stand(self, tmp_path: Path) -> Iterator[Stand]:
        clock = Clock()
        with LedgerEmulator(clock) as emulator:
            opened = opened_by_wsdl("ledger", emulator, clock, tmp_path, unit="Grid")
            with standing(
                emulator,
                clock,
                opened,
                emulator.password,
                "Subject",
                "Details",
                refused=("Status", "Done"),
                owner=("Owner", "bob"),
                expire=emulator.sessions.clear,
            ) as stand:
                yield stand


def opened_unicentre(emulator: UnicentreEmulator, clock: Clock, password: str) -> Connector:
    profile = Profile.model_validate(yaml.safe_load((HERE / "unicentre.yaml").read_text("utf-8")))
    settings = {"url": emulator.url, "user": "interdesk", "password": password, "contact": "cnt:0A"}
    return open_profile(profile, settings, system="s", environment=environment(clock))


class TestUnicentre(ConnectorConformance, FaultConformance):
    """SOAP without a WSDL: handles, documents inside texts, attributes as rows, names and values that take turns."""

    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with UnicentreEmulator(clock) as emulator:
            opened = partial(opened_unicentre, emulator, clock)
            with standing(
                emulator,
                clock,
                opened,
                emulator.password,
                "summary",
                "description",
                note=lambda handle: handle.removeprefix("alg:"),
                refused=("status", "Resolved"),
                owner=("assignee", "bob"),
                expire=emulator.sessions.clear,
            ) as stand:
                yield stand


@pytest.mark.parametrize("name", ["boards", "glpi", "itop", "ledger", "mantis", "unicentre"])
def test_a_stranger_is_taken_in_as_an_operator_writes_it_in_an_afternoon(name: str) -> None:
    file = HERE / f"{name}.yaml"
    (document,) = read_files([file])
    assert profile_document(extended.whole(document, ())).name == name
    assert len(file.read_text("utf-8").splitlines()) < 160, "an afternoon's work"
