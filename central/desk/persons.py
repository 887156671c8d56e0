"""What is kept of one person: told to whoever may ask, and erased.

Somebody is named by their address, their login, or as SYSTEM/ID where they write in a system without an address. What
they wrote stays, by nobody in particular; out of the words of comments, descriptions and solutions, and out of files'
names, go their address and their full name. What proves that it was said, sent or seen stays, too; and what other
systems hold is for whoever runs those.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from central.account import Account
from central.audit import Entry
from central.desk.auth import folded
from central.desk.mentions import Mention, mentions
from central.desk.people import demand_administrator
from central.desk.services.tickets import Erasing
from central.erasure import Erasure
from central.events import Event
from central.link import LinkState
from central.mail import Mail, Verdict
from central.model import Comment, Person, plain
from central.rights import Action, Principal, demand, may
from central.store.api import Busy, Store, Transaction

TRIES = 3
"""How often a ticket that is being looked at is tried."""
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Erased:
    """What came of it."""

    alias: str
    """What they are called from now on."""
    accounts: int
    tickets: int
    """On so many they were named."""
    busy: tuple[int, ...] = ()
    """Tickets that were being looked at each time: erase once more. Account and audit log are left until then."""
    still: tuple[str, ...] = ()
    """Tickets of other systems, as SYSTEM/KEY, that name them still: that is theirs to change."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would change."""

    alias: str
    """What they would be called; the erasure itself makes another one."""
    accounts: int
    tickets: int
    mails: int
    audit: int
    """Entries of the audit log."""
    copies: tuple[str, ...]
    """Those tickets in other systems, as SYSTEM/KEY: what they say of somebody stays as it is there."""
    mentions: tuple[Mention, ...]
    """Every place on those tickets, with what would stand there."""


@dataclass(frozen=True, slots=True)
class _Found:
    erasure: Erasure
    accounts: tuple[Account, ...]
    tickets: tuple[int, ...]


class PersonDesk:
    """One person's data. Everybody may have their own; the central team may have and erase anybody's."""

    def __init__(
        self,
        store: Store,
        erasing: Erasing,
        clock: Callable[[], datetime],
        *,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store, self._erasing, self._clock, self._entropy = store, erasing, clock, entropy

    def export(self, principal: Principal, who: str) -> Mapping[str, Any]:
        """All that is kept of them, as plain data.  :raises Forbidden: it is somebody else, and they may not."""
        own = principal.scopes is None and folded(who) in {principal.person.id, principal.person.email.casefold()}
        if not own or not folded(who):
            demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)
        return self._store.read(lambda tx: self._told(tx, self._find(tx, who)))

    def preview(self, principal: Principal, who: str) -> Preview:
        """What erasing them would change; nothing is changed.  :raises Forbidden: they may not erase."""
        demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)

        def question(tx: Transaction) -> tuple[Erasure, Preview]:
            found = self._find(tx, who)
            erasure = found.erasure
            named = tuple(each for ticket_id in found.tickets for each in mentions(tx, ticket_id, erasure))
            audit = sum(erasure.entry(entry) != entry for entry in _log(tx))
            copies = tuple(place for ticket_id in found.tickets for place in _copies(tx, ticket_id))
            told = Preview(erasure.alias, len(found.accounts), len(found.tickets), 0, audit, copies, named)
            return erasure, told

        erasure, told = self._store.read(question)
        return replace(told, mails=sum(1 for _ in self._mails_of(erasure)))

    def erase(self, principal: Principal, who: str) -> Erased:
        """Forget them everywhere. Whoever is erased and comes again is somebody new.

        :raises Forbidden: they may not.  :raises NotAllowed: nobody would be left to manage people."""
        demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)
        found = self._store.read(lambda tx: self._find(tx, who))
        self._store.read(lambda tx: _demand_administrators(tx, found.accounts))
        still: list[str] = []
        busy = list(found.tickets)
        for _ in range(TRIES):
            waiting, busy = busy, []
            for ticket_id in waiting:
                try:
                    still += self._erasing.ticket(ticket_id, found.erasure)
                except Busy:
                    busy.append(ticket_id)
        self._forget_mails(found.erasure)
        if not busy:
            self._store.write(lambda tx: self._forget(tx, principal, found))
        accounts = 0 if busy else len(found.accounts)
        return Erased(found.erasure.alias, accounts, len(found.tickets), tuple(busy), tuple(still))

    def _forget_mails(self, erasure: Erasure) -> None:
        """What they sent by mail; that it came stays known, or it would be taken in again."""
        for mail in self._mails_of(erasure):
            waits = mail.verdict is Verdict.QUARANTINED
            forget_mail(self._store, replace(mail, verdict=Verdict.DISCARDED) if waits else mail)

    def _mails_of(self, erasure: Erasure) -> Iterator[Mail]:
        return (mail for mail in mails(self._store) if mail.sender.casefold() in erasure.words)

    def _find(self, tx: Transaction, who: str) -> _Found:
        """Who it is by everything that names nobody else, and where."""
        system, slash, key = who.strip().partition("/")
        alias = f"erased-{self._entropy(4).hex()}"
        if slash:
            erasure = Erasure(alias, origins=frozenset({(system, key)}))
            return _Found(erasure, (), tuple(tx.traces.tickets([key])))
        known = tx.accounts.find(folded(who))
        accounts = {each.id: each for each in (*([known] if known else []), *tx.accounts.with_email(folded(who)))}
        words = {folded(who), *(each.login for each in accounts.values())}
        words |= {each.email.casefold() for each in accounts.values() if each.email}
        erasure = Erasure(alias, frozenset(words - {""}))
        tickets = tx.traces.tickets(erasure.words)
        them = [person for each in tickets for person in _people(tx, each) if erasure.is_them(person)]
        names = {each.casefold() for each in (*(p.name for p in them), *(a.name for a in accounts.values())) if each}
        erasure = replace(
            erasure,
            words=erasure.words | {person.id.casefold() for person in them if not person.system},
            names=frozenset(names),
            origins=frozenset((person.system, person.id) for person in them if person.system),
        )
        more = tx.traces.tickets({person.id for person in them} - erasure.words)
        spoken_of = set(tx.traces.spoken_of(erasure.plain_words)).difference(tickets, more)
        told = [each for each in spoken_of if any(mentions(tx, each, erasure))]
        return _Found(erasure, tuple(accounts.values()), tuple(sorted({*tickets, *more, *told})))

    def _forget(self, tx: Transaction, principal: Principal, found: _Found) -> None:
        at, erasure = self._clock(), found.erasure
        for number, account in enumerate(found.accounts):
            demand_administrator(tx, instead_of=account, gone=True)
            tx.accounts.end_sessions(account.id)
            tx.accounts.void_passes(account.id)
            for token in tx.accounts.tokens(account.id):
                tx.accounts.save_token(replace(token, name="", revoked_at=token.revoked_at or at))
            login = erasure.alias if not number else f"{erasure.alias}-{number}"
            tx.accounts.save(Account(login, "", "", frozenset(), account.created_at, disabled_at=at, id=account.id))
        tx.traces.audit(erasure.entry)
        tx.traces.shadows(erasure.shadow)
        tx.traces.replies(erasure.reply)
        data = {"tickets": len(found.tickets), "accounts": len(found.accounts)}
        tx.audit.record(erasure.entry(Entry(at, principal.person.id, "erase a person", erasure.alias, data)))

    def _told(self, tx: Transaction, found: _Found) -> Mapping[str, Any]:
        erasure = found.erasure
        tickets = [_of_ticket(tx, each, erasure) for each in found.tickets]
        return {
            "accounts": [_of_account(tx, each) for each in found.accounts],
            "tickets": [each for each in tickets if each is not None],
            "audit": [
                {"at": each.at.isoformat(), "by": each.by, "act": each.act, "subject": each.subject}
                for each in _log(tx)
                if erasure.entry(each) != each
            ],
        }


def _demand_administrators(tx: Transaction, accounts: Iterable[Account]) -> None:
    for account in accounts:
        demand_administrator(tx, instead_of=account, gone=True)


def _of_account(tx: Transaction, account: Account) -> Mapping[str, Any]:
    return {
        "login": account.login,
        "name": account.name,
        "email": account.email,
        "grants": sorted(map(str, account.grants)),
        "subject": account.subject,
        "created_at": account.created_at.isoformat(),
        "sessions": [{"created_at": each.created_at.isoformat()} for each in tx.accounts.sessions(account.id)],
        "tokens": [
            {"name": each.name, "created_at": each.created_at.isoformat()} for each in tx.accounts.tokens(account.id)
        ],
    }


def _of_ticket(tx: Transaction, ticket_id: int, erasure: Erasure) -> Mapping[str, Any] | None:
    """What one ticket holds of them; None: nothing."""
    ticket = tx.tickets.get(ticket_id)
    fields = {name: plain(ticket[name]) for name in erasure.fields(ticket)}
    said = [each for each in tx.tickets.comments(ticket_id) if erasure.comment(each, "") != each]
    files = [each.name for each in tx.tickets.files(ticket_id) if erasure.file(each) != each]
    did = [each for each in tx.tickets.events(ticket_id) if erasure.event(each) != each]
    lost = [each for each in tx.tickets.conflicts(ticket_id) if erasure.conflict(each) != each]
    if not (fields or said or files or did or lost):
        return None
    return {
        "id": ticket_id,
        "subject": ticket["subject"],
        "fields": fields,
        "comments": [_of_comment(each) for each in said],
        "files": files,
        "history": [_of_event(each) for each in did],
        "conflicts": [{"at": each.at.isoformat(), "field": each.field, "author": each.author} for each in lost],
    }


def _copies(tx: Transaction, ticket_id: int) -> Iterator[str]:
    links = (link for link in tx.links.of(ticket_id) if link.state is not LinkState.DUPLICATE)
    return (f"{link.system}/{link.key}" for link in links if link.key)


def _of_comment(comment: Comment) -> Mapping[str, Any]:
    return {"at": comment.created_at.isoformat(), "system": comment.author.system, "text": comment.text}


def _of_event(event: Event) -> Mapping[str, Any]:
    told = {"at": event.at.isoformat(), "kind": event.kind.value, "field": event.field, "system": event.system}
    return {**told, "actor": event.actor.label, "data": dict(event.data)}


def _people(tx: Transaction, ticket_id: int) -> Sequence[Person]:
    comments, events = tx.tickets.comments(ticket_id), tx.tickets.events(ticket_id)
    return [*(each.author for each in comments), *(each.actor for each in events)]


def mails(store: Store) -> Iterator[Mail]:
    """All mail that came, newest first, a page at a time."""
    page = store.read(lambda tx: tx.mails.list(limit=PAGE))
    while page:
        yield from page
        last = page[-1].id
        page = store.read(lambda tx, last=last: tx.mails.list(before=last, limit=PAGE))  # type: ignore[misc]  # bound now


def forget_mail(store: Store, mail: Mail) -> None:
    """Keep that it came, and nothing else of it."""

    def forget(tx: Transaction) -> None:
        tx.mails.save(replace(mail, sender="", subject="", why="", sha256=""))
        if mail.sha256:
            tx.traces.drop_bytes(mail.sha256)

    store.write(forget)


def _log(tx: Transaction) -> Iterable[Entry]:
    before = None
    while page := tx.audit.list(before=before, limit=PAGE):
        yield from page
        before = page[-1].id
