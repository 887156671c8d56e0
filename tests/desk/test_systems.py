"""Systems, their documents and what waits about them: for each, who may see it and who may act."""

from datetime import timedelta

import pytest

from central.account import Grant, Role
from central.desk.services.errors import NotNow, Wrong
from central.desk.views.mesh import Need
from central.registry import SystemState
from central.rights import Forbidden
from central.store.api import NoSuch
from tests.desk.house import CZ, DE, House, principal

ALICE, SUE, OLGA, TESS, CARL, AUDE = map(principal, ("alice", "sue", "olga", "tess", "carl", "aude"))

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A house that nobody changes."""
    house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.close()


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def acts(house: House) -> list[tuple[str, str, str]]:
    return [(each.by, each.act, each.subject) for each in house.systems.audit(CARL)]


def test_everybody_sees_the_systems_that_are_theirs(seen):
    names = {who.person.id: [tile.name for tile in seen.systems.tiles(who)] for who in (OLGA, TESS, CARL, AUDE)}
    assert names == {
        "olga": ["ngi-cz"],
        "tess": ["ngi-cz"],
        "carl": ["ngi-cz", "ngi-de"],
        "aude": ["ngi-cz", "ngi-de"],
    }
    for nobody in (ALICE, SUE):
        with pytest.raises(Forbidden, match="may not see a system"):
            seen.systems.tiles(nobody)


def test_another_ngis_system_is_told_of_in_the_words_for_one_that_is_not_there(seen):
    for name in ("ngi-de", "ngi-xx"):
        for ask in (
            lambda name=name: seen.systems.show(OLGA, name),
            lambda name=name: seen.systems.pause(OLGA, name),
            lambda name=name: seen.systems.check(OLGA, name),
            lambda name=name: seen.documents.show(OLGA, "system", name),
            lambda name=name: seen.queues.letters(OLGA, name),
            lambda name=name: seen.queues.start_job(OLGA, "scan", name, {}),
        ):
            with pytest.raises(NoSuch) as caught:
                ask()
            assert str(caught.value) == f"there is no system '{name}'"


def test_a_system_is_run_by_its_operator_and_the_central_team_and_each_act_is_in_the_audit_log(house):
    for nobody in (TESS, AUDE):
        with pytest.raises(Forbidden):
            house.systems.pause(nobody, "ngi-cz")
    assert house.systems.pause(OLGA, "ngi-cz", "new disks").state is SystemState.PAUSED
    assert house.systems.show(AUDE, "ngi-cz").view.reason == "paused by olga: new disks"
    assert house.systems.resume(CARL, "ngi-cz").state is SystemState.LIVE
    assert acts(house)[:2] == [("carl", "resume", "ngi-cz"), ("olga", "pause", "ngi-cz")]
    with pytest.raises(NotNow, match="not quarantined"):
        house.systems.release(CARL, "ngi-cz")


def test_maintenance_is_announced_by_whoever_runs_the_system_and_is_in_the_audit_log(house):
    now = house.interdesk.clock()
    for nobody in (TESS, AUDE):
        with pytest.raises(Forbidden):
            house.systems.announce_maintenance(nobody, "ngi-cz", now + HOUR)
        with pytest.raises(Forbidden):
            house.systems.end_maintenance(nobody, "ngi-cz")
    with pytest.raises(NoSuch):
        house.systems.announce_maintenance(OLGA, "ngi-de", now + HOUR)
    view = house.systems.announce_maintenance(OLGA, "ngi-cz", now + HOUR, why="new disks")
    assert (view.health, view.need) == ("maintenance", Need.ASIDE)
    assert "by olga: new disks" in view.troubles[0]
    assert house.systems.end_maintenance(CARL, "ngi-cz").maintenance is None
    announced = house.systems.announce_maintenance(OLGA, "ngi-cz", now + 3 * HOUR, begins_at=now + 2 * HOUR)
    assert announced.health != "maintenance"
    assert "maintenance is announced" in announced.troubles[0]
    assert acts(house)[:2] == [("olga", "announce maintenance", "ngi-cz"), ("carl", "end maintenance", "ngi-cz")]


def test_the_stop_button_is_the_central_teams(house):
    for nobody in (OLGA, AUDE):
        with pytest.raises(Forbidden):
            house.systems.stop_all(nobody, "a storm")
    house.systems.stop_all(CARL, "a storm")
    assert house.systems.instance(OLGA).stopped.why == "a storm"
    house.systems.let_go(CARL)
    assert house.systems.instance(OLGA).stopped is None


def test_an_operator_applies_what_is_theirs_and_rolls_it_back(house):
    changed = CZ.replace("ops@example.cz", "desk@example.cz")
    (planned,) = house.documents.plan(OLGA, changed)
    assert (planned.verb, planned.revision) == ("changed", None)
    assert "+contacts: [desk@example.cz]" in planned.diff
    (applied,) = house.documents.apply(OLGA, changed)
    assert applied.revision == 2
    (back,) = house.documents.roll_back(OLGA, "system", "ngi-cz", 1)
    assert back.revision == 3
    assert house.documents.show(OLGA, "system", "ngi-cz").source == CZ
    assert acts(house)[0] == ("olga", "apply a system", "ngi-cz")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (DE, "may not register a system"),
        (CZ.replace("[NGI_CZ]", "[NGI_CZ, TPM]"), "support unit TPM is not yours to claim"),
        (
            CZ.replace("SECRET_NGI_CZ", "SECRET_SPARE"),
            "the secret of ngi-cz is to be called env:INTERDESK_SECRET_NGI_CZ",
        ),
        ("kind: mapping\nname: redmine\nextends: rt\n", "mapping redmine is not yours alone"),
    ],
)
def test_an_operator_claims_nothing_that_is_not_theirs(seen, document, said):
    for act in (seen.documents.plan, seen.documents.apply):
        with pytest.raises(Forbidden, match=said):
            act(OLGA, document)


def test_what_is_wrong_names_no_system_of_another_ngi(seen):
    both = principal("olga", None, Grant(Role.OPERATOR, "ngi-cz"), Grant(Role.SUPPORTER, "NGI_DE"))
    wrong = CZ.replace("[NGI_CZ]", "[NGI_DE]")
    with pytest.raises(Wrong, match="support unit NGI_DE belongs to another system already") as caught:
        seen.documents.plan(both, wrong)
    assert "ngi-de" not in str(caught.value)
    with pytest.raises(Wrong, match="belongs to system ngi-de already"):
        seen.documents.plan(CARL, wrong)


def test_a_mapping_is_read_by_those_whose_system_uses_it(seen):
    assert [each.name for each in seen.documents.list(OLGA, "mapping")] == ["rt"]
    assert [each.name for each in seen.documents.list(AUDE, "mapping")] == ["redmine", "rt"]
    with pytest.raises(NoSuch, match="there is no mapping 'redmine'"):
        seen.documents.show(TESS, "mapping", "redmine")


def test_what_waits_is_seen_by_whoever_may_read_its_ticket(seen):
    seen_by = {
        who.person.id: (
            [each.letter.id for each in seen.queues.letters(who)],
            [each.id for each in seen.queues.conflicts(who)],
            [each.id for each in seen.queues.holds(who)],
            [each.id for each in seen.queues.jobs(who)],
        )
        for who in (OLGA, CARL, AUDE)
    }
    letters, holds, jobs = seen.letters, seen.holds, [each.id for each in seen.jobs]
    everything = (letters, [*seen.conflicts, seen.hidden_conflict], holds, jobs)
    own = (letters[:1], [seen.conflicts[0], seen.hidden_conflict], holds[:1], jobs[:1])
    assert seen_by == {"olga": own, "carl": everything, "aude": everything}


def test_whoever_may_read_no_ticket_sees_nothing_that_waits(seen):
    for who in (ALICE, SUE, TESS):
        for ask in (seen.queues.letters, seen.queues.conflicts, seen.queues.holds, seen.queues.jobs):
            with pytest.raises(Forbidden):
                ask(who)


def test_a_tester_who_is_also_a_user_sees_of_what_waits_only_what_is_about_their_own_tickets(seen):
    both = principal("alice", None, Grant(Role.USER), Grant(Role.TESTER, "ngi-cz"))
    assert [each.letter.id for each in seen.queues.letters(both)] == seen.letters[:1]
    assert [each.id for each in seen.queues.conflicts(both)] == seen.conflicts[:1], "not the one about a hidden note"
    assert seen.queues.jobs(both) == []
    with pytest.raises(Forbidden):
        seen.queues.retry(both, seen.letters[0])


def test_what_waits_is_decided_by_whoever_runs_its_system(house):
    for missing in (
        lambda: house.queues.retry(OLGA, house.letters[1]),
        lambda: house.queues.resolve(OLGA, house.conflicts[1], "ours"),
        lambda: house.queues.approve(OLGA, house.holds[1]),
        lambda: house.queues.pause_job(OLGA, house.jobs[1].id),
    ):
        with pytest.raises(NoSuch):
            missing()
    for forbidden in (
        lambda: house.queues.discard(AUDE, house.letters[1], "x"),
        lambda: house.queues.resolve(AUDE, house.conflicts[1], "ours"),
        lambda: house.queues.reject(AUDE, house.holds[1]),
        lambda: house.queues.resume_job(AUDE, house.jobs[1].id),
        lambda: house.queues.start_job(OLGA, "pair", "ngi-cz", {"by": ["subject=[#{id}]"]}),
    ):
        with pytest.raises(Forbidden):
            forbidden()
    house.queues.retry(OLGA, house.letters[0])
    house.queues.resolve(OLGA, house.conflicts[0], "ours")
    house.queues.approve(OLGA, house.holds[0])
    house.queues.pause_job(OLGA, house.jobs[0].id)
    house.queues.discard(CARL, house.letters[1], "their disk is gone")
    assert house.queues.letters(CARL) == []
    assert [each.letter.id for each in house.queues.letters(CARL, discarded=True)] == house.letters[1:]
    assert {by for by, _, _ in acts(house)[:4]} == {"olga", "carl"}


THEIRS = """\
kind: mapping
name: hush
extends: redmine
fields:
  # what ngi-de says to itself
  subject: {remote: subject, text: {max_length: 120}}
"""
MINE = "kind: mapping\nname: mine\nextends: {base}\n"


@pytest.fixture
def whispering(house):
    """Where ngi-de has a mapping of its own, which extends what is shipped."""
    house.documents.apply(CARL, f"{THEIRS}---\n{DE.replace('mapping: redmine', 'mapping: hush')}")
    return house


def wrong(act, *words) -> list[str]:
    with pytest.raises(Wrong) as problem:
        act(*words)
    return [sentence for _, sentence in problem.value.problems]


@pytest.mark.parametrize("act", ["plan", "apply"])
def test_another_ngis_mapping_is_not_there_to_be_extended_or_used(whispering, act):
    do = getattr(whispering.documents, act)
    told = wrong(do, OLGA, MINE.format(base="hush")), wrong(do, OLGA, MINE.format(base="hush2"))
    assert [each.replace("hush2", "hush") for each in told[1]] == told[0]
    uses = CZ.replace("mapping: rt", "mapping: hush")
    told = wrong(do, OLGA, uses), wrong(do, OLGA, uses.replace("hush", "hush2"))
    assert [each.replace("hush2", "hush") for each in told[1]] == told[0]
    assert "hush" not in str(wrong(do, OLGA, CZ.replace("mapping: rt", "mapping: husk")))
    with pytest.raises(NoSuch):
        whispering.documents.show(OLGA, "mapping", "hush")


def test_ones_own_and_what_is_shipped_may_be_extended_and_used(whispering):
    olga = whispering.documents
    olga.apply(OLGA, MINE.format(base="rt"))
    olga.apply(OLGA, "kind: mapping\nname: more\nextends: mine\n")
    assert [each.verb for each in olga.apply(OLGA, CZ.replace("mapping: rt", "mapping: more"))] == ["changed"]
    fay = principal("fay", None, Grant(Role.OPERATOR, "spare"))
    hers = CZ.replace("ngi-cz", "spare").replace("SECRET_NGI_CZ", "SECRET_SPARE").replace("[NGI_CZ]", "[]")
    assert olga.plan(fay, hers)[0].name == "spare", "what somebody else's system took from the library is no secret"
