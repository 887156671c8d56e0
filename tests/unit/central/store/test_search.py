"""Search where the tables are older than the program, and where there is more than one page looks through."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command

from central.model import NewComment, Person, Value, Visibility
from central.rights import Sight
from central.search import Query
from central.store.migrations import upgrade
from central.store.sql import SqlStore, sqlite
from central.store.sql.search import LOOKED_THROUGH, Search
from central.store.sql.session import Session
from central.store.testing.samples import NOW, new_link, new_ticket
from central.store.testing.search import found
from tests.unit.central.store.test_migrations import _with_alembic

ALL = Sight(everything=True)


def test_tickets_of_before_the_search_are_found_after_the_upgrade(database: Path, url: str) -> None:
    _with_alembic(database, lambda config: command.downgrade(config, "0002"))
    fields = {
        "subject": "The Printer burns",
        "status": "new",
        "unit": "TPM",
        "submitter": "Ada@x.org",
        "cc": ["b@x.org"],
    }
    with sqlite3.connect(database) as old:
        old.execute(
            "INSERT INTO tickets (id, revision, subject_folded, fields, created_at, changed_at, born_in)"
            " VALUES (7, 3, 'the printer burns', ?, '2026-03-01T00:00:00.000000+00:00',"
            " '2026-03-01T00:00:00.000000+00:00', 'rt')",
            (json.dumps(fields),),
        )
    old.close()
    upgrade(url)
    store = SqlStore.open(url, clock=lambda: NOW, exclusive=True)
    try:
        for query in (
            Query(words="printer"),
            Query(statuses=frozenset({"new"}), units=frozenset({"TPM"})),
            Query(born_in=frozenset({"rt"})),
        ):
            assert found(store, query) == [7]
        for email in ("ada@x.org", "B@x.org"):
            assert found(store, Query(), Sight(email=email)) == [7]
    finally:
        store.close()


def test_what_was_written_before_words_were_kept_is_found_by_them_after_the_upgrade(
    store: SqlStore, database: Path, url: str
) -> None:
    fields: dict[str, Value] = {"subject": "Overheating", "status": "new", "description": "smoke in the rack"}
    ticket = store.write(lambda tx: tx.tickets.create(fields, NOW))
    other = new_ticket(store, "x")
    for text, visibility in (("the door code is sesame", Visibility.INTERNAL), ("a fan failed", Visibility.PUBLIC)):
        said = NewComment(Person("ada"), text, visibility, NOW)
        store.write(lambda tx, said=said: tx.tickets.add_comment(other.id, said))  # type: ignore[misc]  # bound now
    store.close()
    _with_alembic(database, lambda config: command.downgrade(config, "0003"))
    upgrade(url)
    again = SqlStore.open(url, clock=lambda: NOW, exclusive=True)
    try:
        for words in ("overh", "smoke rack", "OVERHEAT smoke"):
            assert found(again, Query(words=words)) == [ticket.id]
        assert found(again, Query(words="fan")) == [other.id]
        assert found(again, Query(words="sesame")) == []
        assert found(again, Query(words="sesame"), replace(ALL, notes=ALL)) == [other.id]
    finally:
        again.close()


def test_what_a_program_of_before_has_written_is_found_by_what_it_is_now(store: SqlStore, database: Path) -> None:
    ticket, other = new_ticket(store, "The printer burns"), new_ticket(store, "The printer rests")
    with sqlite3.connect(database) as old:
        old.execute(
            "UPDATE tickets SET revision = 2, fields = ? WHERE id = ?",
            (json.dumps({"subject": "The scanner burns", "status": "new"}), ticket.id),
        )
    old.close()
    assert found(store, Query(words="printer")) == [other.id]
    assert found(store, Query(words="scanner")) == found(store, Query(words="scan")) == [ticket.id]
    now = store.read(lambda tx: tx.tickets.get(ticket.id))
    store.write(lambda tx: tx.tickets.change(now, {"status": "solved"}, NOW))
    assert found(store, Query(words="printer")) == [other.id]
    assert found(store, Query(words="scanner", statuses=frozenset({"solved"}))) == [ticket.id]


@pytest.mark.parametrize("limit", [1, 50])
def test_a_page_that_found_nothing_in_all_it_looked_through_is_not_the_last(
    store: SqlStore, database: Path, limit: int
) -> None:
    first = new_ticket(store, "needle straw")
    stamp = "2026-03-01T00:00:00.000000+00:00"
    numbers = range(first.id + 1, first.id + 1 + 2 * (LOOKED_THROUGH + 100))
    with sqlite3.connect(database) as many:
        many.executemany(
            "INSERT INTO tickets (id, revision, marked, worded, subject_folded, fields, created_at, changed_at)"
            " VALUES (?, 1, 1, 1, '', '{}', ?, ?)",
            [(number, stamp, stamp) for number in numbers],
        )
        halves = [(f"word:{'needle' if number % 2 else 'straw'}", number) for number in numbers]
        many.executemany("INSERT INTO ticket_marks VALUES (?, ?)", halves)
    many.close()
    query = Query(words="needle straw")
    page = store.read(lambda tx: tx.tickets.search(query, ALL, limit=limit))
    assert page.tickets == ()
    assert page.before is not None
    assert page.before > first.id
    assert found(store, query, limit=limit) == [first.id]


class Listened:
    """A connection that is asked through; it keeps what it was asked."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver
        self.asked: list[tuple[str, list[object]]] = []

    def execute(self, sql: str, values: list[object]) -> object:
        self.asked.append((sql, values))
        return self.driver.execute(sql, values)


@pytest.mark.parametrize("before", [None, 4])
def test_the_tickets_of_a_system_come_from_an_index_in_their_order_and_no_link_is_read(
    store: SqlStore, before: int | None
) -> None:
    tickets = [new_ticket(store) for _ in range(5)]
    for ticket in tickets:
        new_link(store, ticket, "rt", str(ticket.id))
    listened = Listened(store._hands[0].driver)
    session = Session(listened, sqlite.DIALECT, writable=False)
    ids, _ = Search(session, Query(systems=frozenset({"rt"})), ALL, 50, before).ids()
    assert ids == [ticket.id for ticket in reversed(tickets) if before is None or ticket.id < before]
    plans = [
        [row[3] for row in listened.driver.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        for sql, values in listened.asked
    ]
    walked = [step for plan in plans for step in plan if "(system=?" in step]
    assert len(walked) == len(plans), "each question walks them"
    assert all("USING COVERING INDEX ix_links_system_ticket_id_state (system=?" in step for step in walked)
    assert not [step for plan in plans for step in plan if step.startswith("SCAN tickets")]
    after = plans[0][plans[0].index(walked[0]) + 1]
    assert after.startswith("SCAN anon"), "they are walked in their order, and no further than the window is wide"
