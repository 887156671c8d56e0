"""Which of the processes that share a state folder live: what the dead ones had in hand is free at once.

Each process locks a file of its own below the folder for as long as it lives. However it ends, the kernel takes the
lock back: a file that nobody locks is that of a dead process. A request that it sent may still be carried out over
there; but nothing is sent without an intent, and whoever finds one waits until it is certain what became of it.
"""

import fcntl
import os
import secrets as entropy
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FOLDER = "lives"
"""Below the state folder: one file for each process that works there."""


class Lives:
    """The life of this process among those of one state folder, and its name as the owner of leases."""

    def __init__(self, state: Path) -> None:
        """Begin a life.  :raises OSError: the folder cannot be written."""
        self._folder = state / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self.name = f"{socket.gethostname()}.{os.getpid()}.{entropy.token_hex(4)}"
        begun = self._folder / f".{self.name}"  # nobody takes it for a dead one's before it is locked
        self._handle = os.open(begun, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        begun.rename(self._folder / self.name)

    def bury(self, free: Callable[[str], None]) -> None:
        """Call `free` with the name of each process that is dead; once that has worked, it is forgotten."""
        for file in self._folder.iterdir():
            if file.name != self.name and not file.name.startswith("."):
                self._bury(file, free)

    def _bury(self, file: Path, free: Callable[[str], None]) -> None:
        try:
            handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:  # another one was faster
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free(file.name)
            file.unlink(missing_ok=True)
        except BlockingIOError:  # it lives, or another one buries it
            pass
        finally:
            os.close(handle)

    def end(self) -> None:
        """End in order: this process holds nothing any more."""
        with suppress(OSError):
            (self._folder / self.name).unlink()
        os.close(self._handle)
