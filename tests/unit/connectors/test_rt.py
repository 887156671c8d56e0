"""Request Tracker's quirks on its emulator: what the shared suite cannot ask."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.api import CommentDraft
from connectors.emulators.rt import Quirks, RtEmulator
from connectors.emulators.server import Asked, Fault, Reply
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound
from connectors.profiled.connector import ProfiledConnector
from connectors.registry import open_connector
from tests.unit.connectors.conftest import Clock


@pytest.fixture
def rt(clock: Clock) -> Iterator[RtEmulator]:
    with RtEmulator(clock, people={"alice": "Alice Agent"}) as running:
        yield running


@pytest.fixture
def connector(rt: RtEmulator, here: Environment) -> Iterator[ProfiledConnector]:
    opened = open_connector("rt", {"url": rt.url, "queue": "ggus", "token": rt.token}, system="s", environment=here)
    assert isinstance(opened, ProfiledConnector)
    yield opened
    opened.close()


def test_a_ticket_with_many_comments_is_read_in_three_requests(rt: RtEmulator, connector: ProfiledConnector) -> None:
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x", "Description": "first"})
    for number in range(30):
        alice.comment(key, f"comment {number}")
    connector.fetch(key)
    before = rt.counts.total()
    found = connector.fetch(key, known=())
    assert len(found.comments or ()) == 30
    assert rt.counts.total() - before == 3
    before = rt.counts.total()
    connector.fetch(key, known=(), version=found.version)
    assert rt.counts.total() - before == 1, "nothing moved, nothing more is asked"


def test_a_ticket_of_many_transactions_and_texts_is_read_whole(rt: RtEmulator, connector: ProfiledConnector) -> None:
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x"})
    for number in range(230):
        alice.comment(key, f"comment {number}")
    assert [each.text for each in connector.fetch(key, known=()).comments or ()] == [f"comment {n}" for n in range(230)]


def test_texts_of_internal_comments_are_never_asked_for(rt: RtEmulator, connector: ProfiledConnector) -> None:
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x"})
    hidden = alice.comment(key, "CANARY", internal=True, files={"CANARY.txt": b"CANARY"})
    alice.comment(key, "for all", files={"all.txt": b"all"})
    rt.asked.clear()
    connector.fetch(key, known=())
    asked = [each for each in rt.asked if each.kind in ("texts", "file")]
    assert asked
    assert not any(f'"{hidden}"' in each.word("query") for each in asked)
    assert all('"TransactionId"' in each.word("query") for each in asked)


def test_a_comment_too_large_is_a_visible_gap_and_the_others_are_read(rt: RtEmulator, here: Environment) -> None:
    settings = {"url": rt.url, "queue": "ggus", "token": rt.token}
    small = replace(here, max_comment=1000, max_answer=5000)
    connector = open_connector("rt", settings, system="s", environment=small)
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x"})
    alice.comment(key, "before")
    alice.comment(key, "x" * 8000)
    alice.comment(key, "after")
    found = connector.fetch(key, known=()).comments or ()
    assert [(each.text, each.too_large) for each in found] == [("before", False), ("", True), ("after", False)]


def test_a_description_that_cannot_change_is_asked_for_once(rt: RtEmulator, connector: ProfiledConnector) -> None:
    key = rt.tracker.person("alice").open({"Subject": "x", "Description": "one\ntwo"})
    assert connector.fetch(key).fields["Description"] == "one\ntwo"
    before = rt.counts.total()
    assert connector.fetch(key).fields["Description"] == "one\ntwo"
    assert rt.counts.total() - before == 1


def test_hidden_transactions_make_pages_short_and_nothing_is_missed(
    rt: RtEmulator, connector: ProfiledConnector
) -> None:
    """Rights are applied after paging: a page of a hundred may show three."""
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x"})
    for number in range(150):
        alice.comment(key, f"comment {number}", internal=number < 100)
    whole = rt.answer

    def shortened(asked: Asked) -> Reply:
        reply = whole(asked)
        if asked.kind == "history":
            reply.body["items"] = [each for each in reply.body["items"] if each["Type"] != "Comment"]
        return reply

    rt.answer = shortened  # type: ignore[method-assign]  # an RT where we lack ShowTicketComments
    found = connector.fetch(key, known=()).comments or ()
    assert [each.text for each in found] == [f"comment {n}" for n in range(100, 150)]


def test_people_come_with_their_names(rt: RtEmulator, connector: ProfiledConnector) -> None:
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x"})
    alice.comment(key, "hello")
    (comment,) = connector.fetch(key, known=()).comments or ()
    assert (comment.author.key, comment.author.name) == ("alice", "Alice Agent")


def test_a_change_of_owner_is_told_by_log_ins(rt: RtEmulator, connector: ProfiledConnector) -> None:
    alice = rt.tracker.person("alice")
    key = alice.open({"Subject": "x"})
    alice.edit(key, {"Owner": "bob"})
    alice.edit(key, {"Owner": "Nobody"})
    history = connector.fetch(key, known=()).history
    assert [(each.field, each.old, each.new) for each in history] == [("Owner", None, "bob"), ("Owner", "bob", None)]


def test_our_own_reply_reopens_and_the_profile_says_so(rt: RtEmulator, connector: ProfiledConnector) -> None:
    assert connector.capabilities.side_effects == {"comment": {"Status": {"new": "open", "resolved": "open"}}}
    key = rt.tracker.person("alice").open({"Subject": "x", "Status": "resolved"})
    connector.comment(key, CommentDraft("still broken"), token="T-1")
    assert connector.fetch(key).fields["Status"] == "open"


def test_a_ticket_moved_out_of_sight_is_gone_and_a_closed_queue_is_an_access_error(
    rt: RtEmulator, connector: ProfiledConnector
) -> None:
    alice = rt.tracker.person("alice")
    key, other = alice.open({"Subject": "x"}), alice.open({"Subject": "y"})
    connector.fetch(other)  # a process learns the queue's id once
    alice.move(key)
    with pytest.raises(NotFound):
        connector.fetch(key)
    with pytest.raises(NotFound):
        connector.update(key, {"Subject": "z"}, held=None)
    rt.queue = "another"
    with pytest.raises(AccessError):
        connector.fetch(key)
    assert connector.fetch(other).key == other


def test_a_right_that_is_missing_is_an_access_error_and_not_a_lost_ticket(
    rt: RtEmulator, connector: ProfiledConnector
) -> None:
    key = rt.tracker.person("alice").open({"Subject": "x"})
    rt.fault = lambda asked: Fault("refuse", status=403) if asked.kind in ("update", "comment") else None
    with pytest.raises(AccessError, match="a right is missing"):
        connector.update(key, {"Subject": "z"}, held=None)
    with pytest.raises(AccessError, match="a right is missing"):
        connector.comment(key, CommentDraft("x"), token="T-1")


def test_a_queue_without_the_field_for_our_token_is_found_by_the_probe(
    rt: RtEmulator, connector: ProfiledConnector
) -> None:
    rt.quirks = Quirks(custom_field=False)
    failed = [each for each in connector.probe() if not each.ok]
    assert any("ExternalId" in each.sentence and each.remedy for each in failed)


def test_a_token_that_does_not_tell_whose_it_is_asks_for_the_account(rt: RtEmulator, here: Environment) -> None:
    settings = {"url": rt.url, "queue": "ggus", "token": "opaque"}
    rt.accounts["opaque"] = "ggus-sync"
    blind = open_connector("rt", settings, system="s", environment=here)
    assert [each.ok for each in blind.probe()] == [False]
    told = open_connector("rt", {**settings, "account": "ggus-sync"}, system="s", environment=here)
    assert all(each.ok for each in told.probe())


def test_a_hostile_queue_name_stays_a_name(rt: RtEmulator, here: Environment) -> None:
    name = "x' OR id > 0 OR Queue = 'y\\"
    connector = open_connector("rt", {"url": rt.url, "queue": name, "token": rt.token}, system="s", environment=here)
    rt.queue = name
    key = rt.tracker.person("alice").open({"Subject": "x"})
    assert [each.key for each in connector.scan("").changes] == [key]
    query = next(each.word("query") for each in reversed(rt.asked) if each.kind == "list")
    assert query.startswith(r"Queue = 'x\' OR id > 0 OR Queue = \'y\\' AND id > 0")
