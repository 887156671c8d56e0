"""A copy of a SQLite database that is whole, taken while others write to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from central.store.api import StoreError

_PAGES = 1024


def copy(database: Path, into: Path) -> int:
    """Copy the database into a file that does not exist yet; its size in bytes.

    :raises StoreError: it cannot be read, or the file not be written."""
    if into.exists():
        raise StoreError(f"{into} is there already: name a new file")
    part = into.with_name(f".{into.name}.part")
    try:
        source = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(part)) as target:
            source.backup(target, pages=_PAGES, sleep=0.01)
            target.execute("PRAGMA journal_mode=DELETE")
        part.replace(into)
        return into.stat().st_size
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"{database} cannot be copied to {into}: {error}") from None
