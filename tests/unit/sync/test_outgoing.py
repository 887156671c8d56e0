"""Letters, documents and pings of interdesk itself, over real sockets: what they are, and where they do not go."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from connectors.environment import Environment
from connectors.errors import AccessError, ConnectorError, Refused, Transient
from sync.config import InstanceDocument
from sync.outgoing import Outgoing
from tests.letterbox import Door, LetterBox, nobody

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TOKEN = "sesame"


@pytest.fixture
def box() -> Iterator[LetterBox]:
    with LetterBox(refuses=("nobody@example.org",)) as opened:
        yield opened


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as opened:
        yield opened


def outgoing(*, allowed: str = "127.0.0.0/8", deadline: float = 60, **said: object) -> Outgoing:
    environment = Environment(
        clock=lambda: AT, allowed_networks=(ip_network(allowed),), deadline=timedelta(seconds=deadline)
    )
    secrets = {"env:INTERDESK_SECRET_HOOK": TOKEN}
    return Outgoing(InstanceDocument.model_validate(said), environment, secrets.__getitem__, Path())


def by(smtp: str) -> dict[str, object]:
    return {
        "address": "interdesk@ggus.eu",
        "secret": {"secret": "env:INTERDESK_SECRET_MARKS"},
        "out": {"smtp": smtp},
    }


def mail(box: LetterBox) -> dict[str, object]:
    return by(box.url)


def test_a_letter_arrives_once_and_says_that_no_person_wrote_it(box: LetterBox) -> None:
    outgoing(mail=mail(box)).mail("ops@example.cz", "[interdesk] ngi-cz is late", "Since: 08:00\n.\n", "4f6e", AT)
    (got,) = box.got
    assert (got.sender, got.to) == ("interdesk@ggus.eu", ("ops@example.cz",)), "no copy goes to ourselves"
    assert (got.mail["Subject"], got.mail["Message-ID"]) == ("[interdesk] ngi-cz is late", "<4f6e@ggus.eu>")
    assert got.mail["Auto-Submitted"] == "auto-generated"
    assert got.mail.get_content().splitlines() == ["Since: 08:00", "."]


def test_no_subject_begins_another_header(box: LetterBox) -> None:
    outgoing(mail=mail(box)).mail("ops@example.cz", "late\r\nBcc: all@example.org", "x\n", "4f6e", AT)
    assert box.got[0].mail["Bcc"] is None


def test_a_mail_server_that_is_away_or_says_no_is_told_apart(box: LetterBox) -> None:
    with pytest.raises(Refused, match="no such user"):
        outgoing(mail=mail(box)).mail("nobody@example.org", "x", "x\n", "1", AT)
    away = by(f"smtp+plain://127.0.0.1:{nobody()}")
    with pytest.raises(Transient):
        outgoing(mail=away).mail("ops@example.cz", "x", "x\n", "1", AT)


def test_certificates_that_cannot_be_read_are_told_like_a_log_in_that_fails(box: LetterBox) -> None:
    with pytest.raises(AccessError, match="certificates cannot be read"):
        outgoing(mail=mail(box) | {"ca_file": "nowhere.pem"}).mail("ops@example.cz", "x", "x\n", "1", AT)


def test_the_webhook_gets_a_document_and_its_address_may_be_a_secret(door: Door) -> None:
    outgoing(alerts={"webhook": f"{door.url}/alerts"}).post({"alerts": []}, "4f6e")
    method, path, headers, body = door.asked[0]
    assert (method, path, headers["Idempotency-Key"], json.loads(body)) == ("POST", "/alerts", "4f6e", {"alerts": []})
    missing = outgoing(alerts={"webhook": {"secret": "env:INTERDESK_SECRET_HOOK"}})
    with pytest.raises(ConnectorError) as refused:
        missing.post({}, "4f6e")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(("status", "error"), [(500, Transient), (429, Transient), (404, Refused), (302, Refused)])
def test_an_answer_that_is_no_success_is_none_and_no_redirect_is_followed(
    door: Door, status: int, error: type[Exception]
) -> None:
    door.status, door.headers = status, {"Location": f"{door.url}/elsewhere"}
    with pytest.raises(error, match=str(status)):
        outgoing(alerts={"ping": f"{door.url}/ping"}).ping()
    assert [path for _, path, _, _ in door.asked] == ["/ping"]


def test_nothing_goes_where_no_network_is_allowed(box: LetterBox, door: Door) -> None:
    barred = outgoing(allowed="10.0.0.0/8", mail=mail(box), alerts={"webhook": door.url, "ping": door.url})
    with pytest.raises(AccessError, match="allowed_networks"):
        barred.mail("ops@example.cz", "x", "x\n", "1", AT)
    with pytest.raises(AccessError, match="allowed_networks"):
        barred.post({}, "1")
    with pytest.raises(AccessError, match="allowed_networks"):
        barred.ping()
    assert (box.got, door.asked) == ([], [])


def test_without_an_address_there_is_no_way_and_no_ping(door: Door) -> None:
    silent = outgoing()
    silent.ping()
    assert silent.ways() == frozenset()
    assert outgoing(mail=by("smtp://mail.example.org"), alerts={"webhook": door.url}).ways() == {
        "mail",
        "webhook",
    }
