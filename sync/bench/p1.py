"""P1: the idle poll. Every system is asked once and has nothing new to tell, however many tickets are linked.

Measured is the processor time of this process; the floor asks the same questions with a bare `requests` session each.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import requests

from central.store.sql import SqlStore
from sync.bench.progress import tell
from sync.bench.report import Law, Report
from sync.bench.sides import Address, Side
from sync.bench.stand import opened
from sync.bench.stock import fill
from sync.bootstrap import Interdesk
from sync.poll import poll
from sync.settings import Settings

TARGET = 3.0
_SIZES = {"small": (30, 900, 9_000, 7), "full": (300, 9_900, 999_900, 7)}
"""Systems, few tickets, many tickets, rounds."""


def run(settings: Settings, size: str) -> Report:
    """One run: rounds with few tickets, then with many."""
    systems, few, many, rounds = _SIZES[size]
    names = [f"s{number}" for number in range(systems)]
    wrong: list[str] = []
    with ExitStack() as stack:
        tell(f"{systems} trackers begin")
        side = stack.enter_context(Side("yard", names))
        addresses = {name: side.address(name) for name in names}
        for name in names:
            side.stock(name, 1)  # the newest ticket, which every poll shows again
        ours = {count: _rounds(settings, side, addresses, count // systems, rounds, wrong) for count in (few, many)}
        floor = _floor(addresses, rounds)
    measured, least = ours[many] / systems * 1000, floor / systems * 1000
    return Report(
        bench="P1",
        size=size,
        metrics={"cpu_ms_per_poll": round(measured, 3), "systems": systems, "tickets": many},
        floor={"cpu_ms_per_poll": round(least, 3)},
        limit={},
        ratio=round(measured / least, 2),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
        laws={"time with many tickets / with few": Law(round(ours[many] / ours[few], 2), 1.1)},
    )


def _rounds(
    settings: Settings,
    side: Side,
    addresses: Mapping[str, Address],
    each: int,
    rounds: int,
    wrong: list[str],
) -> float:
    """Seconds of processor time that a round takes; what it asked and wrote beyond its due is wrong."""
    with tempfile.TemporaryDirectory(prefix="interdesk-bench-") as folder:

        def stocked(desk: Interdesk) -> None:
            tell(f"{each * len(addresses)} tickets are linked")
            fill(desk, [(name, name) for name in addresses], each)

        with opened(settings, Path(folder), addresses, before_live=stocked) as desk:
            gateways = [desk.gateways.get(name) for name in addresses]

            def round_() -> None:
                for gateway in gateways:
                    poll(desk.means, gateway)

            tell("every system is polled")
            round_()  # connections are made, caches filled, and what is written seldom is written
            watcher = SqlStore.open(desk.settings.database, clock=desk.clock, exclusive=False)
            asked = {name: sum(side.counts(name).values()) for name in addresses}
            watcher.changed_elsewhere()
            seconds = _processor_time(round_, rounds)
            if watcher.changed_elsewhere():
                wrong.append(f"with {each} tickets each, an idle poll wrote to the database")
            watcher.close()
            for name, before in asked.items():
                requests_ = sum(side.counts(name).values()) - before
                if requests_ != rounds:
                    wrong.append(f"{name} was asked {requests_} times in {rounds} rounds")
            return seconds


def _floor(addresses: Mapping[str, Address], rounds: int) -> float:
    sessions = []
    for address in addresses.values():
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {address.key}"
        sessions.append((session, f"{address.url}/tickets"))
    asked = {"limit": "100", "since": "2000-01-01T00:00:00+00:00", "after": "0"}

    def round_() -> None:
        for session, url in sessions:
            session.get(url, params=asked, timeout=60).json()

    round_()
    return _processor_time(round_, rounds)


def _processor_time(act: Callable[[], None], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return min(taken)  # whatever else the machine did can only have added to it
