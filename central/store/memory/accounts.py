"""The accounts of the reference store, and what stands in for their passwords."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from central.account import Account, Pass, PassKind, Session, Token
from central.store.api import NoSuch, Taken
from central.store.codec import as_json
from central.store.memory.tables import Tables


class MemoryAccounts:
    """`central.store.ports.accounts.Accounts`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def create(self, account: Account) -> Account:
        self._check_free(account)
        created = replace(account, id=self._tables.next_id("account"))
        self._tables.accounts.put(created.id, created)
        return created

    def save(self, account: Account) -> None:
        self.get(account.id)
        self._check_free(account)
        self._tables.accounts.put(account.id, account)

    def get(self, account_id: int) -> Account:
        found = self._tables.accounts.get(account_id)
        if found is None:
            raise NoSuch(f"there is no account {account_id}")
        return found

    def find(self, login: str) -> Account | None:
        return next((each for each in self._tables.accounts.rows() if each.login == login), None)

    def find_subject(self, subject: str) -> Account | None:
        return next((each for each in self._tables.accounts.rows() if subject and each.subject == subject), None)

    def with_email(self, email: str) -> Sequence[Account]:
        folded = email.casefold()
        return self._by_login(lambda account: bool(folded) and account.email.casefold() == folded)

    def list(self, *, after: str = "", limit: int = 100) -> Sequence[Account]:
        return self._by_login(lambda account: account.login > after)[:limit]

    def add_token(self, token: Token) -> Token:
        self.get(token.account_id)
        added = replace(token, id=self._tables.next_id("access token"))
        self._tables.access_tokens.put(added.id, added)
        return added

    def save_token(self, token: Token) -> None:
        if self._tables.access_tokens.get(token.id) is None:
            raise NoSuch(f"there is no token {token.id}")
        self._tables.access_tokens.put(token.id, token)

    def find_token(self, digest: str) -> Token | None:
        return next((each for each in self._tables.access_tokens.rows() if each.digest == digest), None)

    def tokens(self, account_id: int) -> Sequence[Token]:
        found = [each for each in self._tables.access_tokens.rows() if each.account_id == account_id]
        return sorted(found, key=lambda token: token.id)

    def open_session(self, session: Session) -> None:
        self.get(session.account_id)
        self._tables.sessions.put(session.digest, session)

    def find_session(self, digest: str) -> Session | None:
        return self._tables.sessions.get(digest)

    def see_session(self, digest: str, at: datetime) -> None:
        session = self._tables.sessions.get(digest)
        if session is not None:
            self._tables.sessions.put(digest, replace(session, seen_at=at))

    def sessions(self, account_id: int) -> Sequence[Session]:
        found = [each for each in self._tables.sessions.rows() if each.account_id == account_id]
        return sorted(found, key=lambda session: (session.created_at, session.digest))

    def end_session(self, digest: str) -> None:
        self._tables.sessions.drop(digest)

    def end_sessions(self, account_id: int, *, but: str = "") -> int:
        ended = [each.digest for each in self.sessions(account_id) if each.digest != but]
        for digest in ended:
            self._tables.sessions.drop(digest)
        return len(ended)

    def give_pass(self, given: Pass) -> None:
        if given.account_id is not None:
            self.get(given.account_id)
        self._tables.passes.put(given.digest, replace(given, data=as_json(dict(given.data))))

    def take_pass(self, digest: str, kind: PassKind, at: datetime) -> Pass | None:
        found = self._tables.passes.get(digest)
        if found is None or found.kind is not kind:
            return None
        self._tables.passes.drop(digest)
        return found if found.expires_at > at else None

    def void_passes(self, account_id: int) -> None:
        for given in [each for each in self._tables.passes.rows() if each.account_id == account_id]:
            self._tables.passes.drop(given.digest)

    def prune(self, at: datetime, *, idle_since: datetime) -> None:
        for session in list(self._tables.sessions.rows()):
            if session.expires_at <= at or session.seen_at < idle_since:
                self._tables.sessions.drop(session.digest)
        for given in list(self._tables.passes.rows()):
            if given.expires_at <= at:
                self._tables.passes.drop(given.digest)

    def _by_login(self, wanted: Callable[[Account], bool]) -> Sequence[Account]:
        return sorted(filter(wanted, self._tables.accounts.rows()), key=lambda account: account.login)

    def _check_free(self, account: Account) -> None:
        for other in (self.find(account.login), self.find_subject(account.subject)):
            if other is not None and other.id != account.id:
                raise Taken(f"somebody has the login {account.login!r} already, or signs in as its subject")
