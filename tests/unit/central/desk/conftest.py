"""A database of its own for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from central.store.migrations import upgrade
from central.store.sql import SqlStore
from tests.unit.central.desk.growing import AT


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path / 'interdesk.db'}"
    upgrade(url)
    store = SqlStore.open(url, clock=lambda: AT, exclusive=True)
    yield store
    store.close()
