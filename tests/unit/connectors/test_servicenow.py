"""ServiceNow's emulator keeps to the Table API's habits, the bad ones too."""

from collections.abc import Iterator

import pytest
import requests

from connectors.emulators.servicenow import Quirks, ServiceNowEmulator
from tests.unit.connectors.conftest import Clock


@pytest.fixture
def now(clock: Clock) -> Iterator[ServiceNowEmulator]:
    with ServiceNowEmulator(clock, people=["alice", "bob"]) as running:
        yield running


def _ask(now: ServiceNowEmulator, method: str, path: str, body: object = None, **query: str) -> requests.Response:
    auth = (now.login, now.password)
    return requests.request(method, f"{now.url}/api/now{path}", json=body, params=query, auth=auth, timeout=120)


def _made(now: ServiceNowEmulator, **fields: str) -> str:
    key: str = _ask(now, "POST", "/table/incident", fields).json()["result"]["sys_id"]
    return key


def test_a_token_is_given_for_client_credentials_and_expires(now: ServiceNowEmulator, clock: Clock) -> None:
    said = {"grant_type": "client_credentials", "client_id": now.client_id, "client_secret": now.client_secret}
    bearer = requests.post(f"{now.url}/oauth_token.do", data=said, timeout=120).json()["access_token"]
    headers = {"Authorization": f"Bearer {bearer}"}
    assert requests.get(f"{now.url}/api/now/table/incident", headers=headers, timeout=120).status_code == 200
    clock.passes(minutes=31)
    late = requests.get(f"{now.url}/api/now/table/incident", headers=headers, timeout=120)
    assert (late.status_code, late.json()["error"]["message"]) == (401, "User Not Authenticated")
    wrong = requests.post(f"{now.url}/oauth_token.do", data={**said, "client_secret": "x"}, timeout=120)
    assert wrong.status_code == 401


def test_what_nobody_knows_is_passed_over_in_silence(now: ServiceNowEmulator) -> None:
    key = _made(now, short_description="jobs fail", urgency="urgent", no_such_field="x")
    shown = _ask(now, "GET", f"/table/incident/{key}").json()["result"]
    assert (shown["urgency"], "no_such_field" in shown) == ("3", False)
    found = _ask(now, "GET", "/table/incident", sysparm_query="no_such_column=1").json()["result"]
    assert [each["sys_id"] for each in found] == [key]


def test_resolving_without_a_reason_is_against_the_data_policy(now: ServiceNowEmulator) -> None:
    key = _made(now, short_description="jobs fail")
    refused = _ask(now, "PATCH", f"/table/incident/{key}", {"state": "6", "urgency": "1"})
    assert refused.status_code == 403
    assert refused.json()["error"]["detail"] == (
        "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes"
    )
    assert now.tracker.issue(key).fields["urgency"] == "3", "nothing of such a write is stored"
    whole = {"state": "6", "close_code": "Solution provided", "close_notes": "a new disk"}
    assert _ask(now, "PATCH", f"/table/incident/{key}", whole).json()["result"]["state"] == "6"


def test_a_journal_field_is_written_like_a_field_and_read_from_its_own_table(now: ServiceNowEmulator) -> None:
    key = _made(now, short_description="jobs fail")
    before = _ask(now, "GET", f"/table/incident/{key}").json()["result"]
    after = _ask(now, "PATCH", f"/table/incident/{key}", {"work_notes": "among us"}).json()["result"]
    assert int(after["sys_mod_count"]) > int(before["sys_mod_count"])
    assert after["work_notes"] == ""
    rows = _ask(now, "GET", "/table/sys_journal_field", sysparm_query=f"element_id={key}^ORDERBYsys_created_on")
    (row,) = rows.json()["result"]
    assert (row["element"], row["value"], row["sys_created_by"]) == ("work_notes", "among us", now.login)


def test_display_values_stand_beside_values_where_all_is_asked_for(now: ServiceNowEmulator) -> None:
    key = _made(now, short_description="jobs fail")
    now.tracker.person("alice").edit(key, assigned_to="bob")
    shown = _ask(now, "GET", f"/table/incident/{key}", sysparm_display_value="all").json()["result"]
    assert shown["state"] == {"display_value": "New", "value": "1"}
    assert shown["assigned_to"]["display_value"] == "Bob"
    assert shown["assigned_to"]["link"].endswith(shown["assigned_to"]["value"])


def test_a_file_hangs_on_the_incident_and_does_not_move_it(now: ServiceNowEmulator) -> None:
    key = _made(now, short_description="jobs fail")
    before = now.tracker.issue(key)
    sent = requests.post(
        f"{now.url}/api/now/attachment/file",
        params={"table_name": "incident", "table_sys_id": key, "file_name": "ünï.log"},
        data=b"\x00\xff",
        headers={"Content-Type": "text/plain"},
        auth=(now.login, now.password),
        timeout=120,
    )
    assert sent.status_code == 201
    row = sent.json()["result"]
    assert (row["file_name"], row["size_bytes"], row["table_sys_id"]) == ("ünï.log", "2", before.key)
    assert _ask(now, "GET", f"/attachment/{row['sys_id']}/file").content == b"\x00\xff"
    assert _ask(now, "GET", f"/table/incident/{key}").json()["result"]["sys_mod_count"] == "0"


def test_pages_are_linked_and_a_list_without_rows_may_be_missing(clock: Clock) -> None:
    with ServiceNowEmulator(clock, quirks=Quirks(most_rows=2, empty_is_missing=True)) as now:
        assert _ask(now, "GET", "/table/incident").status_code == 404
        for number in range(3):
            _made(now, short_description=str(number))
        first = _ask(now, "GET", "/table/incident", sysparm_query="ORDERBYDESCnumber", sysparm_limit="9")
        assert [each["number"] for each in first.json()["result"]] == ["INC0000003", "INC0000002"]
        assert first.headers["X-Total-Count"] == "3"
        rest = requests.get(first.links["next"]["url"], auth=(now.login, now.password), timeout=120).json()["result"]
        assert [each["number"] for each in rest] == ["INC0000001"]
