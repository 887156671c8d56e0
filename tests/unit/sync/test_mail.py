"""Stories of a mesh with a helpdesk in it that is reached by mail alone: the engine knows of no special case."""

from datetime import timedelta

import pytest

from central.link import Link, LinkState
from central.model import Person
from central.store.memory import MemoryStore
from connectors.emulators.mail import Desk, MemoryMailbox, MemoryPost
from connectors.environment import Environment
from connectors.errors import Unknown
from connectors.mail.connector import MailConnector
from connectors.mail.profile import Hour, MailProfile
from connectors.mail.sending import Correspondents
from connectors.mail.trust import Policy as Trust
from connectors.registry import profiles
from mappings import library
from mappings.document import compile_mapping
from mappings.losses import loss_statement
from sync.simulation.members import rt_like
from sync.simulation.mesh import Member, Mesh, VirtualClock
from sync.spoken import plain

TPM = Person("tpm", "Tess from TPM")


class World:
    """Request Tracker at NGI_CZ, and at NGI_PL a desk that is reached by mail."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.rt = rt_like(self.clock, "ngi-cz", frozenset({"NGI_CZ"}), policy="central")
        profile = profiles()["mail"]
        assert isinstance(profile, MailProfile)
        self.box = MemoryMailbox()
        self.desk = Desk("desk@far.example", "we@near.example", self.box.arrive)
        self.post = MemoryPost(self.desk.take, self.box.arrive)
        connector = MailConnector(
            profile,
            Environment(clock=self.clock),
            self.box,
            self.post,
            between=Correspondents("we@near.example", "desk@far.example"),
            secret="a secret of ours",
            number="",
            policy=Trust(("far.example",), "none", "", Hour()),
        )
        mapping = compile_mapping(library.shipped("mail"), revision=1)
        member = Member("ngi-pl", connector, mapping, frozenset({"NGI_PL"}), birth_unit="NGI_PL")  # type: ignore[arg-type]  # it is read as a connector alone
        self.mesh = Mesh(MemoryStore(), [self.rt, member], self.clock)
        self.alice = self.rt.tracker.person("alice")

    def shared(self) -> str:
        """A ticket born in RT and given to NGI_PL; its key there."""
        key = self.alice.open(subject="CE refuses jobs", description="since this morning")
        self.mesh.round()
        self.mesh.centre.change(1, {"unit": "NGI_PL"}, TPM)
        self.mesh.settle()
        return key

    def link(self) -> Link:
        found = self.mesh.store.read(lambda tx: tx.links.find(1, "ngi-pl"))
        assert found is not None
        return found

    def mails(self) -> list[str]:
        """The texts that the desk got, without the line above which answers stand."""
        texts = [each.get_payload(decode=True).decode().replace("\r\n", "\n") for each in self.desk.received]  # type: ignore[union-attr]  # no parts in these
        return [text.partition("\n\n")[2].strip() for text in texts]


@pytest.fixture
def world() -> World:
    return World()


def test_a_ticket_is_told_once_and_then_there_is_silence(world: World) -> None:
    world.shared()
    (first, *rest) = world.mails()
    assert first.startswith("since this morning")
    assert "Support unit: NGI_PL" in first
    told = len(rest)
    for _ in range(5):
        assert world.mesh.round(timedelta(hours=2)) == 0
    world.mesh.scan()
    world.mesh.settle()
    assert len(world.desk.received) == 1 + told


def test_words_go_both_ways_once_and_what_changes_is_told(world: World) -> None:
    key = world.shared()
    told = len(world.desk.received)
    world.alice.comment(key, "still failing")
    world.alice.comment(key, "CANARY", internal=True)
    world.mesh.settle()
    world.desk.say(world.link().key or "", "we have restarted it")
    world.mesh.settle()
    notes = [note.text for note in world.rt.tracker.issues[key].notes]
    assert sum("we have restarted it" in each for each in notes) == 1
    assert sum("still failing" in each for each in world.mails()) == 1
    assert not any("CANARY" in each for each in world.mails())
    world.mesh.centre.change(1, {"priority": "top priority"}, TPM)
    world.mesh.settle()
    assert world.mails()[-1] == "Priority: top priority"
    assert len(world.desk.received) == told + 2


def test_a_lost_answer_makes_no_second_mail(world: World) -> None:
    world.post.after = Unknown("lost")
    world.alice.open(subject="CE refuses jobs", description="since this morning")
    world.mesh.round()
    world.mesh.centre.change(1, {"unit": "NGI_PL"}, TPM)
    world.mesh.work()
    world.post.after = None
    world.mesh.settle()
    assert len({str(each["Message-ID"]) for each in world.desk.received}) == len(world.desk.received)
    assert sum("since this morning" in each for each in world.mails()) == 1
    assert world.link().state is LinkState.ACTIVE


def test_a_desk_that_opens_a_ticket_by_mail_gives_it_to_all(world: World) -> None:
    world.clock.advance(timedelta(minutes=1))
    key = world.desk.open("Re: disk full", "please look")
    world.mesh.settle()
    ticket = world.mesh.store.read(lambda tx: tx.tickets.get(1))
    assert (ticket["subject"], ticket["description"], ticket["unit"]) == ("disk full", "please look", "NGI_PL")
    world.mesh.centre.change(1, {"unit": "NGI_CZ"}, TPM)
    world.mesh.settle()
    (issue,) = world.rt.tracker.issues.values()
    world.alice.comment(issue.key, "we do")
    world.mesh.settle()
    assert sum("we do" in each for each in world.mails()) == 1
    assert world.link().key == key


def test_a_first_mail_that_comes_back_is_a_lost_link_with_its_reason(world: World) -> None:
    world.shared()
    about = str(world.desk.received[0]["Message-ID"]).strip("<>")
    for each in world.desk.received:
        about = str(each["Message-ID"]).strip("<>") if "since this morning" in str(each) else about
    report = (
        "From: mailer-daemon@near.example\r\nX-Failed-Recipients: desk@far.example\r\n"
        f"Message-ID: <b1>\r\nIn-Reply-To: <{about}>\r\n\r\n550 nobody lives here\r\n"
    )
    world.clock.advance(timedelta(minutes=1))
    world.box.arrive(report.encode())
    world.mesh.settle()
    assert world.link().state is LinkState.LOST
    told = [e.why for e in world.mesh.store.read(lambda tx: tx.tickets.events(1)) if e.why]
    assert any("nobody lives here" in why for why in told)


def test_machines_at_the_desk_move_nothing(world: World) -> None:
    key = world.shared()
    told, notes = len(world.desk.received), len(world.rt.tracker.issues[key].notes)
    world.desk.headers = {"Auto-Submitted": "auto-replied"}
    for _ in range(3):
        world.desk.say(world.link().key or "", "I am away")
    world.mesh.settle()
    assert (len(world.desk.received), len(world.rt.tracker.issues[key].notes)) == (told, notes)


def test_the_loss_statement_says_that_nothing_can_be_read(world: World) -> None:
    gateway = world.mesh.gateways.get("ngi-pl")
    losses = loss_statement(gateway.mapping, plain(gateway.connector.capabilities))
    said = [*losses.outward, *losses.inward]
    assert any("what we told is assumed to hold" in each for each in said)
    assert any("stays unknown, unless they tell us" in each for each in said)
    assert not any("no lock" in each for each in said)


def test_a_later_mail_that_comes_back_is_a_dead_letter_and_goes_on_once_they_write(world: World) -> None:
    key = world.shared()
    world.desk.say(world.link().key or "", "we look into it")
    world.mesh.settle()
    world.alice.comment(key, "still failing")
    world.mesh.settle()
    about = str(world.desk.received[-1]["Message-ID"]).strip("<>")
    report = (
        "From: mailer-daemon@near.example\r\nX-Failed-Recipients: desk@far.example\r\n"
        f"Message-ID: <b1>\r\nIn-Reply-To: <{about}>\r\n\r\n552 mailbox full\r\n"
    )
    world.clock.advance(timedelta(minutes=1))
    world.box.arrive(report.encode())
    world.mesh.settle()
    (letter,) = world.mesh.store.read(lambda tx: tx.outbox.dead())
    assert "552 mailbox full" in letter.error
    told = len(world.desk.received)
    world.mesh.settle()
    assert len(world.desk.received) == told
    world.clock.advance(timedelta(minutes=1))
    world.desk.say(world.link().key or "", "here we are again")
    world.mesh.settle()
    assert not world.mesh.store.read(lambda tx: tx.outbox.dead())
    assert sum("here we are again" in note.text for note in world.rt.tracker.issues[key].notes) == 1
