"""`user …`, `token …`, and the first start."""

import io
import signal
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from central.account import Scope
from central.desk.auth import Gate, NotKnown
from central.desk.people import ADMINISTRATOR
from central.rights import Principal
from central.store.sql import SqlStore
from sync.settings import utc_now
from tests.cli.test_running import running

PASSWORD = "correct horse battery"


@pytest.fixture
def gate(desk):
    assert desk.type("db", "upgrade").code == 0
    store = SqlStore.open(f"sqlite:///{desk.folder / 'var' / 'interdesk.db'}", clock=utc_now, exclusive=False)
    yield Gate(store, utc_now)
    store.close()


def by_link(gate: Gate, said: str) -> Principal:
    [link] = [line for line in said.splitlines() if line.startswith("http")]
    cookie, _ = gate.accept(parse_qs(urlsplit(link).query)["key"][0])
    principal = gate.session(cookie)
    assert principal is not None
    return principal


def test_an_account_is_made_and_its_owner_comes_by_the_link(desk, gate) -> None:
    added = desk.type(
        "user", "add", "Alice", "--name", "Alice", "--email", "alice@example.org",
        "--grant", "user", "--grant", "operator:ngi-cz",
    )  # fmt: skip
    assert added.code == 0, added.err
    assert {str(each) for each in by_link(gate, added.out).grants} == {"user", "operator:ngi-cz"}
    (account,) = desk.type("user", "list", "--json").data
    assert account["login"] == "alice"
    assert "by link" in desk.type("user", "list").out


def test_grants_are_given_and_taken_and_mistakes_are_told(desk, gate) -> None:
    assert desk.type("user", "add", "alice").code == 0
    assert desk.type("user", "grant", "alice", "supporter:NGI_CZ").out == "alice is supporter:NGI_CZ.\n"
    assert desk.type("user", "revoke", "alice", "supporter:NGI_CZ").out == "alice is nothing.\n"
    for words, sentence in (
        (("user", "grant", "alice", "boss"), "there is no role 'boss'; there are: user, supporter"),
        (("user", "grant", "alice", "operator"), "write operator:NAME"),
        (("user", "grant", "nobody", "auditor"), "there is no account 'nobody'"),
        (("user", "add", "alice"), "there is an account 'alice' already"),
    ):
        said = desk.type(*words)
        assert said.code == 2
        assert sentence in said.err


def test_a_password_is_read_from_the_standard_input_and_never_from_the_command_line(desk, gate, monkeypatch) -> None:
    desk.type("user", "add", "alice")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert desk.type("user", "password", "alice").code == 0
    assert gate.password("alice", PASSWORD, source="here").person.id == "alice"
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    said = desk.type("user", "password", "alice")
    assert (said.code, said.err) == (2, "a password has at least 12 characters\n")
    assert desk.type("user", "password", "alice", PASSWORD).code == 2


def test_whoever_is_disabled_is_out_until_enabled(desk, gate) -> None:
    desk.type("user", "add", "alice")
    desk.type("user", "disable", "alice")
    assert desk.type("user", "invite", "alice").code == 2
    desk.type("user", "enable", "alice")
    assert by_link(gate, desk.type("user", "invite", "alice").out).person.id == "alice"


def test_a_token_is_shown_once_used_and_revoked(desk, gate) -> None:
    desk.type("user", "add", "robot", "--grant", "central")
    text, told = desk.type("token", "add", "robot", "nagios", "--scope", "systems:read", "--days", "7").out.splitlines()
    assert "Token 1 of robot" in told
    assert gate.bearer(text).scopes == {Scope.SYSTEMS_READ}
    listed = desk.type("token", "list", "robot")
    assert "good" in listed.out
    assert text not in listed.out + desk.type("token", "list", "robot", "--json").out
    assert desk.type("token", "revoke", "robot", "1").code == 0
    with pytest.raises(NotKnown):
        gate.bearer(text)
    assert desk.type("token", "list", "robot", "--json").data[0]["revoked_at"]


def test_the_first_run_tells_how_to_sign_in_and_the_second_does_not(desk, gate) -> None:
    with running(desk) as (address, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        said = process.stdout.read()
        assert f"Sign in as {ADMINISTRATOR}" in said
        assert f"{address}/sign-in/once?key=" in said
        assert {str(each) for each in by_link(gate, said).grants} == {"central"}
    with running(desk) as (_, process):
        process.send_signal(signal.SIGINT)
        process.wait(120)
        assert "key=" not in process.stdout.read()


def test_a_person_is_exported_and_erased(desk, gate) -> None:
    desk.type("user", "add", "alice", "--email", "alice@example.org")
    told = desk.type("person", "export", "alice@example.org").data
    assert told["accounts"][0]["login"] == "alice"
    shown = desk.type("person", "erase", "alice@example.org", "--preview", "--json")
    assert (shown.code, shown.data["accounts"], shown.data["mentions"]) == (0, 1, [])
    assert "1 accounts, 0 tickets" in desk.type("person", "erase", "alice@example.org", "--preview").out
    erased = desk.type("person", "erase", "alice@example.org", "--yes", "--json")
    assert (erased.code, erased.data["accounts"]) == (0, 1)
    assert "alice" not in desk.type("user", "list", "--json").out
    assert "0 accounts and 0 tickets" in desk.type("person", "erase", "alice", "--yes").out
