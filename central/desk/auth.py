"""Gate: who is it? Every door asks here, and gets a `Principal` or a refusal that tells nothing.

What people and programs show (a cookie, a token, a one-time link) is random and long, and kept as its SHA-256; only
passwords need argon2, once for each session or token. What somebody is granted is read anew each time, so that whoever
is disabled is out at once.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from central.account import Account, Pass, PassKind, Session, Token
from central.desk import tries
from central.desk.passwords import Hasher, Passwords, Remembered, strong
from central.desk.tries import Limits, TooManyTries
from central.rights import Principal
from central.store.api import NoSuch, Store, Transaction

__all__ = ["Gate", "NotKnown", "TooManyTries", "digest", "opaque"]

LASTS = timedelta(hours=24)
"""A session ends so long after it began, whatever happens in it."""
IDLE = timedelta(hours=8)
"""And so long after it was last used."""
SEEN_EVERY = timedelta(minutes=5)
"""What was used is written down no more often than this."""
INVITE_LASTS = timedelta(hours=24)
LONGEST_LOGIN = 254
TOKEN_PREFIX = "idk_"  # noqa: S105 (by which scanners know one that was published by mistake)


class NotKnown(Exception):
    """Nobody comes in with this. Why, is not said: not whether there is such an account either."""

    def __init__(self, sentence: str = "nobody is known by this login and password") -> None:
        super().__init__(sentence)


def opaque(entropy: Callable[[int], bytes], prefix: str = "") -> str:
    """A text that nobody can guess."""
    return prefix + base64.urlsafe_b64encode(entropy(32)).decode().rstrip("=")


def digest(text: str) -> str:
    """What is kept of such a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def once_address(pages: str, invitation: str) -> str:
    """The one-time link, where these are the pages."""
    return f"{pages}/sign-in/once?key={invitation}"


def folded(login: str) -> str:
    """A login as it is kept: logins differ by more than their case."""
    return login.strip().casefold()[: LONGEST_LOGIN + 1]


class Gate:
    """Tells who it is that comes, at whichever door. Thread-safe; processes share limits and sessions by the store."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        hasher: Hasher | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._store, self._clock, self._entropy = store, clock, entropy
        self._passwords = Passwords(hasher or strong())
        self._remembered = Remembered(clock, entropy(32))
        self._limits = limits or Limits()

    @property
    def passwords(self) -> Passwords:
        """How passwords are kept here."""
        return self._passwords

    def session(self, cookie: str) -> Principal | None:
        """Who signed in where this cookie comes from; None: nobody, or it is over."""
        at = self._clock()
        session, account = self._store.read(lambda tx: self._of_session(tx, cookie, at))
        if session is None or account is None:
            return None
        if at - session.seen_at >= SEEN_EVERY:
            self._store.write(lambda tx: tx.accounts.see_session(session.digest, at), durable=False)
        return Principal.of(account)

    def bearer(self, token: str, *, source: str = "") -> Principal:
        """For whom this token stands, and with which scopes.

        :raises NotKnown: for nobody, or no longer.  :raises TooManyTries: `source` showed too many bad ones."""
        at = self._clock()
        found, account = self._store.read(lambda tx: _of_token(tx, token))
        if found is None or account is None or found.revoked_at is not None or found.expires_at <= at:
            if source:
                self._spend("", source, at)
            raise NotKnown("this token is not known, has expired or was revoked")
        if found.used_at is None or at - found.used_at >= SEEN_EVERY:
            self._store.write(lambda tx: _use_token(tx, token, at), durable=False)
        return Principal.of(account, found.scopes)

    def password(self, login: str, password: str, *, source: str) -> Principal:
        """Who this is, for doors that are shown a password with every call. It is checked once in some minutes.

        :raises NotKnown: nobody.  :raises TooManyTries: it was not even looked at."""
        login = folded(login)
        account = self._store.read(lambda tx: tx.accounts.find(login))
        if account is not None and _may_come(account) and self._remembered.knows(login, password, account.password):
            return Principal.of(account)
        account = self._check(login, password, source)
        self._remembered.learn(login, password, account.password)
        return Principal.of(account)

    def sign_in(self, login: str, password: str, *, source: str) -> tuple[str, Session]:
        """Open a session; what its cookie is to hold, which is told only now.

        :raises NotKnown: by nobody.  :raises TooManyTries: it was not even looked at."""
        return self.admit(self._check(folded(login), password, source))

    def accept(self, invitation: str, *, source: str = "") -> tuple[str, Session]:
        """Open a session by a one-time link. It is for whoever cannot come in otherwise: what let them in before, other
        sessions and their password, lets nobody in any more.

        :raises NotKnown: it was used, is too old, or was never given.  :raises TooManyTries: `source` showed too
        many such."""
        at = self._clock()

        def take(tx: Transaction) -> Account | None:
            taken = tx.accounts.take_pass(digest(invitation), PassKind.INVITE, at)
            account = tx.accounts.get(taken.account_id) if taken and taken.account_id else None
            if account is None or not _may_come(account):
                return None
            tx.accounts.end_sessions(account.id)
            anew = account.evolve(password="")
            tx.accounts.save(anew)
            return anew

        account = self._store.write(take)
        if account is None:
            if source:
                self._spend("", source, at)
            raise NotKnown("this link was used before, or is too old: ask for a new one")
        return self.admit(account)

    def admit(self, account: Account) -> tuple[str, Session]:
        """Open a session for whoever proved to be this account.

        :raises NotKnown: it was disabled, or its password changed, since it was read."""
        at, cookie = self._clock(), opaque(self._entropy)
        session = Session(digest(cookie), account.id, at, at + LASTS, at)

        def admit(tx: Transaction) -> None:
            now = tx.accounts.get(account.id)
            if not _may_come(now) or now.password != account.password:
                raise NotKnown
            tx.accounts.open_session(session)

        self._store.write(admit)
        return cookie, session

    def invite(self, login: str, *, lasts: timedelta = INVITE_LASTS) -> str:
        """What a link holds by which somebody signs in as this account, once, without a password.

        :raises NoSuch: there is no such account, or it is disabled."""
        text = opaque(self._entropy)
        self._store.write(lambda tx: self.give_invite(tx, login, text, lasts=lasts))
        return text

    def give_invite(self, tx: Transaction, login: str, text: str, *, lasts: timedelta = INVITE_LASTS) -> None:
        """The same with a text that is given, in a transaction that holds more."""
        account = tx.accounts.find(folded(login))
        if account is None or not _may_come(account):
            raise NoSuch(f"there is no account {login!r} that may sign in")
        tx.accounts.give_pass(Pass(digest(text), PassKind.INVITE, self._clock() + lasts, account.id))

    def verify(self, login: str, password: str, *, source: str) -> None:
        """Somebody who is in shows their password once more.  :raises NotKnown, TooManyTries: as `sign_in`."""
        self._check(folded(login), password, source)

    def sign_out(self, cookie: str) -> None:
        """End a session; a repeat is nothing."""
        self._store.write(lambda tx: tx.accounts.end_session(digest(cookie)))

    def sweep(self) -> None:
        """Forget what has expired."""
        at = self._clock()
        self._store.write(lambda tx: tx.accounts.prune(at, idle_since=at - IDLE), durable=False)
        self._store.write(lambda tx: tx.tries.prune(at), durable=False)

    @staticmethod
    def form_token(cookie: str) -> str:
        """What every form of this session carries: only who was shown its page knows it."""
        return hmac.new(cookie.encode(errors="surrogatepass"), b"form", hashlib.sha256).hexdigest()

    @classmethod
    def is_form_token(cls, cookie: str, shown: str) -> bool:
        """Whether a form came from a page of this session."""
        return bool(cookie) and hmac.compare_digest(cls.form_token(cookie).encode(), shown.encode(errors="replace"))

    def _check(self, login: str, password: str, source: str) -> Account:
        """The account of this login and password.  :raises NotKnown, TooManyTries: as it says."""
        at = self._clock()
        self._spend(login, source, at)
        account = self._store.read(lambda tx: tx.accounts.find(login))
        fits = self._passwords.fits(account.password if account else "", password)
        if account is None or not fits or not _may_come(account):
            raise NotKnown
        self._store.write(lambda tx: tries.succeed(tx, self._limits, login, source, at), durable=False)
        if self._passwords.outdated(account.password):
            account = self._renew(account, password)
        return account

    def _renew(self, account: Account, password: str) -> Account:
        """Keep the password in today's way."""
        kept = self._passwords.hash(password)

        def renew(tx: Transaction) -> Account:
            now = tx.accounts.get(account.id)
            if now.password != account.password:  # it was changed meanwhile
                return now
            tx.accounts.save(now.evolve(password=kept))
            return now.evolve(password=kept)

        return self._store.write(renew)

    def _spend(self, login: str, source: str, at: datetime) -> None:
        self._store.write(lambda tx: tries.spend(tx, self._limits, login, source, at), durable=False)

    def _of_session(self, tx: Transaction, cookie: str, at: datetime) -> tuple[Session | None, Account | None]:
        session = tx.accounts.find_session(digest(cookie)) if cookie else None
        if session is None or session.expires_at <= at or session.seen_at + IDLE <= at:
            return None, None
        account = tx.accounts.get(session.account_id)
        return session, account if _may_come(account) else None


def _of_token(tx: Transaction, text: str) -> tuple[Token | None, Account | None]:
    token = tx.accounts.find_token(digest(text)) if text else None
    account = tx.accounts.get(token.account_id) if token else None
    return token, account if account is not None and _may_come(account) else None


def _use_token(tx: Transaction, text: str, at: datetime) -> None:
    token = tx.accounts.find_token(digest(text))
    if token is not None:
        tx.accounts.save_token(replace(token, used_at=at))


def _may_come(account: Account) -> bool:
    return account.disabled_at is None
