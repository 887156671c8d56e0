"""Who may come in, as a transaction keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from central.account import Account, Pass, PassKind, Session, Token


class Accounts(Protocol):
    """Who may come in, and what stands in for their passwords. Nothing here is checked but what is unique."""

    def create(self, account: Account) -> Account:
        """Store a new account (its `id` is given here).  :raises Taken: its login or subject is another's."""

    def save(self, account: Account) -> None:
        """Write the whole account back.  :raises NoSuch: there is none with this id.  :raises Taken: as `create`."""

    def get(self, account_id: int) -> Account:
        """:raises NoSuch: no account has this id."""

    def find(self, login: str) -> Account | None:
        """Whose login this is, disabled ones included."""

    def find_subject(self, subject: str) -> Account | None:
        """Who is this to the OpenID provider; '' is nobody."""

    def with_email(self, email: str) -> Sequence[Account]:
        """Those who have this address, whatever its case, by login; '' is nobody's."""

    def list(self, *, after: str = "", limit: int = 100) -> Sequence[Account]:
        """By login, `limit` of them after that one."""

    def add_token(self, token: Token) -> Token:
        """Store a new token (its `id` is given here).  :raises NoSuch: there is no such account."""

    def save_token(self, token: Token) -> None:
        """Write it back.  :raises NoSuch: there is none with this id."""

    def find_token(self, digest: str) -> Token | None:
        """The token of this digest, expired and revoked ones included."""

    def tokens(self, account_id: int) -> Sequence[Token]:
        """Every token an account ever had, oldest first."""

    def open_session(self, session: Session) -> None:
        """Store a new session.  :raises NoSuch: there is no such account."""

    def find_session(self, digest: str) -> Session | None:
        """The session of this digest, expired ones included."""

    def see_session(self, digest: str, at: datetime) -> None:
        """Somebody used it; nothing happens where it has ended."""

    def sessions(self, account_id: int) -> Sequence[Session]:
        """Those of one account, oldest first."""

    def end_session(self, digest: str) -> None:
        """Forget it; a repeat is nothing."""

    def end_sessions(self, account_id: int, *, but: str = "") -> int:
        """Forget all of an account, but for the one of this digest; how many those were."""

    def give_pass(self, given: Pass) -> None:
        """Keep a pass until it is taken.  :raises NoSuch: it is for an account, and there is no such account."""

    def take_pass(self, digest: str, kind: PassKind, at: datetime) -> Pass | None:
        """Take it, once: whoever comes second, or too late, gets None."""

    def void_passes(self, account_id: int) -> None:
        """Nobody comes in by a pass for this account any more."""

    def prune(self, at: datetime, *, idle_since: datetime) -> None:
        """Forget the sessions and passes that have expired, and the sessions that nobody used since."""
