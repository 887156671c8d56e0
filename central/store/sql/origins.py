"""Where tickets say that they come from, and mail that came: in SQL."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select, update

from central.mail import Mail, Verdict
from central.origin import Origin
from central.store.api import NoSuch
from central.store.sql.prepared import Lock, Prepared, adding
from central.store.sql.schema import mail_told, mails, origins
from central.store.sql.session import Session

_MAIL = TypeAdapter(Mail)
_ADD = adding(origins)
_NAMED = Prepared(
    select(origins.c.ticket_id).where(
        origins.c.account == bindparam("account"),
        origins.c.system == bindparam("system"),
        origins.c.name == bindparam("name"),
        origins.c.name != "",
    )
)
_OF = Prepared(select(origins).where(origins.c.ticket_id == bindparam("of")).order_by(origins.c.id))
_TICKETS = select(origins.c.ticket_id).where(origins.c.name == bindparam("name")).order_by(origins.c.ticket_id)
_EVERYWHERE = Prepared(_TICKETS)
_IN_SYSTEM = Prepared(_TICKETS.where(origins.c.system == bindparam("system")))

_TAKE = adding(mails)
_SEEN = Prepared(select(mails).where(mails.c.message_id == bindparam("of")))
_GET = Prepared(select(mails).where(mails.c.id == bindparam("of")), Lock.TO_CHANGE)
_DECIDE = Prepared(
    update(mails).where(mails.c.id == bindparam("of")).values(verdict=bindparam("verdict"), memory=bindparam("memory"))
)
_PAGE = select(mails).order_by(mails.c.id.desc()).limit(bindparam("most"))
_TOLD = Prepared(select(mail_told.c.event_id).where(mail_told.c.ticket_id == bindparam("of")), Lock.TO_CHANGE)
_BEGIN = adding(mail_told)
_TELL = Prepared(update(mail_told).where(mail_told.c.ticket_id == bindparam("of")).values(event_id=bindparam("event")))


class SqlOrigins:
    """`central.store.ports.origins.Origins` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, ticket_id: int, origin: Origin) -> int:
        there = self.find(origin.account, origin.system, origin.id)
        if there is not None:
            return there
        row = {
            "ticket_id": ticket_id,
            "account": origin.account,
            "system": origin.system,
            "name": origin.id,
            "submitter_name": origin.submitter_name,
            "submitter_login": origin.submitter_login,
        }
        self._session.add(_ADD, row)
        return ticket_id

    def find(self, account: str, system: str, origin_id: str) -> int | None:
        row = self._session.first(_NAMED, {"account": account, "system": system, "name": origin_id})
        return None if row is None else int(row.ticket_id)

    def of(self, ticket_id: int) -> Sequence[Origin]:
        return [
            Origin(row.account, row.system, row.name, row.submitter_name, row.submitter_login)
            for row in self._session.rows(_OF, {"of": ticket_id})
        ]

    def tickets(self, origin_id: str, system: str = "") -> Sequence[int]:
        wanted = _IN_SYSTEM if system else _EVERYWHERE
        rows = self._session.rows(wanted, {"name": origin_id, "system": system}) if origin_id else []
        return list(dict.fromkeys(int(row.ticket_id) for row in rows))


class SqlMails:
    """`central.store.ports.origins.Mails` on SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, mail: Mail) -> bool:
        if self._session.first(_SEEN, {"of": mail.message_id}) is not None:
            return False
        row = {"message_id": mail.message_id, "verdict": mail.verdict, "memory": _MAIL.dump_json(mail).decode()}
        self._session.add(_TAKE, row)
        return True

    def find(self, message_id: str) -> Mail | None:
        row = self._session.first(_SEEN, {"of": message_id})
        return None if row is None else _mail(row)

    def get(self, mail_id: int) -> Mail:
        row = self._session.first(_GET, {"of": mail_id})
        if row is None:
            raise NoSuch(f"there is no mail {mail_id}")
        return _mail(row)

    def save(self, mail: Mail) -> None:
        self.get(mail.id)
        row = {"of": mail.id, "verdict": mail.verdict, "memory": _MAIL.dump_json(mail).decode()}
        self._session.write(_DECIDE, row)

    def list(self, *, verdict: Verdict | None = None, before: int | None = None, limit: int = 100) -> Sequence[Mail]:
        page = _PAGE if verdict is None else _PAGE.where(mails.c.verdict == verdict)
        if before is not None:
            page = page.where(mails.c.id < before)
        return [_mail(row) for row in self._session.rows(Prepared(page), {"most": limit})]

    def told(self, ticket_id: int) -> int:
        row = self._session.first(_TOLD, {"of": ticket_id})
        return 0 if row is None else int(row.event_id)

    def tell(self, ticket_id: int, event_id: int) -> None:
        if not self._session.write(_TELL, {"of": ticket_id, "event": event_id}):
            self._session.write(_BEGIN, {"ticket_id": ticket_id, "event_id": event_id})


def _mail(row: Any) -> Mail:
    return _MAIL.validate_json(row.memory).with_id(row.id)
