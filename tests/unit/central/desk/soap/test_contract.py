"""The contract: what a client is given at ?wsdl, and a client that was made from it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from zeep.exceptions import Fault

from central.desk.soap.vocabulary import OPERATIONS, SERVICES
from central.desk.soap.wsdl import wsdl
from tests.unit.central.desk.soap.hotline import Hotline

SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"


@pytest.fixture(scope="module")
def line() -> Iterator[Hotline]:
    with Hotline() as line:
        yield line


@pytest.fixture
def client(line: Hotline) -> Iterator[Any]:
    with requests.Session() as session:
        transport = zeep.Transport(session=session, operation_timeout=120)
        yield zeep.Client(f"{line.url}/soap?wsdl", transport=transport)


LOGIN = {"parameters": {"userName": "ngi-cz", "password": "ngi-cz"}}


def test_a_client_made_from_the_contract_creates_reads_lists_and_attaches(client: Any) -> None:
    number = client.service.OpCreate(
        GHD_Short_Description="Žluťoučký kůň ☃",
        GHD_Last_Modifier="Alice",
        GHD_Last_Login="ngi-cz",
        GHD_Responsible_Unit="NGI_CZ",
        GHD_Public_Diary="first",
        _soapheaders=LOGIN,
    )
    told = client.service.OpGet(number, _soapheaders=LOGIN)
    assert (told.GHD_Short_Description, told.GHD_Public_Diary) == ("Žluťoučký kůň ☃", "first")
    assert told.GHD_Date_Of_Creation.tzinfo is not None
    assert client.service.TicketModify(number, "Alice", "ngi-cz", GHD_Status="on hold", _soapheaders=LOGIN) == number
    rows = client.service.OpGetList(GHD_Responsible_Unit="NGI_CZ", _soapheaders=LOGIN)
    assert [row.GHD_Status for row in rows] == ["on hold"]
    file_id = client.service.AddAttachment(
        "a.bin", b"\0\xff" * 500, 1000, number, "Alice", "ngi-cz", _soapheaders=LOGIN
    )
    one = client.service.GetOneAttachment(file_id, _soapheaders=LOGIN)
    assert (one.GAT_attachmentData, one.GAT_attachmentOrigSize) == (b"\0\xff" * 500, 1000)
    with pytest.raises(Fault, match=r"ERROR \(302\)"):
        client.service.OpGet("99", _soapheaders=LOGIN)


def test_what_is_answered_keeps_to_the_contracts_own_schema(line: Hotline) -> None:
    document = etree.fromstring(wsdl("http://here"))
    schema = etree.XMLSchema(etree.fromstring(etree.tostring(next(document.iter(SCHEMA)))))
    number = line.create(Responsible_Unit="NGI_CZ", Public_Diary="p", Internal_Diary="i")
    for operation, body in (
        ("TicketGet", {"GHD_Request_ID": number}),
        ("TicketGetList", {"GHD_Responsible_Unit": "NGI_CZ"}),
        ("OpGetTicketHist", {"GHD_Request_ID": number}),
    ):
        answer = etree.fromstring(line.ask(operation, body).content)
        schema.assertValid(answer[0][0])


def test_the_contract_names_every_operation_by_its_services_action() -> None:
    text = wsdl("http://here?a=1&b=2").decode()
    for each in OPERATIONS.values():
        assert f'soapAction="urn:{each.service}/{each.name}"' in text
    assert 'location="http://here?a=1&amp;b=2"' in text


@pytest.mark.parametrize("service", SERVICES)
def test_the_classic_addresses_give_the_contract_too(line: Hotline, service: str) -> None:
    for path in (f"/arsys/WSDL/public/prod-ars/{service}", f"/arsys/services/ARService?webService={service}&wsdl"):
        answer = requests.get(f"{line.url}{path}", timeout=120)
        assert f"{line.url}/arsys/services/ARService?webService={service}" in answer.text
    assert requests.get(f"{line.url}/arsys/WSDL/public/prod-ars/Other", timeout=120).status_code == 404


def test_the_address_in_it_is_the_one_that_we_are_known_by() -> None:
    with Hotline(public_url="https://desk.example.org/") as line:
        answer = requests.get(f"{line.url}/soap?wsdl", headers={"Host": "evil.example.org"}, timeout=120)
    assert 'location="https://desk.example.org/soap"' in answer.text
