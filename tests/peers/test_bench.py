"""Two workers before a real PostgreSQL and a real RabbitMQ: what they carry comes out right, though one is killed."""

from pathlib import Path

import pytest

from sync.bench import bench
from sync.settings import settings
from tests.postgres import Server
from tests.rabbitmq import RabbitMQ

pytestmark = pytest.mark.peer


def test_two_workers_do_more_than_one_and_lose_nothing_when_one_is_killed(
    postgres: Server, rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    """Its times are for `interdesk bench`: here two workers need only be no slower than one."""
    environ = {"INTERDESK_DATABASE": postgres.url, "INTERDESK_BROKER": rabbitmq.url}
    measured = bench("P12")(settings(environ, state=tmp_path), "small")
    assert measured.correct, measured.wrong
    assert measured.ratio <= 2 * measured.target
