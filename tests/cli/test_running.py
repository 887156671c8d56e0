"""`run`, `system pause|resume|live`, `ticket …`, `status`, `db …`: a whole interdesk in a process of its own."""

import contextlib
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import click
import pytest
import requests

from central.registry import Outage
from central.store.sql import SqlStore
from sync.cli.program import interdesk

WAIT = timedelta(seconds=120)
READY = {"ready": True, "problems": [], "hindrances": []}


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + WAIT.total_seconds()
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about: {what}"
        time.sleep(0.05)


@contextmanager
def running(desk, *words: str, **environ: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The real command; its address, which stands on a line of its own."""
    process = desk.command(*(words or ("run",)), **environ)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    log = threading.Thread(target=lambda: process.stderr.read(), daemon=True)
    log.start()
    try:
        assert address.startswith("http://127.0.0.1:"), process.communicate(timeout=120)
        yield address, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(120)
        process.stdout.close()
        log.join()
        process.stderr.close()


@pytest.fixture
def live(desk):
    """A desk with both systems live."""
    assert desk.type("apply", "--live", desk.write(desk.cz, desk.pl)).code == 0
    return desk


def test_run_synchronises_until_it_is_told_to_end(live) -> None:
    with running(live) as (address, process):
        key = live.rt.tracker.person("alice").open(Subject="CE refuses jobs", Description="since this morning")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        assert live.type("ticket", "show", f"ngi-cz/{key}", "--json").data["id"] == 1
        assert requests.get(f"{address}/readyz", timeout=120).json() == READY
        page = requests.get(f"{address}/tickets/1", timeout=120)
        assert ("/sign-in" in page.url, "CE refuses jobs" in page.text) == (True, False)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0


def test_a_second_run_on_one_state_is_refused(live) -> None:
    with running(live):
        second = live.command("run")
        out, err = second.communicate(timeout=120)
        assert (second.returncode, out) == (3, "")
        assert "is in use by another interdesk" in err


def test_the_next_free_port_is_taken(live) -> None:
    with running(live) as (address, _):
        taken = int(address.rsplit(":", 1)[1])
        with running(
            live, "run", INTERDESK_LISTEN=f"127.0.0.1:{taken}", INTERDESK_STATE=str(live.folder / "other")
        ) as (other, _):
            assert taken < int(other.rsplit(":", 1)[1]) < taken + 20


def test_a_pause_reaches_the_running_process_and_a_resume_brings_what_was_missed(live) -> None:
    alice = live.rt.tracker.person("alice")
    with running(live):
        said = live.type("system", "pause", "ngi-cz", "--reason", "maintenance")
        assert said.code == 0
        until(lambda: _is_quiet(live), "nobody is asked any more")
        alice.open(Subject="opened in the pause")
        assert live.type("status", "--check", "ngi-cz").code == 1
        assert "maintenance" in live.type("system", "list").out
        assert live.type("ticket", "list", "--json").data == []
        assert live.type("system", "resume", "ngi-cz").code == 0
        until(lambda: live.type("ticket", "list", "--json").data, "what was missed arrives")
        until(lambda: live.type("status", "--check", "ngi-cz").code == 0, "it is well")


def _is_quiet(desk) -> bool:
    before = desk.rt.counts.total()
    time.sleep(2.5)  # two poll intervals
    return desk.rt.counts.total() == before


def test_a_system_registered_beside_a_running_process_takes_part(desk) -> None:
    desk.type("apply", desk.write(desk.pl))
    with running(desk):
        assert desk.type("apply", "--live", desk.write(desk.cz)).code == 0
        desk.rt.tracker.person("alice").open(Subject="CE refuses jobs")
        until(lambda: desk.type("ticket", "list", "--json").data, "the ticket is at the centre")


def test_a_system_that_loses_its_rights_is_stopped_with_the_reason(live) -> None:
    with running(live, "run", INTERDESK_SECRET_NGI_CZ="1-14-revoked"):
        until(lambda: live.type("system", "list", "--json").data[0]["state"] == "paused", "the system is stopped")
    system, other = live.type("system", "list", "--json").data
    assert system["reason"].startswith("AccessError: ")
    assert other["state"] == "live"
    assert "1-14-revoked" not in live.type("status").out


def state_of(desk, name: str = "ngi-cz") -> str:
    return desk.type("system", "show", name, "--json").data["state"]


def test_other_credentials_in_the_environment_of_the_next_process_set_it_going_again(live) -> None:
    with running(live, "run", INTERDESK_SECRET_NGI_CZ="1-14-revoked"):
        until(lambda: state_of(live) == "paused", "the system is stopped")
    with running(live, "run", INTERDESK_SECRET_NGI_CZ="1-14-revoked"):
        until(lambda: live.redmine.counts["list"] >= 4, "the other system is at work")
        assert state_of(live) == "paused", "the credentials are the same"
    with running(live):
        until(lambda: state_of(live) == "live", "it tries again by itself")
        live.rt.tracker.person("alice").open(Subject="CE refuses jobs")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
    assert b"1-14-revoked" not in live.everything()


def test_a_new_secret_in_its_file_is_taken_by_the_running_process_after_an_apply(desk) -> None:
    (desk.folder / "secrets").mkdir()
    token = desk.folder / "secrets" / "cz"
    token.write_text(desk.rt.token)
    instance = desk.folder / "interdesk.yaml"
    instance.write_text(instance.read_text() + "secrets: secrets\n")
    cz = desk.write(desk.cz.replace("env:INTERDESK_SECRET_NGI_CZ", "file:cz"))
    assert desk.type("apply", "--live", cz).code == 0
    token.write_text("1-14-revoked")
    with running(desk):
        until(lambda: state_of(desk) == "paused", "the system is stopped")
        assert "tried again" not in desk.type("apply", cz).out, "nothing has changed"
        token.write_text(desk.rt.token)
        assert "with other credentials it is tried again" in desk.type("apply", cz).out
        desk.rt.tracker.person("alice").open(Subject="CE refuses jobs")
        until(lambda: desk.type("ticket", "list", "--json").data, "the ticket is at the centre")
        assert state_of(desk) == "live"


def test_other_credentials_never_set_going_what_a_person_paused(live) -> None:
    with running(live, "run", INTERDESK_SECRET_NGI_CZ="1-14-revoked"):
        until(lambda: state_of(live) == "paused", "the system is stopped")
        assert live.type("system", "pause", "ngi-cz", "--reason", "they move house").code == 0
    with running(live):
        until(lambda: live.redmine.counts["list"] >= 4, "the other system is at work")
        assert live.type("apply", live.write(live.cz)).code == 0
        assert state_of(live) == "paused"
    assert "they move house" in live.type("status").out


def test_status_tells_since_when_a_system_does_not_answer_and_when_it_is_tried_next(live) -> None:
    at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    store = SqlStore.open(f"sqlite:///{live.folder / 'var' / 'interdesk.db'}", clock=lambda: at, exclusive=False)
    silent = Outage(at, "Transient: connection refused", at + timedelta(minutes=5), 3)
    store.write(lambda tx: tx.registry.put_system(replace(tx.registry.system("ngi-pl"), outage=silent)))
    store.close()
    told = live.type("status").out
    assert "ngi-pl: does not answer since 2026-03-02 08:00:00 UTC; next try at 2026-03-02 08:05:00 UTC" in told
    system = live.type("status", "--check", "ngi-pl", "--json").data["systems"][0]
    assert (system["out_since"], system["next_try_at"]) == ("2026-03-02T08:00:00+00:00", "2026-03-02T08:05:00+00:00")
    said = live.type("status", "--check", "ngi-pl")
    assert (said.code, said.out.startswith("CRITICAL - ngi-pl does not answer since 2026-03-02 08:00:00")) == (2, True)
    assert live.type("system", "resume", "ngi-pl").code == 0
    assert live.type("status", "--check", "ngi-pl").code == 0


def test_why_tells_who_set_a_value_where_and_by_which_rule(live) -> None:
    with running(live):
        key = live.rt.tracker.person("alice").open(Subject="CE refuses jobs")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        live.rt.tracker.person("dan").edit(key, Status="open")
        until(lambda: live.type("ticket", "show", "1", "--json").data["fields"]["status"] == "in progress", "taken up")
    text = live.type("ticket", "why", "1", "status").out
    assert "ticket 1, status: 'in progress'" in text
    assert "set by dan in ngi-cz" in text
    assert "rule rt.status (revision 1) at mappings/library/rt.yaml:" in text
    assert live.type("ticket", "why", f"ngi-cz/{key}", "status", "--json").data["origin"]["system"] == "ngi-cz"
    said = live.type("ticket", "why", "1", "statsu")
    assert (said.code, "did you mean 'status'?" in said.err) == (2, True)


@pytest.mark.parametrize("reference", ["7", "ngi-cz/7", "nobody/1"])
def test_a_ticket_that_is_not_there_is_told(live, reference: str) -> None:
    said = live.type("ticket", "show", reference)
    assert said.code == 2
    assert reference.rsplit("/", 1)[-1] in said.err


@pytest.mark.parametrize("reference", ["one", "-", "1.5", "9" * 30])
def test_what_cannot_be_a_tickets_name_is_told(live, reference: str) -> None:
    said = live.type("ticket", "show", "--", reference)
    assert (said.code, "a ticket is named by its number, or as SYSTEM/KEY" in said.err) == (2, True)


def test_a_tickets_words_cannot_steer_the_terminal(live) -> None:
    with running(live):
        live.rt.tracker.person("alice").open(Subject="red \x1b[31malert\x07 [bold]now[/bold]")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
    for words in (["ticket", "list"], ["ticket", "show", "1"], ["ticket", "why", "1", "subject"]):
        assert "\x1b" not in live.type(*words).out
        assert "[bold]now[/bold]" in live.type(*words).out


def test_a_check_of_what_cannot_be_found_out_is_unknown(live, monkeypatch: pytest.MonkeyPatch) -> None:
    said = live.type("status", "--check", "ngi-zc")
    assert (said.code, said.out.startswith("UNKNOWN - no system 'ngi-zc' is registered")) == (3, True)
    assert "did you mean 'ngi-cz'?" in said.out
    monkeypatch.setenv("INTERDESK_DATABASE", "sqlite:////nowhere/interdesk.db")
    said = live.type("status", "--check", "ngi-cz")
    assert (said.code, said.out.startswith("UNKNOWN - ")) == (3, True)
    monkeypatch.setenv("INTERDESK_LISTEN", "somewhere")
    assert live.type("status", "--check", "ngi-cz").code == 3


def test_a_check_is_one_line_with_figures(live) -> None:
    said = live.type("status", "--check", "ngi-cz")
    assert (said.code, said.out.count("\n")) == (0, 1)
    assert said.out.startswith("OK - ngi-cz is well | lag=0s;900;3600;0 due=0;;;0 dead=0;0;;0")


def test_a_draft_can_neither_be_paused_nor_resumed(desk) -> None:
    desk.type("apply", desk.write(desk.cz))
    assert desk.type("system", "pause", "ngi-cz").code == 2
    said = desk.type("system", "resume", "ngi-cz")
    assert (said.code, "interdesk system live ngi-cz" in said.err) == (2, True)


def test_going_live_leaves_what_was_there_alone(desk) -> None:
    desk.rt.tracker.person("alice").open(Subject="older than interdesk")
    desk.type("apply", "--live", desk.write(desk.cz))
    with running(desk):
        until(lambda: desk.rt.counts["list"] >= 4, "it was asked a few times")
        desk.rt.tracker.person("alice").open(Subject="new")
        until(lambda: desk.type("ticket", "list", "--json").data, "the new ticket is at the centre")
    assert [each["fields"]["subject"] for each in desk.type("ticket", "list", "--json").data] == ["new"]


def test_the_database_is_made_checked_and_told_to_be_well(desk) -> None:
    assert desk.type("db", "upgrade").code == 0
    said = desk.type("db", "check")
    assert (said.code, "is well" in said.out) == (0, True)
    assert desk.type("db", "check", "--json").data["problems"] == []


def test_a_database_of_another_version_is_told_what_to_do(desk) -> None:
    desk.type("db", "upgrade")
    with contextlib.closing(sqlite3.connect(desk.folder / "var" / "interdesk.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert desk.type("db", "check").code == 1
    said = desk.type("system", "list")
    assert (said.code, "run interdesk db upgrade" in said.err) == (2, True)


def test_a_bug_of_ours_ends_with_70_and_keeps_its_traceback_in_a_file(desk) -> None:
    @click.command("stumble")
    def stumble() -> None:
        raise ZeroDivisionError("ours")

    interdesk.add_command(stumble)
    try:
        said = desk.type("stumble")
    finally:
        del interdesk.commands["stumble"]
    assert said.code == 70
    assert "This is a bug of interdesk" in said.err
    (file,) = (desk.folder / "var" / "log").iterdir()
    assert str(file) in said.err
    assert "ZeroDivisionError: ours" in file.read_text()


def test_a_state_folder_that_cannot_be_made_is_the_users_mistake(desk) -> None:
    said = desk.type("--state", "/proc/nowhere", "apply", desk.write(desk.cz))
    assert (said.code, "/proc/nowhere" in said.err) == (2, True)


def test_the_real_commands_answer_and_end_with_their_codes(desk) -> None:
    for words, code in ((["--version"], 0), (["--help"], 0), (["aply"], 2), (["status"], 2)):
        process = desk.command(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, (words, out, err)
        assert "Traceback" not in out + err


def test_a_comment_of_fifty_megabytes_becomes_a_visible_gap_and_the_rest_goes_on(live) -> None:
    alice = live.rt.tracker.person("alice")
    with running(live):
        key = alice.open(Subject="CE refuses jobs")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        alice.comment(key, "x" * (50 * 1024 * 1024))
        alice.comment(key, "and the words after it")
        until(lambda: "and the words after it" in live.type("ticket", "show", "1").out, "the later words arrive")
        shown = live.type("ticket", "show", "1").out
    assert "larger than" in shown
    assert len(shown) < 100_000


def test_where_the_tracker_sends_all_in_one_answer_the_ticket_waits_for_a_person_and_others_go_on(live) -> None:
    bob = live.redmine.tracker.person("Bob Nowak")
    with running(live):
        key = bob.open(subject="CE refuses jobs")
        until(lambda: live.type("ticket", "list", "--json").data, "the ticket is at the centre")
        bob.comment(key, "x" * (50 * 1024 * 1024))
        until(lambda: "larger than" in live.type("status").out, "the system says what is too large")
        bob.open(subject="another ticket")
        until(lambda: len(live.type("ticket", "list", "--json").data) == 2, "the other ticket is at the centre")
    assert "the answer is larger than 33,554,432 bytes" in live.type("status").out


def test_the_stop_button_stops_a_running_process_and_letting_go_sends_everything_once(desk) -> None:
    born_for_both = desk.cz.replace("poll:", "birth_unit: NGI_PL\npoll:")
    assert desk.type("apply", "--live", desk.write(born_for_both, desk.pl)).code == 0
    with running(desk) as _:
        alice = desk.rt.tracker.person("alice")
        key = alice.open(Subject="CE refuses jobs", Description="since this morning")
        there = _once_it_is_there(desk, "CE refuses jobs")
        stopped = desk.type("pause", "--all", "--reason", "a storm of mails")
        assert (stopped.code, "resume --all" in stopped.out) == (0, True)
        deeds = len(desk.redmine.tracker.log)
        alice.edit(key, Subject="CE refuses every job")
        until(
            lambda: desk.type("ticket", "show", "1", "--json").data["fields"]["subject"] == "CE refuses every job",
            "reading goes on",
        )
        until(lambda: _due(desk, "ngi-pl"), "it is owed to the other one")
        status = desk.type("status")
        assert (status.code, "a storm of mails" in status.out) == (1, True)
        assert len(desk.redmine.tracker.log) == deeds
        assert desk.type("resume", "--all").code == 0
        until(lambda: not _due(desk, "ngi-pl"), "what was owed is done")
        assert there.fields["subject"] == "CE refuses every job"
        assert [deed.new for deed in desk.redmine.tracker.log[deeds:]] == ["CE refuses every job"]
        assert desk.type("resume", "--all").code == 2


def _due(desk, system: str) -> int:
    return next(s["due"] for s in desk.type("status", "--json").data["systems"] if s["name"] == system)


def _once_it_is_there(desk, subject: str):
    """The issue of this subject in Redmine, when all that was owed is done."""

    def found():
        return [issue for issue in desk.redmine.tracker.issues.values() if issue.fields["subject"] == subject]

    until(lambda: found() and not _due(desk, "ngi-pl") and not _due(desk, "ngi-cz"), f"{subject!r} is in Redmine")
    return found()[0]


def test_a_copied_database_is_held_until_somebody_says_that_it_is_the_newest(live, monkeypatch) -> None:
    with running(live):
        pass
    monkeypatch.setenv("INTERDESK_INSTANCE", "another-host")
    with running(live):
        said = live.type("status")
        assert (said.code, "this database is a copy" in said.out, "db adopt --newest" in said.out) == (1, True, True)
    assert live.type("db", "adopt").code == 2
    monkeypatch.delenv("INTERDESK_INSTANCE")
    assert live.type("db", "adopt", "--newest").code == 0
    with running(live):
        assert "copy" not in live.type("status").out


def test_a_backfill_is_started_beside_a_running_process_and_carried_out_by_it(desk) -> None:
    alice = desk.rt.tracker.person("alice")
    for number in range(3):
        alice.open(Subject=f"old {number}", Description="from long ago")
    assert desk.type("apply", "--live", desk.write(desk.cz, desk.pl)).code == 0
    assert desk.type("job", "start", "backfill", "nowhere").code == 2
    with running(desk):
        assert desk.type("job", "start", "backfill", "ngi-cz", "--dry-run").code == 0
        until(lambda: desk.type("job", "show", "1", "--json").data["state"] == "done", "it is counted")
        assert desk.type("job", "show", "1", "--json").data["report"][0]["tickets"] == 3
        assert desk.type("ticket", "list", "--json").data == []
        assert desk.type("job", "start", "backfill", "ngi-cz").code == 0
        until(lambda: desk.type("job", "list", "--json").data[1]["state"] == "done", "it is carried out")
        assert len(desk.type("ticket", "list", "--json").data) == 3
        assert desk.type("job", "pause", "2").code == 2
        assert desk.type("job", "start", "resync", "1").code == 0
        until(lambda: desk.type("job", "list", "--json").data[2]["state"] == "done", "it is looked at anew")
        assert "backfill" in desk.type("job", "list").out


def test_a_system_in_shadow_is_only_read_and_its_report_tells_what_it_would_have_written(desk) -> None:
    alice = desk.rt.tracker.person("alice")
    born_for_poland = desk.cz.replace("contacts:", "birth_unit: NGI_PL\ncontacts:")
    assert desk.type("apply", desk.write(born_for_poland, desk.pl)).code == 0
    assert desk.type("system", "live", "ngi-cz").code == 0
    assert desk.type("system", "shadow", "ngi-pl").code == 0
    assert desk.type("system", "shadow", "ngi-pl").code == 2
    log = len(desk.redmine.tracker.log)
    with running(desk) as _:
        key = alice.open(Subject="CE refuses jobs", Description="since this morning")

        def report(*words: str):
            return desk.type("system", "shadow", "ngi-pl", "--report", "--json", *words).data

        until(lambda: report()["writes"], "its create is computed")
        [create] = report("--seen", "missing")["writes"]
        assert (create["side"], create["item"], create["ticket_id"]) == ("system", "create", 1)
        assert "subject: CE refuses jobs" in create["would"]
        assert report("--seen", "differs")["writes"] == []
        assert report()["counts"] == {"missing": 1, "agreed": 0, "differs": 0, "withdrawn": 0}
        until(lambda: desk.type("status", "--check", "ngi-pl").code == 0, "it is well")
        assert "system shadow ngi-pl --report" in desk.type("status").out
        people = desk.type("system", "shadow", "ngi-pl", "--report").out
        assert "computed and not written: 1 missing" in people
        assert "CE refuses jobs" in people
        assert "live, it would have sent 2 mails at most: 1 x create to watchers, owner" in people
        [proof] = desk.type("system", "check", "ngi-pl", "--json").data
        assert (proof["older"]["tickets"], proof["older"]["mails"]) == (1, 2)
        assert (
            "of the 1 tickets of its units: this will send 2 mails at most"
            in desk.type("system", "check", "ngi-pl").out
        )
        assert {asked.method for asked in desk.redmine.asked} == {"GET"}
        assert desk.type("system", "live", "ngi-pl").code == 0
        begun = desk.redmine.counts["list"]
        until(lambda: desk.redmine.counts["list"] > begun + 2, "it is asked, live")
        assert len(desk.redmine.tracker.log) == log
        assert report()["writes"] == []
        alice.edit(key, Subject="CE refuses all jobs")
        until(lambda: len(desk.redmine.tracker.issues) == 2, "what changes from now on travels")


def test_the_report_of_a_system_in_shadow_needs_neither_its_secrets_nor_the_system(desk, monkeypatch) -> None:
    assert desk.type("apply", desk.write(desk.cz, desk.pl)).code == 0
    assert desk.type("system", "shadow", "ngi-pl").code == 0
    monkeypatch.delenv("INTERDESK_SECRET_NGI_PL")
    asked = len(desk.redmine.asked)
    told = desk.type("system", "shadow", "ngi-pl", "--report")
    assert (told.code, "this will" in told.out, "live, it would have sent no mail" in told.out) == (0, False, True)
    assert "computed and not written: 0 missing" in told.out
    assert desk.type("system", "shadow", "ngi-pl", "--report", "--json").data["mails"] == 0
    assert len(desk.redmine.asked) == asked
    assert desk.type("system", "shadow", "ngi-xx", "--report").code == 2


def test_twins_that_people_keep_are_paired_in_shadow_after_a_dry_run_that_tells_them(desk) -> None:
    alice, bob = desk.rt.tracker.person("alice"), desk.redmine.tracker.person("Bob Nowak")
    born_for_poland = desk.cz.replace("contacts:", "birth_unit: NGI_PL\ncontacts:")
    assert desk.type("apply", desk.write(born_for_poland, desk.pl)).code == 0
    assert desk.type("system", "live", "ngi-cz").code == 0
    assert desk.type("system", "shadow", "ngi-pl").code == 0
    for wrong in ("subject=none", "subject={id}{id}", "subject=[{nowhere}]"):
        assert desk.type("job", "start", "pair", "ngi-pl", "--by", wrong).code == 2
    with running(desk):
        alice.open(Subject="CE refuses jobs", Description="since this morning")
        until(lambda: desk.type("ticket", "list", "--json").data, "it is at the centre")
        key = bob.open(subject="[GGUS #1] CE refuses jobs")
        pair = ("job", "start", "pair", "ngi-pl", "--by", "subject=[GGUS #{id}]")
        assert desk.type(*pair, "--dry-run").code == 0

        def last():
            return desk.type("job", "list", "--json").data[-1]

        until(lambda: last()["state"] == "done", "the dry run is over")
        number = str(last()["id"])
        [found] = desk.type("job", "show", number, "--verdict", "pair", "--json").data["report"]
        assert (found["subject"], found["ticket"], "subject" in found["differs"]) == (key, 1, True)
        assert "1 pair" in desk.type("job", "show", number).out
        assert desk.type(*pair).code == 0
        until(lambda: last()["state"] == "done", "they are paired")
        assert desk.type("ticket", "show", f"ngi-pl/{key}", "--json").data["id"] == 1
        assert desk.type("job", "start", "scan", "ngi-pl").code == 0
        until(lambda: last()["state"] == "done", "it is scanned")
        assert "listed" in desk.type("job", "show", str(last()["id"])).out
        assert {asked.method for asked in desk.redmine.asked} == {"GET"}
