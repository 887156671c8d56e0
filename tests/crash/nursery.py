"""Processes that are born ready: what each interdesk loads is loaded once, and every one of them is a fork of that.

Whoever is killed some hundred times spends most of the time on loading modules. In all else these are processes like
any other: with an environment, files and locks of their own.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

LOADED = (
    "__main__",
    "sync.cli",
    "sync.serving",
    "sync.bus.amqp",
    "central.store.migrations",
    "central.store.sql.postgresql",
    "uvicorn",
)
_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(list(LOADED))


class Born:
    """One of them: like a `subprocess.Popen`, as far as it goes."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], errors: Path) -> None:
        """`python -m` with these words; what it says of errors is appended to a file."""
        heard, said = _NURSERY.Pipe(duplex=False)
        self._process = _NURSERY.Process(target=_live, args=(tuple(words), dict(environ), said, errors), daemon=True)
        self._process.start()
        said.close()
        self.stdout = os.fdopen(os.dup(heard.fileno()), encoding="utf-8")
        heard.close()

    def poll(self) -> int | None:
        """How it ended; None: it lives."""
        return self._process.exitcode

    def wait(self, timeout: float) -> None:
        """Wait until it is gone, so long at most."""
        self._process.join(timeout)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()


def _live(words: Sequence[str], environ: Mapping[str, str], said: Connection, errors: Path) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.dup2(said.fileno(), 1)
    said.close()
    with errors.open("ab") as log:
        os.dup2(log.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    sys.argv = ["python", *words[1:]]
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
