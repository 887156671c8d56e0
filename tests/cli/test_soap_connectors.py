"""`connector …` with trackers that speak SOAP: tried out, recorded and played like all others."""

from datetime import UTC, datetime

import pytest

from connectors.emulators.ggus import GgusEmulator

SYSTEM = """\
kind: system
name: ngi-de
connector: ggus
settings: {{url: "{url}", user: ngi-xx, password: {{secret: "env:INTERDESK_SECRET_NGI_DE"}}, unit: NGI_XX}}
mapping: ggus
support_units: [NGI_DE]
"""


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch):
    with GgusEmulator(lambda: datetime.now(UTC)) as emulator:
        monkeypatch.setenv("INTERDESK_SECRET_NGI_DE", emulator.password)
        alice = emulator.tracker.person("alice")
        text = "Alice's jobs <fail> at dcache.example.org & nobody knows why"
        key = alice.open({"GHD_Short_Description": text, "GHD_Description": text, "GHD_Responsible_Unit": "NGI_XX"})
        alice.comment(key, 'the password is swordfish <here> & "nothing" else', internal=False)
        alice.comment(key, "nobody may read this", internal=True)
        yield emulator


def test_a_probe_says_what_was_understood_and_writes_nothing(desk, theirs: GgusEmulator) -> None:
    said = desk.type("connector", "probe", desk.write(SYSTEM.format(url=theirs.url)))
    assert said.code == 0, said.out + said.err
    assert "GHD_Short_Description" in said.out
    assert sum(theirs.counts[kind] for kind in ("create", "update", "comment", "upload")) == 0


def test_a_tape_of_soap_says_nothing_of_anybody_and_plays_without_the_system(desk, theirs: GgusEmulator) -> None:
    file = desk.folder / "ggus.tape.json"
    said = desk.type("connector", "record", desk.write(SYSTEM.format(url=theirs.url)), "--to", str(file))
    assert said.code == 0, said.out + said.err
    text = file.read_text()
    words = ("Alice", "alice", "dcache", "swordfish", "nobody may", theirs.password, theirs.url)
    assert [word for word in words if word in text] == []
    theirs.stop()
    said = desk.type("connector", "test", str(file))
    assert said.code == 0, said.out
    theirs.start()
