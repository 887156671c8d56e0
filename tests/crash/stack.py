"""Processes that die, on one state, and what must be true once they live on."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.crash.helpdesks import Helpdesks
from tests.crash.nursery import Born

SETTLING = 600.0
"""Seconds, on the slowest machine; no run needs as many that is well. What was under way at a kill is certain only
after a request's deadline, 40 seconds; on a host that was cut off its lease goes on for 50."""


INTERDESK = (sys.executable, "-m", "sync")
Process = Born | subprocess.Popen[str]


class Stack:
    """Processes that die, and run beside each other until then."""

    def __init__(self, folder: Path, helpdesks: Helpdesks, **environ: str) -> None:
        self._folder, self._log = folder, folder / "processes.log"
        self.programs: Sequence[Sequence[str]] = ()
        """Which ones: their command lines."""
        self._environ = {
            **os.environ,
            **helpdesks.environ,
            "INTERDESK_STATE": str(folder / "var"),
            "INTERDESK_CONFIG": str(folder / "interdesk.yaml"),
            "INTERDESK_LISTEN": "127.0.0.1:0",
            **environ,
        }
        self._processes: list[Process] = []
        self._killed: Process | None = None

    def type(self, *words: str, program: Sequence[str] = INTERDESK) -> None:
        """A command that ends."""
        subprocess.run([*program, *words], env=self._environ, check=True, stdout=subprocess.DEVNULL)

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """A command that may be killed before it ends."""
        return subprocess.Popen([*INTERDESK, *words], env=self._environ, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Begin those that do not run, and wait until each has said that it is at work."""
        if self._killed is not None:  # who was told to die is not dead at once
            self._killed.wait(120)
            self._killed = None
        self.bury()
        for program in self.programs[len(self._processes) :]:
            process = self._start(program)
            self._processes.append(process)
            assert process.stdout is not None
            assert process.stdout.readline(), self._log.read_text()[-3000:]

    def _start(self, program: Sequence[str]) -> Process:
        python, module, *words = program
        if (python, module) == (sys.executable, "-m"):
            return Born(words, self._environ, self._log)
        with self._log.open("a") as log:
            return subprocess.Popen(program, env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True)

    @property
    def whole(self) -> bool:
        """Whether all of them run."""
        return [process.poll() for process in self._processes] == [None] * len(self.programs)

    def kill(self) -> None:
        """kill -9 of the one that runs longest, from any thread; `start` waits until it is gone."""
        if self._processes:
            self._killed = self._processes[0]
            self._killed.kill()

    def await_death(self, most: float) -> None:
        """Wait until one that took its own life is gone, for this many seconds at most."""
        end = time.monotonic() + most
        while all(process.poll() is None for process in self._processes) and time.monotonic() < end:
            time.sleep(0.005)

    def bugs(self) -> list[str]:
        """What they said was a bug of ours."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if "please report it" in line]

    def end(self) -> None:
        """kill -9 of all."""
        for process in self._processes:
            process.kill()
            process.wait(120)
        self.bury()

    def bury(self) -> None:
        """Let go of those that are dead."""
        for process in [each for each in self._processes if each.poll() is not None]:
            assert process.stdout is not None
            process.stdout.close()
            self._processes.remove(process)


def wait_until_all_agree(helpdesks: Helpdesks, story: str = "") -> None:
    """What people did is soon as they meant it, everywhere."""
    deadline = time.monotonic() + SETTLING
    while (wrong := helpdesks.wrong()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not wrong, f"{story}\n" + "\n".join(wrong)


def wait_for_agreement(helpdesks: Helpdesks, story: str) -> None:
    """The laws hold soon, and then nothing is written any more."""
    wait_until_all_agree(helpdesks, story)
    deadline, deeds = time.monotonic() + SETTLING, -1
    while deeds != (deeds := helpdesks.deeds()):  # what is under way when they agree may be written yet
        assert time.monotonic() < deadline, "it goes on writing"
        time.sleep(5)  # five polls: silence can only be waited for
    assert helpdesks.wrong() == []
