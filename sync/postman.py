"""Tells people by mail what happened. What is owed stands in the outbox, as for a system; how far it was told, beside.

A mail has the same Message-ID at every attempt, so that whoever was told before a crash is shown it once. A server that
is away delays mail and nothing else.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from central.delivery import Claim
from central.desk.mail.intake import MAIL as OPENED_BY
from central.desk.mail.notices import Act, Letterhead, Notice, acts, notices
from central.model import Ticket
from central.store.api import LeaseLost, NoSuch, Store, Transaction
from connectors.errors import AccessError, Refused, Transient, Unknown
from connectors.mail.post import Post
from connectors.mail.threads import Signer
from connectors.mail.writing import Draft, compose
from sync.mailroom import INTERNAL, key_of
from sync.recovery.copies import at_rest
from sync.relay import MAIL

log = structlog.get_logger("interdesk.mail")

LEASE = timedelta(minutes=5)
OLDEST = timedelta(days=1)
"""What happened longer ago, before anybody was told anything, is no news: a ticket was taken over with its past."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)


class Postman:
    """Carries out what is owed by mail, a ticket at a time."""

    def __init__(
        self,
        store: Store,
        post: Post,
        signer: Signer,
        head: Letterhead,
        sender: str,
        clock: Callable[[], datetime],
        *,
        owner: str,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        """`begin`: the deadline of the post begins anew with each mail."""
        self._store, self._post, self._signer, self._head = store, post, signer, head
        self._sender, self._clock, self._owner, self._begin = sender, clock, owner, begin

    def deliver(self) -> bool:
        """Take up one ticket that people are to be told of; False: there is none now."""
        claim = self._store.write(self._take, durable=False)
        if claim is None:
            return False
        ticket_id = int(claim.delivery.subject)
        try:
            for act in self._store.read(lambda tx: self._untold(tx, ticket_id)):
                self._tell(claim, ticket_id, act)
        except LeaseLost:
            return True
        except (Transient, Unknown, AccessError) as trouble:
            wait = min(FIRST_WAIT * 2 ** min(claim.delivery.attempts, 10), LONGEST_WAIT)
            words = str(trouble)
            log.warning("mail cannot be sent", error=words)
            self._end(lambda tx, at: tx.outbox.retry(claim, at, not_before=at + wait, error=words))
            return True
        self._end(lambda tx, at: tx.outbox.done(claim, at))
        return True

    def _take(self, tx: Transaction) -> Claim | None:
        instance = tx.instance.get()
        if instance.stopped is not None or at_rest(tx):
            return None
        lease_name = "mail/{}".format
        return tx.outbox.claim(
            MAIL, self._owner, self._clock(), ttl=LEASE, lease_name=lambda _, delivery: lease_name(delivery.subject)
        )

    def _untold(self, tx: Transaction, ticket_id: int) -> list[Act]:
        told = tx.mails.told(ticket_id)
        fresh = [each for each in tx.tickets.events(ticket_id) if each.id > told]
        return [act for act in acts(fresh) if told or act.events[0].at >= self._clock() - OLDEST]

    def _tell(self, claim: Claim, ticket_id: int, act: Act) -> None:
        try:
            ticket, about, thread = self._store.read(lambda tx: self._about(tx, ticket_id, act))
        except NoSuch:
            return
        for notice in about:
            # durable, and with it all that is told of: what a power cut could forget is told to nobody
            self._store.write(lambda tx: tx.outbox.prolong(claim.lease, self._clock(), ttl=LEASE))
            self._send(ticket, act, notice, thread)
        at = self._clock()

        def told(tx: Transaction) -> None:
            tx.outbox.check(claim.lease, at)
            tx.mails.tell(ticket_id, act.last)

        self._store.write(told)

    def _about(self, tx: Transaction, ticket_id: int, act: Act) -> tuple[Ticket, list[Notice], tuple[str, ...]]:
        ticket = tx.tickets.get(ticket_id)
        about = notices(self._head, ticket, act, tx.tickets.comments(ticket_id), tx.tickets.files(ticket_id))
        first = [each.id for each in tx.origins.of(ticket_id) if each.system == OPENED_BY]
        return ticket, about, (*first, self._signer.id("thread", key_of(ticket_id)))

    def _send(self, ticket: Ticket, act: Act, notice: Notice, thread: tuple[str, ...]) -> None:
        key = key_of(ticket.id)
        message_id = self._signer.id(f"act{act.id}{INTERNAL if notice.internal else ''}", key)
        draft = Draft(message_id, self._sender, notice.to, notice.subject, notice.text, answers=thread)
        self._begin()
        try:
            self._post.send(compose(draft, {}, act.events[0].at), self._sender, notice.to)
        except Refused:  # one address that is wrong keeps nobody else from being told; whose it is, no log tells
            log.warning("a mail was refused for good", ticket=ticket.id)

    def _end(self, act: Callable[[Transaction, datetime], object]) -> None:
        at = self._clock()
        try:
            self._store.write(lambda tx: act(tx, at))
        except LeaseLost:
            log.info("somebody else tells people of this ticket now")
