"""Webhooks are verified over the raw bytes, fail closed, and are read for keys of tickets alone."""

import base64
import hashlib
import hmac
import json
import queue
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.emulators.jira import JiraEmulator
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.zammad import ZammadEmulator
from connectors.errors import Forged, ProtocolError
from connectors.profiled.hooks import read_hook
from connectors.profiled.profile import Hooks, Profile
from connectors.registry import profiles
from tests.unit.connectors.conftest import Clock, Scripted

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "hush"
BODY = b'{ "ticket":\t{"id": 7} }'


def signed(algorithm: str, content: bytes = BODY) -> str:
    return hmac.new(SECRET.encode(), content, getattr(hashlib, algorithm)).hexdigest()


def read(
    shape: dict[str, Any], headers: dict[str, str], body: bytes = BODY, *, secret: str = SECRET
) -> tuple[str, ...]:
    return read_hook(Hooks(**{"key": "ticket.id", **shape}), secret, headers, body, NOW)


@pytest.mark.parametrize(
    ("shape", "headers"),
    [
        ({}, {"x-hub-signature-256": f"sha256={signed('sha256')}"}),
        (
            {"header": "X-Hub-Signature", "algorithm": "sha1", "prefix": "sha1="},
            {"x-hub-signature": f"sha1={signed('sha1')}"},
        ),
        ({"header": "X-Sign", "algorithm": "sha512", "prefix": ""}, {"x-sign": signed("sha512")}),
        (
            {"header": "X-Sign", "encoding": "base64", "prefix": ""},
            {"x-sign": base64.b64encode(bytes.fromhex(signed("sha256"))).decode()},
        ),
        ({"header": "X-Token", "algorithm": "token", "prefix": "Bearer "}, {"x-token": "Bearer hush"}),
        (
            {"prefix": "v0=", "signs": "v0:{timestamp}:{body}", "timestamp": "X-Time"},
            {
                "x-time": str(int(NOW.timestamp()) - 60),
                "x-hub-signature-256": "v0=" + signed("sha256", f"v0:{int(NOW.timestamp()) - 60}:".encode() + BODY),
            },
        ),
    ],
)
def test_a_genuine_hint_names_its_ticket_and_one_changed_byte_makes_it_nobodys(
    shape: dict[str, Any], headers: dict[str, str]
) -> None:
    assert read(shape, headers) == ("7",)
    if shape.get("algorithm") != "token":  # nothing vouches for the body there
        with pytest.raises(Forged):
            read(shape, headers, BODY.replace(b"\t", b" "))
    with pytest.raises(Forged):
        read(shape, headers, secret="other")
    with pytest.raises(Forged):
        read(shape, {})
    with pytest.raises(Forged):
        read(shape, {name: value[:-1] for name, value in headers.items()})


def test_nothing_is_believed_without_a_key_to_verify_it_by() -> None:
    nobodys = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    with pytest.raises(Forged, match="no key"):
        read({}, {"x-hub-signature-256": f"sha256={nobodys}"}, secret="")


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_hint_of_another_time_is_not_believed(age: timedelta) -> None:
    stamp = (NOW - age).isoformat()
    headers = {"x-time": stamp, "x-hub-signature-256": "sha256=" + signed("sha256", stamp.encode() + BODY)}
    with pytest.raises(Forged, match="too far"):
        read({"signs": "{timestamp}{body}", "timestamp": "X-Time"}, headers)


def test_a_hint_that_says_no_time_where_one_is_wanted_is_not_believed() -> None:
    shape = {"signs": "{timestamp}{body}", "timestamp": "X-Time"}
    with pytest.raises(Forged, match="no time"):
        read(shape, {"x-hub-signature-256": f"sha256={signed('sha256')}"})


@pytest.mark.parametrize("shape", [{}, {"algorithm": "token", "signs": "{timestamp}{body}"}])
def test_a_time_that_nothing_vouches_for_is_a_mistake_in_a_profile(shape: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="not signed proves nothing"):
        Hooks(timestamp="X-Time", **shape)


@pytest.mark.parametrize(
    ("shape", "body", "keys"),
    [
        ({"key": ["issue.key", "issue.id"]}, {"issue": {"id": 5}}, ("5",)),
        ({"key": "self", "key_part": "/([0-9]+)$"}, {"self": "https://x.example.org/tickets/5"}, ("5",)),
        ({"key": ["issue.key", "issue.id"]}, {"issue": {"id": 5, "key": "A-1"}}, ("A-1",)),
        ({"rows": "events", "key": "id"}, {"events": [{"id": 1}, {"id": 2}, {"id": 1}]}, ("1", "2")),
    ],
)
def test_a_hint_may_name_its_ticket_anywhere_and_several(shape: Any, body: Any, keys: tuple[str, ...]) -> None:
    raw = json.dumps(body).encode()
    assert read(shape, {"x-hub-signature-256": f"sha256={signed('sha256', raw)}"}, raw) == keys


@pytest.mark.parametrize(
    "raw", [b"", b"<x/>", b"[]", b"{}", b'{"ticket": {"id": true}}', b'{"ticket": {"id": "a\\nb"}}', b"[" * 100_000]
)
def test_a_genuine_hint_without_a_key_is_told_from_a_forged_one(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        read({}, {"x-hub-signature-256": f"sha256={signed('sha256', raw)}"}, raw)


@pytest.mark.parametrize(
    ("name", "product", "title"), [("zammad", ZammadEmulator, "title"), ("jira", JiraEmulator, "summary")]
)
def test_a_product_signs_its_hints_as_its_profile_says(
    clock: Clock, server: Scripted, name: str, product: Callable[[Clock], Emulator], title: str
) -> None:
    heard: queue.SimpleQueue[Asked] = queue.SimpleQueue()

    def hear(asked: Asked) -> Reply:
        heard.put(asked)
        return Reply(202)

    server.reply = hear
    profile = profiles()[name]
    assert isinstance(profile, Profile)
    assert profile.hooks is not None
    with product(clock) as emulator:
        emulator.webhook(f"{server.url}/hooks/{name}", SECRET)
        key = emulator.tracker.person("alice").open({title: "jobs fail"})
        hint = heard.get(timeout=120)
    assert read_hook(profile.hooks, SECRET, hint.headers, hint.body, NOW) == (key,)
    with pytest.raises(Forged):
        read_hook(profile.hooks, "other", hint.headers, hint.body, NOW)
