"""How a database comes to the shape this program wants, and whether it is well."""

from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

from central.store.api import WrongSchema
from central.store.sql import sqlite
from central.store.sql.recount import miscounts
from central.store.sql.schema import REVISION
from central.store.sql.session import Session


def upgrade(url: str) -> None:
    """Bring the database of this URL to the wanted revision, all or nothing; make it where there is none.

    :raises StoreError: the URL names no SQLite file.  :raises WrongSchema: a newer program made this database."""
    database = sqlite.file_of(url)
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = sqlite.migrating(database)
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, REVISION)
            driver: Any = connection.connection.dbapi_connection
            if broken := sqlite.broken_references(driver):
                raise WrongSchema(f"{database} was not upgraded: {'; '.join(broken)}")
    finally:
        engine.dispose()


def check(url: str) -> list[str]:
    """What is wrong with the database of this URL, in sentences; empty when all is well. Reads every page of it."""
    database = sqlite.file_of(url)
    try:
        sqlite.check_revision(database, REVISION)
    except WrongSchema as problem:
        return [str(problem)]
    with closing(sqlite.reader(database)) as reader:
        reader.execute(sqlite.BEGIN_READ)
        session = Session(reader, sqlite.DIALECT, writable=False)
        return sqlite.damage(reader) or [*sqlite.broken_references(reader), *miscounts(session)]
