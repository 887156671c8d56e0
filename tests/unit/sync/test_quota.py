"""`limits.per_minute`: one quota for every process that shares a database."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from central.store.api import CommitFailed
from central.store.memory import MemoryStore
from central.store.migrations import upgrade
from central.store.sql import SqlStore
from connectors.emulators.rt import RtEmulator
from connectors.environment import Environment
from connectors.errors import QuotaSpent
from sync.kinds import ConnectorKinds
from sync.secrets import Secrets


class Time:
    """Time that passes only by sleeping."""

    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/interdesk.db"
    upgrade(url)
    return url


def test_two_processes_that_share_a_database_spend_one_quota(database: str) -> None:
    time = Time()
    environment = Environment(clock=time.clock, sleep=time.sleep, allowed_networks=(ip_network("127.0.0.0/8"),))
    with RtEmulator(time.clock) as rt:
        settings = {"url": rt.url, "queue": rt.queue, "token": {"secret": "env:INTERDESK_SECRET_CZ"}}
        secrets = Secrets({"INTERDESK_SECRET_CZ": rt.token})
        stores = [SqlStore.open(database, clock=time.clock, exclusive=False) for _ in range(2)]
        connectors = [
            ConnectorKinds(environment, secrets, store).open("rt", settings, "ngi-cz", per_minute=60)
            for store in stores
        ]
        started = time.now
        while time.now == started:
            for connector in connectors:
                connector.changes(None)
        sent, began = rt.counts.total(), time.now
        while time.now < began + timedelta(minutes=1):
            for connector in connectors:
                connector.changes(None)
        assert sent <= 12, "ten seconds' worth at once, whoever asks"
        assert 58 <= rt.counts.total() - sent <= 64
        for each in (*connectors, *stores):
            each.close()


class FullDisk(MemoryStore):
    """A store that can commit nothing."""

    def write(self, change, *, durable=True):
        raise CommitFailed("the disk is full")


def test_where_no_place_can_be_had_nothing_is_sent_and_the_system_is_not_at_fault() -> None:
    time = Time()
    environment = Environment(clock=time.clock, sleep=time.sleep, allowed_networks=(ip_network("127.0.0.0/8"),))
    with RtEmulator(time.clock) as rt:
        settings = {"url": rt.url, "queue": rt.queue, "token": {"secret": "env:INTERDESK_SECRET_CZ"}}
        kinds = ConnectorKinds(environment, Secrets({"INTERDESK_SECRET_CZ": rt.token}), FullDisk())
        connector = kinds.open("rt", settings, "ngi-cz", per_minute=60)
        with pytest.raises(QuotaSpent, match="the disk is full"):
            connector.changes(None)
        assert rt.counts.total() == 0
        connector.close()
