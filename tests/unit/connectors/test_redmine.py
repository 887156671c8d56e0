"""Redmine's quirks on its emulator: what the shared suite cannot ask."""

from collections.abc import Iterator

import pytest

from connectors.api import CommentDraft
from connectors.emulators.redmine import Quirks, RedmineEmulator
from connectors.emulators.server import Fault
from connectors.environment import Environment
from connectors.errors import AccessError, Refused, Transient, Unknown, VersionConflict
from connectors.profiled.connector import ProfiledConnector
from connectors.registry import open_connector
from connectors.testing import draft
from tests.unit.connectors.conftest import Clock


@pytest.fixture
def redmine(clock: Clock) -> Iterator[RedmineEmulator]:
    with RedmineEmulator(clock, people=["alice", "bob"]) as running:
        yield running


@pytest.fixture
def connector(redmine: RedmineEmulator, here: Environment) -> Iterator[ProfiledConnector]:
    settings = {"url": redmine.url, "project": "ggus", "api_key": redmine.api_key}
    opened = open_connector("redmine", settings, system="s", environment=here)
    assert isinstance(opened, ProfiledConnector)
    yield opened
    opened.close()


def test_the_number_of_the_token_field_is_learned_from_the_project(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    assert connector.create({"subject": "x"}, token="T-1").token == "T-1"


def test_the_number_of_a_token_field_for_all_projects_is_learned_from_any_ticket(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    redmine.quirks = Quirks(names_fields=False)
    with pytest.raises(AccessError, match="ExternalId"):
        connector.create({"subject": "x"}, token="T-1")
    assert not redmine.tracker.issues
    redmine.tracker.person("alice").open(subject="first")
    assert connector.create({"subject": "x"}, token="T-1").token == "T-1"


def test_a_filter_that_is_passed_over_is_not_believed(redmine: RedmineEmulator, connector: ProfiledConnector) -> None:
    redmine.tracker.person("alice").open(subject="x")
    redmine.quirks = Quirks(filters_by_field=False)
    with pytest.raises(AccessError, match="filter"):
        connector.find("T-1", redmine.tracker.now())
    assert any("does not work" in each.sentence for each in connector.probe() if not each.ok)


def test_a_word_that_is_new_there_is_learned_and_one_that_is_not_is_refused(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    key = redmine.tracker.person("alice").open(subject="x")
    connector.describe()
    connector.fetch(key)
    before = redmine.counts["schema"]
    written = connector.update(key, {"priority": "Higher", "subject": "y"}, held=None)
    assert "it has: Low, Normal, High" in written.refused["priority"]
    assert written.applied == {"subject"}
    assert redmine.counts["schema"] - before == 1, "the list was read again, once"


def test_two_people_of_one_name_are_told_apart_by_number(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    key = redmine.tracker.person("alice").open(subject="x")
    redmine.members.append({"id": 77, "name": "bob"})
    written = connector.update(key, {"assigned_to": "bob"}, held=None)
    assert "more than once" in written.refused["assigned_to"]
    assert "77" in written.refused["assigned_to"]


def test_a_status_is_read_by_one_request_and_written_by_two(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    key = redmine.tracker.person("alice").open(subject="x")
    connector.describe()
    held = connector.fetch(key, known=())
    redmine.counts.clear()
    connector.update(key, {"status": "In Progress"}, held=held)
    connector.comment(key, CommentDraft("hello"), token="T-1")
    assert redmine.counts == {"update": 1, "comment": 1, "read": 2}


def test_files_are_uploaded_first_and_a_lost_upload_is_no_comment(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    key = redmine.tracker.person("alice").open(subject="x")
    connector.fetch(key)
    with_file = CommentDraft("with it", files=(draft("a.bin", b"abc"),))
    redmine.fault = lambda asked: Fault("lose") if asked.kind == "upload" else None
    with pytest.raises(Transient) as lost:
        connector.comment(key, with_file, token="T-1")
    assert not isinstance(lost.value, Unknown), "an upload that nobody refers to is nothing: it may be sent again"
    redmine.fault = None
    redmine.counts.clear()
    connector.comment(key, with_file, token="T-1")
    assert redmine.counts == {"upload": 1, "comment": 1, "read": 1}
    (comment,) = connector.fetch(key, known=()).comments or ()
    assert [each.name for each in comment.files] == ["a.bin"]


def test_files_of_a_hidden_comment_are_never_sent(redmine: RedmineEmulator, connector: ProfiledConnector) -> None:
    key = redmine.tracker.person("alice").open(subject="x")
    redmine.counts.clear()
    hidden = CommentDraft("among us", internal=True, files=(draft("a.bin", b"abc"),))
    with pytest.raises(Refused) as refused:
        connector.comment(key, hidden, token="T-1")
    assert refused.value.field == "files"
    assert not redmine.counts


def test_a_file_that_is_deleted_again_is_not_listed(redmine: RedmineEmulator, connector: ProfiledConnector) -> None:
    alice = redmine.tracker.person("alice")
    key = alice.open(subject="x")
    alice.comment(key, "two files", files=[("a", b"1"), ("b", b"2")])
    redmine.tracker.issues[key].notes[0].files.pop(0)
    (comment,) = connector.fetch(key, known=()).comments or ()
    assert [each.name for each in comment.files] == ["b"]


def test_an_entry_without_words_and_files_is_no_comment(redmine: RedmineEmulator, connector: ProfiledConnector) -> None:
    alice = redmine.tracker.person("alice")
    key = alice.open(subject="x")
    alice.edit(key, subject="y")
    ticket = connector.fetch(key, known=())
    assert ticket.comments == ()
    assert [(each.field, each.old, each.new) for each in ticket.history] == [("subject", "x", "y")]


def test_line_ends_come_back_as_they_went(redmine: RedmineEmulator, connector: ProfiledConnector) -> None:
    key = redmine.tracker.person("alice").open(subject="x", description="one\ntwo")
    held = connector.fetch(key)
    assert held.fields["description"] == "one\ntwo"
    written = connector.update(key, {"description": "three\nfour"}, held=held)
    assert written.applied == {"description"}
    assert written.after.fields["description"] == "three\nfour"


def test_a_write_at_the_same_moment_as_another_is_a_conflict_and_no_refusal(
    redmine: RedmineEmulator, connector: ProfiledConnector
) -> None:
    """Redmine answers 422 with an empty list of errors to the later of two writes; nothing of it is stored."""
    key = redmine.tracker.person("alice").open(subject="x")
    redmine.fault = lambda asked: Fault("refuse", status=422) if asked.method == "PUT" else None
    with pytest.raises(VersionConflict):
        connector.comment(key, CommentDraft("hello"), token="T-1")
    with pytest.raises(VersionConflict):
        connector.update(key, {"subject": "y"}, held=None)
    assert not redmine.tracker.issue(key).notes
