"""What the store promises on SQLite beyond the contract: one mesh per file, other processes noticed, no scans."""

import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from central.delivery import Direction, Lane
from central.store.api import Busy, CommitFailed, Store, StoreError, TooLarge, Transaction, WrongSchema
from central.store.sql import SqlStore, blobs, links, outbox, oversight, registry, session, sqlite, tickets
from central.store.sql.prepared import Prepared
from central.store.testing.samples import NOW, TTL, claimed, later, new_file, new_ticket, owe

Open = Callable[..., SqlStore]
MB = 1024 * 1024


def scalar(store: SqlStore, sql: str) -> int:
    return int(store._hands[0].driver.execute(sql).fetchone()[0])


class TestBytes:
    def test_bytes_that_came_in_once_more_within_a_day_are_not_let_go_of(self, open_store: Open) -> None:
        mesh, other = open_store(exclusive=True), open_store(now=later(3600 * 48))
        ticket = new_ticket(mesh)
        sha256, size = mesh.put_blob([b"abc"], limit=10)
        file = mesh.write(lambda tx: tx.tickets.add_file(ticket.id, None, new_file(sha256, size=size), NOW))
        assert other.put_blob([b"abc"], limit=10) == (sha256, size), "about to be hung on another ticket"
        assert not mesh.write(lambda tx: tx.traces.let_go(file, later(3600 * 50)))
        assert mesh.read(lambda tx: tx.tickets.files(ticket.id)) == [file]
        assert mesh.write(lambda tx: tx.traces.let_go(file, later(3600 * 72)))
        assert mesh.read(lambda tx: tx.tickets.files(ticket.id))[0].gone_at == later(3600 * 72)


class TestOpening:
    def test_a_second_mesh_on_one_file_is_refused_with_the_process_that_has_it(self, open_store: Open) -> None:
        first = open_store(exclusive=True)
        with pytest.raises(Busy, match=r"in use by another interdesk \(process \d+\): stop it first"):
            open_store(exclusive=True)
        first.close()
        open_store(exclusive=True)

    def test_others_may_read_and_write_beside_the_mesh(self, open_store: Open) -> None:
        mesh, other = open_store(exclusive=True), open_store()
        ticket = new_ticket(other)
        assert mesh.read(lambda tx: tx.tickets.get(ticket.id)) == ticket

    def test_a_database_that_is_not_there_names_the_command_that_makes_it(self, tmp_path: Path) -> None:
        with pytest.raises(WrongSchema, match="run interdesk db upgrade"):
            SqlStore.open(f"sqlite:///{tmp_path}/none.db", clock=lambda: NOW, exclusive=True)
        assert not list(tmp_path.iterdir())

    def test_a_database_of_another_revision_is_refused(self, database: Path, open_store: Open) -> None:
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0000'")
        connection.close()
        with pytest.raises(WrongSchema, match="at revision 0000, this program wants 0004: run interdesk db upgrade"):
            open_store()

    def test_a_file_that_is_something_else_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.db").write_text("dear diary" * 1000)
        with pytest.raises(WrongSchema, match="no database of interdesk"):
            SqlStore.open(f"sqlite:///{tmp_path}/notes.db", clock=lambda: NOW, exclusive=False)

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://db/x", "/just/a/path"])
    def test_an_address_that_names_no_database_is_refused(self, url: str) -> None:
        with pytest.raises(StoreError, match="write sqlite:////path/to"):
            SqlStore.open(url, clock=lambda: NOW, exclusive=False)

    def test_commits_reach_the_disk_and_readers_never_wait_for_them(self, store: SqlStore) -> None:
        assert scalar(store, "PRAGMA synchronous") == 2
        assert store._hands[0].driver.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert scalar(store, "PRAGMA foreign_keys") == 1

    def test_what_was_written_is_there_after_opening_again(self, open_store: Open) -> None:
        first = open_store(exclusive=True)
        ticket = new_ticket(first)
        owe(first)
        first.close()
        second = open_store(exclusive=True)
        assert second.read(lambda tx: tx.tickets.get(ticket.id)) == ticket
        assert claimed(second).delivery.subject == "1"


class TestOtherProcesses:
    def test_a_commit_of_another_process_is_noticed_once(self, store: SqlStore, url: str) -> None:
        program = (
            "import sys; from datetime import datetime, UTC; from central.store.sql import SqlStore\n"
            "store = SqlStore.open(sys.argv[1], clock=lambda: datetime.now(UTC), exclusive=False)\n"
            "store.write(lambda tx: tx.tickets.create({'subject': 'from elsewhere'}, datetime.now(UTC)))\n"
            "store.close()"
        )
        new_ticket(store)
        assert store.changed_elsewhere() is False
        subprocess.run([sys.executable, "-c", program, url], check=True)
        assert store.changed_elsewhere() is True
        assert store.changed_elsewhere() is False
        assert [ticket["subject"] for ticket in store.read(lambda tx: tx.tickets.list(limit=1))] == ["from elsewhere"]

    def test_a_change_noticed_while_writing_is_still_told(self, open_store: Open) -> None:
        mesh, other = open_store(exclusive=True), open_store()
        new_ticket(other)
        new_ticket(mesh)
        assert mesh.changed_elsewhere() is True

    def test_reading_elsewhere_is_no_change(self, open_store: Open) -> None:
        mesh, other = open_store(exclusive=True), open_store()
        other.read(lambda tx: tx.tickets.count())
        assert mesh.changed_elsewhere() is False

    def test_a_writer_that_is_kept_out_for_too_long_says_so(self, store: SqlStore, database: Path) -> None:
        store._hands[0].driver.execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CommitFailed, match="locked"):
            new_ticket(store)
        other.execute("ROLLBACK")
        other.close()
        assert new_ticket(store).id == 1


class TestFailures:
    def test_a_failing_commit_is_the_failure_of_its_whole_group(self, store: SqlStore) -> None:
        def breaks_at_commit(tx: Transaction) -> None:
            tx.tickets.create({"subject": "never"}, NOW)
            store._hands[0].driver.execute("PRAGMA defer_foreign_keys = ON")
            store._hands[0].driver.execute("INSERT INTO create_tokens VALUES ('rt', 'token', 99)")

        with ThreadPoolExecutor(8) as callers, _held_up(store, callers) as waiting:
            good = callers.submit(new_ticket, store)
            waiting(1)
            bad = callers.submit(store.write, breaks_at_commit)
            waiting(2)
        assert type(good.exception(120)) is type(bad.exception(120)) is CommitFailed
        assert store.read(lambda tx: tx.tickets.count()) == 1, "only the one that held them up"
        assert new_ticket(store).id == 2

    def test_nobody_is_woken_by_a_group_whose_commit_fails(self, store: SqlStore) -> None:
        woken: list[str] = []

        def breaks_at_commit(tx: Transaction) -> None:
            store._hands[0].driver.execute("PRAGMA defer_foreign_keys = ON")
            store._hands[0].driver.execute("INSERT INTO create_tokens VALUES ('rt', 'token', 99)")
            tx.after_commit(lambda: woken.append("too early"))

        with pytest.raises(CommitFailed):
            store.write(breaks_at_commit)
        assert woken == []
        store.write(lambda tx: tx.after_commit(lambda: woken.append("in time")))
        assert woken == ["in time"]

    def test_a_group_reaches_the_disk_where_any_of_it_must(self, store: SqlStore) -> None:
        def how_sure(_: Transaction) -> int:
            return scalar(store, "PRAGMA synchronous")

        with ThreadPoolExecutor(8) as callers, _held_up(store, callers) as waiting:
            leads = callers.submit(store.write, how_sure, durable=False)
            waiting(1)
            follows = callers.submit(store.write, how_sure, durable=True)
            waiting(2)
        full = 2
        assert (leads.result(120), follows.result(120)) == (full, full)
        assert store.write(how_sure, durable=False) < full

    def test_a_full_disk_is_told_and_survived(self, store: SqlStore) -> None:
        pages = scalar(store, "PRAGMA page_count")
        store._hands[0].driver.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises((CommitFailed, sqlite3.OperationalError), match="full"):
            store.write(lambda tx: tx.tickets.create({"subject": "x" * 100_000}, NOW))
        store._hands[0].driver.execute("PRAGMA max_page_count = 1000000")
        assert new_ticket(store).id == 1

    def test_a_moment_without_a_zone_is_refused(self, store: SqlStore) -> None:
        with pytest.raises(ValueError, match="without a zone"):
            store.write(lambda tx: tx.tickets.create({"subject": "x"}, datetime(2026, 1, 1)))  # noqa: DTZ001


class TestCosts:
    def test_no_statement_reads_a_whole_table(self, store: SqlStore) -> None:
        whole = {
            "_ALL_DEAD",  # a person's list: all dead letters, and only them
            "_ALL_DISCARDED",
            "_ALL_CURRENT",  # documents and systems are few
            "_CURRENT_OF_KIND",
            "_SYSTEMS",
            "_ALERTS",  # one row per open episode
            "_HEARTBEATS",  # one row per process
            "_END_OLD",
            "_COUNTS",  # one row per system
            "_LET_ALL_OF_ONE_GO",  # one row per look that is at work
        }
        statements = {
            name: statement
            for module in (tickets, links, outbox, oversight, registry, blobs, session)
            for name, statement in vars(module).items()
            if isinstance(statement, Prepared) and not statement.on(sqlite.DIALECT).sql.startswith("INSERT")
        }
        scans = {
            name: plan
            for name, statement in statements.items()
            for plan in [_plan(store, statement)]
            if "SCAN" in plan.replace("SCAN CONSTANT ROW", "") and name not in whole  # that row is of no table
        }
        assert len(statements) > 40
        assert scans == {}

    def test_claiming_and_counting_cost_the_same_with_ten_times_as_much_owed(self, store: SqlStore) -> None:
        _owe_many(store, range(300))
        few = _steps(store, lambda tx: _look(tx, "few"))
        _owe_many(store, range(300, 3000))
        many = _steps(store, lambda tx: _look(tx, "many"))
        assert many <= few * 1.2

    def test_a_claim_is_not_slowed_by_what_waits_for_later(self, store: SqlStore) -> None:
        _owe_many(store, range(1, 4))
        few = _steps(store, lambda tx: _look(tx, "few"))
        for lane in Lane:
            _owe_many(store, range(1000, 3000), lane=lane, not_before=later(9999))
        many = _steps(store, lambda tx: _look(tx, "many"))
        assert many <= few * 1.2


class TestBlobs:
    def test_a_large_file_goes_through_in_bounded_memory(self, store: SqlStore) -> None:
        size = 24 * MB
        tracemalloc.start()
        sha256, _ = store.put_blob((b"x" * 65536 for _ in range(size // 65536)), limit=size)
        with store.open_blob(sha256) as chunks:
            assert sum(map(len, chunks)) == size
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * MB

    def test_bytes_kept_already_take_no_room_again(self, store: SqlStore) -> None:
        for _ in range(3):
            store.put_blob([b"x" * MB], limit=MB)
        assert scalar(store, "SELECT count(*) FROM blob_pieces") == 4
        assert scalar(store, "SELECT count(*) FROM blobs") == 1

    def test_nothing_is_left_of_a_stream_that_broke(self, store: SqlStore) -> None:
        def broken() -> Iterator[bytes]:
            yield b"x" * MB
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.put_blob(broken(), limit=10 * MB)
        with pytest.raises(TooLarge):
            store.put_blob([b"x" * MB] * 3, limit=2 * MB)
        assert scalar(store, "SELECT count(*) FROM blob_pieces") == 0
        assert scalar(store, "SELECT count(*) FROM blobs") == 0

    def test_an_upload_that_died_with_its_process_is_thrown_away_a_day_later(self, open_store: Open) -> None:
        first = open_store(exclusive=True, now=NOW)
        kept, _ = first.put_blob([b"kept"], limit=MB)
        upload = blobs._Upload(first._write_rows, NOW)
        for _ in range(3):
            upload.add(b"x" * blobs.PIECE)
        first.close()

        soon = open_store(exclusive=True, now=NOW + timedelta(hours=23))
        assert scalar(soon, "SELECT count(*) FROM blob_pieces") == 3
        soon.close()
        late = open_store(exclusive=True, now=NOW + timedelta(days=1, seconds=1))
        assert scalar(late, "SELECT count(*) FROM blob_pieces") == 1
        with late.open_blob(kept) as chunks:
            assert list(chunks) == [b"kept"]

    def test_a_reader_holds_no_snapshot_between_pieces(self, store: SqlStore) -> None:
        sha256, _ = store.put_blob([b"x" * MB], limit=MB)
        with store.open_blob(sha256) as chunks:
            next(chunks)
            new_ticket(store)
            assert store._hands[0].driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            assert sum(map(len, chunks)) == MB - blobs.PIECE


@contextmanager
def _held_up(store: SqlStore, callers: ThreadPoolExecutor) -> Iterator[Callable[[int], None]]:
    """A change that holds everybody up until the end of the block; gives a way to see how many wait by now."""
    started, go_on = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        started.set()
        assert go_on.wait(120)
        tx.tickets.create({"subject": "slow"}, NOW)

    def waiting(number: int) -> None:
        deadline = time.monotonic() + 120
        while len(store._group._waiting) != number:
            assert time.monotonic() < deadline, "they never came"
            time.sleep(0.001)

    first = callers.submit(store.write, slow)
    assert started.wait(120)
    yield waiting
    go_on.set()
    first.result(120)


def _plan(store: SqlStore, statement: Prepared) -> str:
    compiled = statement.on(sqlite.DIALECT)
    explained = store._hands[0].driver.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", [None] * len(compiled.binds))
    return " / ".join(row[3] for row in explained)


def _owe_many(store: Store, numbers: range, **more: object) -> None:
    def change(tx: Transaction) -> None:
        for number in numbers:
            tx.outbox.owe("rt", Direction.INWARD, str(number), NOW, reason="x", **more)  # type: ignore[arg-type]

    store.write(change)


def _look(tx: Transaction, owner: str) -> None:
    """What a lane does again and again."""
    taken = tx.outbox.claim("rt", owner, NOW, ttl=TTL, lease_name=lambda _, delivery: delivery.subject)
    assert taken is not None
    tx.outbox.next_due_at("rt", after=NOW)
    tx.outbox.counts()
    tx.outbox.release(taken.lease)


def _steps(store: SqlStore, change: Callable[[Transaction], None]) -> int:
    """How many steps SQLite's machine takes for a change."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    store._hands[0].driver.set_progress_handler(count, 1)
    store.write(change)
    store._hands[0].driver.set_progress_handler(None, 0)
    return steps
