"""Systems that tell when something arrives are listened to, and their poll is hurried."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from connectors.errors import ConnectorError, Transient
from sync.gateway import Gateways
from sync.listening import Listening


@dataclass
class Ear:
    """A connector that hears what the test says."""

    said: "queue.Queue[bool | ConnectorError]" = field(default_factory=queue.Queue)
    listening: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait(self, _: float) -> bool:
        self.listening.release()
        heard = self.said.get(timeout=120)
        if isinstance(heard, ConnectorError):
            raise heard
        return heard


@dataclass
class Deaf:
    """A connector that hears nothing."""


@dataclass
class Systems:
    connectors: dict[str, object]

    def get(self, name: str) -> "Systems.Held":
        if name not in self.connectors:
            raise LookupError(name)
        return Systems.Held(self.connectors[name])

    @dataclass
    class Held:
        connector: object


class Room:
    def __init__(self) -> None:
        self.ears = {"one": Ear(), "two": Ear()}
        self.hurried: queue.Queue[str] = queue.Queue()
        systems = Systems({**self.ears, "deaf": Deaf()})
        self.listening = Listening(cast("Gateways", systems), self.hurried.put)


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.listening.stop()
    for name, ear in made.ears.items():
        ear.said.put(False)
        for thread in threads(name):  # whoever is left would be taken for one of the next room
            thread.join()


def threads(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == f"listen {name}"]


def test_what_is_heard_hurries_that_system_alone(room: Room) -> None:
    room.listening.keep({"one", "two", "deaf", "unusable"})
    room.ears["two"].said.put(True)
    assert room.hurried.get(timeout=120) == "two"
    assert not threads("deaf")
    assert not threads("unusable")


def test_silence_hurries_nobody_and_is_listened_to_on(room: Room) -> None:
    room.listening.keep({"one"})
    for _ in range(3):
        assert room.ears["one"].listening.acquire(timeout=120)
        room.ears["one"].said.put(False)
    assert room.hurried.empty()


def test_each_is_listened_to_once_and_no_longer_than_it_is_wanted(room: Room) -> None:
    for _ in range(3):
        room.listening.keep({"one"})
    (thread,) = threads("one")
    room.listening.keep(())
    room.ears["one"].said.put(False)
    thread.join(timeout=120)
    assert not thread.is_alive()


@pytest.mark.parametrize("heard", [True, Transient("away")])
def test_whoever_stops_waits_for_nobody(room: Room, heard: object) -> None:
    room.listening.keep({"one"})
    (thread,) = threads("one")
    assert room.ears["one"].listening.acquire(timeout=120)
    room.ears["one"].said.put(heard)  # type: ignore[arg-type]  # one of them
    room.listening.stop()
    thread.join(timeout=120)
    assert not thread.is_alive()
