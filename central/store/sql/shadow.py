"""What would have been written: in SQL."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from central.model import Value, plain, value_of
from central.shadow import Seen, Shadow, Side
from central.store.api import NoSuch
from central.store.sql.prepared import Prepared, adding
from central.store.sql.schema import MISSING, shadows
from central.store.sql.session import Session

_SYSTEM = shadows.c.system == bindparam("of")
_ADD = adding(shadows)
_SUPERSEDE = Prepared(
    update(shadows)
    .where(shadows.c.id == bindparam("number"))
    .values({name: bindparam(name) for name in ("key", "would", "before", "why", "at")})
)
_JUDGE = Prepared(
    update(shadows)
    .where(shadows.c.id == bindparam("number"))
    .values(seen=bindparam("judged"), did=bindparam("did"), seen_at=bindparam("when"))
)
_OPEN = select(shadows).where(_SYSTEM, MISSING).order_by(shadows.c.id)
_OF_TICKET = Prepared(_OPEN.where(shadows.c.ticket_id == bindparam("ticket")))
_OF_KEY = Prepared(_OPEN.where(shadows.c.ticket_id.is_(None), shadows.c.key == bindparam("theirs")))
_NEWEST = select(shadows).where(_SYSTEM).order_by(shadows.c.id.desc()).limit(bindparam("most"))
_LIST = Prepared(_NEWEST)
_LIST_SEEN = Prepared(_NEWEST.where(shadows.c.seen == bindparam("judged")))
_COUNTS = Prepared(select(shadows.c.seen, func.count().label("number")).where(_SYSTEM).group_by(shadows.c.seen))
_OLDEST_KEPT = Prepared(
    select(shadows.c.id).where(_SYSTEM).order_by(shadows.c.id.desc()).limit(1).offset(bindparam("keep"))
)
_DROP = Prepared(delete(shadows).where(_SYSTEM, shadows.c.id <= bindparam("upto")))


class SqlShadows:
    """`central.store.ports.shadow.Shadows` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, shadow: Shadow) -> None:
        row = {name: getattr(shadow, name) for name in ("system", "ticket_id", "key", "item", "why", "at", "seen_at")}
        row |= {"side": shadow.side.value, "seen": shadow.seen.value}
        row |= {name: json.dumps(plain(getattr(shadow, name))) for name in ("would", "before", "did")}
        for there in self.missing(shadow.system, ticket_id=shadow.ticket_id, key=shadow.key):
            if (there.side, there.item) == (shadow.side, shadow.item):
                self._session.write(_SUPERSEDE, {**row, "number": there.id})
                return
        self._session.add(_ADD, row)

    def judge(self, shadow_id: int, seen: Seen, at: datetime, *, did: Value = None) -> None:
        said = {"number": shadow_id, "judged": seen.value, "did": json.dumps(plain(did)), "when": at}
        if not self._session.write(_JUDGE, said):
            raise NoSuch(f"there is no shadow {shadow_id}")

    def missing(self, system: str, *, ticket_id: int | None = None, key: str = "") -> Sequence[Shadow]:
        asked = {"of": system, "ticket": ticket_id, "theirs": key}
        return [shadow_of(row) for row in self._session.rows(_OF_KEY if ticket_id is None else _OF_TICKET, asked)]

    def list(self, system: str, *, seen: Seen | None = None, limit: int = 100) -> Sequence[Shadow]:
        asked = {"of": system, "judged": seen and seen.value, "most": limit}
        return [shadow_of(row) for row in self._session.rows(_LIST if seen is None else _LIST_SEEN, asked)]

    def counts(self, system: str) -> Mapping[Seen, int]:
        return {Seen(row.seen): row.number for row in self._session.rows(_COUNTS, {"of": system})}

    def prune(self, system: str, *, keep: int) -> None:
        oldest = self._session.first(_OLDEST_KEPT, {"of": system, "keep": keep})
        if oldest is not None:
            self._session.write(_DROP, {"of": system, "upto": oldest.id})


def shadow_of(row: Any) -> Shadow:
    """What a row keeps."""
    values = {name: value_of(json.loads(getattr(row, name))) for name in ("would", "before", "did")}
    return Shadow(**row._asdict() | values | {"side": Side(row.side), "seen": Seen(row.seen)})
