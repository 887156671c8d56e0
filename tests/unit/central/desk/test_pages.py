"""The pages and doors over real HTTP, in front of a store in memory. They ask nobody who they are."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
import uvicorn

from central.desk.services import HookAnswer
from central.desk.web.app import create_app
from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import DEFAULTS, SYSTEM, Conflict, NewComment, NewFile, Person, Visibility
from central.registry import System, SystemState
from central.store.api import Direction, Transaction
from central.store.memory import MemoryStore

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALICE = Person("alice@example.cz", "Alice", "alice@example.cz", "ngi-cz")
SCRIPT = "<script>alert('x')</script>"
CANARY = "the password is Tr0ub4dor"


class Hooks:
    """Takes every hook, and remembers it."""

    largest = 1000

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes]] = []

    def receive(self, system: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        self.got.append((system, headers.get("x-signature", ""), body))
        return HookAnswer(202, "kept")


class Desk:
    """The application at work, one ticket in it, and the hooks and health that a test gives it."""

    def __init__(self) -> None:
        self.store, self.hooks, self.ill, self.stalled = MemoryStore(), Hooks(), list[str](), list[str]()
        self.store.write(self._fill)
        app = create_app(self.store, self.hooks, self, lambda: AT + timedelta(hours=1), centre="GGUS")
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))
        self.thread.start()

    def problems(self) -> list[str]:
        return self.ill

    def stalls(self) -> list[str]:
        return self.stalled

    def hindrances(self) -> list[str]:
        return ["the broker is away"]

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        return requests.post(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers, timeout=10)

    def _fill(self, tx: Transaction) -> None:
        tx.registry.put_system(System("ngi-cz", SystemState.LIVE, 1, succeeded_at=AT))
        tx.registry.put_system(System("ngi-pl", SystemState.PAUSED, 1, reason=f"paused by ops: {SCRIPT}"))
        fields = {**DEFAULTS, "subject": f"CE refuses {SCRIPT}", "description": f"since {SCRIPT}"}
        fields |= {
            "submitter": "alice@example.cz",
            "phone": "+420 123",
            "assigned_to": "bob@example.pl",
            "cc": ("c@example.cz",),
        }
        ticket = tx.tickets.create(fields, AT, born_in="ngi-cz")
        tx.tickets.add_comment(ticket.id, NewComment(ALICE, f"public {SCRIPT}", Visibility.PUBLIC, AT, "ngi-cz", "7"))
        hidden = tx.tickets.add_comment(ticket.id, NewComment(ALICE, CANARY, Visibility.INTERNAL, AT))
        tx.links.create(
            Link(
                0,
                ticket.id,
                "ngi-cz",
                LinkState.ACTIVE,
                key=f"17{SCRIPT}",
                address="javascript:alert(1)",
                birth=True,
                disagreements={"status": f"refused: {SCRIPT}"},
                created_at=AT,
            )
        )
        tx.tickets.keep_conflict(
            Conflict(0, ticket.id, "ngi-cz", "subject", "ours", SCRIPT, "central", "policy central", AT, open=True)
        )
        tx.tickets.keep_conflict(
            Conflict(0, ticket.id, "ngi-cz", "phone", "+420 123", "+420 999", "central", "policy", AT, open=True)
        )
        tx.tickets.record(
            [
                Event(Kind.TICKET_CREATED, ticket.id, AT, ALICE, system="ngi-cz", why="opened in ngi-cz"),
                Event(Kind.FIELD_CHANGED, ticket.id, AT, ALICE, field="subject", data={"from": "before", "to": SCRIPT}),
                Event(Kind.FIELD_CHANGED, ticket.id, AT, ALICE, field="phone", data={"from": None, "to": "+420 123"}),
                Event(Kind.COMMENT_ADDED, ticket.id, AT, SYSTEM, data={"comment": hidden.id}, why="internal thing"),
            ]
        )
        tx.outbox.owe("ngi-cz", Direction.INWARD, "17", AT, reason="a webhook named it")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    it = Desk()
    yield it
    it.stop()


def test_the_status_page_shows_every_system_with_its_lag_and_its_reason(desk: Desk) -> None:
    page = desk.get("/")
    assert page.status_code == 200
    for words in ("ngi-cz", "ngi-pl", "paused by ops", "1 h", "CE refuses", "/tickets/1"):
        assert words in page.text


def test_the_same_is_there_as_data(desk: Desk) -> None:
    data = desk.get("/api/status.json").json()
    first, second = data["systems"]
    assert (first["name"], first["health"], first["lag"], first["due"], first["links"]) == (
        "ngi-cz",
        "late",
        3600.0,
        1,
        1,
    )
    assert (second["state"], second["health"]) == ("paused", "stopped")
    assert data["tickets"] == 1


def test_a_tickets_page_tells_where_it_is_what_disagrees_and_what_lost(desk: Desk) -> None:
    page = desk.get("/tickets/1").text
    for words in ("born there", "Standing disagreements", "Edits that lost", "policy central", "Alice", "History"):
        assert words in page


@pytest.mark.parametrize("path", ["/", "/tickets/1"])
def test_whatever_people_wrote_is_escaped(desk: Desk, path: str) -> None:
    page = desk.get(path).text
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert "javascript:" not in page


@pytest.mark.parametrize("path", ["/", "/tickets/1", "/api/status.json"])
def test_nothing_internal_and_nobodys_address_is_shown(desk: Desk, path: str) -> None:
    page = desk.get(path).text
    for words in (CANARY, "internal thing", "alice@example.cz", "bob@example.pl", "c@example.cz", "+420"):
        assert words not in page


def test_no_page_asks_for_anything_from_elsewhere(desk: Desk) -> None:
    page = desk.get("/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http://" not in page.text.replace(f"http://127.0.0.1:{desk.port}", "")
    assert "https://" not in page.text
    assert desk.get("/style.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    "path", ["/tickets/2", "/tickets/0", "/tickets/99999999999999999999", "/tickets/one", "/nowhere"]
)
def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_health_says_alive_and_readiness_says_why_not(desk: Desk) -> None:
    assert desk.get("/healthz").status_code == 200
    assert desk.get("/readyz").status_code == 200
    desk.ill.append("the database does not answer")
    try:
        answer = desk.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["the database does not answer"])
        assert desk.get("/healthz").status_code == 200
    finally:
        desk.ill.clear()


def test_a_hindrance_is_told_and_does_not_make_it_unready(desk: Desk) -> None:
    answer = desk.get("/readyz")
    assert (answer.status_code, answer.json()["hindrances"]) == (200, ["the broker is away"])


def test_a_process_that_has_come_to_a_stop_is_not_alive(desk: Desk) -> None:
    desk.stalled.append("the scheduler has stood still for 75 seconds")
    try:
        answer = desk.get("/healthz")
        assert (answer.status_code, answer.json()["problems"]) == (503, desk.stalled)
    finally:
        desk.stalled.clear()


def test_the_figures_are_told_as_prometheus_reads_them(desk: Desk) -> None:
    answer = desk.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "interdesk_tickets 1.0" in answer.text


def test_a_hook_is_passed_on_raw_with_its_headers(desk: Desk) -> None:
    body = b'{"ticket": 17}  \n'
    answer = desk.post("/hooks/ngi-cz", body, **{"X-Signature": "abc", "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (202, {"said": "kept"})
    assert desk.hooks.got[-1] == ("ngi-cz", "abc", body)


def test_a_hook_that_is_too_long_is_not_read_to_its_end(desk: Desk) -> None:
    before = len(desk.hooks.got)
    assert desk.post("/hooks/ngi-cz", b"x" * 1001).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 100

    made = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=10)
    try:
        made.request("POST", "/hooks/ngi-cz", endless(), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert made.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # cut off while we were still talking
    finally:
        made.close()
    assert len(desk.hooks.got) == before


def test_a_page_is_never_posted_to(desk: Desk) -> None:
    assert desk.post("/", b"").status_code == 405
    assert desk.post("/tickets/1", b"").status_code == 405


def test_a_system_with_an_error_is_failing_until_it_answers_well(desk: Desk) -> None:
    def change(error: str) -> None:
        desk.store.write(
            lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-cz"), last_error=error, error_at=AT))
        )

    change("Transient: it does not answer")
    try:
        assert desk.get("/api/status.json").json()["systems"][0]["health"] == "failing"
        assert "it does not answer" in desk.get("/").text
    finally:
        change("")


def test_internal_files_leave_no_trace(desk: Desk) -> None:
    digest, size = desk.store.put_blob(iter((b"key",)), limit=10)

    def change(tx: Transaction) -> None:
        files = (NewFile("secret-key.pem", "text/plain", size, digest),)
        tx.tickets.add_comment(1, NewComment(ALICE, "see file", Visibility.INTERNAL, AT, files=files))
        noted = Event(Kind.FILE_NOTED, 1, AT, SYSTEM, system="ngi-cz", data={"file": "secret-key.pem"})
        tx.tickets.record([noted])

    desk.store.write(change)
    assert "secret-key.pem" not in desk.get("/tickets/1").text


def test_an_edited_comment_says_so_and_one_that_was_hidden_or_deleted_leaves_no_word(desk: Desk) -> None:
    def change(tx: Transaction) -> None:
        said = [NewComment(ALICE, f"word-{name}", Visibility.PUBLIC, AT) for name in ("edited", "deleted", "hidden")]
        edited, deleted, hidden = (tx.tickets.add_comment(1, each) for each in said)
        tx.tickets.revise_comment(replace(edited, text="better", edited_at=AT))
        tx.tickets.revise_comment(replace(deleted, text="", deleted_at=AT))
        tx.tickets.revise_comment(replace(hidden, visibility=Visibility.INTERNAL))
        for each in (edited, deleted, hidden):
            lost = Conflict(0, 1, "ngi-cz", f"comment {each.id}", each.text, "their word", "central", "", AT, open=True)
            tx.tickets.keep_conflict(lost)
            data = {"comment": each.id, "before": each.text}
            tx.tickets.record([Event(Kind.COMMENT_EDITED, 1, AT, ALICE, data=data)])

    desk.store.write(change)
    page = desk.get("/tickets/1").text
    assert "better" in page
    assert ", edited " in page
    assert "deleted 20" in page
    assert page.count("word-edited") == 1  # the edit that lost
    assert "word-deleted" not in page
    assert "word-hidden" not in page


def test_the_status_document_is_one_json_document(desk: Desk) -> None:
    assert isinstance(json.loads(desk.get("/api/status.json").text), dict)
