"""P12: two workers instead of one, on PostgreSQL and RabbitMQ, before a tracker that takes its time.

Every ticket is changed at the centre while the stop button is pressed; once it is let go, some are changed again while
they are written. The workers are the real command, each with one ticket in hand. The floor is one worker. At last one
of two is killed at work, and what it had in hand waits until its lease is over.
"""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import make_url

from central.model import Person
from central.store.sql.postgresql import told
from sync.bench.progress import tell
from sync.bench.report import Report
from sync.bench.sides import Side, Trouble
from sync.bench.stand import bring_to_life, documents_of, own_settings, until
from sync.bench.stock import change_all, fill
from sync.bootstrap import Interdesk
from sync.bus import amqp
from sync.live import let_go, stop_all
from sync.settings import BadSetting, Settings

TARGET = round(1 / 1.8, 3)
"""The rate of one worker over that of two."""
_SIZES = {"small": 150, "full": 1_500}
"""Tickets."""
_AGAIN = 10
"""One in so many tickets is changed again meanwhile."""
_PAUSE = 0.02
_LEASES_ARE_OVER = 900.0


def run(settings: Settings, size: str) -> Report:
    """One run: one worker, two workers, two of which one is killed.

    :raises BadSetting: there is no PostgreSQL or no RabbitMQ to run it on."""
    if not settings.database.startswith("postgres") or not settings.broker:
        raise BadSetting(
            "P12 measures workers beside each other: set INTERDESK_DATABASE=postgresql://... (its user may create "
            "databases; P12 makes one of its own and removes it) and INTERDESK_BROKER=amqp://..."
        )
    tickets = _SIZES[size]
    system = f"bench_{secrets.token_hex(4)}"  # queues are named after systems, and the broker may serve others
    wrong: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interdesk-bench-")))
        side = stack.enter_context(Side(system, (system,)))
        side.stock(system, tickets)
        mine = own_settings(settings, folder, {system: side.address(system)})
        database = stack.enter_context(_database(settings.database))
        mine = replace(mine, database=database, broker=settings.broker, identity="bench")
        stack.callback(_remove_queue, settings.broker, system)
        desk = stack.enter_context(Interdesk(mine, exclusive=True))
        documents = documents_of({system: side.address(system)}, every="1h", in_flight=1)
        bring_to_life(desk, documents, [system], lambda desk: fill(desk, [(system, system)], tickets))
        side.misbehave(system, Trouble(pause=_PAUSE))
        course = _Course(desk, side, system, tickets, wrong)
        rates = {}
        for count in (1, 2):
            tell(f"workers: {count}")
            with _Workers(mine, folder, count):
                rates[count] = course.measure()
        tell("workers: 2, of which one is killed")
        with _Workers(mine, folder, 2) as workers:
            course.survive(workers)
    return Report(
        bench="P12",
        size=size,
        metrics={"changes_per_s": round(rates[2], 1), "workers": 2, "tickets": tickets},
        floor={"changes_per_s": round(rates[1], 1), "workers": 1},
        limit={},
        ratio=round(rates[1] / rates[2], 3),
        target=TARGET,
        correct=not wrong,
        wrong=tuple(wrong),
    )


class _Workers:
    """So many `interdesk worker`s. Use them in a `with`; inside it all are at work."""

    def __init__(self, settings: Settings, folder: Path, count: int) -> None:
        document = folder / "instance.yaml"
        document.write_text("kind: instance\nname: bench\nallowed_networks: [127.0.0.0/8]\n")
        self._environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **settings.environ,
            "INTERDESK_DATABASE": settings.database,
            "INTERDESK_BROKER": settings.broker,
            "INTERDESK_INSTANCE": settings.identity,
            "INTERDESK_CONFIG": str(document),
        }
        self._folder, self._count = folder, count
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        with (self._folder / "workers.log").open("a") as log:
            for number in range(self._count):
                command = [sys.executable, "-m", "sync", "--state", str(self._folder / f"worker-{number}"), "worker"]
                self._running.append(
                    subprocess.Popen(  # noqa: S603  # our own program
                        command, env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True
                    )
                )
        for each in self._running:
            assert each.stdout is not None
            if each.stdout.readline() != "at work\n":
                raise RuntimeError(f"a worker did not begin: {(self._folder / 'workers.log').read_text()[-2000:]}")
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._running:
            each.terminate()
        for each in self._running:
            each.communicate(timeout=600)

    def kill_one(self) -> None:
        """As a power cut would."""
        killed = self._running.pop()
        killed.kill()
        killed.communicate()


@dataclass(slots=True)
class _Course:
    """Rounds of changes at the centre, and what becomes of them in the tracker."""

    desk: Interdesk
    side: Side
    system: str
    tickets: int
    wrong: list[str]
    made: int = 0
    last: dict[str, str] = field(default_factory=dict)

    def measure(self) -> float:
        """Change everything; the writes per second until the tracker knows."""
        before = len(self._writes())
        self._change()
        until(self._agrees, "every change arrives", patience=600)
        writes = self._writes()[before:]
        self._compare(writes)
        steady = len(writes) * 9 // 10  # at the end one works alone
        return steady / (writes[steady][2] - writes[0][2])

    def survive(self, workers: _Workers) -> None:
        """Change everything, and kill a worker in the middle."""
        before = len(self._writes())
        self._change()
        until(lambda: len(self._writes()) >= before + self.tickets // 2, "half of it is done", patience=600)
        workers.kill_one()
        until(self._agrees, "what the killed one had in hand is done", patience=_LEASES_ARE_OVER)
        self._compare(self._writes()[before:])

    def _change(self) -> None:
        at, store = self.desk.clock(), self.desk.store
        store.write(lambda tx: stop_all(tx, at, "bench", "everything is changed first"))
        self.made += 1
        subject = f"change {self.made:04} of {{}}"
        change_all(self.desk, self.system, self.tickets, subject)
        self.last = {str(number): subject.format(number) for number in range(1, self.tickets + 1)}
        store.write(lambda tx: let_go(tx, at, "bench"))
        self.desk.bus.wake(self.system)
        self.made += 1
        for number in range(_AGAIN, self.tickets + 1, _AGAIN):
            again = f"change {self.made:04} of {number}"
            self.desk.centre.change(number, {"subject": again}, Person("bench"))
            self.last[str(number)] = again

    def _agrees(self) -> bool:
        return self.side.subjects(self.system) == self.last and not any(
            each.due for each in self.desk.store.read(lambda tx: tx.outbox.counts()).values()
        )

    def _writes(self) -> list[tuple[str, str, float]]:
        return self.side.arrived(self.system)

    def _compare(self, writes: Sequence[tuple[str, str, float]]) -> None:
        """Nothing twice, and each ticket's changes in the order in which they were made."""
        written: dict[str, list[str]] = {}
        for key, subject, _ in writes:
            written.setdefault(key, []).append(subject)
        self.wrong += disorder(written)


def disorder(written: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What was written twice or too late, by ticket; subjects are in the order of their words."""
    for key, subjects in written.items():
        if len(set(subjects)) < len(subjects):
            yield f"ticket {key} was written the same twice: {', '.join(subjects)}"
        elif sorted(subjects) != list(subjects):
            yield f"ticket {key} was written out of order: {', '.join(subjects)}"


@contextmanager
def _database(url: str) -> Iterator[str]:
    """A database of its own beside the one at this address, for as long as the block lasts."""
    name = f"interdesk_bench_{secrets.token_hex(4)}"
    _ask(url, f'CREATE DATABASE "{name}"')
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        _ask(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _ask(url: str, statement: str) -> None:
    place = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        raise BadSetting("the user of INTERDESK_DATABASE may not create databases: ALTER ROLE ... CREATEDB") from None
    except psycopg.OperationalError as error:
        raise told(url, error) from None


def _remove_queue(broker: str, system: str) -> None:
    with amqp.broker(broker)() as connection:
        amqp.queue(system)(connection.channel()).delete()
