"""`deadletter list|show|retry|discard`, beside a running interdesk."""

import pytest

from tests.cli.test_running import live, running, until

__all__ = ["live"]
HUGE = "x" * (50 * 1024 * 1024)


@pytest.fixture
def stuck(live):
    """A desk whose Redmine has a ticket that comes in an answer too large to be read: a dead letter."""
    bob = live.redmine.tracker.person("Bob Nowak")
    with running(live):
        key = bob.open(subject="CE refuses jobs")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        bob.comment(key, HUGE)
        until(lambda: live.type("deadletter", "list", "--json").data, "it is a dead letter")
    return live, key


def test_a_letter_is_listed_shown_and_discarded_and_shows_on_the_ticket(stuck) -> None:
    desk, key = stuck
    (letter,) = desk.type("deadletter", "list", "--system", "ngi-pl", "--json").data
    number = str(letter["letter"])
    assert (letter["state"], letter["subject"], letter["ticket"]) == ("dead", key, 1)
    assert "is larger than" in desk.type("deadletter", "list").out
    shown = desk.type("deadletter", "show", number)
    assert "1: CE refuses jobs" in shown.out
    assert f"inward, at ngi-pl/{key}" in shown.out
    assert "is larger than" in desk.type("deadletter", "show", number, "--json").data["error"]
    ticket = desk.type("ticket", "show", "1").out
    assert f"letter {number}, ngi-pl: what changed is not taken in, a dead letter: ProtocolError" in ticket
    assert "dead letters wait for a person: interdesk deadletter list" in desk.type("status").out

    said = desk.type("deadletter", "discard", number, "--reason", "somebody pasted a core dump")
    assert (said.code, f"letter {number} (ngi-pl, inward, at ngi-pl/{key}) is discarded" in said.out) == (0, True)
    assert desk.type("deadletter", "list", "--json").data == []
    (given_up,) = desk.type("deadletter", "list", "--discarded", "--json").data
    assert "somebody pasted a core dump; it said: ProtocolError" in given_up["error"]
    (on_ticket,) = desk.type("ticket", "show", "1", "--json").data["letters"]
    assert "somebody pasted a core dump" in on_ticket["sentence"]
    assert "ngi-pl: discarded letters, 1" in desk.type("status").out
    systems = {each["name"]: each for each in desk.type("status", "--json").data["systems"]}
    assert (systems["ngi-pl"]["dead"], systems["ngi-pl"]["discarded"]) == (0, 1)
    assert desk.type("db", "check").code == 0


def test_a_letter_that_waits_for_no_lost_answer_is_not_settled(stuck) -> None:
    desk, _ = stuck
    (letter,) = desk.type("deadletter", "list", "--json").data
    number = str(letter["letter"])
    for words in (("--never",), ("--there", "7")):
        said = desk.type("deadletter", "settle", number, *words)
        assert (said.code, "retry it, or discard it" in said.err) == (2, True)
    assert desk.type("deadletter", "settle", number).code == 2
    assert desk.type("deadletter", "settle", number, "--never", "--there", "7").code == 2
    assert desk.type("deadletter", "settle", "99", "--never").code == 2


def test_a_retry_reaches_the_running_process(stuck) -> None:
    desk, key = stuck
    (letter,) = desk.type("deadletter", "list", "--json").data
    with running(desk):
        issue = desk.redmine.tracker.issues[key]
        issue.notes[:] = [note for note in issue.notes if note.text != HUGE]  # its owner took the paste away, silently
        said = desk.type("deadletter", "retry", str(letter["letter"]), "--json")
        assert [each["letter"] for each in said.data] == [letter["letter"]]
        until(lambda: desk.type("status", "--json").data["systems"][1]["due"] == 0, "it was looked at again")
    assert desk.type("deadletter", "list", "--json").data == []
    assert desk.type("ticket", "show", "1", "--json").data["letters"] == []


@pytest.mark.parametrize("scope", [["--all"], ["--system", "ngi-pl"]])
def test_bulk_needs_a_scope_that_is_said(stuck, scope: list[str]) -> None:
    desk, _ = stuck
    for words in (
        ["retry"],
        ["discard", "--reason", "x"],
        ["retry", "1", "--all"],
        ["retry", "--all", "--system", "a"],
    ):
        said = desk.type("deadletter", *words)
        assert (said.code, "say which" in said.err) == (2, True)
    assert desk.type("deadletter", "discard", *scope).code == 2, "why is not said"
    assert desk.type("deadletter", "discard", "--reason", " ", *scope).code == 2
    assert "1 letter is discarded" in desk.type("deadletter", "discard", "--reason", "too large", *scope).out
    assert "0 letters are tried again" in desk.type("deadletter", "retry", *scope).out


def test_a_letter_or_system_that_is_not_there_is_told(desk) -> None:
    desk.type("apply", desk.write(desk.cz))
    for words in (["show", "7"], ["retry", "7"], ["discard", "7", "--reason", "x"]):
        said = desk.type("deadletter", *words)
        assert (said.code, "there is no dead letter 7" in said.err) == (2, True)
    for words in (["list"], ["retry"]):
        said = desk.type("deadletter", *words, "--system", "ngi-zc")
        assert (said.code, "did you mean 'ngi-cz'?" in said.err) == (2, True)
