"""Accounts, and what stands in for their passwords: in SQL."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, bindparam, delete, or_, select, update

from central.account import Account, Pass, PassKind, Session, Token
from central.store.api import NoSuch, Taken
from central.store.sql.prepared import Lock, Prepared, adding, adding_unless_there
from central.store.sql.schema import access_tokens, accounts, passes, sessions
from central.store.sql.session import Session as Hands

_ACCOUNT, _TOKEN = TypeAdapter(Account), TypeAdapter(Token)

_CREATE = adding_unless_there(accounts)
_SAVE = Prepared(
    update(accounts)
    .where(accounts.c.id == bindparam("of"))
    .values(
        login=bindparam("login"),
        email_folded=bindparam("email_folded"),
        subject=bindparam("subject"),
        memory=bindparam("memory"),
    )
)
_GET = Prepared(select(accounts).where(accounts.c.id == bindparam("of")), Lock.TO_CHANGE)
_FIND = Prepared(select(accounts).where(accounts.c.login == bindparam("named")), Lock.TO_CHANGE)
_FIND_SUBJECT = Prepared(
    select(accounts).where(accounts.c.subject == bindparam("named"), accounts.c.subject != "").limit(1)
)


def _by_login(those: Select[Any]) -> Select[Any]:
    return those.order_by(accounts.c.login)


_WITH_EMAIL = Prepared(_by_login(select(accounts).where(accounts.c.email_folded == bindparam("folded"))))
_LIST = Prepared(_by_login(select(accounts).where(accounts.c.login > bindparam("after"))).limit(bindparam("most")))

_ADD_TOKEN = adding(access_tokens)
_SAVE_TOKEN = Prepared(
    update(access_tokens).where(access_tokens.c.id == bindparam("of")).values(memory=bindparam("remember"))
)
_FIND_TOKEN = Prepared(select(access_tokens).where(access_tokens.c.digest == bindparam("of")), Lock.TO_CHANGE)
_TOKENS = Prepared(
    select(access_tokens).where(access_tokens.c.account_id == bindparam("of")).order_by(access_tokens.c.id)
)

_OPEN = adding(sessions)
_SESSION = Prepared(select(sessions).where(sessions.c.digest == bindparam("of")))
_SEE = Prepared(update(sessions).where(sessions.c.digest == bindparam("of")).values(seen_at=bindparam("at")))
_SESSIONS = Prepared(
    select(sessions).where(sessions.c.account_id == bindparam("of")).order_by(sessions.c.created_at, sessions.c.digest)
)
_END = Prepared(delete(sessions).where(sessions.c.digest == bindparam("of")))
_END_ALL = Prepared(
    delete(sessions).where(sessions.c.account_id == bindparam("of"), sessions.c.digest != bindparam("spared"))
)
_PRUNE_SESSIONS = Prepared(
    delete(sessions).where(or_(sessions.c.expires_at <= bindparam("at"), sessions.c.seen_at < bindparam("idle_since")))
)

_GIVE = adding(passes)
_PASS = Prepared(
    select(passes).where(passes.c.digest == bindparam("of"), passes.c.kind == bindparam("of_kind")), Lock.TO_CHANGE
)
_TAKE = Prepared(delete(passes).where(passes.c.digest == bindparam("of")))
_VOID = Prepared(delete(passes).where(passes.c.account_id == bindparam("of")))
_PRUNE_PASSES = Prepared(delete(passes).where(passes.c.expires_at <= bindparam("at")))


class SqlAccounts:
    """`central.store.ports.accounts.Accounts` on SQL."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def create(self, account: Account) -> Account:
        self._check_free(account)
        number = self._hands.find_room(_CREATE, _columns(account))
        if number is None:
            raise _taken(account)
        return self.get(number)

    def save(self, account: Account) -> None:
        self.get(account.id)
        self._check_free(account)
        self._hands.write(_SAVE, {"of": account.id, **_columns(account)})

    def get(self, account_id: int) -> Account:
        row = self._hands.first(_GET, {"of": account_id})
        if row is None:
            raise NoSuch(f"there is no account {account_id}")
        return _account(row)

    def find(self, login: str) -> Account | None:
        row = self._hands.first(_FIND, {"named": login})
        return None if row is None else _account(row)

    def find_subject(self, subject: str) -> Account | None:
        row = self._hands.first(_FIND_SUBJECT, {"named": subject})
        return None if row is None else _account(row)

    def with_email(self, email: str) -> Sequence[Account]:
        folded = email.casefold()
        return [_account(row) for row in self._hands.rows(_WITH_EMAIL, {"folded": folded})] if folded else []

    def list(self, *, after: str = "", limit: int = 100) -> Sequence[Account]:
        return [_account(row) for row in self._hands.rows(_LIST, {"after": after, "most": limit})]

    def add_token(self, token: Token) -> Token:
        self.get(token.account_id)
        row = {"account_id": token.account_id, "digest": token.digest, "memory": _token_out(token)}
        return replace(token, id=self._hands.add(_ADD_TOKEN, row))

    def save_token(self, token: Token) -> None:
        if not self._hands.write(_SAVE_TOKEN, {"of": token.id, "remember": _token_out(token)}):
            raise NoSuch(f"there is no token {token.id}")

    def find_token(self, digest: str) -> Token | None:
        row = self._hands.first(_FIND_TOKEN, {"of": digest})
        return None if row is None else _token(row)

    def tokens(self, account_id: int) -> Sequence[Token]:
        return [_token(row) for row in self._hands.rows(_TOKENS, {"of": account_id})]

    def open_session(self, session: Session) -> None:
        self.get(session.account_id)
        self._hands.write(_OPEN, {column.name: getattr(session, column.name) for column in sessions.columns})

    def find_session(self, digest: str) -> Session | None:
        row = self._hands.first(_SESSION, {"of": digest})
        return None if row is None else _session(row)

    def see_session(self, digest: str, at: datetime) -> None:
        self._hands.write(_SEE, {"of": digest, "at": at})

    def sessions(self, account_id: int) -> Sequence[Session]:
        return [_session(row) for row in self._hands.rows(_SESSIONS, {"of": account_id})]

    def end_session(self, digest: str) -> None:
        self._hands.write(_END, {"of": digest})

    def end_sessions(self, account_id: int, *, but: str = "") -> int:
        return self._hands.write(_END_ALL, {"of": account_id, "spared": but})

    def give_pass(self, given: Pass) -> None:
        if given.account_id is not None:
            self.get(given.account_id)
        row = {"digest": given.digest, "kind": given.kind.value, "account_id": given.account_id}
        self._hands.write(_GIVE, row | {"expires_at": given.expires_at, "data": json.dumps(dict(given.data))})

    def take_pass(self, digest: str, kind: PassKind, at: datetime) -> Pass | None:
        row = self._hands.first(_PASS, {"of": digest, "of_kind": kind.value})
        if row is None or not self._hands.write(_TAKE, {"of": digest}) or row.expires_at <= at:
            return None
        return Pass(row.digest, kind, row.expires_at, row.account_id, json.loads(row.data))

    def void_passes(self, account_id: int) -> None:
        self._hands.write(_VOID, {"of": account_id})

    def prune(self, at: datetime, *, idle_since: datetime) -> None:
        self._hands.write(_PRUNE_SESSIONS, {"at": at, "idle_since": idle_since})
        self._hands.write(_PRUNE_PASSES, {"at": at})

    def _check_free(self, account: Account) -> None:
        for other in (self.find(account.login), self.find_subject(account.subject)):
            if other is not None and other.id != account.id:
                raise _taken(account)


def _taken(account: Account) -> Taken:
    return Taken(f"somebody has the login {account.login!r} already, or signs in as its subject")


def _columns(account: Account) -> Mapping[str, Any]:
    memory = _ACCOUNT.dump_json(account, exclude={"id", "login", "subject"}).decode()
    folded = account.email.casefold()
    return {"login": account.login, "email_folded": folded, "subject": account.subject, "memory": memory}


def _account(row: Any) -> Account:
    return _ACCOUNT.validate_python(
        {**json.loads(row.memory), "id": row.id, "login": row.login, "subject": row.subject}
    )


def _token_out(token: Token) -> str:
    return _TOKEN.dump_json(token, exclude={"id", "account_id", "digest"}).decode()


def _token(row: Any) -> Token:
    columns = {"id": row.id, "account_id": row.account_id, "digest": row.digest}
    return _TOKEN.validate_python({**json.loads(row.memory), **columns})


def _session(row: Any) -> Session:
    return Session(row.digest, row.account_id, row.created_at, row.expires_at, row.seen_at)
