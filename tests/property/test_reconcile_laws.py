"""What holds for every plan: over every status and priority table of the library, and over any values and intents."""

from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.link import Intent, IntentKind, Link, LinkState, Pair, Refusal
from central.model import Value
from central.workflow import Status
from mappings.document import compile_mapping
from mappings.library import names, shipped
from mappings.loader import read
from mappings.model import Mapping, Untranslatable
from sync.plan import Evidence, Plan, Step, Verdict
from sync.policy import Admission, Policy, Winner, admit
from sync.reconcile import corresponds, reconcile
from sync.settle import settle_update

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FOLDED = """
kind: mapping
name: folded
connector: memory
fields:
  subject: {remote: subject}
  description: {remote: description, text: {}}
  priority:
    remote: priority
    table: {less urgent: low, urgent: [normal, middling], very urgent: high, top priority: high}
    back: {high: very urgent}
  status:
    remote: status
    final: true
    table:
      {new: new, assigned: open, in progress: open, waiting for reply: stalled, on hold: stalled, reopened: open,
       solved: resolved, unsolved: rejected, verified: resolved, closed: resolved}
    back: {open: in progress, stalled: on hold, resolved: solved}
"""
OURS: dict[str, st.SearchStrategy[Value]] = {
    "subject": st.sampled_from(["s", "t", "u"]),
    "description": st.sampled_from([None, "one\ntwo", "one\r\ntwo \r\n", "three"]),
    "priority": st.sampled_from(["less urgent", "urgent", "very urgent", "top priority"]),
    "status": st.sampled_from([status.value for status in Status]),
}
THEIRS: dict[str, st.SearchStrategy[Value]] = {
    "subject": st.sampled_from(["s", "t", "u"]),
    "description": st.sampled_from([None, "one\ntwo", "one\r\ntwo\r\n", "three"]),
    "priority": st.sampled_from(["low", "normal", "middling", "high", "unheard of"]),
    "status": st.sampled_from(["new", "open", "stalled", "resolved", "rejected", "unheard of"]),
}
POLICIES = st.sampled_from(["central", "remote", "ask"])


@cache
def folded() -> Mapping:
    return compile_mapping(read(FOLDED, "folded.yaml")[0], revision=1)


def freely(_name: str, _held: Value, new: Value) -> Admission:
    return Admission(new)


def values(of: dict[str, st.SearchStrategy[Value]]) -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries(of)


@st.composite
def links(draw: st.DrawFn) -> Link:
    """A link with any base, any open intents and any refusals."""
    base = {}
    for name in folded().fields:
        if draw(st.integers(0, 4)):
            base[name] = Pair(draw(OURS[name]), draw(THEIRS[name]))
    intents = []
    for number in range(draw(st.integers(0, 2))):
        wrote = {name: Pair(draw(OURS[name]), draw(THEIRS[name])) for name in draw(st.sets(st.sampled_from([*OURS])))}
        intents.append(Intent(IntentKind.UPDATE, f"T{number}", AT, wrote=wrote, before=draw(values(THEIRS))))
    refusals = {}
    for name in draw(st.sets(st.sampled_from([*OURS]), max_size=1)):
        refusals[name] = Refusal(draw(THEIRS[name]), draw(THEIRS[name]), "not from here", 1, AT)
    return Link(
        1,
        1,
        "rt",
        LinkState.ACTIVE,
        key="7",
        base=base,
        intents=tuple(intents),
        refusals=refusals,
        mapping_revision=draw(st.sampled_from([1, 1, 1, 0])),
    )


def planned(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str, *, freely_admitted: bool = True
) -> Plan:
    judge = freely if freely_admitted else admit
    return reconcile(link, ours, theirs, mapping=folded(), policy=Policy(policy), admit=judge)


def central_part(link: Link, plan: Plan, ours: dict[str, Value]) -> tuple[Link, dict[str, Value]]:
    """The link and our ticket after the plan's central part is committed."""
    refusals = {name: refusal for name, refusal in link.refusals.items() if name in plan.standing}
    return link.evolve(base={**link.base, **plan.base}, refusals=refusals, intents=(), mapping_revision=1), {
        **ours,
        **plan.inward,
    }


def canonical(step: Step, value: Value, *, ours: bool) -> Value:
    rule = folded().fields[step.name].rule
    return rule.canonical_ours(value) if ours else rule.canonical_theirs(value)


# -- whatever the link remembers -----------------------------------------------------------------------------------


@given(links(), values(OURS), values(THEIRS), POLICIES, st.booleans())
def test_a_plan_never_writes_one_field_both_ways(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str, free: bool
) -> None:
    plan = planned(link, ours, theirs, policy, freely_admitted=free)
    assert not plan.inward.keys() & {step.name for step in plan.outward}
    assert [step.name for step in plan.steps] == [*folded().fields]


@given(links(), values(OURS), values(THEIRS), POLICIES)
def test_nothing_is_written_that_says_the_same_already(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str
) -> None:
    plan = planned(link, ours, theirs, policy)
    for step in plan.steps:
        if step.verdict is Verdict.INWARD:
            assert canonical(step, step.become, ours=True) != canonical(step, step.ours, ours=True)
        if step.verdict is Verdict.OUTWARD:
            assert canonical(step, step.become, ours=False) != canonical(step, step.theirs, ours=False)
            assert corresponds(folded().fields[step.name].rule, step.ours, step.become)


@given(links(), values(OURS), values(THEIRS), POLICIES, st.booleans())
def test_a_plan_that_is_carried_out_perfectly_leaves_nothing_to_do(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str, free: bool
) -> None:
    plan = planned(link, ours, theirs, policy, freely_admitted=free)
    settled, ours = central_part(link, plan, ours)
    theirs = {**theirs, **{step.name: step.become for step in plan.outward}}
    if plan.outward:
        wrote = {step.name: Pair(step.ours, step.become) for step in plan.outward}
        intent = Intent(IntentKind.UPDATE, "T9", AT, wrote=wrote, before={s.name: s.theirs for s in plan.outward})
        settled = settle_update(settled, intent, theirs, {}, None, folded(), AT).link
    again = planned(settled, ours, theirs, policy, freely_admitted=free)
    unsettled = {step.name for step in again.outward}
    told_otherwise = {s.name for s in plan.steps if s.verdict is Verdict.STANDING and link.mapping_revision != 1}
    assert again.inward == {}
    assert unsettled <= told_otherwise
    for step in again.steps:
        agrees = corresponds(folded().fields[step.name].rule, step.ours, step.theirs)
        assert agrees or step.verdict is Verdict.STANDING or step.name in told_otherwise


@given(links(), values(OURS), values(THEIRS), POLICIES, st.booleans())
def test_no_edit_disappears_without_being_kept(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str, free: bool
) -> None:
    """What one side changed since the agreement is taken over, still stands, or is the loser of a kept conflict."""
    link = link.evolve(intents=(), mapping_revision=1)
    for step in planned(link, ours, theirs, policy, freely_admitted=free).steps:
        base = link.base.get(step.name)
        if base is None:
            continue
        they_changed = canonical(step, step.theirs, ours=False) != canonical(step, base.theirs, ours=False)
        we_changed = canonical(step, step.ours, ours=True) != canonical(step, base.ours, ours=True)
        kept = step.loser is not None and (step.loser.ours, step.loser.theirs) == (step.ours, step.theirs)
        if step.verdict is Verdict.INWARD and we_changed:
            assert kept
        if step.verdict is Verdict.OUTWARD and they_changed:
            assert kept


# -- our own writes coming back ------------------------------------------------------------------------------------


@given(links(), values(OURS), values(THEIRS), POLICIES, values(OURS))
def test_an_echo_of_our_own_write_never_goes_inward_whatever_the_centre_has_become_meanwhile(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str, later: dict[str, Value]
) -> None:
    plan = planned(link.evolve(intents=()), ours, theirs, policy)
    settled, _ = central_part(link, plan, ours)
    wrote = {step.name: Pair(step.ours, step.become) for step in plan.outward}
    intent = Intent(IntentKind.UPDATE, "T9", AT, wrote=wrote, before=theirs)
    shown = {**theirs, **{step.name: step.become for step in plan.outward}}
    again = planned(settled.evolve(intents=(intent,)), later, shown, policy)
    for step in again.steps:
        if step.name in wrote:
            assert step.landed
            assert step.verdict is not Verdict.INWARD
            assert step.loser is None


@given(links(), values(OURS), values(THEIRS), POLICIES)
def test_a_refused_write_is_remembered_and_not_sent_again(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value], policy: str
) -> None:
    plan = planned(link.evolve(intents=(), mapping_revision=1), ours, theirs, policy)
    if not plan.outward:
        return
    settled, ours = central_part(link, plan, ours)
    wrote = {step.name: Pair(step.ours, step.become) for step in plan.outward}
    intent = Intent(IntentKind.UPDATE, "T9", AT, wrote=wrote, before=theirs)
    refused = settle_update(settled, intent, theirs, {}, None, folded(), AT)
    again = planned(refused.link, ours, theirs, policy)
    assert again.outward == ()
    assert wrote.keys() <= again.standing.keys()


# -- policies ------------------------------------------------------------------------------------------------------


@given(links(), values(OURS), values(THEIRS))
def test_what_one_policy_takes_the_other_gives_and_asking_does_neither(
    link: Link, ours: dict[str, Value], theirs: dict[str, Value]
) -> None:
    steps = {policy: planned(link, ours, theirs, policy).steps for policy in ("central", "remote", "ask")}
    for central, remote, ask in zip(steps["central"], steps["remote"], steps["ask"], strict=True):
        if ask.loser is None or ask.loser.winner is not Winner.UNDECIDED:
            assert central == remote == ask
            continue
        assert ask.verdict is Verdict.STANDING
        assert central.verdict in (Verdict.OUTWARD, Verdict.STANDING)
        assert remote.verdict in (Verdict.INWARD, Verdict.STANDING)
        for decided, winner in ((central, Winner.CENTRAL), (remote, Winner.REMOTE)):
            if decided.loser is not None:
                assert (decided.loser.ours, decided.loser.theirs) == (ask.ours, ask.theirs)
                assert decided.loser.winner is winner


# -- the mappings that are shipped ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(names()))
def test_every_status_goes_out_and_its_echo_moves_nothing(name: str) -> None:
    """Case 2: over every state of the centre, exhaustively, whatever they held before."""
    mapping = compile_mapping(shipped(name), revision=1)
    field = mapping.fields.get("status")
    if field is None:
        pytest.skip(f"the mapping {name} carries no status")
    alone = Mapping(
        mapping.name, 1, {"status": field}, mapping.comment, mapping.lost_when, mapping.constants, mapping.policy
    )
    for before in Status:
        for status in Status:
            try:
                held = field.rule.outward(before.value, held=None)
                said = field.rule.outward(status.value, held=held)
            except Untranslatable:
                continue
            link = Link(
                1,
                1,
                name,
                LinkState.ACTIVE,
                base={"status": Pair(status.value, said)},
                mapping_revision=1,
            )
            plan = reconcile(
                link,
                {"status": status.value},
                {field.remote: said},
                mapping=alone,
                policy=Policy("remote"),
                admit=admit,
                evidence=Evidence(),
            )
            assert [step.verdict for step in plan.steps] == [Verdict.AGREED]
