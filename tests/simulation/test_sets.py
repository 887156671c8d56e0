"""The mesh with sets: whom people put in stands on every side, and whom they took out on none, whatever goes wrong."""

import os
from dataclasses import replace

import pytest

from sync.simulation import runner
from sync.simulation.scenario import DISASTERS, Scenario, scenario, watched

_SEEDS = 80 if os.environ.get("CI") == "true" else 8


def watching(seed: int, *, faults: bool) -> Scenario | None:
    """None where a mass of tickets or a backup is lost: a backup that comes back has everybody's members in it that
    were there, and a listing that is cut of so many tickets is held. Both have tests of their own."""
    what = scenario(seed, systems=3, faults=faults)
    return None if any(each.kind in DISASTERS for each in what.happenings) else watched(what)


@pytest.mark.parametrize("faults", [False, True], ids=["calm", "wild"])
def test_no_member_is_lost_brought_back_or_invented(faults: bool) -> None:
    calm = {seed: what for seed in range(1, _SEEDS + 1) if (what := watching(seed, faults=faults)) is not None}
    assert len(calm) > _SEEDS // 2
    verdicts = {seed: runner.play(what)[0] for seed, what in calm.items()}
    assert {seed: verdict.broken for seed, verdict in verdicts.items() if verdict.broken} == {}


def test_what_a_seed_means_is_the_same_whether_anybody_watches_or_not() -> None:
    plain = scenario(7)
    with_sets = watched(plain)
    assert [each for each in with_sets.happenings if each in plain.happenings] == list(plain.happenings)
    assert [replace(each, watchers="") for each in with_sets.tempers] == list(plain.tempers)
