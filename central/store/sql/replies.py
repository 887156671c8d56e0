"""Answers that are given again: in SQL."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql

from central.reply import Reply
from central.store.api import NoSuch
from central.store.sql.prepared import Prepared
from central.store.sql.schema import replies
from central.store.sql.session import Session

_BEGIN = Prepared(
    postgresql.insert(replies)  # SQLite says it alike
    .values(key=bindparam("key"), digest=bindparam("digest"), begun_at=bindparam("begun_at"), answer=None)
    .on_conflict_do_nothing()
)
_GET = Prepared(select(replies).where(replies.c.key == bindparam("of")))
_SETTLE = Prepared(update(replies).where(replies.c.key == bindparam("of")).values(answer=bindparam("said")))
_WITHDRAW = Prepared(delete(replies).where(replies.c.key == bindparam("of")))
_PRUNE = Prepared(delete(replies).where(replies.c.begun_at < bindparam("before")))


class SqlReplies:
    """`central.store.ports.replies.Replies` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, key: str, digest: str, at: datetime) -> Reply | None:
        if self._session.write(_BEGIN, {"key": key, "digest": digest, "begun_at": at}):
            return None
        row = self._session.first(_GET, {"of": key})
        return Reply(row.digest, row.begun_at, None if row.answer is None else json.loads(row.answer))

    def settle(self, key: str, answer: Mapping[str, Any]) -> None:
        if not self._session.write(_SETTLE, {"of": key, "said": json.dumps(dict(answer))}):
            raise NoSuch(f"no request {key!r} was begun")

    def withdraw(self, key: str) -> None:
        self._session.write(_WITHDRAW, {"of": key})

    def prune(self, *, before: datetime) -> None:
        self._session.write(_PRUNE, {"before": before})
