"""GGUS classic by its profile: what it is told, what it is never told, and what it says in its own way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from connectors.api import CommentDraft, Connector
from connectors.emulators import ggus
from connectors.emulators.ggus import GgusEmulator
from connectors.emulators.soap import called
from connectors.environment import Environment
from connectors.errors import NotFound, Refused
from connectors.registry import open_connector
from connectors.testing import draft, listed
from tests.unit.connectors.conftest import Clock

Opened = Callable[..., tuple[GgusEmulator, Connector]]


@pytest.fixture
def opened(clock: Clock, here: Environment) -> Iterator[Opened]:
    running: list[tuple[GgusEmulator, Connector]] = []

    def opening(**quirks: Any) -> tuple[GgusEmulator, Connector]:
        emulator = GgusEmulator(clock, quirks=ggus.Quirks(**quirks)).__enter__()
        settings = {"url": emulator.url, "user": "ngi-xx", "password": emulator.password, "unit": "NGI_XX"}
        connector = open_connector("ggus", settings, system="s", environment=replace(here, max_answer=1 << 22))
        running.append((emulator, connector))
        return running[-1]

    yield opening
    for emulator, connector in running:
        connector.close()
        emulator.__exit__()


def calls(emulator: GgusEmulator, operation: str) -> list[Any]:
    found = [called(each.body) for each in emulator.asked]
    return [each.body for each in found if each is not None and each.operation == operation]


def theirs(emulator: GgusEmulator, **more: Any) -> str:
    words = {"GHD_Short_Description": "jobs fail", "GHD_Responsible_Unit": "NGI_XX", **more}
    return emulator.tracker.person("alice").open(words)


def test_a_create_says_whose_it_is_as_the_interface_asks(opened: Opened) -> None:
    emulator, connector = opened()
    fields = {"GHD_Short_Description": "jobs fail", "GHD_Phone": "+420 1", "GHD_Ticket_Category": "Incident"}
    connector.create(fields, token="7Q-TOKEN")
    (said,) = calls(emulator, "OpCreate")
    assert said["GHD_Origin_SG"] == "INTERDESK"
    assert said["GHD_Last_Login"] == "ngi-xx"
    assert said["GHD_Last_Modifier"] == "interdesk"
    assert said["GHD_Responsible_Unit"] == "NGI_XX"
    assert said["GHD_Phone"] == "+420 1"
    assert "7Q-TOKEN" in said["GHD_Description"]
    assert {"GHD_EMail", "GHD_Loginname"} <= set(said)


def test_an_update_says_what_changed_and_nothing_else(opened: Opened) -> None:
    emulator, connector = opened()
    key = theirs(emulator)
    held = connector.fetch(key)
    connector.update(key, {"GHD_Priority": "urgent"}, held=held)
    (said,) = calls(emulator, "TicketModify")
    assert said == {
        "GHD_Request_ID": key,
        "GHD_Last_Modifier": "interdesk",
        "GHD_Last_Login": "ngi-xx",
        "GHD_Priority": "urgent",
    }


def test_a_field_that_no_answer_tells_is_taken_for_arrived(opened: Opened) -> None:
    emulator, connector = opened()
    key = theirs(emulator)
    written = connector.update(key, {"GHD_Ticket_Category": "Change Request"}, held=connector.fetch(key))
    assert written.applied == {"GHD_Ticket_Category"}
    assert emulator.tracker.issue(key).fields["GHD_Ticket_Category"] == "Change Request"


def test_what_only_the_system_sets_is_refused_in_its_own_words(opened: Opened) -> None:
    emulator, connector = opened()
    key = theirs(emulator)
    written = connector.update(key, {"GHD_Status": "assigned", "GHD_Priority": "urgent"}, held=connector.fetch(key))
    assert written.applied == {"GHD_Priority"}
    assert written.refused == {"GHD_Status": "You can't change GHD_Status from 'new' to 'assigned'."}


def test_the_internal_diary_is_internal_and_its_text_is_never_shown(opened: Opened) -> None:
    emulator, connector = opened()
    key = theirs(emulator)
    alice = emulator.tracker.person("alice")
    alice.comment(key, "for all")
    alice.comment(key, "CANARY", internal=True)
    connector.comment(key, CommentDraft("among us", internal=True), token="7Q-ONE")
    found = connector.fetch(key, known=())
    assert "CANARY" not in repr(found)
    assert [(each.text, each.internal, each.own) for each in found.comments or ()] == [
        ("for all", False, False),
        ("", True, False),
        ("", True, True),
    ]
    (said,) = calls(emulator, "TicketModify")
    assert "GHD_Public_Diary" not in said
    assert said["GHD_Internal_Diary"].startswith("among us")


def test_both_diaries_are_read_by_one_request(opened: Opened) -> None:
    emulator, connector = opened()
    key = theirs(emulator)
    emulator.asked.clear()
    connector.fetch(key, known=())
    asked = [called(each.body).operation for each in emulator.asked]
    assert asked == ["TicketGet", "OpGetTicketHist", "GetAttachIDs"]


def test_each_of_its_services_is_asked_at_its_own_address(opened: Opened) -> None:
    emulator, connector = opened()
    key = theirs(emulator)
    emulator.asked.clear()
    connector.fetch(key, known=())
    services = [(each.word("webService"), each.word("server")) for each in emulator.asked]
    assert services == [("GGUS", "prod-ars"), ("GGUS_HISTORY", "prod-ars"), ("GGUS_ATTACH", "prod-ars")]
    assert {each.path for each in emulator.asked} == {"/arsys/services/ARService"}


def test_nothing_to_list_is_a_fault_there_and_an_empty_list_here(opened: Opened) -> None:
    emulator, connector = opened()
    assert connector.scan("").changes == ()
    first = connector.changes(None)
    assert first.changes == ()
    with pytest.raises(NotFound):
        connector.fetch("7", known=())
    emulator.tracker.person("alice").open({"GHD_Short_Description": "x", "GHD_Responsible_Unit": "NGI_YY"})
    assert connector.scan("").changes == ()
    key = theirs(emulator)
    assert connector.fetch(key, known=()).comments == ()


def test_files_hang_on_the_ticket_and_belong_to_the_comment_all_the_same(opened: Opened) -> None:
    emulator, connector = opened(newline_in_names=True)
    key = theirs(emulator)
    sent = CommentDraft("see the log", files=(draft("job.log", b"line\n"),))
    connector.comment(key, sent, token="7Q-FILE")
    (said,) = calls(emulator, "AddAttachment")
    assert said["GAT_Attachment_Orig_Size"] == "5"
    (comment,) = connector.fetch(key, known=()).comments or ()
    (file,) = comment.files
    assert file.name == "job.log"
    with connector.download(file) as chunks:
        assert b"".join(chunks) == b"line\n"
    with pytest.raises(Refused, match="hidden comment"):
        connector.comment(key, replace(sent, internal=True), token="7Q-TWO")


@pytest.mark.parametrize("hours", [14, -11, 5.75])
def test_its_clock_may_stand_in_any_zone(opened: Opened, clock: Clock, hours: float) -> None:
    emulator, connector = opened(zone=timezone(timedelta(hours=hours)))
    first = connector.changes(None).cursor
    clock.passes(seconds=1)
    key = theirs(emulator)
    changes, cursor = listed(connector, first)
    assert [(each.key, each.changed_at) for each in changes] == [(key, clock())]
    clock.passes(seconds=1)
    emulator.tracker.person("alice").edit(key, {"GHD_Priority": "urgent"})
    assert [each.key for each in listed(connector, cursor)[0]] == [key]
