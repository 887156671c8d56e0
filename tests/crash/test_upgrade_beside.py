"""`db upgrade` while a program of the revision before is at work: the older one is not disturbed."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from central.store.migrations import check, upgrade

HERE = Path(__file__).parents[2]
BEFORE = "d503fdd"
"""The last commit whose program is of revision 0001."""

WRITER = """
import sys
from datetime import datetime, UTC, timedelta
from central.link import Link, LinkState
from central.store import migrations
from central.store.api import Direction
from central.store.sql import SqlStore
from central.store.sql.schema import REVISION

assert REVISION == "0001"
now = datetime(2026, 3, 1, tzinfo=UTC)
migrations.upgrade(sys.argv[1])
store = SqlStore.open(sys.argv[1], clock=lambda: now, exclusive=False)

def change(tx):
    ticket = tx.tickets.create({"subject": "x"}, now)
    link = tx.links.create(Link(0, ticket.id, "rt", LinkState.ACTIVE, str(ticket.id)))
    tx.links.save(link.evolve(disagreements={"status": "no"}))
    tx.outbox.owe("rt", Direction.OUTWARD, str(ticket.id), now, reason="written")
    claim = tx.outbox.claim("rt", "old", now, ttl=timedelta(days=1), lease_name=lambda tx, delivery: delivery.subject)
    tx.outbox.done(claim, now)
    return ticket.id

for line in sys.stdin:
    print(store.write(change), flush=True)
"""


@pytest.fixture
def program_before(tmp_path: Path) -> Path:
    """A folder with the program as it was at revision 0001."""
    archive = subprocess.run(["git", "archive", BEFORE, "central"], cwd=HERE, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("needs the history of the repository: a source distribution has none")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(tmp_path / "before", filter="data")
    return tmp_path / "before"


def test_a_program_of_the_revision_before_works_on_while_the_database_is_upgraded(
    program_before: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'interdesk.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url],
        cwd=program_before,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as older:
        assert older.stdin is not None
        assert older.stdout is not None

        def write() -> str:
            assert older.stdin is not None
            assert older.stdout is not None
            older.stdin.write("\n")
            older.stdin.flush()
            return older.stdout.readline()

        assert [write() for _ in range(3)] == ["1\n", "2\n", "3\n"]
        upgrade(url)
        assert [write() for _ in range(3)] == ["4\n", "5\n", "6\n"]
    assert check(url) == []
