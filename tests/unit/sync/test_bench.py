"""A benchmark is met only by work that came out right; what is lost, doubled or made up is found."""

import os

import pytest

from sync.bench.p3 import Course, run
from sync.bench.report import Report, spread
from sync.bootstrap import settings


def report(*, ratio: float = 2.0, wrong: tuple[str, ...] = ()) -> Report:
    return Report("P3", "small", {}, {}, {}, ratio, 8.0, correct=not wrong, wrong=wrong)


def test_a_fast_run_whose_work_came_out_wrong_is_never_met() -> None:
    assert report().met
    assert not report(ratio=8.01).met
    assert not report(wrong=("a change never arrived",)).met


def test_the_document_has_the_agreed_keys() -> None:
    keys = {"bench", "size", "metrics", "floor", "limit", "ratio", "target", "met", "correct", "wrong"}
    assert set(report().plain()) == keys


def test_the_spread_is_the_median_and_the_worst_of_a_hundred() -> None:
    seconds = [n / 1000 for n in range(1, 101)]
    assert spread(seconds) == {"p50_ms": 51.0, "p99_ms": 100.0}
    assert spread([0.002]) == {"p50_ms": 2.0, "p99_ms": 2.0}


@pytest.mark.parametrize(
    ("arrived", "told"),
    [
        (["one", "two"], []),
        (["one"], ["a to b: two never arrived"]),
        (["one", "two", "one"], ["a to b: one was written twice"]),
        (["one", "two", "three"], ["a to b: three was written, and nobody made it"]),
    ],
)
def test_what_is_lost_doubled_or_made_up_is_found(arrived: list[str], told: list[str]) -> None:
    course = Course("interdesk", {}, (), [], [])
    course.compare({"one": 1.0, "two": 1.5}, [("17", subject, 2.0) for subject in arrived], "a to b")
    assert course.wrong == told
    assert max(course.latencies) == 1.0


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="a minute of measuring: set CI=true")
def test_p3_measures_work_that_came_out_right(tmp_path) -> None:
    """Its times are for `interdesk bench`, which says by its exit code whether they are met: no test times anything."""
    measured = run(settings({}, state=tmp_path), "small")
    assert measured.correct, measured.wrong
    assert measured.met == (measured.ratio <= measured.target)
