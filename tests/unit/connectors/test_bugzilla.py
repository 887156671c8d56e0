"""Bugzilla's quirks on its emulator: what the shared suite cannot ask."""

from collections.abc import Iterator

import pytest

from connectors.api import CommentDraft, RemoteTicket
from connectors.emulators.bugzilla import BugzillaEmulator
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound, Refused
from connectors.profiled.connector import ProfiledConnector
from connectors.registry import open_connector
from connectors.testing.stand import draft
from tests.unit.connectors.conftest import Clock


@pytest.fixture
def bugzilla(clock: Clock) -> Iterator[BugzillaEmulator]:
    with BugzillaEmulator(clock, people=["alice", "bob"]) as running:
        yield running


def opened(bugzilla: BugzillaEmulator, here: Environment, **more: str) -> ProfiledConnector:
    settings = {"url": bugzilla.url, "product": "Grid", "component": "Middleware", "key": bugzilla.key, **more}
    found = open_connector("bugzilla", settings, system="s", environment=here)
    assert isinstance(found, ProfiledConnector)
    return found


@pytest.fixture
def connector(bugzilla: BugzillaEmulator, here: Environment) -> Iterator[ProfiledConnector]:
    found = opened(bugzilla, here)
    yield found
    found.close()


def read(connector: ProfiledConnector, key: str) -> RemoteTicket:
    return connector.fetch(key, known=())


def test_what_bugzilla_writes_itself_where_a_file_comes_is_no_comment_and_not_in_one(
    bugzilla: BugzillaEmulator, connector: ProfiledConnector
) -> None:
    alice = bugzilla.tracker.person("alice")
    key = alice.open(summary="jobs fail", description="since noon")
    alice.comment(key, "see the log", files={"ce.log": b"log"})
    alice.comment(key, "Created attachment is what it says")
    texts = [each["text"] for each in bugzilla._comments(bugzilla.tracker.issue(key))]
    assert texts[1].startswith("Created attachment ")
    ticket = read(connector, key)
    assert ticket.fields["description"] == "since noon"
    assert [each.text for each in ticket.comments or ()] == ["see the log", "Created attachment is what it says"]
    assert [file.name for file in (ticket.comments or ())[0].files] == ["ce.log"]


def test_a_file_of_ours_leaves_no_comment_of_bugzillas_behind(
    bugzilla: BugzillaEmulator, connector: ProfiledConnector
) -> None:
    key = connector.create({"summary": "jobs fail"}, token="T-1").key
    connector.comment(key, CommentDraft("the log", files=(draft("ce.log", b"log"),)), token="C-1")
    assert len(list(bugzilla._comments(bugzilla.tracker.issue(key)))) == 3
    (comment,) = read(connector, key).comments or ()
    assert (comment.text, [each.name for each in comment.files]) == ("the log", ["ce.log"])


def test_an_attachment_for_insiders_is_nobodys_business(
    bugzilla: BugzillaEmulator, connector: ProfiledConnector
) -> None:
    alice = bugzilla.tracker.person("alice")
    key = alice.open(summary="jobs fail", description="since noon")
    alice.comment(key, "for insiders", internal=True, files={"secret.log": b"log", "more.log": b"log"})
    ticket = read(connector, key)
    assert [(each.internal, each.text, each.files) for each in ticket.comments or ()] == [(True, "", ())]
    assert ticket.files == ()


def test_a_bug_that_we_may_not_see_is_missing_and_a_wrong_key_is_an_alarm(
    bugzilla: BugzillaEmulator, connector: ProfiledConnector, here: Environment
) -> None:
    alice = bugzilla.tracker.person("alice")
    key = alice.open(summary="jobs fail")
    alice.move(key)  # into a group that we are not in: the same status as for a wrong key
    with pytest.raises(NotFound):
        read(connector, key)
    with pytest.raises(AccessError):
        opened(bugzilla, here, key="wrong-secret").fetch(key, known=())


def test_nobody_has_the_name_that_the_site_gives_it(bugzilla: BugzillaEmulator, here: Environment) -> None:
    bugzilla.people.add("triage@example.org")
    connector = opened(bugzilla, here, nobody="triage@example.org")
    ticket = connector.create({"summary": "jobs fail", "assigned_to": "bob"}, token="T-1")
    written = connector.update(ticket.key, {"assigned_to": None}, held=ticket)
    assert bugzilla.tracker.issue(ticket.key).fields["assigned_to"] == "triage@example.org"
    assert written.after.fields["assigned_to"] is None
    connector.close()


def test_a_resolution_is_demanded_in_bugzillas_own_words(
    bugzilla: BugzillaEmulator, connector: ProfiledConnector
) -> None:
    ticket = connector.create({"summary": "jobs fail"}, token="T-1")
    written = connector.update(ticket.key, {"status": "RESOLVED"}, held=ticket)
    assert "resolution is required" in written.refused["status"]
    written = connector.update(ticket.key, {"status": "RESOLVED", "resolution": "FIXED"}, held=written.after)
    assert written.after.fields["status"] == "RESOLVED"
    again = connector.update(ticket.key, {"status": "CONFIRMED"}, held=written.after)
    assert again.after.fields["resolution"] is None


def test_two_creates_with_one_token_make_one_bug(bugzilla: BugzillaEmulator, connector: ProfiledConnector) -> None:
    connector.create({"summary": "jobs fail"}, token="T-1")
    with pytest.raises(Refused, match="already taken the alias"):
        connector.create({"summary": "jobs fail"}, token="T-1")
    assert len(bugzilla.tracker.issues) == 1
