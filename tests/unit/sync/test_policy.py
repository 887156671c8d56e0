"""Who wins a field, and what central admits from outside."""

from datetime import UTC, datetime, timedelta

import pytest

from central.model import Value
from central.workflow import Status
from sync.policy import POLICIES, ChangeTime, Policy, Times, Winner, admit

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def times(ours: float | None, theirs: float | None, uncertainty: float = 0) -> Times:
    """Change times in seconds after `AT`."""

    def when(seconds: float | None) -> ChangeTime | None:
        return None if seconds is None else ChangeTime(AT + timedelta(seconds=seconds), timedelta(seconds=uncertainty))

    return Times(when(ours), when(theirs))


@pytest.mark.parametrize(
    ("policy", "winner"), [("central", Winner.CENTRAL), ("remote", Winner.REMOTE), ("ask", Winner.UNDECIDED)]
)
def test_a_plain_policy_needs_no_times(policy: str, winner: Winner) -> None:
    why = f"policy {policy}" if winner is not Winner.UNDECIDED else "policy ask: a person decides"
    assert Policy(policy).winner("status") == (winner, why)
    assert Policy(policy).winner("status", times(1, 2)) == (winner, why)


def test_a_fields_own_policy_goes_before_the_default() -> None:
    policy = Policy("central", {"priority": "remote"})
    assert policy.winner("priority")[0] is Winner.REMOTE
    assert policy.winner("status")[0] is Winner.CENTRAL


@pytest.mark.parametrize(("ours", "theirs", "winner"), [(5, 1, Winner.CENTRAL), (1, 5, Winner.REMOTE)])
def test_the_newest_wins_where_both_times_are_known(ours: float, theirs: float, winner: Winner) -> None:
    assert Policy("newest").winner("status", times(ours, theirs)) == (winner, "policy newest: it was changed last")


@pytest.mark.parametrize(
    "known",
    [None, times(5, None), times(None, 5), times(1, 2.5, uncertainty=1), times(1, 1)],
    ids=["no times", "ours alone", "theirs alone", "overlapping intervals", "the same moment"],
)
def test_where_the_newest_cannot_be_told_the_default_decides_and_says_so(known: Times | None) -> None:
    asked = Policy("remote", {"status": "newest"}).winner("status", known)
    assert asked == (Winner.REMOTE, "policy newest cannot tell, so remote")
    assert Policy("newest").winner("status", known) == (Winner.CENTRAL, "policy newest cannot tell, so central")
    assert Policy("ask", {"status": "newest"}).winner("status", known)[0] is Winner.UNDECIDED


def test_intervals_that_only_touch_cannot_be_told_apart() -> None:
    assert Policy("newest").winner("status", times(1, 3, uncertainty=1))[1].endswith("so central")
    assert Policy("newest").winner("status", times(3, 1, uncertainty=1))[1].endswith("so central")
    assert Policy("newest").winner("status", times(1, 3.001, uncertainty=1))[0] is Winner.REMOTE


@pytest.mark.parametrize("policy", POLICIES)
def test_exchanging_the_sides_exchanges_the_winner_of_the_newest_and_changes_no_other(policy: str) -> None:
    mirror = {Winner.CENTRAL: Winner.REMOTE, Winner.REMOTE: Winner.CENTRAL, Winner.UNDECIDED: Winner.UNDECIDED}
    one, other = (Policy(policy).winner("status", known)[0] for known in (times(1, 9), times(9, 1)))
    assert other is (mirror[one] if policy == "newest" else one)


# -- what central admits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "new", "ends"),
    [
        ("new", "in progress", "in progress"),
        ("in progress", "solved", "solved"),
        ("solved", "in progress", "reopened"),
        ("unsolved", "on hold", "on hold"),
        ("on hold", "on hold", "on hold"),
        (None, "closed", "closed"),
    ],
)
def test_a_status_arrives_where_the_workflow_leads(held: Value, new: Value, ends: Value) -> None:
    admission = admit("status", held, new)
    assert (admission.value, admission.refusal) == (ends, "")


@pytest.mark.parametrize(
    ("held", "new", "because"),
    [
        ("verified", "reopened", "final"),
        ("in progress", "closed", "set by the system only"),
        ("in progress", "verified", "only a solved ticket can be verified"),
        ("solved", "verified", "only the submitter verifies"),
        ("in progress", "reopened", "only a solved or unsolved ticket can be reopened"),
        ("in progress", "paused", "'paused' is not a status"),
        ("in progress", None, "None is not a status"),
    ],
)
def test_a_status_that_the_workflow_forbids_is_refused_and_the_held_one_stays(
    held: Value, new: Value, because: str
) -> None:
    admission = admit("status", held, new)
    assert admission.value == held
    assert because in admission.refusal


def test_no_admitted_status_leads_out_of_a_final_one() -> None:
    for final in (Status.VERIFIED, Status.CLOSED):
        assert [new for new in Status if new != final and not admit("status", final.value, new.value).refusal] == []


def test_every_other_field_is_held_to_the_model() -> None:
    assert admit("priority", "urgent", "very urgent").value == "very urgent"
    for name, held, new, because in (
        ("priority", "urgent", "mild", "must be one of"),
        ("subject", "s", "", "must not be empty"),
        ("subject", "s", "x" * 256, "at most 255"),
        ("colour", "green", "red", "there is no field 'colour'"),
    ):
        admission = admit(name, held, new)
        assert admission.value == held
        assert because in admission.refusal
