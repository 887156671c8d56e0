"""Webhooks: a signed hint becomes one look that is kept before it is answered; everything else leaves no trace."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from central.delivery import Direction
from central.registry import SystemState
from central.store.memory import MemoryStore
from connectors.environment import Environment
from mappings.loader import read
from sync import registration
from sync.bus.inprocess import InProcessBus
from sync.gateway import Gateway
from sync.gateways import LiveGateways, Registration
from sync.inbox import LARGEST, Inbox
from sync.kinds import ConnectorKinds
from sync.means import Means
from sync.relay import Relay
from sync.secrets import Secrets
from sync.tokens import Tokens

KEY = "w3bhook-key"
SYSTEM = """\
kind: system
name: ngi-cz
connector: rt
settings: {url: "https://rt.example.cz", queue: ggus, token: {secret: "env:INTERDESK_SECRET_CZ"}}
mapping: rt
webhook: {secret: {secret: "env:INTERDESK_SECRET_CZ_WEBHOOK"}, key: event.ticket}
---
kind: system
name: deaf
connector: redmine
settings: {url: "https://redmine.example.pl", project: ggus, api_key: {secret: "env:INTERDESK_SECRET_PL"}}
mapping: redmine
---
kind: system
name: dated
connector: rt
settings: {url: "https://rt.example.fr", queue: ggus, token: {secret: "env:INTERDESK_SECRET_FR"}}
mapping: rt
webhook: {secret: {secret: "env:INTERDESK_SECRET_FR_WEBHOOK"}, key: event.ticket, timestamp: X-Sent}
"""


AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Door:
    """An inbox before which `ngi-cz` is live and sends webhooks, `dated` says in them when, and `deaf` sends none."""

    def __init__(self) -> None:
        self.environ = {
            "INTERDESK_SECRET_CZ": "cz-token-1",
            "INTERDESK_SECRET_CZ_WEBHOOK": KEY,
            "INTERDESK_SECRET_PL": "pl-key-1",
            "INTERDESK_SECRET_FR": "fr-token-1",
            "INTERDESK_SECRET_FR_WEBHOOK": KEY,
        }
        self.store, self.bus, self.at = MemoryStore(), InProcessBus(), AT
        self.secrets = secrets = Secrets(self.environ)
        connectors = ConnectorKinds(Environment(clock=lambda: AT), secrets)
        self.gateways = LiveGateways(self.store, nothing_is_built)
        self.inbox = self.another()
        self.store.write(lambda tx: registration.apply(tx, read(SYSTEM, "x.yaml"), connectors, AT, by="ops"))
        self.set_state(SystemState.LIVE)

    def another(self) -> Inbox:
        """That of another process on this database, or of this one after a restart."""
        means = Means(
            store=self.store,
            relay=Relay(self.bus),
            clock=lambda: self.at,
            tokens=Tokens("inbox"),
            units=self.gateways.units,
        )
        return Inbox(means, self.gateways, self.secrets)

    def set_state(self, state: SystemState) -> None:
        def change(tx) -> None:
            for name in ("ngi-cz", "deaf", "dated"):
                tx.registry.put_system(replace(tx.registry.system(name), state=state))

        self.store.write(change)
        self.gateways.refresh()

    def post(self, body: bytes, *, system: str = "ngi-cz", key: str = KEY) -> int:
        signature = "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return self.inbox.receive(system, {"x-hub-signature-256": signature}, body).status

    def due(self, system: str = "ngi-cz") -> int:
        counts = self.store.read(lambda tx: tx.outbox.counts())
        return counts[system].due if system in counts else 0

    def look(self, system: str) -> None:
        """All that it is owed is done."""
        far = timedelta(hours=1)

        def work(tx) -> None:
            while claim := tx.outbox.claim(
                system, "me", self.at + far, ttl=timedelta(minutes=1), lease_name=lambda _, d: d.subject
            ):
                tx.outbox.done(claim, self.at + far)

        self.store.write(work)


def nothing_is_built(registration: Registration) -> Gateway:
    raise AssertionError("a webhook needs no connector")


@pytest.fixture
def door() -> Door:
    return Door()


def hint(key: object) -> bytes:
    return json.dumps({"event": {"ticket": key}}).encode()


def test_a_signed_hint_is_kept_as_one_look_however_often_it_comes(door: Door) -> None:
    assert [door.post(hint(17)) for _ in range(3)] == [202, 202, 202]
    assert door.due() == 1
    claim = door.store.write(
        lambda tx: tx.outbox.claim("ngi-cz", "me", AT, ttl=timedelta(minutes=1), lease_name=lambda _, d: d.subject)
    )
    assert (claim.delivery.direction, claim.delivery.subject) == (Direction.INWARD, "17")
    assert claim.delivery.hint is None, "nothing of what it says is believed"


def dated(sent: datetime, body: bytes, key: str = KEY) -> dict[str, str]:
    """The headers of a hint that says when it was sent."""
    stamp = f"{sent.timestamp():.0f}"
    mac = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-sent": stamp, "x-hub-signature-256": f"sha256={mac}"}


def test_a_hint_that_says_when_it_was_sent_is_believed_once_by_all_processes_and_after_a_restart(door: Door) -> None:
    sent, other, restarted = dated(AT, hint(17)), door.another(), door.another()
    assert (door.inbox.receive("dated", sent, hint(17)).status, door.due("dated")) == (202, 1)
    door.look("dated")
    door.at += timedelta(seconds=2)
    for inbox in (door.inbox, other, restarted):
        assert inbox.receive("dated", sent, hint(17)).status == 202, "its sender is told that it is kept, as it was"
        assert door.due("dated") == 0
    again = dated(door.at, hint(17))
    assert (other.receive("dated", again, hint(17)).status, door.due("dated")) == (202, 1), "the next change is another"


def test_two_changes_of_one_second_are_told_alike_and_both_are_looked_at(door: Door) -> None:
    sent = dated(AT, hint(17))
    for _ in range(2):
        assert door.inbox.receive("dated", sent, hint(17)).status == 202
        assert door.due("dated") == 1
        door.look("dated")


def test_what_was_not_believed_is_not_remembered_as_heard(door: Door) -> None:
    sent = dated(AT, hint(17))
    door.set_state(SystemState.DRAFT)
    assert door.inbox.receive("dated", sent, hint(17)).status == 403
    door.set_state(SystemState.LIVE)
    door.at += timedelta(seconds=30)
    assert (door.inbox.receive("dated", sent, hint(17)).status, door.due("dated")) == (202, 1)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_hint_of_long_ago_or_of_the_future_is_refused(door: Door, minutes: int) -> None:
    sent = dated(AT + timedelta(minutes=minutes), hint(17))
    assert (door.inbox.receive("dated", sent, hint(17)).status, door.due("dated")) == (403, 0)


def test_nobody_makes_an_old_hint_young(door: Door) -> None:
    old, young = dated(AT - timedelta(hours=1), hint(17)), dated(AT, hint(17))
    for headers in (old | {"x-sent": young["x-sent"]}, {**young, "x-sent": ""}, {"x-sent": young["x-sent"]}):
        assert (door.inbox.receive("dated", headers, hint(17)).status, door.due("dated")) == (403, 0)


def test_a_hint_wakes_the_lane_at_once(door: Door) -> None:
    before = door.bus.position("ngi-cz")
    door.post(hint("17"))
    assert door.bus.position("ngi-cz") > before


@pytest.mark.parametrize("key", ["", "another", KEY.upper()])
def test_a_wrong_signature_is_refused_and_leaves_no_trace(door: Door, key: str) -> None:
    assert door.post(hint(17), key=key) == 403
    assert door.due() == 0


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=abc", "ünïcode"])
def test_no_signature_is_a_wrong_one(door: Door, signature: str) -> None:
    assert door.inbox.receive("ngi-cz", {"x-hub-signature-256": signature}, hint(17)).status == 403
    assert door.inbox.receive("ngi-cz", {}, hint(17)).status == 403
    assert door.due() == 0


def test_a_signature_of_another_body_is_refused(door: Door) -> None:
    signature = "sha256=" + hmac.new(KEY.encode(), hint(17), hashlib.sha256).hexdigest()
    assert door.inbox.receive("ngi-cz", {"x-hub-signature-256": signature}, hint(18)).status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b'"event"',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"event": 5}).encode(),
        json.dumps({"ticket": 5}).encode(),
        hint(None),
        hint(True),
        hint(1.5),
        hint(["17"]),
        hint(""),
        hint("x" * 201),
        hint("1\n2"),
        hint("1\x00"),
        b'{"event": {"ticket": ' + b"9" * 10_000 + b"}}",
    ],
)
def test_a_signed_body_without_a_key_is_refused_and_leaves_no_trace(door: Door, body: bytes) -> None:
    assert door.post(body) == 400
    assert door.due() == 0


@pytest.mark.parametrize("system", ["deaf", "nobody", "../ngi-cz", ""])
def test_without_a_configured_secret_there_is_no_door(door: Door, system: str) -> None:
    with capture_logs() as logged:
        assert door.post(hint(17), system=system) == 404
    assert logged[0]["said"] == "there is no webhook here"


def test_a_secret_that_went_missing_closes_the_door(door: Door) -> None:
    del door.environ["INTERDESK_SECRET_CZ_WEBHOOK"]
    with capture_logs() as logged:
        assert door.post(hint(17)) == 403
    assert "INTERDESK_SECRET_CZ_WEBHOOK" in logged[0]["detail"]


def test_a_draft_takes_no_hints_and_a_paused_system_keeps_them_for_later(door: Door) -> None:
    door.set_state(SystemState.DRAFT)
    assert (door.post(hint(17)), door.due()) == (403, 0)
    door.set_state(SystemState.PAUSED)
    assert (door.post(hint(17)), door.due()) == (202, 1)


def test_the_largest_body_is_bounded() -> None:
    assert LARGEST <= 1024 * 1024


def test_a_product_that_signs_in_its_own_way_is_verified_by_its_profile(door: Door) -> None:
    document = """\
kind: system
name: ngi-de
connector: zammad
settings: {url: "https://zammad.example.de", group: ggus, customer: sync, token: {secret: "env:INTERDESK_SECRET_DE"}}
mapping: zammad
webhook: {secret: {secret: "env:INTERDESK_SECRET_DE_WEBHOOK"}}
"""
    door.environ |= {"INTERDESK_SECRET_DE": "de-token-1", "INTERDESK_SECRET_DE_WEBHOOK": KEY}
    connectors = ConnectorKinds(Environment(clock=lambda: AT), Secrets(door.environ))
    door.store.write(lambda tx: registration.apply(tx, read(document, "x.yaml"), connectors, AT, by="ops"))
    live = SystemState.LIVE
    door.store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-de"), state=live)))
    door.gateways.refresh()
    body = b'{"ticket": {"id": 7}}'
    right = "sha1=" + hmac.new(KEY.encode(), body, hashlib.sha1).hexdigest()
    assert door.inbox.receive("ngi-de", {"x-hub-signature": right}, body).status == 202
    assert door.inbox.receive("ngi-de", {"x-hub-signature": right}, body + b" ").status == 403
    assert door.post(body, system="ngi-de") == 403, "signed in another product's way"
