"""How a database comes to the shape this program wants, and whether it is well."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from central.store.api import WrongSchema
from central.store.sql.database import Database, database_of
from central.store.sql.recount import miscounts
from central.store.sql.schema import REVISION
from central.store.sql.session import Session


def upgrade(url: str) -> None:
    """Bring the database of this URL to the wanted revision, all or nothing; make it where there is none.

    On a server, programs of the revision before may be at work meanwhile, and a second host that upgrades waits.

    :raises StoreError: the URL is wrong, or what it names refuses.  :raises WrongSchema: a newer program made this
    database.  :raises Unreachable: the server does not answer."""
    database = _database(url)
    engine = database.migrating()
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
            config.set_main_option("path_separator", "os")
            config.attributes["connection"] = connection
            command.upgrade(config, REVISION)
            driver: Any = connection.connection.dbapi_connection
            if broken := database.broken_references(driver):
                raise WrongSchema(f"{database} was not upgraded: {'; '.join(broken)}")
    except DBAPIError as error:
        refused = database.told(error.orig) if isinstance(error.orig, Exception) else None
        if refused is None:
            raise
        raise refused from error
    finally:
        engine.dispose()


def check(url: str) -> list[str]:
    """What is wrong with the database of this URL, in sentences; empty when all is well. Reads every page of it."""
    database = _database(url)
    try:
        database.check_revision(REVISION)
    except WrongSchema as problem:
        return [str(problem)]
    reader = database.reader()
    try:
        reader.begin()
        session = Session(reader.driver, database.dialect, writable=False)
        return database.damage(reader.driver) or [*database.broken_references(reader.driver), *miscounts(session)]
    finally:
        reader.close()


def _database(url: str) -> Database:
    return database_of(url, lambda: datetime.now(UTC))
