"""A store of many tickets, copied within the database, is one that interdesk could have written."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from central.link import Link, LinkState
from central.model import DEFAULTS
from central.rights import Sight
from central.search import Query
from central.store import migrations
from central.store.api import Transaction
from central.store.sql import SqlStore
from central.store.testing.samples import new_comment
from central.traffic import STEP, hour
from sync.bench.copies import busy_hour, multiply

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_copied_tickets_are_found_counted_and_linked_each_under_numbers_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'interdesk.db'}"
    migrations.upgrade(url)
    store = SqlStore.open(url, clock=lambda: AT, exclusive=True)

    def make(tx: Transaction) -> None:
        for number in (1, 2):
            ticket = tx.tickets.create({**DEFAULTS, "subject": f"disk {number}", "unit": "TPM"}, AT)
            tx.tickets.add_comment(ticket.id, new_comment(f"a fan of disk {number}"))
            tx.links.create(Link(0, ticket.id, "ngi-cz", LinkState.ACTIVE, key=str(number), created_at=AT))

    store.write(make)
    multiply(tmp_path / "interdesk.db", 3)
    everything = Sight(everything=True)
    found = store.read(lambda tx: tx.tickets.search(Query(words="disk 2"), everything))
    assert [each.id for each in found.tickets] == [6, 4, 2]
    said = store.read(lambda tx: tx.tickets.search(Query(words="fan 1"), everything))
    assert [each.id for each in said.tickets] == [5, 3, 1]
    assert [each.text for each in store.read(lambda tx: tx.tickets.comments(5))] == ["a fan of disk 1"]
    linked = [store.read(lambda tx, key=key: tx.links.find_by_key("ngi-cz", key)) for key in ("2", "4", "6")]
    assert [each.ticket_id if each else None for each in linked] == [2, 4, 6]
    assert store.read(lambda tx: tx.tickets.count()) == 6
    assert store.read(lambda tx: tx.outbox.counts())["ngi-cz"].links == 6
    assert migrations.check(url) == []
    assert store.write(lambda tx: tx.tickets.create({**DEFAULTS, "subject": "one more"}, AT)).id == 7
    store.close()


def test_an_hour_in_which_something_went_on_in_every_minute_is_read_as_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'interdesk.db'}"
    migrations.upgrade(url)
    busy_hour(tmp_path / "interdesk.db", ["ngi-cz", "ngi-pl"], AT)
    with closing(SqlStore.open(url, clock=lambda: AT, exclusive=True)) as store:
        minutes = store.read(lambda tx: tx.traffic.minutes(AT - 59 * STEP))
    assert {each.system for each in minutes} == {"ngi-cz", "ngi-pl"}
    czech = [each for each in minutes if each.system == "ngi-cz"]
    assert tuple(czech) == hour(czech, "ngi-cz", AT)
    assert max(each.most_due for each in czech) == 10
