"""P3: from a webhook to the other side's write done. Paced, both directions, the embedded default, fast trackers."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from central.model import Person
from sync.bench.floor import Floor, Route
from sync.bench.progress import tell
from sync.bench.report import Report, spread
from sync.bench.sides import Side
from sync.bench.stand import HOOK_KEY, PATIENCE, opened, until
from sync.serving import Server
from sync.settings import Settings

TARGET = 2.0
PER_SECOND = 20
_SIZES = {"small": (3, 20, 60, 120), "full": (5, 100, 600, 2400)}
"""Rounds, and in each so many changes for the limit, the floor, and interdesk."""
_TICKETS = 50
_WARM_UP = 20


@dataclass(slots=True)
class Course:
    """One contestant between the two sides: which tickets belong together, what was measured, what went wrong."""

    name: str
    sides: Mapping[str, Side]
    pairs: Sequence[tuple[str, str]]
    """Keys of one ticket in `a` and in `b`."""
    latencies: list[float]
    wrong: list[str]
    changes: int = 0

    def run(self, count: int) -> None:
        """So many changes, half of them in each direction, and every one must arrive once."""
        before = {name: len(side.arrived(self.name)) for name, side in self.sides.items()}
        edits: dict[str, list[tuple[str, str]]] = {"a": [], "b": []}
        for number in range(count):
            side = "ab"[number % 2]
            self.changes += 1
            # two directions never meet on one ticket: that would be a conflict, and another benchmark
            pair = self.pairs[(number // 2 * 2 + number % 2) % len(self.pairs)]
            edits[side].append((pair["ab".index(side)], f"change {self.changes}"))
        for turn, (side, made) in enumerate(edits.items()):  # in turns: of two at once, one waits for the other
            self.sides[side].begin(self.name, made, 2 / PER_SECOND, delay=turn / PER_SECOND)
        moments = {side: self.sides[side].finish() for side in edits}
        for side, other in (("a", "b"), ("b", "a")):
            self.compare(moments[side], self._await(other, before[other], len(edits[side])), f"{side} to {other}")

    def _await(self, side: str, before: int, count: int) -> list[tuple[str, str, float]]:
        """What was written there since, once that is enough or no more comes."""
        deadline = time.monotonic() + PATIENCE
        while len(self.sides[side].arrived(self.name)) < before + count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)  # what is written twice comes late
        return self.sides[side].arrived(self.name)[before:]

    def compare(self, made: Mapping[str, float], writes: Sequence[tuple[str, str, float]], way: str) -> None:
        """Hold what was written against what people made, and keep how long each took."""
        seen: set[str] = set()
        for _, subject, moment in writes:
            if subject in seen:
                self.wrong.append(f"{way}: {subject} was written twice")
            elif subject not in made:
                self.wrong.append(f"{way}: {subject} was written, and nobody made it")
            else:
                self.latencies.append(moment - made[subject])
            seen.add(subject)
        self.wrong += [f"{way}: {subject} never arrived" for subject in made if subject not in seen]


def run(settings: Settings, size: str) -> Report:
    """One run. The floor and the limit take their turns between ours, so that the machine's moods fall on all."""
    rounds, of_limit, of_floor, of_ours = _SIZES[size]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        names = ("interdesk", "floor", "limit")
        sides = {name: stack.enter_context(Side(name, names)) for name in ("a", "b")}
        contestants = [
            (_least(stack, sides, folder, "limit"), of_limit),
            (_least(stack, sides, folder, "floor"), of_floor),
            (_ours(stack, settings, sides, folder), of_ours),
        ]
        for course, _ in contestants:
            course.run(_WARM_UP)  # connections are made, caches filled
            course.latencies.clear()
        for number in range(1, rounds + 1):
            tell(f"round {number} of {rounds}")
            for course, count in contestants:
                course.run(count)
        limit, floor, ours = (course for course, _ in contestants)
        wrong = tuple(ours.wrong) + tuple(_disagreements(ours))
    measured, least = spread(ours.latencies), spread(floor.latencies)
    return Report(
        bench="P3",
        size=size,
        metrics={**measured, "changes": len(ours.latencies), "per_second": PER_SECOND},
        floor=least,
        limit=spread(limit.latencies),
        ratio=round(max(measured[figure] / least[figure] for figure in least), 2),
        target=TARGET,
        correct=not wrong and not floor.wrong,
        wrong=wrong + tuple(f"floor: {each}" for each in floor.wrong),
    )


def _least(stack: ExitStack, sides: Mapping[str, Side], folder: Path, name: str) -> Course:
    """The floor, or the limit, between its own two trackers."""
    pairs = list(zip(*(side.open(name, _TICKETS) for side in sides.values()), strict=True))
    there, back = dict(pairs), {b: a for a, b in pairs}
    routes = {"a": Route(sides["b"].address(name), there), "b": Route(sides["a"].address(name), back)}
    hub = stack.enter_context(Floor(routes, folder=folder, bare=name == "limit"))
    for side in sides:
        sides[side].hook(name, f"{hub.url}/{side}", "")
    return Course(name, sides, pairs, [], [])


def _ours(stack: ExitStack, settings: Settings, sides: Mapping[str, Side], folder: Path) -> Course:
    """A whole interdesk on its embedded default, with tickets born in `a` and given to `b`."""
    addresses = {name: side.address("interdesk") for name, side in sides.items()}
    desk = stack.enter_context(opened(settings, folder, addresses, every="60s"))
    server = stack.enter_context(Server(desk))
    keys = sides["a"].open("interdesk", _TICKETS)
    for name in sides:
        sides[name].hook("interdesk", f"{server.address}/hooks/{name}", HOOK_KEY)
    desk.start()
    until(lambda: desk.store.read(lambda tx: tx.tickets.count()) == len(keys), "the tickets are at the centre")
    for ticket in range(1, len(keys) + 1):
        desk.centre.change(ticket, {"unit": "B"}, Person("bench"))
    until(lambda: all(not each.due for each in desk.store.read(lambda tx: tx.outbox.counts()).values()), "all agree")
    pairs = []
    for ticket in range(1, len(keys) + 1):
        links = {link.system: link.key or "" for link in desk.store.read(lambda tx, t=ticket: tx.links.of(t))}  # type: ignore[misc]  # bound now
        pairs.append((links["a"], links["b"]))
    return Course("interdesk", sides, pairs, [], [])


def _disagreements(ours: Course) -> Iterator[str]:
    """At the end both trackers hold the same subjects."""
    here, there = (ours.sides[name].subjects(ours.name) for name in ("a", "b"))
    for a, b in ours.pairs:
        if here[a] != there[b]:
            yield f"a/{a} is {here[a]!r}, b/{b} is {there[b]!r}"
