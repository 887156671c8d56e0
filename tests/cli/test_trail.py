"""One trail from the door that somebody comes in by to the tracker that is written to, in the log of a whole mesh."""

import contextlib
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.cli.test_running import until
from tests.unit.central.desk.soap.hotline import envelope, ghd


class Log:
    """What a process logs, as it does."""

    def __init__(self, out: Any) -> None:
        self._lines: list[str] = []
        self._reader = threading.Thread(target=lambda: self._lines.extend(out), daemon=True)
        self._reader.start()

    def end(self) -> None:
        self._reader.join()

    def said(self, **wanted: Any) -> list[dict[str, Any]]:
        """The lines that say this."""
        told = [json.loads(line) for line in list(self._lines) if line.startswith("{")]
        return [line for line in told if wanted.items() <= line.items()]


@contextmanager
def logged(desk) -> Iterator[tuple[str, Log]]:
    process = desk.command("run")
    address, log = process.stdout.readline().strip(), Log(process.stderr)
    try:
        yield address, log
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(120)
        log.end()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
def live(desk):
    assert desk.type("apply", "--live", desk.write(desk.cz)).code == 0
    assert desk.type("user", "add", "carl", "--grant", "central").code == 0
    return desk


def test_what_is_done_at_a_door_bears_one_trail_from_there_to_the_last_write(live) -> None:
    scopes = ("--scope", "tickets:read", "--scope", "tickets:write")
    token = live.type("token", "add", "carl", "robot", *scopes).out.splitlines()[0]
    with logged(live) as (address, log):

        def by_rest() -> int:
            opened = {"subject": "CE refuses jobs", "unit": "NGI_CZ"}
            shown = {"Authorization": f"Bearer {token}"}
            answer = requests.post(f"{address}/api/v1/tickets", json=opened, headers=shown, timeout=120)
            assert answer.status_code == 201, answer.text
            return int(answer.json()["id"])

        def by_soap() -> None:
            said = ghd(Request_ID=str(number), Public_Diary="we look into it", Last_Modifier="carl", Last_Login="carl")
            call = envelope("TicketModify", said, who="carl", password=token)
            assert requests.post(f"{address}/soap", data=call, timeout=120).status_code == 200

        number = by_rest()
        until(lambda: log.said(event="looked", direction="outward", system="ngi-cz"), "it is told to the tracker")
        by_soap()
        until(lambda: log.said(event="writes", what="comment"), "what was said is told there, too")
        for door, what in (("rest", "create"), ("soap", "comment")):
            until(lambda door=door: log.said(event="acted", door=door), "the door has said so")
            (acted,) = log.said(event="acted", door=door)
            assert {line["trail"] for line in log.said(event="writes", what=what)} == {acted["trail"]}
            assert (acted["subject"], acted["owed"]) == (str(number), ["ngi-cz"])
            until(lambda trail=acted["trail"]: log.said(event="looked", trail=trail), "its look has ended")
            looks = log.said(event="looked", trail=acted["trail"])
            assert ("ngi-cz", "outward", str(number)) in {(e["system"], e["direction"], e["subject"]) for e in looks}
        assert len({line["trail"] for line in log.said(event="acted")}) == 2
