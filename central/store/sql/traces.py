"""What people have left on tickets and in the audit log: in SQL."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update

from central.audit import Entry
from central.events import Event
from central.model import Comment, Conflict, Ticket, plain
from central.origin import Origin
from central.shadow import Shadow
from central.store.api import NoSuch
from central.store.sql.instance import SqlAudit
from central.store.sql.prepared import Lock, Prepared
from central.store.sql.schema import (
    DEAD,
    DISCARDED,
    Text,
    audit,
    blobs,
    comments,
    conflicts,
    deliveries,
    events,
    files,
    origins,
    replies,
    shadows,
    tickets,
)
from central.store.sql.session import Session
from central.store.sql.shadow import shadow_of
from central.store.sql.tickets import SqlTickets

PAGE = 1000


def _holds(*columns: ColumnElement[str]) -> ColumnElement[bool]:
    wanted = bindparam("wanted", type_=Text())
    return or_(*(func.lower(column).like(wanted, escape="\\") for column in columns))


_NAMED = (
    Prepared(select(tickets.c.id.label("ticket_id")).where(_holds(tickets.c.fields))),
    Prepared(select(comments.c.ticket_id).where(_holds(comments.c.author)).distinct()),
    Prepared(select(events.c.ticket_id).where(_holds(events.c.actor, events.c.data)).distinct()),
    Prepared(
        select(conflicts.c.ticket_id).where(_holds(conflicts.c.author, conflicts.c.ours, conflicts.c.theirs)).distinct()
    ),
    Prepared(
        select(origins.c.ticket_id)
        .where(_holds(origins.c.account, origins.c.submitter_name, origins.c.submitter_login))
        .distinct()
    ),
)
_COMMENT = Prepared(
    update(comments)
    .where(comments.c.ticket_id == bindparam("of"), comments.c.id == bindparam("comment"))
    .values(author=bindparam("by"), token=bindparam("mark"))
)
_EVENT = Prepared(
    update(events).where(events.c.id == bindparam("of")).values(actor=bindparam("by"), data=bindparam("told"))
)
_CONFLICT = Prepared(
    update(conflicts)
    .where(conflicts.c.id == bindparam("of"))
    .values(author=bindparam("by"), ours=bindparam("our_value"), theirs=bindparam("their_value"))
)
_ORIGINS = Prepared(select(origins).where(origins.c.ticket_id == bindparam("of")), Lock.TO_CHANGE)
_ORIGIN = Prepared(
    update(origins)
    .where(origins.c.id == bindparam("of"))
    .values(account=bindparam("who"), submitter_name=bindparam("called"), submitter_login=bindparam("known_as"))
)
_DROP_BYTES = Prepared(
    delete(blobs).where(
        blobs.c.sha256 == bindparam("of"), ~select(files.c.id).where(files.c.sha256 == blobs.c.sha256).exists()
    )
)
_ENTRY = Prepared(
    update(audit)
    .where(audit.c.id == bindparam("of"))
    .values(by=bindparam("whose"), subject=bindparam("about"), data=bindparam("told"))
)
_SHADOWS = Prepared(
    select(shadows).where(shadows.c.id > bindparam("after")).order_by(shadows.c.id).limit(bindparam("most"))
)
_SHADOW = Prepared(
    update(shadows)
    .where(shadows.c.id == bindparam("of"))
    .values({name: bindparam(name) for name in ("would", "before", "did")} | {"why": bindparam("because")})
)
_ANSWERED = Prepared(
    select(replies.c.key, replies.c.answer).where(replies.c.answer.is_not(None)).order_by(replies.c.key)
)
_ANSWER = Prepared(update(replies).where(replies.c.key == bindparam("of")).values(answer=bindparam("said")))

_PRUNE_AUDIT = Prepared(delete(audit).where(audit.c.at < bindparam("before")))
_LETTERS = Prepared(
    select(deliveries.c.id, deliveries.c.error)
    .where(or_(DEAD, DISCARDED), deliveries.c.owed_since < bindparam("before"))
    .where(or_(deliveries.c.hint.is_not(None), deliveries.c.error.like("%\n%"))),
    Lock.TO_CHANGE,
)
_BLUNT = Prepared(
    update(deliveries).where(deliveries.c.id == bindparam("of")).values(error=bindparam("said"), hint=None)
)


class SqlTraces:
    """`central.store.ports.traces.Traces` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tickets(self, words: Iterable[str]) -> Sequence[int]:
        found: set[int] = set()
        for word in filter(None, words):
            escaped = json.dumps(word)[1:-1].lower()
            for sign in ("\\", "%", "_"):
                escaped = escaped.replace(sign, f"\\{sign}")
            for question in _NAMED:
                found.update(row.ticket_id for row in self._session.rows(question, {"wanted": f"%{escaped}%"}))
        return sorted(found)

    def comment(self, comment: Comment) -> None:
        row = {"of": comment.ticket_id, "comment": comment.id, "mark": comment.token}
        if not self._session.write(_COMMENT, row | {"by": json.dumps(asdict(comment.author))}):
            raise NoSuch(f"ticket {comment.ticket_id} has no comment {comment.id}")

    def events(self, ticket_id: int, changed: Callable[[Event], Event]) -> None:
        for old in SqlTickets(self._session).events(ticket_id):
            new = changed(old)
            if new != old:
                told = {"by": json.dumps(asdict(new.actor)), "told": json.dumps(dict(new.data))}
                self._session.write(_EVENT, {"of": old.id, **told})

    def conflicts(self, ticket_id: int, changed: Callable[[Conflict], Conflict]) -> None:
        for old in SqlTickets(self._session).conflicts(ticket_id):
            new = changed(old)
            if new != old:
                values = {"our_value": json.dumps(plain(new.ours)), "their_value": json.dumps(plain(new.theirs))}
                self._session.write(_CONFLICT, {"of": old.id, "by": new.author, **values})

    def origins(self, ticket_id: int, changed: Callable[[Origin], Origin]) -> None:
        for row in self._session.rows(_ORIGINS, {"of": ticket_id}):
            old = Origin(row.account, row.system, row.name, row.submitter_name, row.submitter_login)
            new = changed(old)
            if new != old:
                told = {"who": new.account, "called": new.submitter_name, "known_as": new.submitter_login}
                self._session.write(_ORIGIN, {"of": row.id, **told})

    def drop_bytes(self, sha256: str) -> None:
        self._session.write(_DROP_BYTES, {"of": sha256})

    def audit(self, changed: Callable[[Entry], Entry]) -> None:
        log, before = SqlAudit(self._session), None
        while page := log.list(before=before, limit=PAGE):
            for old in page:
                new = changed(old)
                if new != old:
                    told = {"whose": new.by, "about": new.subject, "told": json.dumps(dict(new.data))}
                    self._session.write(_ENTRY, {"of": old.id, **told})
            before = page[-1].id

    def shadows(self, changed: Callable[[Shadow], Shadow]) -> None:
        after = 0
        while page := self._session.rows(_SHADOWS, {"after": after, "most": PAGE}):
            for row in page:
                old = shadow_of(row)
                new = changed(old)
                if new != old:
                    values = {name: json.dumps(plain(getattr(new, name))) for name in ("would", "before", "did")}
                    self._session.write(_SHADOW, {"of": old.id, "because": new.why, **values})
            after = page[-1].id

    def replies(self, changed: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        for row in self._session.rows(_ANSWERED, {}):
            old = json.loads(row.answer)
            new = dict(changed(old))
            if new != old:
                self._session.write(_ANSWER, {"of": row.key, "said": json.dumps(new)})

    def prune_audit(self, before: datetime) -> None:
        self._session.write(_PRUNE_AUDIT, {"before": before})

    def blunt_letters(self, before: datetime) -> None:
        for row in self._session.rows(_LETTERS, {"before": before}):
            self._session.write(_BLUNT, {"of": row.id, "said": row.error.partition("\n")[0]})

    def page(self, *, after: int, limit: int) -> Sequence[Ticket]:
        return SqlTickets(self._session).page(after=after, limit=limit)
