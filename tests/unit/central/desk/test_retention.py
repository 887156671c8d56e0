"""What tells of people is let go of when its time is over, and nothing else is."""

from datetime import timedelta

import pytest

from central.audit import Entry
from central.desk.auth import Gate
from central.desk.retention import SOMEBODY, Retention, Terms
from central.desk.services.tickets import Upload
from central.events import Event, Kind
from central.mail import Mail, Verdict
from central.model import SYSTEM, Attachment, Person
from central.store.api import NoSuch
from central.store.memory import MemoryStore
from central.workflow import Actor
from tests.unit.central.desk.test_auth import NOW, Clock, Counting
from tests.unit.sync.world import TPM, World

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


class Shared:
    """A ticket with files, shared by two systems, and closed."""

    def __init__(self) -> None:
        self.world = World()
        self.rt, self.redmine = self.world.shared()
        centre, store = self.world.centre, self.world.store
        centre.comment(1, "see", TPM, files=[Upload("a.txt", "text/plain", [b"abc"])])
        centre.comment(1, "not yours", TPM, internal=True, files=[Upload("note.txt", "text/plain", [b"note"])])
        self.world.alice.attach(self.rt, "there.log", b"log")
        self.world.mesh.settle()
        self.gate = Gate(store, self.world.clock, hasher=Counting())
        self.retention = Retention(store, self.world.clock, Terms(files=30 * DAY), self.gate, owner="one")

    def close(self) -> None:
        self.world.centre.change(1, {"status": "solved", "solution": "done"}, TPM)
        self.world.centre.change(1, {"status": "verified"}, TPM, actor=Actor.SUBMITTER)

    def sweep(self, days: int) -> None:
        self.world.clock.now += days * DAY
        self.retention.sweep()

    def files(self) -> dict[str, bool]:
        """By its name, whether its bytes are here."""
        return {each.name: self.bytes_of(each) for each in self.world.store.read(lambda tx: tx.tickets.files(1))}

    def bytes_of(self, file: Attachment) -> bool:
        try:
            with self.world.store.open_blob(file.sha256) as chunks:
                return sum(map(len, chunks)) == file.size
        except NoSuch:
            assert file.gone_at is not None
            return False

    def written(self) -> int:
        return sum(len(member.tracker.log) for member in (self.world.rt, self.world.redmine))


def test_the_bytes_of_files_go_once_a_ticket_is_over_for_long_enough_and_no_system_is_told() -> None:
    shared = Shared()
    shared.sweep(days=40)
    assert shared.files() == {"a.txt": True, "note.txt": True, "there.log": True}, "it is not over"
    shared.close()
    shared.world.mesh.settle()
    before = shared.written()
    shared.sweep(days=29)
    assert all(shared.files().values())
    shared.sweep(days=2)
    assert shared.files() == {"a.txt": False, "note.txt": False, "there.log": False}
    shared.world.mesh.scan()
    assert shared.world.end() == []
    assert shared.written() == before
    assert shared.files() == {"a.txt": False, "note.txt": False, "there.log": False}, "nothing is fetched again"


def test_a_file_that_a_system_is_still_owed_stays() -> None:
    shared = Shared()
    shared.world.centre.comment(1, "late", TPM, files=[Upload("late.txt", "text/plain", [b"late"])])
    shared.close()
    shared.sweep(days=40)
    assert shared.files() == {"a.txt": False, "note.txt": False, "there.log": False, "late.txt": True}
    shared.world.mesh.settle()
    shared.sweep(days=40)
    assert not any(shared.files().values())


def test_a_note_stands_for_a_file_that_is_kept_no_longer() -> None:
    shared = Shared()
    shared.world.centre.comment(1, "see this", TPM, files=[Upload("b.txt", "text/plain", [b"b"])])
    file = shared.world.store.read(lambda tx: tx.tickets.files(1))[-1]
    assert shared.world.store.write(lambda tx: tx.traces.let_go(file, shared.world.clock()))
    assert shared.world.end() == []
    for member in (shared.world.rt, shared.world.redmine):
        (said,) = shared.world.said(member, "see this")
        assert "[file 'b.txt' (1 bytes) is kept no longer]" in said.text
    shared.world.mesh.scan()
    assert shared.world.end() == []


def test_what_has_been_swept_is_not_written_again() -> None:
    desk = Desk(Terms(history=DAY))
    desk.ticket("closed")
    desk.clock.pass_(days=2)
    desk.retention.sweep()
    before = desk.store._tables.events
    desk.clock.pass_(hours=1)
    desk.retention.sweep()
    assert desk.store._tables.events is before
