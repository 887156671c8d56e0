"""What goes with a write because their workflow asks for it there."""

from central.link import Pair
from mappings.document import compile_mapping
from mappings.loader import read
from sync.plan import Plan, Step, Verdict
from sync.travel import born_with, company, in_their_words

MAPPING = compile_mapping(
    read(
        """
kind: mapping
name: m
connector: memory
fields:
  solution: {remote: Resolution, text: {}}
  status:
    remote: Status
    table: {new: New, in progress: Open, solved: Done, closed: Closed}
    transitions:
      Done: {with: {Resolution: {from: solution, otherwise: see below}, Outcome: ok}}
      Closed: {via: [Done]}
""",
        "m.yaml",
    )[0],
    revision=1,
)
SOLVE = Step("status", Verdict.OUTWARD, "changed here", "solved", "Open", Pair("in progress", "Open"), "Done")


def solution(verdict: Verdict, ours: str | None, theirs: str | None, become: str | None = None) -> Step:
    base = Pair(become if verdict is Verdict.INWARD else ours, theirs)
    return Step("solution", verdict, "", ours, theirs, base, become)


def goes(step: Step, *refused: str) -> tuple[dict[str, Pair], dict[str, object]]:
    found = company(Plan((step, SOLVE)), MAPPING, refused)
    return dict(found.wrote), {name: value for name, value in found.said.items() if name != "Outcome"}


def test_where_both_sides_hold_nothing_something_stands_in() -> None:
    assert goes(solution(Verdict.AGREED, None, None)) == ({"solution": Pair(None, "see below")}, {})
    assert goes(solution(Verdict.INWARD, "a disk", "", None)) == ({"solution": Pair(None, "see below")}, {})
    assert goes(solution(Verdict.OUTWARD, None, "a disk", None)) == ({"solution": Pair(None, "see below")}, {})


def test_what_stands_there_is_said_again() -> None:
    assert goes(solution(Verdict.AGREED, "a disk", "a disk")) == ({}, {"Resolution": "a disk"})
    assert goes(solution(Verdict.INWARD, None, "theirs", "theirs")) == ({}, {"Resolution": "theirs"})
    assert goes(solution(Verdict.STANDING, "ours", "theirs")) == ({}, {"Resolution": "theirs"})


def test_what_the_plan_writes_anyway_is_not_written_twice() -> None:
    assert goes(solution(Verdict.OUTWARD, "a disk", None, "a disk")) == ({}, {})


def test_what_was_refused_alone_is_tried_with_what_asks_for_it() -> None:
    refused = solution(Verdict.STANDING, "a disk", None)
    assert goes(refused, "solution") == ({"solution": Pair("a disk", "a disk")}, {})
    assert goes(refused) == ({"solution": Pair("a disk", "see below")}, {})


def test_constants_go_with_the_value_that_asks_for_them_and_with_no_other() -> None:
    assert company(Plan((SOLVE,)), MAPPING, ()).said == {"Outcome": "ok"}
    other = SOLVE._replace(become="New")
    assert company(Plan((other, solution(Verdict.AGREED, None, None))), MAPPING, ()) == company(Plan(()), MAPPING, ())


def test_a_create_carries_what_its_value_asks_for() -> None:
    empty = {"solution": Pair(None, None), "status": Pair("solved", "Done")}
    assert born_with(empty, MAPPING).wrote == {"solution": Pair(None, "see below")}
    assert born_with(empty, MAPPING).said == {"Outcome": "ok"}
    told = {"solution": Pair("a disk", "a disk"), "status": Pair("solved", "Done")}
    assert born_with(told, MAPPING).wrote == {}
    walked = {"solution": Pair(None, None), "status": Pair("closed", "Closed")}
    assert (born_with(walked, MAPPING).wrote, born_with(walked, MAPPING).said) == ({}, {})


def test_a_refusal_tells_what_was_refused_with_it() -> None:
    refused = {"Status": "needs Outcome", "Outcome": "no such value", "Other": "no"}
    told = in_their_words(refused, Plan((SOLVE,)), MAPPING)
    assert told == {**refused, "Status": "needs Outcome; Outcome: no such value"}
