"""Where tickets say that they come from, and mail that came, of the reference store."""

from collections.abc import Sequence

from central.mail import Mail, Verdict
from central.origin import Origin
from central.store.api import NoSuch
from central.store.memory.tables import Tables


class MemoryOrigins:
    """`central.store.ports.origins.Origins`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, ticket_id: int, origin: Origin) -> int:
        there = self.find(origin.account, origin.system, origin.id)
        if there is None:
            self._tables.origins.put(ticket_id, (*self.of(ticket_id), origin))
        return ticket_id if there is None else there

    def find(self, account: str, system: str, origin_id: str) -> int | None:
        for ticket_id, origins in self._tables.origins.items():
            if any((each.account, each.system, each.id) == (account, system, origin_id or None) for each in origins):
                return ticket_id
        return None

    def of(self, ticket_id: int) -> Sequence[Origin]:
        return self._tables.origins.get(ticket_id) or ()

    def tickets(self, origin_id: str, system: str = "") -> Sequence[int]:
        return sorted(
            ticket_id
            for ticket_id, origins in self._tables.origins.items()
            if origin_id and any(each.id == origin_id and system in ("", each.system) for each in origins)
        )


class MemoryMails:
    """`central.store.ports.origins.Mails`, in dictionaries."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def take(self, mail: Mail) -> bool:
        if self.find(mail.message_id) is not None:
            return False
        kept = mail.with_id(self._tables.next_id("mail"))
        self._tables.mails.put(kept.id, kept)
        return True

    def find(self, message_id: str) -> Mail | None:
        return next((each for each in self._tables.mails.rows() if each.message_id == message_id), None)

    def get(self, mail_id: int) -> Mail:
        mail = self._tables.mails.get(mail_id)
        if mail is None:
            raise NoSuch(f"there is no mail {mail_id}")
        return mail

    def save(self, mail: Mail) -> None:
        self.get(mail.id)
        self._tables.mails.put(mail.id, mail)

    def list(self, *, verdict: Verdict | None = None, before: int | None = None, limit: int = 100) -> Sequence[Mail]:
        found = [
            each
            for each in self._tables.mails.rows()
            if verdict in (None, each.verdict) and (before is None or each.id < before)
        ]
        return sorted(found, key=lambda each: -each.id)[:limit]

    def told(self, ticket_id: int) -> int:
        return self._tables.mail_told.get(ticket_id) or 0

    def tell(self, ticket_id: int, event_id: int) -> None:
        self._tables.mail_told.put(ticket_id, event_id)
