"""What Znuny's Generic Interface does with what it is asked, one quirk a test: the real one, and its emulator."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from connectors.emulators.znuny import ZnunyEmulator
from tests.peers.sites import ZnunySite


@dataclass(frozen=True)
class Service:
    """The web service, asked as our account."""

    url: str
    login: str
    password: str
    queue: str

    def ask(self, method: str, path: str, **words: Any) -> dict[str, Any]:
        said = {"UserLogin": self.login, "Password": self.password, **words}
        inside = {"params": said} if method == "GET" else {"json": said}
        answer = requests.request(method, self.url + path, timeout=300, **inside)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def open(self, **fields: Any) -> str:
        ticket = {"Title": "jobs fail", "Queue": self.queue, "State": "new", "Priority": "3 normal"}
        said = {"Ticket": {**ticket, "CustomerUser": "customer", **fields}, "Article": article("since noon")}
        return str(self.ask("POST", "/Ticket", **said)["TicketID"])

    def change(self, key: str, **words: Any) -> dict[str, Any]:
        return self.ask("PATCH", f"/Ticket/{key}", **words)

    def read(self, key: str, **words: Any) -> dict[str, Any]:
        wanted = {"AllArticles": 1, "Attachments": 1, "DynamicFields": 1, **words}
        found: dict[str, Any] = self.ask("POST", f"/Ticket/{key}", **wanted)["Ticket"][0]
        return found

    def search(self, **words: Any) -> list[str]:
        found = self.ask(
            "POST", "/TicketSearch", **{"Queues": [self.queue], "SortBy": "Changed", "OrderBy": "Up", **words}
        )
        return [str(key) for key in found.get("TicketID", [])]


def article(text: str, **more: Any) -> dict[str, Any]:
    return {"Subject": "a note", "Body": text, "ContentType": "text/plain; charset=utf8", **more}


def file(name: str, content: bytes) -> dict[str, Any]:
    inside = base64.b64encode(content).decode() or "="
    return {"Filename": name, "Content": inside, "ContentType": "application/octet-stream"}


@pytest.fixture(params=["emulated", pytest.param("real", marks=pytest.mark.peer)])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    if request.param == "real":
        site: ZnunySite = request.getfixturevalue("znuny")
        yield Service(site.url, site.login, site.password, site.queue)
        return
    with ZnunyEmulator(lambda: datetime.now(UTC), people=["agent"]) as emulator:
        yield Service(emulator.service, "ggus-sync", emulator.password, "ggus")


def code(answer: dict[str, Any]) -> str:
    return str(answer["Error"]["ErrorCode"])


def test_whatever_is_wrong_is_answered_with_200(service: Service) -> None:
    key = service.open()
    assert code(service.ask("POST", "/TicketSearch", Password="wrong")) == "TicketSearch.AuthFail"
    assert code(service.ask("POST", f"/Ticket/{key}", Password="wrong")) == "TicketGet.AuthFail"
    assert code(service.change(key, Password="wrong")) == "TicketUpdate.AuthFail"
    assert code(service.ask("POST", "/Ticket", Password="wrong")) == "TicketCreate.AuthFail"
    assert code(service.ask("POST", "/Ticket/999999999")) == "TicketGet.AccessDenied"
    assert code(service.change("999999999", Ticket={"Title": "x"})) == "TicketUpdate.AccessDenied"
    assert code(service.change(key, Ticket={"State": "no such"})) == "TicketUpdate.InvalidParameter"
    assert code(service.change(key, Ticket={"Owner": "nobody-known"})) == "TicketUpdate.InvalidParameter"
    assert code(service.change(key, Ticket={})) == "TicketUpdate.InvalidParameter"
    assert code(service.change(key, Article=article("x", Subject=""))) == "TicketUpdate.MissingParameter"
    assert code(service.change(key, Attachment=file("a", b"a"))) == "TicketUpdate.MissingParameter"
    assert code(service.ask("POST", "/Ticket", Ticket={"Title": "x"})) == "TicketCreate.MissingParameter"


def test_what_is_no_operation_is_answered_with_500_and_a_text(service: Service) -> None:
    for method, path, body in (
        ("POST", "/Nowhere", b"{}"),
        ("POST", "/Ticket", b"{broken"),
        ("POST", "/Ticket", b"{}"),
    ):
        answer = requests.request(method, service.url + path, data=body, timeout=300)
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/plain; charset=UTF-8")


def test_a_session_stands_for_the_credentials_and_tells_who_we_are(service: Service) -> None:
    session = service.ask("POST", "/Session")["SessionID"]
    key = service.open()
    only: dict[str, Any] = {"SessionID": session, "UserLogin": "", "Password": ""}
    assert service.read(key, **only)["Title"] == "jobs fail"
    facts = {row["Key"]: row["Value"] for row in service.ask("POST", "/SessionGet", **only)["SessionData"]}
    assert facts["UserLogin"] == "ggus-sync"
    assert facts["UserID"] == str(service.read(key)["CreateBy"])
    assert code(service.ask("POST", f"/Ticket/{key}", **only | {"SessionID": "gone"})) == "TicketGet.AuthFail"
    assert code(service.ask("POST", "/Session", Password="wrong")) == "SessionCreate.AuthFail"


def test_a_search_gives_ids_alone_of_which_many_are_read_at_once(service: Service) -> None:
    assert service.ask("POST", "/TicketSearch", Queues=[service.queue]) == {}
    keys = [service.open() for _ in range(3)]
    assert service.search(SortBy="TicketNumber") == keys
    assert service.search(SortBy="TicketNumber", OrderBy="Down") == keys[::-1]
    assert service.search(SortBy="TicketNumber", Limit=2) == keys[:2]
    found = service.ask("POST", f"/Ticket/{','.join(keys)}")["Ticket"]
    assert [row["TicketID"] for row in found] == [int(key) for key in keys], "numbers here, texts there"
    assert code(service.ask("POST", f"/Ticket/{keys[0]},999999999")) == "TicketGet.AccessDenied", "one spoils all"


def test_a_time_is_inclusive_and_what_is_no_time_matches_nothing_in_silence(service: Service) -> None:
    key = service.open()
    changed = service.read(key)["Changed"]
    after = datetime.fromisoformat(changed) + timedelta(seconds=1)
    assert service.search(TicketLastChangeTimeNewerDate=changed) == [key]
    assert service.search(TicketLastChangeTimeNewerDate=f"{after:%Y-%m-%d %H:%M:%S}") == []
    for wrong in ("2001-01-01T00:00:00Z", "2001-01-01", "junk"):
        assert service.search(TicketLastChangeTimeNewerDate=wrong) == []


def test_a_filter_that_is_unknown_or_said_in_a_query_is_passed_over_in_silence(service: Service) -> None:
    key = service.open()
    assert service.search(NoSuchFilter="x") == [key]
    assert service.search(DynamicField_NoSuchField={"Equals": "x"}) == [key]
    found = service.ask("GET", "/TicketSearch", Queues=service.queue, DynamicField_ExternalId="x")
    assert found == {"TicketID": [key]}
    assert service.search(DynamicField_ExternalId={"Equals": "x"}) == []
    service.change(key, DynamicField={"Name": "ExternalId", "Value": "x"})
    assert service.search(DynamicField_ExternalId={"Equals": "x"}) == [key]


def test_nothing_of_a_change_is_done_where_a_part_of_it_is_wrong(service: Service) -> None:
    key = service.open()
    assert code(service.change(key, Ticket={"Title": "new", "State": "no such"})) == "TicketUpdate.InvalidParameter"
    assert service.read(key)["Title"] == "jobs fail"


def test_an_empty_title_and_unknown_fields_are_passed_over_in_silence(service: Service) -> None:
    key = service.open()
    assert "Error" not in service.change(key, Ticket={"Title": "", "NoSuchField": "x"})
    assert service.read(key)["Title"] == "jobs fail"


def test_a_pending_state_needs_a_time_in_parts(service: Service) -> None:
    key = service.open()
    assert code(service.change(key, Ticket={"State": "pending reminder"})) == "TicketUpdate.MissingParameter"
    wrong = {"State": "pending reminder", "PendingTime": "2037-12-31 12:00:00"}
    assert code(service.change(key, Ticket=wrong)) == "TicketUpdate.InvalidParameter"
    right = {"Year": 2037, "Month": 12, "Day": 31, "Hour": 12, "Minute": 0}
    service.change(key, Ticket={"State": "pending reminder", "PendingTime": right})
    found = service.read(key)
    assert found["State"] == "pending reminder"
    assert found["RealTillTimeNotUsed"] == datetime(2037, 12, 31, 12, tzinfo=UTC).timestamp()
    service.change(key, Ticket={"State": "pending auto close+", "PendingTime": {"Diff": 60}})
    assert service.read(key)["State"] == "pending auto close+"


def test_articles_are_public_unless_they_say_otherwise_and_lose_what_is_blank_around_them(service: Service) -> None:
    key = service.open()
    for text in ("  for all\r\n  indented\n\n", "cut\0off"):
        service.change(key, Article=article(text))
    assert code(service.change(key, Article=article("0"))) == "TicketUpdate.MissingParameter"
    service.change(key, Article=article("for us", IsVisibleForCustomer=0))
    found = [(each["Body"], each["IsVisibleForCustomer"]) for each in service.read(key)["Article"]]
    assert found == [("since noon", 1), ("for all\n  indented", 1), ("cut", 1), ("for us", 0)]


def test_files_belong_to_articles_which_number_them_by_name_and_tell_equal_names_apart(service: Service) -> None:
    key = service.open()
    sent = [
        file("b.bin", b"b"),
        file("a.bin", b"first"),
        file("a.bin", b"second"),
        file("日本.bin", b"\0\1"),
        file("none", b""),
    ]
    service.change(key, Article=article("with files"), Attachment=sent)
    service.change(key, Article=article("with one"), Attachment=file("one", b"1"))
    _, many, one = service.read(key)["Article"]
    shown = [(row["FileID"], row["Filename"], base64.b64decode(row["Content"])) for row in many["Attachment"]]
    assert shown == [
        ("1", "a-1.bin", b"second"),
        ("2", "a.bin", b"first"),
        ("3", "b.bin", b"b"),
        ("4", "none", b""),
        ("5", "日本.bin", b"\0\1"),
    ]
    assert [(row["FileID"], row["FilesizeRaw"]) for row in one["Attachment"]] == [("1", "1")]
    (row,) = service.read(key, GetAttachmentContents=0)["Article"][2]["Attachment"]
    assert (row["Filename"], row["Content"]) == ("one", "")
    assert code(service.change(key, Article=article("x"), Attachment={**file("x", b"x"), "Content": ""})).endswith(
        "MissingParameter"
    )


def test_whoever_makes_a_ticket_owns_it_unless_somebody_else_is_named(service: Service) -> None:
    assert service.read(service.open())["Owner"] == "ggus-sync"
    assert service.read(service.open(Owner="root@localhost"))["Owner"] == "root@localhost"


def test_the_history_tells_most_changes_in_words_of_their_own(service: Service) -> None:
    key = service.open(Owner="root@localhost")
    service.change(key, Ticket={"Title": "still", "State": "open", "Priority": "4 high", "Owner": "agent"})
    (found,) = service.ask("POST", f"/TicketHistory/{key}")["TicketHistory"]
    told = {row["HistoryType"]: row["Name"] for row in found["History"]}
    assert told["TitleUpdate"] == "%%jobs fail%%still"
    assert told["StateUpdate"] == "%%new%%open%%"
    assert told["PriorityUpdate"] == "%%3 normal%%3%%4 high%%4"
    assert told["OwnerUpdate"].startswith("%%agent%%"), "and nobody knows who it was before"
