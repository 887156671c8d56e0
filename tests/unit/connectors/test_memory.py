"""The reference connector: what the shared conformance suite does not ask because only memory can show it."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.api import Capabilities, Cursor, Lookup, RemoteTicket
from connectors.errors import Refused, Transient, Unknown
from connectors.memory import SIMPLE as PLAIN
from connectors.memory import Call, MemoryConnector, Rules, Tracker

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **units: float) -> None:
        self.at += timedelta(**units)


def test_a_lost_answer_after_the_work_is_unknown_and_the_token_finds_it() -> None:
    def lose(call: Call) -> None:
        if call.operation == "create" and call.done:
            raise Transient("connection reset")

    connector = MemoryConnector(Tracker(Clock()), intruder=lose)
    with pytest.raises(Unknown):
        connector.create({"subject": "disk full"}, token="T-1")
    found = connector.find("T-1", START)
    assert isinstance(found, RemoteTicket)
    assert found.fields["subject"] == "disk full"
    assert len(connector.tracker.issues) == 1


def test_a_person_can_write_between_our_write_and_its_read_back() -> None:
    tracker = Tracker(Clock())
    alice = tracker.person("alice")
    key = alice.open(subject="slow")

    def meddle(call: Call) -> None:
        if call.operation == "fetch" and not call.done:
            connector.intruder = None
            alice.edit(key, subject="slower")

    connector = MemoryConnector(tracker, capabilities=Capabilities(history=True), intruder=meddle)
    written = connector.update(key, {"subject": "slow network"}, held=None)
    assert written.after.fields["subject"] == "slower"
    assert [(each.old, each.new, each.own) for each in written.after.history] == [
        ("slow", "slow network", True),
        ("slow network", "slower", False),
    ]
    assert connector.calls == {"update": 1, "fetch": 1}


def test_what_is_younger_than_the_search_lag_is_not_listed_and_not_declared_absent() -> None:
    clock = Clock()
    connector = MemoryConnector(Tracker(clock), capabilities=Capabilities(search_lag=timedelta(seconds=30)))
    connector.create({"subject": "x"}, token="T-1")
    assert connector.find("T-1", clock()) is Lookup.UNKNOWN
    assert connector.find("T-2", clock()) is Lookup.UNKNOWN
    assert connector.changes(Cursor(START)).changes == ()
    clock.pass_(seconds=31)
    assert isinstance(connector.find("T-1", START), RemoteTicket)
    assert connector.find("T-2", START) is Lookup.ABSENT
    assert len(connector.changes(Cursor(START)).changes) == 1
    connector.tracker.offset -= timedelta(minutes=2)
    assert isinstance(connector.find("T-1", START), RemoteTicket), "a clock that is set back takes nothing away"


def test_the_workflow_binds_our_account_only_and_refuses_in_its_own_words() -> None:
    rules = Rules(PLAIN.fields, PLAIN.defaults, workflow={"status": {"new": {"open"}}})
    tracker = Tracker(Clock(), rules)
    connector = MemoryConnector(tracker)
    key = tracker.person("alice").open(subject="x")
    written = connector.update(key, {"status": "solved", "subject": "y"}, held=connector.fetch(key))
    assert written.applied == {"subject"}
    assert written.refused == {"status": "You can't change status from 'new' to 'solved'."}
    tracker.person("alice").edit(key, status="solved")
    assert connector.fetch(key).fields["status"] == "solved"


@pytest.mark.parametrize("forms", [False, True], ids=["what stands there is enough", "a form must be filled"])
def test_what_a_value_needs_must_be_there_or_come_with_it(forms: bool) -> None:
    needs = {"status": {"solved": ("owner",)}}
    tracker = Tracker(Clock(), Rules(PLAIN.fields, PLAIN.defaults, needs=needs, forms=forms))
    connector = MemoryConnector(tracker)
    key = tracker.person("alice").open(subject="x")
    refused = {"status": "status 'solved' needs owner."}
    assert connector.update(key, {"status": "solved"}, held=None).refused == refused
    tracker.person("alice").edit(key, owner="bob")
    assert connector.update(key, {"status": "solved"}, held=None).refused == (refused if forms else {})
    assert connector.update(key, {"status": "solved", "owner": "bob"}, held=None).refused == {}
    with pytest.raises(Refused, match="needs owner"):
        connector.create({"subject": "y", "status": "solved"}, token="T-1")
    tracker.person("alice").edit(tracker.person("alice").open(subject="z"), status="solved")


def test_a_declared_side_effect_is_done_by_the_tracker_itself() -> None:
    tracker = Tracker(Clock(), Rules(PLAIN.fields, PLAIN.defaults, reopens={"status": {"solved": "open"}}))
    connector = MemoryConnector(tracker)
    assert connector.capabilities.side_effects == {"comment": {"status": {"solved": "open"}}}
    key = tracker.person("alice").open(subject="x", status="solved")
    tracker.person("bob").comment(key, "not at all", internal=True)
    assert connector.fetch(key).fields["status"] == "solved"
    tracker.person("bob").comment(key, "still broken")
    assert connector.fetch(key).fields["status"] == "open"
    assert [each.who for each in tracker.log if each.kind == "set"] == ["tracker"]


def test_crlf_is_given_back_where_asked_for() -> None:
    tracker = Tracker(Clock())
    key = tracker.person("alice").open(subject="x", description="one\ntwo")
    assert MemoryConnector(tracker, crlf=True).fetch(key).fields["description"] == "one\r\ntwo"
