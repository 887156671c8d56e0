"""The REST door: what each noun does, and how it says no."""

import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from central.account import Scope
from central.desk.auth import Gate, digest
from tests.desk.house import AT, CZ, ROLES, SESAME
from tests.desk.served import Api, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.close()


def opened(served: Served, login: str = "alice", subject: str = "It is broken") -> tuple[int, str]:
    """Number and ETag of a new ticket."""
    answer = served.api(login).ask("POST", "/tickets", json={"subject": subject})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/tickets/{answer.json()['id']}"
    return answer.json()["id"], answer.headers["etag"]


def test_a_ticket_is_opened_read_and_changed_from_the_revision_that_was_read(served):
    number, tag = opened(served)
    carl = served.api("carl")
    read = carl.ask("GET", f"/tickets/{number}")
    assert read.headers["etag"] == tag == '"1"'
    assert read.json()["fields"]["submitter"] == "alice@example.org"
    assert carl.refused("PATCH", f"/tickets/{number}", json={"status": "in progress"})[0] == 428
    changed = carl.ask("PATCH", f"/tickets/{number}", json={"status": "in progress"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    late = {"json": {"priority": "urgent"}, "headers": {"If-Match": tag}}
    assert carl.refused("PATCH", f"/tickets/{number}", **late) == (
        412,
        f"ticket {number} is at revision 2, not 1: read it again",
    )
    for odd in ("1", 'W/"1"', '"x"', '"1", "2"'):
        assert carl.refused("PATCH", f"/tickets/{number}", json={}, headers={"If-Match": odd})[0] == 412
    any_of = carl.ask("PATCH", f"/tickets/{number}", json={"eta": None, "cc": ["a@x.org"]}, headers={"If-Match": "*"})
    assert any_of.json()["fields"]["cc"] == ["a@x.org"]
    wrong = carl.ask("PATCH", f"/tickets/{number}", json={"status": "new"}, headers={"If-Match": "*"})
    assert (wrong.status_code, wrong.json()["title"]) == (422, "Unprocessable Entity")


def test_tickets_are_searched_by_words_fields_and_anybodys_id(served):
    carl = served.api("carl")
    number = opened(served, subject="A quokka sits on the cable")[0]
    assert [each["id"] for each in carl.get("/tickets", q="QUOKKA cable")["items"]] == [number]
    assert carl.get("/tickets", q="uokka")["items"] == []
    assert number in [each["id"] for each in carl.get("/tickets", status=["new", "closed"], unit="TPM")["items"]]
    ours, shared = served.house.ours.id, served.house.shared.id
    assert [each["id"] for each in carl.get("/tickets", system="ngi-cz")["items"]] == [shared, ours]
    assert [each["id"] for each in carl.get("/tickets", disagrees_with="ngi-de")["items"]] == [served.house.theirs.id]
    for called in ("4711", "ngi-cz/4711", "#ngi-cz/4711"):
        assert ours in [each["id"] for each in carl.get("/tickets", called=called)["items"]]
    assert [each["id"] for each in carl.get("/tickets", called=str(ours))["items"]] == [ours]
    assert carl.get("/tickets", called="no such")["items"] == []
    assert carl.get("/tickets", changed_since="2030-01-01T00:00:00Z")["items"] == []


@pytest.mark.parametrize("since", ["1767225600", "-4687341530239", "0", "2026-03-02", "2026-03-02T08:00:00", "noon"])
def test_a_moment_is_written_out_with_its_zone(served, since):
    status, detail = served.api("carl").refused("GET", "/tickets", params={"changed_since": since})
    assert status == 422
    assert "changed_since" in detail


def test_lists_come_in_pages_that_follow_one_another(served):
    carl = served.api("carl")
    for _ in range(3):
        opened(served, subject="wombat")
    whole = [each["id"] for each in carl.get("/tickets", q="wombat")["items"]]
    pages, cursor = [], ""
    while True:
        page = carl.get("/tickets", q="wombat", limit=2, cursor=cursor)
        pages.append([each["id"] for each in page["items"]])
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == [whole[:2], whole[2:]]
    assert carl.refused("GET", "/tickets", params={"cursor": "eHl6"})[0] == 422
    assert carl.refused("GET", "/tickets", params={"limit": 0})[0] == 422


def pages(api, path: str, limit: int = 1) -> list[list[int]]:
    """The numbers of all that is there, page by page."""
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(path, limit=limit, cursor=cursor)
        found.append([each["id"] for each in page["items"]])
        cursor = page["next"]
    return found


def test_whoever_may_not_read_all_of_it_has_whole_pages_of_what_they_may(served):
    number, _ = opened(served)
    alice, carl = served.api("alice"), served.api("carl")
    for text, internal in (("one", False), (SESAME, True), ("two", False), (SESAME, True), ("three", False)):
        carl.ask("POST", f"/tickets/{number}/comments", json={"text": text, "internal": internal})
    one, note, two, other, three = [each["id"] for each in carl.get(f"/tickets/{number}/comments")["items"]]
    assert pages(carl, f"/tickets/{number}/comments", 2) == [[one, note], [two, other], [three]]
    assert pages(alice, f"/tickets/{number}/comments", 2) == [[one, two], [three]]
    whole = [each["id"] for each in alice.get(f"/tickets/{number}/history", limit=200)["items"]]
    told = pages(alice, f"/tickets/{number}/history", 2)
    assert [each for page in told for each in page] == whole
    assert {len(page) for page in told[:-1]} == {2}
    assert carl.refused("GET", f"/tickets/{number}/comments", params={"cursor": "eHl6"})[0] == 422


def test_what_is_dealt_with_meanwhile_lets_nothing_be_left_out_on_the_next_page(served):
    carl, house = served.api("carl"), served.house
    first, second = (house.bury(system, house.shared) for system in ("ngi-cz", "ngi-de"))
    page = carl.get("/deadletters", limit=3)
    assert [each["id"] for each in page["items"]] == [*house.letters, first]
    assert carl.ask("POST", f"/deadletters/{first}/verdict", json={"act": "retry"}).status_code == 204
    page = carl.get("/deadletters", limit=3, cursor=page["next"])
    assert ([each["id"] for each in page["items"]], page["next"]) == ([second], None)
    assert carl.refused("GET", "/deadletters", params={"cursor": "MTc"})[0] == 422
    assert pages(carl, "/holds") == [[each] for each in house.holds]


def test_a_conflict_that_is_decided_between_two_pages_hides_no_other(served):
    carl, house = served.api("carl"), served.house
    waiting = [*house.conflicts, house.hidden_conflict]
    waiting += [house.disagree("ngi-de", house.shared, field) for field in ("priority", "subject")]
    assert pages(carl, "/conflicts", 2) == [waiting[:2], waiting[2:4], waiting[4:]]
    assert pages(served.api("olga"), "/conflicts") == [[waiting[0]], [waiting[2]]]
    page = carl.get("/conflicts", limit=4)
    assert carl.ask("POST", f"/conflicts/{waiting[3]}/decision", json={"take": "ours"}).status_code == 200
    rest = carl.get("/conflicts", limit=4, cursor=page["next"])
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (waiting[4:], None)
    assert pages(carl, "/jobs") == [[each.id] for each in house.jobs]
    assert pages(served.api("olga"), "/deadletters") == [house.letters[:1]]


def test_the_conversation_is_read_added_to_changed_and_taken_back(served):
    number, _ = opened(served)
    alice, carl = served.api("alice"), served.api("carl")
    mine = alice.ask("POST", f"/tickets/{number}/comments", json={"text": "hello"}).json()
    note = carl.ask("POST", f"/tickets/{number}/comments", json={"text": SESAME, "internal": True}).json()
    assert alice.refused("POST", f"/tickets/{number}/comments", json={"text": "x", "internal": True})[0] == 403
    assert [each["text"] for each in carl.get(f"/tickets/{number}/comments")["items"]] == ["hello", SESAME]
    assert [each["text"] for each in alice.get(f"/tickets/{number}/comments")["items"]] == ["hello"]
    path = f"/tickets/{number}/comments/{mine['id']}"
    assert alice.ask("PATCH", path, json={"text": "hello!"}).json()["text"] == "hello!"
    assert alice.refused("GET", f"/tickets/{number}/comments/{note['id']}")[0] == 404
    assert carl.ask("PATCH", path, json={"internal": True}).json()["internal"] is True
    assert alice.refused("GET", path)[0] == 404
    assert carl.ask("PATCH", path, json={"internal": False}).json()["internal"] is False
    assert alice.ask("DELETE", path).status_code == 204
    gone = alice.get(path)
    assert (gone["text"], gone["deleted_at"] is not None) == ("", True)


def test_a_file_comes_up_raw_or_in_a_form_and_down_whole_or_in_part(served):
    number, _ = opened(served)
    alice = served.api("alice")
    data = bytes(range(256)) * 3000
    raw = alice.ask(
        "POST",
        f"/tickets/{number}/files",
        params={"name": "../etc/ünï.log"},
        data=iter([data[:100], data[100:]]),
        headers={"Content-Type": "text/plain; charset=x"},
    ).json()
    assert (raw["name"], raw["media_type"], raw["size"]) == ("ünï.log", "text/plain", len(data))
    form = {"file": ("a.svg", b"<svg onload='x'/>", "image/svg+xml")}
    sent = alice.ask("POST", f"/tickets/{number}/files", files=form).json()
    assert [each["name"] for each in alice.get(f"/tickets/{number}/files")["items"]] == ["ünï.log", "a.svg"]
    first = alice.get(f"/tickets/{number}/files", limit=1)
    second = alice.get(f"/tickets/{number}/files", limit=1, cursor=first["next"])
    assert [each["name"] for each in first["items"] + second["items"]] == ["ünï.log", "a.svg"]
    assert second["next"] is None
    path = f"/tickets/{number}/files/{raw['id']}/content"
    whole = alice.ask("GET", path)
    assert (whole.status_code, whole.content == data) == (200, True)
    assert whole.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BCn%C3%AF.log"
    assert whole.headers["x-content-type-options"] == "nosniff"
    for asked, start, end in (("bytes=0-0", 0, 1), ("bytes=262140-262149", 262140, 262150), ("bytes=-5", -5, None)):
        part = alice.ask("GET", path, headers={"Range": asked, "If-Range": whole.headers["etag"]})
        assert (part.status_code, part.content) == (206, data[start:end])
    assert alice.ask("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    assert alice.refused("GET", path, headers={"Range": f"bytes={len(data)}-"})[0] == 416
    svg = alice.ask("GET", f"/tickets/{number}/files/{sent['id']}/content")
    assert svg.headers["content-disposition"].startswith("attachment")
    assert svg.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert alice.refused("POST", f"/tickets/{number}/files", files={"other": b"x"})[0] == 422
    broken = {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}}
    assert alice.refused("POST", f"/tickets/{number}/files", **broken)[0] == 400


def test_a_file_whose_bytes_were_let_go_of_says_so(served):
    alice, store = served.api("alice"), served.house.store
    number, _ = opened(served)
    sent = alice.ask("POST", f"/tickets/{number}/files", params={"name": "job.log"}, data=b"gone by then").json()
    assert sent["gone_at"] is None
    [file] = store.read(lambda tx: tx.tickets.files(number))
    at = served.house.interdesk.clock() + timedelta(days=400)
    assert store.write(lambda tx: tx.traces.let_go(file, at))
    [told] = alice.get(f"/tickets/{number}/files")["items"]
    assert told == {**sent, "gone_at": at.isoformat().replace("+00:00", "Z")}
    status, detail = alice.refused("GET", f"/tickets/{number}/files/{file.id}/content")
    assert (status, detail) == (410, f"the bytes of file {file.id} were kept until {at:%Y-%m-%d}, and are here no more")


def test_whoever_may_not_read_a_note_is_not_told_when_it_was_written(served):
    number, _ = opened(served)
    alice, carl = served.api("alice"), served.api("carl")
    before = alice.get(f"/tickets/{number}")["changed_at"]
    carl.ask("POST", f"/tickets/{number}/comments", json={"text": SESAME, "internal": True})
    after = carl.get(f"/tickets/{number}")["changed_at"]
    assert after > before
    assert alice.get(f"/tickets/{number}")["changed_at"] == before
    since = {"changed_since": after}
    assert [each["id"] for each in carl.get("/tickets", **since)["items"]] == [number]
    assert alice.get("/tickets", **since)["items"] == []
    listed = {each["id"]: each["changed_at"] for each in alice.get("/tickets")["items"]}
    assert listed[number] == before
    carl.ask("PATCH", f"/tickets/{number}", json={"involve": ["eve@x.org"]}, headers={"If-Match": "*"})
    assert carl.get(f"/tickets/{number}")["changed_at"] > after
    assert alice.get(f"/tickets/{number}")["changed_at"] == before, "nor when whom they are not told of was involved"
    carl.ask("POST", f"/tickets/{number}/comments", json={"text": "we look"})
    assert alice.get(f"/tickets/{number}")["changed_at"] > after


def test_a_comment_comes_with_its_files_in_one_act(served):
    number, _ = opened(served)
    alice, carl = served.api("alice"), served.api("carl")
    path = f"/tickets/{number}/comments"
    files = [("file", ("a.log", b"one", "text/plain")), ("file", ("b.log", b"two", "text/plain"))]
    said = alice.ask("POST", path, data={"text": "see both"}, files=files)
    assert (said.status_code, said.json()["text"], said.json()["internal"]) == (201, "see both", False)
    hung = alice.get(f"/tickets/{number}/files")["items"]
    assert [(each["name"], each["comment"]) for each in hung] == [(n, said.json()["id"]) for n in ("a.log", "b.log")]
    note = {"text": SESAME, "internal": "true"}
    assert alice.refused("POST", path, data=note, files=files)[0] == 403
    noted = carl.ask("POST", path, data=note, files=files[:1]).json()
    (last,) = [each for each in carl.get(f"/tickets/{number}/files")["items"] if each["comment"] == noted["id"]]
    assert (noted["internal"], last["internal"]) == (True, True)
    assert len(alice.get(f"/tickets/{number}/files")["items"]) == 2
    assert [each["text"] for each in alice.get(path)["items"]] == ["see both"], "nothing of what was refused is there"


@pytest.mark.parametrize(
    ("data", "names", "status", "words"),
    [
        ({}, ("file",), 422, "/text"),
        ({"text": ""}, ("file",), 422, "/text"),
        ({"text": "x", "internal": "perhaps"}, ("file",), 422, "/internal"),
        ({"text": "x", "more": "y"}, ("file",), 422, "/more"),
        ({"text": "x"}, ("other",), 422, "`file`"),
        ({"text": "x"}, ("file",) * 5, 400, "Too many files"),
    ],
)
def test_a_comment_with_files_that_is_not_as_described_is_refused_with_a_sentence(served, data, names, status, words):
    number, _ = opened(served)
    files = [(name, ("a", b"x", "text/plain")) for name in names]
    answer = served.api("alice").refused("POST", f"/tickets/{number}/comments", data=data, files=files)
    assert answer[0] == status
    assert words in answer[1]
    assert served.api("alice").get(f"/tickets/{number}/comments")["items"] == []
    odd = {"data": b"x", "headers": {"Content-Type": "text/plain"}}
    assert served.api("alice").refused("POST", f"/tickets/{number}/comments", **odd)[0] == 415


def test_a_file_that_is_too_long_is_refused_before_it_is_read_to_its_end(served):
    number, _ = opened(served)
    most = 25 * 1024 * 1024
    piece = b"x" * 1024 * 1024
    for more in ({"data": (piece for _ in range(most // len(piece) + 1))}, {"files": {"file": b"x" * (most + 1)}}):
        status, detail = served.api("alice").refused("POST", f"/tickets/{number}/files", **more)
        assert status == 413, detail


def test_what_can_be_read_can_be_asked_about_without_its_content(served):
    number, _ = opened(served)
    alice = served.api("alice")
    file = alice.ask("POST", f"/tickets/{number}/files", params={"name": "a"}, data=b"12345").json()
    for path in (f"/tickets/{number}", f"/tickets/{number}/files/{file['id']}/content", "/tickets/999999"):
        read, asked = alice.ask("GET", path), alice.ask("HEAD", path)
        assert (asked.status_code, asked.content) == (read.status_code, b"")
        for header in ("content-length", "content-type", "etag"):
            assert asked.headers.get(header) == read.headers.get(header), (path, header)
    for path in ("/healthz", "/readyz", "/sign-in", "/soap?wsdl"):
        assert requests.head(f"{served.address}{path}", timeout=120).status_code == 200, path


def test_history_and_why_tell_what_happened(served):
    number, tag = opened(served)
    carl = served.api("carl")
    carl.ask("PATCH", f"/tickets/{number}", json={"priority": "urgent"}, headers={"If-Match": tag})
    told = carl.get(f"/tickets/{number}/history")["items"]
    assert [each["kind"] for each in told] == ["ticket created", "field changed"]
    assert (told[1]["by"], told[1]["data"]) == ("Carl", {"from": "less urgent", "to": "urgent"})
    why = carl.get(f"/tickets/{number}/why/priority")
    assert (why["value"], why["origin"]["who"], why["earlier"][0]["value"]) == ("urgent", "Carl", "less urgent")
    status, said = carl.refused("GET", f"/tickets/{number}/why/prority")
    assert (status, said.partition(";")[0]) == (404, "there is no field 'prority'")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"subject": "x", "subject": "y"}', 400, "says 'subject' twice"),
        (b'{"subject": NaN}', 400, "NaN"),
        (b'{"subject": 1e999}', 400, "too large"),
        (b'{"subject": ' + b"9" * 5000 + b"}", 400, "number"),
        (b"[" * 100_000, 400, "deep"),
        (b'{"subject": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "deep"),
        (b'{"subject": "\\ud800"}', 400, "half a character"),
        (b"\xff\xfe", 400, "not UTF-8"),
        (b"{", 400, "not JSON"),
        (b"", 422, "body"),
        (b'{"subject": 7}', 422, "subject"),
        (b'{"subject": "x", "colour": "red"}', 422, "colour"),
        (b'{"priority": "urgent"}', 422, "needs a subject"),
        (b'{"subject": "' + b"x" * 9_000_000 + b'"}', 413, "at most"),
    ],
)
def test_what_is_wrong_with_a_body_is_told(served, body, status, said):
    answer = served.api("alice").refused("POST", "/tickets", data=body, headers={"Content-Type": "application/json"})
    assert answer[0] == status, answer
    assert said in answer[1]


def test_every_no_is_a_problem_document(served):
    alice, nobody = served.api("alice"), served.api("")
    assert nobody.refused("GET", "/tickets")[0] == 401
    assert nobody.ask("GET", "/tickets").headers["www-authenticate"].startswith("Bearer")
    assert alice.refused("GET", "/nothing")[0] == 404
    assert alice.refused("GET", "/tickets/x")[0] == 404
    assert alice.refused("GET", "/tickets/999999")[0] == 404
    put = alice.ask("PUT", "/tickets")
    assert (put.status_code, put.json()["title"]) == (405, "Method Not Allowed")
    assert put.headers["allow"] == "GET, HEAD, POST"
    assert alice.ask("DELETE", "/tickets/1").headers["allow"] == "GET, HEAD, PATCH"
    assert "this address takes GET, HEAD, POST" in put.json()["detail"]
    assert alice.refused("POST", "/tickets", data="<x/>", headers={"Content-Type": "text/xml"})[0] == 415
    assert alice.refused("GET", "/systems")[0] == 403
    for shown in ("Basic YTpi", "Bearer nonsense", "Bearer "):
        assert nobody.refused("GET", "/me", headers={"Authorization": shown})[0] == 401


def test_a_post_with_a_key_is_carried_out_once(served):
    alice = served.api("alice")
    key = {"Idempotency-Key": "once"}
    first = alice.ask("POST", "/tickets", json={"subject": "platypus"}, headers=key)
    again = alice.ask("POST", "/tickets", json={"subject": "platypus"}, headers=key)
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"
    assert alice.refused("POST", "/tickets", json={"subject": "another"}, headers=key)[0] == 422
    assert len(alice.get("/tickets", q="platypus")["items"]) == 1
    carls = served.api("carl").ask("POST", "/tickets", json={"subject": "platypus"}, headers=key)
    assert carls.json()["id"] != first.json()["id"], "a key is its sender's own"
    refused = {"Idempotency-Key": "wrong-at-first"}
    assert alice.refused("POST", "/tickets", json={"priority": "urgent"}, headers=refused)[0] == 422
    assert alice.ask("POST", "/tickets", json={"subject": "mended"}, headers=refused).status_code == 201


def test_of_many_posts_with_one_key_at_once_one_is_carried_out(served):
    alice = served.api("alice")
    answers = []

    def ask():
        answers.append(alice.ask("POST", "/tickets", json={"subject": "echidna"}, headers={"Idempotency-Key": "many"}))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.status_code for each in answers} <= {201, 409}
    assert len(alice.get("/tickets", q="echidna")["items"]) == 1


def test_an_operator_applies_a_document_sees_the_diff_and_rolls_back(served):
    olga = served.api("olga")
    changed = CZ.replace("ops@example.cz", "desk@example.cz")
    planned = olga.ask("POST", "/documents", json={"text": changed, "dry_run": True}).json()["items"][0]
    assert (planned["change"], planned["revision"]) == ("changed", None)
    assert olga.ask("POST", "/documents", json={"text": changed}).json()["items"][0]["revision"] == 2
    assert olga.get("/documents/system/ngi-cz")["text"] == changed
    back = olga.ask("POST", "/documents/system/ngi-cz/revisions/1/rollback", json={})
    assert back.json()["items"][0]["revision"] == 3
    assert [each["revision"] for each in olga.get("/documents/system/ngi-cz/revisions")["items"]] == [1, 2, 3]
    path, seen = "/documents/system/ngi-cz/revisions", []
    page = olga.get(path, limit=2)
    while page["next"]:
        seen += page["items"]
        page = olga.get(path, limit=2, cursor=page["next"])
    assert [each["revision"] for each in (*seen, *page["items"])] == [1, 2, 3]
    wrong = olga.ask("POST", "/documents", json={"text": CZ.replace("queue: ggus", "queu: ggus")})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["place"].startswith("document:4:")


def test_documents_are_listed_page_by_page_as_far_as_they_may_be_read(served):
    olga, carl = served.api("olga"), served.api("carl")
    everything = carl.get("/documents/system")["items"]
    assert [each["name"] for each in everything] == ["ngi-cz", "ngi-de"]
    first = carl.get("/documents/system", limit=1)
    second = carl.get("/documents/system", limit=1, cursor=first["next"])
    assert (first["items"] + second["items"], second["next"]) == (everything, None)
    own = olga.get("/documents/system", limit=1)
    assert ([each["name"] for each in own["items"]], own["next"]) == (["ngi-cz"], None)
    for nonsense in ("!", "AA", "_w"):
        assert carl.refused("GET", f"/documents/system?cursor={nonsense}")[0] == 422


def test_the_life_of_a_system_and_what_waits_are_in_reach(served):
    olga, carl = served.api("olga"), served.api("carl")
    assert olga.ask("POST", "/systems/ngi-cz/acts", json={"act": "pause", "why": "disks"}).json()["state"] == "paused"
    assert olga.ask("POST", "/systems/ngi-cz/acts", json={"act": "resume"}).json()["state"] == "live"
    assert olga.refused("POST", "/systems/ngi-cz/acts", json={"act": "release"})[0] == 409
    letter = olga.get("/deadletters")["items"][0]
    assert letter["error"] == "ngi-cz refuses it"
    assert olga.ask("POST", f"/deadletters/{letter['id']}/verdict", json={"act": "retry"}).status_code == 204
    conflict = olga.get("/conflicts", system="ngi-cz")["items"][0]
    assert olga.ask("POST", f"/conflicts/{conflict['id']}/decision", json={"take": "ours"}).status_code == 200
    hold = olga.get("/holds")["items"][0]
    judged = olga.ask("POST", f"/holds/{hold['id']}/judgement", json={"say": "approve"}).json()
    assert (judged["state"], judged["decided_by"]) == ("approved", "olga")
    job = olga.ask("POST", "/jobs", json={"kind": "backfill", "system": "ngi-cz", "params": {"dry_run": True}}).json()
    assert olga.ask("POST", f"/jobs/{job['id']}/turn", json={"act": "pause"}).json()["state"] == "paused"
    bad = {"kind": "backfill", "system": "ngi-cz", "params": {"direction": "up"}}
    assert olga.refused("POST", "/jobs", json=bad)[0] == 422
    assert olga.get(f"/jobs/{job['id']}/report") == {"items": [], "next": None}
    assert carl.ask("POST", "/status/stop", json={"act": "stop", "why": "storm"}).json()["stopped"] == "carl: storm"
    assert carl.ask("POST", "/status/stop", json={"act": "let go"}).json()["stopped"] == ""
    acts = [each["act"] for each in carl.get("/audit", limit=200)["items"]]
    assert {"stop everything", "go on", "pause", "retry", "resolve a conflict", "start backfill"} <= set(acts)


def test_whoever_runs_a_system_says_what_became_of_a_comment_whose_answer_was_lost(served):
    house, olga = served.house, served.api("olga")
    number, plain = house.lose("ngi-cz", house.shared, "we look into it"), house.bury("ngi-cz", house.ours)
    path = f"/deadletters/{number}"
    assert olga.get(path)["awaits"] == "we look into it"
    assert olga.get(f"/deadletters/{plain}")["awaits"] is None
    for wrong in ({}, {"there": "7", "never": True}, {"there": ""}):
        assert olga.refused("POST", f"{path}/verdict", json={"act": "settle", **wrong})[0] == 422
    never = {"json": {"act": "settle", "never": True}}
    status, said = olga.refused("POST", f"/deadletters/{plain}/verdict", **never)
    assert (status, "retry it, or discard it" in said) == (409, True)
    unread = olga.refused("POST", f"{path}/verdict", json={"act": "settle", "there": "7"})
    assert unread[0] == 502, "rt.example.cz is asked which comments there are, and is not there"
    assert olga.ask("POST", f"{path}/verdict", **never).status_code == 204
    assert house.store.read(lambda tx: tx.links.find(house.shared.id, "ngi-cz").intents) == ()
    assert olga.refused("GET", path)[0] == 404, "it is tried again"
    (entry, *_) = house.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("olga", "settle a comment", f"dead letter {number}")


def test_events_come_as_they_happen_and_go_on_where_they_were_left(served):
    alice, carl = served.api("alice"), served.api("carl")
    stream = alice.ask("GET", "/events", stream=True)
    assert stream.headers["content-type"].startswith("text/event-stream")
    lines = stream.iter_lines(decode_unicode=True)
    begun = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
    number, _ = opened(served, subject="numbat")
    carl.ask("POST", f"/tickets/{number}/comments", json={"text": SESAME, "internal": True})
    carl.ask("POST", f"/tickets/{number}/comments", json={"text": "public"})
    opened(served, "carl", "not for alice")
    alice.ask("POST", f"/tickets/{number}/comments", json={"text": "thanks"})
    kinds = []
    while len(kinds) < 3:
        line = next(lines)
        if line.startswith("event: "):
            kinds.append(line)
            assert f'"ticket":{number}' in [next(lines), next(lines)][1]
    stream.close()
    assert kinds == ["event: ticket created", "event: comment added", "event: comment added"]
    again = alice.ask("GET", "/events", stream=True, headers={"Last-Event-ID": begun})
    told = (line for line in again.iter_lines(decode_unicode=True) if line.startswith("event: "))
    assert [next(told) for _ in kinds] == kinds
    again.close()
    assert alice.refused("GET", "/events", headers={"Last-Event-ID": "x"})[0] == 422


def test_one_account_listens_to_five_streams_and_takes_nobody_elses_place(served):
    lena = Api(served.address, served.house.token("lena", grants=[ROLES["alice"]]))
    streams = [lena.ask("GET", "/events", stream=True) for _ in range(5)]
    assert [each.status_code for each in streams] == [200] * 5
    more = lena.ask("GET", "/events")
    assert (more.status_code, more.headers["retry-after"]) == (429, "30")
    assert "close a stream first" in more.json()["detail"]
    other = served.api("carl").ask("GET", "/events", stream=True)
    assert other.status_code == 200
    for each in (*streams, other):
        each.close()
    lena.session.close()


def test_who_is_told_of_a_ticket_and_its_phone_are_for_those_who_read_internal_notes(served):
    carl, alice = served.api("carl"), served.api("alice")
    made = alice.ask("POST", "/tickets", json={"subject": "It is broken", "phone": "+420 1234"}).json()
    number = made["id"]
    assert "phone" not in made["fields"]
    changed = carl.ask("PATCH", f"/tickets/{number}", json={"involve": ["eve@x.org"]}, headers={"If-Match": "*"})
    assert changed.json()["fields"]["involve"] == ["eve@x.org"]
    assert carl.get(f"/tickets/{number}")["fields"]["phone"] == "+420 1234"
    answers = [
        alice.get(f"/tickets/{number}"),
        alice.get("/tickets", called=str(number))["items"][0],
        alice.get("/tickets", limit=200),
        alice.get(f"/tickets/{number}/history"),
    ]
    assert not [answer for answer in answers if "eve@x.org" in str(answer) or "+420" in str(answer)]
    assert alice.refused("GET", f"/tickets/{number}/why/involve")[0] == 404
    assert carl.get(f"/tickets/{number}/why/involve")["value"] == ["eve@x.org"]


def test_whoever_listens_is_let_go_at_once_when_the_process_ends(tmp_path):
    served = Served(tmp_path)
    stream = served.api("alice").ask("GET", "/events", stream=True)
    lines = stream.iter_lines(decode_unicode=True)
    assert next(lines) == "retry: 3000"
    served.close()
    assert [line for line in lines if line.startswith("event")] == []  # to its end, in order: what is cut off raises


def test_another_file_under_the_same_key_is_refused(served):
    number, _ = opened(served)
    key, alice = {"Idempotency-Key": "file", "Content-Type": "text/plain"}, served.api("alice")

    def attach(data):
        return alice.ask("POST", f"/tickets/{number}/files?name=a.log", data=data, headers=key)

    first = attach(b"one" * 100_000)
    assert first.status_code == 201
    assert attach(b"one" * 100_000).json() == first.json()
    assert attach(b"two" * 100_000).status_code == 422
    assert attach(b"one" * 99_999).status_code == 422
    assert len(alice.get(f"/tickets/{number}/files")["items"]) == 1


def test_an_answer_that_was_kept_is_not_told_to_whoever_may_do_something_else_by_now(served):
    key = {"Idempotency-Key": "kept"}
    wide = Api(served.address, served.house.token("alice", *Scope))
    made = wide.ask("POST", "/tickets", json={"subject": "kiwi"}, headers=key)
    assert wide.ask("POST", "/tickets", json={"subject": "kiwi"}, headers=key).json() == made.json()
    narrow = Api(served.address, served.house.token("alice", Scope.SYSTEMS_READ))
    refused = narrow.ask("POST", "/tickets", json={"subject": "kiwi"}, headers=key)
    assert refused.status_code == 409
    assert "kiwi" not in refused.text
    grants = served.house.store.read(lambda tx: tx.accounts.find("alice").grants)
    for held, status in ((frozenset(), 409), (grants, 201)):
        served.house.store.write(lambda tx, held=held: tx.accounts.save(tx.accounts.find("alice").evolve(grants=held)))
        assert wide.ask("POST", "/tickets", json={"subject": "kiwi"}, headers=key).status_code == status
    for each in (wide, narrow):
        each.session.close()


def test_a_stream_ends_with_its_token_though_nothing_happens(served):
    text = served.house.token("alice", Scope.TICKETS_READ)
    stream = Api(served.address, text).ask("GET", "/events", stream=True)
    lines = stream.iter_lines(decode_unicode=True)
    next(lines)

    def revoke(tx):
        token = tx.accounts.find_token(digest(text))
        tx.accounts.save_token(replace(token, revoked_at=AT))

    served.house.store.write(revoke)
    told = list(lines)
    assert "event: end" in told
    assert ": beat" not in told, "it is not left open until it would have said that it is alive"
    stream.close()


def test_the_description_and_its_page_come_from_here_alone(served):
    session = served.api("").session
    described = session.get(f"{served.address}/openapi.json", timeout=120).json()
    assert described["openapi"].startswith("3.1")
    page = session.get(f"{served.address}/api/", timeout=120)
    assert not re.search(r"<script|\bon\w+=|style=|src=", page.text)
    assert re.findall(r'href="([^"]*)"', page.text) == ["/api/reference.css", "/openapi.json"]
    assert "/api/v1/tickets/{ticket}/comments" in page.text
    assert session.get(f"{served.address}/api/reference.css", timeout=120).status_code == 200


def test_a_session_changes_nothing_without_the_token_of_its_forms(served):
    gate = Gate(served.house.store, served.house.interdesk.clock)
    served.house.token("alice")
    cookie, _ = gate.accept(gate.invite("alice"))
    session, url = served.api("").session, f"{served.address}/api/v1/tickets"
    told = {"cookies": {"interdesk": cookie}, "timeout": 20}
    assert session.get(url, **told).status_code == 200
    assert session.post(url, json={"subject": "x"}, **told).status_code == 403
    shown = {"X-Form-Token": gate.form_token(cookie)}
    assert session.post(url, json={"subject": "x"}, headers=shown, **told).status_code == 201
    stranger = {**shown, "Origin": "https://evil.example"}
    assert session.post(url, json={"subject": "x"}, headers=stranger, **told).status_code == 403


def test_nobody_says_of_themselves_from_where_they_come(served):
    session = served.api("").session
    for number in range(40):  # more than one source may try
        shown = {"Authorization": f"Bearer idk_guess-{number}", "X-Forwarded-For": f"192.0.2.{number}"}
        answer = session.get(f"{served.address}/api/v1/me", headers=shown, timeout=120)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    served.house.store.write(lambda tx: tx.tries.prune(served.house.interdesk.clock() + timedelta(days=1)))
