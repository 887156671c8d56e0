"""Every connector that runs without a server keeps the contract: memory, and the REST family on its emulators."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from connectors.api import Value
from connectors.emulators.jira import JiraEmulator
from connectors.emulators.jira import Quirks as JiraQuirks
from connectors.emulators.plain import PlainEmulator
from connectors.emulators.redmine import RedmineEmulator
from connectors.emulators.rt import RtEmulator
from connectors.emulators.server import Asked, Emulator, Fault
from connectors.emulators.servicenow import ServiceNowEmulator
from connectors.emulators.tracker import Person, Tracker
from connectors.emulators.zammad import ZammadEmulator
from connectors.emulators.znuny import Quirks as ZnunyQuirks
from connectors.emulators.znuny import ZnunyEmulator
from connectors.environment import Environment
from connectors.memory import MemoryConnector
from connectors.profiled.profile import Profile
from connectors.registry import open_connector, open_profile
from connectors.testing import ConnectorConformance, FaultConformance, Stand
from tests.conformance.odd import PROFILE, OddEmulator
from tests.conformance.znuny import ZONES, ZnunyConformance, keeps_time


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.at

    def step(self) -> None:
        self.at += timedelta(seconds=1)


class TrackerPeople:
    """Alice, at work in a tracker in memory."""

    def __init__(self, tracker: Tracker, subject: str, description: str, note: Callable[[str], str] = str) -> None:
        self._person = Person(tracker, "alice")
        self._names = (subject, description)
        self._note = note

    def open(self, subject: str, description: str) -> str:
        return self._person.open({self._names[0]: subject, self._names[1]: description})

    def change(self, key: str, field: str, value: Value) -> None:
        self._person.edit(key, {field: value})

    def say(self, key: str, text: str, *, internal: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        self._person.comment(key, text, internal=internal, files=files or {})

    def reword(self, key: str, comment_id: str, text: str) -> None:
        if text:
            self._person.reword(key, self._note(comment_id), text)
        else:
            self._person.unsay(key, self._note(comment_id))


FAULTS = {
    "lost": Fault("lose"),
    "page": Fault("page after"),
    "cut": Fault("cut"),
    "failed": Fault("status", status=500),
    "busy": Fault("refuse", status=429, headers={"Retry-After": "7"}),
    "slow": Fault("drip head", pause=0.2),
    "bomb": Fault("bomb", size=4 << 20),
    "redirect": Fault("redirect"),
}
WRITES = ("create", "update", "comment", "amend", "upload")


def environment(clock: Clock) -> Environment:
    """Loopback may be spoken to, nobody waits, and answers are small. Only where one drips is the deadline short."""
    drips = "slow" in os.environ.get("PYTEST_CURRENT_TEST", "")
    return Environment(
        clock=clock,
        sleep=lambda _: None,
        allowed_networks=(ip_network("127.0.0.0/8"),),
        deadline=timedelta(seconds=1 if drips else 10),
        max_answer=1 << 21,
    )


def faults_of(emulator: Emulator):  # type: ignore[no-untyped-def]  # a fixture's helper
    @contextmanager
    def faults(how: str, operation: str) -> Iterator[None]:
        if how == "down":
            emulator.stop()
            yield
            emulator.start()
            return

        def fault(asked: Asked) -> Fault | None:
            return FAULTS[how] if asked.kind == operation else None

        emulator.fault = fault
        yield
        emulator.fault = None

    return faults


def stand_on(
    emulator: Emulator,
    clock: Clock,
    subject: str,
    description: str,
    note: Callable[[str], str] = str,
    **more: object,
) -> Stand:
    """A stand on an emulator. `note` makes the tracker's own id of a comment of what the connector calls it."""
    return Stand(
        people=TrackerPeople(emulator.tracker, subject, description, note),
        subject=subject,
        description=description,
        settle=clock.step,
        faults=faults_of(emulator),
        writes=lambda: sum(emulator.counts[kind] for kind in WRITES),
        **more,  # type: ignore[arg-type]  # the stand's own fields
    )


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
        clock = Clock()
        with RtEmulator(clock) as emulator:
            settings = {"url": emulator.url, "queue": "ggus"}

            def opened(token: str):  # type: ignore[no-untyped-def]
                return open_connector("rt", {**settings, "token": token}, system="s", environment=environment(clock))

            connector = opened(emulator.token)
            yield stand_on(
                emulator,
                clock,
                "Subject",
                "Description",
                connector=connector,
                refused=("Status", "resolved"),
                owner=("Owner", "bob"),
                stranger=lambda: opened("1-99-wrong-secret"),
                secrets=(emulator.token, "1-99-wrong-secret"),
            )
            connector.close()


class TestRedmine(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with RedmineEmulator(clock, people=["alice", "bob"]) as emulator:
            settings = {"url": emulator.url, "project": "ggus", "external_id": 1}

            def opened(key: str):  # type: ignore[no-untyped-def]
                return open_connector(
                    "redmine", {**settings, "api_key": key}, system="s", environment=environment(clock)
                )

            connector = opened(emulator.api_key)
            yield stand_on(
                emulator,
                clock,
                "subject",
                "description",
                connector=connector,
                refused=("status", "Closed"),
                owner=("assigned_to", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.api_key, "wrong-secret"),
            )
            connector.close()


class TestZammad(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with ZammadEmulator(clock, agents=["alice", "bob"]) as emulator:
            settings = {"url": emulator.url, "group": "ggus", "customer": "ggus-sync"}

            def opened(token: str):  # type: ignore[no-untyped-def]
                return open_connector(
                    "zammad", {**settings, "token": token}, system="s", environment=environment(clock)
                )

            connector = opened(emulator.token)
            yield stand_on(
                emulator,
                clock,
                "title",
                "description",
                connector=connector,
                refused=("state", "pending reminder"),
                owner=("owner", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.token, "wrong-secret"),
            )
            connector.close()


class TestServiceNow(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with ServiceNowEmulator(clock, people=["alice", "bob"]) as emulator:
            settings = {
                "url": emulator.url,
                "group": "Grid",
                "account": emulator.login,
                "client_id": emulator.client_id,
            }

            def opened(secret: str):  # type: ignore[no-untyped-def]
                return open_connector(
                    "servicenow", {**settings, "client_secret": secret}, system="s", environment=environment(clock)
                )

            connector = opened(emulator.client_secret)
            yield stand_on(
                emulator,
                clock,
                "short_description",
                "description",
                emulator.note,
                connector=connector,
                refused=("state", "6"),
                owner=("assigned_to", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.client_secret, "wrong-secret"),
            )
            connector.close()


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


class TestPlain(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with PlainEmulator(clock) as emulator:

            def opened(key: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "key": key}
                return open_connector("plain", settings, system="s", environment=environment(clock))

            connector = opened(emulator.key)
            yield stand_on(
                emulator,
                clock,
                "subject",
                "description",
                connector=connector,
                owner=("assigned_to", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.key, "wrong-secret"),
            )
            connector.close()


class TestJira(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with JiraEmulator(clock, people=["alice", "bob"], quirks=JiraQuirks(zone="Asia/Kolkata")) as emulator:

            def opened(token: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "project": "GGUS", "token": token}
                return open_connector("jira", settings, system="s", environment=environment(clock))

            connector = opened(emulator.token)
            yield stand_on(
                emulator,
                clock,
                "summary",
                "description",
                connector=connector,
                refused=("status", "Closed"),
                owner=("assignee", "bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.token, "wrong-secret"),
            )
            connector.close()


class TestJiraCloud(ConnectorConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        quirks = JiraQuirks(cloud=True, zone="America/St_Johns")
        with JiraEmulator(clock, people=["alice", "bob"], quirks=quirks) as emulator:

            def opened(token: str):  # type: ignore[no-untyped-def]
                settings = {"url": emulator.url, "project": "GGUS", "account": "ggus-sync", "token": token}
                return open_connector("jira-cloud", settings, system="s", environment=environment(clock))

            connector = opened(emulator.token)
            yield stand_on(
                emulator,
                clock,
                "summary",
                "description",
                connector=connector,
                refused=("status", "Closed"),
                owner=("assignee", "712020:bob"),
                stranger=lambda: opened("wrong-secret"),
                secrets=(emulator.token, "wrong-secret"),
            )
            connector.close()


def znuny_stand(emulator: ZnunyEmulator, clock: Clock, zone: str = "UTC", connector: str = "znuny") -> Stand:
    settings = {
        "url": f"{emulator.url}/otrs",
        "queue": "ggus",
        "login": "ggus-sync",
        "customer": "customer",
        "zone": zone,
    }

    def opened(password: str):  # type: ignore[no-untyped-def]
        here = environment(clock)
        said = {**settings, "zone": zone, "password": password}
        return open_connector(connector, said, system="s", environment=here)

    return stand_on(
        emulator,
        clock,
        "Title",
        "Description",
        connector=opened(emulator.password),
        refused=("State", "no such state"),
        owner=("Owner", "bob"),
        stranger=lambda: opened("wrong-secret"),
        secrets=(emulator.password, "wrong-secret"),
        expire=emulator.sessions.clear,
    )


class TestZnuny(ZnunyConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with ZnunyEmulator(clock, people=["bob"]) as emulator:
            stand = znuny_stand(emulator, clock)
            yield stand
            stand.connector.close()

    @ZONES
    def test_whatever_zone_it_lives_in_polling_keeps_time(self, zone: str) -> None:
        clock = Clock()
        with ZnunyEmulator(clock, quirks=ZnunyQuirks(zone=zone)) as emulator:
            stand = znuny_stand(emulator, clock, zone)
            keeps_time(stand)
            stand.connector.close()

    def test_no_password_and_no_session_is_in_an_address(self) -> None:
        clock = Clock()
        with ZnunyEmulator(clock) as emulator:
            stand = znuny_stand(emulator, clock)
            stand.create()
            stand.connector.probe()
            assert all(not each.query for each in emulator.asked)
            stand.connector.close()


class TestZnunyBySoap(ZnunyConformance, FaultConformance):
    @pytest.fixture
    def stand(self) -> Iterator[Stand]:
        clock = Clock()
        with ZnunyEmulator(clock, people=["bob"]) as emulator:
            stand = znuny_stand(emulator, clock, connector="znuny-soap")
            yield stand
            stand.connector.close()
