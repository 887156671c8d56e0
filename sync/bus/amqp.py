"""The bus of many hosts: RabbitMQ, through kombu. It wakes and fans out; the database holds the truth.

One durable quorum queue per system. The workers compete for its messages: whoever gets one rings the lanes of its own
process. The queue has no single active consumer: that would wake one worker however many there are, and the order per
ticket comes from the leases in the database, which a takeover between consumers would break anyhow (a message handed
back arrives after newer ones). A message is acknowledged when it has rung, before anything is looked at.

Two threads, one connection each, made when first needed: one says, one hears. Each reads its own socket and keeps its
own heartbeat. While the broker is away both try again, later and later, and say so once; everything goes on by the
sweep meanwhile.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from amqp.exceptions import AccessRefused, AMQPError, MessageNacked, NotAllowed
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError
from kombu.message import Message
from kombu.messaging import Consumer

from sync.bus.api import BrokerAway, BrokerRefuses
from sync.bus.inprocess import InProcessBus

log = structlog.get_logger("interdesk.bus")

GENERATION = "v1"
"""Part of every name at the broker: a queue cannot be declared again with other arguments."""
DEAD = f"interdesk.dead.{GENERATION}"
MOST_WAITING = 1000
"""Messages that wait in one queue; more would say nothing new, so the broker refuses them."""
MOST_DELIVERIES = 5
"""How often a message is handed to somebody who dies of it before it is put aside."""

HEARTBEAT = 10
ANSWER = 5.0
"""Seconds within which the broker has to answer: a connection, a confirmation, a write."""
TICK = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0

AWAY = (OSError, AMQPError, KombuError)
"""How kombu and py-amqp say that a broker does not answer, or not as it should."""


Connections = Callable[[], Connection]
"""Makes a connection to the broker, which its user opens."""


def queue(system: str) -> Queue:
    """The queue of one system. Whoever needs it declares it, the same way."""
    arguments = {
        "x-queue-type": "quorum",
        "x-max-length": MOST_WAITING,
        "x-overflow": "reject-publish",
        "x-delivery-limit": MOST_DELIVERIES,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-strategy": "at-least-once",
    }
    return Queue(f"interdesk.{system}.{GENERATION}", durable=True, queue_arguments=arguments)


def dead_letters() -> Queue:
    """Where messages go that nobody could take: for a person to look at, the oldest make room."""
    exchange = Exchange(DEAD, type="fanout", durable=True)
    arguments = {"x-queue-type": "quorum", "x-max-length": MOST_WAITING}
    return Queue(DEAD, exchange=exchange, durable=True, queue_arguments=arguments)


def broker(url: str) -> Connections:
    """How this broker is reached; nothing is opened yet."""
    options = {"confirm_publish": True, "read_timeout": ANSWER, "write_timeout": ANSWER}
    return lambda: Connection(url, heartbeat=HEARTBEAT, connect_timeout=ANSWER, transport_options=options)


def prove(connections: Connections) -> None:
    """Log in once.

    :raises BrokerAway: it does not answer.  :raises BrokerRefuses: it does not let us in."""
    connection = connections()
    where = connection.as_uri()  # without the password
    try:
        connection.connect()
    except (AccessRefused, NotAllowed) as refusal:
        raise BrokerRefuses(
            f"the broker {where} does not let us in ({_words(refusal)}): mend user, password and virtual host "
            "in INTERDESK_BROKER"
        ) from None
    except AWAY as problem:
        raise BrokerAway(
            f"the broker {where} does not answer ({_words(problem)}): start it, or mend INTERDESK_BROKER"
        ) from None
    finally:
        connection.release()


class AmqpBus:
    """Fulfils `sync.bus.api.Bus` across processes and hosts."""

    def __init__(self, connections: Connections) -> None:
        self._here = InProcessBus()
        self._connections = connections
        self._lock = threading.Lock()
        self._speaker: _Speaker | None = None
        self._listener: _Listener | None = None
        self._heard: set[str] = set()
        self._closed = False

    def wake(self, system: str, *, here: bool = False) -> None:
        self._here.wake(system)
        if here:
            return
        with self._lock:
            if self._closed:
                return
            if self._speaker is None:
                self._speaker = _Speaker(self._connections)
                self._speaker.start()
        self._speaker.say(system)

    def position(self, system: str) -> int:
        if system not in self._heard:
            self._listen(system)
        return self._here.position(system)

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        return self._here.wait(system, seen, timeout)

    def away(self) -> str:
        lines = [each for each in (self._speaker, self._listener) if each is not None]
        return next((each.away for each in lines if each.away), "")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            threads = [each for each in (self._speaker, self._listener) if each is not None]
        self._here.close()
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join(2 * ANSWER)

    def _listen(self, system: str) -> None:
        with self._lock:
            if self._closed:
                return
            self._heard.add(system)
            if self._listener is None:
                self._listener = _Listener(self._connections, self._here.wake)
                self._listener.start()
        self._listener.add(system)


class _Line(threading.Thread):
    """A thread with a connection that it makes again whenever it breaks."""

    def __init__(self, connections: Connections, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._connections = connections
        self._stopping = threading.Event()
        self.away = ""
        """Why it has no connection."""

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            connection = self._connections()
            try:
                connection.connect()
                if self.away:
                    log.info("the broker is back", broker=connection.as_uri())
                pause, self.away = FIRST_PAUSE, ""
                self.serve(connection)
            except AWAY as problem:
                if not self.away:
                    log.warning(
                        "the broker is away; what is owed is found by looking until it is back",
                        broker=connection.as_uri(),
                        problem=_words(problem),
                    )
                self.away = "the broker is away; what is owed is found by looking until it is back"
                self._stopping.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            except Exception:  # a bug of ours: say it loudly, the sweep goes on
                log.exception("the bus stumbled over a bug of interdesk; please report it")
                self._stopping.wait(LONGEST_PAUSE)
            finally:
                _release(connection)

    def serve(self, connection: Connection) -> None:
        """Work on a connection until told to stop.  :raises AWAY: it broke."""
        raise NotImplementedError

    def keep_alive(self, connection: Connection, seconds: float) -> None:
        """Read what has come within this time, and let the other side know that we live."""
        with suppress(TimeoutError):
            connection.drain_events(timeout=seconds)
        connection.heartbeat_check()


class _Speaker(_Line):
    """Says which systems are owed a look; each once, however often it was asked to before it came to it."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections, "bus-says")
        self._unsaid: dict[str, None] = {}
        self._news = threading.Condition()

    def say(self, system: str) -> None:
        """Say it soon."""
        with self._news:
            self._unsaid[system] = None
            self._news.notify()

    def stop(self) -> None:
        super().stop()
        with self._news:
            self._news.notify()

    def serve(self, connection: Connection) -> None:
        declared: set[str] = set()

        def returned(_: object, __: object, routing_key: str, *___: object) -> None:
            """The queue is gone: somebody removed it."""
            for system in [each for each in declared if queue(each).name == routing_key]:
                declared.discard(system)
                self.say(system)

        channel = connection.channel()
        dead_letters().bind(channel).declare()
        producer = connection.Producer(channel, serializer="json", on_return=returned)
        while (system := self._next(connection)) is not None:
            try:
                bound = queue(system)
                if system not in declared:
                    bound.bind(channel).declare()
                    declared.add(system)
                producer.publish(
                    {"system": system}, routing_key=bound.name, mandatory=True, delivery_mode=2, confirm_timeout=ANSWER
                )
            except MessageNacked:
                pass  # so many wake-ups wait for this system that one more says nothing new
            except BaseException:
                self.say(system)
                raise

    def _next(self, connection: Connection) -> str | None:
        """What to say next; None: nothing is left and this is the end."""
        while True:
            with self._news:
                if not self._unsaid and not self._stopping.is_set():
                    self._news.wait(1.0)
                if self._unsaid:
                    system = next(iter(self._unsaid))
                    del self._unsaid[system]
                    return system
                if self._stopping.is_set():
                    return None
            self.keep_alive(connection, 0.001)


class _Listener(_Line):
    """Hears which systems are owed a look, and rings."""

    def __init__(self, connections: Connections, ring: Callable[[str], None]) -> None:
        super().__init__(connections, "bus-hears")
        self._ring = ring
        self._wanted: dict[str, None] = {}

    def add(self, system: str) -> None:
        """Hear of this system too."""
        self._wanted[system] = None

    def serve(self, connection: Connection) -> None:
        channel = connection.channel()
        dead_letters().bind(channel).declare()
        consumer = Consumer(channel, [], callbacks=[self._take], accept=["json"], on_decode_error=_unreadable)
        consumer.qos(prefetch_count=10)
        consuming: set[str] = set()
        while not self._stopping.is_set():
            for system in tuple(self._wanted):
                if system not in consuming:
                    consumer.add_queue(queue(system))
                    consumer.consume()
                    consuming.add(system)
                    self._ring(system)  # what was said while nobody listened
            self.keep_alive(connection, TICK)

    def _take(self, body: Any, message: Message) -> None:
        system = body.get("system") if isinstance(body, dict) else None
        if system not in self._wanted:
            _unreadable(message, ValueError("it names no system of ours"))
            return
        message.ack()
        self._ring(system)


def _unreadable(message: Message, problem: Exception) -> None:
    log.warning("a message that is not ours was put aside", queue=DEAD, problem=str(problem))
    message.reject()


def _release(connection: Connection) -> None:
    with suppress(*AWAY):  # it was broken already
        connection.release()


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
