"""Mail that people are told by: nobody twice, nobody forgotten, and a mail server that is away stops nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest

from central.delivery import Direction, Lane
from central.desk.mail.notices import Letterhead
from central.instance import Stop
from central.model import Person
from central.origin import Origin
from connectors.errors import AccessError, ConnectorError, Refused, Transient, Unknown
from connectors.mail import quotes
from connectors.mail.profile import Hour
from connectors.mail.threads import Signer
from connectors.mail.trust import Policy
from sync.bus.inprocess import InProcessBus
from sync.centre import Centre
from sync.mailroom import Reader
from sync.postman import Postman
from sync.relay import MAIL, Relay
from tests.unit.sync.world import World

TESS = Person("tess", "Tess", "tess@example.org")
OURS = "helpdesk@desk.example"
SECRET = "a secret for tests alone"


class Office:
    """A centre whose people are told by mail. `trouble` answers each mail with an error, or none."""

    def __init__(self) -> None:
        self.world = World()
        self.store, means = self.world.store, self.world.mesh.means
        self.relay = Relay(InProcessBus(), mails=True)
        self.centre = Centre(replace(means, relay=self.relay))
        self.sent: list[Message] = []
        self.trouble: Callable[[str], ConnectorError | None] = lambda to: None
        self.signer = Signer(SECRET, "desk.example")
        self.postman = self.another()

    def another(self, owner: str = "a") -> Postman:
        head = Letterhead("GGUS", quotes.DIVIDER, never=frozenset({OURS}))
        return Postman(self.store, self, self.signer, head, OURS, self.world.clock, owner=owner)

    def send(self, mail: bytes, sender: str, to: str) -> None:
        problem = self.trouble(to)
        if problem is None or isinstance(problem, Unknown):
            assert sender == OURS
            self.sent.append(message_from_bytes(mail))
        if problem is not None:
            raise problem

    def check(self) -> None:
        """There is nothing to check."""

    def open(self) -> int:
        fields = {"subject": "jobs fail", "submitter": "alice@example.org", "cc": ("carl@example.org",)}
        return self.centre.open(fields, TESS).id

    def say(self, text: str, *, internal: bool = False) -> None:
        self.world.clock.advance(timedelta(seconds=1))
        self.centre.comment(1, text, TESS, internal=internal)

    def run(self, after: timedelta = timedelta(0)) -> list[str]:
        """Deliver all that is due; to whom."""
        self.world.clock.advance(after)
        before = len(self.sent)
        while self.postman.deliver():
            pass
        return [str(each["To"]).partition("@")[0] for each in self.sent[before:]]


@pytest.fixture
def office() -> Office:
    return Office()


def test_everybody_is_told_once_of_each_act(office: Office) -> None:
    office.open()
    office.say("we look")
    assert office.run() == ["alice", "carl", "alice", "carl"]
    assert office.run(timedelta(days=1)) == []
    assert office.store.read(lambda tx: tx.outbox.find(MAIL, Direction.OUTWARD, "1")) is None


def test_mails_of_a_ticket_are_one_thread_and_no_machine_answers_them(office: Office) -> None:
    office.open()
    office.store.write(lambda tx: tx.origins.add(1, Origin("alice", "mail", "hers@example.org")))
    office.say("we look")
    office.run()
    assert office.sent[0]["References"].startswith("<hers@example.org> <thread+tkt1+")
    first, later = office.sent[0], office.sent[2]
    assert first["References"] == later["References"]
    assert first["Message-ID"] != later["Message-ID"]
    assert later["Subject"] == "GGUS-Ticket-ID: #1 UPDATE jobs fail"
    assert (later["Auto-Submitted"], later["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert later["X-Interdesk-Loop"] == "desk.example"


@pytest.mark.parametrize("error", [Transient("away"), AccessError("not let in")])
def test_a_server_that_is_away_delays_mail_and_nothing_else(office: Office, error: ConnectorError) -> None:
    office.open()
    office.trouble = lambda to: error
    assert office.run() == []
    office.say("we look")
    office.trouble = lambda to: None
    assert office.run(timedelta(hours=2)) == ["alice", "carl", "alice", "carl"]


def test_a_mail_whose_answer_was_lost_goes_out_again_as_the_same_mail(office: Office) -> None:
    office.open()
    office.trouble = lambda to: Unknown("lost") if to.startswith("carl") else None
    assert office.run() == ["alice", "carl"]
    office.say("we look")
    office.trouble = lambda to: None
    assert office.run(timedelta(hours=2)) == ["alice", "carl", "alice", "carl"]
    ids = [each["Message-ID"] for each in office.sent]
    assert ids[0] == ids[2] == ids[1] == ids[3]
    assert office.sent[0].as_bytes() == office.sent[2].as_bytes()


def test_whoever_dies_in_the_middle_is_taken_over_from(office: Office) -> None:
    office.open()
    office.trouble = lambda to: (_ for _ in ()).throw(SystemExit)  # it is killed while it sends
    with pytest.raises(SystemExit):
        office.postman.deliver()
    office.trouble = lambda to: None
    office.postman = office.another("b")
    assert office.run() == []
    assert office.run(timedelta(minutes=6)) == ["alice", "carl"]


def test_an_address_that_is_refused_keeps_nobody_else_from_being_told(office: Office) -> None:
    office.open()
    office.trouble = lambda to: Refused("no such user") if to.startswith("alice") else None
    assert office.run() == ["carl"]
    assert office.run(timedelta(days=1)) == []


def test_the_stop_button_stops_mail_too(office: Office) -> None:
    office.open()
    stop = Stop(office.world.clock(), "tess")
    office.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(stopped=stop)))
    assert office.run() == []
    office.store.write(lambda tx: tx.instance.put(tx.instance.get().evolve(stopped=None)))
    assert office.run() == ["alice", "carl"]


def test_nobody_is_told_of_a_past_that_is_taken_over(office: Office) -> None:
    world = office.world
    world.centre.open({"subject": "old", "submitter": "alice@example.org"}, TESS)
    behind = office.relay.behind()
    world.store.write(lambda tx: behind.owe_outward(tx, (), 1, world.clock(), reason="taken over", lane=Lane.BACKFILL))
    assert office.run() == []
    office.say("news")
    assert office.run() == ["alice"]
    assert "news" in office.sent[0].get_payload()


def test_an_answer_to_a_mail_of_ours_leads_back_to_its_ticket_and_stays_internal_where_that_was(office: Office) -> None:
    office.open()
    office.centre.change(1, {"involve": ("ivan@example.org",)}, TESS)
    office.say("public")
    office.say("secret", internal=True)
    office.run()
    reader = Reader(office.signer, Policy((), "none", "", Hour()), "GGUS")
    seen = set()
    for mail in office.sent:
        answer = f"From: <{mail['To']}>\nMessage-ID: <a@b>\nReferences: {mail['Message-ID']}\nSubject: Re: x\n\nhello"
        [found] = reader.read(answer.encode()).answers
        assert found.ticket_id == 1
        assert found.internal is ("secret" in mail.get_payload())
        seen.add(found.internal)
    assert seen == {True, False}


def test_what_people_do_in_a_partners_system_is_told_here_too(office: Office) -> None:
    mesh = office.world.mesh
    mesh.means = replace(mesh.means, relay=office.relay)
    mesh.restart()
    key, _ = office.world.shared()
    office.centre.change(1, {"involve": ("ivan@example.org",)}, TESS)
    office.run()
    office.world.alice.comment(key, "we found it")
    mesh.round()
    assert office.run() == ["ivan"]
    assert "alice wrote:" in office.sent[-1].get_payload()
    assert "we found it" in office.sent[-1].get_payload()
