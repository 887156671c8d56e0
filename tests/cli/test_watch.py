"""`watch`: a process beside a whole interdesk, which is killed, stopped and started again before its eyes."""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.test_running import running, until
from tests.letterbox import Door, LetterBox, taken

NOC = "noc@ggus.eu"


@pytest.fixture
def box() -> Iterator[LetterBox]:
    with LetterBox() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _signing(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_SECRET_MAIL", "sixteen characters, or more")


def mail(box: LetterBox) -> str:
    """How this centre sends mail, as its document says it."""
    secret = "{secret: 'env:INTERDESK_SECRET_MAIL'}"
    return f"mail: {{address: interdesk@ggus.eu, secret: {secret}, out: {{smtp: '{box.url}'}}}}\n"


@pytest.fixture
def watched(desk, box: LetterBox):
    """A desk whose centre is reached by mail."""
    (desk.folder / "interdesk.yaml").write_text(
        f"kind: instance\nname: ggus\nallowed_networks: [127.0.0.0/8]\n{mail(box)}alerts: {{contacts: [{NOC}]}}\n",
        encoding="utf-8",
    )
    return desk


@contextmanager
def watching(desk, *words: str):
    """The real command, at work."""
    process = desk.command("watch", "--every", "1s", *words)
    reader = threading.Thread(target=lambda: process.stderr.read(), daemon=True)
    reader.start()
    try:
        assert process.stdout.readline() == "watching\n", process.communicate(timeout=120)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(120)
        process.stdout.close()
        reader.join()
        process.stderr.close()


def subjects(box: LetterBox) -> list[str]:
    return [each.mail["Subject"] for each in box.got]


def test_case_25_an_engine_that_is_killed_is_told_by_the_watcher_and_so_is_its_return(watched, box: LetterBox) -> None:
    with running(watched) as (address, engine), watching(watched, "--web", address) as watcher:
        until(lambda: watched.type("watch", "--once", "--web", address).code == 0, "all is well")
        engine.kill()
        engine.wait(120)
        port = int(address.rsplit(":", 1)[1])
        with taken(port):
            until(lambda: box.got, "the centre is told")
            assert (subjects(box), box.got[0].to) == (["[interdesk] interdesk has stopped"], (NOC,))
            assert "the pages do not answer" in box.got[0].mail.get_content()
            with running(watched, "run", INTERDESK_LISTEN=f"127.0.0.1:{port}") as (again, _):
                assert again == address
                until(lambda: len(box.got) > 1, "the centre is told that it is well again")
                watcher.send_signal(signal.SIGTERM)
                assert watcher.wait(120) == 0
    assert subjects(box) == ["[interdesk] interdesk has stopped", "[interdesk] interdesk is well again"]


def test_case_25_a_killed_engine_shows_by_its_last_heartbeat_alone(watched) -> None:
    with running(watched) as (_, engine):
        until(lambda: watched.type("watch", "--once").code == 0, "it is heard of")
        engine.kill()
        engine.wait(120)
        until(lambda: watched.type("watch", "--once", "--silence", "1s").code == 1, "it is missed")
        said = watched.type("watch", "--once", "--silence", "1s")
        assert "the engine has stopped: it is not heard of since" in said.out


def test_one_that_was_told_to_end_leaves_nobody_at_work(watched) -> None:
    with running(watched) as (_, engine):
        until(lambda: watched.type("watch", "--once").code == 0, "it is heard of")
        assert "nobody is at work" not in watched.type("status").out
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(120) == 0
    assert "nobody is at work" in watched.type("status").out
    said = watched.type("watch", "--once")
    assert (said.code, said.out) == (1, "the engine has stopped: nobody is at work\n")


def test_a_watcher_without_mail_runs_a_program_and_stops_asking_the_switch(desk) -> None:
    program = (
        f'{sys.executable} -c \'import os,sys; open("told","a").write(os.environ["INTERDESK_WATCH"]+sys.stdin.read())\''
    )
    told = desk.folder / "told"
    with Door() as switch, running(desk) as (_, engine):
        until(lambda: desk.type("watch", "--once").code == 0, "it is heard of")
        with watching(desk, "--ping", f"{switch.url}/alive", "--command", program) as watcher:
            until(lambda: switch.asked, "the switch is asked while all is well")
            engine.send_signal(signal.SIGTERM)
            engine.wait(120)
            until(lambda: told.exists() and told.read_text(encoding="utf-8"), "the program is run")
            asked = len(switch.asked)
            text = told.read_text(encoding="utf-8")
            assert text.startswith("illinterdesk has stopped")
            assert "nobody is at work" in text
            watcher.send_signal(signal.SIGTERM)
            assert watcher.wait(120) == 1
            assert len(switch.asked) == asked


def test_a_mail_server_that_is_away_only_delays_the_watchers_letter(watched, box: LetterBox) -> None:
    box.close()
    with running(watched) as (_, engine), watching(watched) as watcher:
        engine.send_signal(signal.SIGTERM)
        engine.wait(120)
        assert watcher.stdout.readline().startswith("interdesk has stopped")
        box.open()
        until(lambda: subjects(box) == ["[interdesk] interdesk has stopped"], "the letter arrives all the same")


def test_the_engine_itself_pings_a_switch_and_tells_whom_it_concerns(desk, box: LetterBox) -> None:
    with Door() as door:
        (desk.folder / "interdesk.yaml").write_text(
            "kind: instance\nname: ggus\nallowed_networks: [127.0.0.0/8]\n"
            f"{mail(box)}"
            f"alerts: {{ping: '{door.url}/alive', ping_every: 1s, webhook: '{door.url}/alerts', errors: 1s}}\n",
            encoding="utf-8",
        )
        assert desk.type("apply", "--live", desk.write(desk.cz)).code == 0
        desk.rt.stop()
        with running(desk):
            until(lambda: {path for _, path, _, _ in door.asked} == {"/alive", "/alerts"}, "both are asked")
            until(lambda: subjects(box) == ["[interdesk] ngi-cz does not answer"], "its contacts are told")
        assert box.got[0].to == ("ops@example.cz",)
        body = next(body for _, path, _, body in door.asked if path == "/alerts")
        assert [each["kind"] for each in json.loads(body)["alerts"]] == ["out"]


@pytest.mark.parametrize("words", [("--every", "soon"), ("--web", "ftp://x"), ("--ping", "localhost")])
def test_what_it_cannot_do_is_a_mistake(desk, words: tuple[str, ...]) -> None:
    assert desk.type("watch", "--once", *words).code == 2
