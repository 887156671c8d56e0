"""A live ticket becomes a fixture that is green, and names nobody."""

from mappings.fixtures.document import Fixture, compile_fixture
from mappings.fixtures.replay import replay
from mappings.loader import read
from sync.capturing import capture
from sync.secrets import Secrets
from tests.unit.sync.test_merging import Watched
from tests.unit.sync.world import TPM, World

SECRETS = Secrets({"INTERDESK_SECRET_X": "42-42-42"})


def captured(world: World, system: str, key: str) -> tuple[str, Fixture]:
    gateway = world.mesh.gateways.get(system)
    text = capture(world.store, gateway, key, SECRETS, centre="GGUS")
    (document,) = read(text, "f.yaml")
    fixture = compile_fixture(document)
    assert replay(gateway.mapping, fixture).differences == ()
    return text, fixture


def test_a_ticket_that_nobody_knows_here_comes_in_and_that_is_all() -> None:
    world = World()
    key = world.alice.open(subject="CE refuses jobs", description="since this morning\nsecond line", status="open")
    world.alice.comment(key, "restarted it")
    log = world.rt.tracker.log[:]
    text, fixture = captured(world, "ngi-cz", key)
    (case,) = fixture.cases
    assert case.given["status"] == "open"
    assert [len(word) for word in str(case.given["subject"]).split()] == [2, 7, 4]
    assert [len(line) for line in str(case.given["description"]).splitlines()] == [18, 11]
    assert len(case.comments) == 1
    for word in ("alice", "refuses", "jobs", "morning", "second", "restarted"):
        assert word not in text
    assert world.rt.tracker.log == log
    assert captured(world, "ngi-cz", key)[0] == text, "pseudonyms are stable"


def test_a_linked_ticket_goes_both_ways_with_the_conversation_that_goes_there() -> None:
    world = World()
    _, key = world.shared()
    world.centre.comment(1, "a word of Tess", TPM)
    world.centre.comment(1, "an internal word", TPM, internal=True)
    world.bob.comment(key, "an answer of Bob")
    world.mesh.settle()
    text, fixture = captured(world, "ngi-pl", key)
    inward, outward = fixture.cases
    assert (len(inward.comments), len(outward.comments)) == (1, 1)
    assert inward.held == outward.given
    assert outward.held == inward.given
    for word in ("Tess", "Bob", "answer", "internal", "refuses"):
        assert word not in text


def test_a_secret_is_taken_out_even_of_what_is_told_in_other_words() -> None:
    world = World()
    SECRETS.look_up("env:INTERDESK_SECRET_X")
    key = world.alice.open(subject="my password is 42-42-42")
    text, _ = captured(world, "ngi-cz", key)
    assert "\u2022\u2022\u2022" in text or "\\u2022" in text


def test_what_is_no_word_of_the_mapping_is_somebodys_text() -> None:
    world = World()
    key = world.alice.open(subject="a", priority="low", status="open")
    world.rt.tracker.issues[key].fields["priority"] = "ask Alice"
    text, fixture = captured(world, "ngi-cz", key)
    assert "Alice" not in text
    assert fixture.cases[0].given["status"] == "open"
    assert "no_word: [priority]" in text


def test_members_of_a_set_become_others_one_by_one_and_those_whom_the_mapping_names_stay() -> None:
    world = Watched()
    world.begin("al", "guest")
    world.set_there("AL", "zed")
    world.mesh.settle()
    text, fixture = captured(world, "ngi-cz", world.key)
    there = fixture.cases[0].given["watchers"]
    assert isinstance(there, tuple)
    assert (there[0], len(there), len(there[1])) == ("AL", 2, 3)
    assert "zed" not in text
    assert "guest@" not in text
    text, fixture = captured(world, "ngi-pl", world.other)
    assert str(fixture.cases[0].given["watchers"]).count(", ") == 1
    assert "guest@" not in text
