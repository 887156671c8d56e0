"""Who is told what by mail: GGUS's rules, with a canary for what is internal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from central.desk.mail.notices import Letterhead, Notice, acts, notices
from central.model import Person
from tests.unit.sync.world import World

HEAD = Letterhead("GGUS", "-- above --", "https://desk/{id}", {"NGI_CZ": "unit@ngi.cz"}, frozenset({"desk@x.org"}))
TESS = Person("tess", "Tess", "tess@example.org")
ALICE = Person("alice", "Alice", "alice@example.org")


class Ticket:
    """A ticket with one of everybody, and what the last thing done to it is told by."""

    def __init__(self, **more: object) -> None:
        self.centre, self.store = (world := World()).centre, world.store
        self.world = world
        fields = {
            "subject": "jobs fail",
            "description": "since noon",
            "unit": "NGI_CZ",
            "submitter": "alice@example.org",
            "cc": ("carl@example.org",),
            "involve": ("ivan@example.org",),
            "assigned_to": "sue@example.org",
            **more,
        }
        self.id = self.centre.open(fields, ALICE).id  # type: ignore[arg-type]

    def told(self, head: Letterhead = HEAD) -> dict[str, Notice]:
        """What the last act is told by, by address."""

        def question(tx):  # type: ignore[no-untyped-def]
            act = acts(tx.tickets.events(self.id))[-1]
            ticket = tx.tickets.get(self.id)
            return notices(head, ticket, act, tx.tickets.comments(self.id), tx.tickets.files(self.id))

        found = self.store.read(question)
        assert len({each.to for each in found}) == len(found)
        return {each.to.partition("@")[0]: each for each in found}

    def do(self, text: str = "", *, internal: bool = False, by: Person = TESS, **changes: object) -> dict[str, Notice]:
        self.world.clock.advance(timedelta(seconds=1))
        if text:
            self.centre.comment(self.id, text, by, internal=internal)
        else:
            self.centre.change(self.id, changes, by)  # type: ignore[arg-type]
        return self.told()


@pytest.fixture
def ticket() -> Ticket:
    return Ticket()


def test_everybody_is_told_of_a_new_ticket_and_its_submitter_that_it_is_there(ticket: Ticket) -> None:
    told = ticket.told()
    assert told.keys() == {"alice", "carl", "ivan", "sue", "unit"}
    mail = told["alice"]
    assert mail.subject == "GGUS-Ticket-ID: #1 SUBMITTED jobs fail"
    assert mail.text.startswith("-- above --\n\nAlice opened this ticket:\n\nsince noon\n")
    assert "https://desk/1\nSTATUS: assigned\nRESPONSIBLE UNIT: NGI_CZ\nCONCERNED VO: none\n" in mail.text


def test_a_public_comment_is_told_to_all_but_whoever_wrote_it(ticket: Ticket) -> None:
    assert ticket.do("we look").keys() == {"alice", "carl", "ivan", "sue", "unit"}
    assert ticket.do("here", by=ALICE).keys() == {"carl", "ivan", "sue", "unit"}


def test_what_is_internal_is_told_to_those_who_work_on_it_alone(ticket: Ticket) -> None:
    told = ticket.do("the canary", internal=True)
    assert told.keys() == {"ivan", "sue", "unit"}
    assert all(each.internal and "[internal] the canary" in each.text for each in told.values())


def test_a_submitter_or_cc_is_told_nothing_internal_whatever_else_they_are() -> None:
    both = ("alice@example.org", "CARL@example.org")
    ticket = Ticket(involve=both, assigned_to="alice@example.org")
    assert ticket.do("the canary", internal=True).keys() == {"unit"}
    assert ticket.do(involve=(*both, "new@example.org")).keys() == {"new", "unit"}


def test_a_submitter_is_told_what_a_submitter_waits_for(ticket: Ticket) -> None:
    assert "alice" not in ticket.do(priority="urgent")
    assert "alice" not in ticket.do(status="in progress")
    assert "Status: in progress -> waiting for reply" in ticket.do(status="waiting for reply")["alice"].text
    solved = ticket.do(status="solved", solution="rebooted")["alice"]
    assert solved.subject == "GGUS-Ticket-ID: #1 SOLVED jobs fail"
    assert "Solution:\nrebooted" in solved.text


def test_a_submitter_who_wants_to_know_every_change_is_told_all_that_is_public() -> None:
    ticket = Ticket(notification="on every change")
    told = ticket.do(priority="urgent", assigned_to="max@example.org")["alice"].text
    assert "Priority: less urgent -> urgent" in told
    assert "max@example.org" not in told
    assert "alice" in ticket.do("we look")
    assert "alice" not in ticket.do("the canary", internal=True)


def test_a_submitter_who_wants_no_mail_gets_none_whatever_else_they_are() -> None:
    ticket = Ticket(notification="never", cc=("ALICE@example.org", "carl@example.org"), assigned_to="alice@example.org")
    assert ticket.told().keys() == {"carl", "ivan", "unit"}
    assert "alice" not in ticket.do("we look")
    assert "alice" not in ticket.do(status="solved", solution="rebooted")
    assert "alice" in Ticket(notification="on solution").do(status="solved")


def test_from_a_change_of_the_mode_on_it_holds_and_nobody_is_told_of_that(ticket: Ticket) -> None:
    before = ticket.do("we look")
    ticket.world.clock.advance(timedelta(seconds=1))
    ticket.centre.change(ticket.id, {"notification": "never"}, ALICE)
    assert ticket.told().keys() == before.keys() - {"alice"}
    both = ticket.do(notification="on every change", priority="urgent")
    assert both.keys() == {"alice", "carl", "ivan", "sue", "unit"}
    assert all("Priority" in each.text and "otification" not in each.text for each in both.values())


def test_cc_is_told_every_public_change_and_nothing_of_people(ticket: Ticket) -> None:
    told = ticket.do(priority="urgent", assigned_to="max@example.org", phone="555")
    assert "Priority: less urgent -> urgent" in told["carl"].text
    assert "max@example.org" not in told["carl"].text
    assert "555" not in told["carl"].text
    assert "max@example.org" in told["ivan"].text


def test_an_assignment_is_called_one(ticket: Ticket) -> None:
    assert ticket.do(unit="NGI_PL")["carl"].subject == "GGUS-Ticket-ID: #1 ASSIGNED jobs fail"


def test_our_own_addresses_and_what_is_none_are_never_written_to() -> None:
    ticket = Ticket(cc=("desk@x.org", "DESK@x.org", "nobody", "a b@x.org"), submitter="/DC=org/CN=alice")
    assert ticket.do("hello").keys() == {"ivan", "sue", "unit"}


def test_one_act_is_told_by_one_mail_and_the_same_one_every_time(ticket: Ticket) -> None:
    ticket.centre.act(ticket.id, {"status": "solved"}, [], TESS)
    first = ticket.told()
    assert ticket.told() == first
    other = replace(HEAD, centre="HELP")
    assert ticket.told(other)["alice"].subject.startswith("HELP-Ticket-ID: #1")
