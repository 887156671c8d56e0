"""The pages of mails that were not believed: who reads them, that nothing in them runs, and what becomes of them."""

from collections.abc import Iterator

import pytest

from central.desk.mail.intake import MailDesk
from central.mail import Verdict
from tests.desk.stand import READER, Stand

SCRIPT = "<script>alert(1)</script>"
MAIL = f"""\
From: Alice <alice@example.org>
Message-ID: <one@example.org>
Subject: The CE is down {SCRIPT}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

It is down since noon. {SCRIPT}
--b
Content-Type: image/svg+xml
Content-Disposition: attachment; filename="<b>.svg"

<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>
--b--
""".replace("\n", "\r\n").encode()


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as it:
        yield it


def taken(stand: Stand, raw: bytes = MAIL) -> int:
    """A mail that nobody is proven to have sent; its number."""
    desk = MailDesk(stand.house.store, stand.house.tickets, stand.house.interdesk.clock)
    assert desk.take(READER.read(raw)) is Verdict.QUARANTINED
    return stand.house.store.read(lambda tx: tx.mails.list())[0].id


def verdict(stand: Stand, number: int) -> Verdict:
    return stand.house.store.read(lambda tx: tx.mails.get(number)).verdict


def test_a_mail_in_quarantine_is_read_as_text_by_those_who_read_everything(stand) -> None:
    number = taken(stand)
    for login in ("carl", "aude"):
        browser = stand.browser(login)
        assert f"/mails/{number}" in browser.page("/mails").text
        page = browser.page(f"/mails/{number}").text
        assert "It is down since noon. &lt;script&gt;" in page
        assert "&lt;b&gt;.svg" in page
        assert SCRIPT not in page + browser.page("/mails").text + browser.page("/work").text
        assert "Mails in quarantine" in browser.page("/work").text
    assert "Believe it" not in stand.browser("aude").page(f"/mails/{number}").text
    for login in ("alice", "sue", "olga", "tess"):
        browser = stand.browser(login)
        for path in ("/mails", f"/mails/{number}", f"/mails/{number}/source"):
            assert browser.page(path).status_code == 403, (login, path)
    assert "Mails in quarantine" not in stand.browser("olga").page("/work").text


def test_the_whole_mail_comes_as_a_file_that_no_browser_shows(stand) -> None:
    answer = stand.browser("carl").page(f"/mails/{taken(stand)}/source")
    assert answer.content == MAIL
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_released_mail_opens_its_ticket_in_the_name_of_its_sender(stand) -> None:
    number, carl = taken(stand), stand.browser("carl")
    assert "It is believed" in carl.submit(f"/mails/{number}/release", form=f"/mails/{number}").text
    mail = stand.house.store.read(lambda tx: tx.mails.get(number))
    ticket = stand.house.store.read(lambda tx: tx.tickets.get(mail.ticket_id))
    assert (mail.verdict, ticket["submitter"]) == (Verdict.OPENED, "alice@example.org")
    entry = stand.house.store.read(lambda tx: tx.audit.list())[0]
    assert (entry.by, entry.act, entry.subject) == ("carl", "mail released", str(number))
    assert carl.page(f"/mails/{number}").status_code == 404, "it is in quarantine no more"


def test_a_discarded_mail_is_gone_from_the_quarantine_with_its_reason(stand) -> None:
    number, carl = taken(stand), stand.browser("carl")
    data = {"why": "an advertisement"}
    assert "It is discarded" in carl.submit(f"/mails/{number}/discard", data, form=f"/mails/{number}").text
    mail = stand.house.store.read(lambda tx: tx.mails.get(number))
    assert (mail.verdict, mail.why) == (Verdict.DISCARDED, "an advertisement")
    assert carl.submit(f"/mails/{number}/discard", data, form="/mails").status_code == 404


def test_a_mail_of_which_nothing_can_become_stays_with_the_reason(stand) -> None:
    number = taken(stand, MAIL.replace(b"GGUS", b"").replace(b"Subject: ", b"Subject: GGUS-Ticket-ID: #99999 "))
    told = stand.browser("carl").submit(f"/mails/{number}/release", form=f"/mails/{number}")
    assert told.status_code == 409
    assert "It stays here:" in told.text
    assert verdict(stand, number) is Verdict.QUARANTINED


@pytest.mark.parametrize("act", ["release", "discard"])
def test_only_the_central_team_says_what_becomes_of_a_mail_and_only_by_a_form_of_ours(stand, act) -> None:
    number = taken(stand)
    for login in ("alice", "sue", "olga", "tess", "aude"):
        assert stand.browser(login).submit(f"/mails/{number}/{act}", form="/account").status_code == 403, login
    answer = stand.browser("carl").post(
        f"{stand.address}/mails/{number}/{act}", data={"form_token": "0" * 64}, timeout=120
    )
    assert answer.status_code == 403
    assert verdict(stand, number) is Verdict.QUARANTINED
