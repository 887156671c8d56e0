"""What every command works with: the settings, and an interdesk that is opened for as long as the command runs."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from central.store.api import NoSuch, Transaction

if TYPE_CHECKING:  # imported where it is opened: what needs no database does not wait for it
    from sync.bootstrap import Interdesk
    from sync.settings import Settings


class Session:
    """One call of the command line."""

    def __init__(self) -> None:
        self.state: Path | None = None
        """What `--state` named."""

    @property
    def settings(self) -> "Settings":
        """The settings of the environment.  :raises BadSetting, DocumentError: one is wrong."""
        from sync.settings import settings

        return settings(os.environ, state=self.state)

    @property
    def log_folder(self) -> Path:
        """Where what went wrong is kept, whatever else is wrong."""
        return (self.state or Path(os.environ.get("INTERDESK_STATE") or "var")) / "log"

    @contextmanager
    def interdesk(self, *, create: bool = False) -> "Iterator[Interdesk]":
        """The interdesk of these settings, beside a running one if there is one. `create`: make its database.

        :raises StoreError: the database cannot be used; the sentence says what to do."""
        from sync.bootstrap import Interdesk

        with Interdesk(self.settings, create=create) as opened:
            yield opened


def who() -> str:
    """Who types the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have
        return str(os.getuid())


def ticket_id(tx: Transaction, reference: str) -> int:
    """The ticket that somebody calls this: our id, or SYSTEM/KEY.

    :raises NoSuch: there is none.  :raises click.UsageError: this is neither."""
    system, slash, key = reference.partition("/")
    if slash:
        link = tx.links.find_by_key(system, key)
        if link is None:
            raise NoSuch(f"no ticket is linked to {reference}")
        return link.ticket_id
    if not reference.isascii() or not reference.isdigit() or len(reference) > 18:
        raise click.UsageError(f"a ticket is named by its number, or as SYSTEM/KEY, not {reference!r}")
    return int(reference)
