"""The two sides of a benchmark: a process each, with emulated trackers and the people who work in them.

Moments are the machine's monotonic clock, which all processes share.
"""

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self

from connectors.emulators.plain import PlainEmulator
from connectors.emulators.tracker import Deed
from sync.bootstrap import utc_now

ACCOUNT = "interdesk"
_DESCRIPTION = "checksum mismatch since this morning\n" * 50


class _Told(PlainEmulator):
    """A tracker whose hints hold the ticket too: interdesk believes none of it, the floor takes it as it is."""

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {
            **super().hint(deed),
            "subject": deed.new,
            "description": _DESCRIPTION,
        }


@dataclass(frozen=True, slots=True)
class Address:
    """Where a tracker listens, and the key that opens it."""

    url: str
    key: str


class Side:
    """A process with one tracker per contestant. Use it in a `with`."""

    def __init__(self, name: str, contestants: Sequence[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, name, tuple(contestants)), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._here.send(("end",))
        self._process.join(10)
        self._process.terminate()

    def address(self, contestant: str) -> Address:
        """Where this contestant's tracker is."""
        return Address(*self._ask("address", contestant))

    def open(self, contestant: str, count: int) -> list[str]:
        """People open so many tickets; their keys."""
        keys: list[str] = self._ask("open", contestant, count)
        return keys

    def hook(self, contestant: str, url: str, secret: str) -> None:
        """From now on post hints there."""
        self._ask("hook", contestant, url, secret)

    def begin(self, contestant: str, edits: Sequence[tuple[str, str]], interval: float) -> None:
        """Somebody edits these subjects, one every `interval` seconds; `finish` waits for the end."""
        self._here.send(("drive", contestant, list(edits), interval))

    def finish(self) -> dict[str, float]:
        """When each edit was made, by its subject."""
        moments: dict[str, float] = self._here.recv()
        return moments

    def arrived(self, contestant: str) -> list[tuple[str, str, float]]:
        """What the contestant wrote: key, subject, moment."""
        writes: list[tuple[str, str, float]] = self._ask("arrived", contestant)
        return writes

    def subjects(self, contestant: str) -> dict[str, str]:
        """The subject of every ticket, by key."""
        subjects: dict[str, str] = self._ask("subjects", contestant)
        return subjects

    def _ask(self, *question: Any) -> Any:
        self._here.send(question)
        return self._here.recv()


def _work(pipe: Connection, name: str, contestants: tuple[str, ...]) -> None:
    """The process: answer questions until the end."""
    trackers = {each: _Told(utc_now, name=name) for each in contestants}
    writes: dict[str, list[tuple[str, str, float]]] = {each: [] for each in contestants}
    for each, emulator in trackers.items():

        def note(deed: Deed, done: list[tuple[str, str, float]] = writes[each]) -> None:
            if deed.who == ACCOUNT and deed.kind != "open":
                done.append((deed.key, str(deed.new), time.monotonic()))

        emulator.tracker.watch.append(note)
        emulator.start()
    while (question := pipe.recv())[0] != "end":
        what, contestant, *more = question
        emulator = trackers[contestant]
        pipe.send(_answer(emulator, writes[contestant], what, more))
    for emulator in trackers.values():
        emulator.stop()


def _answer(emulator: PlainEmulator, writes: list[tuple[str, str, float]], what: str, more: list[Any]) -> Any:
    tracker = emulator.tracker
    match what:
        case "address":
            return emulator.url, emulator.key
        case "open":
            people = tracker.person("alice")
            return [people.open(subject=f"ticket {n}", description=_DESCRIPTION) for n in range(more[0])]
        case "hook":
            return emulator.webhook(*more)
        case "drive":
            return _drive(emulator, *more)
        case "arrived":
            return list(writes)
        case _:
            with tracker.lock:
                return {key: str(issue.fields["subject"]) for key, issue in tracker.issues.items()}


def _drive(emulator: PlainEmulator, edits: Sequence[tuple[str, str]], interval: float) -> dict[str, float]:
    """Edit at an even pace, whatever becomes of it."""
    alice = emulator.tracker.person("alice")
    moments: dict[str, float] = {}
    began = time.monotonic()
    for number, (key, subject) in enumerate(edits):
        time.sleep(max(0.0, began + number * interval - time.monotonic()))
        moments[subject] = time.monotonic()
        alice.edit(key, subject=subject)
    return moments
