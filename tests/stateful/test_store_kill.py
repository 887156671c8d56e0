"""kill -9 at any moment: what was acknowledged is there, and the database is well."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.store.migrations import check, upgrade
from central.store.sql import SqlStore

WRITER = """
import sys, threading
from datetime import datetime, UTC, timedelta
from central.link import Link, LinkState
from central.delivery import Direction
from central.store.sql import SqlStore

now = datetime(2026, 3, 1, tzinfo=UTC)
store = SqlStore.open(sys.argv[1], clock=lambda: now, exclusive=True)

def write_for_ever(system):
    number = 0
    while True:
        number += 1
        subject = f"{sys.argv[2]} {system} {number}"
        def change(tx):
            ticket = tx.tickets.create({"subject": subject}, now)
            tx.links.create(Link(0, ticket.id, system, LinkState.ACTIVE, str(ticket.id)))
            tx.outbox.owe(system, Direction.OUTWARD, str(ticket.id), now, reason="written")
            claim = number % 3 and tx.outbox.claim(
                system, "writer", now, ttl=timedelta(days=1), lease_name=lambda tx, delivery: delivery.subject)
            if claim:
                tx.outbox.done(claim, now)
            return ticket.id
        ticket_id = store.write(change)
        if number % 5 == 0:
            store.put_blob([subject.encode() * 30_000], limit=10_000_000)
        sys.stdout.write(f"{ticket_id} {subject}\\n")
        sys.stdout.flush()

for system in ("rt", "redmine", "zammad"):
    threading.Thread(target=write_for_ever, args=(system,)).start()
"""


@pytest.mark.parametrize("acknowledged", [1, 12, 75, 160])
def test_every_acknowledged_commit_survives_and_the_next_process_goes_on(tmp_path: Path, acknowledged: int) -> None:
    url = f"sqlite:///{tmp_path / 'interdesk.db'}"
    upgrade(url)
    told: dict[int, str] = {}
    for life in ("first", "second"):
        with subprocess.Popen([sys.executable, "-c", WRITER, url, life], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(acknowledged)]
            writer.kill()
            lines += writer.stdout.read().splitlines()
        complete = [line.split(maxsplit=1) for line in lines if line.count(" ") == 3]
        told |= {int(number): subject.strip() for number, subject in complete}

    assert len(told) >= 2 * acknowledged
    assert check(url) == []
    store = SqlStore.open(url, clock=lambda: datetime.now(UTC), exclusive=True)
    try:
        there = {ticket.id: ticket["subject"] for ticket in store.read(lambda tx: tx.tickets.list(limit=10**6))}
        assert {number: there.get(number) for number in told} == told
    finally:
        store.close()
