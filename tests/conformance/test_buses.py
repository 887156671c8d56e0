"""Every bus keeps every promise."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("sync.bus.testing")

from sync.bus.amqp import AmqpBus, broker  # noqa: E402  # after the assertions of the claims can explain themselves
from sync.bus.inprocess import InProcessBus  # noqa: E402
from sync.bus.testing import BusConformance, Ends, introduce  # noqa: E402
from tests.rabbitmq import RabbitMQ  # noqa: E402


class TestInProcessBus(BusConformance):
    @pytest.fixture
    def ends(self) -> Iterator[Ends]:
        bus = InProcessBus()
        introduce(bus, bus)
        yield Ends(bus, bus)
        bus.close()


@pytest.mark.peer
class TestAmqpBus(BusConformance):
    @pytest.fixture
    def ends(self, rabbitmq: RabbitMQ) -> Iterator[Ends]:
        says, hears = (AmqpBus(broker(rabbitmq.url)) for _ in range(2))
        introduce(says, hears)
        yield Ends(says, hears)
        says.close()
        hears.close()
