"""The real RabbitMQ that rabbitmq.sh runs, with a virtual host that only one test uses."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.peers.sites import NotRunning, Script, missing

SCRIPT = Script("rabbitmq.sh")


@dataclass(frozen=True)
class RabbitMQ:
    """A broker that runs."""

    vhost: str
    url: str

    def restart(self) -> None:
        """Stop the broker and start it: every connection breaks."""
        SCRIPT.run("restart")

    def stop(self) -> None:
        """Stop the whole node: nobody answers."""
        SCRIPT.run("stop")

    def start(self) -> None:
        """Does nothing when it runs."""
        SCRIPT.run("start")

    def queues(self) -> dict[str, tuple[int, int]]:
        """Name -> messages that wait, consumers."""
        rows = (line.split("\t") for line in SCRIPT.lines("queues", self.vhost))
        return {name: (int(messages), int(consumers)) for name, messages, consumers in rows}


@pytest.fixture
def rabbitmq() -> Iterator[RabbitMQ]:
    """A real broker with a virtual host that only this test uses; it runs, also after the test."""
    try:
        facts = SCRIPT.run("status") if "INTERDESK_PEERS" in os.environ else None
    except NotRunning:
        facts = None
    if facts is None:
        missing("a real RabbitMQ", SCRIPT.name)
    vhost = f"test-{secrets.token_hex(4)}"
    SCRIPT.run("vhost", vhost)
    try:
        yield RabbitMQ(vhost, f"{facts['RABBITMQ_URL']}/{vhost}")
    finally:
        SCRIPT.run("start")
        SCRIPT.run("drop", vhost)
