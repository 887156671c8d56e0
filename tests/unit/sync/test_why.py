"""Why a field has its value: told from the history that a real mesh in memory has written."""

from collections.abc import Iterator

import pytest

from central.events import Kind
from central.model import Person
from central.store.memory import MemoryStore
from connectors.errors import Unknown
from connectors.memory import Call
from sync.simulation.members import redmine_like, rt_like
from sync.simulation.mesh import Mesh, VirtualClock
from sync.why import NoField, Why, explain, told

TESS = Person("tess", "Tess from TPM")


class World:
    """RT and Redmine around one ticket, born in RT and given to NGI_PL."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rt = rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}))
        self.redmine = redmine_like(self.clock, "ngi-pl", frozenset({"NGI_PL"}))
        self.mesh = Mesh(MemoryStore(), [self.rt, self.redmine], self.clock)
        self.alice = self.rt.tracker.person("alice")
        self.bob = self.redmine.tracker.person("bob")
        self.key = self.alice.open(subject="CE refuses jobs")
        self.mesh.round()
        self.mesh.centre.change(1, {"unit": "NGI_PL"}, TESS)
        self.mesh.settle()
        link = self.mesh.store.read(lambda tx: tx.links.find(1, "ngi-pl"))
        assert link is not None
        self.other = link.key or ""

    def why(self, field: str) -> Why:
        return self.mesh.store.read(
            lambda tx: explain(tx.tickets.get(1), field, tx.tickets.events(1), tx.links.of(1), tx.tickets.conflicts(1))
        )


@pytest.fixture
def world() -> Iterator[World]:
    return World()


def test_a_value_from_a_birth_names_who_opened_it_and_the_mapping(world: World) -> None:
    origin = world.why("subject").origin
    assert origin.who is not None
    assert (origin.value, origin.who.id, origin.system) == ("CE refuses jobs", "alice", "ngi-cz")
    assert "mapping rt-like (revision 1)" in origin.because


def test_a_value_that_nobody_gave_is_said_to_be_nobodys(world: World) -> None:
    origin = world.why("category").origin
    assert (origin.value, origin.who) == ("Incident", None)


def test_an_edit_there_names_its_author_the_rule_and_its_revision(world: World) -> None:
    world.bob.edit(world.other, subject="wn042: disk full")
    world.mesh.settle()
    why = world.why("subject")
    assert why.origin.who is not None
    assert (why.origin.value, why.origin.who.id, why.origin.system) == ("wn042: disk full", "bob", "ngi-pl")
    assert "rule redmine-like.subject (revision 1) at ngi-pl.yaml:" in why.origin.because
    assert [each.value for each in why.earlier] == ["CE refuses jobs"]


def test_an_edit_at_the_centre_is_the_persons_and_what_follows_is_the_workflows(world: World) -> None:
    assert world.why("unit").origin.who == TESS
    status = world.why("status").origin
    assert status.because == "central's workflow sets it"


def test_our_writes_are_told_by_system_with_what_carried_them(world: World) -> None:
    world.mesh.centre.change(1, {"subject": "One CE refuses jobs"}, TESS)
    world.mesh.settle()
    there = {each.system: each for each in world.why("subject").there}
    assert [deed.data["theirs"] for deed in there["ngi-cz"].written] == ["One CE refuses jobs"]
    assert "rule rt-like.subject" in there["ngi-cz"].written[0].because
    assert there["ngi-pl"].theirs == "One CE refuses jobs"


def test_what_lost_a_conflict_is_told_with_the_winner_and_the_policy(world: World) -> None:
    world.alice.edit(world.key, subject="from RT")
    world.mesh.centre.change(1, {"subject": "from the centre"}, TESS)
    world.mesh.settle()
    (lost,) = world.why("subject").lost
    assert (lost.ours, lost.theirs, lost.system, lost.winner) == ("from the centre", "from RT", "ngi-cz", "central")
    assert "policy central" in lost.reason


def test_a_refusal_is_told_and_stands_as_a_disagreement(world: World) -> None:
    world.bob.edit(world.other, status="In Progress")
    world.mesh.settle()
    world.mesh.centre.change(1, {"status": "unsolved"}, TESS)
    world.mesh.settle()
    there = {each.system: each for each in world.why("status").there}["ngi-cz"]
    assert there.disagreement.startswith("refused: ")
    assert there.written[0].what is Kind.WRITE_REFUSED


def test_an_echo_is_told_with_its_evidence(world: World) -> None:
    def lose_the_answer(call: Call) -> None:
        if call.operation == "update" and call.done:
            world.rt.connector.intruder = None
            raise Unknown("the connection was cut before the answer came")

    world.rt.connector.intruder = lose_the_answer
    world.mesh.centre.change(1, {"subject": "One CE refuses jobs"}, TESS)
    world.mesh.settle()
    (echo,) = next(each for each in world.why("subject").there if each.system == "ngi-cz").echoes
    assert echo.data["theirs"] == "One CE refuses jobs"
    assert "our own open write" in echo.because


def test_a_field_that_a_mapping_does_not_carry_is_said_to_be_so(world: World) -> None:
    assert not any(there.carried for there in world.why("unit").there)
    assert any("not carried by its mapping" in line for line in told(world.why("unit")))


def test_a_misspelt_field_is_told_with_the_nearest(world: World) -> None:
    with pytest.raises(NoField, match="did you mean 'status'"):
        world.why("statsu")


def test_the_sentences_hold_the_value_its_author_and_every_system(world: World) -> None:
    world.bob.edit(world.other, status="In Progress")
    world.mesh.settle()
    text = "\n".join(told(world.why("status")))
    for words in ("status: 'in progress'", "set by bob in ngi-pl", "in ngi-cz/1 (active)", "in ngi-pl/1 (active)"):
        assert words in text
