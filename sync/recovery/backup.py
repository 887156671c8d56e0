"""A backup of our own database, and its restore: put in place while nobody runs, and held until a plan is approved."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from central.store import migrations
from central.store.api import StoreError, Transaction
from central.store.sql import SqlStore, backup, sqlite
from central.store.sql.database import shown
from sync import identity
from sync.recovery import copies


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    database: Path
    kept: Path | None
    """Where the database is that was there before."""
    held: str
    """Why it writes nothing."""


def save(url: str, into: Path) -> int:
    """Copy the database of this URL into a new file, beside whoever works on it; its size in bytes.

    :raises StoreError: it is on a server (the sentence says what to type), or cannot be copied."""
    if not _is_file(url):
        raise StoreError(
            f"{shown(url)} is backed up by PostgreSQL's own tools: "
            f"pg_dump --format=custom --file={into} --dbname=ADDRESS (the one in INTERDESK_DATABASE)"
        )
    return backup.copy(sqlite.file_of(url), into)


def put_back(url: str, file: Path, state: Path, clock: Callable[[], datetime]) -> Restored:
    """Put a backup in the place of the database, which is kept beside it; it is held from the first moment on.

    :raises Busy: somebody runs on it.  :raises StoreError: it is on a server (the sentence says what to type), the
    file is no backup or damaged, or cannot be put there."""
    if not _is_file(url):
        raise StoreError(
            f"{shown(url)} is restored by PostgreSQL's own tools: stop every run and worker, then "
            f"pg_restore --clean --if-exists --single-transaction --dbname=ADDRESS {file}, then "
            "interdesk db upgrade, then interdesk db plan --restored"
        )
    backup.ensure_whole(file)
    database = sqlite.file_of(url)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {database.parent} cannot be made: {error.strerror}") from None
    prepared = database.with_name(f".{database.name}.restoring")
    unlock = sqlite.SqliteDatabase(url).lock()
    try:
        for left in (prepared, *(prepared.with_name(prepared.name + log) for log in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)  # by an attempt that died
        backup.copy(file, prepared)
        held, beat = _hold(f"sqlite:///{prepared.absolute()}", file, state, clock)
        kept = backup.put_in_place(prepared, database, clock())
    finally:
        unlock()
    identity.keep_beats(state, beat)
    return Restored(database, kept, held)


def _hold(url: str, file: Path, state: Path, clock: Callable[[], datetime]) -> tuple[str, int]:
    """Let the restored database know that it is one, before it is where anybody would find it."""
    migrations.upgrade(url)
    with closing(SqlStore.open(url, clock=clock, exclusive=False)) as store:

        def mark(tx: Transaction) -> tuple[str, int]:
            why = f"{file.name} was put in place"
            beat = copies.mark_restored(tx, clock(), why, identity.beats(state))
            return tx.instance.get().held, beat

        return store.write(mark)


def _is_file(url: str) -> bool:
    return not url.startswith("postgres")
