"""What hostile callers send over SOAP: each gets a fault, and nothing else happens."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.central.desk.soap.hotline import SOAP, Hotline, envelope, ghd

BOMB = "".join(f'<!ENTITY b{n + 1} "&b{n};&b{n};&b{n};&b{n};&b{n};&b{n};&b{n};&b{n};">' for n in range(9))
GOOD = envelope("TicketGet", ghd(Request_ID="1")).decode()


@pytest.fixture(scope="module")
def line() -> Iterator[Hotline]:
    with Hotline() as line:
        yield line


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "well-formed"),
        ("hello", "well-formed"),
        ("<html><body>log in</body></html>", "no SOAP envelope"),
        ("<a/>", "no SOAP envelope"),
        (GOOD[:-20], "well-formed"),
        (GOOD.replace("<e:Body>", "<e:Body><a/>"), "asks for 2 things"),
        (f'<e:Envelope xmlns:e="{SOAP}"/>', "asks for 0 things"),
        (f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{GOOD[21:]}', "document type"),
        (f'<!DOCTYPE a [<!ENTITY b0 "lol">{BOMB}]>{GOOD[21:]}', "document type"),
        (f'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/evil.dtd">{GOOD[21:]}', "document type"),
        (GOOD.replace(">1<", ">&x;<"), "well-formed"),
        (GOOD.replace(">1<", "><a>" * 30 + "1<"), "nested deeper"),
        (GOOD.replace("<GHD_Request_ID>", "<a/>" * 2000 + "<GHD_Request_ID>"), "more than 1,000 elements"),
        (GOOD.replace(">1<", ">" + "1" * 5_000_000 + "<"), "more than 4,194,304 characters"),
        (GOOD.replace("<TicketGet", "<TicketGet " + "a" * 3_000_000), "longer than any"),
    ],
)
def test_hostile_xml_is_refused_with_a_sentence(line: Hotline, body: str, sentence: str) -> None:
    answer = line.post(body.encode())
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/xml; charset=utf-8")
    assert sentence in answer.text
    assert "faultcode>soapenv:Client<" in answer.text


def test_no_text_breaks_out_of_its_element(line: Hotline) -> None:
    evil = "]]></GHD_Short_Description><GHD_Status>closed</GHD_Status>&amp;\x0b"
    number = line.create(Responsible_Unit="NGI_CZ", Description=evil)
    told = line.get(number)
    assert (told["GHD_Status"], told["GHD_Description"]) == ("assigned", evil.replace("\x0b", ""))


def test_a_call_whose_caller_leaves_in_the_middle_is_no_mistake_of_ours(line: Hotline) -> None:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/soap",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    came = iter([{"type": "http.request", "body": b"<half", "more_body": True}, {"type": "http.disconnect"}])
    told: list[Any] = []

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        told.append(message)

    asyncio.run(line.app(scope, receive, send))
    assert b"the call ended before it was whole" in told[1]["body"]


def test_the_rest_goes_on_afterwards(line: Hotline) -> None:
    assert line.get(line.create(Responsible_Unit="NGI_CZ"))["GHD_Status"] == "assigned"
