"""Every bus keeps every promise."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("sync.bus.testing")

from sync.bus.api import Bus  # noqa: E402  # after the assertions of the claims can explain themselves
from sync.bus.inprocess import InProcessBus  # noqa: E402
from sync.bus.testing import BusConformance  # noqa: E402


class TestInProcessBus(BusConformance):
    @pytest.fixture
    def bus(self) -> Iterator[Bus]:
        bus = InProcessBus()
        yield bus
        bus.close()
