"""The mesh with sets: whom people put in stands on every side, and whom they took out on none, whatever goes wrong."""

import os
from dataclasses import replace

import pytest

from sync.simulation import runner
from sync.simulation.scenario import DISASTERS, Scenario, scenario, watched

_SEEDS = 60 if os.environ.get("CI") == "true" else 6


def watching(seed: int, *, faults: bool) -> Scenario:
    """A backup that comes back has everybody's members in it that were there: masses and restores have tests of their
    own."""
    what = scenario(seed, systems=3, faults=faults)
    calmer = tuple(each for each in what.happenings if each.kind not in DISASTERS)
    return watched(replace(what, happenings=calmer))


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "wild"])
def test_no_member_is_lost_brought_back_or_invented(faults: bool) -> None:
    broken = {}
    for seed in range(1, _SEEDS + 1):
        verdict, _ = runner.play(watching(seed, faults=faults))
        if verdict.broken:
            broken[seed] = verdict.broken
    assert broken == {}


def test_what_a_seed_means_is_the_same_whether_anybody_watches_or_not() -> None:
    plain = scenario(7)
    with_sets = watched(plain)
    assert [each for each in with_sets.happenings if each in plain.happenings] == list(plain.happenings)
    assert [replace(each, watchers="") for each in with_sets.tempers] == list(plain.tempers)
