"""The desk's own mail on a real exim and Dovecot: a ticket by mail, answers by reply, people told in one thread."""

import secrets
import smtplib
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from imap_tools import MailBoxUnencrypted, MailMessage

from central.account import Account, Grant, Role
from central.mail import Verdict
from central.model import Person, Visibility
from sync.bootstrap import Interdesk
from sync.settings import settings
from tests.peers.desk import wait_until
from tests.peers.sites import MailSite

pytestmark = pytest.mark.peer

TESS = Person("tess", "Tess", "tess@example.org")
DOCUMENT = """
kind: instance
name: help
centre: HELP
public_url: https://desk.example
allowed_networks: ["127.0.0.0/8", "::1/128"]
mail:
  address: {ours}
  secret: {{secret: "env:INTERDESK_SECRET_MARKS"}}
  ca_file: {ca_file}
  in:
    imap: imaps://localhost:{imaps}
    user: {user}
    password: {{secret: "env:INTERDESK_SECRET_BOX"}}
    authserv_id: mail.lab
  out:
    smtp: smtps://localhost:{smtps}
    user: {user}
    password: {{secret: "env:INTERDESK_SECRET_BOX"}}
    units: {{NGI_CZ: {unit}}}
"""


class Correspondent:
    """Somebody with a mailbox on these servers."""

    def __init__(self, site: MailSite, name: str) -> None:
        self._site, self._name = site, name
        self.address = f"{name}@far.example"

    def write(self, text: str, *, subject: str = "jobs fail", proven: bool = True, answers: str = "") -> None:
        mail = EmailMessage()
        if proven:  # what the server of a real site would have found
            mail["Authentication-Results"] = "mail.lab; dmarc=pass header.from=far.example"
        mail["From"], mail["To"], mail["Subject"] = self.address, self._site.ours, subject
        mail["Message-ID"] = f"<{secrets.token_hex(8)}@far.example>"
        if answers:
            mail["In-Reply-To"] = mail["References"] = answers
        mail.set_content(text)
        with smtplib.SMTP("localhost", self._site.smtp) as client:
            client.send_message(mail)

    def inbox(self, many: int) -> list[MailMessage]:
        """So many mails, once they are there, oldest first."""

        def there() -> list[MailMessage]:
            with MailBoxUnencrypted("localhost", self._site.imap).login(self._name, self._site.password) as box:
                return list(box.fetch(mark_seen=False))

        wait_until(lambda: len(there()) >= many, f"{many} mails are in the mailbox of {self._name}")
        found = there()
        assert len(found) == many
        return found


@pytest.fixture
def somebody(mail: MailSite) -> Callable[[str], Correspondent]:
    return lambda name: Correspondent(mail, f"{name}-{secrets.token_hex(4)}")


@pytest.fixture
def desk(mail: MailSite, tmp_path: Path) -> Iterator[Interdesk]:
    document = tmp_path / "interdesk.yaml"
    said = {
        "ours": mail.ours,
        "user": mail.ours.partition("@")[0],
        "ca_file": mail.ca_file,
        "imaps": mail.imaps,
        "smtps": mail.smtps,
        "unit": "unit-" + mail.ours,
    }
    document.write_text(DOCUMENT.format(**said))
    environ = {
        "INTERDESK_STATE": str(tmp_path / "var"),
        "INTERDESK_CONFIG": str(document),
        "INTERDESK_SECRET_MARKS": "a secret for tests alone",
        "INTERDESK_SECRET_BOX": mail.password,
    }
    with Interdesk(settings(environ), exclusive=True, create=True) as desk:
        yield desk


def test_a_ticket_is_opened_told_answered_and_solved_by_mail(
    desk: Interdesk, somebody: Callable[[str], Correspondent]
) -> None:
    alice = somebody("alice")
    account = Account("alice", "Alice", alice.address, frozenset({Grant(Role.USER)}), desk.clock())
    desk.store.write(lambda tx: tx.accounts.create(account))
    desk.start(mail=True)

    alice.write("since noon", subject="jobs fail")
    wait_until(lambda: desk.store.read(lambda tx: tx.tickets.count()) == 1, "the ticket is there")
    [told] = alice.inbox(1)
    assert told.subject == "HELP-Ticket-ID: #1 SUBMITTED jobs fail"
    assert "https://desk.example/tickets/1" in told.text

    alice.write(
        f"it is the disk\n\n> {told.text}", subject=f"Re: {told.subject}", answers=told.headers["message-id"][0]
    )
    wait_until(lambda: bool(desk.store.read(lambda tx: tx.tickets.comments(1))), "the answer is there")
    [said] = desk.store.read(lambda tx: tx.tickets.comments(1))
    assert (said.author.name, said.text, said.visibility) == ("Alice", "it is the disk", Visibility.PUBLIC)

    desk.centre.comment(1, "the canary", TESS, internal=True)
    desk.centre.change(1, {"status": "solved", "solution": "a new disk"}, TESS)
    *_, solved = alice.inbox(2)
    assert solved.subject == "HELP-Ticket-ID: #1 SOLVED jobs fail"
    assert "a new disk" in solved.text
    assert "canary" not in solved.text
    assert solved.headers["references"] == told.headers["references"]


def test_a_forger_gets_no_further_than_the_quarantine(
    desk: Interdesk, somebody: Callable[[str], Correspondent]
) -> None:
    alice = somebody("alice")
    desk.centre.open({"subject": "s", "submitter": alice.address}, TESS)
    desk.start(mail=True)
    alice.write("close it", subject="HELP-Ticket-ID: #1", proven=False)

    def quarantined() -> int:
        return len(desk.store.read(lambda tx: tx.mails.list(verdict=Verdict.QUARANTINED)))

    wait_until(lambda: quarantined() == 1, "the forged mail is in quarantine")
    assert desk.store.read(lambda tx: tx.tickets.comments(1)) == []
    alice.inbox(1)  # of the ticket; and the forged one was answered by nothing
