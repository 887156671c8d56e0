"""Claims about the guards' holds, and what they judge by."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from central.delivery import Counts
from central.events import Event
from central.guard import Hold, HoldKind, HoldState, Marker, Suspect
from central.model import Attachment, NewFile
from central.store.api import NoSuch, Store, Transaction
from central.store.testing.samples import NOW, event, later, new_comment, new_file, new_link, new_ticket, say, tie

CLOSED = Hold(0, HoldKind.CLOSING, "rt", "40 closed within an hour", NOW, evidence={"list": [1, {"deep": None}]})
FIGHT = Hold(0, HoldKind.PING_PONG, "rt", "to and fro", NOW, ticket_id=7)
SUSPECT = Suspect("rt", HoldKind.CLOSING, 7, NOW, {"status": "resolved"})


def _hold(store: Store, hold: Hold) -> Hold:
    return store.write(lambda tx: tx.guards.hold(hold))


def _suspect(store: Store, suspect: Suspect) -> bool:
    return store.write(lambda tx: tx.guards.suspect(suspect))


def _count(hour: datetime, tx: Transaction) -> None:
    tx.guards.add_to_rate("rt", HoldKind.LOSS, hour)


def _tie_file(link_id: int, file_id: int, remote_id: str, tx: Transaction) -> None:
    tx.links.tie_file(link_id, file_id, remote_id)


def _add_theirs(ticket_id: int, file: NewFile, system: str, tx: Transaction) -> Attachment:
    return tx.tickets.add_file(ticket_id, None, file, NOW, origin_system=system)


def _untie(link_id: int, comment_id: int, file_id: int, tx: Transaction) -> None:
    tx.links.untie_comment(link_id, comment_id)
    tx.links.untie_file(link_id, file_id)


def _put(marker: Marker, tx: Transaction) -> None:
    tx.guards.put_marker(marker)


def _record(fact: Event, tx: Transaction) -> None:
    tx.tickets.record([fact])


class GuardClaims:
    """What `Guards` promises."""

    def test_a_hold_comes_back_whole(self, store: Store) -> None:
        held = _hold(store, CLOSED)
        assert held == replace(CLOSED, id=held.id)
        assert store.read(lambda tx: tx.guards.get(held.id)) == held
        decided = store.write(lambda tx: tx.guards.decide(held.id, HoldState.APPROVED, later(5), by="ada"))
        assert decided == held.evolve(state=HoldState.APPROVED, decided_at=later(5), decided_by="ada")
        assert store.read(lambda tx: tx.guards.get(held.id)) == decided

    def test_one_is_open_per_kind_system_and_ticket(self, store: Store) -> None:
        first = _hold(store, FIGHT)
        assert _hold(store, replace(FIGHT, reason="again")) == first
        assert _hold(store, replace(FIGHT, ticket_id=8)).id != first.id
        assert _hold(store, replace(FIGHT, system="redmine")).id != first.id
        store.write(lambda tx: tx.guards.decide(first.id, HoldState.REJECTED, NOW, by="ada"))
        second = _hold(store, replace(FIGHT, reason="again"))
        assert (second.id != first.id, second.reason) == (True, "again")
        assert store.read(lambda tx: tx.guards.latest(HoldKind.PING_PONG, "rt", 7)) == second

    def test_a_hold_is_decided_once(self, store: Store) -> None:
        held = _hold(store, FIGHT)
        store.write(lambda tx: tx.guards.decide(held.id, HoldState.APPROVED, NOW, by="ada"))
        with pytest.raises(NoSuch, match="is not open: it was approved by ada"):
            store.write(lambda tx: tx.guards.decide(held.id, HoldState.REJECTED, NOW, by="bob"))
        with pytest.raises(NoSuch, match="no hold 99"):
            store.read(lambda tx: tx.guards.get(99))
        with pytest.raises(NoSuch, match="no hold 99"):
            store.write(lambda tx: tx.guards.note(99, {}))

    def test_what_holds_a_system_holds_its_tickets_and_not_the_other_way_round(self, store: Store) -> None:
        assert store.read(lambda tx: tx.guards.holding("rt", 7)) is None
        ticket = _hold(store, FIGHT)
        assert store.read(lambda tx: (tx.guards.holding("rt"), tx.guards.holding("rt", 8))) == (None, None)
        assert store.read(lambda tx: tx.guards.holding("rt", 7)) == ticket
        whole = _hold(store, CLOSED)
        assert store.read(lambda tx: (tx.guards.holding("rt"), tx.guards.holding("rt", 8))) == (whole, whole)
        assert store.read(lambda tx: tx.guards.holding("redmine", 7)) is None
        store.write(lambda tx: tx.guards.decide(whole.id, HoldState.APPROVED, NOW, by="ada"))
        assert store.read(lambda tx: tx.guards.holding("rt")) is None

    def test_holds_are_listed_page_by_page_and_their_evidence_may_grow(self, store: Store) -> None:
        ids = [_hold(store, replace(FIGHT, ticket_id=number)).id for number in range(1, 6)]
        store.write(lambda tx: tx.guards.decide(ids[0], HoldState.APPROVED, NOW, by="ada"))
        store.write(lambda tx: tx.guards.note(ids[1], {"plan": [1]}))
        assert [hold.id for hold in store.read(lambda tx: tx.guards.list(limit=2))] == ids[:2]
        page = store.read(lambda tx: tx.guards.list(open_only=True, system="rt", after=ids[1]))
        assert [hold.id for hold in page] == ids[2:]
        assert store.read(lambda tx: tx.guards.list(system="redmine")) == []
        noted = store.read(lambda tx: tx.guards.get(ids[1]))
        assert (noted.evidence, noted.reason) == ({"plan": [1]}, FIGHT.reason)

    def test_what_a_hold_is_about_may_be_said_anew_while_it_stays_as_it_is(self, store: Store) -> None:
        held = _hold(store, CLOSED)
        store.write(lambda tx: tx.guards.note(held.id, {"number": 7}, reason="7 closed within an hour"))
        told = store.read(lambda tx: tx.guards.get(held.id))
        assert told == held.evolve(evidence={"number": 7}, reason="7 closed within an hour")
        assert store.read(lambda tx: tx.guards.holding("rt")) == told

    def test_one_that_is_withdrawn_is_as_closed_as_one_that_somebody_decided(self, store: Store) -> None:
        held = _hold(store, CLOSED)
        store.write(lambda tx: tx.guards.decide(held.id, HoldState.WITHDRAWN, later(5), by="interdesk"))
        found = store.read(lambda tx: (tx.guards.holding("rt"), tx.guards.list(open_only=True)))
        assert found == (None, [])
        assert store.read(lambda tx: tx.outbox.counts()).get("rt", Counts()).held == 0
        with pytest.raises(NoSuch, match="is not open: it was withdrawn by interdesk"):
            store.write(lambda tx: tx.guards.decide(held.id, HoldState.APPROVED, later(6), by="ada"))
        assert _hold(store, CLOSED).id != held.id

    def test_open_holds_are_counted(self, store: Store) -> None:
        first, _ = _hold(store, FIGHT), _hold(store, CLOSED)
        _hold(store, FIGHT)
        assert store.read(lambda tx: tx.outbox.counts())["rt"].held == 2
        store.write(lambda tx: tx.guards.decide(first.id, HoldState.REJECTED, NOW, by="ada"))
        assert store.read(lambda tx: tx.outbox.counts())["rt"].held == 1

    def test_a_ticket_is_suspected_once_and_what_it_shows_is_renewed(self, store: Store) -> None:
        assert _suspect(store, SUSPECT)
        assert not _suspect(store, replace(SUSPECT, at=later(9), data={"status": "rejected"}))
        found = store.read(lambda tx: tx.guards.find_suspect("rt", HoldKind.CLOSING, 7))
        assert found == replace(SUSPECT, data={"status": "rejected"})
        assert store.read(lambda tx: tx.guards.find_suspect("rt", HoldKind.LOSS, 7)) is None

    def test_suspects_are_listed_page_by_page_and_acquitted_by_age(self, store: Store) -> None:
        for number in range(1, 5):
            _suspect(store, replace(SUSPECT, ticket_id=number, at=later(number)))
        _suspect(store, replace(SUSPECT, kind=HoldKind.LOSS, ticket_id=3))

        def there(after: int = 0, limit: int = 9) -> list[int]:
            found = store.read(lambda tx: tx.guards.suspects("rt", HoldKind.CLOSING, after=after, limit=limit))
            return [suspect.ticket_id for suspect in found]

        assert (there(limit=3), there(after=3)) == ([1, 2, 3], [4])
        store.write(lambda tx: tx.guards.acquit("rt", HoldKind.CLOSING, before=later(2)))
        store.write(lambda tx: tx.guards.acquit("rt", HoldKind.CLOSING, ticket_id=4, before=later(9)))
        assert there() == [2, 3]
        assert len(store.read(lambda tx: tx.guards.suspects("rt", HoldKind.LOSS))) == 1

    def test_rates_are_counted_by_the_hour(self, store: Store) -> None:
        hour = NOW.replace(minute=0, second=0, microsecond=0)
        hours = [hour + timedelta(hours=number) for number in range(3)]
        for each in (hours[1], hours[0], hours[1], hours[2]):
            store.write(partial(_count, each))
        counted = store.read(lambda tx: tx.guards.rates("rt", HoldKind.LOSS, hours[0]))
        assert list(counted) == [(hours[0], 1), (hours[1], 2), (hours[2], 1)]
        store.write(lambda tx: tx.guards.drop_rates("rt", HoldKind.LOSS, before=hours[1]))
        assert list(store.read(lambda tx: tx.guards.rates("rt", HoldKind.LOSS, hour))) == [(hours[1], 2), (hours[2], 1)]
        assert store.read(lambda tx: tx.guards.rates("rt", HoldKind.CLOSING, hour)) == []
        store.write(lambda tx: tx.guards.drop_rates("rt", HoldKind.LOSS, before=later(9**9), since=hours[2]))
        assert list(store.read(lambda tx: tx.guards.rates("rt", HoldKind.LOSS, hour))) == [(hours[1], 2)]

    def test_a_marker_is_new_until_it_is_put_and_then_comes_back_whole(self, store: Store) -> None:
        assert store.read(lambda tx: tx.guards.marker("rt")) == Marker("rt")
        marker = Marker("rt", 5, 6, NOW, later(1), "it went backwards")
        for each in (marker, replace(marker, counter=7)):
            store.write(partial(_put, each))
            assert store.read(lambda tx: tx.guards.marker("rt")) == each

    def test_a_comment_that_is_untied_may_be_tied_anew(self, store: Store) -> None:
        ticket = new_ticket(store)
        link, comment = new_link(store, ticket), say(store, ticket)
        for remote_id in ("13", "14"):
            tie(store, link, comment.id, remote_id)
            assert store.read(lambda tx: tx.links.ties(link.id)) == {comment.id: remote_id}
            store.write(lambda tx: tx.links.untie_comment(link.id, comment.id))
            assert store.read(lambda tx: tx.links.ties(link.id)) == {}
        store.write(lambda tx: tx.links.untie_comment(link.id, comment.id))

    def test_a_file_that_is_untied_may_be_tied_anew(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        file = store.write(lambda tx: tx.tickets.add_file(ticket.id, None, new_file(sha256), NOW))
        for remote_id in ("13", "14"):
            store.write(partial(_tie_file, link.id, file.id, remote_id))
            assert store.read(lambda tx: tx.links.file_ties(link.id)) == {file.id: remote_id}
            store.write(lambda tx: tx.links.untie_file(link.id, file.id))
            assert store.read(lambda tx: tx.links.file_ties(link.id)) == {}
        store.write(lambda tx: tx.links.untie_file(link.id, file.id))

    def test_what_is_untied_in_the_system_it_came_from_leaves_its_id_there_to_another(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)
        sha256, _ = store.put_blob([b"abc"], limit=10)
        for number in range(2):
            comment = say(store, ticket, new_comment(f"word {number}", origin_system=link.system, origin_id="13"))
            file = new_file(sha256, f"{number}.txt", origin_id="14")
            one = store.write(partial(_add_theirs, ticket.id, file, link.system))
            assert (comment.text, one.name) == (f"word {number}", f"{number}.txt")
            store.write(partial(_untie, link.id, comment.id, one.id))
        texts = [comment.text for comment in store.read(lambda tx: tx.tickets.comments(ticket.id))]
        assert texts == ["word 0", "word 1"]
        assert len(store.read(lambda tx: tx.tickets.files(ticket.id))) == 2

    def test_the_newest_events_are_found_without_the_older_ones(self, store: Store) -> None:
        ticket = new_ticket(store)
        for number in range(9):
            field = "status" if number % 3 == 0 else "subject"
            store.write(partial(_record, event(ticket, field, why=str(number))))
        assert [e.why for e in store.read(lambda tx: tx.tickets.events(ticket.id, last=2))] == ["7", "8"]
        found = store.read(lambda tx: tx.tickets.events(ticket.id, field="status", last=2))
        assert [e.why for e in found] == ["3", "6"]
