"""The two sides of a benchmark: a process each, with emulated trackers and the people who work in them.

Moments are the machine's monotonic clock, which all processes share.
"""

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any, Self

from connectors.api import Value
from connectors.emulators.plain import PlainEmulator
from connectors.emulators.server import Asked, Fault, Reply
from connectors.emulators.tracker import Deed, Tracker
from sync.settings import utc_now

ACCOUNT = "interdesk"
_APART = timedelta(minutes=6)
"""Between two tickets of a stock: more than a poll's overlap."""
DESCRIPTION = "\n".join(["checksum mismatch since this morning"] * 50)


class _Told(PlainEmulator):
    """A tracker whose hints hold the ticket too: interdesk believes none of it, the floor takes it as it is."""

    def __init__(self, name: str) -> None:
        super().__init__(utc_now, name=name)
        self.polls: list[float] = []
        self.pages = 0
        """Pages of everything there is, as a backfill reads them."""

    def answer(self, asked: Asked) -> Reply:
        if asked.kind == "list":
            self.polls.append(time.monotonic())
            self.pages += not asked.query.keys() & {"since", "newest"}
        return super().answer(asked)

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {
            **super().hint(deed),
            "subject": deed.new,
            "description": DESCRIPTION,
        }


@dataclass(frozen=True, slots=True)
class Address:
    """Where a tracker listens, and the key that opens it."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a tracker: every request takes `pause` seconds, and goes wrong as `Fault.how` says."""

    how: str = ""
    status: int = 500
    pause: float = 0.0


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

    def stock(self, contestant: str, count: int, status: str = "new") -> None:
        """People opened so many tickets, one after the other until now; what they stand at."""
        self._ask("stock", contestant, count, status)

    def hook(self, contestant: str, url: str, secret: str) -> None:
        """From now on post hints there."""
        self._ask("hook", contestant, url, secret)

    def begin(self, contestant: str, edits: Sequence[tuple[str, str]], interval: float, *, delay: float = 0.0) -> None:
        """After a while somebody edits these subjects, one every `interval` seconds; `finish` waits for the end."""
        self._here.send(("drive", contestant, list(edits), interval, delay))

    def finish(self) -> dict[str, float]:
        """When each edit was made, by its subject."""
        moments: dict[str, float] = self._here.recv()
        return moments

    def arrived(self, contestant: str) -> list[tuple[str, str, float]]:
        """What the contestant wrote: key, subject, moment."""
        writes: list[tuple[str, str, float]] = self._ask("arrived", contestant)
        return writes

    def writes(self, contestant: str) -> int:
        """How many times the contestant wrote."""
        count: int = self._ask("writes", contestant)
        return count

    def created(self, contestant: str) -> list[tuple[str, float]]:
        """What the contestant created: key, moment."""
        births: list[tuple[str, float]] = self._ask("created", contestant)
        return births

    def pages(self, contestant: str) -> int:
        """How many pages of all its tickets it was asked for."""
        pages: int = self._ask("pages", contestant)
        return pages

    def edit(self, contestant: str, edits: Sequence[tuple[str, str]]) -> None:
        """Somebody edits these subjects, as fast as it goes."""
        self._ask("edit", contestant, list(edits))

    def counts(self, contestant: str) -> dict[str, int]:
        """How many requests it got, by kind."""
        counts: dict[str, int] = self._ask("counts", contestant)
        return counts

    def polls(self, contestant: str) -> list[float]:
        """When it was asked what changed."""
        moments: list[float] = self._ask("polls", contestant)
        return moments

    def misbehave(self, contestant: str, trouble: Trouble | None) -> None:
        """From now on every request has this trouble; None: all is well again."""
        self._ask("misbehave", contestant, trouble or Trouble())

    def subjects(self, contestant: str) -> dict[str, str]:
        """The subject of every ticket, by key."""
        subjects: dict[str, str] = self._ask("subjects", contestant)
        return subjects

    def _ask(self, *question: Any) -> Any:
        self._here.send(question)
        return self._here.recv()


def _work(pipe: Connection, name: str, contestants: tuple[str, ...]) -> None:
    """The process: answer questions until the end."""
    trackers = {each: _Told(name) for each in contestants}
    writes: dict[str, list[tuple[str, str, float]]] = {each: [] for each in contestants}
    births: dict[str, list[tuple[str, float]]] = {each: [] for each in contestants}
    for each, emulator in trackers.items():

        def note(
            deed: Deed, done: list[tuple[str, str, float]] = writes[each], born: list[tuple[str, float]] = births[each]
        ) -> None:
            if deed.who == ACCOUNT and deed.kind != "open":
                done.append((deed.key, str(deed.new), time.monotonic()))
            elif deed.who == ACCOUNT:
                born.append((deed.key, time.monotonic()))

        emulator.tracker.watch.append(note)
        emulator.start()
    while (question := pipe.recv())[0] != "end":
        what, contestant, *more = question
        emulator = trackers[contestant]
        match what:
            case "arrived":
                pipe.send(list(writes[contestant]))
            case "writes":
                pipe.send(len(writes[contestant]))
            case "created":
                pipe.send(list(births[contestant]))
            case _:
                pipe.send(_answer(emulator, what, more))
    for emulator in trackers.values():
        emulator.stop()


def _answer(emulator: _Told, what: str, more: list[Any]) -> Any:
    tracker = emulator.tracker
    match what:
        case "address":
            return emulator.url, emulator.key
        case "open":
            return _open(tracker, more[0])
        case "stock":
            for left in range(more[0], 0, -1):
                tracker.offset = -left * _APART
                _open(tracker, 1, more[1])
            tracker.offset = timedelta(0)
            return None
        case "hook":
            return emulator.webhook(*more)
        case "drive":
            return _drive(emulator, *more)
        case "edit":
            people = tracker.person("alice")
            for key, subject in more[0]:
                people.edit(key, subject=subject)
            return None
        case "polls":
            return list(emulator.polls)
        case "pages":
            return emulator.pages
        case "counts":
            return dict(emulator.counts)
        case "misbehave":
            trouble: Trouble = more[0]
            emulator.delay = trouble.pause
            emulator.fault = (lambda _: Fault(trouble.how, status=trouble.status)) if trouble.how else None
            return None
        case _:
            with tracker.lock:
                return {key: str(issue.fields["subject"]) for key, issue in tracker.issues.items()}


def _open(tracker: Tracker, count: int, status: str = "new") -> list[str]:
    people = tracker.person("alice")
    fields: dict[str, Value] = {"description": DESCRIPTION, "status": status}
    return [people.open(fields, subject=f"ticket {len(tracker.issues)}") for _ in range(count)]


def _drive(
    emulator: PlainEmulator, edits: Sequence[tuple[str, str]], interval: float, delay: float
) -> dict[str, float]:
    """Edit at an even pace, whatever becomes of it."""
    alice = emulator.tracker.person("alice")
    moments: dict[str, float] = {}
    began = time.monotonic() + delay
    for number, (key, subject) in enumerate(edits):
        time.sleep(max(0.0, began + number * interval - time.monotonic()))
        moments[subject] = time.monotonic()
        alice.edit(key, subject=subject)
    return moments
