"""P11: the pages. The mesh, a search and a list take as long with a million tickets as with a few.

Every system has had something to do in each minute of the last hour: there is a line to be drawn on each tile.
Measured is what a browser waits for a page, over real HTTP, with a session of the central team; how it grows is told by
the processor time of the server. The limit is the least that could be shown: the kept counters, by a bare query, in a
bare template.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import requests
from jinja2 import Environment

from central.store import migrations
from sync.bench.hub import Hub, Plan
from sync.bench.report import Law, Report
from sync.bench.sides import Side
from sync.settings import Settings

TARGET = 1.0
_ALLOWED_MS = 20.0
_CHECKED = 50
"""Whether so many copies are in order is seen in fewer."""
_SIZES = {"small": (30, 900, 1, 30, 40), "full": (300, 9_900, 1, 101, 200)}
"""Systems; tickets that are made; how often they are there: few, and many; how often each page is asked for."""
_PAGES = {
    "mesh": ("/systems", "Looks owed in the last 60 minutes"),
    "key": ("/tickets?q=s0/17", "ticket 16"),
    "rare_word": ("/tickets?q=change", "change 0"),
    "common_word": ("/tickets?q=ticket", "ticket 16"),
    "words": ("/tickets?q=ticket+16", "ticket 16"),
    "beginning": ("/tickets?q=tick", "ticket 16"),
    "text": ("/tickets?q=mismatch", "ticket 16"),
    "filter": ("/tickets?system=s0&status=new", "ticket 16"),
    "list": ("/tickets", "ticket 16"),
}
"""Where each is, and what must stand on it."""
_TEMPLATE = """<!doctype html><title>Mesh</title>{% for name, links, disagreements, due in systems %}
<article><h3>{{ name }}</h3><p>{{ links }} {{ disagreements }} {{ due }}</p></article>{% endfor %}"""


def run(settings: Settings, size: str) -> Report:
    """One run: with few tickets, then with many."""
    systems, made, few, many, rounds = _SIZES[size]
    names = [f"s{number}" for number in range(systems)]
    wrong: list[str] = []
    with ExitStack() as stack:
        side = stack.enter_context(Side("yard", names))
        plan = Plan(
            {name: side.address(name) for name in names},
            routes=[(name, name) for name in names],
            each=made // systems,
            description="checksum mismatch since this morning",
        )
        early, late = (_measured(settings, plan, times, rounds, wrong) for times in (few, many))
    waits = {f"{page}_p95_ms": round(late.waits[page] * 1000, 2) for page in _PAGES}
    return Report(
        bench="P11",
        size=size,
        metrics={
            **waits,
            **{f"{page}_cpu_ms": round(late.processor[page] * 1000, 2) for page in _PAGES},
            "systems": systems,
            "tickets": made * many,
        },
        floor={"mesh_p95_ms": _ALLOWED_MS},
        limit={"mesh_p95_ms": round(late.least * 1000, 2)},
        ratio=round(waits["mesh_p95_ms"] / _ALLOWED_MS, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={
            f"time of {page} with many tickets / with few": Law(round(late.processor[page] / spent, 2), 1.5)
            for page, spent in early.processor.items()
            if page != "filter"  # how rare the tickets of a system are is counted, up to so many
        },
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of each page, in seconds."""

    waits: Mapping[str, float]
    """What it takes at most, 19 times of 20."""
    processor: Mapping[str, float]
    """What the server works for one."""
    least: float
    """What the least page of the mesh takes, 19 times of 20."""


def _measured(settings: Settings, plan: Plan, times: int, rounds: int, wrong: list[str]) -> _Figures:
    with tempfile.TemporaryDirectory(prefix="interdesk-bench-") as name:
        folder = Path(name)
        with Hub(settings, folder, replace(plan, times=times)) as hub, requests.Session() as session:
            hub.change(1, 1)  # the oldest ticket is the only one of this word
            session.cookies.set("interdesk", hub.sign_in())
            waits, processor = {}, {}
            for page, (address, told) in _PAGES.items():
                ask = partial(session.get, f"{hub.url}{address}", timeout=60)
                answer = ask()
                if answer.status_code != 200 or told not in answer.text:
                    wrong.append(f"with every ticket {times} times, {address} does not show {told!r}")
                before = hub.usage().cpu_s
                waits[page] = _p95(ask, rounds)
                processor[page] = (hub.usage().cpu_s - before) / rounds
        database = folder / "interdesk.db"
        if times < _CHECKED:
            wrong += migrations.check(f"sqlite:///{database}")
        return _Figures(waits, processor, _p95(_least(database), rounds))


def _least(database: Path) -> Callable[[], object]:
    """The kept counters of each system, in a page."""
    page = Environment(autoescape=True).from_string(_TEMPLATE)

    def show() -> str:
        with closing(sqlite3.connect(database)) as db:
            return page.render(systems=db.execute("SELECT system, links, disagreements, due FROM counters").fetchall())

    return show


def _p95(act: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[int(times * 0.95)]
