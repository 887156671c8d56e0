"""What the judges of a simulation make of the centre's own events."""

from datetime import UTC, datetime

from central.events import Event, Kind
from central.model import SYSTEM
from mappings.document import compile_mapping
from mappings.loader import read
from sync.simulation.oracle.evidence import same, value_in

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
