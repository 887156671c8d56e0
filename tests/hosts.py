"""The two hosts that hosts.sh makes, with a database and a broker that only one test uses."""

import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.sites import NotRunning, Script, missing
from tests.postgres import Server

SCRIPT = Script("hosts.sh")


@dataclass(frozen=True)
class Hosts:
    """Two hosts, `a` and `b`. What they share is on this machine: `database`, `broker`, and `trackers`, an address."""

    namespaces: dict[str, str]
    database: str
    broker: str
    trackers: str

    def program(self, host: str, state: Path, *words: str) -> list[str]:
        """The command line of a Python program on this host, which has a state folder of its own."""
        there = ["ip", "netns", "exec", self.namespaces[host], "env", f"INTERDESK_STATE={state}"]
        return [*there, sys.executable, *words]

    def cut(self, host: str, *places: str) -> None:
        """From now on there is silence between this host and these places: database, broker, trackers."""
        SCRIPT.run("cut", host, *places)

    def heal(self) -> None:
        """Mend all that was cut."""
        SCRIPT.run("heal")


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Two hosts with nothing cut, also after the test."""
    try:
        facts = SCRIPT.run("status") if "INTERDESK_PEERS" in os.environ else None
    except NotRunning:
        facts = None
    if facts is None:
        missing("two hosts in network namespaces", SCRIPT.name)
    vhost = f"test-{secrets.token_hex(4)}"
    SCRIPT.run("vhost", vhost)
    server = Server(facts["PG_URL"])
    try:
        with server.database(empty=True) as database:
            namespaces = {"a": facts["HOST_A"], "b": facts["HOST_B"]}
            yield Hosts(namespaces, database, f"{facts['RABBITMQ_URL']}/{vhost}", facts["TRACKERS"])
    finally:
        SCRIPT.run("heal")
        SCRIPT.run("drop", vhost)
