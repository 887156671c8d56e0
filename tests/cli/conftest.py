"""What a command line test stands on: a state of its own, trackers on loopback, and somebody who types."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.emulators.redmine import RedmineEmulator
from connectors.emulators.rt import RtEmulator
from sync.cli.program import run

CZ = """\
kind: system
name: ngi-cz
connector: rt
settings: {{url: "{rt.url}", queue: {rt.queue}, token: {{secret: "env:INTERDESK_SECRET_NGI_CZ"}}}}
mapping: rt
support_units: [NGI_CZ]
poll: {{every: 1s}}
contacts: [ops@example.cz]
"""
PL = """\
kind: system
name: ngi-pl
connector: redmine
settings: {{url: "{redmine.url}", project: {redmine.project}, api_key: {{secret: "env:INTERDESK_SECRET_NGI_PL"}}}}
mapping: redmine
support_units: [NGI_PL]
poll: {{every: 1s}}
contacts: [ops@example.pl]
"""
INSTANCE = "kind: instance\nname: ggus\nallowed_networks: [127.0.0.0/8]\n"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The answer as the one JSON document that it is."""
        return json.loads(self.out)


class Desk:
    """A folder to work in, and whoever types commands there. `rt` and `redmine` are trackers on loopback."""

    def __init__(
        self, folder: Path, rt: RtEmulator, redmine: RedmineEmulator, answer: Callable[[list[str]], Said]
    ) -> None:
        self.folder, self.rt, self.redmine, self._answer = folder, rt, redmine, answer
        self.cz, self.pl = CZ.format(rt=rt), PL.format(redmine=redmine)

    def type(self, *words: str) -> Said:
        """Type a command, in this process: what `main` does, without its end."""
        return self._answer(list(words))

    def command(self, *words: str, **environ: str) -> "subprocess.Popen[str]":
        """Start the real command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "sync", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path.cwd()), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, *texts: str, name: str = "systems.yaml") -> str:
        """Write documents into one file; its name."""
        file = self.folder / name
        file.write_text("---\n".join(texts), encoding="utf-8")
        return str(file)

    def everything(self) -> bytes:
        """Every byte that the state holds."""
        return b"".join(file.read_bytes() for file in sorted(self.folder.rglob("*")) if file.is_file())


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    rt, redmine = RtEmulator(now), RedmineEmulator(now, people=("Bob Nowak",))
    redmine.tracker.person("Bob Nowak").open(subject="an older issue, which shows the custom field")
    (tmp_path / "interdesk.yaml").write_text(INSTANCE, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("INTERDESK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INTERDESK_STATE", str(tmp_path / "var"))
    monkeypatch.setenv("INTERDESK_CONFIG", str(tmp_path / "interdesk.yaml"))
    monkeypatch.setenv("INTERDESK_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("INTERDESK_SECRET_NGI_CZ", rt.token)
    monkeypatch.setenv("INTERDESK_SECRET_NGI_PL", redmine.api_key)

    def answer(words: list[str]) -> Said:
        capsys.readouterr()
        code = run(words)
        told = capsys.readouterr()
        assert "Traceback (most recent" not in told.out + told.err
        return Said(code, told.out, told.err)

    with rt, redmine:
        yield Desk(tmp_path, rt, redmine, answer)
