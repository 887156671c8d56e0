"""Workers on one host and one PostgreSQL: what a killed one had in hand is free for whoever knows that it is dead."""

from datetime import timedelta
from pathlib import Path

import pytest

from central.delivery import Lease
from central.store.sql import SqlStore
from sync.bootstrap import Interdesk
from sync.settings import settings, utc_now
from tests.postgres import Server
from tests.unit.sync.another_life import another

HOUR = timedelta(hours=1)


def take(store: SqlStore, name: str, owner: str) -> Lease | None:
    return store.write(lambda tx: tx.outbox.take(name, owner, utc_now(), ttl=HOUR))


@pytest.mark.peer
def test_a_worker_frees_what_the_dead_of_its_state_folder_had_in_hand_and_nothing_else(
    tmp_path: Path, postgres: Server
) -> None:
    environ = {"INTERDESK_STATE": str(tmp_path), "INTERDESK_INSTANCE": "one-host"}
    with postgres.database() as url, another(tmp_path) as (died, first), another(tmp_path) as (dies, second):
        store = SqlStore.open(url, clock=utc_now, exclusive=False)
        for name, owner in (("polls", died), ("rt/ticket/1", died), ("rt/ticket/2", dies), ("rt/ticket/3", "far away")):
            assert take(store, name, owner) is not None
        first.kill()
        first.wait()

        def free() -> list[str]:
            names = ("polls", "rt/ticket/1", "rt/ticket/2", "rt/ticket/3")
            return [name for name in names if take(store, name, "a successor") is not None]

        with Interdesk(settings({**environ, "INTERDESK_DATABASE": url}), exclusive=True) as desk:
            assert free() == ["polls", "rt/ticket/1"]
            second.kill()
            second.wait()
            desk.sweep()
            assert free() == ["polls", "rt/ticket/1", "rt/ticket/2"]
        store.close()
