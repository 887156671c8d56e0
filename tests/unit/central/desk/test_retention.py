"""What tells of people is let go of when its time is over, and nothing else is."""

from datetime import timedelta

import pytest

from central.audit import Entry
from central.desk.auth import Gate
from central.desk.retention import SOMEBODY, Retention, Terms
from central.events import Event, Kind
from central.mail import Mail, Verdict
from central.model import SYSTEM, Person
from central.store.memory import MemoryStore
from tests.unit.central.desk.test_auth import NOW, Clock, Counting

DAY = timedelta(days=1)
EVE = Person("eve", "Eve", "eve@example.org", "rt")


class Desk:
    def __init__(self, terms: Terms) -> None:
        self.clock, self.store = Clock(), MemoryStore()
        self.gate = Gate(self.store, self.clock, hasher=Counting())
        self.retention = self.another(terms, "one")

    def another(self, terms: Terms, owner: str) -> Retention:
        return Retention(self.store, self.clock, terms, self.gate, owner=owner)

    def ticket(self, status: str) -> int:
        def make(tx) -> int:
            ticket = tx.tickets.create({"subject": "x", "status": status}, NOW)
            changed = Event(Kind.FIELD_CHANGED, ticket.id, NOW, EVE, field="submitter", data={"to": EVE.email, "n": 1})
            tx.tickets.record(
                [changed, Event(Kind.WRITTEN, ticket.id, NOW, SYSTEM, field="status", data={"to": "new"})]
            )
            return ticket.id

        return self.store.write(make)

    def history(self, ticket_id: int) -> list[tuple[Person, object]]:
        events = self.store.read(lambda tx: tx.tickets.events(ticket_id))
        return [(event.actor, dict(event.data)) for event in events]

    def audited(self) -> int:
        return len(self.store.read(lambda tx: tx.audit.list()))


@pytest.mark.parametrize(("status", "forgotten"), [("closed", True), ("verified", True), ("solved", False)])
def test_who_did_what_is_forgotten_once_a_ticket_is_over_for_long_enough(status: str, forgotten: bool) -> None:
    desk = Desk(Terms(history=30 * DAY))
    ticket = desk.ticket(status)
    before = desk.history(ticket)
    desk.clock.pass_(days=30)
    desk.retention.sweep()
    assert desk.history(ticket) == before
    desk.clock.pass_(hours=1)
    desk.retention.sweep()
    after = [(Person(SOMEBODY, system="rt"), {"to": SOMEBODY, "n": 1}), (SYSTEM, {"to": "new"})]
    assert desk.history(ticket) == (after if forgotten else before)


def test_nothing_is_forgotten_where_nothing_is_said() -> None:
    desk = Desk(Terms())
    ticket = desk.ticket("closed")
    desk.store.write(lambda tx: tx.audit.record(Entry(NOW, "eve", "pause")))
    before = desk.history(ticket)
    desk.clock.pass_(days=10_000)
    desk.retention.sweep()
    assert (desk.history(ticket), desk.audited()) == (before, 1)


def test_of_many_processes_one_sweeps_and_no_more_than_once_an_hour() -> None:
    desk = Desk(Terms(audit=DAY))
    other = desk.another(Terms(audit=DAY), "two")
    desk.clock.pass_(days=1)
    desk.retention.sweep()
    desk.store.write(lambda tx: tx.audit.record(Entry(NOW - DAY, "eve", "pause")))
    desk.retention.sweep()
    other.sweep()
    assert desk.audited() == 1
    desk.clock.pass_(hours=1)
    other.sweep()
    assert desk.audited() == 0, "whoever did it last may be gone by now"


def test_who_sent_a_mail_is_forgotten_and_one_in_quarantine_waits_on() -> None:
    desk = Desk(Terms(mails=DAY))
    for number, verdict in enumerate((Verdict.OPENED, Verdict.QUARANTINED, Verdict.DROPPED)):
        mail = Mail(f"<{number}@x>", NOW, "eve@x.org", "help", verdict)
        desk.store.write(lambda tx, mail=mail: tx.mails.take(mail))
    desk.clock.pass_(days=2)
    desk.store.write(lambda tx: tx.mails.take(Mail("<new@x>", desk.clock(), "eve@x.org", "", Verdict.OPENED)))
    desk.retention.sweep()
    told = [(each.verdict, each.sender) for each in desk.store.read(lambda tx: tx.mails.list())]
    new, dropped, waits, opened = told
    assert (dropped, opened) == ((Verdict.DROPPED, ""), (Verdict.OPENED, ""))
    assert (new, waits) == ((Verdict.OPENED, "eve@x.org"), (Verdict.QUARANTINED, "eve@x.org"))


def test_what_has_been_swept_is_not_written_again() -> None:
    desk = Desk(Terms(history=DAY))
    desk.ticket("closed")
    desk.clock.pass_(days=2)
    desk.retention.sweep()
    before = desk.store._tables.events
    desk.clock.pass_(hours=1)
    desk.retention.sweep()
    assert desk.store._tables.events is before
