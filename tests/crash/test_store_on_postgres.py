"""The store on a real PostgreSQL under attack: processes killed, the server ended as a power cut would."""

import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from central.delivery import Lease
from central.store.api import CommitFailed, Transaction, Unreachable
from central.store.migrations import check
from central.store.sql import SqlStore
from tests.postgres import Server

PEERS = Path(__file__).parents[1] / "peers"

WRITER = """
import sys, threading
from datetime import datetime, UTC, timedelta
from central.link import Link, LinkState
from central.delivery import Direction
from central.delivery import Lease
from central.store.api import CommitFailed, NoSuch, Unreachable
from central.store.sql import SqlStore

now = datetime(2026, 3, 1, tzinfo=UTC)
store = SqlStore.open(sys.argv[1], clock=lambda: now, exclusive=True)
life, most = sys.argv[2], int(sys.argv[3])

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

def work(system, number):
    def change(tx):
        ticket = tx.tickets.create({"subject": f"{life}-{system}-{number}"}, now)
        tx.links.create(Link(0, ticket.id, system, LinkState.ACTIVE, str(ticket.id)))
        tx.outbox.owe(system, Direction.OUTWARD, str(ticket.id), now, reason="written")
        shared = tx.tickets.get(1)
        tx.tickets.change(shared, {"phone": str(int(str(shared["phone"])) + 1)}, now)
    while True:
        try:
            store.write(change)
        except (CommitFailed, Unreachable):
            continue  # surely not written: once more
        say("wrote", f"{life}-{system}-{number}")
        return

def take(system):
    try:
        claim = store.write(lambda tx: tx.outbox.claim(
            system, life, now, ttl=timedelta(days=1), lease_name=lambda tx, delivery: delivery.subject))
    except (CommitFailed, Unreachable):
        return
    if claim is not None:
        say("claimed", claim.lease.name)

def thread(system):
    for number in range(most):
        work(system, number)
        if number % 2:
            take(system)

threads = [threading.Thread(target=thread, args=(system,)) for system in ("rt", "redmine", "zammad", "jira")]
for one in threads:
    one.start()
for one in threads:
    one.join()
store.close()
say("end", life)
"""


def _prepared(url: str) -> None:
    store = SqlStore.open(url, clock=lambda: datetime.now(UTC), exclusive=True)
    store.write(lambda tx: tx.tickets.create({"subject": "shared", "phone": "0"}, datetime.now(UTC)))
    store.close()


def _start(url: str, life: str, most: int) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, url, life, str(most)], stdout=subprocess.PIPE, text=True)


def _judge(url: str, lines: list[str], *, whole: bool) -> None:
    """Everything acknowledged is there once; every claim was given out once; the counters are what a recount says."""
    told = Counter(line.split()[1] for line in lines if line.startswith("wrote ") and line.endswith("\n"))
    claims = Counter(line.split()[1] for line in lines if line.startswith("claimed ") and line.endswith("\n"))
    store = SqlStore.open(url, clock=lambda: datetime.now(UTC), exclusive=False)
    try:
        tickets = store.read(lambda tx: tx.tickets.list(limit=10**6))
        there = Counter(str(ticket["subject"]) for ticket in tickets if ticket["subject"] != "shared")
        shared = store.read(lambda tx: tx.tickets.get(1))
    finally:
        store.close()
    assert not {name: number for name, number in there.items() if number != 1}, "applied twice"
    assert not told.keys() - there.keys(), "acknowledged and lost"
    if whole:
        assert there == told
    assert not {name: number for name, number in claims.items() if number != 1}, "claimed twice"
    assert shared["phone"] == str(len(there))
    assert check(url) == []


def test_two_processes_of_which_one_is_killed_lose_nothing_and_count_exactly(postgres: Server) -> None:
    with postgres.database() as url:
        _prepared(url)
        with _start(url, "stays", 125) as stays, _start(url, "dies", 125) as dies:
            assert stays.stdout is not None
            assert dies.stdout is not None
            lines = [dies.stdout.readline() for _ in range(120)]
            dies.kill()
            lines += dies.stdout.readlines()
            lines += stays.stdout.readlines()
        assert "end stays\n" in lines
        _judge(url, lines, whole=False)


def test_a_server_that_ends_as_in_a_power_cut_loses_nothing_acknowledged_and_does_nothing_twice(
    postgres: Server,
) -> None:
    with postgres.database() as url:
        _prepared(url)
        with _start(url, "a", 60) as first, _start(url, "b", 60) as second:
            assert first.stdout is not None
            assert second.stdout is not None
            lines = [second.stdout.readline()]  # both have opened their store: no crash may meet them before
            for _ in range(3):
                lines += [first.stdout.readline() for _ in range(40)]
                subprocess.run([PEERS / "pg.sh", "crash"], check=True, stdout=subprocess.DEVNULL)
            lines += first.stdout.readlines()
            lines += second.stdout.readlines()
        assert {"end a\n", "end b\n"} <= set(lines)
        _judge(url, lines, whole=True)


def test_a_question_whose_answer_is_lost_says_so_in_our_words_and_the_next_one_is_answered(postgres: Server) -> None:
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    with postgres.database() as url:
        store = SqlStore.open(url, clock=lambda: datetime.now(UTC), exclusive=True)

        def question(tx: Transaction) -> int:
            tx.tickets.count()
            with psycopg.connect(url, autocommit=True) as other:
                other.execute(end_all, [other.info.backend_pid])
            return tx.tickets.count()

        try:
            with pytest.raises(Unreachable, match="does not answer"):
                store.read(question)
            assert store.read(lambda tx: tx.tickets.count()) == 0
            assert store.changed_elsewhere() in (True, False)
        finally:
            store.close()


class Wire:
    """Between the store and the server: cuts one connection at its COMMIT, before or after the server has it; or lets
    something else happen right before a statement arrives there."""

    def __init__(self, server: str) -> None:
        address = make_url(server)
        self._server = (address.host, address.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = address.set(host="127.0.0.1", port=self._listening.getsockname()[1]).render_as_string(False)
        self.cut: str | None = None
        self.cuts = 0
        self.before: tuple[bytes, Callable[[], None]] | None = None
        """Words of the next statement that this is to happen before."""
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _run(self, work: Callable[..., None], *ends: socket.socket) -> None:
        self._threads.append(threading.Thread(target=work, args=ends))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._run(self._out, client, server)
            self._run(self._back, server, client)

    def _out(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(client):
            if self.before is not None and self.before[0] in data:
                (_, act), self.before = self.before, None
                act()
            if self.cut is not None and b"COMMIT" in data:
                cut, self.cut = self.cut, None
                self.cuts += 1
                if cut == "after":
                    _end(client)  # the answer has nowhere to go
                    server.sendall(data)
                break
            server.sendall(data)
        _end(server)
        _end(client)
        client.close()

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := _received(server):
                client.sendall(data)
        _end(client)
        server.close()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_whose_answer_was_lost_is_looked_up(postgres: Server, cut: str) -> None:
    with postgres.database() as url:
        wire = Wire(url)
        store = SqlStore.open(wire.url, clock=lambda: datetime.now(UTC), exclusive=True)
        try:
            wire.cut = cut
            if cut == "before":
                with pytest.raises(CommitFailed, match="nothing was written"):
                    store.write(lambda tx: tx.tickets.create({"subject": "x"}, datetime.now(UTC)))
            else:
                store.write(lambda tx: tx.tickets.create({"subject": "x"}, datetime.now(UTC)))
            assert wire.cuts == 1
            assert store.read(lambda tx: tx.tickets.count()) == (cut == "after")
            store.write(lambda tx: tx.tickets.create({"subject": "y"}, datetime.now(UTC)))
            assert len(store.read(lambda tx: tx.tickets.list())) == 1 + (cut == "after")
        finally:
            store.close()
            wire.close()
        assert check(url) == []


def test_a_lease_that_somebody_else_has_taken_over_meanwhile_is_not_taken_from_them(postgres: Server) -> None:
    at, term = datetime(2026, 3, 1, tzinfo=UTC), timedelta(minutes=1)
    later, taken = at + 2 * term, list[Lease | None]()
    with postgres.database() as url:
        wire = Wire(url)
        slow = SqlStore.open(wire.url, clock=lambda: later, exclusive=True)
        quick = SqlStore.open(url, clock=lambda: later, exclusive=True)
        try:
            assert quick.write(lambda tx: tx.outbox.take("job/7", "dead", at, ttl=term))

            def take() -> None:
                taken.append(quick.write(lambda tx: tx.outbox.take("job/7", "quick", later, ttl=term)))

            wire.before = (b"SKIP LOCKED", take)  # the slow one has read that the lease is over by then
            assert slow.write(lambda tx: tx.outbox.take("job/7", "slow", later, ttl=term)) is None
            (lease,) = taken
            assert lease is not None
            quick.write(lambda tx: tx.outbox.check(lease, later))
        finally:
            slow.close()
            quick.close()
            wire.close()
