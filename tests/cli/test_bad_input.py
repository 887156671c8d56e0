"""What an operator gets wrong, and what a tracker sends that is no answer.

A sentence with what to do; exit code 2, or 1 where a live system refutes, 3 where it cannot be reached; nothing
half-written; no secret shown.
"""

import os
import re
from datetime import timedelta

import pytest

from connectors.emulators.server import Fault
from mappings.library import shipped


def refused(desk, text: str) -> list[str]:
    """What `apply` says against this document, which must leave nothing behind."""
    said = desk.type("apply", desk.write(desk.pl, text, name="bad.yaml"))
    assert said.code == 2, said
    assert said.out == ""
    there = desk.type("system", "list", "--json")
    assert "there is no database" in there.err or there.data == [], "nothing is half-written"
    return said.err.splitlines()


def test_an_unknown_key_is_told_with_the_nearest_and_its_place(desk) -> None:
    (line,) = refused(desk, desk.cz.replace("support_units", "suport_units"))
    assert "bad.yaml:15:1: there is no key 'suport_units'; did you mean 'support_units'?" in line


def test_a_key_that_stands_twice_is_told_with_both_places(desk) -> None:
    (line,) = refused(desk, desk.cz + "mapping: rt\n")
    assert "bad.yaml:18:1: the key 'mapping' stands here twice; the first is in line 14" in line


def test_a_wrong_type_is_told_with_what_is_wanted(desk) -> None:
    (line,) = refused(desk, desk.cz.replace("[NGI_CZ]", "NGI_CZ"))
    assert "bad.yaml:15:16: support_units: must be a list" in line


def test_text_that_is_no_yaml_is_told_with_its_place(desk) -> None:
    (line,) = refused(desk, desk.cz + "policy: {status\n")
    assert line.split("bad.yaml:")[1].startswith("1")
    assert "this is not YAML" in line


def test_a_file_that_is_not_there_is_named(desk) -> None:
    said = desk.type("apply", str(desk.folder / "nobody.yaml"))
    assert said.code == 2
    assert "nobody.yaml:1:1: the file cannot be read: No such file or directory" in said.err


def test_several_mistakes_in_several_files_are_told_at_once(desk) -> None:
    one = desk.write(desk.cz.replace("mapping: rt", "mapping: art"), name="one.yaml")
    two = desk.write(desk.pl.replace("connector", "conector"), name="two.yaml")
    said = desk.type("apply", one, two)
    assert said.code == 2
    assert {line.split(":")[0].rsplit("/", 1)[-1] for line in said.err.splitlines()} == {"one.yaml", "two.yaml"}


def test_a_missing_secret_is_told_by_its_variable(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERDESK_SECRET_NGI_CZ")
    (line,) = refused(desk, desk.cz)
    assert "bad.yaml:13" in line
    assert line.endswith("set the environment variable INTERDESK_SECRET_NGI_CZ")


def test_a_secret_written_plainly_is_refused_and_never_repeated(desk) -> None:
    plain = desk.cz.replace('{secret: "env:INTERDESK_SECRET_NGI_CZ"}', f'"{desk.rt.token}"')
    lines = refused(desk, plain)
    assert any("write a reference" in line for line in lines)
    assert desk.rt.token not in "\n".join(lines)


def test_an_address_that_is_none_is_told(desk) -> None:
    lines = refused(desk, desk.cz.replace(desk.rt.url, "rt.example.cz"))
    assert any("url must begin with https://" in line for line in lines)


def test_an_instance_is_not_applied(desk) -> None:
    (line,) = refused(desk, "kind: instance\nname: ggus\n")
    assert "INTERDESK_CONFIG" in line


@pytest.mark.parametrize(
    "words", [["aply"], ["apply"], ["system", "check"], ["ticket", "show", "one"], ["status", "--x"]]
)
def test_a_misspelt_command_is_told_with_the_right_ones(desk, words: list[str]) -> None:
    said = desk.type(*words)
    assert said.code == 2
    assert said.err


def test_a_wrong_setting_of_the_environment_is_told(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_LISTEN", "8350")
    said = desk.type("system", "list")
    assert (said.code, "INTERDESK_LISTEN is HOST:PORT" in said.err) == (2, True)
    monkeypatch.setenv("INTERDESK_LISTEN", "127.0.0.1:8350")
    monkeypatch.setenv("INTERDESK_DATABASE", "mysql://localhost/interdesk")
    said = desk.type("system", "list")
    assert (said.code, "write sqlite:///" in said.err) == (2, True)
    monkeypatch.setenv("INTERDESK_BROKER", "http://127.0.0.1:5672/")
    said = desk.type("run")
    assert (said.code, "INTERDESK_BROKER is amqp://" in said.err) == (2, True)


def test_a_server_that_does_not_answer_is_told_without_its_password(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_DATABASE", "postgresql://me:a-secret@127.0.0.1:1/interdesk")
    said = desk.type("system", "list")
    assert (said.code, "does not answer" in said.err, "a-secret" in said.err) == (3, True, False)
    monkeypatch.delenv("INTERDESK_DATABASE")
    monkeypatch.setenv("INTERDESK_BROKER", "amqp://me:a-secret@127.0.0.1:1/")
    said = desk.type("run")
    assert (said.code, "does not answer" in said.err, "a-secret" in said.err) == (3, True, False)


def test_a_worker_needs_a_database_that_others_can_share(desk) -> None:
    said = desk.type("worker")
    assert (said.code, "INTERDESK_DATABASE=postgresql://" in said.err) == (2, True)


def test_a_wrong_document_of_the_instance_is_told_with_its_place(desk) -> None:
    (desk.folder / "interdesk.yaml").write_text("kind: instance\nname: ggus\npublic_ulr: https://x.example.org\n")
    said = desk.type("system", "list")
    assert said.code == 2
    assert "interdesk.yaml:3:1: there is no key 'public_ulr'; did you mean 'public_url'?" in said.err


def test_a_database_that_is_none_is_told(desk) -> None:
    (desk.folder / "var").mkdir()
    (desk.folder / "var" / "interdesk.db").write_bytes(b"not a database at all, just text" * 100)
    said = desk.type("system", "list")
    assert said.code == 2
    assert "is no database of interdesk" in said.err


def test_before_the_first_apply_there_is_no_database_and_that_is_said(desk) -> None:
    said = desk.type("status")
    assert said.code == 2
    assert "there is no database" in said.err


# -- what the live system says ---------------------------------------------------------------------------------------


def checked(desk, text: str, code: int) -> str:
    """What `system check` says of this document; nothing may be written anywhere."""
    said = desk.type("system", "check", desk.write(text))
    assert said.code == code, said
    for tracker in (desk.rt, desk.redmine):
        assert {asked.method for asked in tracker.asked} <= {"GET"}
    return said.out + said.err


def test_a_registration_that_works_is_proven_by_reading_only(desk) -> None:
    text = checked(desk, desk.cz, 0)
    assert "logged in to RT as" in text
    assert "mails: 5 of our kinds of write make it send some" in text
    assert "going live: this will send no mail" in text
    assert "lost on the way to the centre" in text
    assert "proven: it works, and nothing was written" in text
    assert desk.type("system", "list", "--json").data == [], "a check registers nothing"


def test_a_registered_system_is_proven_by_its_name(desk) -> None:
    desk.type("apply", desk.write(desk.cz, desk.pl))
    (report,) = desk.type("system", "check", "ngi-pl", "--json").data
    assert (report["system"], report["verdict"], report["mapping"]) == ("ngi-pl", 0, "redmine")
    assert all(finding["ok"] for finding in report["findings"])
    assert set(report["mails"]) == {"create", "update", "transition", "comment", "internal_comment"}
    assert desk.type("system", "check", "ngi-lp").code == 2


def test_a_wrong_token_refutes_and_says_so(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_SECRET_NGI_CZ", "1-14-wrong-and-secret")
    text = checked(desk, desk.cz, 1)
    assert "NO " in text
    assert "check the credentials" in text
    assert "wrong-and-secret" not in text


def test_a_queue_that_does_not_exist_refutes_and_says_so(desk) -> None:
    assert "nowhere" in checked(desk, desk.cz.replace(f"queue: {desk.rt.queue}", "queue: nowhere"), 1)


def test_a_project_that_does_not_exist_refutes_and_says_so(desk) -> None:
    assert "nowhere" in checked(desk, desk.pl.replace(f"project: {desk.redmine.project}", "project: nowhere"), 1)


def test_a_web_page_in_place_of_data_refutes_and_says_so(desk) -> None:
    desk.rt.fault = lambda asked: Fault("page")
    assert "a web page where data was expected" in checked(desk, desk.cz, 1)


def test_an_answer_cut_short_is_no_answer(desk) -> None:
    desk.rt.fault = lambda asked: Fault("cut")
    text = checked(desk, desk.cz, 1)
    assert "proven: it works" not in text


def test_an_answer_that_swells_is_cut_off(desk) -> None:
    desk.rt.fault = lambda asked: Fault("bomb", size=200 * 1024 * 1024)
    text = checked(desk, desk.cz, 1)
    assert "larger than" in text or "bytes" in text


def test_a_clock_an_hour_off_is_told_and_allowed_for(desk) -> None:
    desk.rt.tracker.offset = timedelta(hours=1)
    assert re.search(r"its clock is (1:00:00|0:59:5\d) ahead of ours: polling allows for it", checked(desk, desk.cz, 0))


def test_a_system_that_is_down_is_unreachable(desk) -> None:
    desk.rt.stop()
    text = checked(desk, desk.cz, 3)
    assert "does not answer" in text
    assert "not proven: the system cannot be reached" in text


def test_an_address_in_a_private_network_is_refused_unless_it_is_allowed(desk) -> None:
    (desk.folder / "interdesk.yaml").write_text("kind: instance\nname: ggus\n")
    said = desk.type("system", "check", desk.write(desk.cz))
    assert said.code in (1, 3)
    assert "allowed_networks" in said.out + said.err
    assert desk.rt.counts.total() == 0, "not even a connection"


def test_a_mapping_that_does_not_fit_the_live_system_refutes_with_its_place(desk) -> None:
    mapping = shipped("redmine").source.replace("unsolved: Rejected", "unsolved: Rejectet")
    text = checked(desk, f"{desk.pl}---\n{mapping}", 1)
    assert "'Rejectet' is not a status of theirs; did you mean 'Rejected'?" in text


def test_going_live_needs_a_system_that_answers(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.type("apply", desk.write(desk.cz))
    desk.rt.stop()
    said = desk.type("system", "live", "ngi-cz")
    assert (said.code, "does not answer" in said.err) == (3, True)
    desk.rt.start()
    monkeypatch.setenv("INTERDESK_SECRET_NGI_CZ", "1-14-wrong-and-secret")
    said = desk.type("system", "live", "ngi-cz")
    assert said.code == 2
    assert "wrong-and-secret" not in said.err
    assert desk.type("system", "list", "--json").data[0]["state"] == "draft"


def test_no_secret_is_ever_shown_or_stored(desk) -> None:
    desk.type("apply", "--live", desk.write(desk.cz, desk.pl))
    secrets = (os.environ["INTERDESK_SECRET_NGI_CZ"], os.environ["INTERDESK_SECRET_NGI_PL"])
    for words in (
        ["system", "show", "ngi-cz"],
        ["system", "show", "ngi-pl", "--json"],
        ["system", "check", "ngi-cz", "--json"],
        ["system", "check", "ngi-pl"],
        ["export"],
        ["export", "--json"],
        ["status", "--json"],
    ):
        said = desk.type(*words)
        assert said.code == 0
        assert not any(secret in said.out + said.err for secret in secrets), words
    assert not any(secret.encode() in desk.everything() for secret in secrets)
