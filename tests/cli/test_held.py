"""`connector test … --people`: a live system held to the whole suite, a second account of it acting as people."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from connectors.emulators.plain import PlainEmulator
from connectors.emulators.server import Asked

OURS = (files("connectors.profiles") / "plain.yaml").read_text("utf-8").replace("name: plain", "name: ours")
OURS = OURS.replace("key: {kind: secret", "login: {default: interdesk, says: who we are}\n  key: {kind: secret")
SYSTEM = """\
kind: system
name: ngi-de
connector: ours
settings: {{url: "{url}", key: {{secret: "env:INTERDESK_SECRET_NGI_DE"}}}}
mapping: ours
support_units: [NGI_DE]
"""
FIELDS = ("--set", "subject=jobs fail", "--set", "description=since noon")


class TwoAccounts(PlainEmulator):
    """A live system, as far as the suite is concerned: it has one account for us and one for Alice."""

    def account(self, asked: Asked) -> str:
        return "alice" if asked.headers.get("authorization") == "Bearer alices-key" else super().account(asked)


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch):
    with TwoAccounts(lambda: datetime.now(UTC)) as emulator:
        monkeypatch.setenv("INTERDESK_SECRET_NGI_DE", emulator.key)
        monkeypatch.setenv("INTERDESK_SECRET_ALICE", "alices-key")
        yield emulator


def test_a_live_system_is_held_to_the_suite_by_two_accounts(desk, theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "bears_what_was_sent or known_comments or going_live or hangs_on or head or internal_comment_is_listed"
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-k '{wanted}'")
    documents = desk.write(SYSTEM.format(url=theirs.url), OURS)
    said = desk.type(
        *("connector", "test", documents, "--write", *FIELDS, "--owner", "assigned_to=bob", "--json"),
        *("--people", "key=env:INTERDESK_SECRET_ALICE"),
    )
    (told,) = said.data
    assert (said.code, told["broken"]) == (0, []), said.err
    assert told["passed"] >= 6
    assert {deed.who for deed in theirs.tracker.log} == {"interdesk", "alice"}
    assert not any("[interdesk" in str(deed.new) for deed in theirs.tracker.log if deed.who == "alice")


def test_what_does_not_hold_is_named(desk, theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k bears_what_was_sent")
    wrong = OURS.replace("token: external_id", "token: elsewhere")
    documents = desk.write(SYSTEM.format(url=theirs.url), wrong)
    people = ("--people", "key=env:INTERDESK_SECRET_ALICE")
    said = desk.type("connector", "test", documents, "--write", *FIELDS, *people, "--json")
    assert (said.code, said.data[0]["broken"]) == (
        1,
        ["test_a_created_ticket_bears_what_was_sent_and_is_found_by_its_token"],
    )


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (("--people", "key=env:INTERDESK_SECRET_ALICE", *FIELDS), "say --write if that is meant"),
        (("--people", "key=env:INTERDESK_SECRET_ALICE", "--write"), "the title first, then the text"),
        (("--people", "keyenv", "--write", *FIELDS), "--people is FIELD=VALUE"),
        (("--write",), "go with --people"),
        (("--people", "kez=x", "--write", *FIELDS), "has no setting 'kez' (did you mean 'key'?)"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(desk, theirs, said, sentence) -> None:
    answer = desk.type("connector", "test", desk.write(SYSTEM.format(url=theirs.url), OURS), *said)
    assert (answer.code, sentence in answer.err.replace("\n", " ")) == (2, True), answer.err
    assert theirs.tracker.log == []
