"""Sealed secrets: in SQL."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql

from central.seal import Seal
from central.store.sql.prepared import Prepared
from central.store.sql.schema import seals
from central.store.sql.session import Session

_PLACE = ("system", "name", "origin")
_ALL = Prepared(select(seals))
_OF = Prepared(select(seals).where(seals.c.system == bindparam("of")))
_insert = postgresql.insert(seals).values({each: bindparam(each) for each in (*_PLACE, "box", "sealed_at")})
_PUT = Prepared(  # SQLite says it alike
    _insert.on_conflict_do_update(
        index_elements=_PLACE, set_={"box": _insert.excluded.box, "sealed_at": _insert.excluded.sealed_at}
    )
)
_DROP = Prepared(delete(seals).where(seals.c.system == bindparam("of"), seals.c.name == bindparam("called")))


class SqlSeals:
    """`central.store.ports.seals.Seals` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, seal: Seal) -> None:
        place = {"system": seal.system, "name": seal.name, "origin": seal.origin}
        self._session.write(_PUT, {**place, "box": seal.box, "sealed_at": seal.sealed_at})

    def list(self, system: str = "") -> Sequence[Seal]:
        rows = self._session.rows(_OF, {"of": system}) if system else self._session.rows(_ALL, {})
        found = [Seal(row.system, row.name, row.origin, row.box, row.sealed_at) for row in rows]
        return sorted(found, key=lambda seal: (seal.system, seal.name, seal.origin))  # a database's own order varies

    def drop(self, system: str, name: str) -> int:
        return self._session.write(_DROP, {"of": system, "called": name})
