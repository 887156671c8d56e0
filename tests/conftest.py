"""What every test stands on."""

import os

import pytest
from hypothesis import settings

from tests.hosts import hosts
from tests.postgres import postgres
from tests.rabbitmq import rabbitmq

__all__ = ["hosts", "postgres", "rabbitmq"]

# the shipped suites explain their failed assertions like any test
pytest.register_assert_rewrite("central.store.testing", "connectors.testing", "sync.bus.testing")

# in CI the same commit gives the same answer; on a laptop every run looks somewhere else
settings.register_profile("default", deadline=None)  # how quick a machine is, and what else it does, proves nothing
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("default")
if os.environ.get("CI") == "true":
    settings.load_profile("ci")
