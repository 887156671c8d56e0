"""Claims about transactions: all or nothing, alone, durable, seen whole."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from central.delivery import Direction
from central.store.api import NoSuch, ReadOnly, Store, Transaction
from central.store.testing.samples import ADA, NOW, event, new_comment, new_link, new_ticket, owe


class TransactionClaims:
    """What `write`, `read`, `after_commit` and `close` promise."""

    def test_a_write_returns_what_its_change_returned(self, store: Store) -> None:
        assert store.write(lambda tx: tx.tickets.create({"subject": "x"}, NOW)).id == 1

    def test_a_failed_change_leaves_nothing_of_itself(self, store: Store) -> None:
        ticket = new_ticket(store)
        link = new_link(store, ticket)

        def change(tx: Transaction) -> None:
            tx.tickets.create({"subject": "never"}, NOW)
            tx.tickets.change(ticket, {"status": "solved"}, NOW)
            tx.tickets.add_comment(ticket.id, new_comment())
            tx.tickets.record([event(ticket)])
            tx.links.save(link.evolve(key="8", disagreements={"status": "no"}))
            tx.outbox.owe("rt", Direction.OUTWARD, "1", NOW, reason="never")
            tx.registry.apply("system", "rt", "text", {}, NOW, by="ada")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.write(change)

        assert store.read(lambda tx: tx.tickets.list()) == [ticket]
        assert store.read(lambda tx: tx.tickets.count()) == 1
        assert not store.read(lambda tx: tx.tickets.comments(ticket.id))
        assert not store.read(lambda tx: tx.tickets.events(ticket.id))
        assert store.read(lambda tx: tx.links.find_by_key("rt", "7")) == link
        assert store.read(lambda tx: tx.links.find_by_key("rt", "8")) is None
        assert store.read(lambda tx: tx.outbox.counts())["rt"].due == 0
        assert store.read(lambda tx: tx.outbox.counts())["rt"].disagreements == 0
        assert not store.read(lambda tx: tx.registry.documents())

    def test_a_change_sees_what_it_has_written_so_far(self, store: Store) -> None:
        def change(tx: Transaction) -> tuple[int, int, int]:
            ticket = tx.tickets.create({"subject": "x"}, NOW)
            tx.tickets.add_comment(ticket.id, new_comment())
            tx.outbox.owe("rt", Direction.OUTWARD, "1", NOW, reason="x")
            return tx.tickets.count(), len(tx.tickets.comments(ticket.id)), tx.outbox.counts()["rt"].due

        assert store.write(change) == (1, 1, 1)

    def test_a_question_that_writes_is_refused(self, store: Store) -> None:
        with pytest.raises(ReadOnly, match=r"store\.write"):
            store.read(lambda tx: tx.tickets.create({"subject": "x"}, NOW))
        assert store.read(lambda tx: tx.tickets.count()) == 0

    def test_a_question_sees_one_snapshot_whatever_is_committed_meanwhile(self, store: Store) -> None:
        new_ticket(store)

        def question(tx: Transaction) -> tuple[int, int]:
            before = len(tx.tickets.list())
            with ThreadPoolExecutor(1) as other:
                other.submit(new_ticket, store).result(timeout=120)
            return before, len(tx.tickets.list())

        assert store.read(question) == (1, 1)
        assert len(store.read(lambda tx: tx.tickets.list())) == 2

    def test_a_question_is_answered_while_a_change_is_under_way(self, store: Store) -> None:
        def change(tx: Transaction) -> int:
            tx.tickets.create({"subject": "x"}, NOW)
            with ThreadPoolExecutor(1) as other:
                return len(other.submit(store.read, lambda tx: tx.tickets.list()).result(timeout=120))

        assert store.write(change) == 0

    def test_a_write_inside_a_write_is_refused_and_rolls_back(self, store: Store) -> None:
        def change(tx: Transaction) -> None:
            tx.tickets.create({"subject": "x"}, NOW)
            new_ticket(store)

        with pytest.raises(RuntimeError, match="a write inside a write"):
            store.write(change)
        assert store.read(lambda tx: tx.tickets.count()) == 0

    def test_after_commit_runs_when_the_change_can_be_seen_by_others(self, store: Store) -> None:
        seen: list[int] = []

        def change(tx: Transaction) -> None:
            tx.after_commit(lambda: seen.append(store.read(lambda tx: tx.tickets.count())))
            tx.tickets.create({"subject": "x"}, NOW)
            assert not seen

        store.write(change)
        assert seen == [1]

    def test_after_commit_may_write(self, store: Store) -> None:
        store.write(lambda tx: tx.after_commit(lambda: owe(store)))
        assert store.read(lambda tx: tx.outbox.counts())["rt"].due == 1

    def test_after_commit_never_runs_on_rollback(self, store: Store) -> None:
        ran: list[str] = []

        def change(tx: Transaction) -> None:
            tx.after_commit(lambda: ran.append("never"))
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.write(change)
        assert not ran

    def test_a_bad_change_does_not_take_its_neighbours_with_it(self, store: Store) -> None:
        first_is_in, everybody_waits = threading.Event(), threading.Event()

        def slow(tx: Transaction) -> None:
            first_is_in.set()
            everybody_waits.wait(120)
            tx.tickets.create({"subject": "slow"}, NOW)

        def good(number: int) -> Callable[[Transaction], int]:
            return lambda tx: tx.tickets.create({"subject": f"good {number}"}, NOW).id

        def bad(tx: Transaction) -> int:
            ticket = tx.tickets.create({"subject": "bad"}, NOW)
            tx.outbox.owe("rt", Direction.OUTWARD, str(ticket.id), NOW, reason="x")
            raise ZeroDivisionError

        with ThreadPoolExecutor(20) as callers:
            first = callers.submit(store.write, slow)
            first_is_in.wait(120)
            changes = [bad if number % 3 == 0 else good(number) for number in range(15)]
            rest = [callers.submit(store.write, change) for change in changes]
            everybody_waits.set()
            first.result(120)
            failed = [isinstance(one.exception(120), ZeroDivisionError) for one in rest]

        assert failed == [number % 3 == 0 for number in range(15)]
        subjects = {ticket["subject"] for ticket in store.read(lambda tx: tx.tickets.list())}
        assert subjects == {"slow"} | {f"good {number}" for number in range(15) if number % 3}
        assert store.read(lambda tx: tx.tickets.count()) == 11
        assert "rt" not in store.read(lambda tx: tx.outbox.counts())

    def test_many_writers_at_once_lose_no_update(self, store: Store) -> None:
        ticket = new_ticket(store)

        def bump(_: int) -> None:
            def change(tx: Transaction) -> None:
                current = tx.tickets.get(ticket.id)
                number = int(str(current["phone"] or 0)) + 1
                tx.tickets.change(current, {"phone": str(number)}, NOW)

            store.write(change)

        with ThreadPoolExecutor(8) as callers:
            list(callers.map(bump, range(80)))
        assert store.read(lambda tx: tx.tickets.get(ticket.id))["phone"] == "80"
        assert store.read(lambda tx: tx.tickets.get(ticket.id)).revision == 81

    def test_what_a_change_raised_and_caught_itself_does_no_harm(self, store: Store) -> None:
        def change(tx: Transaction) -> None:
            tx.tickets.create({"subject": "x"}, NOW)
            with pytest.raises(NoSuch):
                tx.tickets.get(99)

        store.write(change)
        assert store.read(lambda tx: tx.tickets.count()) == 1

    def test_nobody_else_has_changed_anything(self, store: Store) -> None:
        new_ticket(store)
        store.put_blob([ADA.id.encode()], limit=10)
        store.read(lambda tx: tx.tickets.list())
        assert store.changed_elsewhere() is False

    def test_a_closed_store_refuses_everything(self, store: Store) -> None:
        store.close()
        with pytest.raises(RuntimeError, match="closed"):
            new_ticket(store)
        with pytest.raises(RuntimeError, match="closed"):
            store.read(lambda tx: tx.tickets.count())
        with pytest.raises(RuntimeError, match="closed"):
            store.put_blob([b"x"], limit=10)
        with pytest.raises(RuntimeError, match="closed"):
            store.changed_elsewhere()

    def test_closing_twice_is_closing_once(self, store: Store) -> None:
        store.close()
        store.close()
