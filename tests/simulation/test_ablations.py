"""The simulation can fail: with one rule of the engine less some seed breaks a law, and with all of them none does.

Each case names the rule, what stands in for it, the seeds in which somebody needs it, and what goes wrong then.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import structlog

from central.guard import HoldKind
from connectors.memory import WELL_BEHAVED
from sync.simulation import scenario
from sync.simulation.members import REDMINE_LIKE, RT_LIKE
from sync.simulation.oracle import judge
from sync.simulation.runner import Task, opened
from sync.simulation.scenario import Kind, Scenario
from sync.simulation.world import World
from tests.simulation import weaker
from tests.simulation.crowd import crowd, outage, tracker

RT, REDMINE = tracker("ngi-1", "rt", RT_LIKE), tracker("ngi-2", "redmine", REDMINE_LIKE)
EXACT = tracker("ngi-3", "rt", WELL_BEHAVED)
SLOW_CLOCK = tracker("ngi-4", "redmine", replace(REDMINE_LIKE, granularity=timedelta(minutes=1)), step=60.0)


def mesh(seed: int) -> Scenario:
    return Task(seed, faults=True).scenario


def at_once(seed: int) -> Scenario:
    """People edit one status while it is being written."""
    return crowd(seed, (REDMINE, RT), between=0.8)


def lossy(seed: int) -> Scenario:
    return crowd(seed, (REDMINE, RT), wrong=(Kind.KILL, Kind.LOST_ANSWER, Kind.LATE))


def in_one_class(seed: int) -> Scenario:
    return crowd(seed, (EXACT, REDMINE), pace=3, workers=2)


def by_the_minute(seed: int) -> Scenario:
    return crowd(seed, (SLOW_CLOCK, RT), acts=("comment", "status"), count=12, pace=20, places=(SLOW_CLOCK.name, ""))


def hurried(seed: int) -> Scenario:
    return crowd(seed, (REDMINE, RT), acts=("comment", "status"), pace=1, webhooks=True, workers=2)


def restored(seed: int) -> Scenario:
    """A partner goes back to a backup."""
    what = mesh(seed)
    return scenario.restored(what, what.tempers[0].name, random.Random(f"{seed}/ablation"))


def in_masses(seed: int) -> Scenario:
    """A script closes or deletes nearly everything that a partner has."""
    what = mesh(seed)
    return scenario.in_masses(what, what.tempers[0].name, random.Random(f"{seed}/ablation"))


def fought_over(seed: int) -> Scenario:
    """Automations in two trackers that each insist on a priority of their own, and never stop."""
    fighters = (replace(RT, insists="low"), replace(REDMINE, insists="high"))
    return crowd(seed, fighters, acts=("priority", "subject"), count=6)


def after_an_outage(seed: int) -> Scenario:
    return outage(seed, RT)


@dataclass(frozen=True)
class Case:
    scenario: Callable[[int], Scenario]
    seeds: range
    breaks: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    around: Mapping[str, Any] = field(default_factory=dict)
    """What the world is like with the rule and without it."""


CASES = {
    "1.1 the base is a pair": Case(
        in_one_class, range(39, 60), "no loss:", {"gateway": weaker.mapped(weaker.OneValue, "status")}
    ),
    "1.4, echo: an intent comes before a write": Case(
        lossy, range(36, 40), "silence:", {"means": weaker.storing("links", weaker.NoIntents)}
    ),
    "2 ours survives the trip": Case(
        mesh,
        range(1, 4),
        "silence: status",
        {"gateway": weaker.by_meaning("status", weaker.Forgetful)},
        {"gateway": weaker.by_meaning("status")},
    ),
    "3.2 settling records what was written": Case(
        at_once, range(3, 10), "no loss:", {"means": weaker.storing("links", weaker.WhatWasRead)}
    ),
    "3.3 without a lock the history tells what was overwritten": Case(
        at_once, range(1, 6), "no loss:", {"means": weaker.storing("tickets", weaker.NothingOverwritten)}
    ),
    "3.6 a weak version is racy": Case(
        by_the_minute, range(17, 24), "no loss: 'word", {"means": weaker.storing("links", weaker.NeverRacy)}
    ),
    "4.1 an earlier create is looked for": Case(
        mesh, range(14, 20), "no twins: 'case", {"gateway": weaker.through(weaker.FindsNothing)}
    ),
    "6.1 a page is one transaction": Case(
        after_an_outage,
        range(1, 4),
        "convergence: subject",
        {"means": weaker.stored(weaker.CursorFirst)},
        {"gateway": weaker.scanned_rarely},  # the full scan finds everything, a day later
    ),
    "6.2 a delivery is done only as it was claimed": Case(
        hurried, range(32, 40), "no loss: 'word", {"means": weaker.storing("outbox", weaker.Impatient)}
    ),
    "guard: the ping-pong breaker": Case(
        fought_over, range(1, 5), "convergence: priority", {"means": weaker.without(HoldKind.PING_PONG)}
    ),
    "guard: the mark in a partner's system": Case(
        restored, range(1, 4), "silence:", {"gateway": weaker.through(weaker.OurMarkAlways)}
    ),
    "guard: mass changes": Case(
        in_masses, range(2, 5), "asked:", {"means": weaker.without(HoldKind.CLOSING, HoldKind.LOSS)}
    ),
    "echo: version": Case(mesh, range(1, 6), "idle:", {"means": weaker.storing("links", weaker.Unversioned)}),
    "echo: history": Case(at_once, range(1, 6), "no loss:", {"gateway": weaker.through(weaker.NoHistory)}),
    "echo: token": Case(mesh, range(5, 14), "no twins: 'word", {"gateway": weaker.through(weaker.Unmarked)}),
}


@pytest.fixture(autouse=True)
def _hushed() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(**before)


def broken(scenario: Scenario, **parts: Any) -> tuple[str, ...]:
    with opened("memory") as store:
        return judge(World(scenario, store, **parts)).broken


@pytest.mark.parametrize("rule", CASES)
def test_without_this_rule_some_seed_breaks_a_law(rule: str) -> None:
    case = CASES[rule]
    for seed in case.seeds:
        wrong = broken(case.scenario(seed), **{**case.around, **case.parts})
        if any(each.startswith(case.breaks) for each in wrong):
            assert broken(case.scenario(seed), **case.around) == ()
            return
    pytest.fail(f"without '{rule}' the seeds {case.seeds} break nothing: is it needed, or does the simulation sleep?")
