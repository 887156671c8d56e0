"""One decision at a time: every branch of the three-way comparison, with the table that folds five of our words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import Value
from mappings.document import compile_mapping
from mappings.loader import read
from mappings.model import Carries, Mapping, Spill, Untranslatable
from sync.plan import (
    AGREED_NEVER,
    LEFT_BY_PAIRING,
    LEFT_IN_SHADOW,
    MEANING_CHANGED,
    UNDECIDED,
    Evidence,
    Loser,
    Plan,
    Step,
    Verdict,
)
from sync.policy import POLICIES, Admission, ChangeTime, Policy, Times, Winner, admit
from sync.reconcile import corresponds, reconcile

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MAPPING = compile_mapping(
    read(
        """
kind: mapping
name: small
connector: memory
fields:
  subject: {remote: subject}
  status:
    remote: status
    table:
      {new: new, assigned: open, in progress: open, waiting for reply: stalled, on hold: stalled, reopened: open,
       solved: [resolved, fixed], unsolved: rejected, verified: resolved, closed: resolved}
    back: {open: in progress, stalled: on hold, resolved: solved}
""",
        "small.yaml",
    )[0],
    revision=1,
)


def link(base: tuple[Value, Value] | None = None, **more: object) -> Link:
    pairs = {} if base is None else {"status": Pair(*base)}
    return Link(1, 1, "rt", LinkState.ACTIVE, key="7", base=pairs, mapping_revision=1).evolve(**more)


def carrying(carries: Carries, *, only_on_create: bool = False) -> Mapping:
    field = replace(MAPPING.fields["status"], carries=carries, only_on_create=only_on_create)
    return replace(MAPPING, fields={"status": field})


def intent(
    ours: Value, theirs: Value, *, before: Value = "open", side_effects: dict[str, Value] | None = None
) -> Intent:
    wrote = {} if side_effects else {"status": Pair(ours, theirs)}
    kind = IntentKind.COMMENT if side_effects else IntentKind.UPDATE
    return Intent(kind, "T1", AT, wrote=wrote, before={"status": before}, side_effects=side_effects or {})


def freely(_name: str, _held: Value, new: Value) -> Admission:
    return Admission(new)


def plan_of(
    held: Link,
    ours: Value,
    theirs: Value,
    *,
    mapping: Mapping = MAPPING,
    policy: str | Policy = "central",
    landed: dict[str, Pair] | None = None,
    by_people: frozenset[str] = frozenset(),
    stale: frozenset[str] = frozenset(),
    times: Times | None = None,
    by_workflow: bool = False,
    overtaken: bool = False,
) -> Plan:
    return reconcile(
        held,
        {"status": ours},
        {"status": theirs},
        mapping=mapping,
        policy=policy if isinstance(policy, Policy) else Policy(policy),
        admit=admit if by_workflow else freely,
        evidence=Evidence(landed or {}, by_people, {"status": times} if times else {}, stale, overtaken),
    )


def decided(held: Link, ours: Value, theirs: Value, **more: object) -> Step:
    (step,) = plan_of(held, ours, theirs, **more).steps  # type: ignore[arg-type]  # the options of plan_of
    return step


# -- nobody, one side, both sides ----------------------------------------------------------------------------------


def test_what_nobody_touched_is_agreed_and_moves_nothing() -> None:
    step = decided(link(("in progress", "open")), "in progress", "open")
    assert (step.verdict, step.base, step.loser) == (Verdict.AGREED, Pair("in progress", "open"), None)
    assert (step.name, step.ours, step.theirs) == ("status", "in progress", "open")


def test_their_edit_is_taken_and_the_base_follows() -> None:
    step = decided(link(("in progress", "open")), "in progress", "stalled")
    assert (step.verdict, step.become, step.base) == (Verdict.INWARD, "on hold", Pair("on hold", "stalled"))
    assert step.why == "changed there"


def test_our_edit_is_written_and_the_base_waits_for_the_settling() -> None:
    step = decided(link(("in progress", "open")), "on hold", "open")
    assert (step.verdict, step.become, step.base) == (Verdict.OUTWARD, "stalled", Pair("in progress", "open"))
    assert step.why == "changed here"


def test_our_edit_within_a_folded_word_writes_nothing_and_settles() -> None:
    step = decided(link(("on hold", "stalled")), "waiting for reply", "stalled")
    assert (step.verdict, step.base) == (Verdict.SETTLE, Pair("waiting for reply", "stalled"))


@pytest.mark.parametrize("ours", ["on hold", "waiting for reply"])
def test_their_edit_to_what_we_hold_settles(ours: str) -> None:
    step = decided(link((ours, "open")), ours, "stalled")
    assert (step.verdict, step.base) == (Verdict.SETTLE, Pair(ours, "stalled"))


def test_our_edit_to_what_they_hold_settles_though_we_should_have_said_it_otherwise() -> None:
    step = decided(link(("in progress", "fixed")), "solved", "fixed")
    assert (step.verdict, step.base) == (Verdict.SETTLE, Pair("solved", "fixed"))


@pytest.mark.parametrize("policy", ["central", "remote", "ask"])
def test_both_sides_changed_and_still_say_the_same_is_no_conflict(policy: str) -> None:
    step = decided(link(("in progress", "open")), "waiting for reply", "stalled", policy=policy)
    assert (step.verdict, step.base, step.loser) == (Verdict.SETTLE, Pair("waiting for reply", "stalled"), None)


@pytest.mark.parametrize("base", [("in progress", "open"), ("on hold", "stalled"), None])
def test_what_was_set_here_after_they_were_asked_agrees_with_nothing_that_they_said_before(
    base: tuple[Value, Value] | None,
) -> None:
    plan = plan_of(link(base), "waiting for reply", "stalled", overtaken=True)
    (step,) = plan.steps
    assert (step.verdict, step.base, step.loser) == (Verdict.UNSURE, base and Pair(*base), None)
    assert plan.unsure == {"status"}
    assert plan.quiet


def test_a_ticket_that_was_changed_after_they_were_asked_is_decided_on_as_ever_where_the_two_differ() -> None:
    held = link(("in progress", "open"))
    for ours, theirs in (("in progress", "open"), ("in progress", "stalled"), ("on hold", "open"), ("new", "stalled")):
        assert decided(held, ours, theirs, overtaken=True) == decided(held, ours, theirs)


def test_a_write_of_ours_that_landed_is_the_base_though_ours_was_set_anew_after_they_were_asked() -> None:
    held = link(("in progress", "open"), intents=(intent("on hold", "stalled"),))
    step = decided(held, "waiting for reply", "stalled", overtaken=True)
    assert (step.verdict, step.base, step.landed) == (Verdict.UNSURE, Pair("on hold", "stalled"), True)


def test_a_field_that_they_do_not_show_is_not_decided() -> None:
    plan = reconcile(
        link(("new", "new")),
        {"status": "new", "subject": "s"},
        {"subject": "s"},
        mapping=MAPPING,
        policy=Policy(),
        admit=admit,
    )
    assert [step.name for step in plan.steps] == ["subject"]


def test_what_the_tracker_made_of_our_value_by_itself_is_written_again() -> None:
    step = decided(link(("in progress", "new")), "in progress", "new")
    assert (step.verdict, step.become, step.base) == (Verdict.OUTWARD, "open", Pair("in progress", "new"))


def test_a_new_meaning_of_the_mapping_overwrites_nothing_by_itself() -> None:
    for held in (link(("in progress", "new"), mapping_revision=0), link(("in progress", "new"), outdated=("status",))):
        step = decided(held, "in progress", "new")
        assert (step.verdict, step.why, step.base) == (Verdict.STANDING, MEANING_CHANGED, Pair("in progress", "new"))


@pytest.mark.parametrize("why", [LEFT_IN_SHADOW, LEFT_BY_PAIRING])
def test_what_was_left_as_it_stood_goes_on_to_say_why(why: str) -> None:
    held = link(("in progress", "new"), outdated=("status",), disagreements={"status": why, "subject": "other"})
    step = decided(held, "in progress", "new")
    assert (step.verdict, step.why) == (Verdict.STANDING, why)
    otherwise = decided(held.evolve(disagreements={"status": "refused: no"}), "in progress", "new")
    assert otherwise.why == MEANING_CHANGED


# -- conflicts -----------------------------------------------------------------------------------------------------

CONFLICT = ("in progress", "open"), "on hold", "resolved"


def test_where_central_wins_their_edit_is_kept_and_taken_into_the_base_so_that_it_is_judged_once() -> None:
    base, ours, theirs = CONFLICT
    step = decided(link(base), ours, theirs)
    assert (step.verdict, step.become) == (Verdict.OUTWARD, "stalled")
    assert step.base == Pair("in progress", "resolved")
    assert step.loser == Loser("on hold", "resolved", Winner.CENTRAL, "policy central")
    assert step.base is not None
    again = decided(link((step.base.ours, step.base.theirs)), ours, theirs)
    assert (again.verdict, again.loser) == (Verdict.OUTWARD, None)


def test_where_the_remote_wins_ours_is_kept() -> None:
    base, ours, theirs = CONFLICT
    step = decided(link(base), ours, theirs, policy="remote")
    assert (step.verdict, step.become, step.base) == (Verdict.INWARD, "solved", Pair("solved", "resolved"))
    assert step.loser == Loser("on hold", "resolved", Winner.REMOTE, "policy remote")


def test_where_a_person_decides_nothing_is_written_and_both_values_are_kept() -> None:
    base, ours, theirs = CONFLICT
    step = decided(link(base), ours, theirs, policy="ask")
    assert (step.verdict, step.base) == (Verdict.STANDING, Pair(*base))
    assert step.loser == Loser(ours, theirs, Winner.UNDECIDED, "policy ask: a person decides")


@pytest.mark.parametrize(("ours_at", "verdict"), [(10, Verdict.OUTWARD), (-10, Verdict.INWARD)])
def test_where_the_newest_wins_the_change_times_decide(ours_at: int, verdict: Verdict) -> None:
    base, ours, theirs = CONFLICT
    times = Times(ChangeTime(AT + timedelta(seconds=ours_at)), ChangeTime(AT))
    assert decided(link(base), ours, theirs, policy="newest", times=times).verdict is verdict
    assert decided(link(), ours, theirs, policy="newest", times=times).verdict is verdict


@pytest.mark.parametrize("base", [CONFLICT[0], None], ids=["later", "at the first look"])
def test_each_field_has_its_own_policy(base: tuple[Value, Value] | None) -> None:
    _, ours, theirs = CONFLICT
    policy = Policy("central", {"status": "remote"})
    assert decided(link(base), ours, theirs, policy=policy).verdict is Verdict.INWARD


def test_a_field_that_only_goes_out_wins_every_conflict() -> None:
    base, ours, theirs = CONFLICT
    step = decided(link(base), ours, theirs, policy="remote", mapping=carrying(Carries.OUTWARD))
    assert step.verdict is Verdict.OUTWARD
    assert step.loser == Loser(ours, theirs, Winner.CENTRAL, "the mapping does not carry this field inward")


def test_a_field_that_only_comes_in_loses_every_conflict() -> None:
    base, ours, theirs = CONFLICT
    step = decided(link(base), ours, theirs, mapping=carrying(Carries.INWARD))
    assert step.verdict is Verdict.INWARD
    assert step.loser == Loser(ours, theirs, Winner.REMOTE, "the mapping does not carry this field outward")


# -- one-way fields ------------------------------------------------------------------------------------------------


def test_an_edit_there_of_a_field_that_only_goes_out_is_rejected_and_written_back() -> None:
    step = decided(link(("on hold", "stalled")), "on hold", "open", mapping=carrying(Carries.OUTWARD))
    assert (step.verdict, step.become, step.base) == (Verdict.OUTWARD, "stalled", Pair("on hold", "open"))
    because = "the mapping does not carry this field inward"
    assert step.loser == Loser("on hold", "open", Winner.CENTRAL, because, rejected=True)


def test_an_edit_there_of_a_field_that_only_goes_out_has_not_lost_where_it_says_what_we_say() -> None:
    step = decided(link(("on hold", "open")), "on hold", "stalled", mapping=carrying(Carries.OUTWARD))
    assert (step.verdict, step.base, step.loser) == (Verdict.SETTLE, Pair("on hold", "stalled"), None)


def test_an_edit_here_of_a_field_that_only_comes_in_stands_disagreed() -> None:
    step = decided(link(("on hold", "stalled")), "in progress", "stalled", mapping=carrying(Carries.INWARD))
    assert (step.verdict, step.why) == (Verdict.STANDING, "the mapping does not carry this field outward")
    assert step.base == Pair("on hold", "stalled")


def test_a_field_carried_only_on_create_is_never_written_later() -> None:
    mapping = carrying(Carries.BOTH, only_on_create=True)
    step = decided(link(("on hold", "stalled")), "in progress", "stalled", mapping=mapping)
    assert (step.verdict, step.why) == (Verdict.STANDING, "the mapping carries this field outward only on create")
    assert step.base == Pair("on hold", "stalled")


# -- central says no -----------------------------------------------------------------------------------------------


def test_an_edit_that_centrals_workflow_forbids_is_kept_as_rejected_and_ours_is_written_back() -> None:
    step = decided(link(("verified", "resolved")), "verified", "open", by_workflow=True)
    assert (step.verdict, step.become, step.base) == (Verdict.OUTWARD, "resolved", Pair("verified", "open"))
    final = "a verified ticket is final: it cannot become in progress"
    assert step.loser == Loser("verified", "open", Winner.CENTRAL, final, rejected=True)
    assert step.why == f"their edit is rejected ({final}); ours is written back"


REJECTED = {"by_workflow": True, "policy": "remote"}
UNWRITTEN = [
    (link(("in progress", "stalled")), "verified", "open", {**REJECTED, "mapping": carrying(Carries.INWARD)}),
    (
        link(("in progress", "stalled")),
        "verified",
        "open",
        {**REJECTED, "mapping": carrying(Carries.BOTH, only_on_create=True)},
    ),
    (
        link(("in progress", "stalled"), refusals={"status": Refusal("resolved", "open", "not from here", 1, AT)}),
        "verified",
        "open",
        REJECTED,
    ),
    (link(("in progress", "stalled")), "quite unheard of", "open", {}),
    (link(("in progress", "stalled")), "on hold", "deleted", {"policy": "remote"}),
]


@pytest.mark.parametrize(
    ("held", "ours", "theirs", "more"),
    UNWRITTEN,
    ids=["never carried outward", "only on create", "refused", "no word of theirs", "no word of ours"],
)
def test_an_edit_that_has_lost_is_kept_though_nothing_can_be_written_for_it(
    held: Link, ours: Value, theirs: Value, more: dict[str, object]
) -> None:
    step = decided(held, ours, theirs, **more)
    assert step.verdict is Verdict.STANDING
    assert step.loser is not None
    assert (step.loser.ours, step.loser.theirs) == (ours, theirs)
    assert (step.base or Pair(None, None)).ours == "in progress"


def test_a_rejected_edit_does_not_make_our_own_change_look_agreed() -> None:
    step = decided(link(("assigned", "open")), "in progress", "new", policy="remote", by_workflow=True)
    assert (step.verdict, step.base) == (Verdict.OUTWARD, Pair("assigned", "new"))


def test_an_edit_that_central_admits_as_another_value_ends_there() -> None:
    step = decided(link(("solved", "resolved")), "solved", "open", by_workflow=True)
    assert (step.verdict, step.become, step.base) == (Verdict.INWARD, "reopened", Pair("reopened", "open"))


# -- no word for it ------------------------------------------------------------------------------------------------


def test_a_value_of_theirs_without_a_word_stands_and_keeps_its_base() -> None:
    step = decided(link(("on hold", "stalled")), "on hold", "deleted")
    assert (step.verdict, step.base) == (Verdict.STANDING, Pair("on hold", "stalled"))
    assert "'deleted'" in step.why


def test_a_value_of_ours_without_a_word_stands_and_keeps_its_base() -> None:
    step = decided(link(("on hold", "stalled")), "quite unheard of", "stalled")
    assert (step.verdict, step.base) == (Verdict.STANDING, Pair("on hold", "stalled"))
    assert "'quite unheard of'" in step.why


# -- refusals ------------------------------------------------------------------------------------------------------


def refused(wanted: Value = "stalled", theirs: Value = "open", revision: int = 1) -> dict[str, Refusal]:
    return {"status": Refusal(wanted, theirs, "not from here", revision, AT)}


def test_a_refused_write_is_not_sent_again() -> None:
    step = decided(link(("in progress", "open"), refusals=refused()), "on hold", "open")
    assert (step.verdict, step.why) == (Verdict.STANDING, "refused: not from here")
    assert step.base == Pair("in progress", "open")


@pytest.mark.parametrize(
    ("refusals", "ours", "theirs"),
    [
        (refused(wanted="resolved"), "on hold", "open"),
        (refused(theirs="new"), "on hold", "open"),
        (refused(revision=0), "on hold", "open"),
    ],
    ids=["ours moved", "theirs moved", "the mapping moved"],
)
def test_a_refused_write_is_tried_again_once_anything_moved(
    refusals: dict[str, Refusal], ours: Value, theirs: Value
) -> None:
    assert decided(link(("in progress", "open"), refusals=refusals), ours, theirs).verdict is Verdict.OUTWARD


# -- echoes of our own writes --------------------------------------------------------------------------------------


def test_an_open_intents_value_is_ours_and_landed_though_nothing_was_settled() -> None:
    held = link(("in progress", "open"), intents=(intent("on hold", "stalled"),))
    step = decided(held, "on hold", "stalled")
    assert (step.verdict, step.base, step.landed) == (Verdict.SETTLE, Pair("on hold", "stalled"), True)


def test_an_echo_is_no_conflict_with_what_we_changed_meanwhile() -> None:
    held = link(("in progress", "open"), intents=(intent("on hold", "stalled"),))
    step = decided(held, "solved", "stalled", policy="remote")
    assert (step.verdict, step.become, step.loser, step.landed) == (Verdict.OUTWARD, "resolved", None, True)


def test_without_the_intent_the_same_echo_would_be_taken_for_an_edit() -> None:
    step = decided(link(("in progress", "open")), "solved", "stalled", policy="remote")
    assert step.verdict is Verdict.INWARD


def test_the_newest_of_several_intents_with_one_value_is_believed() -> None:
    older, newer = intent("on hold", "stalled"), intent("waiting for reply", "stalled")
    step = decided(link(("in progress", "open"), intents=(older, newer)), "solved", "stalled")
    assert (step.verdict, step.base) == (Verdict.OUTWARD, Pair("waiting for reply", "stalled"))


def test_a_write_proven_by_their_history_is_the_base_though_a_later_edit_hides_it() -> None:
    held = link(("in progress", "open"), intents=(intent("on hold", "stalled"),))
    step = decided(held, "on hold", "open", landed={"status": Pair("on hold", "stalled")})
    assert (step.verdict, step.become, step.landed) == (Verdict.INWARD, "in progress", True)


def test_an_open_intents_value_proves_nothing_where_history_shows_that_people_set_it() -> None:
    held = link(("in progress", "open"), intents=(intent("on hold", "stalled"),))
    step = decided(held, "solved", "stalled", by_people=frozenset({"status"}))
    assert (step.landed, step.loser and step.loser.theirs) == (False, "stalled")


def test_a_declared_side_effect_of_our_comment_is_nobodys_edit_and_is_undone() -> None:
    held = link(
        ("solved", "resolved"), intents=(intent(None, None, before="resolved", side_effects={"status": "open"}),)
    )
    step = decided(held, "solved", "open")
    assert (step.verdict, step.become, step.loser) == (Verdict.OUTWARD, "resolved", None)
    assert (step.base, step.landed) == (Pair("solved", "open"), True)


def test_a_write_that_was_given_up_and_came_late_is_nobodys_edit_and_is_written_over() -> None:
    step = decided(link(("in progress", "open")), "in progress", "stalled", stale=frozenset({"status"}))
    assert (step.verdict, step.become, step.loser) == (Verdict.OUTWARD, "open", None)
    assert step.base == Pair("in progress", "stalled")
    assert decided(link(), "in progress", "stalled", stale=frozenset({"status"})).loser is not None


@pytest.mark.parametrize(
    ("before", "effect", "theirs"),
    [("new", "open", "open"), ("resolved", "open", "stalled")],
    ids=["it began elsewhere", "it ended elsewhere"],
)
def test_what_the_comment_cannot_have_done_is_their_edit(before: str, effect: str, theirs: str) -> None:
    held = link(("solved", "resolved"), intents=(intent(None, None, before=before, side_effects={"status": effect}),))
    assert decided(held, "solved", theirs).verdict is Verdict.INWARD


# -- the first look ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["central", "remote", "ask"])
def test_at_the_first_look_what_says_the_same_is_agreed(policy: str) -> None:
    step = decided(link(), "reopened", "open", policy=policy)
    assert (step.verdict, step.base) == (Verdict.SETTLE, Pair("reopened", "open"))


def test_at_the_first_look_the_empty_side_takes_the_others_value() -> None:
    assert decided(link(), None, "open").verdict is Verdict.INWARD
    step = decided(link(), "on hold", None, policy="remote")
    assert (step.verdict, step.base, step.loser) == (Verdict.OUTWARD, None, None)


@pytest.mark.parametrize(
    ("policy", "verdict", "winner"),
    [
        ("central", Verdict.OUTWARD, Winner.CENTRAL),
        ("remote", Verdict.INWARD, Winner.REMOTE),
        ("ask", Verdict.STANDING, Winner.UNDECIDED),
    ],
)
def test_at_the_first_look_two_values_are_a_conflict(policy: str, verdict: Verdict, winner: Winner) -> None:
    step = decided(link(), "on hold", "open", policy=policy)
    assert step.verdict is verdict
    assert step.loser == Loser("on hold", "open", winner, Policy(policy).winner("status")[1])


def test_at_the_first_look_a_one_way_field_goes_its_way() -> None:
    out = decided(link(), "on hold", "open", mapping=carrying(Carries.OUTWARD), policy="remote")
    assert (out.verdict, out.loser) == (Verdict.OUTWARD, None)
    assert decided(link(), "on hold", "open", mapping=carrying(Carries.INWARD)).verdict is Verdict.INWARD


def test_at_the_first_look_a_value_without_a_word_is_not_overwritten() -> None:
    step = decided(link(), "on hold", "deleted")
    assert step.verdict is Verdict.STANDING
    assert "'deleted'" in step.why


# -- correspondence, and the plan as a whole -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("on hold", "stalled", True),
        ("waiting for reply", "stalled", True),
        ("in progress", "stalled", False),
        (None, None, True),
        ("unheard of", "stalled", False),
        ("on hold", "deleted", False),
    ],
)
def test_two_values_correspond_as_far_as_the_vocabulary_tells(ours: Value, theirs: Value, same: bool) -> None:
    assert corresponds(MAPPING.fields["status"].rule, ours, theirs) is same


class OneWay:
    """A rule that knows how to say a value and not how to read it."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        raise Untranslatable(f"{theirs!r} cannot be read")

    def outward(self, ours: Value, *, held: Value) -> Value:
        return held if held == f"<{ours}!>" else f"<{ours}>"

    def canonical_ours(self, ours: Value) -> Value:
        return ours

    def canonical_theirs(self, theirs: Value) -> Value:
        return theirs

    def spill(self, ours: Value) -> Spill | None:
        return None

    def losses(self) -> tuple[str, ...]:
        return ()


def test_what_cannot_be_read_corresponds_where_it_is_what_we_would_write() -> None:
    assert corresponds(OneWay(), "a", "<a>")
    assert corresponds(OneWay(), "a", "<a!>")
    assert not corresponds(OneWay(), "a", "<b>")


class ReadOnly(OneWay):
    """A rule that knows how to read a value and not how to say it: `b` is any value of ours that begins with it."""

    def inward(self, theirs: Value, *, held: Value) -> Value:
        return held if str(held).startswith(str(theirs)) else theirs

    def outward(self, ours: Value, *, held: Value) -> Value:
        raise Untranslatable(f"{ours!r} cannot be said")


def test_what_cannot_be_said_corresponds_where_they_say_what_we_hold() -> None:
    assert corresponds(ReadOnly(), "blue", "b")
    assert not corresponds(ReadOnly(), "red", "b")


def test_a_plan_sorts_its_steps() -> None:
    held = link(("in progress", "open")).evolve(
        base={"status": Pair("in progress", "open"), "subject": Pair("old", "old")}
    )
    plan = reconcile(
        held,
        {"status": "on hold", "subject": "old"},
        {"status": "open", "subject": "theirs"},
        mapping=MAPPING,
        policy=Policy(),
        admit=admit,
    )
    assert plan.inward == {"subject": "theirs"}
    assert [step.name for step in plan.outward] == ["status"]
    assert plan.standing == {}
    assert plan.base == {"status": Pair("in progress", "open"), "subject": Pair("theirs", "theirs")}
    assert [Plan(steps).quiet for steps in ((), plan.steps[:1], plan.steps[1:])] == [True, False, False]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("assigned", "resolved"), ("on hold", "open")], ids=["ours set back", "theirs set back"]
)
def test_a_value_that_is_set_back_while_a_conflict_waits_for_a_person_decides_nothing(ours: str, theirs: str) -> None:
    standing = link(("assigned", "open"), disagreements={"status": UNDECIDED})
    step = decided(standing, ours, theirs, policy="ask")
    assert (step.verdict, step.why) == (Verdict.STANDING, UNDECIDED)
    assert decided(link(("assigned", "open")), ours, theirs, policy="ask").verdict is not Verdict.STANDING


def test_a_conflict_that_waited_for_a_person_is_over_where_both_say_the_same_again() -> None:
    standing = link(("assigned", "open"), disagreements={"status": UNDECIDED})
    assert decided(standing, "assigned", "open", policy="ask").verdict is Verdict.AGREED
    assert decided(standing, "solved", "resolved", policy="ask").verdict is Verdict.SETTLE


# -- in words ------------------------------------------------------------------------------------------------------

AGREED_ON = link(("in progress", "open"))
OUT, IN = {"mapping": carrying(Carries.OUTWARD)}, {"mapping": carrying(Carries.INWARD)}


@pytest.mark.parametrize(
    ("why", "held", "ours", "theirs", "more"),
    [
        ("already agreed", AGREED_ON, "in progress", "open", {}),
        ("changed here", AGREED_ON, "on hold", "open", {}),
        ("changed there", AGREED_ON, "in progress", "stalled", {}),
        ("both changed, and still say the same", AGREED_ON, "on hold", "stalled", {}),
        ("both sides changed it; policy central", AGREED_ON, "on hold", "resolved", {}),
        ("both sides changed it; policy remote", AGREED_ON, "on hold", "resolved", {"policy": "remote"}),
        (UNDECIDED, AGREED_ON, "on hold", "resolved", {"policy": "ask"}),
        ("it corresponds to the value we hold", link(("on hold", "open")), "on hold", "stalled", {}),
        ("their value says the same already", link(("in progress", "fixed")), "solved", "fixed", {}),
        ("theirs was not set by a person; ours stands", link(("in progress", "new")), "in progress", "new", {}),
        ("their edit is not carried inward; ours is written back", AGREED_ON, "in progress", "stalled", OUT),
        ("first look: both say the same", link(), "on hold", "stalled", {}),
        ("first look: ours is carried outward", link(), "on hold", "open", OUT),
        ("first look: we hold nothing yet", link(), None, "open", {}),
        ("first look: they hold nothing yet", link(), "on hold", None, {}),
        ("first look: policy central", link(), "on hold", "open", {}),
        ("first look: policy remote", link(), "on hold", "open", {"policy": "remote"}),
        (AGREED_NEVER, link(), "on hold", "open", {"policy": "ask"}),
    ],
)
def test_every_decision_says_why_it_is_made(
    why: str, held: Link, ours: Value, theirs: Value, more: dict[str, object]
) -> None:
    assert decided(held, ours, theirs, **more).why == why


@pytest.mark.parametrize("default", POLICIES)
@pytest.mark.parametrize("own", [None, *POLICIES])
@pytest.mark.parametrize("carries", Carries)
@pytest.mark.parametrize("rule", ["", ", set: {}"])
def test_what_a_fixture_says_of_a_conflict_is_what_is_decided(
    default: str, own: str | None, carries: Carries, rule: str
) -> None:
    """`Mapping.stands` tells fixtures who wins; this is the decision itself."""
    own_policy = f", policy: {own}" if own else ""
    text = f"kind: mapping\nname: m\nconnector: c\npolicy: {default}\nfields:\n"
    text += f"  cc: {{remote: Cc, carries: {carries}{own_policy}{rule}}}\n"
    mapping = compile_mapping(read(text, "m.yaml")[0], revision=1)
    base, ours, theirs = ("x",), ("x", "a"), ("x", "b")
    both = Link(1, 1, "c", LinkState.ACTIVE, key="7", base={"cc": Pair(base, base)}, mapping_revision=1)
    policy = Policy(mapping.policy, {"cc": own} if own else {})
    earlier, later = ChangeTime(AT), ChangeTime(AT + timedelta(hours=1))

    def stands(times: Times | None) -> str:
        evidence = Evidence(times={"cc": times} if times else {})
        (step,) = reconcile(
            both, {"cc": ours}, {"Cc": theirs}, mapping=mapping, policy=policy, admit=admit, evidence=evidence
        ).steps
        winners = {Winner.CENTRAL: "ours", Winner.REMOTE: "theirs", Winner.UNDECIDED: "a person decides"}
        return "both" if step.loser is None else winners[step.loser.winner]

    told = str(mapping.stands("cc"))
    newest, otherwise = told.startswith("newest, else "), told.removeprefix("newest, else ")
    assert stands(None) == otherwise
    assert stands(Times(later, earlier)) == ("ours" if newest else otherwise)
    assert stands(Times(earlier, later)) == ("theirs" if newest else otherwise)
