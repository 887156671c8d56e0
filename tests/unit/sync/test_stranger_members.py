"""Two trackers that interdesk ships nothing for, one by REST and one by SOAP, as members of one mesh: by a profile and
a mapping each, and not a line of code. What the laws ask for holds for them as for all others."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import tests.conformance.strangers
from central.link import Link
from central.model import Person
from connectors.emulators.server import Emulator, Fault
from connectors.emulators.tracker import Issue
from mappings.loader import read
from sync import live, registration
from sync.bootstrap import Interdesk
from sync.engine import SyncEngine
from sync.lane import Lane
from sync.poll import poll, scan
from sync.settings import settings
from tests.conformance.strangers.boards import BoardsEmulator
from tests.conformance.strangers.unicentre import UnicentreEmulator
from tests.unit.sync.test_zammad_member import Time

PROFILES = Path(tests.conformance.strangers.__file__).parent
TPM = Person("tpm", "Tess from TPM")
DOCUMENTS = """
kind: mapping
name: boards-here
connector: boards
fields:
  subject: {{remote: title, text: {{one_line: true, max_length: 255}}}}
  description: {{remote: description, text: {{}}}}
  priority:
    remote: priority
    table: {{less urgent: "4", urgent: "3", very urgent: "2", top priority: "1"}}
  status:
    remote: state
    final: true
    table:
      {{new: To Do, assigned: To Do, in progress: Doing, reopened: Doing, waiting for reply: Doing, on hold: Doing,
       solved: Done, unsolved: Done, verified: Done, closed: Done}}
    back: {{To Do: new, Doing: in progress, Done: solved}}
---
kind: mapping
name: unicentre-here
connector: unicentre
fields:
  subject: {{remote: summary, text: {{one_line: true, max_length: 240}}}}
  description: {{remote: description, text: {{}}}}
  status:
    remote: status
    final: true
    table:
      {{new: Open, assigned: Open, in progress: In Progress, reopened: In Progress, waiting for reply: In Progress,
       on hold: In Progress, solved: Resolved, unsolved: Resolved, verified: Resolved, closed: Resolved}}
    back: {{Open: new, In Progress: in progress, Resolved: solved}}
---
kind: system
name: ngi-rest
connector: boards
settings: {{url: "{boards}", project: Grid, account: interdesk, token: {{secret: "env:INTERDESK_SECRET_REST"}}}}
mapping: boards-here
support_units: [NGI_REST]
---
kind: system
name: ngi-soap
connector: unicentre
settings:
  url: "{unicentre}"
  user: interdesk
  password: {{secret: "env:INTERDESK_SECRET_SOAP"}}
  contact: "cnt:0A"
mapping: unicentre-here
support_units: [NGI_SOAP]
"""


class Mesh:
    """Both systems live, stepped by hand."""

    def __init__(self, folder: Path, boards: BoardsEmulator, unicentre: UnicentreEmulator, time: Time) -> None:
        self.there: dict[str, Emulator] = {"ngi-rest": boards, "ngi-soap": unicentre}
        self.time = time
        config = folder / "interdesk.yaml"
        config.write_text("kind: instance\nname: here\nallowed_networks: [127.0.0.0/8]\n")
        environ = {
            "INTERDESK_CONFIG": str(config),
            "INTERDESK_SECRET_REST": boards.token,
            "INTERDESK_SECRET_SOAP": unicentre.password,
        }
        texts = [(PROFILES / f"{name}.yaml").read_text("utf-8") for name in ("boards", "unicentre")]
        texts.append(DOCUMENTS.format(boards=boards.url, unicentre=unicentre.url))
        documents = read("\n---\n".join(texts), "test.yaml")
        self.desk = desk = Interdesk(settings(environ, state=folder), create=True, clock=time)
        desk.store.write(lambda tx: registration.apply(tx, documents, desk.connectors, time(), by="test"))
        desk.gateways.refresh()
        engine = SyncEngine(desk.means)
        self.lanes = {
            name: Lane(desk.means, engine, desk.gateways, name, owner="test", spread=lambda: 0.5) for name in self.there
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

    def give(self, system: str, key: str, unit: str) -> None:
        """The ticket that has this key there goes to that unit."""
        self.desk.centre.change(self.link(system, key).ticket_id, {"unit": unit}, TPM)
        self.settle()

    def issue(self, system: str, number: int = 1) -> Issue:
        return next(each for each in self.there[system].tracker.issues.values() if each.number == number)

    def writes(self) -> int:
        kinds = ("create", "update", "comment", "amend", "upload")
        return sum(each.counts[kind] for each in self.there.values() for kind in kinds)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    time = Time()
    with BoardsEmulator(time) as boards, UnicentreEmulator(time) as unicentre:
        made = Mesh(tmp_path, boards, unicentre, time)
        yield made
        made.settle()
        before = made.writes()
        for _ in range(3):
            made.round()
            for name in made.lanes:
                scan(made.desk.means, made.desk.gateways.get(name))
        assert made.writes() == before, "silence: people are quiet, and something is written"
        made.desk.close()


def said(issue: Issue) -> list[tuple[bool, str]]:
    """Whether each comment is ours, and what it says."""
    shown = [(each.author == "interdesk", re.sub(r"\s*\[interdesk [^\]]+\]$", "", each.text)) for each in issue.notes]
    return [(ours, text.rpartition("\n\n")[2] if ours else text) for ours, text in shown]


def shared(mesh: Mesh) -> tuple[Issue, Issue]:
    """A ticket born over there by REST and given to those who speak SOAP; as both have it."""
    alice = mesh.there["ngi-rest"].tracker.person("alice")
    key = alice.open(title="CE refuses jobs ✓", description="since noon\n  a < b", labels=None)
    mesh.settle()
    mesh.give("ngi-rest", key, "NGI_SOAP")
    return mesh.issue("ngi-rest"), mesh.issue("ngi-soap")


def test_a_ticket_and_its_conversation_go_both_ways_once_and_nothing_internal_leaves(mesh: Mesh) -> None:
    ours, theirs = shared(mesh)
    assert (theirs.fields["summary"], theirs.fields["description"]) == ("CE refuses jobs ✓", "since noon\n  a < b")
    alice, bob = mesh.there["ngi-rest"].tracker.person("alice"), mesh.there["ngi-soap"].tracker.person("bob")
    alice.comment(ours.key, "tried again")
    bob.comment(theirs.key, "CANARY among us", internal=True)
    bob.comment(theirs.key, "which node?")
    mesh.settle()
    assert [text for we, text in said(theirs) if we] == ["tried again"]
    assert [text for we, text in said(ours) if we] == ["which node?"]
    assert "CANARY" not in repr(ours)


def test_fields_go_both_ways(mesh: Mesh) -> None:
    ours, theirs = shared(mesh)
    mesh.there["ngi-soap"].tracker.person("bob").edit(theirs.key, status="In Progress", summary="CE and SE refuse jobs")
    mesh.settle()
    assert (ours.fields["state"], ours.fields["title"]) == ("Doing", "CE and SE refuse jobs")
    mesh.there["ngi-rest"].tracker.person("alice").edit(ours.key, state="Done")
    mesh.settle()
    assert theirs.fields["status"] == "Resolved"


@pytest.mark.parametrize(("born", "given"), [("ngi-rest", "ngi-soap"), ("ngi-soap", "ngi-rest")])
@pytest.mark.parametrize("how", ["lose", "cut", "page after"])
def test_a_ticket_whose_creation_is_not_answered_is_made_once(mesh: Mesh, born: str, given: str, how: str) -> None:
    name = {"ngi-rest": "title", "ngi-soap": "summary"}
    key = mesh.there[born].tracker.person("alice").open({name[born]: "disk full", "description": "on se1"})
    mesh.settle()
    lost = iter([True])
    other = mesh.there[given]
    other.fault = lambda asked: Fault(how) if asked.kind == "create" and next(lost, False) else None
    mesh.give(born, key, {"ngi-rest": "NGI_REST", "ngi-soap": "NGI_SOAP"}[given])
    assert [each.fields[name[given]] for each in other.tracker.issues.values()] == ["disk full"]


def test_an_edit_on_both_sides_at_once_has_one_winner_everywhere_and_a_kept_loser(mesh: Mesh) -> None:
    ours, theirs = shared(mesh)
    mesh.there["ngi-rest"].tracker.person("alice").edit(ours.key, title="what alice says")
    mesh.there["ngi-soap"].tracker.person("bob").edit(theirs.key, summary="what bob says")
    mesh.settle()
    assert ours.fields["title"] == theirs.fields["summary"]
    (kept,) = mesh.desk.store.read(lambda tx: tx.tickets.conflicts())
    assert {kept.ours, kept.theirs} == {"what alice says", "what bob says"}
    assert ours.fields["title"] in (kept.ours, kept.theirs)
