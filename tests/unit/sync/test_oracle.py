"""What the judges of a simulation make of the centre's own events."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from central.events import Event, Kind
from central.model import SYSTEM
from mappings.document import compile_mapping
from mappings.loader import read
from sync.simulation import runner
from sync.simulation.oracle.evidence import same, value_in
from sync.simulation.oracle.verdict import Verdict
from sync.simulation.scenario import restored, scenario

FIELD = compile_mapping(
    read("kind: mapping\nname: m\nconnector: m\nfields: {cc: {remote: Cc, set: {}}}\n", "m.yaml")[0], revision=1
).fields["cc"]


def test_a_set_in_an_event_is_the_set_that_somebody_made_it() -> None:
    event = Event(
        Kind.FIELD_CHANGED, 1, datetime(2026, 1, 1, tzinfo=UTC), SYSTEM, data={"theirs": ["b", "a"], "to": None}
    )
    assert value_in(event, "theirs") == ("b", "a")
    assert value_in(event, "to") is None
    assert same(FIELD, value_in(event, "theirs"), ("a", "b"))
    assert not same(FIELD, value_in(event, "theirs"), ("a", "c"))


def calm_but_for_a_restore() -> Iterator[Verdict]:
    """Runs that are meant to be without excuse, and of which most have one: what a backup takes away is excused."""
    for seed in range(1, 20):
        calm = scenario(seed, systems=2, faults=False)
        what = restored(calm, calm.tempers[0].name, random.Random(seed))
        if what.well_behaved:
            yield runner.play(what)[0]


def test_where_nothing_may_go_wrong_an_excuse_is_a_broken_law() -> None:
    verdict = next(each for each in calm_but_for_a_restore() if each.excused)
    assert verdict.broken == tuple(f"excuse: nothing went wrong, and yet: {each}" for each in verdict.excused)
