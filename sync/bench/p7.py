"""P7: a backfill. A tracker full of older tickets comes to the centre and goes on to another tracker, in full.

The process is killed when half of them are there, and the next one goes on. The floor reads the same pages, commits
the same tickets and creates them there, and remembers nothing that would let it go on; the limit only copies.
All tickets are assigned already: of one that is not, the centre tells the tracker that it comes from, and that is a
second write, which no copy makes.
"""

import http.client
import json
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from sync.bench.floor import Job, Least
from sync.bench.hub import Hub, Plan
from sync.bench.progress import tell
from sync.bench.report import Law, Report
from sync.bench.sides import Address, Side
from sync.bench.stand import until
from sync.settings import Settings

TARGET = 2.5
_SIZES = {"small": (100, 600), "full": (10_000, 100_000)}
"""Few tickets and many; floor and limit copy the few."""
_PAGE = 100
_PATIENCE = 4 * 3600
_IN_FLIGHT = 2
_TOLD = ("subject", "description", "status", "priority")
_STATUS = "assigned"


@dataclass(frozen=True, slots=True)
class _Course:
    """What one backfill took."""

    seconds: float
    """Of both processes together, but for what was under way at the kill: it waits until it surely is no more."""
    pages_again: int
    grown_mb: float


def run(settings: Settings, size: str) -> Report:
    """One run: the limit and the floor, few tickets, many tickets."""
    few, many = _SIZES[size]
    wrong: list[str] = []
    limit, floor = (_least(few, bare=bare, wrong=wrong) / few for bare in (True, False))
    tell(f"a backfill of {few}")
    short = _backfill(settings, few, wrong, kill=False)
    tell(f"a backfill of {many}, killed half-way")
    long = _backfill(settings, many, wrong, kill=True)
    each = long.seconds / many
    return Report(
        bench="P7",
        size=size,
        metrics={"ms_per_ticket": round(each * 1000, 2), "seconds": round(long.seconds, 1), "tickets": many},
        floor={"ms_per_ticket": round(floor * 1000, 2)},
        limit={"ms_per_ticket": round(limit * 1000, 2)},
        ratio=round(each / floor, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={
            "pages read again after the kill": Law(long.pages_again, 1),
            "time per ticket with many / with few": Law(round(each / (short.seconds / few), 2), 1.1),
            "memory grown, MB": Law(round(long.grown_mb, 1), 30.0),
        },
    )


def _backfill(settings: Settings, tickets: int, wrong: list[str], *, kill: bool) -> _Course:
    """Carry them all, in one process or with a kill in the middle."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        a, b = (stack.enter_context(Side(name, ("interdesk",))) for name in "ab")
        a.stock("interdesk", tickets, _STATUS)
        addresses = {"a": a.address("interdesk"), "b": b.address("interdesk")}
        plan = Plan(addresses, in_flight=_IN_FLIGHT, births={"a": "b"})

        def created() -> int:
            return b.counts("interdesk").get("create", 0)

        def so_far() -> float:
            return created() / tickets

        hub = stack.enter_context(Hub(settings, folder, plan))
        hub.start()
        began = time.monotonic()
        hub.backfill("a")
        seconds, before = 0.0, 0
        if kill:
            until(lambda: created() >= tickets // 2, "half of the tickets are there", patience=_PATIENCE, so_far=so_far)
            hub.kill()
            seconds, before = time.monotonic() - began, len(b.created("interdesk"))
            hub = stack.enter_context(Hub(settings, folder, plan))
            began = time.monotonic()
            hub.start()
        until(lambda: created() >= before + (tickets - before) // 10, "it goes on", patience=_PATIENCE, so_far=so_far)
        resident = hub.usage().rss_mb
        done = "the backfill is done"
        until(lambda: hub.jobs_left() == 0 and hub.owed() == 0, done, patience=_PATIENCE, so_far=so_far)
        grown = hub.usage().rss_mb - resident
        moments = [moment for _, moment in b.created("interdesk")]
        seconds += moments[max(before, tickets - _IN_FLIGHT) - 1] - began
        _compare(a, b, "interdesk", tickets, "", wrong)
        return _Course(seconds, a.pages("interdesk") - 2 * (tickets // _PAGE + 1), grown)


def _compare(a: Side, b: Side, contestant: str, tickets: int, who: str, wrong: list[str]) -> None:
    """Every ticket is in `b`, and none of them twice."""
    there, here = Counter(b.subjects(contestant).values()), Counter(a.subjects(contestant).values())
    lost, made_up = (here - there).total(), (there - here).total()
    if lost or made_up or there.total() != tickets:
        wrong.append(f"{who}{tickets} tickets: {lost} were lost, {made_up} are there too often or were made up")


def _least(tickets: int, *, bare: bool, wrong: list[str]) -> float:
    """Seconds that the floor takes, or the limit."""
    name = "limit" if bare else "floor"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        a, b = (stack.enter_context(Side(each, (name,))) for each in "ab")
        a.stock(name, tickets, _STATUS)
        began = time.monotonic()
        if bare:
            _copy(a.address(name), b.address(name))
        else:
            _carry(a.address(name), b.address(name), folder / "floor.db")
            until(lambda: b.counts(name).get("create", 0) >= tickets, "the floor carried them", patience=3600)
        seconds = b.created(name)[-1][1] - began
        _compare(a, b, name, tickets, f"{name}: ", wrong)
        return seconds


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _TOLD} | {"extras": {"external_id": f"copy of {row['id']}"}}


def _carry(here: Address, there: Address, database: Path) -> None:
    """Read page after page, keep each, and let the pushers create its tickets there."""

    def post(session: requests.Session, job: Job) -> None:
        headers = {"Authorization": f"Bearer {there.key}"}
        session.post(f"{there.url}/tickets", json=_told(job.ticket), headers=headers, timeout=60)

    least = Least(post, database)
    after = 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {here.key}"
        while rows := session.get(f"{here.url}/tickets", params={"limit": _PAGE, "after": after}).json()["tickets"]:
            least.take("a", *({**row, "ticket": row["id"]} for row in rows))
            after = int(rows[-1]["id"])


def _copy(here: Address, there: Address) -> None:
    """The cheapest client there is: one connection to each side, nothing kept."""
    ours = {"Authorization": f"Bearer {here.key}"}
    theirs = {"Authorization": f"Bearer {there.key}", "Content-Type": "application/json"}
    after = 0
    with closing(_connection(here)) as source, closing(_connection(there)) as target:
        while True:
            source.request("GET", f"/tickets?limit={_PAGE}&after={after}", headers=ours)
            rows = json.loads(source.getresponse().read())["tickets"]
            if not rows:
                return
            for row in rows:
                target.request("POST", "/tickets", json.dumps(_told(row)), theirs)
                target.getresponse().read()
            after = int(rows[-1]["id"])


def _connection(side: Address) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(side.url).netloc)
