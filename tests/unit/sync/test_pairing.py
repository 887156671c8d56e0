"""Tickets that people keep on both sides become one, by a field there that names ours; nothing is written blindly."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from central.job import Job, JobState
from central.registry import SystemState
from central.shadow import Seen
from central.store.memory import MemoryStore
from connectors.api import Audience, Mail, WriteKind
from connectors.errors import Transient
from sync.jobs.clue import BadClue, Clue
from sync.jobs.runner import Runner
from sync.plan import LEFT_BY_PAIRING
from tests.unit.sync.test_jobs import job, run, start
from tests.unit.sync.world import TPM, World, failing, once

BY = {"by": ["subject=[GGUS #{id}]"]}


@pytest.fixture
def world() -> World:
    world = World(store=MemoryStore())
    become(world, SystemState.SHADOW)
    return world


def become(world: World, state: SystemState) -> None:
    world.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-pl"), state=state)))


def ours(world: World, subject: str, **fields: Any) -> int:
    """A ticket that was opened at the centre, for NGI_PL."""
    return world.centre.open({"subject": subject, "unit": "NGI_PL", **fields}, TPM).id


def theirs(world: World, number: int, subject: str, **fields: Any) -> str:
    """Its twin in Redmine, as people there keep it."""
    return world.bob.open(subject=f"[GGUS #{number}] {subject}", **fields)


def rows(world: World, number: int) -> dict[str, tuple[str, Mapping[str, Any]]]:
    return {row.subject: (row.verdict, row.data) for row in world.store.read(lambda tx: tx.jobs.rows(number))}


def pair(world: World, **params: Any) -> Job:
    return run(world, start(world, "pair", "ngi-pl", {**BY, **params}))


def writes(world: World) -> int:
    return sum(deed.who == "interdesk" for deed in world.redmine.tracker.log)


def test_a_dry_run_tells_pairs_ambiguous_ones_and_leftovers_of_both_sides(world: World) -> None:
    first, second, third = (ours(world, f"number {n}") for n in range(3))
    key = theirs(world, first, "number 0")
    one, other = theirs(world, second, "number 1"), theirs(world, second, "number 1, once more")
    both = world.bob.open(subject=f"[GGUS #{first}] and [GGUS #{second}]")
    nobody = world.bob.open(subject="[GGUS #77] never heard of")
    before = len(world.redmine.tracker.log)
    done = pair(world, dry_run=True)
    found = rows(world, done.id)
    assert (done.state, done.done, done.total) == (JobState.DONE, 1, 1)
    assert found[key][0] == "pair"
    assert found[key][1]["ticket"] == first
    assert {found[each][0] for each in (one, other, both)} == {"ambiguous"}
    assert found[nobody] == ("no twin", {"names": ["77"]})
    assert found[f"ticket {third}"][0] == "no twin"
    assert found["there"][1]["mails"] == 0
    assert world.store.read(lambda tx: tx.links.of_system("ngi-pl")) == []
    assert len(world.redmine.tracker.log) == before


def test_pairs_are_linked_with_a_base_where_they_agree_and_nothing_is_written(world: World) -> None:
    number = ours(world, "[GGUS #1] CE refuses jobs", priority="urgent")
    key = theirs(world, number, "CE refuses jobs", priority="normal")
    world.centre.comment(number, "said on both", TPM)
    world.bob.comment(key, "said on both")
    world.centre.comment(number, "said here alone", TPM)
    world.bob.comment(key, "said there alone")
    done = pair(world)
    link = world.link("ngi-pl", number)
    assert (done.state, link.key, rows(world, done.id)[key][0]) == (JobState.DONE, key, "linked")
    assert link.base["subject"].ours == "[GGUS #1] CE refuses jobs"
    assert writes(world) == 0
    become(world, SystemState.LIVE)
    world.mesh.settle()
    assert writes(world) == 0
    assert [c.text for c in world.comments(number)] == ["said on both", "said here alone"]
    world.centre.change(number, {"subject": "from now on one"}, TPM)
    world.bob.comment(key, "and said to all")
    world.mesh.settle()
    assert world.issue(world.redmine, key).fields["subject"] == "from now on one"
    assert world.comments(number)[-1].text == "and said to all"


@pytest.mark.parametrize("policy", ["central", "remote", "ask"])
def test_what_differs_is_decided_by_the_policy_and_the_loser_is_kept(policy: str) -> None:
    world = World(redmine_policy=policy)
    become(world, SystemState.PAUSED)
    number = ours(world, "[GGUS #1] as we say", description="same")
    key = theirs(world, number, "as they say", description="same")
    become(world, SystemState.LIVE)
    world.store.write(lambda tx: tx.outbox.release_all())
    done = run_pair_before_anything_else(world)
    assert done.state is JobState.DONE
    world.mesh.settle()
    said = {
        "central": ("[GGUS #1] as we say", "[GGUS #1] as we say"),
        "remote": ("[GGUS #1] as they say", "[GGUS #1] as they say"),
        "ask": ("[GGUS #1] as we say", "[GGUS #1] as they say"),
    }[policy]
    assert (world.ticket(number)["subject"], world.issue(world.redmine, key).fields["subject"]) == said
    [kept] = [each for each in world.conflicts() if each.field == "subject"]
    assert (kept.ours, kept.theirs) == ("[GGUS #1] as we say", "[GGUS #1] as they say")


def run_pair_before_anything_else(world: World) -> Job:
    """The job alone takes its steps; the lanes have not come to it yet."""
    number = start(world, "pair", "ngi-pl", BY)
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    while job(world, number).open:
        runner.step()
    return job(world, number)


def test_what_differs_may_be_left_until_somebody_touches_it(world: World) -> None:
    number = ours(world, "[GGUS #1] as we say", priority="top priority")
    key = theirs(world, number, "as they say")
    world.bob.comment(key, "said there alone")
    world.bob.attach(key, "there.txt", b"alone")
    world.centre.comment(number, "said here alone", TPM)
    assert pair(world, leave=True).state is JobState.DONE
    become(world, SystemState.LIVE)
    world.mesh.settle()
    assert writes(world) == 0
    assert [c.text for c in world.comments(number)] == ["said here alone"]
    assert not world.store.read(lambda tx: tx.tickets.files(number))
    assert world.link("ngi-pl", number).disagreements["subject"] == LEFT_BY_PAIRING
    world.bob.edit(key, subject="touched there")
    world.mesh.settle()
    assert world.ticket(number)["subject"] == "touched there"
    assert "subject" not in world.link("ngi-pl", number).disagreements


def test_in_shadow_what_would_be_decided_is_recorded_and_a_create_has_been_done_by_people(world: World) -> None:
    number = ours(world, "[GGUS #1] as we say")
    key = theirs(world, number, "as they say")
    world.mesh.round()
    pair(world)
    world.mesh.round()
    found = {one.item: (one.seen, one.key) for one in world.store.read(lambda tx: tx.shadow.list("ngi-pl"))}
    assert found["field subject"][0] is Seen.MISSING
    assert {each[0] for item, each in found.items() if item == "create"} == {Seen.AGREED}
    assert world.link("ngi-pl", number).key == key
    assert writes(world) == 0


def test_deciding_that_would_send_mails_is_asked_about_first() -> None:
    world = World()
    watchers = Mail((Audience.WATCHERS,), "the watchers")
    capabilities = replace(world.redmine.connector.capabilities, notifies={WriteKind.UPDATE: watchers})
    world.redmine.connector.capabilities = capabilities
    number = ours(world, "[GGUS #1] as we say")
    theirs(world, number, "as they say")
    refused = run_pair_before_anything_else(world)
    assert (refused.state, "say --notify if that is meant, or --leave" in refused.error) == (JobState.FAILED, True)
    assert rows(world, refused.id)["there"][1]["sentence"].startswith("this will send 1 mails at most")
    assert world.store.read(lambda tx: tx.links.find(number, "ngi-pl")) is None


def test_a_ticket_that_lives_elsewhere_or_is_linked_already_is_not_paired(world: World) -> None:
    linked = ours(world, "linked")
    first = theirs(world, linked, "linked")
    assert pair(world).done == 1
    second = theirs(world, linked, "linked, once more")
    key = world.alice.open(subject="born in RT")
    world.mesh.round()
    elsewhere = world.store.read(lambda tx: tx.links.find_by_key("ngi-cz", key))
    assert elsewhere is not None
    third = theirs(world, elsewhere.ticket_id, "born in RT")
    found = rows(world, pair(world).id)
    assert found[second] == ("taken", {"ticket": linked, "why": f"it is linked to {first}"})
    assert found[third][0] == "taken"


def test_a_twin_whose_unit_is_not_theirs_stays_linked_as_one_that_was_born_there(world: World) -> None:
    number = world.centre.open({"subject": "[GGUS #1] with TPM"}, TPM).id
    key = theirs(world, number, "with TPM")
    pair(world)
    become(world, SystemState.LIVE)
    world.centre.comment(number, "a word", TPM)
    world.mesh.settle()
    assert len(world.said(world.redmine, "a word", key)) == 1
    assert world.said(world.redmine, "no longer synchronised", key) == []


def test_a_ticket_is_known_by_its_key_in_another_system_too(world: World) -> None:
    key, _ = World.shared(rt := World())
    rt.store.write(lambda tx: tx.links.save(rt.link("ngi-pl").evolve(key="999")))
    twin = rt.bob.open(subject=f"RT {key}: CE refuses jobs")
    number = start(rt, "pair", "ngi-pl", {"by": ["subject=RT {ngi-cz}:"], "dry_run": True})
    run(rt, number)
    found = rows(rt, number)
    assert found[twin] == ("taken", {"ticket": 1, "why": "it is linked to 999"})


@pytest.mark.parametrize("after", range(7))
def test_killed_between_two_steps_it_goes_on_where_it_was(world: World, after: int) -> None:
    for number in range(25):
        theirs(world, ours(world, f"[GGUS #{number + 1}] number {number}"), f"number {number}")
    world.mesh.work()
    number = start(world, "pair", "ngi-pl", BY)
    runner = Runner(world.mesh.means, world.mesh.gateways, submit=lambda step: step())
    for _ in range(after):
        runner.step()
    assert isinstance(world.store, MemoryStore)
    world.store.lose_power()
    world.mesh.restart()
    done = run(world, number)
    assert (done.state, done.done, done.total) == (JobState.DONE, 25, 25)
    assert len(world.store.read(lambda tx: tx.links.of_system("ngi-pl"))) == 25


def test_an_outage_delays_it_and_costs_it_nothing(world: World) -> None:
    theirs(world, ours(world, "[GGUS #1] one"), "one")
    world.mesh.work()
    once(world.redmine.connector, "fetch", failing(Transient("down")), done=False)
    assert pair(world).done == 1


def test_a_field_that_is_not_there_ends_it_with_those_that_are(world: World) -> None:
    done = pair(world, by=["reference"])
    assert (done.state, "there is no field 'reference' there; there are" in done.error) == (JobState.FAILED, True)


@pytest.mark.parametrize(
    ("written", "value", "named"),
    [
        ("CF.GGUS id", "123", ["123"]),
        ("CF.GGUS id", " 0123 ", ["123"]),
        ("CF.GGUS id", "see 123", []),
        ("CF.GGUS id", None, []),
        ("CF.GGUS id", ("7", "8"), ["7", "8"]),
        ("subject=[GGUS #{id}]", "Re: [GGUS #12] node 34 is down", ["12"]),
        ("subject=GGUS-Ticket {id}", "GGUS-Ticket 12, GGUS-Ticket 13", ["12", "13"]),
        ("subject=#{id}", "#12x", []),
        ("ref=RT {ngi-cz}:", "RT 345: and more", ["345"]),
        ("ref={ngi-cz}", "HELP-345", ["HELP-345"]),
        ("subject=[GGUS #{id}]", "[GGUS #" + "9" * 100 + "]", []),
    ],
)
def test_a_clue_names_what_its_field_holds(written: str, value: Any, named: list[str]) -> None:
    assert list(Clue.read(written).named(value)) == named


@pytest.mark.parametrize("written", ["", "=x {id}", "subject=nothing", "subject={id} {id}"])
def test_what_is_no_clue_is_told_with_an_example(written: str) -> None:
    with pytest.raises(BadClue, match=r"such as 'subject=\[GGUS #\{id\}\]'"):
        Clue.read(written)
