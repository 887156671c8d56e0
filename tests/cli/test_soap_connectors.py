"""`connector …` with trackers that speak SOAP: tried out, recorded and played like all others."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

import tests.conformance.strangers
from connectors.emulators.ggus import GgusEmulator
from tests.conformance.strangers.ledger import LedgerEmulator

SYSTEM = """\
kind: system
name: ngi-de
connector: ggus
settings: {{url: "{url}", user: ngi-xx, password: {{secret: "env:INTERDESK_SECRET_NGI_DE"}}, unit: NGI_XX}}
mapping: ggus
support_units: [NGI_DE]
"""
LEDGER = Path(tests.conformance.strangers.__file__).parent / "ledger.yaml"
STRANGER = """\
kind: system
name: stranger
connector: ledger
settings:
  url: "{url}"
  wsdl: "{wsdl}"
  user: interdesk
  password: {{secret: "env:INTERDESK_SECRET_STRANGER"}}
  unit: Grid
mapping: plain
support_units: [NGI_X]
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


def test_files_beside_their_envelopes_lose_their_meaning_on_a_tape_and_are_read_from_it(
    desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LedgerEmulator(lambda: datetime.now(UTC)) as theirs:
        monkeypatch.setenv("INTERDESK_SECRET_STRANGER", theirs.password)
        alice = theirs.tracker.person("alice")
        key = alice.open({"Subject": "jobs fail", "Details": "since noon"})
        alice.comment(key, "swordfish", files={"a.bin": b"nobody may read this \xff"})
        (desk.folder / "ledger.wsdl").write_bytes(theirs.wsdl())
        system = STRANGER.format(url=theirs.url, wsdl=desk.folder / "ledger.wsdl")
        file, documents = desk.folder / "ledger.tape.json", desk.write(system, LEDGER.read_text("utf-8"))
        said = desk.type("connector", "record", documents, "--to", str(file))
        assert said.code == 0, said.out + said.err
    text = file.read_text()
    secret = base64.b64encode(base64.b64encode(b"nobody may read this \xff")).decode()
    assert [word for word in ("swordfish", "jobs fail", secret, secret[:12]) if word in text] == []
    assert desk.type("connector", "test", str(file), "--profile", documents).code == 0
