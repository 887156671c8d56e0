"""The emulated Jira keeps its documented quirks: whoever builds on it meets them."""

import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from connectors.emulators.jira import JiraEmulator, Quirks
from tests.unit.connectors.conftest import Clock


@pytest.fixture
def jira(clock: Clock) -> Iterator[JiraEmulator]:
    with JiraEmulator(clock, people=["bob"]) as running:
        yield running


def ask(
    jira: JiraEmulator, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    made = http.client.HTTPConnection(urlsplit(jira.url).netloc)
    credentials = "Basic Z2d1cy1zeW5jOmVtdWxhdGVkLXRva2Vu" if jira.quirks.cloud else f"Bearer {jira.token}"
    said = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    made.request(method, f"/rest/api/2{path}", said, {"Authorization": credentials, **(headers or {})})
    answer = made.getresponse()
    raw = answer.read()
    made.close()
    return answer.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw


def search(jira: JiraEmulator, jql: str, **words: object) -> Any:
    query = "".join(f"&{name}={quote(str(value))}" for name, value in words.items())
    return ask(jira, "GET", f"{'/search/jql' if jira.quirks.cloud else '/search'}?jql={quote(jql)}{query}")[1]


def test_an_absolute_time_is_read_to_the_minute_and_in_the_accounts_zone(jira: JiraEmulator, clock: Clock) -> None:
    jira.quirks = Quirks(zone="Asia/Kolkata")
    jira.tracker.person("alice").open(summary="x")
    clock.passes(seconds=30)
    found = search(jira, 'project = "GGUS" AND updated >= "2026/03/01 17:30"')
    assert [each["id"] for each in found["issues"]] == ["1"], "noon UTC is half past five there"
    assert found["issues"][0]["fields"]["updated"] == "2026-03-01T17:30:00.000+0530"
    assert search(jira, 'project = GGUS AND updated >= "2026/03/01 17:31"')["total"] == 0
    assert search(jira, 'project = GGUS AND updated >= "-1m"')["total"] == 1
    assert "Valid formats" in search(jira, 'updated >= "2026-03-01T12:00:00Z"')["errorMessages"][0]


def test_the_cloud_tells_no_total_and_goes_on_by_a_token(jira: JiraEmulator) -> None:
    jira.quirks = Quirks(cloud=True)
    for number in range(5):
        jira.tracker.person("alice").open(summary=str(number))
    first = search(jira, "project = GGUS ORDER BY id ASC", maxResults=3)
    rest = search(jira, "project = GGUS ORDER BY id ASC", maxResults=3, nextPageToken=first["nextPageToken"])
    assert "total" not in first
    assert [each["id"] for page in (first, rest) for each in page["issues"]] == ["1", "2", "3", "4", "5"]
    assert rest["isLast"]
    assert "Unbounded" in search(jira, "ORDER BY id")["errorMessages"][0]


def test_an_index_that_lags_shows_what_changed_only_later(jira: JiraEmulator, clock: Clock) -> None:
    jira.quirks = Quirks(lag=timedelta(seconds=10))
    jira.tracker.person("alice").open(summary="x")
    assert search(jira, "project = GGUS")["total"] == 0
    clock.passes(seconds=10)
    assert search(jira, "project = GGUS")["total"] == 1


def test_resolving_asks_for_a_resolution_on_its_own_screen(jira: JiraEmulator) -> None:
    jira.tracker.person("alice").open(summary="x")
    ways = ask(jira, "GET", "/issue/GGUS-1/transitions?expand=transitions.fields")[1]["transitions"]
    assert {each["name"]: list(each["fields"]) for each in ways}["Resolve Issue"] == ["resolution"]
    refused = ask(jira, "POST", "/issue/1/transitions", {"transition": {"id": "5"}})
    assert refused == (400, {"errorMessages": [], "errors": {"resolution": "Resolution is required."}})
    assert ask(jira, "PUT", "/issue/1", {"fields": {"status": {"name": "Resolved"}}})[0] == 400
    said = {"transition": {"id": "5"}, "fields": {"resolution": {"name": "Fixed"}}}
    assert ask(jira, "POST", "/issue/1/transitions", said)[0] == 204
    assert jira.tracker.issue("1").fields["status"] == "Resolved"


def test_a_comment_is_internal_by_a_property_that_is_shown_only_if_asked_for(jira: JiraEmulator) -> None:
    jira.tracker.person("alice").open(summary="x")
    properties = [{"key": "sd.public.comment", "value": {"internal": True}}]
    assert ask(jira, "POST", "/issue/1/comment", {"body": "hush", "properties": properties})[0] == 201
    plain = ask(jira, "GET", "/issue/1/comment")[1]["comments"]
    shown = ask(jira, "GET", "/issue/1/comment?expand=properties")[1]["comments"]
    assert ["properties" in each for each in (*plain, *shown)] == [False, True]
    assert shown[0]["properties"] == properties


def test_files_are_taken_only_with_the_header_against_forgery(jira: JiraEmulator) -> None:
    jira.tracker.person("alice").open(summary="x")
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\r\n--\x01\r\n--b--\r\n'
    sent = {"Content-Type": "multipart/form-data; boundary=b"}
    assert ask(jira, "POST", "/issue/1/attachments", form, sent)[0] == 403
    status, made = ask(jira, "POST", "/issue/1/attachments", form, {**sent, "X-Atlassian-Token": "no-check"})
    assert (status, made[0]["filename"]) == (200, "a.bin")
    assert ask(jira, "GET", f"/attachment/content/{made[0]['id']}")[1] == b"\x00\r\n--\x01"
