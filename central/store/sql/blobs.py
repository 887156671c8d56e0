"""Bytes of files: streamed in pieces, kept once under their sha256.

An upload writes its pieces in transactions of their own under a row that has no sha256 yet; the last, small
transaction publishes it. What never gets there is thrown away.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Protocol, TypeVar

from sqlalchemy import bindparam, delete, select, update

from central.store.api import NoSuch, TooLarge
from central.store.sql.prepared import Prepared, adding
from central.store.sql.schema import blob_pieces, blobs
from central.store.sql.session import Session

T = TypeVar("T")

PIECE = 256 * 1024
"""Bytes per row, and so what a reader or writer holds in memory."""

JUST_PUT = timedelta(days=1)
"""Bytes that came in less long ago may be about to be hung on a ticket."""

ABANDONED_AFTER = timedelta(days=1)
"""An upload that is older than this has died with its process."""

_FIND = Prepared(select(blobs.c.id).where(blobs.c.sha256 == bindparam("hash")))
_START = adding(blobs)
_PUT = adding(blob_pieces)
_PIECE = Prepared(
    select(blob_pieces.c.data).where(blob_pieces.c.blob_id == bindparam("of"), blob_pieces.c.number == bindparam("at"))
)
_PUBLISH = Prepared(
    update(blobs).where(blobs.c.id == bindparam("of")).values(sha256=bindparam("sha256"), size=bindparam("size"))
)
_ANEW = Prepared(update(blobs).where(blobs.c.id == bindparam("of")).values(started_at=bindparam("at")))
_DROP = Prepared(delete(blobs).where(blobs.c.id == bindparam("of")))
_DROP_ABANDONED = Prepared(delete(blobs).where(blobs.c.sha256.is_(None), blobs.c.started_at < bindparam("before")))


class Runs(Protocol):
    """The store's way to write, or to read."""

    def __call__(self, change: Callable[[Session], T], /) -> T: ...


class Blobs:
    """Streams bytes in and out, a piece at a time."""

    def __init__(self, write: Runs, read: Runs, clock: Callable[[], datetime]) -> None:
        self._write = write
        self._read = read
        self._clock = clock

    def put(self, chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
        upload = _Upload(self._write, self._clock())
        try:
            for piece in _pieces(chunks, limit):
                upload.add(piece)
            return upload.publish()
        except BaseException:
            upload.drop()
            raise

    @contextmanager
    def open(self, sha256: str) -> Iterator[Iterator[bytes]]:
        found = self._read(lambda session: session.first(_FIND, {"hash": sha256}))
        if found is None:
            raise NoSuch(f"there are no bytes with sha256 {sha256}")
        yield self._stream(found.id)

    def drop_abandoned(self) -> None:
        """Throw away what an earlier process began and cannot finish."""
        before = self._clock() - ABANDONED_AFTER
        self._write(lambda session: session.write(_DROP_ABANDONED, {"before": before}))

    def _stream(self, blob_id: int) -> Iterator[bytes]:
        """Published pieces never change, so that each is read on its own and no snapshot is held for a slow reader."""
        for number in count():
            place = {"of": blob_id, "at": number}
            piece = self._read(partial(Session.first, statement=_PIECE, params=place))
            if piece is None:
                return
            yield piece.data


class _Upload:
    """One stream on its way in. The last piece is held back, so that a small file is one transaction."""

    def __init__(self, write: Runs, started_at: datetime) -> None:
        self._write = write
        self._started_at = started_at
        self._digest = hashlib.sha256()
        self._size = 0
        self._held = b""
        self._number = 0
        self._blob_id: int | None = None

    def add(self, piece: bytes) -> None:
        if self._held:
            self._blob_id = self._write(self._keep)
            self._number += 1
        self._held = piece
        self._digest.update(piece)
        self._size += len(piece)

    def publish(self) -> tuple[str, int]:
        sha256 = self._digest.hexdigest()

        def publish(session: Session) -> None:
            there = session.first(_FIND, {"hash": sha256})
            if there is not None:
                session.write(_ANEW, {"of": there.id, "at": self._started_at})
                self._forget(session)
                return
            blob_id = self._keep(session)
            session.write(_PUBLISH, {"of": blob_id, "sha256": sha256, "size": self._size})

        self._write(publish)
        return sha256, self._size

    def drop(self) -> None:
        if self._blob_id is not None:
            self._write(self._forget)

    def _keep(self, session: Session) -> int:
        blob_id = self._blob_id
        if blob_id is None:
            blob_id = session.add(_START, {"sha256": None, "size": 0, "started_at": self._started_at})
        if self._held:
            session.write(_PUT, {"blob_id": blob_id, "number": self._number, "data": self._held})
        return blob_id

    def _forget(self, session: Session) -> None:
        if self._blob_id is not None:
            session.write(_DROP, {"of": self._blob_id})


def _pieces(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The same bytes, cut into pieces of equal size but the last."""
    buffer, total = bytearray(), 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise TooLarge(f"more than the {limit} bytes that are allowed")
        buffer += chunk
        while len(buffer) >= PIECE:
            yield bytes(buffer[:PIECE])
            del buffer[:PIECE]
    if buffer:
        yield bytes(buffer)
