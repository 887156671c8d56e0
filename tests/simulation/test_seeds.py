"""The whole mesh attacked from seeds and judged by the oracle; `interdesk simulate` shows the story of one."""

import os

import pytest

from sync.simulation import runner
from sync.simulation.runner import Task

_CI = os.environ.get("CI") == "true"
_MIXED = 300 if _CI else 30
_CALM = 150 if _CI else 20
_OTHER_SIZES = 15 if _CI else 2
_ON_DISK = 20 if _CI else 3


def _broken(tasks: list[Task]) -> dict[str, tuple[str, ...]]:
    """What is broken, by the command that replays it."""
    runs = list(runner.run_all(tasks, jobs=2 if _CI else 1))
    return {task.command: run.verdict.broken for task, run in zip(tasks, runs, strict=True) if run.verdict.broken}


def test_nothing_is_lost_or_doubled_whatever_goes_wrong() -> None:
    tasks = [Task(seed) for seed in range(1, _MIXED + 1)]
    assert any(task.scenario.faults for task in tasks)
    assert _broken(tasks) == {}


def test_nothing_is_lost_or_doubled_while_nothing_goes_wrong() -> None:
    assert _broken([Task(seed, faults=False) for seed in range(1, _CALM + 1)]) == {}


@pytest.mark.parametrize("systems", [2, 8])
def test_few_systems_and_many_give_no_other_answer(systems: int) -> None:
    assert _broken([Task(seed, systems, faults=True) for seed in range(1, _OTHER_SIZES + 1)]) == {}


def test_the_database_on_disk_gives_no_other_answer() -> None:
    assert _broken([Task(seed, store="sqlite") for seed in range(1, _ON_DISK + 1)]) == {}


@pytest.mark.parametrize("seed", [1, 7])
def test_a_seed_is_the_same_run_each_time(seed: int) -> None:
    stories = [runner.story(runner.play(Task(seed).scenario)[1]) for _ in range(2)]
    assert stories[0] == stories[1]


def test_fewer_writes_of_ours_send_mail_than_people_did_things() -> None:
    runs = list(runner.run_all([Task(seed, faults=False) for seed in range(1, 13)], jobs=1))
    acts = sum(run.verdict.acts for run in runs)
    notifying = sum(run.verdict.post.notifying for run in runs)
    assert 0 < notifying <= sum(run.verdict.writes for run in runs)
    assert notifying < acts
