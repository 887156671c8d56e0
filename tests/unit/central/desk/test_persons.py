"""One person's data is told to whoever may ask, and erased wherever it stands."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from central.account import Grant, Role, Scope
from central.desk.auth import Gate, NotKnown
from central.desk.people import PeopleDesk, of_the_machine
from central.desk.persons import PersonDesk
from central.desk.services.errors import NotAllowed
from central.desk.services.tickets import Upload
from central.erasure import Erasure
from central.mail import Mail, Verdict
from central.model import Attachment, Person, Ticket, Visibility
from central.origin import Origin
from central.rights import Forbidden, Principal
from central.shadow import Shadow, Side
from central.store.api import Busy, NoSuch
from sync.erasing import Erasing
from tests.unit.central.desk.test_auth import NOW, PASSWORD, Counting
from tests.unit.sync.world import World

MACHINE = of_the_machine("root")
ALICE = Person("alice", "Alice Example", "alice@example.org")
BOB = Person("bob", "Bob", "bob@example.org")


class Desk:
    """A helpdesk with two tickets of Alice's, who has an account, and one of Bob's."""

    def __init__(self) -> None:
        self.world = World()
        self.store, self.clock = self.world.store, self.world.clock
        self.gate = Gate(self.store, self.clock, hasher=Counting())
        self.people = PeopleDesk(self.store, self.gate, self.clock)
        self.erasing: Erasing | Looking = Erasing(self.world.mesh.means)
        self.people.create(MACHINE, "alice", name=ALICE.name, email="Alice@example.org", grants=[Grant(Role.USER)])
        self.people.create(MACHINE, "tess", grants=[Grant(Role.CENTRAL)])
        self.people.set_password(MACHINE, "alice", PASSWORD)
        centre = self.world.centre
        self.mine = centre.open({"subject": "my job", "phone": "+420 1"}, ALICE)
        self.theirs = centre.open({"subject": "their job", "cc": ("bob@example.org", "ALICE@example.org")}, BOB)
        self.other = centre.open({"subject": "other job"}, BOB)
        centre.comment(self.theirs.id, "I have it, too", ALICE)
        centre.comment(self.other.id, "ask somebody", BOB)

    @property
    def persons(self) -> PersonDesk:
        return PersonDesk(self.store, self.erasing, self.clock, entropy=lambda size: b"\x07" * size)

    def principal(self, login: str, *scopes: Scope) -> Principal:
        return Principal.of(self.people.show(MACHINE, login), scopes or None)

    def ticket(self, ticket: Ticket) -> Ticket:
        return self.store.read(lambda tx: tx.tickets.get(ticket.id))

    def everything(self) -> str:
        return repr(
            self.store.read(
                lambda tx: (
                    [(tx.tickets.get(each), tx.tickets.comments(each), tx.tickets.events(each)) for each in (1, 2, 3)]
                    + [(tx.accounts.list(), tx.audit.list())]
                )  # type: ignore[list-item]
            )
        ).casefold()


class Looking:
    """Some tickets are being looked at, for so many tries."""

    def __init__(self, erasing: Erasing, times: int) -> None:
        self._erasing, self._times = erasing, times

    def ticket(self, ticket_id: int, erasure: Erasure) -> Sequence[str]:
        if ticket_id == 2 and self._times:
            self._times -= 1
            raise Busy("it is being looked at")
        return self._erasing.ticket(ticket_id, erasure)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("who", ["alice", "ALICE@example.org"])
def test_all_that_is_kept_of_somebody_is_told(desk: Desk, who: str) -> None:
    told = desk.persons.export(desk.principal("tess"), who)
    (account,) = told["accounts"]
    assert (account["login"], account["email"], account["grants"]) == ("alice", "Alice@example.org", ["user"])
    mine, theirs = told["tickets"]
    assert (mine["id"], mine["fields"]) == (1, {"submitter": "alice@example.org", "phone": "+420 1"})
    assert theirs["comments"][0]["text"] == "I have it, too"
    assert {entry["act"] for entry in told["audit"]} == {"create an account", "set a password"}
    assert "argon2" not in repr(told)


def test_everybody_may_have_their_own_and_nobody_elses(desk: Desk) -> None:
    alice = desk.principal("alice")
    assert desk.persons.export(alice, "alice") == desk.persons.export(alice, "alice@example.org")
    for who, principal in (("tess", alice), ("", alice), ("alice", desk.principal("alice", Scope.PEOPLE))):
        with pytest.raises(Forbidden):
            desk.persons.export(principal, who)
    for act in (desk.persons.erase, desk.persons.preview):
        with pytest.raises(Forbidden):
            act(alice, "alice")


def test_somebody_who_is_erased_is_nowhere_and_what_they_said_is_there(desk: Desk) -> None:
    text, _ = desk.people.add_token(MACHINE, "alice", "alice's", [Scope.TICKETS_READ], lasts=timedelta(days=1))
    cookie, _ = desk.gate.sign_in("alice", PASSWORD, source="here")
    before = desk.ticket(desk.other)
    erased = desk.persons.erase(desk.principal("tess"), "alice")
    assert (erased.alias, erased.accounts, erased.tickets, erased.busy, erased.still) == (
        "erased-07070707", 1, 2, (), (),
    )  # fmt: skip
    assert "alice" not in desk.everything()
    assert "+420" not in desk.everything()
    assert desk.ticket(desk.theirs)["cc"] == ("bob@example.org",)
    assert desk.ticket(desk.other) == before
    (said,) = desk.store.read(lambda tx: tx.tickets.comments(2))
    assert (said.text, said.author) == ("I have it, too", Person("erased-07070707"))
    assert desk.gate.session(cookie) is None
    with pytest.raises(NotKnown):
        desk.gate.bearer(text)
    with pytest.raises(NotKnown):
        desk.gate.sign_in("alice", PASSWORD, source="here")
    (entry, *_) = desk.store.read(lambda tx: tx.audit.list())
    assert (entry.by, entry.act, entry.subject) == ("tess", "erase a person", "erased-07070707")
    assert desk.persons.export(desk.principal("tess"), "alice")["tickets"] == []


def test_neither_what_would_have_been_written_nor_what_a_program_was_answered_names_somebody_who_is_erased(
    desk: Desk,
) -> None:
    would = ("Alice@example.org", "bob@example.org")
    made = Shadow(0, "ngi-cz", Side.SYSTEM, 2, "7", "comment 1", "Alice Example: hello", would, "as alice said", NOW)
    desk.store.write(lambda tx: tx.shadow.record(made))
    answer = {"status": 201, "body": '{"submitter":"alice@example.org"}', "sent": "digest"}
    desk.store.write(lambda tx: tx.replies.begin("key", "digest", NOW))
    desk.store.write(lambda tx: tx.replies.settle("key", answer))
    desk.persons.erase(desk.principal("tess"), "alice")
    (shadow,) = desk.store.read(lambda tx: tx.shadow.list("ngi-cz"))
    nobody = "erased-07070707"
    assert (shadow.would, shadow.before, shadow.why) == (
        f"{nobody}: hello",
        (nobody, "bob@example.org"),
        f"as {nobody} said",
    )
    kept = desk.store.write(lambda tx: tx.replies.begin("key", "digest", NOW))
    assert kept is not None
    assert kept.answer == {**answer, "body": f'{{"submitter":"{nobody}"}}'}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Alice, <ALICE@x.org>: hi", "X, <X>: hi"),
        ("alice.", "X."),
        ("malice and alices", "malice and alices"),
        ("alice@y.org, to-alice, alice@x.org.uk", "alice@y.org, to-alice, alice@x.org.uk"),
        ("Alice Example and alice", "X and X"),
        ("", ""),
    ],
)
def test_what_was_said_names_somebody_as_a_whole_only(said: str, left: str) -> None:
    erasure = Erasure("X", frozenset({"alice", "alice@x.org"}), frozenset({"alice example"}))
    assert erasure.text(said) == left
    assert Erasure("X").text(said) == said


def test_what_is_said_of_somebody_is_told_and_erased_with_them(desk: Desk) -> None:
    desk.world.centre.comment(desk.other.id, "Alice Example (alice@example.org) knows, alice does", BOB)
    told = desk.persons.export(desk.principal("tess"), "alice")["tickets"]
    assert [each["id"] for each in told] == [1, 2, 3]
    assert [each["text"].partition(" (")[0] for each in told[2]["comments"]] == ["Alice Example"]
    desk.persons.erase(desk.principal("tess"), "alice")
    said = desk.store.read(lambda tx: tx.tickets.comments(desk.other.id))
    nobody = "erased-07070707"
    assert [each.text for each in said] == ["ask somebody", f"{nobody} ({nobody}) knows, alice does"]
    assert {each.author for each in said} == {BOB}


def test_a_preview_shows_every_place_and_changes_nothing(desk: Desk) -> None:
    desk.world.centre.comment(desk.other.id, "first\nask Alice  Example, or alice", BOB)
    desk.world.centre.attach(desk.other.id, Upload("Alice_Example.pdf", "application/pdf", [b"x"]), BOB)
    desk.world.centre.change(desk.other.id, {"description": "alice@example.org says so"}, BOB)
    before = desk.everything()
    found = desk.persons.preview(desk.principal("tess"), "alice")
    nobody = found.alias
    assert (found.accounts, found.tickets, found.audit, found.mails, found.copies) == (1, 3, 2, 0, ())
    on_the_last = {(str(each.place), each.says, each.becomes) for each in found.mentions if each.ticket == 3}
    assert {
        ("field", "alice@example.org says so", f"{nobody} says so"),
        ("comment", "ask Alice  Example, or alice", f"ask {nobody}, or alice"),
        ("file", "Alice_Example.pdf", f"{nobody}.pdf"),
    } <= on_the_last
    assert ("author of comment", "1") in {(str(each.place), each.which) for each in found.mentions if each.ticket == 2}
    assert desk.everything() == before
    desk.persons.erase(desk.principal("tess"), "alice")
    assert desk.persons.preview(desk.principal("tess"), "alice").mentions == ()
    assert [each.name for each in desk.store.read(lambda tx: tx.tickets.files(3))] == [f"{nobody}.pdf"]


@pytest.mark.parametrize(
    ("called", "left"),
    [
        ("Alice Example.pdf", "X.pdf"),
        ("cv-alice.example-2.pdf", "cv-X-2.pdf"),
        ("alice@x.org.eml", "X.eml"),
        ("malice_example.pdf", "malice_example.pdf"),
        ("alice_examples.pdf", "alice_examples.pdf"),
        ("alice.pdf", "alice.pdf"),
    ],
)
def test_a_file_is_called_by_nobody_in_particular(called: str, left: str) -> None:
    erasure = Erasure("X", frozenset({"alice", "alice@x.org"}), frozenset({"alice example"}))
    file = Attachment(1, 1, None, called, "text/plain", 1, "cafe", Visibility.PUBLIC, NOW)
    assert erasure.file(file).name == left
    assert Erasure("X").file(file) == file


def test_a_subject_stays_as_long_as_one_may_be() -> None:
    erasure = Erasure("X" * 40, names=frozenset({"alice example"}))
    said = erasure.field("subject", "Alice Example " + "y" * 241)
    assert (len(str(said)), str(said)[:41]) == (255, "X" * 40 + " ")


def test_whoever_writes_in_a_system_without_an_address_is_erased_by_their_name_there(desk: Desk) -> None:
    desk.world.alice.open(subject="from RT")
    desk.world.mesh.settle()
    assert desk.persons.erase(MACHINE, "ngi-cz/alice").tickets >= 1
    (event, *_) = desk.store.read(lambda tx: tx.tickets.events(4))
    assert event.actor == Person("erased-07070707", system="ngi-cz")
    assert desk.ticket(desk.mine)["submitter"] == "alice@example.org", "they may be somebody else"
    assert desk.world.end() == []


def test_of_their_mail_stays_that_it_came(desk: Desk) -> None:
    sha256, _ = desk.store.put_blob([b"From: alice"], limit=100)
    mails = [
        Mail("<1@x>", NOW, "Alice@example.org", "help", Verdict.QUARANTINED, sha256=sha256),
        Mail("<2@x>", NOW, "alice@example.org", "help", Verdict.OPENED, ticket_id=1),
        Mail("<3@x>", NOW, "bob@example.org", "help", Verdict.OPENED, ticket_id=1),
    ]
    for mail in mails:
        desk.store.write(lambda tx, mail=mail: tx.mails.take(mail))
    desk.persons.erase(MACHINE, "alice")
    kept = {each.message_id: each for each in desk.store.read(lambda tx: tx.mails.list())}
    assert (kept["<1@x>"].verdict, kept["<1@x>"].sender, kept["<1@x>"].sha256) == (Verdict.DISCARDED, "", "")
    assert (kept["<2@x>"].verdict, kept["<2@x>"].sender, kept["<2@x>"].subject) == (Verdict.OPENED, "", "")
    assert kept["<3@x>"].sender == "bob@example.org"
    with pytest.raises(NoSuch), desk.store.open_blob(sha256):
        pass


def test_a_ticket_that_is_being_looked_at_is_tried_again(desk: Desk) -> None:
    desk.erasing = Looking(Erasing(desk.world.mesh.means), 2)
    assert desk.persons.erase(MACHINE, "alice").busy == ()


def test_where_something_is_left_the_account_is_left_until_it_is_said_again(desk: Desk) -> None:
    desk.erasing = Looking(Erasing(desk.world.mesh.means), 4)
    erased = desk.persons.erase(MACHINE, "alice@example.org")
    assert (erased.busy, erased.accounts) == ((2,), 0)
    assert desk.people.show(MACHINE, "alice")
    assert desk.persons.erase(MACHINE, "alice@example.org").accounts == 1
    assert "alice" not in desk.everything()


def test_the_last_of_the_central_team_is_not_erased(desk: Desk) -> None:
    before = desk.everything()
    with pytest.raises(NotAllowed, match="nobody would be left"):
        desk.persons.erase(MACHINE, "tess")
    assert desk.everything() == before


def test_mail_and_origins_of_somebody_who_is_erased_name_them_no_more(desk: Desk) -> None:
    origin = Origin("ngi-cz", "RT", "4711", "Alice Example", "/DC=org/CN=alice")
    mail = Mail(
        "1@x", desk.clock(), "alice@example.org", "my job", Verdict.QUARANTINED, "alice@example.org is unproven"
    )
    desk.store.write(lambda tx: (tx.origins.add(desk.mine.id, origin), tx.mails.take(mail)))
    desk.persons.erase(desk.principal("tess"), "alice")
    kept = desk.store.read(lambda tx: (tx.origins.of(desk.mine.id), tx.mails.list()))
    assert "alice" not in repr(kept).casefold()
    assert desk.store.read(lambda tx: tx.origins.find("ngi-cz", "RT", "4711")) == desk.mine.id
