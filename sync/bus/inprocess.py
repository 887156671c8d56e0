"""The bus of the embedded default: a counter per system under one condition. Wakes at once; nothing is polled."""

import threading
from collections import defaultdict


class InProcessBus:
    """Fulfils `sync.bus.api.Bus` for the threads of one process."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._count: defaultdict[str, int] = defaultdict(int)
        self._closed = False

    def wake(self, system: str) -> None:
        with self._condition:
            self._count[system] += 1
            self._condition.notify_all()

    def position(self, system: str) -> int:
        with self._condition:
            return self._count[system]

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._count[system] != seen, timeout)
            return self._count[system]

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
