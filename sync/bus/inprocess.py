"""The bus of the embedded default: a counter and a condition per system. Wakes at once; nothing is polled."""

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Bell:
    """What the lanes of one system wait at."""

    condition: threading.Condition = field(default_factory=threading.Condition)
    count: int = 0


class InProcessBus:
    """Fulfils `sync.bus.api.Bus` for the threads of one process."""

    def __init__(self) -> None:
        self._bells: dict[str, _Bell] = {}
        self._lock = threading.Lock()
        self._closed = False

    def wake(self, system: str, *, here: bool = False) -> None:  # noqa: ARG002  # all there is, is here
        bell = self._bell(system)
        with bell.condition:
            bell.count += 1
            bell.condition.notify_all()

    def position(self, system: str) -> int:
        bell = self._bell(system)
        with bell.condition:
            return bell.count

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        bell = self._bell(system)
        with bell.condition:
            bell.condition.wait_for(lambda: self._closed or bell.count != seen, timeout)
            return bell.count

    def away(self) -> str:
        return ""

    def close(self) -> None:
        with self._lock:
            self._closed = True
            bells = list(self._bells.values())
        for bell in bells:
            with bell.condition:
                bell.condition.notify_all()

    def _bell(self, system: str) -> _Bell:
        with self._lock:
            return self._bells.setdefault(system, _Bell())
