"""What every test stands on."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.hosts import hosts
from tests.postgres import postgres
from tests.rabbitmq import rabbitmq

__all__ = ["hosts", "postgres", "rabbitmq"]

# the shipped suites explain their failed assertions like any test
pytest.register_assert_rewrite("central.store.testing", "connectors.testing", "sync.bus.testing")

# in CI the same commit gives the same answer; on a laptop every run looks somewhere else
# how quick a machine is, and what else it does, proves nothing
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("default")
if os.environ.get("CI") == "true":
    settings.load_profile("ci")


_SERVERS = frozenset({"rt", "redmine", "znuny", "mail", "postgres", "rabbitmq", "hosts"})
"""What fixtures call the real servers."""


@pytest.hookimpl(tryfirst=True)  # before any are left out by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the real servers. There is one of each, and some tests restart it or measure its speed."""
    for item in items:
        if not _SERVERS.isdisjoint(getattr(item, "fixturenames", ())) or {"peers", "crash"} & set(item.path.parts):
            item.add_marker("servers")
