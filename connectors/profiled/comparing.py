"""A list that tells neither times nor numbers: read whole each time, and compared with what it showed before.

The cursor keeps a short digest of each row. What rows do not show, their change does not show either: that is found
by the full scan alone, or not at all, and the system's statement of losses has to say so.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.api import ChangePage, Cursor
from connectors.errors import ProtocolError
from connectors.profiled.paging import Page, Place, Row
from connectors.profiled.polling import Poller
from connectors.profiled.rounds import EPOCH

_BYTES = 6
MOST_ROWS = 20_000
"""More rows than this make no cursor any more."""
_RECENT = 500
_RECENTLY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the list showed."""

    known: frozenset[bytes] = frozenset()
    """Digests of all rows of the last round."""
    recent: dict[str, datetime] = field(default_factory=dict)
    """Those found of late, in hexadecimal, and when: for a caller that overlaps."""
    shown: frozenset[bytes] | None = None
    """Digests of the round under way."""
    place: Place = field(default_factory=Place)
    began: datetime | None = None

    def dump(self) -> str:
        """As the cursor carries it."""
        data: dict[str, Any] = {"known": _packed(self.known)}
        data["recent"] = {digest: when.isoformat() for digest, when in self.recent.items()}
        if self.shown is not None and self.began is not None:
            data |= {"shown": _packed(self.shown), "place": self.place.dump(), "began": self.began.isoformat()}
        return json.dumps(data)

    @classmethod
    def load(cls, dumped: str) -> "Memory":
        """What `dump` made."""
        if not dumped:
            return cls()
        data = json.loads(dumped)
        recent = {digest: datetime.fromisoformat(when) for digest, when in data["recent"].items()}
        if "shown" not in data:
            return cls(_unpacked(data["known"]), recent)
        began = datetime.fromisoformat(data["began"])
        return cls(_unpacked(data["known"]), recent, _unpacked(data["shown"]), Place.load(data["place"]), began)


class Comparer(Poller):
    """Polls a site whose list tells nothing of changes."""

    def begin(self) -> ChangePage:
        """The cursor at what the list shows now."""
        memory = Memory(shown=frozenset(), began=self._site.http.server_now())
        while True:
            memory, page = self._look(memory)
            if page.next is None:
                return self._finish(memory)
            memory = replace(memory, place=page.next)

    def changes(self, since: Cursor) -> ChangePage:
        """One page of the list: those rows that look new."""
        memory = Memory.load(since.position)
        if memory.shown is None:
            memory = replace(memory, shown=frozenset(), place=Place(), began=self._site.http.server_now())
        memory, page = self._look(memory)
        found = [row for row in page.rows if self._digest(row) not in memory.known]
        again = [row for row in page.rows if memory.recent.get(self._digest(row).hex(), EPOCH) >= since.at]
        changes = tuple(self.change(row, page) for row in {row.key: row for row in (*found, *again)}.values())
        began = memory.began or since.at
        memory = replace(memory, recent={**memory.recent, **{self._digest(row).hex(): began for row in found}})
        if page.moved:
            return ChangePage(changes, Cursor(since.at, replace(memory, place=Place()).dump()), more=True)
        if page.next is not None:
            return ChangePage(changes, Cursor(since.at, replace(memory, place=page.next).dump()), more=True)
        return replace(self._finish(memory), changes=changes)

    def _look(self, memory: Memory) -> tuple[Memory, Page]:
        page = self._lists["changes"].read(memory.place)
        shown = (memory.shown or frozenset()) | {self._digest(row) for row in page.rows}
        if len(shown) > MOST_ROWS:
            raise ProtocolError(
                f"{self._site.profile.product} lists more than {MOST_ROWS:,} tickets and not when any changed: "
                "let the list show a narrower place, or a time or number to go by"
            )
        return replace(memory, shown=shown), page

    def _finish(self, memory: Memory) -> ChangePage:
        began = memory.began or self._site.http.server_now()
        shown = memory.shown or frozenset()
        late = {
            digest: when
            for digest, when in list(memory.recent.items())[-_RECENT:]
            if when > began - _RECENTLY and bytes.fromhex(digest) in shown
        }
        return ChangePage((), Cursor(began, Memory(shown, late).dump()), more=False)

    def _digest(self, row: Row) -> bytes:
        without = self._site.profile.ticket.version.digest_without or ()
        content = {k: v for k, v in row.raw.items() if k not in without} if isinstance(row.raw, dict) else row.raw
        return hashlib.sha256(json.dumps([row.key, content], sort_keys=True, default=str).encode()).digest()[:_BYTES]


def _packed(digests: frozenset[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(digests))).decode()


def _unpacked(packed: str) -> frozenset[bytes]:
    whole = base64.b64decode(packed)
    return frozenset(whole[begin : begin + _BYTES] for begin in range(0, len(whole), _BYTES))
