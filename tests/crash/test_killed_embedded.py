"""kill -9 of `interdesk run` on SQLite, at the moments that matter, while people work; then the laws.

A moment is the nth request of a kind, as its helpdesk begins to work on it: it lands there and its answer is lost. Or
it is any time soon after somebody acted, which is anywhere between two commits.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.emulators.server import Asked, Emulator
from tests.crash.helpdesks import Helpdesks

ROUNDS = int(os.environ.get("INTERDESK_CRASH_ROUNDS", "20" if os.environ.get("CI") == "true" else "5"))
SETTLING = 150.0
"""Seconds: what was under way at a kill is certain only after a request's deadline."""
REQUESTS = ("create", "update", "comment", "upload", "read", "history", "list", "find")


class Killed:
    """The process that dies: started anew each time, on the same state."""

    def __init__(self, folder: Path, helpdesks: Helpdesks) -> None:
        self._folder = folder
        self._environ = {
            **os.environ,
            **helpdesks.environ,
            "INTERDESK_STATE": str(folder / "var"),
            "INTERDESK_CONFIG": str(folder / "interdesk.yaml"),
            "INTERDESK_LISTEN": "127.0.0.1:0",
        }
        self._process: subprocess.Popen[str] | None = None

    def type(self, *words: str) -> None:
        """A command that ends."""
        subprocess.run([sys.executable, "-m", "sync", *words], env=self._environ, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Begin again, and wait until it is at work."""
        log = (self._folder / "run.log").open("a")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sync", "run"], env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True
        )
        log.close()
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("http://"), (self._folder / "run.log").read_text()[-2000:]

    def kill(self) -> None:
        """kill -9, from any thread."""
        if self._process is not None:
            self._process.kill()

    def bury(self) -> None:
        """Wait until it is gone."""
        if self._process is not None:
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def await_moment(helpdesks: Helpdesks, choose: random.Random, kill: Callable[[], None]) -> str:
    """Let people act until the moment comes, and kill then; what the moment was."""
    done = threading.Event()
    kind, left = choose.choice(REQUESTS), choose.randrange(1, 4)
    remaining = [left]

    def see(emulator: Emulator) -> None:
        def fault(asked: Asked) -> None:
            if asked.kind == kind and not done.is_set():
                remaining[0] -= 1
                if remaining[0] <= 0:
                    kill()
                    done.set()

        emulator.fault = fault

    by_request = choose.random() < 0.6
    if by_request:
        for emulator in (helpdesks.rt, helpdesks.redmine):
            see(emulator)
    for _ in range(choose.randrange(2, 6)):
        helpdesks.act()
    if by_request:
        done.wait(3)
    else:
        time.sleep(choose.uniform(0.0, 1.3))  # the moment of death is what is being tried
    kill()
    for emulator in (helpdesks.rt, helpdesks.redmine):
        emulator.fault = None
    return f"{kind} {left}" if by_request else "at any time"


@pytest.mark.parametrize("seed", [1])
def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_doubled(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)
    with Helpdesks(seed) as helpdesks:
        interdesk = Killed(tmp_path, helpdesks)
        interdesk.type("apply", "--live", str(helpdesks.write_documents(tmp_path)))
        moments = []
        for _ in range(ROUNDS):
            interdesk.start()
            moments.append(await_moment(helpdesks, choose, interdesk.kill))
            interdesk.bury()
        interdesk.start()
        try:
            wait_for_agreement(helpdesks, f"seed {seed}, killed at: {', '.join(moments)}")
        finally:
            interdesk.kill()
            interdesk.bury()


def wait_for_agreement(helpdesks: Helpdesks, story: str) -> None:
    """The laws hold soon, and then nothing is written any more."""
    deadline = time.monotonic() + SETTLING
    while (wrong := helpdesks.wrong()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not wrong, f"{story}\n" + "\n".join(wrong)
    deeds = helpdesks.deeds()
    time.sleep(5)  # five polls: silence can only be waited for
    assert helpdesks.wrong() == []
    assert helpdesks.deeds() == deeds, "it goes on writing"
