"""The mesh with trackers that are walked step by step: the laws hold whatever interrupts a way."""

import os
from dataclasses import replace

import pytest

from sync.simulation import runner
from sync.simulation.scenario import Scenario, scenario
from sync.simulation.tempers import stepping

_SEEDS = 60 if os.environ.get("CI") == "true" else 6


def stepped(seed: int, *, faults: bool) -> Scenario:
    what = scenario(seed, systems=3, faults=faults)
    return replace(what, tempers=tuple(stepping(each) if n < 2 else each for n, each in enumerate(what.tempers)))


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "wild"])
def test_nothing_is_lost_or_doubled_where_trackers_take_steps(faults: bool) -> None:
    broken = {}
    for seed in range(1, _SEEDS + 1):
        verdict, _ = runner.play(stepped(seed, faults=faults))
        if verdict.broken:
            broken[seed] = verdict.broken
    assert broken == {}
