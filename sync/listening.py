"""Whoever is told when something arrives need not wait for the next poll: a thread per such system listens, and hurries
its poll. Polling goes on all the same: what was not heard is found a little later."""

import threading
from collections.abc import Callable, Collection
from datetime import timedelta

import structlog

from connectors.api import Listener
from connectors.errors import ConnectorError
from sync import logs
from sync.gateway import Gateways

log = structlog.get_logger("interdesk.listening")

LISTENS_FOR = timedelta(minutes=5)
"""How long one listening takes: then it is looked whether the system is still to be heard."""
PATIENCE = timedelta(minutes=1)
"""How long is waited after one that failed; why it did, the poll finds out and says."""
BREATH = timedelta(seconds=2)
"""How long after something was heard: the poll takes it in meanwhile."""


class Listening:
    """The threads that listen. `hurry` is told the name of a system where something arrived."""

    def __init__(self, gateways: Gateways, hurry: Callable[[str], None]) -> None:
        self._gateways, self._hurry = gateways, hurry
        self._lock = threading.Lock()
        self._wanted: frozenset[str] = frozenset()
        self._threads: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()

    def keep(self, names: Collection[str]) -> None:
        """Listen to these systems, as far as they can be heard, and to no others. Cheap; called again and again."""
        with self._lock:
            if self._stopping.is_set() or self._wanted == frozenset(names):
                return
            self._wanted = frozenset(names)
            for name in self._wanted - self._threads.keys():
                if self._listener(name) is not None:
                    thread = threading.Thread(target=self._listen, args=(name,), name=f"listen {name}", daemon=True)
                    self._threads[name] = thread
                    thread.start()

    def stop(self) -> None:
        """Hurry nobody any more. Whoever waits for a server ends with its connection."""
        self._stopping.set()

    def _listener(self, name: str) -> Listener | None:
        try:
            connector = self._gateways.get(name).connector
        except LookupError:
            return None
        return connector if isinstance(connector, Listener) else None

    def _listen(self, name: str) -> None:
        while not self._stopping.is_set() and self._is_wanted(name):
            listener = self._listener(name)
            wait = PATIENCE
            try:
                if listener is not None and listener.wait(LISTENS_FOR.total_seconds()):
                    self._hurry(name)
                    wait = BREATH
                elif listener is not None:
                    continue
            except ConnectorError as trouble:
                log.info("not heard; it is polled", system=name, error=logs.told(trouble))
            self._stopping.wait(wait.total_seconds())

    def _is_wanted(self, name: str) -> bool:
        with self._lock:
            if name not in self._wanted:
                self._threads.pop(name, None)
                return False
            return True
