"""The contract of the bus."""

from typing import Protocol


class BrokerRefuses(Exception):
    """The broker answers and does not let us in: a mistake in INTERDESK_BROKER. The sentence says what to mend."""


class BrokerAway(Exception):
    """The broker cannot be reached. The sentence says where it was looked for."""


class Bus(Protocol):
    """Wakes whoever waits for a system, in this process and in others. Thread-safe.

    A wake-up may come twice, late, or not at all: whoever is woken asks the database what is due, and a sweep over the
    database finds what a lost wake-up forgot. Within one process a wake-up before the wait is not lost.
    """

    def wake(self, system: str, *, here: bool = False) -> None:
        """Say that this system is owed a look. Neither blocks nor raises, whatever became of the others.

        `here`: tell this process only, as one does who found the work in the database."""

    def wait(self, system: str, seen: int, timeout: float | None) -> int:
        """Block until a wake-up newer than `seen` or the time-out (seconds); returns what to pass next time."""

    def position(self, system: str) -> int:
        """The present position, to be read *before* looking for work, so that nothing slips in between.

        Whoever asks for it takes part: from now on this process is told of what others owe the system."""

    def away(self) -> str:
        """What keeps other processes from being told, in a sentence; '' when all is well. It is not asked anew."""

    def close(self) -> None:
        """Wake everybody for good."""
