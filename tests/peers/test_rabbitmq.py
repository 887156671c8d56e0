"""The bus against a real RabbitMQ that is restarted, stopped, emptied by hand and filled with nonsense."""

from collections.abc import Callable, Iterator

import pytest
from kombu.connection import Connection
from structlog.testing import capture_logs

from sync.bus.amqp import DEAD, MOST_WAITING, AmqpBus, broker, dead_letters, prove, queue
from sync.bus.api import BrokerAway, BrokerRefuses
from sync.bus.testing import LONG, SHORT, introduce, rest
from tests.peers.live import wait_until
from tests.rabbitmq import RabbitMQ

pytestmark = pytest.mark.peer

Opens = Callable[[], AmqpBus]
NOBODY = "amqp://somebody:a-secret@127.0.0.1:1/"


@pytest.fixture
def opened(rabbitmq: RabbitMQ) -> Iterator[Opens]:
    """Opens buses on the broker, and closes them."""
    buses: list[AmqpBus] = []

    def one() -> AmqpBus:
        buses.append(AmqpBus(broker(rabbitmq.url)))
        return buses[-1]

    yield one
    for bus in buses:
        bus.close()


@pytest.fixture
def channel(rabbitmq: RabbitMQ) -> Iterator[Connection]:
    """The hands of an operator."""
    with Connection(rabbitmq.url) as connection:
        yield connection


def heard(bus: AmqpBus, seen: int) -> bool:
    return bus.wait("rt", seen, LONG) != seen


def test_what_is_said_here_is_not_told_elsewhere(opened: Opens, rabbitmq: RabbitMQ) -> None:
    one, other = opened(), opened()
    introduce(one, other)
    seen = other.position("rt")
    one.wake("rt", here=True)
    one.wake("redmine")
    other.wait("redmine", other.position("redmine"), 1)
    assert other.wait("rt", seen, SHORT) == seen


def test_a_wake_up_waits_for_a_worker_that_comes_later(opened: Opens, rabbitmq: RabbitMQ) -> None:
    opened().wake("rt")
    wait_until(lambda: rabbitmq.queues().get("interdesk.rt.v1", (0, 0))[0] == 1)
    late = opened()
    assert late.position("rt") >= 0, "and from now on it listens"
    assert heard(late, 0)
    wait_until(lambda: rabbitmq.queues()["interdesk.rt.v1"][0] == 0)


def test_the_same_system_again_before_it_was_said_is_one_message(opened: Opens, rabbitmq: RabbitMQ) -> None:
    bus = opened()
    for _ in range(10_000):
        bus.wake("rt")
    bus.wake("redmine")
    wait_until(lambda: rabbitmq.queues().get("interdesk.redmine.v1", (0, 0))[0] == 1)
    assert rabbitmq.queues()["interdesk.rt.v1"][0] < MOST_WAITING


def test_while_the_broker_is_away_nobody_is_held_up_and_the_log_says_so_once() -> None:
    with capture_logs() as logs:
        bus = AmqpBus(broker(NOBODY))
        seen = bus.position("rt")
        bus.wake("rt")
        assert bus.wait("rt", seen, LONG) != seen, "those of this process are woken all the same"
        wait_until(lambda: len(logs) == 2)
        assert bus.away() == logs[0]["event"]
        bus.wait("rt", rest(bus, "rt"), 1)  # time for more of them
        bus.close()
    assert [entry["event"] for entry in logs] == [
        "the broker is away; what is owed is found by looking until it is back"
    ] * 2
    assert {entry["broker"] for entry in logs} == {"amqp://somebody:**@127.0.0.1:1//"}


def test_a_restart_of_the_broker_is_survived_by_both_ends(opened: Opens, rabbitmq: RabbitMQ) -> None:
    one, other = opened(), opened()
    introduce(one, other)
    rabbitmq.restart()
    introduce(one, other)
    wait_until(lambda: one.away() == other.away() == "")  # a line that had nothing to say is back a moment later


def test_what_was_said_while_the_broker_was_away_is_said_when_it_is_back(opened: Opens, rabbitmq: RabbitMQ) -> None:
    one, other = opened(), opened()
    introduce(one, other)
    rabbitmq.stop()
    seen = rest(other, "rt")
    one.wake("rt")
    rabbitmq.start()
    assert heard(other, seen)


def test_a_queue_that_an_operator_removed_is_made_again(opened: Opens, rabbitmq: RabbitMQ, channel: Connection) -> None:
    bus = opened()
    bus.wake("rt")
    wait_until(lambda: rabbitmq.queues().get("interdesk.rt.v1", (0, 0))[0] == 1)
    queue("rt").bind(channel.channel()).delete()
    bus.wake("rt")
    wait_until(lambda: rabbitmq.queues().get("interdesk.rt.v1", (0, 0))[0] == 1)


def test_a_full_queue_refuses_more_and_nobody_minds(opened: Opens, rabbitmq: RabbitMQ, channel: Connection) -> None:
    with channel.Producer(serializer="json") as producer:
        bound = queue("rt").bind(channel.channel())
        bound.declare()
        for _ in range(MOST_WAITING + 50):
            producer.publish({"system": "rt"}, routing_key=bound.name)
    bus = opened()
    with capture_logs() as logs:
        bus.wake("rt")
        bus.wake("redmine")
        wait_until(lambda: rabbitmq.queues().get("interdesk.redmine.v1", (0, 0))[0] == 1)
    assert logs == []


@pytest.mark.parametrize("body", [{"system": "another"}, {"system": None}, ["rt"], "rt", {}])
def test_a_message_that_is_not_ours_is_put_aside(
    opened: Opens, rabbitmq: RabbitMQ, channel: Connection, body: object
) -> None:
    one, other = opened(), opened()
    introduce(one, other)
    with channel.Producer(serializer="json") as producer, capture_logs():
        producer.publish(body, routing_key=queue("rt").name)
        wait_until(lambda: rabbitmq.queues()[DEAD][0] == 1)
    introduce(one, other)


def test_a_message_that_cannot_be_decoded_is_put_aside(opened: Opens, rabbitmq: RabbitMQ, channel: Connection) -> None:
    one, other = opened(), opened()
    introduce(one, other)
    with channel.Producer() as producer, capture_logs():
        producer.publish(b"\x80\x04.", content_type="application/x-python-serialize", routing_key=queue("rt").name)
        wait_until(lambda: rabbitmq.queues()[DEAD][0] == 1)
    introduce(one, other)


def test_a_message_that_everybody_dies_of_is_put_aside(rabbitmq: RabbitMQ, channel: Connection) -> None:
    hands = channel.channel()
    dead_letters().bind(hands).declare()
    bound = queue("rt").bind(hands)
    bound.declare()
    with channel.Producer(serializer="json") as producer:
        producer.publish({"system": "rt"}, routing_key=bound.name)

    def is_put_aside() -> bool:
        for _ in range(20):
            if (message := bound.get()) is not None:
                message.requeue()
        return rabbitmq.queues()[DEAD][0] == 1

    wait_until(is_put_aside)


def test_a_broker_that_lets_nobody_in_is_told_from_one_that_is_away(rabbitmq: RabbitMQ) -> None:
    prove(broker(rabbitmq.url))
    with pytest.raises(BrokerRefuses, match="mend user, password and virtual host") as refused:
        prove(broker(rabbitmq.url.replace("interdesk:", "interdesk:wrong-")))
    with pytest.raises(BrokerRefuses, match="vhost elsewhere not found"):
        prove(broker(rabbitmq.url.replace(rabbitmq.vhost, "elsewhere")))
    with pytest.raises(BrokerAway, match="does not answer") as away:
        prove(broker(NOBODY))
    assert "wrong-" not in str(refused.value)
    assert "a-secret" not in str(away.value)
