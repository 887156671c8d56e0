"""Who may set what: the whole table, spelled out beside the code that computes it."""

import pytest

from central.workflow import (
    FINAL,
    OPEN,
    SET_BY_SYSTEM_ONLY,
    TABLE,
    Actor,
    Status,
    arrive,
    assigned,
    on_submitter_reply,
    permitted,
    refusal,
)

WORKING = {"in progress", "waiting for reply", "on hold"}
SUPPORTER = {
    "new": WORKING | {"solved", "unsolved"},
    "assigned": WORKING | {"solved", "unsolved"},
    "in progress": WORKING - {"in progress"} | {"solved", "unsolved"},
    "waiting for reply": WORKING - {"waiting for reply"} | {"solved", "unsolved"},
    "on hold": WORKING - {"on hold"} | {"solved", "unsolved"},
    "reopened": WORKING | {"solved", "unsolved"},
    "solved": WORKING | {"reopened", "unsolved"},
    "unsolved": WORKING | {"reopened", "solved"},
    "verified": set(),
    "closed": set(),
}
SUBMITTER = {status: set() for status in SUPPORTER} | {"solved": {"reopened", "verified"}, "unsolved": {"reopened"}}


@pytest.mark.parametrize("before", Status)
def test_a_supporter_may_do_exactly_this(before: Status) -> None:
    assert set(TABLE[Actor.SUPPORTER][before]) == SUPPORTER[before]


@pytest.mark.parametrize("before", Status)
def test_a_submitter_may_do_exactly_this(before: Status) -> None:
    assert set(TABLE[Actor.SUBMITTER][before]) == SUBMITTER[before]


@pytest.mark.parametrize("before", Status)
def test_the_system_may_do_all_but_revive_a_final_ticket(before: Status) -> None:
    assert set(TABLE[Actor.SYSTEM][before]) == (set() if before in FINAL else set(Status) - {before})


def test_there_are_ten_statuses_and_each_is_open_solved_or_final() -> None:
    assert len(Status) == 10
    assert set(Status) == OPEN | {Status.SOLVED, Status.UNSOLVED} | FINAL


@pytest.mark.parametrize("actor", Actor)
@pytest.mark.parametrize("status", Status)
def test_staying_is_never_refused_and_never_offered(actor: Actor, status: Status) -> None:
    assert refusal(status, status, actor) == ""
    assert status not in permitted(status, actor)


@pytest.mark.parametrize("actor", Actor)
def test_every_refusal_is_a_sentence_that_names_a_status_or_a_person(actor: Actor) -> None:
    sentences = {refusal(before, after, actor) for before in Status for after in Status} - {""}
    assert sentences
    assert all(" " in sentence and not sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("after", sorted(SET_BY_SYSTEM_ONLY))
def test_what_only_the_system_sets_is_said_to_be_so(after: Status) -> None:
    assert refusal(Status.IN_PROGRESS, after, Actor.SUPPORTER) == f"{after} is set by the system only"


def test_only_the_submitter_verifies_and_only_a_solution() -> None:
    assert "only the submitter" in refusal(Status.SOLVED, Status.VERIFIED, Actor.SUPPORTER)
    assert "only a solved ticket" in refusal(Status.UNSOLVED, Status.VERIFIED, Actor.SUBMITTER)


def test_an_unknown_status_is_an_error_and_no_refusal() -> None:
    with pytest.raises(ValueError, match="opn"):
        refusal("new", "opn", Actor.SUPPORTER)


@pytest.mark.parametrize("before", [Status.SOLVED, Status.UNSOLVED])
def test_working_on_a_solved_ticket_again_makes_it_reopened(before: Status) -> None:
    assert arrive(before, Status.IN_PROGRESS) == Status.REOPENED


@pytest.mark.parametrize("after", [Status.WAITING_FOR_REPLY, Status.ON_HOLD])
def test_a_solved_ticket_that_waits_again_says_what_for(after: Status) -> None:
    assert arrive(Status.SOLVED, after) == after


def test_other_changes_arrive_where_they_were_meant_to() -> None:
    assert arrive(Status.NEW, Status.IN_PROGRESS) == Status.IN_PROGRESS
    assert arrive(Status.SOLVED, Status.VERIFIED) == Status.VERIFIED
    assert arrive(Status.SOLVED, Status.UNSOLVED) == Status.UNSOLVED


@pytest.mark.parametrize("status", Status)
def test_another_unit_makes_an_open_ticket_assigned_and_leaves_the_others(status: Status) -> None:
    assert assigned(status) == (Status.ASSIGNED if status in OPEN else status)


@pytest.mark.parametrize("status", Status)
def test_the_submitters_reply_ends_the_waiting_for_it_and_nothing_else(status: Status) -> None:
    expected = Status.IN_PROGRESS if status is Status.WAITING_FOR_REPLY else status
    assert on_submitter_reply(status) == expected
