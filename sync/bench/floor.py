"""The floor: the least a hub can do with our libraries; of P3 and P5 in a process of its own.

Webhook in, parse, merge with the base, commit (event, ticket, outbox row) in a group, write to the other side, commit
that it is done. The standard library's web server, threads, requests, SQLite with synchronous=FULL. No retries, no
mapping, no signature, no fetch: it believes the hint. With `bare` nothing is stored and http.client writes: the limit.
"""

import http.client
import json
import multiprocessing
import os
import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from sync.bench.sides import ACCOUNT, Address

_GROUP = 50
_PUSHERS = 4


@dataclass(frozen=True, slots=True)
class Route:
    """The other side of one hook: where it is, and which of its tickets is which of ours."""

    there: Address
    keys: Mapping[str, str]


class Floor:
    """The process. Use it in a `with`; `url` is where hooks go, with the name of the side they come from."""

    def __init__(self, routes: Mapping[str, Route], *, folder: Path, bare: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there, dict(routes), folder, bare), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = f"http://127.0.0.1:{self._here.recv()}"
        return self

    def cpu(self) -> float:
        """Seconds of processor time that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(10)


@dataclass(slots=True)
class Job:
    """A ticket on its way from one side to the other."""

    side: str
    ticket: dict[str, Any]
    committed: threading.Event


class Least:
    """Committer and pushers; `send` tells the other side."""

    def __init__(self, send: Callable[[requests.Session, Job], None], database: Path) -> None:
        self._send = send
        self._work: queue.SimpleQueue[Callable[[sqlite3.Connection], Callable[[], None]]] = queue.SimpleQueue()
        self._due: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
        threading.Thread(target=self._commit, args=(database,), daemon=True).start()
        for _ in range(_PUSHERS):
            threading.Thread(target=self._push, daemon=True).start()

    def take(self, side: str, *tickets: dict[str, Any]) -> None:
        """Keep hints; returns when they are durable."""
        jobs = [Job(side, ticket, threading.Event()) for ticket in tickets]
        for job in jobs:
            self._work.put(lambda db, job=job: self._store(db, job))  # type: ignore[misc]  # bound now
        for job in jobs:
            job.committed.wait()

    def _store(self, db: sqlite3.Connection, job: Job) -> Callable[[], None]:
        key = f"{job.side}/{job.ticket['ticket']}"
        row = db.execute("SELECT body FROM ticket WHERE key = ?", (key,)).fetchone()
        base = json.loads(row[0]) if row else {}
        merged = {name: value if value != base.get(name) else base.get(name) for name, value in job.ticket.items()}
        body = json.dumps(merged)
        db.execute("INSERT INTO event (key, body) VALUES (?, ?)", (key, json.dumps(job.ticket)))
        db.execute("INSERT INTO ticket VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body", (key, body))
        number = db.execute("INSERT INTO outbox (key, body, done) VALUES (?, ?, 0)", (key, body)).lastrowid or 0

        def committed() -> None:
            job.committed.set()
            self._due.put((number, job))

        return committed

    def _done(self, db: sqlite3.Connection, number: int) -> Callable[[], None]:
        db.execute("UPDATE outbox SET done = 1 WHERE id = ?", (number,))
        return lambda: None

    def _commit(self, database: Path) -> None:
        db = sqlite3.connect(database, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, key TEXT, body TEXT)")
        db.execute("CREATE TABLE ticket (key TEXT PRIMARY KEY, body TEXT)")
        db.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, key TEXT, body TEXT, done INTEGER)")
        while True:
            group = [self._work.get()]
            while len(group) < _GROUP and not self._work.empty():
                group.append(self._work.get())
            db.execute("BEGIN IMMEDIATE")
            afterwards = [work(db) for work in group]
            db.execute("COMMIT")
            for after in afterwards:
                after()

    def _push(self) -> None:
        session = requests.Session()
        while True:
            number, job = self._due.get()
            self._send(session, job)
            self._work.put(lambda db, number=number: self._done(db, number))  # type: ignore[misc]  # bound now


class _Bare:
    """Passes the hint on, and forgets it."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._here = threading.local()

    def take(self, side: str, ticket: dict[str, Any]) -> None:
        route = self._routes[side]
        made = getattr(self._here, side, None)
        if made is None:
            made = http.client.HTTPConnection(urlsplit(route.there.url).netloc)
            setattr(self._here, side, made)
        headers = {"Authorization": f"Bearer {route.there.key}", "Content-Type": "application/json"}
        body = json.dumps({"subject": ticket["subject"]})
        made.request("PATCH", f"/tickets/{route.keys[ticket['ticket']]}", body, headers)
        made.getresponse().read()


def _work(pipe: Connection, routes: dict[str, Route], folder: Path, bare: bool) -> None:
    def patch(session: requests.Session, job: Job) -> None:
        route = routes[job.side]
        address = f"{route.there.url}/tickets/{route.keys[job.ticket['ticket']]}"
        headers = {"Authorization": f"Bearer {route.there.key}"}
        session.patch(address, json={"subject": job.ticket["subject"]}, headers=headers, timeout=60)

    file = Path(tempfile.mkdtemp(dir=folder)) / "floor.db"
    hub = _Bare(routes) if bare else Least(patch, file)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ticket = json.loads(body)
            if ticket["by"] != ACCOUNT:
                hub.take(self.path.strip("/"), ticket)
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()
