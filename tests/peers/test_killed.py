"""kill -9 of interdesk, again and again, while people work in a real RT and a real Redmine; then the five laws."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync import live
from sync.bootstrap import Interdesk
from tests.peers.live import REDMINE, TPM, LiveMesh, wait_until
from tests.peers.people import Attached
from tests.peers.sites import RedmineSite, RtSite

pytestmark = pytest.mark.peer


@contextmanager
def running(mesh: LiveMesh) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`interdesk run` on the mesh's state folder, and its address; killed without mercy at the end."""
    environ = {**os.environ, **mesh.settings.environ, "INTERDESK_LISTEN": "127.0.0.1:0", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "sync", "--state", str(mesh.folder), "run"]
    with (mesh.folder / "run.log").open("a") as log:
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("http://"), f"it does not start: {(mesh.folder / 'run.log').read_text()[-2000:]}"
            yield process, line.strip()
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()


def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, rt: RtSite, redmine: RedmineSite
) -> None:
    mesh = LiveMesh(tmp_path, rt, redmine, poll="1s")
    key, other = mesh.shared()
    mesh.close()
    moments = random.Random(20)
    said: list[str] = []

    def act(number: int) -> None:
        for person, there, where in ((rt.agent, key, "rt"), (redmine.agent, other, "redmine")):
            text = f"word {number} from {where}"
            files = [Attached(f"{text}.bin", text.encode() * 5000)] if number % 2 else []
            person.reply(there, text, files=files)
            person.set(there, subject=f"subject {number} from {where}")
            said.append(text)

    for number in range(6):
        with running(mesh) as (process, _):
            act(number)
            threading.Event().wait(moments.uniform(0.2, 3.0))  # the moment of death is what is being tried
            process.send_signal(signal.SIGKILL)

    with running(mesh):

        def arrived() -> bool:
            there = {
                "rt": [c.text for c in redmine.agent.comments(other)],
                "redmine": [c.text for c in rt.agent.comments(key)],
            }
            return all(any(word in text for text in there[word.rsplit(" ", 1)[1]]) for word in said)

        wait_until(arrived)

    mesh.open()
    mesh.settle(40)
    assert mesh.broken_laws() == []
    files = [f.name for f in redmine.agent.files(other)]
    assert sorted(f for f in files if "from rt" in f) == [f"word {n} from rt.bin" for n in (1, 3, 5)]
    mesh.close()


def test_a_create_that_was_under_way_when_interdesk_died_makes_one_ticket(
    tmp_path: Path, rt: RtSite, redmine: RedmineSite
) -> None:
    mesh = LiveMesh(tmp_path, rt, redmine, poll="1s")
    mesh.close()
    moments = random.Random(3)
    for number in range(4):
        with running(mesh) as (process, _):
            with Interdesk(mesh.settings) as desk:
                desk.centre.open(
                    {"subject": f"from the centre {number}", "unit": "NGI_RT" if number % 2 else "NGI_REDMINE"}, TPM
                )
            threading.Event().wait(moments.uniform(0.05, 1.5))  # the moment of death is what is being tried
            process.send_signal(signal.SIGKILL)
    with running(mesh):
        wait_until(lambda: len(rt.agent.keys()) >= 2 and len(redmine.agent.keys()) >= 2)
    mesh.open()
    mesh.settle(40)
    assert mesh.broken_laws() == []
    assert (len(rt.agent.keys()), len(redmine.agent.keys())) == (2, 2)
    mesh.close()


def test_a_paused_system_is_left_alone_until_it_resumes(tmp_path: Path, rt: RtSite, redmine: RedmineSite) -> None:
    mesh = LiveMesh(tmp_path, rt, redmine, poll="1s")
    key, other = mesh.shared()
    mesh.close()
    with running(mesh):
        with Interdesk(mesh.settings) as desk:
            desk.store.write(lambda tx: live.pause(tx, REDMINE, "maintenance"))
        rt.agent.reply(key, "while it is paused")
        wait_until(lambda: _here(mesh, "while it is paused"))
        assert not any("while it is paused" in c.text for c in redmine.agent.comments(other))
        with Interdesk(mesh.settings) as desk:
            desk.store.write(lambda tx: live.resume(tx, REDMINE))
        wait_until(lambda: any("while it is paused" in c.text for c in redmine.agent.comments(other)))


def _here(mesh: LiveMesh, text: str) -> bool:
    with Interdesk(mesh.settings) as desk:
        return any(text in c.text for c in desk.store.read(lambda tx: tx.tickets.comments(1)))
