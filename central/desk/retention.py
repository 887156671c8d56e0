"""How long what tells of people is kept, by kind, and the sweep that lets go of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from central.desk.auth import Gate
from central.desk.persons import forget_mail, mails
from central.events import Event
from central.link import LinkState
from central.mail import Verdict
from central.model import FIELDS, SYSTEM, Attachment, Person, Visibility
from central.store.api import Store, Transaction
from central.workflow import Status

EVERY = timedelta(hours=1)
PAGE = 2000
"""So many tickets are looked at in one sweep; the next one goes on behind them."""
SOMEBODY = "somebody"
_OVER = frozenset({Status.VERIFIED, Status.CLOSED})
_OF_PEOPLE = frozenset(spec.name for spec in FIELDS.values() if spec.kind in ("person", "set")) | {"phone"}


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each kind is kept; None: for ever."""

    history: timedelta | None = None
    """Who did what on a ticket that is over: then it was somebody."""
    answers: timedelta | None = None
    """The words of other systems with dead letters: then their first line stays."""
    mails: timedelta | None = None
    """Who sent a mail, and about what; one that waits in quarantine waits on."""
    audit: timedelta | None = None
    """Administrative acts."""
    files: timedelta | None = None
    """The bytes of files of a ticket that is over; their names, sizes and hashes stay."""


class Retention:
    """Lets go of what was kept for long enough. Of many processes one does, once an hour."""

    def __init__(self, store: Store, clock: Callable[[], datetime], terms: Terms, gate: Gate, *, owner: str) -> None:
        self._store, self._clock, self._terms, self._gate, self._owner = store, clock, terms, gate, owner
        self._next_at = clock()
        self._after = 0
        """The last ticket that was looked at."""

    def sweep(self) -> None:
        """Do it, if it is time."""
        at = self._clock()
        if at < self._next_at:
            return
        self._next_at = at + EVERY
        if self._store.write(lambda tx: tx.outbox.take("retention", self._owner, at, ttl=EVERY)) is None:
            return
        self._gate.sweep()
        if self._terms.audit is not None:
            audited = at - self._terms.audit
            self._store.write(lambda tx: tx.traces.prune_audit(audited))
        if self._terms.answers is not None:
            answered = at - self._terms.answers
            self._store.write(lambda tx: tx.traces.blunt_letters(answered))
        if self._terms.mails is not None:
            self._forget_mails(at - self._terms.mails)
        if self._terms.history is not None or self._terms.files is not None:
            self._go_through_tickets(at)

    def _forget_mails(self, before: datetime) -> None:
        for mail in mails(self._store):
            if mail.at < before and mail.verdict is not Verdict.QUARANTINED:
                if not (mail.sender or mail.subject or mail.sha256):
                    return  # all that are older have been forgotten before
                forget_mail(self._store, mail)

    def _go_through_tickets(self, at: datetime) -> None:
        page = self._store.read(lambda tx: tx.traces.page(after=self._after, limit=PAGE))
        self._after = page[-1].id if len(page) == PAGE else 0
        for ticket in page:
            if ticket["status"] not in _OVER:
                continue
            if self._terms.history is not None and ticket.changed_at < at - self._terms.history:
                self._forget_who_on(ticket.id)
            if self._terms.files is not None and ticket.changed_at < at - self._terms.files:
                self._let_go_of_files(ticket.id, at)

    def _let_go_of_files(self, ticket_id: int, at: datetime) -> None:
        for file in self._store.read(lambda tx: _long_enough(tx, ticket_id)):
            self._store.write(lambda tx, file=file: tx.traces.let_go(file, at))  # type: ignore[misc]  # bound now

    def _forget_who_on(self, ticket_id: int) -> None:
        if self._store.read(lambda tx: _tells(tx, ticket_id)):  # or each sweep would write
            self._store.write(lambda tx: tx.traces.events(ticket_id, without_names))


def without_names(event: Event) -> Event:
    """The fact, done by somebody."""
    actor = event.actor if event.actor.id == SYSTEM.id else Person(SOMEBODY, system=event.actor.system)
    named = {name: SOMEBODY for name in ("from", "to", "ours", "theirs", "wanted", "stays") if event.data.get(name)}
    return replace(event, actor=actor, data={**event.data, **(named if event.field in _OF_PEOPLE else {})})


def _long_enough(tx: Transaction, ticket_id: int) -> list[Attachment]:
    """The files whose bytes nobody waits for; a system that is still owed one keeps it here."""
    kept = [file for file in tx.tickets.files(ticket_id) if file.gone_at is None]
    if not kept:
        return []
    deleted = {comment.id for comment in tx.tickets.comments(ticket_id) if comment.deleted_at is not None}
    links = [link for link in tx.links.of(ticket_id) if link.state in (LinkState.ACTIVE, LinkState.PENDING)]
    told = [(link.system, tx.links.ties(link.id), tx.links.file_ties(link.id)) for link in links]

    def owed(file: Attachment) -> bool:
        if file.visibility is Visibility.INTERNAL or file.comment_id in deleted:
            return False
        return any(
            system != file.origin_system and file.id not in files and file.comment_id not in comments
            for system, comments, files in told
        )

    return [file for file in kept if not owed(file)]


def _tells(tx: Transaction, ticket_id: int) -> bool:
    return any(without_names(event) != event for event in tx.tickets.events(ticket_id))
