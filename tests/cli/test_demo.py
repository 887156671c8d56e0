"""The demo: it plays to its end, and the laws it judges by can be broken."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sync.demo.stage import ACCOUNT, Stage, stage
from sync.demo.story import CANARY, Story
from sync.demo.telling import Teller
from sync.demo.verdict import Judge
from sync.settings import settings


def test_the_demo_plays_to_its_end_and_keeps_the_five_laws(desk) -> None:
    process = desk.command("demo", "--once")
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, out + err
    lines = out.splitlines()
    assert lines[0].startswith("http://127.0.0.1:")
    for beat in ("opened", "answers", "internal note", "file travels", "not solved", "same moment", "goes down"):
        assert beat in out
    for law in ("convergence", "silence", "no loss", "no twins", "no trespass"):
        assert re.search(rf"^{law} +yes ", out, re.MULTILINE), law
    assert "and 0 writing requests" in out


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Stage]:
    """A stage on which a ticket was opened, given to the other side, and answered."""
    with stage(settings({"INTERDESK_LISTEN": "127.0.0.1:0"}, state=tmp_path), lambda _: None) as on_stage:
        story = Story(on_stage, Teller(Console(quiet=True)))
        story.opened()
        story.assigned()
        story.answered()
        story.teller.wait("", "nothing is owed to anybody", story._nothing_owed)
        yield on_stage


def broken(on_stage: Stage, *, wrote_in_quiet: int = 0) -> set[str]:
    judgements = Judge(on_stage, canary=CANARY, wrote_in_quiet=wrote_in_quiet).judge()
    return {each.law for each in judgements if each.broken}


def test_each_law_can_be_broken(played: Stage) -> None:
    assert broken(played) == set()
    assert broken(played, wrote_in_quiet=1) == {"silence"}
    key = next(key for key, issue in played.redmine.tracker.issues.items() if issue.author == ACCOUNT)
    played.desk.stop()  # nobody notices what happens from here on

    played.redmine.tracker.person("Bob Nowak").edit(key, subject="an edit that nobody has noticed")
    assert broken(played) == {"convergence", "no loss"}
    text = next(note.text for note in played.redmine.tracker.issue(key).notes if note.author == ACCOUNT)
    played.redmine.tracker.comment(ACCOUNT, key, text)
    assert "no twins" in broken(played)
    played.redmine.tracker.reword(ACCOUNT, key, played.redmine.tracker.issue(key).notes[0].id, "reworded")
    assert broken(played) == {"convergence", "no loss", "no twins", "no trespass"}
