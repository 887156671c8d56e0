"""Every store keeps every promise."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.store.api import Store
from central.store.memory import MemoryStore
from central.store.migrations import upgrade
from central.store.sql import SqlStore
from central.store.testing import StoreConformance
from tests.postgres import Server


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after `upgrade`, made once and copied for each test."""
    database = tmp_path_factory.mktemp("empty") / "interdesk.db"
    upgrade(f"sqlite:///{database}")
    return database


class TestSqlStore(StoreConformance):
    @pytest.fixture
    def store(self, empty: Path, tmp_path: Path) -> Iterator[Store]:
        database = shutil.copy(empty, tmp_path / "interdesk.db")
        store = SqlStore.open(f"sqlite:///{database}", clock=lambda: datetime.now(UTC), exclusive=True)
        yield store
        store.close()


class TestSqlStoreOnPostgres(StoreConformance):
    @pytest.fixture
    def store(self, postgres: Server) -> Iterator[Store]:
        with postgres.database() as url:
            store = SqlStore.open(url, clock=lambda: datetime.now(UTC), exclusive=True)
            yield store
            store.close()
