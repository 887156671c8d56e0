"""A real PostgreSQL for tests (`tests/peers/pg.sh`): a database of its own for whoever asks."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from central.store.migrations import upgrade
from tests.peers.sites import missing


class Server:
    """The server, and the databases that tests have on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._template: str | None = None

    def address(self, database: str) -> str:
        """The URL of a database on it."""
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a database as `upgrade` makes it, for as long as the block lasts; `empty`: without a table."""
        if not empty and self._template is None:
            self._template = self._create("template0")
            upgrade(self.address(self._template))
        name = self._create("template0" if empty else str(self._template))
        try:
            yield self.address(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Remove what is left."""
        if self._template is not None:
            self._drop(self._template)

    def _create(self, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return name

    def _drop(self, name: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def running() -> Server:
    """The server that runs, or the test's end: skipped on a laptop, failed where CI says that everything is there."""
    facts = Path(os.environ.get("INTERDESK_PEERS", "/nowhere")) / "pg.env"
    if facts.exists():
        url = dict(line.split("=", 1) for line in facts.read_text().splitlines())["PG_URL"]
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            pass
        else:
            return Server(url)
    return missing("a real PostgreSQL", "pg.sh")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL that runs."""
    server = running()
    yield server
    server.close()
