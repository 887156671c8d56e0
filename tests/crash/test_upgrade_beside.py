"""`db upgrade` while programs are at work: of the revision before, which is not disturbed, and of this one."""

import io
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from central.store import migrations
from central.store.migrations import check, upgrade
from central.store.sql.database import database_of
from tests.crash.helpdesks import Helpdesks
from tests.crash.stack import INTERDESK, Stack, wait_for_agreement, wait_until_all_agree
from tests.postgres import Server
from tests.rabbitmq import RabbitMQ

HERE = Path(__file__).parents[2]
BEFORE = "006419c"
"""The last commit whose program is of revision 0002."""

WRITER = """
import sys
from datetime import datetime, UTC, timedelta
from central.link import Link, LinkState
from central.store import migrations
from central.store.api import Direction
from central.store.sql import SqlStore
from central.store.sql.schema import REVISION

assert REVISION == "0002"
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
    """A folder with the program as it was at revision 0002."""
    parts = ("central", "connectors", "mappings", "sync")
    archive = subprocess.run(["git", "archive", BEFORE, *parts], cwd=HERE, capture_output=True, check=False)
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


def test_interdesk_of_the_revision_before_works_on_while_its_database_is_upgraded_and_is_followed_by_this_one(
    program_before: Path, tmp_path: Path
) -> None:
    before = ("env", "-C", str(program_before), *INTERDESK)
    with Helpdesks(seed=8) as helpdesks:
        stack = Stack(tmp_path, helpdesks)
        stack.programs = [(*before, "run")]
        stack.type("apply", "--live", str(helpdesks.write_documents(tmp_path)), program=before)
        try:
            stack.start()
            act(helpdesks)
            stack.type("db", "upgrade")
            act(helpdesks)
            wait_until_all_agree(helpdesks)
            assert stack.whole, "the older one was disturbed"
            act(helpdesks)
            stack.kill()  # in the middle of what it was told
            stack.programs = [(*INTERDESK, "run")]
            stack.start()
            act(helpdesks)
            wait_for_agreement(helpdesks, "upgraded")
        finally:
            stack.end()
    assert stack.bugs() == []


@pytest.mark.peer
def test_workers_that_start_together_on_a_database_of_the_revision_before_go_on_with_what_it_holds(
    tmp_path: Path, postgres: Server, rabbitmq: RabbitMQ
) -> None:
    with postgres.database(empty=True) as url, Helpdesks(seed=9) as helpdesks:
        stack = Stack(
            tmp_path,
            helpdesks,
            INTERDESK_DATABASE=url,
            INTERDESK_BROKER=rabbitmq.url,
            INTERDESK_INSTANCE="upgraded",
        )
        stack.programs = [(*INTERDESK, "worker")] * 2
        stack.type("apply", "--live", str(helpdesks.write_documents(tmp_path)))
        try:
            stack.start()
            act(helpdesks)
            wait_until_all_agree(helpdesks)
            stack.end()
            go_back(url)
            act(helpdesks)
            upgrading = stack.begin("db", "upgrade")
            stack.start()
            act(helpdesks)
            assert upgrading.wait(120) == 0
            stack.type("db", "upgrade")  # beside workers at work
            wait_for_agreement(helpdesks, "upgraded")
            assert stack.whole
        finally:
            stack.end()
        assert check(url) == []
    assert stack.bugs() == []


def go_back(url: str) -> None:
    """Bring the database to the revision before, as its program would have left it."""
    engine = database_of(url, lambda: datetime.now(UTC)).migrating()
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
    engine.dispose()


def act(helpdesks: Helpdesks) -> None:
    """All that people do, and then some."""
    helpdesks.act_in_every_way()
    for _ in range(5):
        helpdesks.act()
