"""The mesh with sets: whom people put in stands on every side, and whom they took out on none, whatever goes wrong."""

import os
from dataclasses import replace

import pytest

from sync.simulation import runner
from sync.simulation.scenario import DISASTERS, Scenario, scenario, watched

_SEEDS = 80 if os.environ.get("CI") == "true" else 8


def watching(seed: int, *, faults: bool) -> Scenario:
    return watched(scenario(seed, systems=3, faults=faults))


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "wild"])
def test_no_member_is_lost_brought_back_or_invented(faults: bool) -> None:
    verdicts = {seed: runner.play(watching(seed, faults=faults))[0] for seed in range(1, _SEEDS + 1)}
    assert {seed: verdict.broken for seed, verdict in verdicts.items() if verdict.broken} == {}


def test_a_listing_that_is_cut_where_few_may_be_missing_holds_nobody_up_for_ever() -> None:
    what = watching(8, faults=True)  # a partner that may lose three, and nobody who would decide
    nothing_befalls = tuple(each for each in what.happenings if each.kind not in DISASTERS)
    assert runner.play(replace(what, happenings=nothing_befalls))[0].broken == ()


def test_what_a_seed_means_is_the_same_whether_anybody_watches_or_not() -> None:
    plain = scenario(7)
    with_sets = watched(plain)
    assert [each for each in with_sets.happenings if each in plain.happenings] == list(plain.happenings)
    assert [replace(each, watchers="") for each in with_sets.tempers] == list(plain.tempers)
