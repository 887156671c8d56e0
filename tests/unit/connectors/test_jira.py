"""What is peculiar to Jira: minutes and zones, a search that lags, screens, labels, and a limit of its pace."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.api import CommentDraft, Connector, Cursor, Lookup, RemoteTicket
from connectors.emulators.jira import JiraEmulator, Quirks
from connectors.environment import Environment
from connectors.registry import open_connector
from connectors.testing import listed
from tests.unit.connectors.conftest import Clock

OVERLAP = timedelta(minutes=5)


@pytest.fixture(params=[False, True], ids=["data center", "cloud"])
def jira(clock: Clock, request: pytest.FixtureRequest) -> Iterator[JiraEmulator]:
    with JiraEmulator(clock, people=["bob"], quirks=Quirks(cloud=request.param)) as running:
        yield running


@pytest.fixture
def connector(jira: JiraEmulator, here: Environment) -> Connector:
    return opened(jira, here)


def opened(jira: JiraEmulator, here: Environment) -> Connector:
    settings = {"url": jira.url, "project": "GGUS", "token": jira.token}
    if jira.quirks.cloud:
        return open_connector("jira-cloud", {**settings, "account": "ggus-sync"}, system="s", environment=here)
    return open_connector("jira", settings, system="s", environment=here)


def poll(connector: Connector, cursor: Cursor) -> tuple[set[str], Cursor]:
    changes, after = listed(connector, Cursor(cursor.at - OVERLAP, cursor.position))
    return {each.key for each in changes}, replace(after, at=max(after.at, cursor.at))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"])
@pytest.mark.parametrize("around", ["2026-03-29T00:58:30Z", "2026-04-04T14:50:10Z", "2026-10-25T00:45:00Z"])
def test_neither_the_accounts_zone_nor_its_summer_time_loses_a_change(
    jira: JiraEmulator, connector: Connector, clock: Clock, zone: str, around: str
) -> None:
    jira.quirks = replace(jira.quirks, zone=zone)
    clock.at = datetime.fromisoformat(around)
    old = jira.tracker.person("alice").open(summary="old")
    clock.passes(seconds=1)
    cursor = connector.changes(None).cursor
    for number in range(15):
        clock.passes(minutes=9, seconds=number)
        key = jira.tracker.person("alice").open(summary=str(number))
        found, cursor = poll(connector, cursor)
        assert key in found
        assert old not in found


def test_a_quiet_jira_costs_one_request_a_poll(jira: JiraEmulator, connector: Connector, clock: Clock) -> None:
    jira.tracker.person("alice").open(summary="old")
    clock.passes(minutes=1)
    cursor = connector.changes(None).cursor
    before = jira.counts.total()
    for _ in range(20):
        clock.passes(minutes=1)
        _, cursor = poll(connector, cursor)
    assert jira.counts.total() - before == 20


def test_a_ticket_that_the_search_does_not_show_yet_is_unknown_and_then_found(
    jira: JiraEmulator, connector: Connector, clock: Clock
) -> None:
    jira.quirks = replace(jira.quirks, lag=timedelta(seconds=8))
    cursor = connector.changes(None).cursor
    clock.passes(seconds=20)
    began = clock()
    key = connector.create({"summary": "x"}, token="T-1").key
    assert connector.find("T-1", began) is Lookup.UNKNOWN
    assert listed(connector, cursor)[0] == []
    clock.passes(seconds=8)
    other = jira.tracker.person("alice").open(summary="y")
    found = connector.find("T-1", began)
    assert isinstance(found, RemoteTicket)
    assert found.key == key
    assert {each.key for each in listed(connector, cursor)[0]} == {key}
    clock.passes(seconds=8)
    assert other in {each.key for each in listed(connector, cursor)[0]}


def test_what_it_is_too_busy_to_read_is_asked_again(jira: JiraEmulator, here: Environment, clock: Clock) -> None:
    connector = opened(jira, here)
    jira.quirks = replace(jira.quirks, busy_every=3)
    cursor = connector.changes(None).cursor
    clock.passes(seconds=1)
    keys = {jira.tracker.person("alice").open(summary=str(number)) for number in range(250)}
    assert poll(connector, cursor)[0] == keys


def test_a_status_goes_by_a_transition_and_takes_along_what_its_screen_asks_for(
    jira: JiraEmulator, connector: Connector
) -> None:
    ticket = connector.create({"summary": "x"}, token="T-1")
    bare = connector.update(ticket.key, {"status": "Resolved"}, held=ticket)
    assert bare.refused == {"status": "resolution: Resolution is required."}
    whole = connector.update(ticket.key, {"status": "Resolved", "resolution": "Done", "summary": "y"}, held=ticket)
    assert whole.refused == {}
    assert (whole.after.fields["status"], whole.after.fields["resolution"]) == ("Resolved", "Done")
    far = connector.update(ticket.key, {"status": "In Progress"}, held=whole.after)
    assert "it allows: Closed, Reopened" in far.refused["status"]


def test_our_token_is_a_label_that_people_do_not_see_and_our_writing_keeps(
    jira: JiraEmulator, connector: Connector
) -> None:
    ticket = connector.create({"summary": "x", "labels": ("grid",)}, token="T-1")
    assert (ticket.fields["labels"], ticket.token) == (("grid",), "T-1")
    written = connector.update(ticket.key, {"labels": ("grid", "urgent")}, held=ticket)
    assert written.refused == {}
    assert (written.after.fields["labels"], written.after.token) == (("grid", "urgent"), "T-1")
    assert "interdesk-T-1" in (jira.tracker.issue(ticket.key).fields["labels"] or ())


def test_our_comment_is_hidden_and_shown_again_by_an_edit(jira: JiraEmulator, connector: Connector) -> None:
    key = connector.create({"summary": "x"}, token="T-1").key
    made = connector.comment(key, CommentDraft("among us", internal=True), token="C-1").comment
    connector.edit_comment(key, made.id, CommentDraft("for all"), token="C-1")
    (shown,) = connector.fetch(key, known=()).comments or ()
    assert (shown.text, shown.internal, shown.token) == ("for all", False, "C-1")


def test_people_open_it_by_its_key_and_we_know_it_by_its_id(jira: JiraEmulator, connector: Connector) -> None:
    ticket = connector.create({"summary": "x"}, token="T-1")
    assert ticket.key == "1"
    assert ticket.address == f"{jira.url}/browse/GGUS-1"


def test_the_probe_tells_what_the_permission_scheme_does_not_grant(jira: JiraEmulator, connector: Connector) -> None:
    assert all(each.ok for each in connector.probe())
    jira.denied = frozenset({"TRANSITION_ISSUES", "ASSIGN_ISSUES"})
    found = {each.sentence: each for each in connector.probe()}
    lacking = found["the account may not change their status"]
    assert (lacking.ok, "grant it TRANSITION_ISSUES" in lacking.remedy) == (False, True)
    assert found["without the permission ASSIGN_ISSUES the account cannot say who is in charge of a ticket"].ok
