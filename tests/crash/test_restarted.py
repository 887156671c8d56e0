"""The broker and the database end and come back under load, while people and workers go on; then the laws."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.store.sql import SqlStore
from tests.crash.helpdesks import Helpdesks
from tests.crash.stack import INTERDESK, Stack, wait_for_agreement
from tests.peers.sites import Script
from tests.postgres import Server
from tests.rabbitmq import RabbitMQ

PAUSE = 0.3
"""Seconds between two things that people do."""
A_WHILE = 5
"""How many things people do while a server is away."""


@pytest.mark.peer
def test_servers_that_end_and_come_back_under_load_lose_nothing_and_double_nothing(
    tmp_path: Path, postgres: Server, rabbitmq: RabbitMQ
) -> None:
    database = Script("pg.sh")
    with postgres.database(empty=True) as url, Helpdesks(seed=6) as helpdesks:
        stack = Stack(tmp_path, helpdesks, INTERDESK_DATABASE=url, INTERDESK_BROKER=rabbitmq.url)
        stack.programs = [(*INTERDESK, "worker")] * 2
        stack.type("apply", "--live", str(helpdesks.write_documents(tmp_path)))
        try:
            stack.start()
            meanwhile(helpdesks, rabbitmq.restart)
            meanwhile(helpdesks, lambda: database.run("crash"))
            away(helpdesks, rabbitmq.stop, rabbitmq.start)
            away(helpdesks, lambda: database.run("stop"), lambda: database.run("start"))
            meanwhile(helpdesks, rabbitmq.restart, lambda: database.run("crash"))
            wait_for_agreement(helpdesks, "restarted")
            assert stack.whole, "a worker does not live without its servers"
        finally:
            database.run("start")
            stack.end()
        store = SqlStore.open(url, clock=lambda: datetime.now(UTC), exclusive=False)
        assert store.read(lambda tx: tx.outbox.dead()) == []
        store.close()
    assert stack.bugs() == [], "a server that is away is no bug of ours"


def meanwhile(helpdesks: Helpdesks, *troubles: Callable[[], object]) -> None:
    """People act for as long as this takes."""
    with ThreadPoolExecutor() as pool:
        under_way: list[Future[object]] = [pool.submit(trouble) for trouble in troubles]
        while wait(under_way, PAUSE).not_done:
            helpdesks.act()
        for each in under_way:
            each.result()


def away(helpdesks: Helpdesks, stop: Callable[[], object], start: Callable[[], object]) -> None:
    """People act while it ends, while it is away, and while it comes back."""
    meanwhile(helpdesks, stop)
    for _ in range(A_WHILE):
        helpdesks.act()
    meanwhile(helpdesks, start)
