"""Tickets over the classic SOAP interface, as raw envelopes over HTTP."""

from collections.abc import Iterator

import pytest

from central.desk.soap.vocabulary import OPERATIONS
from tests.unit.central.desk.soap.hotline import SOAP12, Hotline, ghd

NOWHERE = "ERROR (302): Entry does not exist in database;"


@pytest.fixture
def line() -> Iterator[Hotline]:
    with Hotline() as line:
        yield line


def test_a_ticket_is_created_and_read(line: Hotline) -> None:
    number = line.create(
        Description="since <noon> & later",
        Priority="very urgent",
        Responsible_Unit="NGI_CZ",
        EMail="bob@example.org",
        Affected_VO="atlas",
        Date_Time_Of_Problem="2026-03-01 14:30:00",
        CarbonCopy="a@example.org; b@example.org",
    )
    told = line.get(number)
    assert (told["GHD_Request_ID"], told["GHD_Short_Description"]) == (number, "jobs fail")
    assert told["GHD_Description"] == "since <noon> & later"
    assert (told["GHD_Priority"], told["GHD_Status"], told["GHD_Ticket_Type"]) == ("very urgent", "assigned", "USER")
    assert (told["GHD_EMail"], told["GHD_Affected_VO"]) == ("bob@example.org", "atlas")
    assert told["GHD_Last_Modifier"] == "Alice (via RT)"
    ticket = line.world.ticket(int(number))
    assert ticket["problem_at"] == "2026-03-01T14:30:00+00:00"
    assert ticket["cc"] == ("a@example.org", "b@example.org")


def test_when_a_submitter_is_told_is_said_when_opening_and_later(line: Hotline) -> None:
    number = line.create(User_Notification="On every change", Responsible_Unit="NGI_CZ")
    assert line.get(number)["GHD_User_Notification"] == "on every change"
    line.modify(number, User_Notification="on solution")
    assert line.world.ticket(int(number))["notification"] == "on solution"
    refused = line.modify(number, User_Notification="at night")
    assert "GHD_User_Notification is one of on solution, on every change, never" in refused


def test_an_answer_has_its_elements_in_the_order_of_the_contract(line: Hotline) -> None:
    told = line.get(line.create(Description="d", Phone="1", Responsible_Unit="NGI_CZ"))
    order = [each.name for each in OPERATIONS["TicketGet"].gives]
    assert list(told) == [name for name in order if name in told]


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ("GHD_E-Mail", "submitter", "bob@example.org"),
        ("GHD_E_Mail", "submitter", "bob@example.org"),
        ("GHD_Submitter_Mail", "submitter", "bob@example.org"),
        ("GHD_ProblemType", "problem_type", "Storage Systems"),
        ("GHD_VO_Specific", "vo_specific", "Yes"),
        ("GHD_Carbon_Copy", "cc", ("c@example.org",)),
        ("GHD_Assigned_To", "assigned_to", "bob@example.org"),
        ("GHD_User_Notification", "notification", "on every change"),
        ("GHD_Date_Time_Prob", "problem_at", "2026-03-01T14:30:00+00:00"),
    ],
)
def test_every_spelling_that_a_field_ever_had_is_understood(
    line: Hotline, said: str, field: str, value: object
) -> None:
    text = {"cc": "c@example.org", "problem_at": "2026-03-01 14:30:00"}.get(field, value)
    body = ghd(Short_Description="s", Last_Modifier="m", Last_Login="l") | {said: text}
    number = line.call("OpCreate", body)["GHD_Request_ID"]
    assert line.world.ticket(int(number))[field] == value


def test_both_names_of_an_operation_do_the_same(line: Hotline) -> None:
    body = ghd(
        Subject="s", Last_Modifier="m", Last_Login="l", Submitter_Mail="b@example.org", Responsible_Unit="NGI_CZ"
    )
    number = line.call("TicketCreate", body)["GHD_RequestID"]
    assert line.call("OpModify", ghd(Request_ID=number, Last_Modifier="m", Last_Login="l", Status="on hold"))
    assert line.call("OpGet", ghd(Request_ID=number))["GHD_Status"] == "on hold"
    assert line.call("OpGetList", ghd(Responsible_Unit="NGI_CZ"))["getListValues"]["GHD_Request_ID"] == number


def test_a_modify_is_sparse_and_what_is_empty_is_cleared(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ", Phone="1", Affected_Site="prague")
    line.modify(number, Status="in progress", Affected_Site=None)
    told = line.get(number)
    assert (told["GHD_Status"], told["GHD_Phone"]) == ("in progress", "1")
    assert "GHD_Affected_Site" not in told


def test_fields_and_both_diaries_of_one_modify_are_one_act_or_none(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    said = line.modify(number, Status="verified", Public_Diary="done", Internal_Diary="phew")
    assert said.startswith("ERROR (10000): GHD_Status: only a solved ticket can be verified")
    assert line.world.comments(int(number)) == ()
    line.modify(number, Status="solved", Detailed_Solution="rebooted", Public_Diary="done", Internal_Diary="phew")
    told = line.get(number)
    assert (told["GHD_Status"], told["GHD_Detailed_Solution"]) == ("solved", "rebooted")
    assert (told["GHD_Public_Diary"], told["GHD_Internal_Diary"]) == ("done", "phew")


def test_the_fifth_priority_of_the_old_contract_is_understood(line: Hotline) -> None:
    assert line.get(line.create(Priority="normal", Responsible_Unit="NGI_CZ"))["GHD_Priority"] == "less urgent"


def test_a_list_has_the_tickets_of_a_unit_by_status(line: Hotline) -> None:
    open_one, solved = line.create(Responsible_Unit="NGI_CZ"), line.create(Responsible_Unit="NGI_CZ")
    line.create("tess", Responsible_Unit="NGI_PL")
    line.modify(solved, Status="solved")

    def listed(**query: str) -> list[str]:
        rows = line.call("TicketGetList", ghd(Responsible_Unit="NGI_CZ", **query))["getListValues"]
        return [row["GHD_Request_ID"] for row in (rows if isinstance(rows, list) else [rows])]

    assert listed() == [solved, open_one]
    assert listed(Meta_Status="Open") == [open_one]
    assert listed(Status="solved") == [solved]


def test_a_list_of_nothing_is_error_302(line: Hotline) -> None:
    assert line.call("TicketGetList", ghd(Responsible_Unit="NGI_CZ")) == NOWHERE
    number = line.create(Responsible_Unit="NGI_CZ")
    assert line.call("GetAttachIDs", {"GAT_Request_ID": number}) == NOWHERE


@pytest.mark.parametrize("number", ["4711", "x", "", "-1", "1" * 40])
def test_a_ticket_that_is_not_there_is_error_302_or_307(line: Hotline, number: str) -> None:
    assert line.get(number).startswith(("ERROR (302)", "ERROR (307)"))


def test_the_history_has_a_record_for_each_act_with_the_values_after_it(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ", Description="d")
    line.modify(number, Status="in progress", Priority="urgent")
    line.modify(number, Public_Diary="we look", Internal_Diary="it is the disk")
    rows = line.call("OpGetTicketHist", ghd(Request_ID=number))["getListValues"]
    assert [row["GHD_Status"] for row in rows] == ["assigned", "in progress", "in progress", "in progress"]
    assert [row["GHD_Priority"] for row in rows] == ["less urgent", "urgent", "urgent", "urgent"]
    assert [row.get("GHD_Public_Diary") for row in rows] == [None, None, "we look", None]
    assert [row.get("GHD_Internal_Diary") for row in rows] == [None, None, None, "it is the disk"]
    assert {row["GHD_Last_Modifier"] for row in rows} == {"Alice (via RT)"}
    assert [row.get("GHD_Description") for row in rows] == ["d", None, None, None]


def test_a_child_names_its_parent_and_only_one_that_its_opener_may_read(line: Hotline) -> None:
    parent = line.create(Responsible_Unit="NGI_CZ")
    body = ghd(
        Responsible_Unit="NGI_CZ",
        Short_Description="s",
        Last_Modifier="m",
        Last_Login="l",
        Parent_Child_Relation="Child",
    )
    child = line.call("OpCreateChild", body | ghd(Parent_ID=parent))["GHD_Request_ID"]
    assert line.get(child)["GHD_Related_Issue"] == f"https://desk.example.org/tickets/{parent}"
    foreign = line.create("tess", Responsible_Unit="NGI_PL")
    line.people["ngi-cz"] = type(line.people["ngi-cz"])(line.people["alice"].person, line.people["alice"].grants)
    assert line.call("OpCreateChild", body | ghd(Parent_ID=foreign)) == NOWHERE


@pytest.mark.parametrize("kind", ["Ops", "Team"])
def test_the_operations_of_ops_and_team_tickets_are_about_these_alone(line: Hotline, kind: str) -> None:
    signed = ghd(Last_Modifier="m", Last_Login="l")
    body = signed | ghd(Subject="s", Affected_VO="ops", Responsible_Unit="NGI_CZ", Ticket_Type=kind.upper())
    made = line.call(f"OpCreate{kind}", body | ghd(VO_Specific="Yes"))["GHD_Request_ID"]
    plain = line.create(Responsible_Unit="NGI_CZ")
    told = line.call(f"OpGet{kind}", ghd(Request_ID=made))
    assert (told["GHD_Ticket_Type"], told["GHD_Short_Description"], told["GHD_Affected_VO"]) == (
        kind.upper(),
        "s",
        "ops",
    )
    assert told["GHD_Experiment_Specific_Problem"] == "Yes"
    said = signed | ghd(Public_Diary="we look", Status="in progress")
    assert line.call(f"OpModify{kind}", said | ghd(Request_ID=made)) == ghd(Request_ID=made)
    rows = line.call(f"OpGetList{kind}", ghd(Responsible_Unit="NGI_CZ"))["getListValues"]
    assert [row["GHD_Request_ID"] for row in ([rows] if isinstance(rows, dict) else rows)] == [made]
    history = line.call(f"OpGet{kind}TicketHist", ghd(Request_ID=made))["getListValues"]
    assert history[-1]["GHD_Status"] == "in progress"
    assert "we look" in [row.get("GHD_Public_Diary") for row in history]
    assert line.call(f"OpGet{kind}", ghd(Request_ID=plain)) == NOWHERE
    assert line.call(f"OpModify{kind}", said | ghd(Request_ID=plain)) == NOWHERE
    assert line.call(f"OpGet{kind}TicketHist", ghd(Request_ID=plain)) == NOWHERE
    assert line.get(plain)["GHD_Status"] == "assigned"


def test_a_ticket_of_the_operations_portal_that_does_not_say_that_it_is_ops_is_a_plain_one(line: Hotline) -> None:
    body = ghd(Last_Modifier="m", Last_Login="l", Subject="s", Affected_VO="ops", Ticket_Type="TEAM")
    made = line.call("OpCreateOps", body)["GHD_Request_ID"]
    assert line.get(made)["GHD_Ticket_Type"] == "USER"


@pytest.mark.parametrize(
    ("operation", "body", "sentence"),
    [
        ("OpCreateOps", ghd(Subject="s", Last_Modifier="m", Last_Login="l", Affected_VO="ops"), "GHD_Ticket_Type"),
        ("OpCreate", ghd(Last_Modifier="m", Last_Login="l"), "ERROR (307): Required field"),
        ("OpCreate", ghd(Short_Description="s", Last_Login="l"), "GHD_Last_Modifier"),
        ("OpCreate", ghd(Short_Description="s" * 256, Last_Modifier="m", Last_Login="l"), "ERROR (306)"),
        ("OpCreate", ghd(Short_Description="s", Last_Modifier="m", Last_Login="l", Priority="mild"), "ERROR (306)"),
        (
            "OpCreate",
            ghd(Short_Description="s", Last_Modifier="m", Last_Login="l", Colour="red"),
            "knows no GHD_Colour",
        ),
        ("OpCreate", ghd(Short_Description=["s", "t"], Last_Modifier="m", Last_Login="l"), "more than once"),
        ("OpCreate", ghd(Short_Description={"a": "b"}, Last_Modifier="m", Last_Login="l"), "elements inside"),
        ("OpDelete", ghd(Request_ID="1"), "there is no operation 'OpDelete'"),
        ("TicketGot", ghd(Request_ID="1"), "did you mean TicketGet?"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(line: Hotline, operation: str, body: dict[str, str], sentence: str) -> None:
    assert sentence in line.call(operation, body)


def test_soap_1_2_is_answered_in_soap_1_2(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    answer = line.ask("TicketGet", ghd(Request_ID=number), soap=SOAP12, headers={})
    assert answer.headers["Content-Type"].startswith("application/soap+xml")
    assert SOAP12.encode() in answer.content
    fault = line.ask("TicketGet", ghd(Request_ID="99"), soap=SOAP12, headers={})
    assert (fault.status_code, b"ERROR (302)" in fault.content) == (500, True)


@pytest.mark.parametrize("space", ["urn:GGUS", "urn:Grid_HelpDesk", "http://example.org/other"])
def test_an_answer_is_in_the_namespace_that_was_asked_in(line: Hotline, space: str) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    answer = line.ask("TicketGet", ghd(Request_ID=number), space=space)
    assert f'<TicketGetResponse xmlns="{space}">'.encode() in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/soap",
        "/arsys/services/ARService?webService=GGUS",
        "/arsys/services/ARService?server=prod-ars&webService=Grid_HelpDesk",
    ],
)
def test_every_address_answers(line: Hotline, path: str) -> None:
    number = line.create(Responsible_Unit="NGI_CZ")
    assert line.call("TicketGet", ghd(Request_ID=number), path=path)["GHD_Request_ID"] == number


def test_a_soapaction_that_names_another_operation_is_refused(line: Hotline) -> None:
    said = line.call("TicketGet", ghd(Request_ID="1"), headers={"SOAPAction": '"urn:GGUS/OpCreate"'})
    assert said == "SOAPAction names 'OpCreate', and the body asks for 'TicketGet'"


def test_a_create_that_is_repeated_under_its_origin_id_is_no_twin(line: Hotline) -> None:
    first, again = (line.create(Responsible_Unit="NGI_CZ", Origin_ID="4711", Public_Diary="hello") for _ in range(2))
    assert first == again
    assert [each.text for each in line.world.comments(int(first))] == ["hello"]
    assert line.create(Responsible_Unit="NGI_CZ", Origin_ID="4712") != first
    assert line.create("ngi-pl", Responsible_Unit="NGI_PL", Origin_ID="4711") != first
    assert line.create(Responsible_Unit="NGI_CZ") != line.create(Responsible_Unit="NGI_CZ")


def test_where_a_ticket_comes_from_is_kept_and_told(line: Hotline) -> None:
    said = {"Origin_ID": "4711", "Origin_SG": "RT", "Name": "Bob", "Loginname": "/DC=org/CN=bob"}
    told = line.get(line.create(Responsible_Unit="NGI_CZ", EMail="bob@example.org", **said))
    assert {name: told[f"GHD_{name}"] for name in said} == said


def test_a_ticket_is_found_by_the_id_that_its_origin_gave_it(line: Hotline) -> None:
    number = line.create(Responsible_Unit="NGI_CZ", Origin_ID="4711", Origin_SG="RT")
    assert line.call("OpGetList", ghd(Origin_ID="4711"))["getListValues"]["GHD_Request_ID"] == number
    query = ghd(Origin_ID="4711", Origin_SG="RT", Responsible_Unit="NGI_CZ")
    assert line.call("TicketGetList", query)["getListValues"]["GHD_Request_ID"] == number
    assert line.call("TicketGetList", ghd(Origin_ID="4711", Origin_SG="Jira")) == NOWHERE
    assert line.call("TicketGetList", ghd(Origin_ID="4711"), who="alice") == NOWHERE


def test_the_id_that_a_remote_gives_a_ticket_of_ours_is_kept(line: Hotline) -> None:
    number = line.create("tess", Responsible_Unit="NGI_CZ")
    line.modify(number, Target_ID="RT#17")
    assert line.get(number)["GHD_Origin_ID"] == "RT#17"
    assert line.call("OpGetList", ghd(Origin_ID="RT#17"))["getListValues"]["GHD_Request_ID"] == number


def test_a_list_is_asked_for_by_a_qualification_as_older_clients_do(line: Hotline) -> None:
    one, other = (line.create(Responsible_Unit="NGI_CZ", Origin_ID=name) for name in ("a", "b"))
    asked = {"Qualification": "'GHD_Responsible_Unit' = \"NGI_CZ\" AND 'GHD_Meta_Status' = \"Open\""}
    rows = line.call("OpGetList", asked)["getListValues"]
    assert [row["GHD_Request_ID"] for row in rows] == [other, one]
    assert (
        line.call("OpGetList", asked | {"maxLimit": "1", "startRecord": "1"})["getListValues"]["GHD_Request_ID"] == one
    )
    origin = {"Qualification": "'GHD_Origin_ID' = \"b\""}
    assert line.call("OpGetList", origin)["getListValues"]["GHD_Request_ID"] == other
    assert "is not 'Field'" in line.call("OpGetList", {"Qualification": "1=1"})
    assert "not by 'GHD_Phone'" in line.call("OpGetList", {"Qualification": "'GHD_Phone' = \"1\""})
