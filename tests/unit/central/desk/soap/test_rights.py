"""Who may do what over SOAP: the table of rights, and nothing that this door adds or takes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from central.model import NewComment, NewFile, Person, Visibility
from tests.unit.central.desk.soap.hotline import Hotline, ghd

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NOWHERE = "ERROR (302): Entry does not exist in database;"


@pytest.fixture
def line() -> Iterator[Hotline]:
    with Hotline() as line:
        yield line


@pytest.mark.parametrize(("who", "password"), [("ngi-cz", "wrong"), ("nobody", "nobody"), ("", ""), (None, None)])
def test_whoever_is_not_known_is_told_so_in_the_classic_words(
    line: Hotline, who: str | None, password: str | None
) -> None:
    said = line.call("TicketGet", ghd(Request_ID="1"), who=who, password=password)
    assert said.startswith("ERROR (623): Authentication failed")


def test_what_somebody_may_not_read_does_not_exist_for_them(line: Hotline) -> None:
    number = line.create("tess", Responsible_Unit="NGI_PL")
    assert line.get(number, "audit")["GHD_Request_ID"] == number
    assert line.get(number, "alice") == NOWHERE
    for operation in ("OpGetTicketHist", "TicketModify", "OpModify"):
        body = ghd(Request_ID=number) | (ghd(Last_Modifier="m", Last_Login="l") if "Modify" in operation else {})
        assert line.call(operation, body, who="alice") == NOWHERE
    for operation in ("GetAttachIDs", "GetAttachments"):
        assert line.call(operation, {"GAT_Request_ID": number}, who="alice") == NOWHERE
    assert line.call("TicketGetList", ghd(Responsible_Unit="NGI_PL"), who="alice") == NOWHERE


def test_an_internal_diary_is_for_those_with_the_right_alone(line: Hotline) -> None:
    number = line.create("tess", Responsible_Unit="NGI_CZ", EMail="alice@example.org", Internal_Diary="a canary")
    line.modify(number, Public_Diary="hello")
    line.modify(number, Internal_Diary="the canary again", Last_Modifier="Secret Sam")
    for reader, may in {"ngi-cz": True, "tess": True, "audit": True, "alice": False}.items():
        rows = line.call("OpGetTicketHist", ghd(Request_ID=number), who=reader)["getListValues"]
        unit = line.call("TicketGetList", ghd(Responsible_Unit="NGI_CZ"), who=reader)
        assert ("canary" in f"{rows} {line.get(number, reader)} {unit}") is may
        assert ("Secret Sam" in f"{rows} {line.get(number, reader)} {unit}") is may


def test_nobody_without_the_right_writes(line: Hotline) -> None:
    number = line.create("tess", Responsible_Unit="NGI_CZ", EMail="alice@example.org")
    refusals = {
        "audit": {"Status": "on hold"},
        "alice": {"Priority": "urgent"},
        "ngi-pl": {"Status": "on hold"},
    }
    for who, change in refusals.items():
        assert line.modify(number, who, **change).startswith("ERROR (10000): ")
        assert line.modify(number, who, Internal_Diary="psst").startswith("ERROR (10000): ")
    body = ghd(Short_Description="s", Last_Modifier="m", Last_Login="l")
    assert line.call("OpCreate", body, who="audit").startswith("ERROR (10000): ")
    secret = line.call("OpCreate", body | ghd(Internal_Diary="psst"), who="alice")
    assert secret.startswith("ERROR (10000): ")
    assert line.world.store.read(lambda tx: tx.tickets.count()) == 1


def test_a_submitter_answers_reopens_and_ends_the_wait_for_it(line: Hotline) -> None:
    number = line.create("tess", Responsible_Unit="NGI_CZ", EMail="alice@example.org")
    line.modify(number, Status="waiting for reply")
    line.modify(number, "alice", Public_Diary="here it is")
    assert line.get(number)["GHD_Status"] == "in progress"
    line.modify(number, Status="solved")
    line.modify(number, "alice", Status="reopened")
    assert line.get(number)["GHD_Status"] == "reopened"


def test_an_answer_of_an_interface_does_not_end_the_wait_for_the_submitter(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ", EMail="alice@example.org")
    line.modify(number, Status="waiting for reply")
    line.modify(number, Public_Diary="alice says: here it is")
    assert line.get(number)["GHD_Status"] == "waiting for reply"


def test_whoever_signs_is_named_and_the_account_is_kept(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    line.modify(number, Public_Diary="hello", Last_Modifier="Bob (via RT)")
    author = line.world.comments(int(number))[0].author
    assert (author.id, author.name) == ("ngi-cz", "Bob (via RT)")
    assert line.get(number)["GHD_Last_Modifier"] == "Bob (via RT)"


def test_what_the_centre_does_by_itself_is_nobodys_echo(line: Hotline) -> None:
    number = line.create("tess", EMail="alice@example.org")
    line.modify(number, "tess", Responsible_Unit="NGI_CZ", Last_Modifier="interdesk")
    line.modify(number, Status="waiting for reply")
    line.modify(number, "alice", Public_Diary="here it is")
    assert line.get(number)["GHD_Last_Modifier"] == "workflow"


def test_a_token_stands_in_for_a_password_and_may_what_its_scopes_say(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    token = {"who": "ngi-cz", "password": "idk_ngi-cz"}
    assert line.call("TicketGet", ghd(Request_ID=number), **token)["GHD_Request_ID"] == number
    body = ghd(Request_ID=number, Last_Modifier="m", Last_Login="l", Status="on hold")
    assert "needs the scope tickets:write" in line.call("TicketModify", body, **token)
    stolen = line.call("TicketGet", ghd(Request_ID=number), who="ngi-pl", password="idk_ngi-cz")
    assert stolen.startswith("ERROR (623)")


def test_whoever_tries_too_often_is_told_when_to_come_again(line: Hotline) -> None:
    answer = line.ask("TicketGet", ghd(Request_ID="1"), password="hurry")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert "too many tries" in answer.text


def test_whoever_may_change_no_ticket_opens_none_in_somebody_elses_name(line: Hotline) -> None:
    body = ghd(Short_Description="s", Last_Modifier="m", Last_Login="l")
    assert line.call("OpCreate", body | ghd(EMail="bob@example.org"), who="alice").startswith("ERROR (10000): ")
    for mine in ({}, ghd(EMail="alice@example.org")):
        number = line.call("OpCreate", body | mine, who="alice")["GHD_Request_ID"]
        assert line.get(number, "alice")["GHD_EMail"] == "alice@example.org"


def test_a_system_is_named_to_those_only_who_may_see_it(line: Hotline) -> None:
    number = int(line.create("tess", Responsible_Unit="NGI_CZ", EMail="alice@example.org"))
    store = line.world.store
    born = store.read(lambda tx: tx.tickets.get(number))
    digest, size = store.put_blob([b"all is well"], limit=100)

    def come(tx):
        ticket = tx.tickets.create(dict(born.fields), AT, born_in="ngi-pl")
        file = NewFile("log.txt", "text/plain", size, digest, "1")
        said = NewComment(
            Person("hans", "Hans", system="ngi-pl"), "hello", Visibility.PUBLIC, AT, "ngi-pl", "1", files=(file,)
        )
        tx.tickets.add_comment(ticket.id, said)
        return ticket.id

    number = store.write(come)
    for who in ("alice", "ngi-cz", "tess"):
        told = f"{line.get(str(number), who)} {line.call('GetAttachments', {'GAT_Request_ID': str(number)}, who=who)}"
        assert ("ngi-pl" in told) is (who == "tess"), told
        assert "log.txt" in told
