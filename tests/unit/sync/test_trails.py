"""One change is one trail, from the door it came in by to the last write that it causes."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from central.delivery import Direction
from sync import logs
from sync.logs import Form
from tests.unit.sync.world import TPM, World


class Lines:
    """What is logged, as the documents it consists of."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        logs.configure(self.out, lambda text: text, form=Form.JSON)

    def take(self) -> list[dict[str, Any]]:
        """The lines since the last time."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    before = structlog.get_config()
    yield Lines()
    structlog.configure(**before)


def test_the_look_what_it_owes_and_the_writes_that_follow_bear_one_trail(lines: Lines) -> None:
    world = World()
    world.shared()
    world.mesh.settle()
    lines.take()
    world.alice.edit(world.link("ngi-cz").key, subject="CE refuses all jobs")
    world.mesh.settle()
    told = lines.take()
    looks = {(line["system"], line["direction"]): line["trail"] for line in told if line["event"] == "looked"}
    (write,) = [line for line in told if line["event"] == "writes"]
    assert write["fields"] == ["subject"]
    assert looks["ngi-cz", "inward"] == looks["ngi-pl", "outward"] == write["trail"]
    assert looks["ngi-pl", "inward"] != write["trail"], "our own echo is heard as a change of its own"


def test_two_changes_are_two_trails_and_one_at_the_centre_begins_there(lines: Lines) -> None:
    world = World()
    world.shared()
    world.mesh.settle()
    lines.take()
    trails = []
    for status in ("in progress", "on hold"):
        world.mesh.centre.change(1, {"status": status}, TPM)
        (acted,) = lines.take()
        owed = [
            world.store.read(lambda tx, name=name: tx.outbox.find(name, Direction.OUTWARD, "1"))
            for name in ("ngi-cz", "ngi-pl")
        ]
        (trail,) = {each.trail for each in owed if each is not None}
        expected = {"event": "acted", "subject": "1", "did": "changed at the centre", "owed": ["ngi-cz", "ngi-pl"]}
        assert acted | expected | {"trail": trail} == acted
        trails.append(trail)
        world.mesh.settle()
        assert {line["trail"] for line in lines.take() if line["event"] == "writes"} == {trail}
    assert len(set(trails)) == 2


def test_no_line_of_a_whole_story_holds_a_word_of_a_ticket_or_what_a_person_is_called(lines: Lines) -> None:
    world = World()
    world.shared()
    key = world.link("ngi-cz").key
    world.alice.comment(key, "the canary sings at dawn")
    world.alice.edit(key, subject="the canary has a new subject")
    world.mesh.centre.comment(1, "the canary is heard here", TPM)
    world.bob.edit(world.link("ngi-pl").key, subject="another canary of a subject")
    world.mesh.settle()
    text = json.dumps(lines.take()).lower()
    assert "looked" in text
    for word in ("canary", "jobs", "morning", "alice", "bob", "tess", "tpm"):
        assert word not in text, word
