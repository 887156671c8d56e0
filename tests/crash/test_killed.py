"""kill -9 of interdesk while people work; then the laws. On SQLite one process, on PostgreSQL and RabbitMQ two workers.

First somebody dies at every point between two instructions that matter (`mortal.py`). Then one dies at moments that
were drawn by lot: as a helpdesk begins to work on the nth request of a kind, so that it lands there and its answer is
lost; or at any time soon after somebody acted, which is anywhere between two commits.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from connectors.emulators.server import Asked, Emulator
from tests.crash.helpdesks import Helpdesks
from tests.crash.stack import INTERDESK, Stack, wait_for_agreement
from tests.postgres import Server
from tests.rabbitmq import RabbitMQ

ROUNDS = int(os.environ.get("INTERDESK_CRASH_ROUNDS", "20" if os.environ.get("CI") == "true" else "5"))
REQUESTS = ("create", "update", "comment", "upload", "read", "history", "list", "find")
POINTS = frozenset(
    (
        "ngi-cz changes, answered",
        "sync.poll._take, nobody woken",  # a page of hints, and the cursor
        "sync.poll._take, told",
        "sync.lane.Lane.take.<lambda>, told",  # a claim
        "ngi-cz fetch, answered",
        "sync.birth._birth.change, nobody woken",
        "sync.pull._commit.change, told",  # what was read is ours now, and owed to others
        "sync.create._intend_to_create.commit, told",  # that is: before the send
        "ngi-pl create, answered",
        "sync.create._bind.settle, told",
        "sync.tell._commit.commit, told",
        "ngi-cz update, answered",
        "ngi-pl update, answered",
        "sync.tell._settle.settle, told",
        "sync.speak._send.commit, told",
        "ngi-cz comment, answered",
        "ngi-pl comment, answered",
        "sync.speak.say.settle, told",
        "sync.lane.Lane._finish.done_and_on, told",
    )
)
"""Points on the way of every change: a run in which nobody died there has not tried what it should."""
ENOUGH = 600.0
"""Seconds after the last death within which the next one has come: what the dead have sent is waited for."""
A_WHILE = 3.0
"""Seconds after which people act again though nobody has died."""


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


def die_everywhere(stack: Stack, helpdesks: Helpdesks, folder: Path) -> list[str]:
    """People work, and somebody dies at each point, as it is first passed; which ones these were."""
    armed, crossed = folder / "armed", folder / "crossed"
    armed.mkdir()
    crossed.touch()
    known: set[str] = set()

    def died() -> set[str]:
        return {point for point in known if not (armed / point).exists()}

    last_died_at, deaths = time.monotonic(), 0
    while POINTS - died():
        stack.start()
        for point in {*POINTS, *crossed.read_text().splitlines()} - known:
            (armed / point).touch()
            known.add(point)
        helpdesks.act_in_every_way()
        stack.await_death(A_WHILE)
        if len(died()) > deaths:
            last_died_at, deaths = time.monotonic(), len(died())
        late = time.monotonic() > last_died_at + ENOUGH
        assert not late, f"nobody passes {POINTS - died()}: are these points called otherwise now?"
    stack.end()
    return sorted(died())


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    with Helpdesks(seed=1) as helpdesks:
        live_and_die(Stack(tmp_path, helpdesks), ["run"], helpdesks, tmp_path)


@pytest.mark.peer
def test_two_workers_killed_at_any_moment_lose_nothing_and_double_nothing(
    tmp_path: Path, postgres: Server, rabbitmq: RabbitMQ
) -> None:
    with postgres.database(empty=True) as database, Helpdesks(seed=2) as helpdesks:
        stack = Stack(tmp_path, helpdesks, INTERDESK_DATABASE=database, INTERDESK_BROKER=rabbitmq.url)
        live_and_die(stack, ["worker", "worker"], helpdesks, tmp_path)


def live_and_die(stack: Stack, commands: Sequence[str], helpdesks: Helpdesks, folder: Path) -> None:
    """People work while processes die, round after round; then what must be true."""
    choose = random.Random(helpdesks.seed)
    stack.type("apply", "--live", str(helpdesks.write_documents(folder)))
    try:
        stack.programs = [(sys.executable, "-m", "tests.crash.mortal", command, str(folder)) for command in commands]
        moments = die_everywhere(stack, helpdesks, folder)
        stack.programs = [(*INTERDESK, command) for command in commands]
        for _ in range(ROUNDS):
            stack.start()
            assert stack.whole
            moments.append(await_moment(helpdesks, choose, stack.kill))
        stack.start()
        assert stack.whole
        wait_for_agreement(helpdesks, f"seed {helpdesks.seed}, killed at: {'; '.join(moments)}")
    finally:
        stack.end()
