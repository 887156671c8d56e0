"""Zammad's quirks on its emulator: what the shared suite cannot ask."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.api import CommentDraft, Lookup, RemoteTicket
from connectors.emulators.server import Fault
from connectors.emulators.zammad import Quirks, ZammadEmulator
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound, Refused, Unknown
from connectors.profiled.connector import ProfiledConnector
from connectors.registry import open_connector
from tests.unit.connectors.conftest import Clock


@pytest.fixture
def zammad(clock: Clock) -> Iterator[ZammadEmulator]:
    with ZammadEmulator(clock, agents=["alice", "bob"]) as running:
        yield running


def opened(zammad: ZammadEmulator, here: Environment, **more: str) -> ProfiledConnector:
    settings = {"url": zammad.url, "group": "ggus", "customer": "ggus-sync", "token": zammad.token, **more}
    found = open_connector("zammad", settings, system="s", environment=here)
    assert isinstance(found, ProfiledConnector)
    return found


@pytest.fixture
def connector(zammad: ZammadEmulator, here: Environment) -> Iterator[ProfiledConnector]:
    found = opened(zammad, here)
    yield found
    found.close()


def test_a_create_that_the_index_does_not_know_yet_is_unknown_and_never_absent_too_soon(
    clock: Clock, zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    zammad.quirks = Quirks(lag=timedelta(seconds=20))
    began = clock()
    key = connector.create({"title": "jobs fail"}, token="T-1").key
    assert connector.find("T-1", began) is Lookup.UNKNOWN
    clock.passes(seconds=20)
    found = connector.find("T-1", began)
    assert isinstance(found, RemoteTicket)
    assert found.key == key


def test_a_late_index_brings_a_change_to_the_round_that_overlaps(
    clock: Clock, zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    cursor = connector.changes(None).cursor
    zammad.quirks = Quirks(lag=timedelta(seconds=20))
    clock.passes(seconds=1)
    key = zammad.tracker.person("alice").open(title="late")
    page = connector.changes(cursor)
    assert page.changes == ()
    clock.passes(seconds=20)
    assert [each.key for each in connector.changes(page.cursor).changes] == [key]


def test_an_attribute_that_is_not_there_is_told_by_the_probe(
    zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    zammad.quirks = Quirks(attribute=False)
    made = connector.create({"title": "jobs fail"}, token="T-1")
    assert made.token is None, "Zammad passed over it without a word"
    assert ["on no ticket" in each.sentence for each in connector.probe() if not each.ok] == [True]


def test_an_owner_who_is_no_agent_is_a_silent_refusal(zammad: ZammadEmulator, connector: ProfiledConnector) -> None:
    key = zammad.tracker.person("carol").open(title="x")
    connector.fetch(key)  # now she is known there, as a customer
    written = connector.update(key, {"owner": "carol", "title": "y"}, held=connector.fetch(key))
    assert written.applied == {"title"}
    assert "without a word" in written.refused["owner"]
    assert "No lookup value" in connector.update(key, {"owner": "nobody-knows"}, held=None).refused["owner"]


def test_ids_that_come_as_texts_are_the_same_ids(zammad: ZammadEmulator, connector: ProfiledConnector) -> None:
    key = zammad.tracker.person("alice").open(title="x", description="since noon")
    before = connector.fetch(key, known=())
    zammad.quirks = Quirks(names_numbers=True)
    after = connector.fetch(key, known=())
    assert (after.key, after.fields, after.created_by) == (before.key, before.fields, before.created_by)


def test_what_people_write_in_the_browser_is_read_as_they_see_it(
    zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    alice = zammad.tracker.person("alice")
    key = alice.open(title="x", description="a < b\n& c")
    alice.comment(key, "x > y\nz")
    found = connector.fetch(key, known=())
    assert found.fields["description"] == "a < b\n& c"
    assert [each.text for each in found.comments or ()] == ["x > y\nz"]


def test_files_of_the_first_article_are_the_tickets(zammad: ZammadEmulator, connector: ProfiledConnector) -> None:
    alice = zammad.tracker.person("alice")
    key = alice.open(title="x", description="see the log")
    alice.attach(key, "a.log", b"line")
    (file,) = connector.fetch(key, known=()).files
    with connector.download(file) as chunks:
        assert (file.name, b"".join(chunks)) == ("a.log", b"line")


def test_an_article_that_is_hidden_later_is_internal_from_then_on(
    zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    alice = zammad.tracker.person("alice")
    key = alice.open(title="x")
    note = alice.comment(key, "CANARY")
    assert [each.internal for each in connector.fetch(key, known=()).comments or ()] == [False]
    alice.hide(key, note)
    found = connector.fetch(key, known=(note,))
    assert [(each.internal, each.text) for each in found.known_comments or ()] == [(True, "")]


def test_what_was_overwritten_between_reading_and_writing_is_in_the_history(
    zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    alice = zammad.tracker.person("alice")
    key = alice.open(title="x", owner="alice")
    held = connector.fetch(key)
    alice.edit(key, owner="bob")
    after = connector.update(key, {"owner": None}, held=held).after
    assert [(each.field, each.old, each.new, each.own) for each in after.history] == [
        ("owner", "alice", "bob", False),
        ("owner", "bob", None, True),
    ]


@pytest.mark.parametrize("lost", ["texts", "history"])
def test_a_create_of_which_only_the_rest_cannot_be_read_tells_its_key(
    zammad: ZammadEmulator, connector: ProfiledConnector, lost: str
) -> None:
    zammad.fault = lambda asked: Fault("status", status=500) if asked.kind == lost else None
    with pytest.raises(Unknown) as unknown:
        connector.create({"title": "x"}, token="T-1")
    zammad.fault = None
    assert connector.fetch(unknown.value.key or "").token == "T-1"


def test_a_pending_state_comes_with_its_time_or_is_refused(
    zammad: ZammadEmulator, connector: ProfiledConnector
) -> None:
    key = zammad.tracker.person("alice").open(title="x")
    told = connector.update(key, {"state": "pending reminder"}, held=None).refused
    assert told == {"state": "Missing required value for field 'pending_time'!"}
    patch = {"state": "pending reminder", "pending_time": "2037-12-31T12:00:00.000Z"}
    written = connector.update(key, patch, held=None)
    assert (written.refused, written.after.fields["state"]) == ({}, "pending reminder")


def test_a_ticket_of_another_group_is_none_of_ours_and_a_group_that_is_gone_stops_the_system(
    zammad: ZammadEmulator, here: Environment
) -> None:
    alice = zammad.tracker.person("alice")
    key = alice.open(title="x")
    with pytest.raises(NotFound, match="not in the place"):
        opened(zammad, here, group="other").fetch(key)
    alice.delete(key)
    with pytest.raises(AccessError, match="it has: ggus"):
        opened(zammad, here, group="other").fetch(key)


def test_further_attributes_are_named_by_the_operator(zammad: ZammadEmulator, here: Environment) -> None:
    connector = opened(zammad, here, attributes="note, escalation_at")
    assert {"cf.note", "cf.escalation_at"} <= {each.name for each in connector.describe()}
    key = zammad.tracker.person("alice").open(title="x")
    assert connector.fetch(key).fields["cf.note"] is None


def test_a_comment_cannot_be_edited(zammad: ZammadEmulator, connector: ProfiledConnector) -> None:
    key = zammad.tracker.person("alice").open(title="x")
    written = connector.comment(key, CommentDraft("said"), token="T-1").comment
    with pytest.raises(Refused, match="cannot edit"):
        connector.edit_comment(key, written.id, CommentDraft("said better"), token="T-1")


def test_what_each_call_costs_in_requests(zammad: ZammadEmulator, connector: ProfiledConnector) -> None:
    alice = zammad.tracker.person("alice")
    key = alice.open(title="x", description="since noon")
    for number in range(20):
        alice.comment(key, f"comment {number}")
    connector.fetch(key, known=())

    def cost(call) -> int:
        before = zammad.counts.total()
        call()
        return zammad.counts.total() - before

    assert cost(lambda: connector.fetch(key, known=())) == 3, "itself, its articles, its history"
    held = connector.update(key, {"title": "first"}, held=None).after  # whose history names us, whom it looks up
    assert cost(lambda: connector.fetch(key)) == 2, "its first article never changes"
    assert cost(lambda: connector.update(key, {"title": "y"}, held=held)) == 2, "the write, and who lost by it"
    cursor = connector.changes(None).cursor
    assert cost(lambda: connector.changes(cursor)) == 1
