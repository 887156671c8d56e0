"""The mail family on a real exim and Dovecot."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from imap_tools import MailBoxUnencrypted, MailMessage

from connectors.api import CommentDraft, Cursor, Lookup, RemoteTicket
from connectors.environment import Environment
from connectors.errors import AccessError, NotFound, Refused, Transient
from connectors.mail.connector import MailConnector
from connectors.registry import open_connector, profiles
from connectors.testing import ConnectorConformance, Stand
from connectors.testing.stand import draft
from tests.peers.desk import RealDesk, wait_until
from tests.peers.people import RtPerson, ZnunyPerson
from tests.peers.sites import MailSite, RtSite, Script, ZnunySite

pytestmark = pytest.mark.peer


def utc_now() -> datetime:
    return datetime.now(UTC)


def opened(site: MailSite, profile: str = "mail-ggus", **more: str) -> MailConnector:
    """Our connector, over TLS unless told otherwise."""
    settings = {
        "imap": f"imaps://localhost:{site.imaps}",
        "smtp": f"smtps://localhost:{site.smtps}",
        "user": site.ours.partition("@")[0],
        "password": site.password,
        "address": site.ours,
        "to": site.theirs,
        "secret": "a secret for tests alone",
        "authentication": "none",
        "ca_file": str(site.ca_file),
    }
    here = Environment(
        clock=utc_now,
        allowed_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        deadline=timedelta(seconds=60),
    )
    made = open_connector(profile, settings | more, system="s", environment=here)
    assert isinstance(made, MailConnector)
    return made


def desk_of(site: MailSite) -> RealDesk:
    return RealDesk(site, {name: line.label for name, line in profiles()["mail-ggus"].fields.items()})


class TestMail(ConnectorConformance):
    @pytest.fixture
    def stand(self, mail: MailSite) -> Iterator[Stand]:
        connector = opened(mail)
        yield Stand(
            connector,
            desk_of(mail),
            subject="subject",
            description="description",
            owner=("assigned_to", "bob"),
            stranger=lambda: opened(mail, password="wrong-secret"),
            secrets=("wrong-secret", mail.password),
            many=0,
            large=False,
        )
        connector.close()


@pytest.fixture
def desk(mail: MailSite) -> RealDesk:
    return desk_of(mail)


@pytest.fixture
def open_here(mail: MailSite) -> Iterator[Callable[..., MailConnector]]:
    """Connectors to these servers, closed after the test."""
    made: list[MailConnector] = []

    def make(**more: str) -> MailConnector:
        made.append(opened(mail, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_over_starttls_a_ticket_is_told_and_answered(
    mail: MailSite, desk: RealDesk, open_here: Callable[..., MailConnector]
) -> None:
    connector = open_here(imap=f"imap://localhost:{mail.imap}", smtp=f"smtp://localhost:{mail.smtp_starttls}")
    ticket = connector.create({"subject": "jobs fail", "status": "assigned"}, token="7Q-STARTTLS")
    desk.say(ticket.key, "we look into it\n\nSTATUS: in progress")
    after = connector.fetch(ticket.key, known=())
    assert [each.text for each in after.comments or ()] == ["we look into it"]
    assert after.fields["status"] == "in progress"
    assert not [each for each in connector.probe() if not each.ok]


def test_a_server_without_starttls_gets_neither_password_nor_mail(
    mail: MailSite, open_here: Callable[..., MailConnector]
) -> None:
    connector = open_here(smtp=f"smtp://localhost:{mail.smtp}")
    with pytest.raises(AccessError, match="STARTTLS"):
        connector.create({"subject": "x"}, token="7Q-PLAIN")
    assert connector.find("7Q-PLAIN", utc_now() - timedelta(days=1)) is Lookup.ABSENT


def test_a_certificate_that_does_not_hold_is_refused(mail: MailSite, open_here: Callable[..., MailConnector]) -> None:
    stranger = open_here(ca_file="/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(AccessError, match="certificate"):
        stranger.fetch("no-such-key")
    with pytest.raises(AccessError, match="certificate"):
        stranger.changes(None)


def test_whoever_waits_is_woken_by_the_mail_that_arrives(
    desk: RealDesk, open_here: Callable[..., MailConnector]
) -> None:
    connector, woken = open_here(), []
    waiting = threading.Thread(target=lambda: woken.append(connector.wait(120)))
    waiting.start()
    desk.open("disk full", "since noon")
    waiting.join(150)
    assert woken == [True]


def test_whoever_listens_ends_with_the_connector(open_here: Callable[..., MailConnector]) -> None:
    connector, ended = open_here(), []

    def listen() -> None:
        with pytest.raises(Transient, match="did not answer"):
            connector.wait(600)
        ended.append(True)

    waiting = threading.Thread(target=listen)
    waiting.start()
    wait_until(lambda: connector._box._listening is not None, "it listens")
    connector.close()
    waiting.join(150)
    assert ended == [True]


def test_uids_that_are_others_after_a_restore_of_the_mail_server_lose_nothing(
    mail: MailSite, desk: RealDesk, open_here: Callable[..., MailConnector]
) -> None:
    connector = open_here()
    first = connector.changes(None).cursor
    one = desk.open("one", "was before")
    seen = connector.changes(first)
    assert [each.key for each in seen.changes] == [one]
    with MailBoxUnencrypted("127.0.0.1", mail.imap).login(mail.ours.partition("@")[0], mail.password) as box:
        kept = [bytes(each.obj.as_bytes()) for each in _all(box, "interdesk")]
        box.folder.set("INBOX")
        box.folder.delete("interdesk")
        box.folder.create("interdesk")
        for each in kept:
            box.append(each, "interdesk")
    two = desk.open("two", "came after")
    later = connector.changes(Cursor(seen.cursor.at - timedelta(minutes=5), seen.cursor.position))
    assert {each.key for each in later.changes} == {one, two}
    assert connector.fetch(one).fields["subject"] == "one"


def test_a_mail_that_nobody_takes_is_refused_in_the_servers_words(open_here: Callable[..., MailConnector]) -> None:
    connector = open_here(to="nobody@far.example")
    with pytest.raises(Refused, match="nobody lives here"):
        connector.create({"subject": "x"}, token="7Q-NOBODY")
    assert connector.find("7Q-NOBODY", utc_now() - timedelta(days=1)) is Lookup.ABSENT


def test_a_first_mail_that_comes_back_means_that_there_is_no_such_ticket(
    desk: RealDesk, open_here: Callable[..., MailConnector]
) -> None:
    connector = open_here(to="gone@far.example")
    assert isinstance(
        connector.find(connector.create({"subject": "x"}, token="7Q-GONE").token or "", utc_now()), RemoteTicket
    )
    wait_until(lambda: any("mail.lab" in each for each in desk.arrived()), "the bounce arrived")
    with pytest.raises(NotFound, match="nobody lives here any more"):
        connector.fetch("7Q-GONE", known=())


def _all(box: MailBoxUnencrypted, folder: str) -> Iterator[MailMessage]:
    box.folder.set(folder)
    yield from box.fetch(mark_seen=False)


def test_our_own_copy_proves_what_was_accepted_and_is_no_comment(
    mail: MailSite, desk: RealDesk, open_here: Callable[..., MailConnector]
) -> None:
    connector = open_here()
    ticket = connector.create({"subject": "x"}, token="7Q-COPY")
    connector.comment(ticket.key, CommentDraft("hello"), token="7Q-HELLO")
    wait_until(lambda: sum("7Q-" in each for each in desk.arrived()) == 2, "both copies arrived")
    assert [each.token for each in connector.fetch(ticket.key, known=()).comments or ()] == ["7Q-HELLO"]
    assert not desk.arrived()
    assert desk.look() == 2


class Gateway:
    """Carries mail between our servers and a tracker, whose own gateway takes it in."""

    def __init__(self, address: str, take: Callable[[bytes], None], outbox: Path, mail: MailSite) -> None:
        self.address, self._take, self._outbox, self._mail = address, take, outbox, mail
        self._desk = RealDesk(replace(mail, theirs=address), {})
        self._carried = set(outbox.iterdir())

    def carry(self, mails: int) -> None:
        """What we have sent, so many mails by now, into the tracker; and what that has sent to us."""
        before = len(self._desk.received)
        wait_until(lambda: self._desk.look() >= mails, "our mail was delivered")
        for each in self._desk.received[before:]:
            self._take(each.as_bytes())
        self.carry_back()

    def carry_back(self) -> None:
        """What the tracker has sent to us."""
        for file in sorted(set(self._outbox.iterdir()) - self._carried):
            self._carried.add(file)
            if self._mail.ours in file.read_text("utf-8", "replace"):
                self._desk.write(file.read_bytes())


def test_request_trackers_own_gateway_is_a_desk_like_any_other(
    rt: RtSite, mail: MailSite, open_here: Callable[..., MailConnector]
) -> None:
    def take(raw: bytes) -> None:
        command = ["rt-mailgate-5", "--queue", rt.queue, "--action", "correspond", "--url", rt.url]
        subprocess.run(command, input=raw, check=True)

    outbox = Path(Script("rt.sh").run("status")["RT_OUTBOX"])
    gateway = Gateway(f"{rt.queue}@rt.example.org", take, outbox, mail)
    connector = open_here(profile="mail-rt", to=gateway.address, senders="rt.example.org", tool="rt.example.org")
    it_is_a_desk_like_any_other(connector, gateway, rt.agent, rt.agent.reply)


def test_znunys_own_postmaster_is_a_desk_like_any_other(
    znuny: ZnunySite, mail: MailSite, open_here: Callable[..., MailConnector]
) -> None:
    gateway = Gateway(f"{znuny.queue}@znuny.example.org", znuny.take, znuny.outbox, mail)
    connector = open_here(profile="mail-otrs", to=gateway.address, senders="znuny.example.org")
    it_is_a_desk_like_any_other(connector, gateway, znuny.agent, znuny.answer)


def it_is_a_desk_like_any_other(
    connector: MailConnector, gateway: Gateway, agent: RtPerson | ZnunyPerson, answer: Callable[[str, str], None]
) -> None:
    """A ticket is told, answered, and answered again with a file: one ticket there, each word once."""
    ticket = connector.create({"subject": "CE refuses jobs", "description": "since noon\nÜ"}, token="7Q-DESK")
    gateway.carry(1)
    (key,) = agent.keys()
    answer(key, "we look into it")
    gateway.carry_back()
    after = connector.fetch(ticket.key, known=())
    assert [(each.text, each.own) for each in after.comments or ()] == [("we look into it", False)]
    files = (draft("naïve.log", b"line\n\x00"),)
    connector.comment(ticket.key, CommentDraft("thanks, here is more", files=files), token="7Q-MORE")
    gateway.carry(2)
    assert agent.keys() == [key]
    assert sum("thanks, here is more" in each.text for each in agent.comments(key)) == 1
    assert [(each.name, each.content) for each in agent.files(key)] == [("naïve.log", b"line\n\x00")]
    assert len(connector.fetch(ticket.key, known=()).comments or ()) == 2
