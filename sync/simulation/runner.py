"""Runs of many seeds on all cores, and the story of one that fails: whole, and as short as it can be made."""

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from central.store.api import Store
from central.store.memory import MemoryStore
from central.store.migrations import upgrade
from central.store.sql import SqlStore
from sync.simulation.chronicle import Line
from sync.simulation.mesh import START, VirtualClock
from sync.simulation.oracle import Verdict, judge
from sync.simulation.scenario import Scenario, scenario
from sync.simulation.world import World


@dataclass(frozen=True, slots=True)
class Run:
    """What one seed came to."""

    seed: int
    verdict: Verdict
    faults: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Task:
    """One seed to be run."""

    seed: int
    systems: int = 5
    store: str = "memory"
    faults: bool | None = None

    @property
    def scenario(self) -> Scenario:
        """What it means."""
        return scenario(self.seed, systems=self.systems, faults=self.faults)

    @property
    def command(self) -> str:
        """What replays it."""
        faults = {None: "", True: " --faults", False: " --no-faults"}[self.faults]
        systems = f" --systems {self.systems}" if self.systems != 5 else ""
        store = f" --store {self.store}" if self.store != "memory" else ""
        return f"interdesk simulate --from {self.seed} --seeds 1{systems}{store}{faults}"


def run(task: Task) -> Run:
    """Run one seed."""
    began = time.perf_counter()
    what = task.scenario
    verdict, _ = play(what, task.store)
    return Run(task.seed, verdict, what.faults, time.perf_counter() - began)


def play(what: Scenario, store: str = "memory") -> tuple[Verdict, Sequence[Line]]:
    """Play a scenario on a store of this kind; the verdict and the story."""
    with opened(store) as place:
        world = World(what, place)
        verdict = judge(world)
        return verdict, tuple(world.chronicle.lines)


@contextmanager
def opened(store: str) -> Iterator[Store]:
    """A fresh, empty store."""
    if store == "memory":
        yield MemoryStore()
        return
    with tempfile.TemporaryDirectory(prefix="interdesk-simulate-") as folder:
        url = f"sqlite:///{Path(folder) / 'interdesk.db'}"
        upgrade(url)
        place = SqlStore.open(url, clock=VirtualClock(), exclusive=True)
        try:
            yield place
        finally:
            place.close()


def run_all(tasks: Sequence[Task], jobs: int) -> Iterator[Run]:
    """Run them, each as soon as a core is free; in the order of the tasks."""
    if jobs == 1 or len(tasks) == 1:
        with hushed():
            yield from map(run, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=_hush) as pool:
        yield from pool.imap(run, tasks, chunksize=4)


@contextmanager
def hushed() -> Iterator[None]:
    """What the engine says of its troubles is part of the story here, not of the answer."""
    before = structlog.get_config()
    _hush()
    try:
        yield
    finally:
        structlog.configure(**before)


def _hush() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def shrink(
    what: Scenario,
    law: str,
    store: str = "memory",
    *,
    tries: int = 400,
    fails: Callable[[Scenario], bool] | None = None,
) -> Scenario:
    """A scenario that breaks the same law with as little as possible: systems, workers and happenings are left out."""
    left = tries

    def still(candidate: Scenario) -> bool:
        nonlocal left
        left -= 1
        if fails is not None:
            return fails(candidate)
        return any(each.startswith(law) for each in play(candidate, store)[0].broken)

    for temper in what.tempers:
        if len(what.tempers) > 1 and still(smaller := what.lacking(temper.name)):
            what = smaller
    for simpler in (what.calmer(), what.alone()):
        if simpler != what and still(simpler):
            what = simpler
    size = max(1, len(what.happenings) // 2)
    while left > 0:
        start, dropped = 0, False
        while start < len(what.happenings) and left > 0:
            smaller = what.without(frozenset(range(start, start + size)))
            if still(smaller):
                what, dropped = smaller, True
            else:
                start += size
        if size == 1 and not dropped:
            break
        size = size if dropped and size == 1 else max(1, size // 2)
    return what


def story(lines: Sequence[Line]) -> list[str]:
    """The story of a run, numbered."""
    width = len(str(len(lines)))
    return [f"{n:{width}}. {_since(line)}  {'' if line.act else '  '}{line.text}" for n, line in enumerate(lines, 1)]


def _since(line: Line) -> str:
    seconds = (line.at - START).total_seconds()
    return f"{int(seconds // 60):3}:{seconds % 60:06.3f}"
