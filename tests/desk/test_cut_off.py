"""Whoever is cut off while they send leaves nothing behind, at no door: no act, no bug that was none, no spent key."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from central.desk import views
from central.desk.pulse import Pulse
from central.desk.rest.events import MOST_EACH
from central.desk.web.app import create_app
from sync.serving import services
from tests.desk.house import House

FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.log"\r\n\r\n' + b"x" * 2000
IN_PARTS = "multipart/form-data; boundary=b"
DOORS = {
    "REST, JSON": ("/api/v1/tickets", "application/json", b'{"subj'),
    "REST, a file": ("/api/v1/tickets/1/files", "text/plain", b"x" * 3000),
    "REST, a file in a form": ("/api/v1/tickets/1/files", IN_PARTS, FORM),
    "REST, a comment": ("/api/v1/tickets/1/comments", "application/json", b'{"text": "hel'),
    "REST, a comment with files": ("/api/v1/tickets/1/comments", IN_PARTS, FORM),
    "pages, signing in": ("/sign-in", "application/x-www-form-urlencoded", b"login=al"),
    "pages, an answer with files": ("/tickets/1/answer", IN_PARTS, FORM),
    "pages, a registration": ("/register/ngi-cz/answers", "application/x-www-form-urlencoded", b"set-url=htt"),
    "webhooks": ("/hooks/ngi-cz", "application/json", b'{"tick'),
    "SOAP": ("/soap", "text/xml", b"<soap:Env"),
}


class Doors:
    """All doors of a house, without a network: what is sent ends where a test says."""

    def __init__(self, house: House) -> None:
        self.house, desk = house, house.interdesk
        pulse = Pulse(lambda: views.overview(desk.store, desk.clock), lambda _: [])
        self.app: FastAPI = create_app(services(desk, pulse, threading.Event()))
        self.token = house.token("carl")
        self.cookie, _ = desk.gate.admit(house.store.read(lambda tx: tx.accounts.find("carl")))

    def ask(self, path: str, kind: str, *pieces: bytes, whole: bool, **headers: str) -> int:
        """Send this, to its end or not; the status that is answered."""
        return asyncio.run(self._asked("POST", path, pieces, whole, {"content-type": kind, **headers}))

    def ask_and_go(self, path: str, times: int) -> list[int]:
        """Ask for this so many times, and be gone each time before it is answered; what would have been."""

        async def ask() -> list[int]:
            return [await self._asked("GET", path, (b"",), False, {}) for _ in range(times)]

        return asyncio.run(ask())

    async def _asked(
        self, method: str, path: str, pieces: tuple[bytes, ...], whole: bool, headers: dict[str, str]
    ) -> int:
        said = {"host": "desk", **headers}
        if path.startswith("/api/"):
            said["authorization"] = f"Bearer {self.token}"
        elif not path.startswith(("/hooks", "/sign-in", "/soap")):
            said["cookie"] = f"interdesk={self.cookie}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in said.items()],
            "client": ("192.0.2.7", 1),
            "server": ("desk", 80),
        }
        coming: Iterator[dict[str, Any]] = iter(
            {"type": "http.request", "body": each, "more_body": not whole or each is not pieces[-1]} for each in pieces
        )
        answered: list[int] = []

        async def receive() -> dict[str, Any]:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        await self.app(scope, receive, send)  # whatever it raises, the web server would log as a bug of ours
        return answered[0]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    house = House(tmp_path_factory.mktemp("house"))
    yield Doors(house)
    house.close()


def kept(house: House) -> list[object]:
    return house.store.read(
        lambda tx: [
            tx.tickets.count(),
            *(len(tx.tickets.comments(number)) for number in (1, 2, 3)),
            *(len(tx.tickets.files(number)) for number in (1, 2, 3)),
            {name: each.due for name, each in tx.outbox.counts().items()},
        ]
    )


@pytest.mark.parametrize("door", DOORS)
def test_what_is_cut_off_does_nothing_and_is_told_as_nobodys_bug(doors: Doors, door: str) -> None:
    path, kind, begun = DOORS[door]
    before = kept(doors.house)
    with capture_logs() as logged:
        status = doors.ask(path, kind, begun, whole=False)
    assert status == (500 if door == "SOAP" else 400), "a fault is always a 500 there"
    assert [each for each in logged if each["log_level"] in ("error", "critical")] == []
    assert kept(doors.house) == before


@pytest.mark.parametrize("door", ["REST, a file", "REST, a file in a form", "REST, a comment with files"])
def test_a_key_whose_request_was_cut_off_before_it_was_whole_may_be_used_again(doors: Doors, door: str) -> None:
    path, kind, begun = DOORS[door]
    said = b'\r\n--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nsee it' if "comment" in door else b""
    end = said + (b"\r\n--b--\r\n" if kind == IN_PARTS else b"")
    key = {"idempotency-key": door.replace(" ", "-")}
    assert doors.ask(path, kind, begun, whole=False, **key) == 400
    files = len(doors.house.store.read(lambda tx: tx.tickets.files(1)))
    for _ in range(2):
        assert doors.ask(path, kind, begun, end, whole=True, **key) == 201
        assert len(doors.house.store.read(lambda tx: tx.tickets.files(1))) == files + 1, "carried out once"


def test_whoever_is_gone_before_a_stream_begins_takes_nobodys_place(doors: Doors) -> None:
    assert doors.ask_and_go("/api/v1/events", 2 * MOST_EACH) == [200] * 2 * MOST_EACH
