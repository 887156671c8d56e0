"""Which mapping is meant: a file, one that is registered (NAME, or NAME@REVISION), or one that comes with interdesk."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from central.store.api import NoSuch, StoreError, Transaction
from mappings import extending, library
from mappings.loader import Document, DocumentError, Problem, read_files, suggestion
from sync.cli.session import Session
from sync.stored import read_again

if TYPE_CHECKING:
    from sync.bootstrap import Interdesk


def anywhere(session: Session, names: Sequence[str]) -> list[Document]:
    """The mappings of these names; where there is no database, those of files and of the library."""
    if all(_is_file(name) for name in names):
        return [_of_file(name, None) for name in names]
    try:
        with session.interdesk() as desk:
            return registered(desk, names)
    except StoreError as problem:
        unknown = [name for name in names if not (_is_file(name) or name in library.names())]
        if unknown:
            near = suggestion(unknown[0], library.names())
            sentence = f"{unknown[0]!r} is no file, and no mapping that comes with interdesk{near}"
            raise click.UsageError(f"{sentence}; those that are registered are not known: {problem}") from None
        return [_of_file(name, None) if _is_file(name) else library.shipped(name) for name in names]


def registered(desk: "Interdesk", names: Sequence[str]) -> list[Document]:
    """The mappings of these names, where there is a database.

    :raises NoSuch, DocumentError: there is no such mapping, or it cannot be read."""
    return [desk.store.read(lambda tx, name=name: _named(tx, name)) for name in names]  # type: ignore[misc]  # bound now


def _is_file(name: str) -> bool:
    return "/" in name or name.endswith((".yaml", ".yml")) or Path(name).is_file()


def _named(tx: Transaction, name: str) -> Document:
    """:raises NoSuch, DocumentError: there is no such mapping, or it cannot be read."""
    if _is_file(name):
        return _of_file(name, tx)
    plain, at, number = name.partition("@")
    if at and not (number.isascii() and number.isdigit() and len(number) < 10):
        raise click.UsageError(f"a revision of a mapping is named as {plain or 'NAME'}@3, not {name!r}")
    try:
        return read_again(tx.registry.document("mapping", plain, int(number) if at else None))
    except NoSuch:
        if at or plain not in library.names():
            raise
        return library.shipped(plain)


def _of_file(name: str, tx: Transaction | None) -> Document:
    given = [each for each in read_files([Path(name)]) if each.kind == "mapping"]
    if len(given) != 1:
        place = read_files([Path(name)])[0].place(("kind",))
        raise DocumentError([Problem(place, "this file is to hold one mapping, and others beside it that are none")])
    registered = {each.name: each for each in tx.registry.documents("mapping")} if tx is not None else {}

    def find(base: str) -> Document | None:
        if base in registered:
            return read_again(registered[base])
        return library.shipped(base) if base in library.names() else None

    return extending.whole(given[0], find, {*registered, *library.names()})
