"""`connector record` and `connector test`: a tape says nothing of anybody, and plays as the system answered."""

import json
from datetime import UTC, datetime

import pytest

from connectors.emulators.plain import PlainEmulator
from tests.cli.test_connectors import OURS, SYSTEM, theirs  # noqa: F401  # a fixture

TEXT = "Alice's jobs fail at dcache.example.org since noon"


@pytest.fixture
def tape(desk, theirs: PlainEmulator):  # noqa: F811  # the fixture
    alice = theirs.tracker.person("alice")
    key = alice.open(subject=TEXT, description="call +49 123 456, or mail alice@example.de")
    alice.comment(key, "the password is swordfish", internal=False)
    alice.comment(key, "nobody may read this", internal=True)
    file = desk.folder / "ours.tape.json"
    said = desk.type("connector", "record", desk.write(SYSTEM.format(url=theirs.url), OURS), "--to", str(file))
    assert said.code == 0, said.out + said.err
    return file


def test_a_tape_plays_without_the_system(desk, tape, theirs: PlainEmulator) -> None:  # noqa: F811
    theirs.stop()
    said = desk.type("connector", "test", str(tape), "--profile", desk.write(OURS))
    assert said.code == 0, said.out
    assert "holds" in said.out
    theirs.start()


def test_nothing_on_a_tape_is_anybodys(tape, theirs: PlainEmulator) -> None:  # noqa: F811
    text = tape.read_text()
    words = ("Alice", "alice", "jobs fail", "dcache", "example.de", "swordfish", "nobody may", "123 456", theirs.key)
    assert [word for word in words if word in text] == []
    assert theirs.url not in text


def test_a_profile_that_understands_otherwise_is_told_what(desk, tape) -> None:
    wrong = desk.write(OURS.replace("subject: {at: subject", "subject: {at: title"))
    said = desk.type("connector", "test", str(tape), "--profile", wrong)
    assert said.code == 1
    assert "+ok fetch: no ticket of these 1 has a value for subject" in said.out


def test_a_profile_that_asks_for_what_is_not_on_the_tape_is_told_so(desk, tape) -> None:
    wrong = desk.write(OURS.replace("read: {path: /me}", "read: {path: /myself}"))
    said = desk.type("connector", "test", str(tape), "--profile", wrong)
    assert said.code == 1
    assert "/myself" in said.out


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json", json.dumps({"connector": "ours", "exchanges": [{}]})])
def test_what_is_no_tape_is_a_mistake(desk, text: str) -> None:
    file = desk.folder / "x.json"
    file.write_text(text)
    assert desk.type("connector", "test", str(file)).code == 2


def test_the_tape_of_a_product_that_comes_with_interdesk_needs_no_profile(desk) -> None:
    desk.rt.tracker.person("alice").open(Subject="jobs fail", Description="since noon")
    file = desk.folder / "rt.tape.json"
    assert desk.type("connector", "record", desk.write(desk.cz), "--to", str(file)).code == 0
    desk.rt.stop()
    assert desk.type("connector", "test", str(file)).code == 0
    desk.rt.start()
    assert datetime.fromisoformat(json.loads(file.read_text())["exchanges"][0]["asked_at"]) < datetime.now(UTC)


def test_a_profile_is_held_to_the_whole_suite_on_its_products_emulator(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k bears_what_was_sent")
    (told,) = desk.type("connector", "test", "plain", "--json").data
    assert (told["connector"], told["passed"], told["broken"]) == ("plain", 1, [])
    wrong = desk.write(OURS.replace("token: external_id", "token: elsewhere"))
    said = desk.type("connector", "test", "plain", "--profile", wrong, "--json")
    assert said.code == 1
    assert said.data[0]["broken"] == ["test_a_created_ticket_bears_what_was_sent_and_is_found_by_its_token"]
    assert "there are: bugzilla, ggus, jira" in desk.type("connector", "test", "memory").err
