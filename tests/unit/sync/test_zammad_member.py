"""A Zammad, by its profile and mapping alone, as a member of the mesh: both ways, and quiet in the end."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import mappings
from central.link import Link
from central.model import Person
from connectors.emulators.plain import PlainEmulator
from connectors.emulators.server import Fault
from connectors.emulators.zammad import Quirks, ZammadEmulator
from mappings.loader import read
from sync import live, registration
from sync.bootstrap import Interdesk
from sync.engine import SyncEngine
from sync.lane import Lane
from sync.poll import poll, scan
from sync.settings import settings

TPM = Person("tpm", "Tess from TPM")
DOCUMENTS = """
kind: system
name: ngi-de
connector: zammad
settings:
  url: "{zammad}"
  group: ggus
  customer: ggus-sync
  token: {{secret: "env:INTERDESK_SECRET_DE"}}
mapping: zammad-here
support_units: [NGI_DE]
---
kind: system
name: ngi-cz
connector: plain
settings: {{url: "{plain}", key: {{secret: "env:INTERDESK_SECRET_CZ"}}}}
mapping: plain
support_units: [NGI_CZ]
"""


class Time:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Mesh:
    """Both systems live, stepped by hand."""

    def __init__(self, folder: Path, zammad: ZammadEmulator, plain: PlainEmulator, time: Time) -> None:
        self.zammad, self.plain, self.time = zammad, plain, time
        config = folder / "interdesk.yaml"
        config.write_text("kind: instance\nname: here\nallowed_networks: [127.0.0.0/8]\n")
        environ = {
            "INTERDESK_CONFIG": str(config),
            "INTERDESK_SECRET_DE": zammad.token,
            "INTERDESK_SECRET_CZ": plain.key,
        }
        library = Path(mappings.__file__).parent / "library"
        mapping = (library / "zammad.yaml").read_text().replace("\nname: zammad\n", "\nname: zammad-here\n")
        mapping = mapping.replace("directory: {}", "directory: {bob@example.org: bob}")
        texts = [mapping, (library / "plain.yaml").read_text(), DOCUMENTS.format(zammad=zammad.url, plain=plain.url)]
        documents = read("\n---\n".join(texts), "test.yaml")
        self.desk = Interdesk(settings(environ, state=folder), create=True, clock=time)
        desk = self.desk
        desk.store.write(lambda tx: registration.apply(tx, documents, desk.connectors, time(), by="test"))
        desk.gateways.refresh()
        engine = SyncEngine(desk.means)
        self.lanes = {
            name: Lane(desk.means, engine, desk.gateways, name, owner="test", spread=lambda: 0.5)
            for name in ("ngi-de", "ngi-cz")
        }
        for name in self.lanes:
            live.go_live(desk, name)

    def round(self) -> int:
        self.time.now += timedelta(minutes=2)
        for name in self.lanes:
            poll(self.desk.means, self.desk.gateways.get(name))
        steps = 0
        while any([lane.step() is not None for lane in self.lanes.values()]):  # noqa: C419 (every lane has its turn)
            steps += 1
            assert steps < 100, "something ping-pongs"
        return steps

    def settle(self) -> None:
        for _ in range(10):
            if self.round() == 0 and all(lane.next_due_at() is None for lane in self.lanes.values()):
                return
        raise AssertionError("not quiet after ten rounds")

    def link(self, system: str, key: str) -> Link:
        found = self.desk.store.read(lambda tx: tx.links.find_by_key(system, key))
        assert found is not None
        return found

    def partner(self, key: str, ours: str, theirs: str) -> str:
        ticket = self.link(ours, key).ticket_id
        found = self.desk.store.read(lambda tx: tx.links.find(ticket, theirs))
        assert found is not None
        return found.key or ""

    def shared(self) -> tuple[str, str]:
        """A ticket born in Zammad and given to the other; its keys there."""
        key = self.zammad.tracker.person("alice").open(title="CE refuses jobs ✓", description="since noon\nsecond line")
        self.settle()
        self.desk.centre.change(self.link("ngi-de", key).ticket_id, {"unit": "NGI_CZ"}, TPM)
        self.settle()
        return key, self.partner(key, "ngi-de", "ngi-cz")

    def writes(self) -> int:
        kinds = ("create", "update", "comment", "amend")
        return sum(each.counts[kind] for each in (self.zammad, self.plain) for kind in kinds)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    time = Time()
    with ZammadEmulator(time, agents=["alice", "bob"]) as zammad, PlainEmulator(time) as plain:
        made = Mesh(tmp_path, zammad, plain, time)
        yield made
        made.desk.close()


def said(issue, *, us: str) -> list[tuple[str, str, bool]]:
    return [
        ("us" if note.author == us else note.author, re.sub(r"\s*\[interdesk [^\]]+\]$", "", note.text), note.internal)
        for note in issue.notes
    ]


def test_a_conversation_goes_both_ways_once_and_nothing_internal_leaves(mesh: Mesh) -> None:
    key, other = mesh.shared()
    theirs = mesh.plain.tracker.issue(other)
    assert (theirs.fields["subject"], theirs.fields["description"]) == ("CE refuses jobs ✓", "since noon\nsecond line")
    alice, carol = mesh.zammad.tracker.person("alice"), mesh.plain.tracker.person("carol")
    alice.comment(key, "tried again:\na < b", files={"a.log": b"\x00\xff"})
    alice.comment(key, "CANARY among us", internal=True, files={"CANARY.txt": b"CANARY"})
    mesh.settle()
    carol.comment(other, "which node?")
    mesh.settle()
    assert "CANARY" not in repr(theirs)
    assert [(who, "a < b" in text) for who, text, _ in said(theirs, us="interdesk")] == [("us", True), ("carol", False)]
    assert [file.content for note in theirs.notes for file in note.files] == [b"\x00\xff"]
    answers = [each for each in said(mesh.zammad.tracker.issue(key), us="ggus-sync") if each[0] == "us"]
    assert [("which node?" in text, internal) for _, text, internal in answers] == [(True, False)]


def test_fields_go_both_ways_and_a_pending_state_brings_its_time(mesh: Mesh) -> None:
    key, other = mesh.shared()
    ours, theirs = mesh.zammad.tracker.issue(key), mesh.plain.tracker.issue(other)
    mesh.plain.tracker.person("carol").edit(other, status="on hold", priority="very urgent")
    mesh.settle()
    assert (ours.fields["state"], ours.fields["priority"]) == ("pending reminder", "3 high")
    assert ours.fields["pending_time"] == "2037-12-31T12:00:00.000Z"
    mesh.zammad.tracker.person("bob").edit(key, state="closed", title="CE is fine again", owner="bob")
    mesh.settle()
    assert (theirs.fields["status"], theirs.fields["subject"]) == ("solved", "CE is fine again")


def test_a_ticket_of_another_is_made_there_once_though_the_answer_is_lost_and_the_index_lags(mesh: Mesh) -> None:
    mesh.zammad.quirks = Quirks(lag=timedelta(seconds=20))
    key = mesh.plain.tracker.person("carol").open(subject="disk full", description="on se1")
    mesh.settle()
    lost = iter([True])
    mesh.zammad.fault = lambda asked: Fault("lose") if asked.kind == "create" and next(lost, False) else None
    mesh.desk.centre.change(mesh.link("ngi-cz", key).ticket_id, {"unit": "NGI_DE"}, TPM)
    mesh.settle()
    assert [each.fields["title"] for each in mesh.zammad.tracker.issues.values()] == ["disk full"]
    assert mesh.partner(key, "ngi-cz", "ngi-de") == "1"


def test_it_is_quiet_when_people_are(mesh: Mesh) -> None:
    mesh.shared()
    before = mesh.writes()
    for _ in range(3):
        mesh.round()
        for name in mesh.lanes:
            scan(mesh.desk.means, mesh.desk.gateways.get(name))
    assert mesh.writes() == before
