"""`db backup|restore|plan|approve|adopt`: what an operator types when our own database has to go back in time."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.cli.test_running import _due, running, until


@pytest.fixture
def live(desk):
    """A desk with both systems live."""
    assert desk.type("apply", "--live", desk.write(desk.cz, desk.pl)).code == 0
    return desk


def test_a_database_is_backed_up_beside_a_running_process_restored_planned_and_approved(live, tmp_path) -> None:
    saved = str(tmp_path / "saved.db")
    alice = live.rt.tracker.person("alice")
    with running(live):
        key = alice.open(Subject="CE refuses jobs", Description="since this morning")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        assert live.type("db", "backup", saved).code == 0
        assert live.type("db", "backup", saved).code == 2, "it is there already"
        alice.comment(key, "said after the backup")
        until(lambda: "said after the backup" in live.type("ticket", "show", "1").out, "it arrives")
        assert live.type("db", "restore", saved).code == 3, "somebody runs"
    said = live.type("db", "restore", saved)
    assert (said.code, "interdesk db plan" in said.out, "is kept in" in said.out) == (0, True, True)
    assert "said after the backup" not in live.type("ticket", "show", "1").out
    with running(live):
        assert "restored from a backup" in live.type("status").out
    asked = len(live.rt.tracker.log)
    found = live.type("db", "plan", "--json").data
    assert (found["found"]["looked"], found["unread"]) == (1, {})
    assert "said after the backup" in live.type("ticket", "show", "1").out
    assert live.type("db", "approve", "--json").data["approved"] is True
    assert len(live.rt.tracker.log) == asked
    assert live.type("db", "approve").code == 2, "nothing is left to approve"
    with running(live):
        assert "restored" not in live.type("status").out
        until(lambda: not _due(live, "ngi-cz"), "all is done")


def test_a_plan_that_has_changed_is_shown_anew_with_exit_code_1(live, tmp_path) -> None:
    saved = str(tmp_path / "saved.db")
    bob = live.redmine.tracker.person("Bob Nowak")
    alice = live.rt.tracker.person("alice")
    with running(live):
        key = alice.open(Subject="CE refuses jobs", Description="since this morning")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
    assert live.type("db", "backup", saved).code == 0
    assert live.type("db", "restore", saved).code == 0
    live.type("db", "plan")
    live.rt.stop()
    assert live.type("db", "approve").code == 1, "one of the systems cannot be read any more"
    live.rt.start()
    assert live.type("db", "approve").code == 1
    assert live.type("db", "approve").code == 0
    assert (key, bob.name) != ("", "")


def test_a_backup_that_was_put_in_place_by_hand_is_noticed(live, tmp_path) -> None:
    saved = tmp_path / "saved.db"
    with running(live):
        assert live.type("db", "backup", str(saved)).code == 0
    shutil.copy(saved, live.folder / "var" / "interdesk.db")
    said = live.type("db", "plan")
    assert (said.code, "plan " in said.out) == (0, True)
    assert "restored from a backup" in live.type("status").out
    assert live.type("db", "approve").code == 0


def test_what_nothing_shows_to_be_restored_is_planned_only_when_somebody_says_so(live) -> None:
    said = live.type("db", "plan")
    assert (said.code, "interdesk db plan --restored" in said.err) == (2, True)
    assert live.type("db", "plan", "--restored").code == 0
    assert live.type("status").code == 1
    assert live.type("db", "approve").code == 0


def test_what_is_no_backup_is_not_restored(live, tmp_path) -> None:
    before = live.type("system", "list", "--json").data
    (tmp_path / "words.txt").write_text("no database at all, but long enough to be looked at" * 100)
    closing(sqlite3.connect(tmp_path / "other.db")).__exit__(None, None, None)
    for name, told in (("words.txt", "no database"), ("other.db", "no database"), ("nothing.db", "there is no file")):
        said = live.type("db", "restore", str(tmp_path / name))
        assert (said.code, told in said.err) == (2, True), said
    assert live.type("system", "list", "--json").data == before


def test_a_backup_on_a_new_host_is_a_copy_until_that_host_is_its_home(live, tmp_path, monkeypatch) -> None:
    saved = str(tmp_path / "saved.db")
    with running(live):
        live.rt.tracker.person("alice").open(Subject="CE refuses jobs")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        assert live.type("db", "backup", saved).code == 0
    monkeypatch.setenv("INTERDESK_STATE", str(live.folder / "new"))
    assert live.type("db", "restore", saved).code == 0
    said = live.type("db", "plan")
    assert (said.code, "interdesk db adopt" in said.err) == (2, True)
    assert "this database is a copy" in live.type("status").out
    assert live.type("db", "adopt").code == 2
    assert live.type("db", "adopt", "--restored").code == 0
    assert live.type("db", "plan").code == 0
    assert live.type("db", "approve").code == 0
    with running(live):
        assert "copy" not in live.type("status").out


def test_a_database_on_a_server_is_told_its_own_tools(desk, monkeypatch) -> None:
    monkeypatch.setenv("INTERDESK_DATABASE", "postgresql://ada:secret@127.0.0.1:1/interdesk")
    said = desk.type("db", "restore", "interdesk.dump")
    assert (said.code, "pg_restore" in said.err, "secret" in said.err) == (2, True, False)
