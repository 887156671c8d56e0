"""Passwords: how they are kept, and how one that was just checked need not be checked again."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock, Semaphore
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 1024
SIDE_BY_SIDE = 2
"""So many are checked at once: each takes 64 MiB."""
REMEMBERED = timedelta(minutes=10)
MOST_REMEMBERED = 10_000


class BadPassword(Exception):
    """This may not become a password. The sentence says why."""


def demand_good(password: str, login: str) -> None:
    """:raises BadPassword: it is one of the first that anybody would try, or too long."""
    if len(password) < SHORTEST:
        raise BadPassword(f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise BadPassword(f"a password has at most {LONGEST} characters")
    if len(set(password)) < 5 or password.casefold() in login.casefold() * (len(password) + 1):
        raise BadPassword("this password is one of the first that anybody would try: take another")


class Hasher(Protocol):
    """What is used of `argon2.PasswordHasher`."""

    def hash(self, password: str, /) -> str: ...
    def verify(self, kept: str, password: str, /) -> bool: ...
    def check_needs_rehash(self, kept: str, /) -> bool: ...


def strong() -> Hasher:
    """Argon2id as RFC 9106 recommends where memory is short: some 50 ms and 64 MiB each."""
    return PasswordHasher()


class Passwords:
    """Hashes passwords, and checks them; a login that nobody has takes as long as one that somebody has."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._turn = Semaphore(SIDE_BY_SIDE)

    def hash(self, password: str) -> str:
        """What is kept of it."""
        with self._turn:
            return self._hasher.hash(password)

    def fits(self, kept: str, password: str) -> bool:
        """Whether this is the password of which this is kept; '' keeps none, and takes as long."""
        with self._turn:
            try:
                return self._hasher.verify(kept or self._nobodys, password[: LONGEST + 1]) and bool(kept)
            except (VerificationError, InvalidHashError, UnicodeError):
                return False

    @cached_property
    def _nobodys(self) -> str:
        """What is checked where nothing is kept."""
        return self._hasher.hash("nobody's")

    def outdated(self, kept: str) -> bool:
        """Whether it was kept in a way that is weaker than today's."""
        return self._hasher.check_needs_rehash(kept)


class Remembered:
    """Passwords that fitted a moment ago, so that a program that shows its own with every call costs little.

    Only a digest under a key of this process is held, beside what the account kept then: once that is another, or the
    time is over, it has to be checked anew.
    """

    def __init__(self, clock: Callable[[], datetime], key: bytes) -> None:
        self._clock, self._key = clock, key
        self._known: OrderedDict[bytes, tuple[str, datetime]] = OrderedDict()
        self._lock = Lock()

    def knows(self, login: str, password: str, kept: str) -> bool:
        """Whether this password fitted what is kept, a moment ago."""
        digest = self._digest(login, password)
        with self._lock:
            then, until = self._known.get(digest, ("", self._clock()))
            if kept and hmac.compare_digest(then, kept) and self._clock() < until:
                return True
            self._known.pop(digest, None)
            return False

    def learn(self, login: str, password: str, kept: str) -> None:
        """It fits."""
        with self._lock:
            self._known[self._digest(login, password)] = (kept, self._clock() + REMEMBERED)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)

    def _digest(self, login: str, password: str) -> bytes:
        text = f"{len(login)} {login} {password}".encode(errors="surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)
