"""A fresh database for every test, and a clock that stands still."""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from central.store.migrations import upgrade
from central.store.sql import SqlStore
from central.store.testing.samples import NOW

Open = Callable[..., SqlStore]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database after `upgrade`, made once and copied for each test."""
    database = tmp_path_factory.mktemp("empty") / "interdesk.db"
    upgrade(f"sqlite:///{database}")
    return database


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "interdesk.db"))


@pytest.fixture
def url(database: Path) -> str:
    return f"sqlite:///{database}"


@pytest.fixture
def open_store(url: str) -> Iterator[Open]:
    """Open the database of this test, as often as one likes; all are closed at the end."""
    opened: list[SqlStore] = []

    def open_one(*, exclusive: bool = False, now: datetime = NOW) -> SqlStore:
        opened.append(SqlStore.open(url, clock=lambda: now, exclusive=exclusive))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> SqlStore:
    return open_store(exclusive=True)
