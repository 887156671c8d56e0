"""A tracker that is walked through step by step, with forms that must be filled on the way: whoever dies, answers
nothing, refuses or steps in between, the ticket arrives where it should, or it is told why not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from central.events import Event, Kind
from central.model import SYSTEM
from connectors.api import WriteKind
from connectors.errors import AccessError, Unknown
from connectors.memory import WELL_BEHAVED, Call
from mappings.document import compile_mapping
from mappings.loader import read
from sync import intended
from sync.guards.pingpong import Patience, fight
from sync.simulation.members import JIRA_LIKE, JIRA_MAPPING, REDMINE_LIKE, jira_like
from sync.simulation.mesh import START, Mesh
from tests.unit.sync.test_push import Killed, MortalStore
from tests.unit.sync.world import TPM, World, failing, once

LOST = Unknown("the answer was lost")
STAND_IN = "see the conversation"
WALK = ["In Progress", "Review", "Resolved"]


class Walk(World):
    """A ticket born in RT and given to a unit whose tracker takes steps."""

    def __init__(self, *, policy="central", capabilities=JIRA_LIKE, store=None, stand_in=True):
        super().__init__(store=store)
        self.jira = jira_like(self.clock, "ngi-pl", frozenset({"NGI_PL"}), policy=policy, capabilities=capabilities)
        if not stand_in:
            bent = JIRA_MAPPING.replace(f", otherwise: {STAND_IN}", "")
            self.jira = replace(self.jira, mapping=compile_mapping(read(bent, "bent.yaml")[0], revision=1))
        self.mesh = Mesh(self.store, [self.rt, self.jira], self.clock)
        self.centre = self.mesh.centre
        self.bob = self.jira.tracker.person("bob")
        _, self.key = self.shared()

    @property
    def there(self):
        return self.issue(self.jira, self.key).fields

    def walked(self, name="status"):
        """What our account has set in a field there, in order."""
        deeds = self.issue(self.jira, self.key).deeds
        return [each.new for each in deeds if each.field == name and each.who == "interdesk"]

    def solve(self, **more):
        self.centre.change(1, {"status": "solved", **more}, TPM)


def test_case_13_a_ticket_is_walked_to_its_end_in_one_push_and_the_form_is_filled() -> None:
    world = Walk()
    world.solve()
    world.mesh.round()
    assert world.walked() == WALK
    assert (world.there["resolution"], world.there["outcome"]) == (STAND_IN, "Done")
    assert world.end() == []
    assert (world.ticket()["status"], world.ticket()["solution"]) == ("solved", None)
    assert (world.there["status"], world.there["resolution"]) == ("Resolved", STAND_IN)


@pytest.mark.parametrize(
    ("capabilities", "fetches"), [(WELL_BEHAVED, 0), (JIRA_LIKE, 4), (REDMINE_LIKE, 4)], ids=["good", "lock", "no lock"]
)
def test_each_step_costs_one_write_and_nothing_is_read_twice(capabilities, fetches: int) -> None:
    world = Walk(capabilities=capabilities)
    calls = world.jira.connector.calls
    calls.clear()
    world.solve(solution="the disk was full")
    world.mesh.work()
    assert calls["update"] == 3
    assert calls["fetch"] == fetches
    assert world.walked("resolution") == ["the disk was full"]
    assert world.end() == []


def test_what_the_form_asks_for_comes_with_it_though_it_stands_there_already() -> None:
    world = Walk()
    world.solve(solution="the disk was full")
    world.mesh.settle()
    world.bob.edit(world.key, status="In Progress")
    world.mesh.settle()
    assert world.ticket()["status"] == "reopened"
    world.solve()
    assert world.end() == []
    assert world.there["status"] == "Resolved"
    assert world.walked("resolution") == ["the disk was full"]


def test_what_stood_in_for_nothing_gives_way_to_what_people_write_on_either_side() -> None:
    world = Walk()
    world.solve()
    world.mesh.settle()
    world.centre.change(1, {"solution": "a new disk"}, TPM)
    world.mesh.settle()
    assert world.there["resolution"] == "a new disk"
    world.bob.edit(world.key, resolution="a new controller")
    assert world.end() == []
    assert world.ticket()["solution"] == "a new controller"


def test_what_they_had_written_is_never_covered_by_what_stands_in() -> None:
    world = Walk()
    world.bob.edit(world.key, resolution="bob knows")
    world.solve()
    assert world.end() == []
    assert (world.there["status"], world.there["resolution"]) == ("Resolved", "bob knows")
    assert world.ticket()["solution"] == "bob knows"


def test_without_anything_to_fill_it_with_the_refusal_stands_until_somebody_fills_it() -> None:
    world = Walk(stand_in=False)
    world.solve()
    world.mesh.settle()
    assert world.there["status"] == "Review"
    assert "needs resolution" in world.link("ngi-pl").disagreements["status"]
    assert world.end() == []
    world.centre.change(1, {"solution": "a new disk"}, TPM)
    assert world.end() == []
    assert (world.there["status"], world.there["resolution"]) == ("Resolved", "a new disk")
    assert world.link("ngi-pl").disagreements == {}


def test_what_is_refused_alone_is_tried_again_together_with_what_asks_for_it() -> None:
    world = Walk()
    tracker = world.jira.tracker
    plain = tracker.rules
    locked = tuple(replace(each, writable=each.name != "resolution") for each in plain.fields)
    tracker.rules = replace(plain, fields=locked)
    world.centre.change(1, {"solution": "a new disk"}, TPM)
    world.mesh.settle()
    assert "cannot be changed" in world.link("ngi-pl").disagreements["solution"]
    tracker.rules = plain
    world.solve()
    assert world.end() == []
    assert (world.there["status"], world.there["resolution"]) == ("Resolved", "a new disk")


def test_a_refusal_tells_what_was_refused_of_its_company() -> None:
    world = Walk()
    fields = tuple(
        replace(each, values=("Fixed",)) if each.name == "outcome" else each for each in world.jira.tracker.rules.fields
    )
    tracker = world.jira.tracker
    tracker.rules = replace(tracker.rules, fields=fields, forms=False)
    world.solve()
    assert world.end() == []
    told = world.link("ngi-pl").disagreements["status"]
    assert "needs outcome" in told
    assert "outcome: outcome 'Done' isn't a valid value" in told


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("fuse", range(9))
def test_whoever_dies_between_two_steps_leaves_a_ticket_that_goes_on_from_where_it_stands(fuse: int, after) -> None:
    store = MortalStore()
    world = Walk(store=store)
    world.solve()
    store.fuse, store.after = fuse, after
    try:
        world.mesh.round()
    except Killed:
        world.mesh.restart()
    store.fuse = None
    assert world.end() == []
    assert world.ticket()["status"] == "solved"
    assert world.walked() == WALK


@pytest.mark.parametrize("done", [False, True], ids=["lost on the way", "answer lost"])
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("capabilities", [WELL_BEHAVED, REDMINE_LIKE], ids=["good", "no lock"])
def test_a_step_whose_answer_is_lost_is_no_edit_of_theirs(number: int, done, capabilities) -> None:
    world = Walk(capabilities=capabilities)
    left = number

    def lose(call: Call) -> None:
        nonlocal left
        if call.operation == "update" and call.done == done:
            left -= 1
            if left < 0:
                world.jira.connector.intruder = None
                raise LOST

    world.jira.connector.intruder = lose
    world.solve()
    assert world.end() == []
    assert world.walked() == WALK
    assert world.ticket()["status"] == "solved"
    assert world.conflicts() == []


@pytest.mark.parametrize("policy", ["central", "remote"])
@pytest.mark.parametrize("capabilities", [JIRA_LIKE, REDMINE_LIKE], ids=["lock", "no lock"])
def test_who_moves_the_ticket_in_between_wins_or_is_kept_by_the_policy(policy, capabilities) -> None:
    world = Walk(policy=policy, capabilities=capabilities)
    steps = 0

    def step_in(call: Call) -> None:
        nonlocal steps
        steps += call.operation == "update" and call.done
        if steps == 2:
            world.jira.connector.intruder = None
            world.bob.edit(world.key, status="Waiting")

    world.jira.connector.intruder = step_in
    world.solve()
    assert world.end() == []
    expected = ("solved", "Resolved") if policy == "central" else ("waiting for reply", "Waiting")
    assert (world.ticket()["status"], world.there["status"]) == expected
    (kept,) = world.conflicts()
    assert "waiting for reply" in (kept.ours, kept.theirs) or "Waiting" in (kept.ours, kept.theirs)


def test_who_changes_their_mind_here_on_the_way_is_followed_from_where_the_ticket_stands() -> None:
    world = Walk()
    once(world.jira.connector, "update", lambda _: world.centre.change(1, {"status": "on hold"}, TPM), done=True)
    world.solve()
    assert world.end() == []
    assert (world.ticket()["status"], world.there["status"]) == ("on hold", "Waiting")


def test_who_takes_it_back_on_the_way_is_followed_back() -> None:
    world = Walk()
    once(world.jira.connector, "update", lambda _: world.centre.change(1, {"status": "reopened"}, TPM), done=True)
    world.solve()
    assert world.end() == []
    assert (world.ticket()["status"], world.there["status"]) == ("reopened", "In Progress")
    assert world.conflicts() == []


def test_a_way_that_is_barred_in_the_middle_is_a_standing_disagreement_in_their_words() -> None:
    world = Walk()
    rules = world.jira.tracker.rules
    ways = {**rules.workflow["status"], "Review": ("In Progress",)}
    world.jira.tracker.rules = replace(rules, workflow={"status": ways})
    world.solve()
    assert world.end() == []
    assert world.walked() == WALK[:2]
    assert "from 'Review' to 'Resolved'" in world.link("ngi-pl").disagreements["status"]
    world.bob.edit(world.key, status="Resolved")
    assert world.end() == []
    assert world.link("ngi-pl").disagreements == {}


def test_a_ticket_that_is_solved_before_it_is_made_there_is_born_as_they_are_born_and_walked_on() -> None:
    world = Walk()
    world.centre.open({"subject": "solved at once", "unit": "NGI_PL", "status": "in progress"}, TPM)
    world.centre.change(2, {"status": "solved"}, TPM)
    assert world.end() == []
    key = world.link("ngi-pl", 2).key
    issue = world.issue(world.jira, key)
    assert [each.new for each in issue.deeds if each.field == "status"] == WALK
    assert (issue.fields["status"], issue.fields["resolution"]) == ("Resolved", STAND_IN)


def test_what_would_be_written_is_told_step_by_step_and_counted_so() -> None:
    world = Walk()
    world.solve()
    found = intended.of_ticket(world.mesh.means, world.mesh.gateways.get("ngi-pl"), 1)
    told = [(write.item, write.would) for write in found.writes]
    assert told[:3] == [("field status", value) for value in WALK]
    assert dict(told[3:]) == {"field resolution": STAND_IN, "field outcome": "Done"}
    assert intended.kinds(found.writes) == {WriteKind.TRANSITION: 3}
    world.mesh.work()
    assert world.walked() == WALK
    assert (world.there["resolution"], world.there["outcome"]) == (STAND_IN, "Done")


def test_who_moves_a_ticket_before_it_was_walked_to_what_it_is_here_has_not_answered_that() -> None:
    world = Walk()
    world.centre.open({"subject": "solved at once", "unit": "NGI_PL", "status": "in progress"}, TPM)
    world.centre.change(2, {"status": "solved"}, TPM)
    key = str(len(world.jira.tracker.issues) + 1)
    once(world.jira.connector, "update", lambda _: world.bob.edit(key, status="Waiting"), done=False)
    assert world.end() == []
    assert (world.ticket(2)["status"], world.issue(world.jira, key).fields["status"]) == ("solved", "Resolved")
    (kept,) = world.conflicts()
    assert (kept.field, kept.theirs) == ("status", "Waiting")


def test_the_steps_of_one_way_are_one_write_to_who_judges_whether_a_value_goes_to_and_fro() -> None:
    def told(kind: Kind, minute: int, **data: object) -> Event:
        return Event(kind, 1, START + timedelta(minutes=minute), SYSTEM, system="ngi-pl", field="status", data=data)

    events = []
    for minute in range(8):
        events.append(told(Kind.WRITTEN, minute, before="Open", theirs="Review", on_the_way=True))
        events.append(told(Kind.WRITTEN, minute, before="Review", theirs="Resolved"))
        events.append(told(Kind.FIELD_CHANGED, minute, reflex=True))
    at = START + timedelta(minutes=9)
    assert fight(events, "ngi-pl", at, "Open", patience=Patience(), since=None) is not None
    assert fight(events, "ngi-pl", at, "Resolved", patience=Patience(), since=None) is None
    alone = [told(Kind.WRITTEN, 0, before="Open", theirs="Review", on_the_way=True)]
    assert fight(alone, "ngi-pl", at, "Review", patience=Patience(), since=None) is None


def test_a_step_that_was_turned_away_at_the_door_is_not_waited_for() -> None:
    world = Walk(capabilities=replace(REDMINE_LIKE, history=False))
    once(world.jira.connector, "update", failing(AccessError("401 Unauthorized")), done=False)
    world.solve()
    world.mesh.work()
    assert world.link("ngi-pl").intents == ()
    assert world.walked() == []
