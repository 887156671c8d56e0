"""A copy of a SQLite database that is whole, taken while others write to it; and such a copy put in place again.

Everything is in the one file, the bytes of files too.
"""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from central.store.api import StoreError


def copy(database: Path, into: Path) -> int:
    """Copy the database into a file that does not exist yet; its size in bytes. Nobody waits for it.

    :raises StoreError: it cannot be read, or the file not be written."""
    if into.exists():
        raise StoreError(f"{into} is there already: name a new file")
    part = into.with_name(f".{into.name}.part")
    try:
        part.unlink(missing_ok=True)  # what an earlier attempt left
        with closing(_reading(database)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)  # in one step, which is one snapshot: in several it begins anew at every change
            target.execute("PRAGMA journal_mode=DELETE")
        part.chmod(database.stat().st_mode & 0o777)
        part.replace(into)
        _sync_folder(into.parent)
        return into.stat().st_size
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(f"{database} cannot be copied to {into}: {error}") from None


def ensure_whole(file: Path) -> None:
    """:raises StoreError: this is no database of interdesk, or it is damaged."""
    if not file.is_file():
        raise StoreError(f"there is no file {file}")
    try:
        with closing(_reading(file)) as connection:
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
            found = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    except sqlite3.Error as error:
        raise StoreError(f"{file} is no database of interdesk ({error})") from None
    if found != ["ok"]:
        raise StoreError(f"{file} is damaged ({found[0]}): take another backup")


def put_in_place(prepared: Path, database: Path, at: datetime) -> Path | None:
    """Let this file take the place of the database, whose lock the caller holds; where the old one is kept now.

    At every moment there is a whole database in its place, the old one or the new one.

    :raises StoreError: the file cannot be put there."""
    kept = database.with_name(f"{database.name}.replaced-{at:%Y%m%dT%H%M%S}") if database.exists() else None
    try:
        if kept is not None:
            with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as old:  # a damaged one is kept as it is
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            kept.unlink(missing_ok=True)
            os.link(database, kept)
        for log in ("-wal", "-shm"):  # they are the old one's
            database.with_name(database.name + log).unlink(missing_ok=True)
        prepared.replace(database)
        _sync_folder(database.parent)
    except OSError as error:
        raise StoreError(f"{prepared} cannot be put in the place of {database}: {error}") from None
    return kept


def _reading(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
