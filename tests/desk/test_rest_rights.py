"""Who may ask what of the REST door: every route, every role; and what no answer ever holds."""

import json
import re

import pytest

from central.account import Scope
from tests.desk.house import CZ, DE, SESAME
from tests.desk.served import Api, Served

PEOPLE = ("alice", "sue", "olga", "tess", "carl", "aude")
"""A user, a supporter of NGI_CZ, an operator and a tester of ngi-cz, the central team, an auditor."""
OURS, THEIRS = "{ours}", "{theirs}"
OTHER = "{other}"
"""A ticket that is nobody's but Bob's, in no system."""
WINDOW = {"act": "announce maintenance", "begins_at": "2098-12-31T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"}
SIGN = {"json": {"side": "system", "digest": "of something else"}}
SETTLE = {"json": {"act": "settle", "never": True}}
EDIT = {"act": "edit", "changes": {"priority": "urgent"}}
CHANGE = {"json": {}, "headers": {"If-Match": "*"}}

# What each of them is answered, in the order of PEOPLE. 404 is what is told of what may not be seen.
TABLE = [
    ("GET", "/deadletters", {}, (403, 403, 200, 403, 200, 200)),
    ("GET", "/deadletters?system=ngi-de", {}, (403, 403, 404, 403, 200, 200)),
    ("GET", "/deadletters/{their_letter}", {}, (403, 403, 404, 403, 200, 200)),
    ("POST", "/deadletters/{their_letter}/verdict", SETTLE, (403, 403, 404, 403, 200, 403)),
    ("POST", "/deadletters/{their_letter}/verdict", {"json": {"act": "retry"}}, (403, 403, 404, 403, 204, 403)),
    ("POST", "/deadletters/{their_other_letter}/verdict", {"json": EDIT}, (403, 403, 404, 403, 204, 403)),
    ("GET", "/conflicts", {}, (403, 403, 200, 403, 200, 200)),
    ("POST", "/conflicts/{their_conflict}/decision", {"json": {"take": "ours"}}, (403, 403, 404, 403, 200, 403)),
    ("GET", "/me", {}, (200, 200, 200, 200, 200, 200)),
    ("GET", "/tickets", {}, (200, 200, 200, 403, 200, 200)),
    ("GET", "/tickets?system=ngi-cz", {}, (404, 404, 200, 403, 200, 200)),
    ("GET", "/tickets?system=ngi-de", {}, (404, 404, 404, 403, 200, 200)),
    ("POST", "/tickets", {"json": {"subject": "x"}}, (201, 201, 201, 403, 201, 403)),
    ("GET", f"/tickets/{OURS}", {}, (200, 200, 200, 403, 200, 200)),
    ("GET", f"/tickets/{THEIRS}", {}, (200, 200, 404, 403, 200, 200)),
    ("GET", f"/tickets/{OTHER}", {}, (404, 200, 404, 403, 200, 200)),
    ("PATCH", f"/tickets/{OURS}", CHANGE, (200, 200, 200, 403, 200, 403)),
    ("PATCH", f"/tickets/{OURS}", {**CHANGE, "json": {"eta": None}}, (403, 200, 200, 403, 200, 403)),
    ("PATCH", f"/tickets/{OURS}", {**CHANGE, "json": {"notification": "never"}}, (200, 200, 200, 403, 200, 403)),
    ("PATCH", f"/tickets/{OTHER}", {**CHANGE, "json": {"notification": "never"}}, (404, 403, 404, 403, 200, 403)),
    ("PATCH", f"/tickets/{THEIRS}", {**CHANGE, "json": {"eta": None}}, (403, 403, 404, 403, 200, 403)),
    ("GET", f"/tickets/{OURS}/comments", {}, (200, 200, 200, 403, 200, 200)),
    ("GET", f"/tickets/{OTHER}/comments", {}, (404, 200, 404, 403, 200, 200)),
    ("POST", f"/tickets/{OURS}/comments", {"json": {"text": "x"}}, (201, 201, 201, 403, 201, 403)),
    ("POST", f"/tickets/{OURS}/comments", {"json": {"text": SESAME, "internal": True}}, (403, 201, 201, 403, 201, 403)),
    ("POST", f"/tickets/{THEIRS}/comments", {"json": {"text": "x"}}, (201, 403, 404, 403, 201, 403)),
    ("GET", f"/tickets/{OURS}/comments/{{note}}", {}, (404, 200, 200, 403, 200, 200)),
    ("PATCH", f"/tickets/{OURS}/comments/{{note}}", {"json": {}}, (404, 200, 200, 403, 200, 200)),
    ("PATCH", f"/tickets/{OURS}/comments/{{note}}", {"json": {"text": SESAME}}, (404, 200, 200, 403, 200, 403)),
    ("DELETE", f"/tickets/{OURS}/comments/{{spoken}}", {}, (403, 204, 204, 403, 204, 403)),
    ("GET", f"/tickets/{OURS}/files", {}, (200, 200, 200, 403, 200, 200)),
    ("POST", f"/tickets/{OURS}/files", {"data": b"x"}, (201, 201, 201, 403, 201, 403)),
    ("POST", f"/tickets/{THEIRS}/files", {"data": b"x"}, (201, 403, 404, 403, 201, 403)),
    ("GET", f"/tickets/{OURS}/files/{{secret}}/content", {}, (404, 200, 200, 403, 200, 200)),
    ("GET", f"/tickets/{OURS}/history", {}, (200, 200, 200, 403, 200, 200)),
    ("GET", f"/tickets/{OURS}/links", {}, (200, 200, 200, 403, 200, 200)),
    ("GET", f"/tickets/{OURS}/why/status", {}, (200, 200, 200, 403, 200, 200)),
    ("GET", f"/tickets/{OTHER}/why/status", {}, (404, 200, 404, 403, 200, 200)),
    ("GET", "/systems", {}, (403, 403, 200, 200, 200, 200)),
    ("GET", "/systems/ngi-cz", {}, (403, 403, 200, 200, 200, 200)),
    ("GET", "/systems/ngi-de", {}, (403, 403, 404, 404, 200, 200)),
    ("POST", "/systems/ngi-cz/acts", {"json": {"act": "resume"}}, (403, 403, 200, 403, 200, 403)),
    ("POST", "/systems/ngi-de/acts", {"json": {"act": "resume"}}, (403, 403, 404, 404, 200, 403)),
    ("POST", "/systems/ngi-cz/acts", {"json": WINDOW}, (403, 403, 200, 403, 200, 403)),
    ("POST", "/systems/ngi-de/acts", {"json": WINDOW}, (403, 403, 404, 404, 200, 403)),
    ("POST", "/systems/ngi-de/check", {}, (403, 403, 404, 404, 200, 403)),
    ("GET", "/systems/ngi-cz/losses", {}, (403, 403, 200, 403, 200, 403)),
    ("GET", "/systems/ngi-de/losses", {}, (403, 403, 404, 403, 200, 403)),
    ("POST", "/systems/ngi-de/losses/signatures", SIGN, (403, 403, 404, 403, 200, 403)),
    ("GET", "/documents/system", {}, (403, 403, 200, 200, 200, 200)),
    ("GET", "/documents/system/ngi-de", {}, (403, 403, 404, 404, 200, 200)),
    ("GET", "/documents/mapping/redmine", {}, (403, 403, 404, 404, 200, 200)),
    ("GET", "/documents/system/ngi-de/revisions", {}, (403, 403, 404, 404, 200, 200)),
    ("GET", "/documents/system/ngi-de/revisions/1", {}, (403, 403, 404, 404, 200, 200)),
    ("POST", "/documents/system/ngi-de/revisions/1/rollback", {"json": {}}, (403, 403, 404, 404, 200, 403)),
    ("POST", "/documents", {"json": {"text": CZ}}, (403, 403, 200, 403, 200, 403)),
    ("POST", "/documents", {"json": {"text": DE}}, (403, 403, 403, 403, 200, 403)),
    ("GET", "/holds", {}, (403, 403, 200, 403, 200, 200)),
    ("GET", "/holds/{their_hold}", {}, (403, 403, 404, 403, 200, 200)),
    ("POST", "/holds/{their_hold}/judgement", {"json": {"say": "approve"}}, (403, 403, 404, 403, 200, 403)),
    ("GET", "/jobs", {}, (403, 403, 200, 403, 200, 200)),
    ("POST", "/jobs", {"json": {"kind": "scan", "system": "ngi-de"}}, (403, 403, 404, 404, 201, 403)),
    ("GET", "/jobs/{their_job}", {}, (403, 403, 404, 403, 200, 200)),
    ("GET", "/jobs/{their_job}/report", {}, (403, 403, 404, 403, 200, 200)),
    ("POST", "/jobs/{their_job}/turn", {"json": {"act": "pause"}}, (403, 403, 404, 403, 200, 403)),
    ("GET", "/status", {}, (403, 403, 200, 200, 200, 200)),
    ("POST", "/status/stop", {"json": {"act": "stop"}}, (403, 403, 403, 403, 200, 403)),
    ("GET", "/tokens", {}, (403, 403, 403, 403, 200, 200)),
    ("POST", "/tokens", {"json": {"name": "x", "scopes": ["people"]}}, (403, 403, 403, 403, 201, 403)),
    ("DELETE", "/tokens/{spare_token}", {}, (403, 403, 403, 403, 204, 403)),
    ("GET", "/audit", {}, (403, 403, 403, 403, 200, 200)),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def names(served):
    house = served.house
    bobs = served.api("carl").ask("POST", "/tickets", json={"subject": "Bob's", "submitter": "bob@example.org"}).json()
    spoken, note = house.store.read(lambda tx: tx.tickets.comments(house.ours.id))
    spare = served.api("carl").ask("POST", "/tokens", json={"name": "spare", "scopes": ["people"]}).json()
    secret = house.store.read(lambda tx: tx.tickets.files(house.ours.id))[1]
    return {
        "ours": house.ours.id,
        "theirs": house.theirs.id,
        "other": bobs["id"],
        "spoken": spoken.id,
        "note": note.id,
        "secret": secret.id,
        "their_letter": house.letters[1],
        "their_other_letter": house.bury("ngi-de", house.shared),
        "their_conflict": house.conflicts[1],
        "their_hold": house.holds[1],
        "their_job": house.jobs[1].id,
        "spare_token": spare["id"],
    }


def test_every_route_answers_every_role_as_the_table_says(served, names):
    wrong = []
    for method, path, more, wanted in TABLE:
        order = sorted(range(len(PEOPLE)), key=lambda place: PEOPLE[place] == "carl")  # who may do everything, last
        for place in order:
            answer = served.api(PEOPLE[place]).ask(method, path.format(**names), **more)
            # what cannot be done as things stand, or at a remote that is not there, was allowed
            got = 200 if answer.status_code in (409, 502) and wanted[place] == 200 else answer.status_code
            if got != wanted[place]:
                wrong.append((PEOPLE[place], method, path, answer.status_code, wanted[place], answer.text[:200]))
            answer.close()
    assert wrong == []


def test_the_table_speaks_of_every_route(served):
    described = served.api("").session.get(f"{served.address}/openapi.json", timeout=120).json()["paths"]
    there = {(method.upper(), path.removeprefix("/v1")) for path, methods in described.items() for method in methods}
    told = {(method, path.partition("?")[0]) for method, path, _, _ in TABLE}

    def shape(path: str) -> str:
        return re.sub(r"\{\w+\}", "*", path)

    told_shapes = {(method, tuple(shape(path).split("/"))) for method, path in told}
    missing = [
        (method, path)
        for method, path in sorted(there)
        if not any(
            method == other and len(parts) == len(path.split("/")) and _alike(shape(path).split("/"), parts)
            for other, parts in told_shapes
        )
    ]
    assert missing == [("GET", "/events")], "which test_rest tries, because it never ends"


def _alike(described: list[str], told: tuple[str, ...]) -> bool:
    return all(one in ("*", other) for one, other in zip(described, told, strict=True))


def everything(served: Served, login: str, names: dict[str, int]) -> str:
    """All that this person is answered by any address, good or bad."""
    texts = []
    paths = [path for method, path, _, _ in TABLE if method == "GET"]
    paths += [f"/tickets/{ticket}/{noun}" for ticket in (1, 2, 3) for noun in ("comments", "history", "links", "files")]
    paths += [f"/tickets/3/why/{field}" for field in ("status", "priority", "unit")]
    paths += ["/tickets?q=sesame", "/tickets?called=815", "/tickets?called=4711", "/systems/ngi-xx", "/tickets/3"]
    paths += [
        "/documents/mapping/nothing",
        "/documents/system/ngi-xx",
        "/deadletters?discarded=true",
        "/holds?decided=1",
    ]
    for path in paths:
        texts.append(f"{path.format(**names)} {served.api(login).ask('GET', path.format(**names)).text}")
    for more in (CZ.replace("[NGI_CZ]", "[NGI_CZ, NGI_DE]"), CZ.replace("mapping: rt", "mapping: redmine"), DE):
        texts.append(served.api(login).ask("POST", "/documents", json={"text": more, "dry_run": True}).text)
    stream = served.api(login).ask("GET", "/events", stream=True, headers={"Last-Event-ID": "0"})
    last = served.house.store.read(lambda tx: tx.tickets.newest_event())
    if stream.status_code == 200:
        for line in stream.iter_lines(decode_unicode=True):
            texts.append(line)
            if line.startswith("id: ") and int(line.removeprefix("id: ")) >= last:
                break
            if line.startswith(": beat"):
                break
    stream.close()
    return "\n".join(texts)


def test_nobody_reads_an_internal_note_without_the_right(served, names):
    told = everything(served, "alice", names)
    assert SESAME not in told
    assert "secret.txt" not in told
    assert SESAME in everything(served, "carl", names), "it is there to be seen"


def test_by_an_internal_word_everybody_finds_just_what_they_can_read_it_on(served, names):
    found = {}
    for login in ("alice", "sue", "olga", "carl", "aude"):
        api = served.api(login)
        tickets = [each["id"] for each in api.get("/tickets", limit=200)["items"]]
        said = {each: api.get(f"/tickets/{each}/comments", limit=200)["items"] for each in tickets}
        readable = [each for each in tickets if any("sesame" in comment["text"] for comment in said[each])]
        found[login] = [each["id"] for each in api.get("/tickets", q="sesame", limit=200)["items"]]
        assert found[login] == readable, login
    assert found["alice"] == []
    assert set(found["olga"]) <= set(found["sue"]) < set(found["carl"]) == set(found["aude"])
    assert found["olga"]


def test_nobody_sees_another_ngis_system_in_any_answer(served, names):
    for login in ("alice", "sue", "olga", "tess"):
        told = everything(served, login, names)
        # what they ask with is repeated to them, and nothing else
        told = re.sub(r"(?m)^/\S+ ", "", told).replace("there is no system 'ngi-de'", "")
        told = told.replace("redmine.example.de", "")
        assert "ngi-de" not in told, (login, told[max(0, told.find("ngi-de") - 300) : told.find("ngi-de") + 100])
        assert "816" not in re.findall(r'"key":"(\d+)"', told)


def test_a_token_may_do_what_its_scopes_say(served):
    reads = Api(served.address, served.house.token("carl", Scope.TICKETS_READ))
    assert reads.ask("GET", "/tickets").status_code == 200
    assert reads.refused("POST", "/tickets", json={"subject": "x"}) == (
        403,
        "this token may not open a ticket: it needs the scope tickets:write",
    )
    assert reads.refused("GET", "/systems")[0] == 403
    assert reads.refused("POST", "/tokens", json={"name": "more", "scopes": list(Scope)})[0] == 403
    assert json.loads(reads.ask("GET", "/me").text)["may"] == ["read a ticket", "read internal notes"]
    reads.session.close()
