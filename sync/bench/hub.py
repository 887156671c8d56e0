"""The interdesk under measurement, in a process of its own: what it uses is its own doing, and it can be killed."""

import multiprocessing
import os
import resource
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from central.account import Account, Grant, Role
from central.store.sql import sqlite
from sync import logs
from sync.bench import copies, stock
from sync.bench.sides import DESCRIPTION, Address
from sync.bench.stand import OVERLAP, opened
from sync.bootstrap import Interdesk
from sync.serving import Server
from sync.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """How an interdesk begins: its systems, how often they are polled, and the tickets it holds already."""

    addresses: Mapping[str, Address]
    every: str = "1h"
    overlap: str = OVERLAP
    in_flight: int = 2
    routes: Sequence[tuple[str, str]] = ()
    each: int = 0
    """Tickets per route."""
    owed: bool = False
    """They were all changed at the centre, and nobody was told yet."""
    times: int = 1
    """All of these tickets are there so often: copied within the database."""
    busy: bool = False
    """Something has gone on with every system in each minute of the last hour."""
    description: str = DESCRIPTION
    """Of every ticket."""
    births: Mapping[str, str] = field(default_factory=dict)
    """The system that keeps what is born in another one."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the process has used."""

    cpu_s: float
    rss_mb: float


class Hub:
    """The process. Use it in a `with`; a second one in the same folder goes on where the first was killed."""

    def __init__(self, settings: Settings, folder: Path, plan: Plan) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        settings = replace(settings, environ=dict(settings.environ))  # what os gives cannot be sent
        self._process = context.Process(target=_work, args=(there, settings, folder, plan), daemon=True)
        self.url = ""
        """Where its pages and its hooks are."""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = self._here.recv()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._here.send(("end",))
            self._process.join(30)
        self._process.kill()
        self._process.join(10)

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.join(10)

    def start(self) -> None:
        """Begin to synchronise."""
        self._ask("start")

    def owed(self) -> int:
        """How many looks are due."""
        due: int = self._ask("owed")
        return due

    def usage(self) -> Usage:
        """What it has used by now."""
        return Usage(*self._ask("usage"))

    def change(self, count: int, tickets: int) -> float:
        """Change tickets at the centre, one after the other, so often; the seconds it took."""
        seconds: float = self._ask("change", count, tickets)
        return seconds

    def backfill(self, system: str) -> None:
        """Let a job carry the older tickets of this system to the centre."""
        self._ask("backfill", system)

    def sign_in(self) -> str:
        """What the cookie of one of the central team says, for the pages."""
        cookie: str = self._ask("sign in")
        return cookie

    def jobs_left(self) -> int:
        """How many jobs are still open."""
        left: int = self._ask("jobs")
        return left

    def _ask(self, *question: Any) -> Any:
        self._here.send(question)
        return self._here.recv()


def _work(pipe: Connection, settings: Settings, folder: Path, plan: Plan) -> None:
    fresh = not sqlite.file_of(f"sqlite:///{folder / 'interdesk.db'}").exists()

    def stocked(desk: Interdesk) -> None:
        if fresh and plan.routes:
            stock.fill(desk, plan.routes, plan.each, owed=plan.owed, description=plan.description)

    with ExitStack() as stack:
        log = stack.enter_context((folder / "hub.log").open("a"))
        desk = stack.enter_context(
            opened(
                settings,
                folder,
                plan.addresses,
                every=plan.every,
                overlap=plan.overlap,
                in_flight=plan.in_flight,
                births=plan.births,
                before_live=stocked,
            )
        )
        if fresh:
            copies.multiply(folder / "interdesk.db", plan.times)
        if fresh and plan.busy:
            copies.busy_hour(folder / "interdesk.db", plan.addresses, desk.clock())
        logs.configure(log, desk.secrets.mask)
        with Server(desk) as server:
            pipe.send(server.address)
            while (question := pipe.recv())[0] != "end":
                pipe.send(_answer(desk, *question))


def _answer(desk: Interdesk, what: str, *more: Any) -> Any:
    match what:
        case "start":
            desk.start()
            return None
        case "owed":
            return sum(counts.due for counts in desk.store.read(lambda tx: tx.outbox.counts()).values())
        case "usage":
            used = resource.getrusage(resource.RUSAGE_SELF)
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            return used.ru_utime + used.ru_stime, resident / 1e6
        case "sign in":
            account = Account("bench", "Bench", "", frozenset({Grant(Role.CENTRAL)}), desk.clock())
            return desk.gate.admit(desk.store.write(lambda tx: tx.accounts.create(account)))[0]
        case "backfill":
            return stock.backfill(desk, *more)
        case "jobs":
            return len(desk.store.read(lambda tx: tx.jobs.list(open_only=True)))
        case _:
            return stock.churn(desk, *more)
