"""What people have left on tickets and in the audit log: in SQL."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update

from central.audit import Entry
from central.events import Event
from central.mail import Verdict
from central.model import Attachment, Comment, Conflict, Ticket, plain
from central.origin import Origin
from central.shadow import Shadow
from central.store.api import NoSuch
from central.store.sql.blobs import JUST_PUT
from central.store.sql.instance import SqlAudit
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import (
    DEAD,
    DISCARDED,
    GONE,
    Text,
    audit,
    blobs,
    comments,
    conflicts,
    deliveries,
    events,
    files,
    mails,
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
_SAID = (
    Prepared(select(tickets.c.id.label("ticket_id")).where(_holds(tickets.c.fields))),
    Prepared(select(comments.c.ticket_id).where(_holds(comments.c.text, comments.c.gap)).distinct()),
    Prepared(select(files.c.ticket_id).where(_holds(files.c.name)).distinct()),
    Prepared(select(events.c.ticket_id).where(_holds(events.c.data, events.c.why)).distinct()),
)
_COMMENT = Prepared(
    update(comments)
    .where(comments.c.ticket_id == bindparam("of"), comments.c.id == bindparam("comment"))
    .values(author=bindparam("by"), token=bindparam("mark"))
)
_EVENT = Prepared(
    update(events)
    .where(events.c.id == bindparam("of"))
    .values(actor=bindparam("by"), data=bindparam("told"), why=bindparam("because"))
)
_FILE = Prepared(update(files).where(files.c.id == bindparam("of")).values(name=bindparam("called")))
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
_BORNE = Prepared(
    select(files.c.gone_at, blobs.c.started_at)
    .join_from(files, blobs, files.c.sha256 == blobs.c.sha256)
    .where(files.c.id == bindparam("of"), files.c.ticket_id == bindparam("ticket"))
)
_ENTRY_OF = Prepared(select(blobs.c.id).where(blobs.c.sha256 == bindparam("hash")))
_PUT_EMPTY = adding(blobs)
_LET_GO = Prepared(
    update(files).where(files.c.id == bindparam("of")).values(gone_at=bindparam("at"), sha256=bindparam("hash"))
)
_QUARANTINED = Prepared(
    select(mails.c.id).where(mails.c.verdict == Verdict.QUARANTINED, mails.c.memory.like(bindparam("wanted")))
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

_ASCII = re.compile(r"[!#-\[\]-~]+")
"""Runs of signs that stand for themselves in every column; a blank may be any."""


def _escaped(text: str) -> str:
    """As a pattern that stands for itself."""
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return text


class SqlTraces:
    """`central.store.ports.traces.Traces` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tickets(self, words: Iterable[str]) -> Sequence[int]:
        found: set[int] = set()
        for word in filter(None, words):
            wanted = {"wanted": f"%{_escaped(json.dumps(word)[1:-1].lower())}%"}
            for question in _NAMED:
                found.update(row.ticket_id for row in self._session.rows(question, wanted))
        return sorted(found)

    def spoken_of(self, words: Iterable[str]) -> Sequence[int]:
        found: set[int] = set()
        for word in filter(None, words):
            # what is no ASCII stands in many ways: as it is, as JSON has it, in capitals that SQLite does not know
            wanted = {"wanted": f"%{'%'.join(_escaped(each) for each in _ASCII.findall(word.lower()))}%"}
            for question in _SAID:
                found.update(row.ticket_id for row in self._session.rows(question, wanted))
        return sorted(found)

    def comment(self, comment: Comment) -> None:
        row = {"of": comment.ticket_id, "comment": comment.id, "mark": comment.token}
        if not self._session.write(_COMMENT, row | {"by": json.dumps(asdict(comment.author))}):
            raise NoSuch(f"ticket {comment.ticket_id} has no comment {comment.id}")

    def events(self, ticket_id: int, changed: Callable[[Event], Event]) -> None:
        for old in SqlTickets(self._session).events(ticket_id):
            new = changed(old)
            if new != old:
                told = {"by": json.dumps(asdict(new.actor)), "told": json.dumps(dict(new.data)), "because": new.why}
                self._session.write(_EVENT, {"of": old.id, **told})

    def files(self, ticket_id: int, changed: Callable[[Attachment], Attachment]) -> None:
        for old in SqlTickets(self._session).files(ticket_id):
            new = changed(old)
            if new.name != old.name:
                self._session.write(_FILE, {"of": old.id, "called": new.name})

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

    def let_go(self, file: Attachment, at: datetime) -> bool:
        there = self._session.first(_BORNE, {"of": file.id, "ticket": file.ticket_id})
        if there is None:
            raise NoSuch(f"ticket {file.ticket_id} has no file {file.id}")
        if there.gone_at is not None:
            return True
        if there.started_at > at - JUST_PUT:
            return False
        empty = {"hash": GONE + file.sha256}
        if self._session.first(_ENTRY_OF, empty) is None:
            self._session.add(_PUT_EMPTY, {"sha256": GONE + file.sha256, "size": file.size, "started_at": at})
        self._session.write(_LET_GO, {"of": file.id, "at": at, **empty})
        if self._session.first(_QUARANTINED, {"wanted": f"%{file.sha256}%"}) is None:
            self.drop_bytes(file.sha256)
        return True

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
