"""The emulators themselves: webhooks, outages, the request counts of a well-behaved tracker."""

import hashlib
import hmac
import json
import queue
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.api import Cursor
from connectors.emulators.plain import RULES, PlainEmulator
from connectors.emulators.server import Asked, Reply
from connectors.environment import Environment
from connectors.errors import Transient
from connectors.registry import open_connector
from connectors.testing import listed
from tests.unit.connectors.conftest import Clock, Scripted


@pytest.fixture
def plain(clock: Clock) -> Iterator[PlainEmulator]:
    with PlainEmulator(clock) as running:
        yield running


def test_a_webhook_hints_at_every_deed_and_is_signed(plain: PlainEmulator, server: Scripted) -> None:
    heard: queue.SimpleQueue[Asked] = queue.SimpleQueue()

    def hear(asked: Asked) -> Reply:
        heard.put(asked)
        return Reply(202)

    server.reply = hear
    plain.webhook(f"{server.url}/hooks/plain", "hush")
    key = plain.tracker.person("alice").open(subject="x")
    hint = heard.get(timeout=120)
    assert json.loads(hint.body) == {"ticket": key, "by": "alice"}
    signature = hmac.new(b"hush", hint.body, hashlib.sha256).hexdigest()
    assert hint.headers["x-hub-signature-256"] == f"sha256={signature}"
    plain.webhook(None)
    plain.tracker.person("alice").edit(key, subject="y")
    assert heard.empty()


def test_a_plain_tracker_with_forms_refuses_what_comes_without(clock: Clock, here: Environment) -> None:
    needs = {"status": {"solved": ("assigned_to",)}}
    with PlainEmulator(clock, rules=replace(RULES, needs=needs)) as plain:
        connector = open_connector("plain", {"url": plain.url, "key": plain.key}, system="s", environment=here)
        key = connector.create({"subject": "x"}, token="T-1").key
        assert "needs assigned_to" in connector.update(key, {"status": "solved"}, held=None).refused["status"]
        filled = connector.update(key, {"assigned_to": "bob", "status": "solved"}, held=None)
        assert (filled.refused, filled.after.fields["status"]) == ({}, "solved")


def test_an_emulator_that_was_stopped_comes_back_on_its_port_with_its_tickets(
    plain: PlainEmulator, here: Environment
) -> None:
    connector = open_connector("plain", {"url": plain.url, "key": plain.key}, system="s", environment=here)
    key = connector.create({"subject": "x"}, token="T-1").key
    plain.stop()
    with pytest.raises(Transient):
        connector.fetch(key)
    plain.start()
    assert connector.fetch(key).fields["subject"] == "x"


def test_the_port_of_an_emulator_that_was_stopped_is_given_to_nobody_else(plain: PlainEmulator) -> None:
    port = int(plain.url.rpartition(":")[2])
    plain.stop()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_a_well_behaved_tracker_costs_one_list_per_hundred_changes_and_one_request_per_write(
    plain: PlainEmulator, here: Environment, clock: Clock
) -> None:
    connector = open_connector("plain", {"url": plain.url, "key": plain.key}, system="s", environment=here)
    cursor = connector.changes(None).cursor
    clock.passes(seconds=1)
    for number in range(199):
        plain.tracker.person("alice").open(subject=str(number))
    connector.probe()
    plain.counts.clear()
    changes, _ = listed(connector, Cursor(cursor.at, cursor.position))
    assert len(changes) == 199
    assert all(each.ticket is not None and each.ticket.comments == () for each in changes)
    assert plain.counts == {"list": 2}
    for change in changes[:50]:
        assert change.ticket is not None
        written = connector.update(change.key, {"status": "assigned"}, held=change.ticket)
        assert written.after.fields["status"] == "assigned"
    assert plain.counts == {"list": 2, "update": 50}
