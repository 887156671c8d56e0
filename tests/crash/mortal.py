"""The real program, mortal: `python -m tests.crash.mortal run|worker FOLDER` dies by kill -9 where it is told to.

A *point* lies between two instructions that matter: after a call of a connector was answered; after a commit that owes
somebody a look, before anybody is woken; after a commit was told to whoever wanted it. Between two points nothing
lasting happens, here or elsewhere. A point is called after the code that runs there, and is written to FOLDER/crossed
when it is first passed, so that a new one is found by itself. Whoever passes a point for which there is a file
FOLDER/armed/POINT removes the file and dies: one process for one file.
"""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from central.store.api import Transaction
from central.store.sql import SqlStore
from sync import logs
from sync.bootstrap import Interdesk
from sync.cli.running import until_told
from sync.gateway import Gateway
from sync.gateways import Registration
from sync.serving import Server
from sync.settings import Settings, settings

CALLS = frozenset({"changes", "scan", "fetch", "find", "create", "update", "comment", "edit_comment", "delete_comment"})


class Reaper:
    """Kills its own process at the points that are armed."""

    def __init__(self, folder: Path) -> None:
        self._armed, self._crossed = folder / "armed", folder / "crossed"
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self.awake = False
        """Whether points are heeded: a process that starts is tried by those that are killed while they do."""

    def cross(self, point: str) -> None:
        """This point is passed; nothing comes back from it where it is armed."""
        if not self.awake:
            return
        try:
            (self._armed / point).unlink()
        except FileNotFoundError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
        with self._lock:
            if point not in self._known:
                self._known.add(point)
                with self._crossed.open("a") as log:
                    log.write(f"{point}\n")


class MortalStore:
    """A store with points in and around its transactions."""

    def __init__(self, store: SqlStore, reaper: Reaper) -> None:
        self._store, self._reaper = store, reaper

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, change: Callable[[Transaction], Any], *, durable: bool = True) -> Any:
        name = _name(change)

        def mortal(tx: Any) -> Any:
            wakes: list[Callable[[], None]] = []
            result = change(Eavesdropped(tx, wakes))
            if wakes:
                tx.after_commit(lambda: self._reaper.cross(f"{name}, nobody woken"))
            for wake in wakes:
                tx.after_commit(wake)
            return result

        result = self._store.write(mortal, durable=durable)
        self._reaper.cross(f"{name}, told")
        return result


class Eavesdropped:
    """A transaction that keeps apart what is to happen after its commit."""

    def __init__(self, tx: Transaction, wakes: list[Callable[[], None]]) -> None:
        self._tx, self._wakes = tx, wakes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    def after_commit(self, action: Callable[[], None]) -> None:
        self._wakes.append(action)


class MortalConnector:
    """A connector with a point after each of its calls."""

    def __init__(self, connector: Any, system: str, reaper: Reaper) -> None:
        self._connector, self._system, self._reaper = connector, system, reaper

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connector, name)
        if name not in CALLS:
            return found

        def call(*words: Any, **named: Any) -> Any:
            answer = found(*words, **named)
            self._reaper.cross(f"{self._system} {name}, answered")
            return answer

        return call


class MortalInterdesk(Interdesk):
    """Everything of one process, with points in it."""

    def __init__(self, settings: Settings, reaper: Reaper) -> None:
        self._reaper = reaper
        super().__init__(settings, exclusive=True)

    def _store(self, *, exclusive: bool) -> SqlStore:
        return MortalStore(super()._store(exclusive=exclusive), self._reaper)  # type: ignore[return-value]

    def _gateway(self, registration: Registration) -> Gateway:
        gateway = super()._gateway(registration)
        return replace(gateway, connector=MortalConnector(gateway.connector, gateway.system, self._reaper))


def _name(change: Callable[..., Any]) -> str:
    """What a change is called after: the code that it is."""
    while isinstance(change, functools.partial):
        change = change.func
    return f"{change.__module__}.{change.__qualname__}".replace(".<locals>", "")


def main(command: str, folder: Path) -> None:
    """What `interdesk run` and `interdesk worker` do."""
    with ExitStack() as stack:
        reaper = Reaper(folder)
        desk = stack.enter_context(MortalInterdesk(settings(os.environ), reaper))
        logs.configure(sys.stderr, desk.secrets.mask)
        told = stack.enter_context(until_told())
        if command == "run":
            stack.enter_context(Server(desk))
        print("at work", flush=True)
        reaper.awake = True
        desk.start()
        told.wait()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
