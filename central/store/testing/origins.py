"""Claims about where tickets say that they come from, and about mail that came."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from central.mail import Mail, Verdict
from central.origin import Origin
from central.store.api import NoSuch, Store, Transaction
from central.store.testing.samples import NOW, new_ticket

RT = Origin("ngi-cz", "RT", "4711", "Alice", "/DC=org/CN=alice")
MAIL = Mail("<1@example.org>", NOW, "alice@example.org", "jobs fail", Verdict.QUARANTINED, "unsigned", None, "ab" * 32)


class OriginClaims:
    """What `Origins` promises."""

    def test_a_ticket_is_found_by_what_its_origin_calls_it(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        assert store.write(lambda tx: tx.origins.add(ticket.id, RT)) == ticket.id
        assert store.write(lambda tx: tx.origins.add(other.id, replace(RT, account="ngi-pl"))) == other.id
        assert store.read(lambda tx: tx.origins.find("ngi-cz", "RT", "4711")) == ticket.id
        assert store.read(lambda tx: tx.origins.find("ngi-cz", "Jira", "4711")) is None
        assert list(store.read(lambda tx: tx.origins.of(ticket.id))) == [RT]
        assert list(store.read(lambda tx: tx.origins.tickets("4711"))) == [ticket.id, other.id]
        assert list(store.read(lambda tx: tx.origins.tickets("4711", "Jira"))) == []

    def test_an_id_of_one_account_names_one_ticket_for_ever(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        store.write(lambda tx: tx.origins.add(ticket.id, RT))
        assert store.write(lambda tx: tx.origins.add(other.id, RT)) == ticket.id
        assert list(store.read(lambda tx: tx.origins.of(other.id))) == []

    def test_an_origin_without_an_id_names_nothing(self, store: Store) -> None:
        ticket, other = new_ticket(store), new_ticket(store)
        for each in (ticket, other):
            assert store.write(lambda tx: tx.origins.add(each.id, replace(RT, id="")))  # noqa: B023 == each.id
        assert store.read(lambda tx: tx.origins.find("ngi-cz", "RT", "")) is None
        assert list(store.read(lambda tx: tx.origins.tickets(""))) == []
        assert [each.submitter_name for each in store.read(lambda tx: tx.origins.of(other.id))] == ["Alice"]

    def test_several_at_once_under_one_id_are_one_ticket(self, store: Store) -> None:
        together = Barrier(4)

        def hand_in(tx: Transaction) -> int:
            there = tx.origins.find(RT.account, RT.system, RT.id)
            if there is not None:
                return there
            made = tx.tickets.create({"subject": "x"}, NOW)
            if tx.origins.add(made.id, RT) != made.id:
                raise LookupError("another one is there already")
            return made.id

        def at_once(_: int) -> int:
            together.wait()
            try:
                return store.write(hand_in)
            except LookupError:
                return store.write(hand_in)

        with ThreadPoolExecutor(4) as threads:
            assert len(set(threads.map(at_once, range(4)))) == 1
        assert store.read(lambda tx: tx.tickets.count()) == 1


class MailClaims:
    """What `Mails` promises."""

    def test_a_mail_is_taken_in_once(self, store: Store) -> None:
        assert store.write(lambda tx: tx.mails.take(MAIL))
        assert not store.write(lambda tx: tx.mails.take(replace(MAIL, subject="another")))
        found = store.read(lambda tx: tx.mails.find(MAIL.message_id))
        assert found == MAIL.with_id(found.id if found else 0)
        assert store.read(lambda tx: tx.mails.find("<2@example.org>")) is None

    def test_mails_are_listed_newest_first_and_decided(self, store: Store) -> None:
        for number in range(3):
            mail = replace(MAIL, message_id=f"<{number}@x>")
            store.write(lambda tx: tx.mails.take(mail))  # noqa: B023  # it runs at once
        newest, *rest = store.read(lambda tx: tx.mails.list())
        assert [each.message_id for each in (newest, *rest)] == ["<2@x>", "<1@x>", "<0@x>"]
        store.write(lambda tx: tx.mails.save(replace(newest, verdict=Verdict.DISCARDED, why="spam")))
        assert store.read(lambda tx: tx.mails.get(newest.id)).why == "spam"
        waiting = store.read(lambda tx: tx.mails.list(verdict=Verdict.QUARANTINED, before=rest[0].id))
        assert [each.message_id for each in waiting] == ["<0@x>"]
        with pytest.raises(NoSuch, match="no mail 99"):
            store.read(lambda tx: tx.mails.get(99))

    def test_how_far_a_ticket_was_told_is_kept(self, store: Store) -> None:
        ticket = new_ticket(store)
        assert store.read(lambda tx: tx.mails.told(ticket.id)) == 0
        for event in (3, 7):
            store.write(lambda tx: tx.mails.tell(ticket.id, event))  # noqa: B023  # it runs at once
        assert store.read(lambda tx: tx.mails.told(ticket.id)) == 7
