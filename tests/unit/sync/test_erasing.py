"""Somebody is erased: no system takes it for an edit, no echo becomes one, and nothing is sent twice."""

from collections.abc import Sequence

import pytest

from central.desk.services.tickets import Upload
from central.erasure import Erasure
from central.link import Link
from central.model import Person, Ticket, Value, Visibility
from central.store.api import Busy
from central.store.memory import MemoryStore
from connectors.api import RemoteField
from connectors.emulators.tracker import Rules, Tracker
from connectors.errors import Unknown
from connectors.memory import WELL_BEHAVED, MemoryConnector
from mappings.document import compile_mapping
from mappings.loader import read
from sync.erasing import Erasing
from sync.plan import ERASED
from sync.policy import Policy
from sync.simulation.laws import broken
from sync.simulation.mesh import Member, Mesh, VirtualClock
from tests.unit.sync.world import TPM, World, failing, once

ALICE = Erasure("erased-1", frozenset({"alice", "alice@example.cz"}), origins=frozenset({("ngi-cz", "alice")}))
TESS = Erasure("erased-2", frozenset({"tpm"}), frozenset({"tess from tpm"}))


def erase(world: World, *erasures: Erasure) -> list[str]:
    erasing = Erasing(world.mesh.means)
    return [each for erasure in erasures for each in erasing.ticket(1, erasure)]


def writes(world: World) -> int:
    return sum(len(member.tracker.log) for member in (world.rt, world.redmine))


def everything(world: World) -> str:
    return repr(world.store.read(lambda tx: (tx.tickets.get(1), tx.tickets.comments(1), tx.tickets.events(1))))


@pytest.fixture
def world() -> World:
    """A conversation in which everybody has said something."""
    made = World()
    rt, redmine = made.shared()
    made.alice.comment(rt, "it is on fire")
    made.bob.comment(redmine, "which one?")
    made.centre.comment(1, "the one in rack 7", TPM)
    made.mesh.settle()
    return made


def test_nobody_is_told_and_the_mesh_stays_quiet(world: World) -> None:
    before = writes(world)
    erase(world, ALICE, TESS)
    assert world.end() == []
    world.mesh.scan()
    assert world.end() == []
    assert writes(world) == before
    assert not any(word in everything(world) for word in ("alice", "tpm", "Tess"))
    assert {each.text for each in world.comments()} == {"it is on fire", "which one?", "the one in rack 7"}


SPOKEN_OF = Erasure("erased-4", frozenset({"eve", "eve@example.org"}), frozenset({"eve example", "on"}))


def test_their_name_and_address_leave_the_conversation_and_no_system_takes_it_for_an_edit(world: World) -> None:
    asked = world.centre.comment(1, "Ask Eve Example <EVE@example.org>, eve is on duty", TPM)
    world.bob.comment(min(world.redmine.tracker.issues), "eve@example.org is away")
    world.mesh.settle()
    world.centre.edit_comment(1, asked.id, "Ask Eve Example again, eve is on duty", TPM)
    world.mesh.settle()
    before = writes(world)
    assert sorted(each.partition("/")[0] for each in erase(world, SPOKEN_OF)) == ["ngi-cz", "ngi-pl"]
    texts = {each.text for each in world.comments()}
    assert {"Ask erased-4 again, eve is on duty", "erased-4 is away"} <= texts
    assert not any(word in everything(world).casefold() for word in ("eve@example.org", "eve example"))
    assert world.end() == []
    world.mesh.scan()
    assert world.end() == []
    assert writes(world) == before
    assert {each.text for each in world.comments()} == texts


def test_an_edit_after_an_erasure_goes_out_once(world: World) -> None:
    asked = world.centre.comment(1, "Ask Eve Example", TPM)
    world.mesh.settle()
    erase(world, SPOKEN_OF)
    world.centre.edit_comment(1, asked.id, "Ask whoever is on duty", TPM)
    assert world.end() == []
    for member in (world.rt, world.redmine):
        assert len(world.said(member, "Ask whoever is on duty")) == 1


def test_an_edit_that_is_still_owed_goes_out_without_them(world: World) -> None:
    asked = world.centre.comment(1, "Ask whoever is on duty", TPM)
    world.mesh.settle()
    world.centre.edit_comment(1, asked.id, "Ask Eve Example", TPM)
    erase(world, SPOKEN_OF)
    assert world.end() == []
    for member in (world.rt, world.redmine):
        assert len(world.said(member, "Ask erased-4")) == 1
        assert not world.said(member, "Eve Example")


def test_a_comment_with_their_name_whose_answer_was_lost_is_found_and_not_sent_again(world: World) -> None:
    once(world.redmine.connector, "comment", failing(Unknown("the answer was lost")), done=True)
    world.centre.comment(1, "Ask Eve Example", TPM)
    world.mesh.round()
    erase(world, SPOKEN_OF)
    assert world.end() == []
    world.mesh.scan()
    assert world.end() == []
    assert len(world.said(world.redmine, "Ask Eve Example")) == 1, "that copy is theirs"
    assert not world.said(world.redmine, "Ask erased-4"), "nobody is told"
    assert "Ask erased-4" in {each.text for each in world.comments()}


def test_an_edit_whose_answer_was_lost_is_not_told_again_without_their_name(world: World) -> None:
    asked = world.centre.comment(1, "Ask whoever is on duty", TPM)
    world.mesh.settle()
    for member in (world.rt, world.redmine):
        once(member.connector, "edit_comment", failing(Unknown("the answer was lost")), done=True)
    world.centre.edit_comment(1, asked.id, "Ask Eve Example", TPM)
    world.mesh.round()
    assert any(intent.agreed for link in (world.link("ngi-cz"), world.link("ngi-pl")) for intent in link.intents)
    erase(world, SPOKEN_OF)
    assert world.end() == []
    for member in (world.rt, world.redmine):
        assert not world.said(member, "erased-4"), "nobody is told"
    assert "Ask erased-4" in {each.text for each in world.comments()}


def test_what_is_hidden_and_shown_again_there_does_not_bring_their_name_back(world: World) -> None:
    key = min(world.redmine.tracker.issues)
    said = world.bob.comment(key, "Ask Eve Example")
    world.mesh.settle()
    erase(world, SPOKEN_OF)
    for act, stands in ((world.bob.hide, Visibility.INTERNAL), (world.bob.show, Visibility.PUBLIC)) * 2:
        act(key, said)
        world.mesh.settle()
        world.mesh.scan()
        world.mesh.settle()
        assert {each.text: each.visibility for each in world.comments()}["Ask erased-4"] is stands
        assert "eve example" not in everything(world).casefold()
    world.bob.reword(key, said, "Ask Eve Example or me")
    world.mesh.settle()
    world.mesh.scan()
    world.mesh.settle()
    assert "Ask Eve Example or me" in {each.text for each in world.comments()}, "somebody has said it anew"


def test_a_description_without_their_name_is_no_edit_and_a_later_one_goes_out(world: World) -> None:
    world.centre.change(1, {"description": "Eve Example (eve@example.org) found it", "subject": "For eve example"}, TPM)
    world.mesh.settle()
    before = writes(world)
    erase(world, SPOKEN_OF)
    assert world.end() == []
    world.mesh.scan()
    assert world.end() == []
    assert writes(world) == before
    ticket = world.store.read(lambda tx: tx.tickets.get(1))
    assert (ticket["description"], ticket["subject"]) == ("erased-4 (erased-4) found it", "For erased-4")
    world.centre.change(1, {"subject": "For whoever"}, TPM)
    assert world.end() == []
    assert {world.issue(each).fields["subject"] for each in (world.redmine,)} == {"For whoever"}


def test_a_file_gets_another_name_here_and_is_neither_sent_nor_taken_in_again(world: World) -> None:
    world.centre.comment(1, "see", TPM, files=[Upload("Eve_Example.txt", "text/plain", [b"abc"])])
    world.alice.attach(min(world.rt.tracker.issues), "eve example.log", b"log")
    world.mesh.settle()
    before = writes(world)
    assert sorted(each.partition("/")[0] for each in erase(world, SPOKEN_OF)) == ["ngi-cz", "ngi-pl"]
    assert world.end() == []
    world.mesh.scan()
    assert world.end() == []
    assert writes(world) == before
    names = [each.name for each in world.store.read(lambda tx: tx.tickets.files(1))]
    assert sorted(names) == ["erased-4.log", "erased-4.txt"]


def test_the_marks_of_comments_are_what_they_were(world: World) -> None:
    tokens = world.mesh.means.tokens
    before = [tokens.comment(comment) for comment in world.comments()]
    erase(world, ALICE, TESS)
    assert [tokens.comment(comment) for comment in world.comments()] == before
    assert {comment.author.label for comment in world.comments()} == {"erased-1", "bob", "erased-2"}


def test_a_comment_whose_answer_was_lost_is_found_and_not_sent_again(world: World) -> None:
    once(world.redmine.connector, "comment", failing(Unknown("the answer was lost")), done=True)
    world.centre.comment(1, "turn it off", TPM)
    world.mesh.round()
    erase(world, TESS)
    assert world.end() == []
    assert len(world.said(world.redmine, "turn it off")) == 1
    assert len(world.said(world.rt, "turn it off")) == 1


def test_a_comment_that_was_not_sent_yet_goes_out_once_and_by_nobody_in_particular(world: World) -> None:
    world.centre.comment(1, "turn it off", TPM)
    erase(world, TESS)
    assert world.end() == []
    for member in (world.rt, world.redmine):
        (note,) = world.said(member, "turn it off")
        assert "Tess" not in note.text


def test_people_go_on_as_before(world: World) -> None:
    erase(world, ALICE, TESS)
    world.bob.comment(min(world.redmine.tracker.issues), "it was the fan")
    world.centre.change(1, {"subject": "The fan"}, Person("ann", "Ann"))
    (first, *_) = world.comments()
    world.centre.edit_comment(1, first.id, "it was on fire", Person("ann", "Ann"))
    assert world.end() == []
    world.mesh.scan()
    assert world.end() == []
    assert len(world.said(world.rt, "it was the fan")) == 1
    assert world.issue(world.redmine).fields["subject"] == "The fan"


def test_a_ticket_that_is_being_looked_at_is_left_alone(world: World) -> None:
    lease = world.store.write(
        lambda tx: tx.outbox.take("ngi-cz/ticket/1", "a worker", world.clock(), ttl=world.mesh.means.request_deadline)
    )
    before = everything(world)
    with pytest.raises(Busy):
        erase(world, ALICE)
    assert everything(world) == before
    world.store.write(lambda tx: tx.outbox.release(lease))
    erase(world, ALICE)
    assert broken(world.mesh, canaries=[]) == []


# -- fields that name people -----------------------------------------------------------------------------------------

EVE, BOB, ANN = "eve@example.org", "bob@example.org", "ann@example.org"
ERASED_EVE = Erasure("erased-3", frozenset({EVE}))
MAPPING = """
kind: mapping
name: with-people
connector: memory
fields:
  subject: {remote: subject}
  submitter: {remote: requestor}
  cc: {remote: watchers, set: {separator: ", ", any_case: true}}
"""


def with_people(clock: VirtualClock, name: str, unit: str) -> Member:
    fields = tuple(RemoteField(each, "text") for each in ("subject", "requestor", "watchers", "external_id"))
    tracker = Tracker(clock, Rules(fields=fields), name=name)
    connector = MemoryConnector(tracker, capabilities=WELL_BEHAVED, clock=clock)
    mapping = compile_mapping(read(MAPPING, "people.yaml")[0], revision=1)
    return Member(name, connector, mapping, frozenset({unit}), Policy("central"))


class Named:
    """A ticket of Eve's, born in one system and shared with another."""

    def __init__(self) -> None:
        self.clock, self.store = VirtualClock(), MemoryStore()
        self.here, self.there = with_people(self.clock, "here", "HERE"), with_people(self.clock, "there", "THERE")
        self.mesh = Mesh(self.store, [self.here, self.there], self.clock)
        self.people = self.here.tracker.person("Eve")
        self.key = self.people.open(subject="CE refuses jobs", requestor=EVE, watchers=f"{BOB}, {EVE}")
        self.mesh.round()
        self.mesh.centre.change(1, {"unit": "THERE"}, TPM)
        self.mesh.settle()
        assert self.ticket()["submitter"] == EVE

    def ticket(self) -> Ticket:
        return self.store.read(lambda tx: tx.tickets.get(1))

    def link(self, system: str) -> Link:
        link = self.store.read(lambda tx: tx.links.find(1, system))
        assert link is not None
        return link

    def shown(self, member: Member) -> tuple[Value, Value]:
        issue = member.tracker.issues[min(member.tracker.issues)]
        return issue.fields["requestor"], issue.fields["watchers"]

    def erase(self) -> Sequence[str]:
        return Erasing(self.mesh.means).ticket(1, ERASED_EVE)

    def rest(self) -> list[str]:
        self.mesh.settle()
        self.mesh.scan()
        self.mesh.settle()
        return broken(self.mesh, canaries=[])


def test_fields_that_name_somebody_name_nobody_here_and_are_not_written_there() -> None:
    named = Named()
    there = named.link("there").key
    before = [named.shown(member) for member in (named.here, named.there)]
    assert named.erase() == [f"here/{named.key}", f"there/{there}"], "they are told who still names them"
    assert named.rest() == []
    assert (named.ticket()["submitter"], named.ticket()["cc"]) == (None, (BOB,))
    assert [named.shown(member) for member in (named.here, named.there)] == before
    assert named.link("here").disagreements == {"submitter": ERASED, "cc": ERASED}
    assert EVE not in repr([pair.ours for pair in named.link("here").base.values()])


def test_what_changes_there_later_is_taken_in_and_no_name_comes_back_by_itself() -> None:
    named = Named()
    named.erase()
    named.people.edit(named.key, requestor=ANN, watchers=BOB)
    assert named.rest() == []
    assert (named.ticket()["submitter"], named.ticket()["cc"]) == (ANN, (BOB,))
    assert named.shown(named.there)[0] == ANN
    assert named.link("here").disagreements == {}


def test_what_is_changed_here_later_goes_there() -> None:
    named = Named()
    named.erase()
    named.mesh.centre.change(1, {"submitter": ANN, "subject": "Other jobs"}, TPM)
    assert named.rest() == []
    assert [named.shown(member)[0] for member in (named.here, named.there)] == [ANN, ANN]
