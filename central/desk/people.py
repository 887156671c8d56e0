"""People for whoever asks: rights first, then the act with its entry in the audit log, in one transaction."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from central.account import Account, Grant, Role, Scope, Token
from central.audit import Entry
from central.desk.auth import TOKEN_PREFIX, Gate, digest, folded, opaque
from central.desk.passwords import demand_good
from central.desk.services.errors import NotAllowed
from central.model import Person
from central.rights import Action, Forbidden, Principal, demand, may
from central.store.api import NoSuch, Store, Taken, Transaction

T = TypeVar("T")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,253}")
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
LONGEST_TOKEN = timedelta(days=366)
ADMINISTRATOR = "admin"


class PeopleDesk:
    """Accounts, as far as whoever asks may have to do with them. Their own everybody may see and guard.

    `Forbidden`: they may not. `NoSuch`: there is no such account. `NotAllowed`: nobody may; the sentence says why.
    """

    def __init__(
        self,
        store: Store,
        gate: Gate,
        clock: Callable[[], datetime],
        *,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store, self._gate, self._clock, self._entropy = store, gate, clock, entropy

    def list(self, principal: Principal, *, after: str = "", limit: int = 100) -> Sequence[Account]:
        """Accounts by login, `limit` of them after that one."""
        demand(may(principal, Action.SEE_PEOPLE), principal, Action.SEE_PEOPLE)
        return self._store.read(lambda tx: tx.accounts.list(after=after, limit=limit))

    def show(self, principal: Principal, login: str) -> Account:
        """One account: their own, or any."""
        if not self._is_own(principal, login):
            demand(may(principal, Action.SEE_PEOPLE), principal, Action.SEE_PEOPLE)
        return self._store.read(lambda tx: _account(tx, login))

    def audit(self, principal: Principal, *, before: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """What was done to this installation, newest first."""
        demand(may(principal, Action.SEE_AUDIT), principal, Action.SEE_AUDIT)
        return self._store.read(lambda tx: tx.audit.list(before=before, limit=limit))

    def create(
        self, principal: Principal, login: str, *, name: str = "", email: str = "", grants: Iterable[Grant] = ()
    ) -> Account:
        """A new account, which nobody can sign in as yet: invite them, or give them a password.

        :raises NotAllowed: the login or address is none, or taken."""
        login, granted = folded(login), frozenset(grants)
        if not _LOGIN.fullmatch(login):
            raise NotAllowed(f"a login is small letters, digits and . _ @ + -, not {login!r}")
        if email and not _EMAIL.fullmatch(email):
            raise NotAllowed(f"{email!r} is no e-mail address such as alice@example.org")
        for grant in granted:
            _check_grant(grant)
        made = Account(login, name or login, email, granted, self._clock())

        def create(tx: Transaction) -> Account:
            try:
                account = tx.accounts.create(made)
            except Taken:
                raise NotAllowed(f"there is an account {login!r} already") from None
            self._record(tx, principal, "create an account", login, {"grants": sorted(map(str, granted))})
            return account

        return self._manage(principal, create)

    def grant(self, principal: Principal, login: str, grant: Grant) -> Account:
        """Let them be this, too; a repeat is nothing."""
        _check_grant(grant)
        return self._change_grants(principal, login, grant, lambda grants: grants | {grant}, "grant")

    def revoke(self, principal: Principal, login: str, grant: Grant) -> Account:
        """Let them be this no more; a repeat is nothing.  :raises NotAllowed: nobody would be left to manage people."""
        return self._change_grants(principal, login, grant, lambda grants: grants - {grant}, "revoke")

    def disable(self, principal: Principal, login: str) -> Account:
        """Keep them out from now on: sessions, tokens and links with them.  :raises NotAllowed: as `revoke`."""

        def disable(tx: Transaction) -> Account:
            account = _account(tx, login)
            if account.disabled_at is not None:
                return account
            after = account.evolve(disabled_at=self._clock())
            tx.accounts.save(after)
            demand_administrator(tx, instead_of=account)
            self._turn_out(tx, account)
            self._record(tx, principal, "disable an account", account.login)
            return after

        return self._manage(principal, disable)

    def enable(self, principal: Principal, login: str) -> Account:
        """Let them in again, as they were."""

        def enable(tx: Transaction) -> Account:
            account = _account(tx, login)
            if account.disabled_at is None:
                return account
            tx.accounts.save(account.evolve(disabled_at=None))
            self._record(tx, principal, "enable an account", account.login)
            return account.evolve(disabled_at=None)

        return self._manage(principal, enable)

    def invite(self, principal: Principal, login: str) -> str:
        """What a one-time link for them holds. Once they come by it, their password of before is forgotten."""
        text = opaque(self._entropy)

        def invite(tx: Transaction) -> None:
            self._gate.give_invite(tx, login, text)
            self._record(tx, principal, "invite", folded(login))

        self._manage(principal, invite)
        return text

    def set_password(self, principal: Principal, login: str, password: str) -> None:
        """Give them a password.  :raises BadPassword: it is too easy to guess."""
        demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)
        demand_good(password, folded(login))
        kept = self._gate.passwords.hash(password)

        def change(tx: Transaction) -> None:
            account = _account(tx, login)
            tx.accounts.save(account.evolve(password=kept))
            self._turn_out(tx, account)
            self._record(tx, principal, "set a password", account.login)

        self._store.write(change)

    def change_password(self, principal: Principal, old: str, new: str, *, source: str, cookie: str = "") -> None:
        """Their own, which they show once more; whoever came by a link has none to show. All sessions but that of
        `cookie` end, and no link lets anybody in any more.

        :raises NotKnown, TooManyTries: the old one is wrong.  :raises BadPassword: the new one is too easy to guess.
        :raises NotAllowed: they sign in elsewhere."""
        login = self._own(principal)
        account = self._store.read(lambda tx: _account(tx, login))
        if account.subject and not account.password:
            raise NotAllowed("you sign in with your organisation: there is no password of yours here")
        if account.password:
            self._gate.verify(login, old, source=source)
        demand_good(new, login)
        kept = self._gate.passwords.hash(new)

        def change(tx: Transaction) -> None:
            now = _account(tx, login)
            if now.password != account.password:
                raise NotAllowed("your password has just been changed elsewhere")
            tx.accounts.save(now.evolve(password=kept))
            self._turn_out(tx, now, but=cookie)
            self._record(tx, principal, "change the own password", login)

        self._store.write(change)

    def sign_out_everywhere(self, principal: Principal, login: str = "", *, cookie: str = "") -> int:
        """End every session of theirs, or of `login`, but that of `cookie`; how many."""
        login = folded(login) if login and not self._is_own(principal, login) else self._own(principal)
        if login != principal.person.id:
            demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)

        def end(tx: Transaction) -> int:
            number = self._turn_out(tx, _account(tx, login), but=cookie)
            self._record(tx, principal, "sign out everywhere", login, {"sessions": number})
            return number

        return self._store.write(end)

    def tokens(self, principal: Principal, login: str) -> Sequence[Token]:
        """Every access token that they, or `login`, ever had."""
        if not self._is_own(principal, login):
            demand(may(principal, Action.SEE_PEOPLE), principal, Action.SEE_PEOPLE)
        return self._store.read(lambda tx: tx.accounts.tokens(_account(tx, login).id))

    def add_token(
        self, principal: Principal, login: str, name: str, scopes: Iterable[Scope], *, lasts: timedelta
    ) -> tuple[str, Token]:
        """A new access token, and its text, which is told only now.

        :raises NotAllowed: it has no name, may do nothing, or would last too long."""
        self._demand_own_or_managed(principal, login)
        granted, at, text = frozenset(scopes), self._clock(), opaque(self._entropy, TOKEN_PREFIX)
        if not name.strip() or not granted:
            raise NotAllowed("a token has a name, and at least one scope")
        if not timedelta(0) < lasts <= LONGEST_TOKEN:
            raise NotAllowed(f"a token lasts {LONGEST_TOKEN.days} days at most")

        def add(tx: Transaction) -> Token:
            account = _account(tx, login)
            token = tx.accounts.add_token(Token(account.id, name.strip(), digest(text), granted, at, at + lasts))
            more = {"token": token.id, "scopes": sorted(granted)}
            self._record(tx, principal, "add a token", account.login, more)
            return token

        return text, self._store.write(add)

    def revoke_token(self, principal: Principal, login: str, token_id: int) -> None:
        """It stands for nobody any more; a repeat is nothing.  :raises NoSuch: they have no such token."""
        self._demand_own_or_managed(principal, login)

        def revoke(tx: Transaction) -> None:
            account = _account(tx, login)
            token = next((each for each in tx.accounts.tokens(account.id) if each.id == token_id), None)
            if token is None:
                raise NoSuch(f"{account.login} has no token {token_id}")
            if token.revoked_at is None:
                tx.accounts.save_token(replace(token, revoked_at=self._clock()))
                self._record(tx, principal, "revoke a token", account.login, {"token": token.id})

        self._store.write(revoke)

    def ensure_administrator(self) -> str | None:
        """Where there is no account at all, one of the central team; what a link for them holds. None: there is one."""
        text = opaque(self._entropy)

        def ensure(tx: Transaction) -> str | None:
            if tx.accounts.list(limit=1):
                return None
            made = Account(ADMINISTRATOR, "Administrator", "", frozenset({Grant(Role.CENTRAL)}), self._clock())
            try:
                tx.accounts.create(made)
            except Taken:  # another process starts for the first time as well
                return None
            self._gate.give_invite(tx, ADMINISTRATOR, text)
            tx.audit.record(Entry(self._clock(), "interdesk", "create an account", ADMINISTRATOR))
            return text

        return self._store.write(ensure)

    def _change_grants(
        self,
        principal: Principal,
        login: str,
        grant: Grant,
        changed: Callable[[frozenset[Grant]], frozenset[Grant]],
        act: str,
    ) -> Account:
        def change(tx: Transaction) -> Account:
            account = _account(tx, login)
            after = account.evolve(grants=changed(account.grants))
            if after != account:
                tx.accounts.save(after)
                demand_administrator(tx, instead_of=account)
                self._record(tx, principal, act, account.login, {"grant": str(grant)})
            return after

        return self._manage(principal, change)

    def _manage(self, principal: Principal, act: Callable[[Transaction], T]) -> T:
        demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)
        return self._store.write(act)

    def _turn_out(self, tx: Transaction, account: Account, *, but: str = "") -> int:
        tx.accounts.void_passes(account.id)
        return tx.accounts.end_sessions(account.id, but=digest(but) if but else "")

    def _record(
        self, tx: Transaction, principal: Principal, act: str, login: str, data: Mapping[str, Any] | None = None
    ) -> None:
        tx.audit.record(Entry(self._clock(), principal.person.id, act, login, data or {}))

    @staticmethod
    def _is_own(principal: Principal, login: str) -> bool:
        return principal.scopes is None and principal.person.id == folded(login)

    @staticmethod
    def _own(principal: Principal) -> str:
        if principal.scopes is not None:
            raise Forbidden("this takes somebody who has signed in: no token may do it")
        return principal.person.id

    def _demand_own_or_managed(self, principal: Principal, login: str) -> None:
        if not self._is_own(principal, login):
            demand(may(principal, Action.MANAGE_PEOPLE), principal, Action.MANAGE_PEOPLE)


def of_the_machine(name: str) -> Principal:
    """Whoever has the database in hand, as the command line does: they may do all that the central team may."""
    return Principal(Person(id=name), frozenset({Grant(Role.CENTRAL)}))


def _account(tx: Transaction, login: str) -> Account:
    account = tx.accounts.find(folded(login))
    if account is None:
        raise NoSuch(f"there is no account {login!r}")
    return account


def _check_grant(grant: Grant) -> None:
    try:
        Grant.read(str(grant))
    except ValueError as problem:
        raise NotAllowed(str(problem)) from None


def _manages(account: Account) -> bool:
    return Grant(Role.CENTRAL) in account.grants and account.disabled_at is None


def demand_administrator(tx: Transaction, *, instead_of: Account, gone: bool = False) -> None:
    """:raises NotAllowed: this account manages people (or did, before this change), and nobody is left who does.
    `gone`: it is about to go."""
    after = ""
    while _manages(instead_of):
        page = tx.accounts.list(after=after)
        if any(_manages(each) for each in page if not gone or each.id != instead_of.id):
            return
        if not page:
            raise NotAllowed("this is the last one of the central team: nobody would be left to manage people")
        after = page[-1].login
