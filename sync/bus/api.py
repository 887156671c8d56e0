"""The contract of the bus."""

from typing import Protocol


class Bus(Protocol):
    """Wakes whoever waits for a system. Thread-safe; a wake-up before the wait is not lost."""

    def wake(self, system: str) -> None:
        """Say that this system is owed a look."""

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        """Block until a wake-up newer than `seen` or the time-out (seconds); returns what to pass next time."""

    def position(self, system: str) -> int:
        """The present position, to be read *before* looking for work, so that nothing slips in between."""

    def close(self) -> None:
        """Wake everybody for good."""
