"""kill -9 of interdesk at the moments that matter, while people work; then the laws. On SQLite one process, on
PostgreSQL and RabbitMQ two workers in turn.

A moment is the nth request of a kind, as its helpdesk begins to work on it: it lands there and its answer is lost. Or
it is any time soon after somebody acted, which is anywhere between two commits.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from connectors.emulators.server import Asked, Emulator
from tests.crash.helpdesks import Helpdesks
from tests.postgres import Server
from tests.rabbitmq import RabbitMQ

ROUNDS = int(os.environ.get("INTERDESK_CRASH_ROUNDS", "20" if os.environ.get("CI") == "true" else "5"))
SETTLING = 300.0
"""Seconds: what was under way at a kill is certain only after its lease and a request's deadline."""
REQUESTS = ("create", "update", "comment", "upload", "read", "history", "list", "find")


class Stack:
    """Processes that die: `names` are the commands that run beside each other on one state."""

    def __init__(self, folder: Path, helpdesks: Helpdesks, names: Sequence[str], **environ: str) -> None:
        self._folder, self._names = folder, names
        self._environ = {
            **os.environ,
            **helpdesks.environ,
            "INTERDESK_STATE": str(folder / "var"),
            "INTERDESK_CONFIG": str(folder / "interdesk.yaml"),
            "INTERDESK_LISTEN": "127.0.0.1:0",
            **environ,
        }
        self._processes: list[subprocess.Popen[str]] = []
        self._killed: subprocess.Popen[str] | None = None

    def type(self, *words: str) -> None:
        """A command that ends."""
        subprocess.run([sys.executable, "-m", "sync", *words], env=self._environ, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Begin those that do not run, and wait until they are at work."""
        if self._killed is not None:  # who was told to die is not dead at once
            self._killed.wait(10)
            self._killed = None
        self.bury()
        for name in self._names[len(self._processes) :]:
            with (self._folder / "processes.log").open("a") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "sync", name],
                    env=self._environ,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            self._processes.append(process)
            assert process.stdout is not None
            assert process.stdout.readline(), (self._folder / "processes.log").read_text()[-3000:]
        assert len(self._processes) == len(self._names)
        assert all(process.poll() is None for process in self._processes), "one of them does not run"

    def kill(self) -> None:
        """kill -9 of the one that runs longest, from any thread; `start` waits until it is gone."""
        if self._processes:
            self._killed = self._processes[0]
            self._killed.kill()

    def end(self) -> None:
        """kill -9 of all."""
        for process in self._processes:
            process.kill()
            process.wait(10)
        self.bury()

    def bury(self) -> None:
        """Let go of those that are dead."""
        for process in [each for each in self._processes if each.poll() is not None]:
            assert process.stdout is not None
            process.stdout.close()
            self._processes.remove(process)


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


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    with Helpdesks(seed=1) as helpdesks:
        live_and_die(Stack(tmp_path, helpdesks, ["run"]), helpdesks, tmp_path)


@pytest.mark.peer
def test_two_workers_killed_in_turn_lose_nothing_and_double_nothing(
    tmp_path: Path, postgres: Server, rabbitmq: RabbitMQ
) -> None:
    with postgres.database(empty=True) as database, Helpdesks(seed=2) as helpdesks:
        stack = Stack(
            tmp_path,
            helpdesks,
            ["worker", "worker"],
            INTERDESK_DATABASE=database,
            INTERDESK_BROKER=rabbitmq.url,
        )
        live_and_die(stack, helpdesks, tmp_path)


def live_and_die(stack: Stack, helpdesks: Helpdesks, folder: Path) -> None:
    """People work while processes die, round after round; then what must be true."""
    choose = random.Random(helpdesks.seed)
    stack.type("apply", "--live", str(helpdesks.write_documents(folder)))
    moments = []
    try:
        for _ in range(ROUNDS):
            stack.start()
            moments.append(await_moment(helpdesks, choose, stack.kill))
        stack.start()
        wait_for_agreement(helpdesks, f"seed {helpdesks.seed}, killed at: {', '.join(moments)}")
    finally:
        stack.end()


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
