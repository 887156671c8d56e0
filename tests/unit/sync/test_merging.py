"""Sets: two sides that add and remove members, and a third that has words for some of them alone. Nobody loses."""

from contextlib import suppress
from dataclasses import replace

import pytest

from central.guard import Hold, HoldKind
from central.link import Pair
from connectors.api import RemoteField
from connectors.emulators.tracker import Tracker
from connectors.errors import Unknown
from connectors.memory import WELL_BEHAVED
from mappings.document import compile_mapping
from mappings.loader import read
from mappings.model import Carries
from sync import merging
from sync.guards import holds
from sync.plan import MEANING_CHANGED, Verdict
from sync.policy import Policy, admit
from sync.reconcile import reconcile
from sync.simulation.members import REDMINE_LIKE, RT_LIKE
from sync.simulation.mesh import Mesh
from tests.unit.sync.test_push import Killed, MortalStore
from tests.unit.sync.test_reconcile import decided, link
from tests.unit.sync.world import TPM, World, failing, once

DOCUMENT = """
kind: mapping
name: {name}
connector: memory
fields:
  subject: {{remote: subject}}
  cc: {{remote: watchers, carries: {carries}, set: {rule}}}
"""
WORDS = "{words: {al@x.org: al, bo@x.org: bo, cy@x.org: cy}, any_case: true}"
ONE_TEXT = '{separator: ", "}'


def mapping(rule: str = WORDS, *, carries: str = "both"):
    (document,) = read(DOCUMENT.format(name="sets", rule=rule, carries=carries), "sets.yaml")
    return compile_mapping(document, revision=1)


class Watched(World):
    """RT, whose watchers are accounts, and Redmine, where they are one text."""

    def __init__(self, *, carries="both", rt=RT_LIKE, redmine=REDMINE_LIKE, store=None):
        super().__init__(rt=rt, redmine=redmine, store=store)
        self.rt = watched(self.rt, mapping(carries=carries), "set")
        self.redmine = watched(self.redmine, mapping(ONE_TEXT), "text")
        self.mesh = Mesh(self.store, [self.rt, self.redmine], self.clock)
        self.centre = self.mesh.centre
        self.key, self.other = self.shared()

    def begin(self, *members):
        self.watch(*members)
        self.mesh.settle()

    def watch(self, *members):
        self.centre.change(1, {"cc": tuple(f"{member}@x.org" for member in members)}, TPM)

    def set_there(self, *members):
        self.alice.edit(self.key, watchers=members)

    @property
    def here(self):
        return {member.partition("@")[0] for member in self.ticket()["cc"] or ()}

    @property
    def in_rt(self):
        return set(self.issue(self.rt).fields["watchers"] or ())

    @property
    def in_redmine(self):
        text = self.issue(self.redmine).fields["watchers"] or ""
        return {member.partition("@")[0] for member in text.split(", ") if member}


def watched(member, mapping, kind):
    tracker: Tracker = member.tracker
    tracker.rules = replace(tracker.rules, fields=(*tracker.rules.fields, RemoteField("watchers", kind)))
    return replace(member, mapping=mapping)


@pytest.mark.parametrize("capabilities", [RT_LIKE, WELL_BEHAVED, REDMINE_LIKE], ids=["lock", "good", "no lock"])
def test_what_both_sides_add_at_the_same_time_is_in_both_and_nobody_loses(capabilities) -> None:
    world = Watched(rt=capabilities)
    world.begin("al")
    world.watch("al", "bo")
    world.set_there("al", "cy")
    assert world.end() == []
    assert world.here == world.in_rt == world.in_redmine == {"al", "bo", "cy"}
    assert world.conflicts() == []


def test_what_is_added_in_two_systems_and_here_at_the_same_time_is_everywhere() -> None:
    world = Watched()
    world.begin("al")
    world.watch("al", "bo")
    world.set_there("al", "cy")
    world.bob.edit(world.other, watchers="AL@x.org, al@x.org")
    assert world.end() == []
    assert {each.lower() for each in world.here} == {"al", "bo", "cy"}
    assert world.in_rt == {"al", "bo", "cy"}
    assert world.conflicts() == []


def test_one_side_removes_what_the_other_keeps_while_that_one_adds() -> None:
    world = Watched()
    world.begin("al", "bo")
    world.watch("al")
    world.set_there("al", "bo", "cy")
    assert world.end() == []
    assert world.here == world.in_rt == {"al", "cy"}
    assert world.conflicts() == []


def test_who_removes_what_they_have_added_themselves_removes_it_everywhere() -> None:
    world = Watched()
    world.begin("al")
    world.set_there("al", "cy")
    world.mesh.settle()
    assert world.in_redmine == {"al", "cy"}
    world.set_there("al")
    assert world.end() == []
    assert world.here == world.in_redmine == {"al"}


def test_what_the_other_side_wrote_is_removed_once_it_was_agreed_on_and_not_before() -> None:
    world = Watched()
    world.begin("al")
    world.set_there("al", "cy")
    world.watch("al", "bo")  # nobody here has heard of cy yet: it is no removal
    world.mesh.settle()
    assert world.here == world.in_rt == {"al", "bo", "cy"}
    world.watch("al", "bo")  # now it is
    assert world.end() == []
    assert world.here == world.in_rt == {"al", "bo"}


def test_a_member_of_theirs_without_a_word_stays_there_and_out_of_ours() -> None:
    world = Watched()
    world.set_there("zed", "al")
    world.mesh.settle()
    assert world.here == {"al"}
    world.watch("bo")
    world.mesh.settle()
    assert world.in_rt == {"zed", "bo"}
    world.watch()
    assert world.end() == []
    assert (world.here, world.in_rt) == (set(), {"zed"})


def test_a_member_of_ours_without_a_word_stays_here_whatever_they_do() -> None:
    world = Watched()
    world.begin("guest", "al")
    assert (world.in_rt, world.in_redmine) == ({"al"}, {"al", "guest"})
    world.set_there("cy")
    assert world.end() == []
    assert (world.here, world.in_redmine) == ({"guest", "cy"}, {"guest", "cy"})


def test_a_first_look_at_two_sets_brings_them_together() -> None:
    step = decided(link(), ("bo@x.org",), ("al", "zed"), mapping=of_status(), policy="ask")
    assert (step.verdict, step.become, step.loser) == (Verdict.INWARD, ("bo@x.org", "al@x.org"), None)
    step = decided(link((step.base.ours, step.base.theirs)), step.become, ("al", "zed"), mapping=of_status())
    assert (step.verdict, step.become) == (Verdict.OUTWARD, ("al", "zed", "bo"))


def test_two_sets_that_have_become_the_same_after_they_were_asked_are_agreed_on_by_another_look() -> None:
    held = link((("al@x.org",), ("al",)))
    step = decided(held, ("al@x.org", "bo@x.org"), ("al", "bo"), mapping=of_status(), overtaken=True)
    assert (step.verdict, step.base) == (Verdict.UNSURE, Pair(("al@x.org",), ("al",)))


@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
@pytest.mark.parametrize("capabilities", [RT_LIKE, WELL_BEHAVED, REDMINE_LIKE], ids=["lock", "good", "no lock"])
def test_a_kill_between_write_and_settle_neither_takes_our_members_for_theirs_nor_loses_any(capabilities, done) -> None:
    world = Watched(rt=capabilities)
    world.begin("al", "bo")
    world.watch("al", "cy")
    once(world.rt.connector, "update", failing(Killed()), done=done)
    with pytest.raises(Killed):
        world.mesh.settle()
    world.set_there(*sorted(world.in_rt), "zed")
    assert world.end() == []
    assert (world.here, world.in_rt) == ({"al", "cy"}, {"al", "cy", "zed"})
    world.watch("al")
    world.mesh.settle()
    assert (world.here, world.in_rt) == ({"al"}, {"al", "zed"})


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fuse", range(6))
def test_killed_at_any_commit_of_a_merge_both_additions_survive(fuse: int, after: bool) -> None:
    store = MortalStore()
    world = Watched(store=store)
    world.begin("al", "zoe")
    world.watch("al", "bo")
    world.set_there("al", "cy")
    store.fuse, store.after = fuse, after
    with suppress(Killed):
        world.mesh.settle()
    store.fuse = None
    assert world.end() == []
    assert world.here == world.in_rt == {"al", "bo", "cy"}


def test_a_lost_answer_under_somebodys_addition_is_no_removal() -> None:
    world = Watched()
    world.begin("al")
    once(world.rt.connector, "update", failing(Unknown("the answer was lost")), done=True)
    world.watch("al", "bo")
    world.mesh.round()
    world.set_there("al", "bo", "cy")
    assert world.end() == []
    assert world.here == world.in_rt == {"al", "bo", "cy"}


def test_outward_alone_removes_ours_and_leaves_what_they_added() -> None:
    world = Watched(carries="outward")
    world.begin("al", "bo")
    world.set_there("bo", "cy")
    world.mesh.settle()
    assert (world.here, world.in_rt) == ({"al", "bo"}, {"al", "bo", "cy"})
    assert world.link("ngi-cz").disagreements["cc"] == "the mapping does not carry inward what they added"
    world.watch("al")
    assert world.end() == []
    assert (world.here, world.in_rt) == ({"al"}, {"al", "cy"})
    world.set_there("al")
    assert world.end() == []
    assert "cc" not in world.link("ngi-cz").disagreements


@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
def test_what_is_removed_outward_alone_is_removed_though_the_first_write_of_it_is_lost(done) -> None:
    world = Watched(carries="outward")
    world.begin("al", "bo")
    world.set_there("al", "bo", "cy")
    world.watch("al")
    once(world.rt.connector, "update", failing(Unknown("the answer was lost")), done=done)
    assert world.end() == []
    assert (world.here, world.in_rt) == ({"al"}, {"al", "cy"})


# -- one decision at a time --------------------------------------------------------------------------------------------


def of_status(rule: str = WORDS, carries: Carries = Carries.BOTH):
    field = replace(mapping(rule).fields["cc"], central="status", remote="status", carries=carries)
    return replace(mapping(), fields={"status": field})


def test_inward_alone_takes_their_changes_and_ours_stand() -> None:
    inward = of_status(carries=Carries.INWARD)
    step = decided(link((("al@x.org",), ("al",))), ("al@x.org", "bo@x.org"), ("al", "cy"), mapping=inward)
    assert (step.verdict, step.become) == (Verdict.INWARD, ("al@x.org", "bo@x.org", "cy@x.org"))
    step = decided(link((step.base.ours, step.base.theirs)), step.become, ("al", "cy"), mapping=inward)
    assert (step.verdict, step.why) == (Verdict.STANDING, "the mapping does not carry this field outward")


def test_order_doubles_and_capitals_are_no_change() -> None:
    step = decided(
        link((("al@x.org", "bo@x.org"), ("al", "bo"))),
        ("BO@x.org", "al@x.org"),
        ("bo", "al", "AL"),
        mapping=of_status(),
    )
    assert step.verdict is Verdict.AGREED


def test_what_a_stale_write_of_ours_put_back_is_no_addition_of_theirs() -> None:
    held, ours, theirs = link((("al@x.org",), ("al",))), ("al@x.org",), ("al", "bo")
    assert decided(held, ours, theirs, mapping=of_status()).become == ("al@x.org", "bo@x.org")
    step = decided(held, ours, theirs, mapping=of_status(), stale=frozenset({"status"}))
    assert (step.verdict, step.become) == (Verdict.OUTWARD, ("al",))


def test_a_stale_write_of_ours_does_not_make_what_they_added_ours_where_it_is_not_carried_inward() -> None:
    held, outward = link((("al@x.org",), ("al", "cy"))), of_status(carries=Carries.OUTWARD)
    step = decided(held, ("al@x.org",), ("al", "cy"), mapping=outward, stale=frozenset({"status"}))
    assert step.verdict is Verdict.STANDING


def test_a_set_that_does_not_fit_here_stays_there_with_its_reason() -> None:
    names = tuple(f"{'x' * 60}{n}" for n in range(5))
    held = link(((), ()))
    (_, step) = reconcile(
        held, {}, {"subject": None, "watchers": names}, mapping=mapping("{}"), policy=Policy("central"), admit=admit
    ).steps
    assert (step.verdict, step.loser) == (Verdict.STANDING, None)
    assert "at most 254 fit" in step.why


def test_a_word_that_the_mapping_learns_moves_nobody_by_itself() -> None:
    held = link((("al@x.org",), ("al", "zed")), mapping_revision=0)
    learnt = of_status("{words: {al@x.org: al, zed@x.org: zed}}")
    step = decided(held, ("al@x.org",), ("al", "zed"), mapping=learnt)
    assert (step.verdict, step.why) == (Verdict.STANDING, MEANING_CHANGED)


def test_the_base_as_theirs_alone_would_have_it_keeps_who_is_here_alone() -> None:
    rule = mapping().fields["cc"].rule
    shown = merging.shown(rule, Pair(("guest", "bo@x.org"), ("al", "zed")))
    assert shown == Pair(("guest", "al@x.org"), ("al", "zed"))


@pytest.mark.parametrize("write_back", [False, True])
def test_what_a_person_rejects_of_a_set_is_not_taken_in_by_the_look_after_the_next(write_back) -> None:
    world = Watched()
    world.begin("al", "bo")
    hold = world.store.write(
        lambda tx: tx.guards.hold(Hold(0, HoldKind.CHANGE, "ngi-cz", "far too many are changed", world.clock()))
    )
    world.set_there("al", "cy")
    for _ in range(3):
        world.mesh.round()
    holds.reject(world.mesh.means, hold.id, "ada", write_back=write_back)
    for _ in range(2):
        world.mesh.settle()
        world.mesh.scan()
    assert world.here == world.in_redmine == {"al", "bo"}
    assert world.in_rt == ({"al", "bo"} if write_back else {"al", "cy"})
    [kept] = world.conflicts()
    assert (kept.theirs, kept.reason.partition(" (")[0]) == (("al", "cy"), "ada has rejected it")
    assert world.end() == []
