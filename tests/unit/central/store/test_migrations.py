"""A database becomes what the schema says, and one that is not well says what is wrong."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from central.store import migrations
from central.store.migrations import check, upgrade
from central.store.sql import SqlStore, sqlite
from central.store.sql.schema import REVISION, metadata
from central.store.testing.samples import new_link, new_ticket, owe

FOLDER = Path(migrations.__file__).parent


def _with_alembic(database: Path, act: Callable[[Config], None]) -> None:
    engine = sqlite.migrating(database)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        act(config)
    engine.dispose()


def _on(database: Path, look: Callable[[Connection], object]) -> object:
    engine = sqlite.migrating(database)
    try:
        with engine.connect() as connection:
            return look(connection)
    finally:
        engine.dispose()


def test_the_wanted_revision_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_migrations_make_what_the_schema_says(database: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert _on(database, differences) == []


def test_every_constraint_has_a_name(database: Path) -> None:
    def nameless(connection: Connection) -> list[str]:
        look = inspect(connection)
        return [
            f"{name}: {constraint}"
            for name in metadata.tables
            for constraint in (
                *look.get_foreign_keys(name),
                *look.get_unique_constraints(name),
                *look.get_indexes(name),
                *_primary_keys_that_sqlite_can_name(look, name),
            )
            if not constraint["name"]
        ]

    assert _on(database, nameless) == []
    assert all(constraint.name for table in metadata.tables.values() for constraint in table.constraints)


def _primary_keys_that_sqlite_can_name(look: Any, name: str) -> list[Any]:
    """AUTOINCREMENT is written beside its column, where no name fits."""
    own_numbers = metadata.tables[name].dialect_options["sqlite"]["autoincrement"]
    return [] if own_numbers else [look.get_pk_constraint(name)]


def test_upgrading_again_changes_nothing(database: Path, url: str) -> None:
    before = database.read_bytes()
    upgrade(url)
    assert database.read_bytes() == before


def test_the_folder_of_the_database_is_made_whatever_its_name(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path}/a%20b/var/interdesk.db")
    assert check(f"sqlite:///{tmp_path}/a%20b/var/interdesk.db") == []


def test_migrations_go_down_and_up_again(database: Path, url: str) -> None:
    _with_alembic(database, lambda config: command.downgrade(config, "base"))
    assert _on(database, lambda connection: inspect(connection).get_table_names()) == ["alembic_version"]
    upgrade(url)
    assert check(url) == []


def test_a_failed_upgrade_leaves_nothing_half_done(tmp_path: Path) -> None:
    database = tmp_path / "interdesk.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE tickets (mine INTEGER)")
    connection.close()
    with pytest.raises(Exception, match="tickets already exists"):
        upgrade(f"sqlite:///{database}")
    assert _on(database, lambda connection: inspect(connection).get_table_names()) == ["tickets"]


class TestCheck:
    def test_a_database_at_work_is_well(self, store: SqlStore, url: str) -> None:
        ticket = new_ticket(store)
        new_link(store, ticket, disagreements={"status": "refused"})
        owe(store)
        assert check(url) == []

    def test_a_missing_database_is_told(self, tmp_path: Path) -> None:
        [sentence] = check(f"sqlite:///{tmp_path}/none.db")
        assert sentence.endswith("run interdesk db upgrade")

    def test_an_older_database_is_told(self, database: Path, url: str) -> None:
        _tamper(database, "UPDATE alembic_version SET version_num = '0000'")
        [sentence] = check(url)
        assert f"is at revision 0000, this program wants {REVISION}: run interdesk db upgrade" in sentence

    def test_every_wrong_counter_is_told(self, store: SqlStore, database: Path, url: str) -> None:
        ticket = new_ticket(store)
        new_link(store, ticket, disagreements={"status": "refused"})
        owe(store)
        store.close()
        _tamper(database, "UPDATE counters SET due = 7, links = 0, disagreements = 2", "UPDATE totals SET value = 9")
        assert check(url) == [
            "the counter says rt has 0 links, a recount says 1",
            "the counter says rt has 2 disagreements, a recount says 1",
            "the counter says rt has 7 due, a recount says 1",
            "the counter says there are 9 tickets, a recount says 1",
        ]

    def test_a_reference_to_nothing_is_told(self, database: Path, url: str) -> None:
        _tamper(database, "INSERT INTO create_tokens VALUES ('rt', 'token', 99)")
        [sentence] = check(url)
        assert sentence.endswith("of create_tokens refers to links that is not there")

    def test_a_damaged_file_is_told(self, store: SqlStore, database: Path, url: str) -> None:
        for _ in range(50):
            new_ticket(store, "x" * 1000)
        store.close()
        pages = bytearray(database.read_bytes())
        pages[-8192:] = b"\xff" * 8192
        database.write_bytes(pages)
        sentences = check(url)
        assert sentences
        assert all("restore a backup" in sentence for sentence in sentences)


def _tamper(database: Path, *statements: str) -> None:
    with sqlite3.connect(database) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
