"""Sealed secrets: typed in once, encrypted under a key from outside the store, and shown to nobody again.

A box is bound to its system, its name and its origin by the cipher itself: moved to another row it does not open.
"""

import base64
import json
import os
import secrets as entropy
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from central.audit import Entry
from central.seal import Seal
from central.store.api import NoSuch, Store, Transaction
from sync.secrets import KEY_FILE, MissingSecret, Whose, is_sealed

VARIABLE = "INTERDESK_SEAL_KEY"
SHORTEST = 32
"""A key is a text of so many characters at least."""
LONGEST = 64 * 1024
"""No secret has more characters."""
_NONCE = 12


class NoKey(Exception):
    """Nothing can be sealed here. The sentence says what to do."""


class NotSealed(Exception):
    """What was given is no secret that can be kept. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the key comes from: the environment, the secrets folder, the state folder, in this order."""

    environ: Mapping[str, str]
    secrets: Path | None
    state: Path
    makes: bool
    """One process is all there is, so that a key in its state folder is everybody's."""

    def find(self) -> str:
        """The key; '' where there is none.  :raises NoKey: there is one that cannot be used."""
        if self.environ.get(VARIABLE):
            return _checked(self.environ[VARIABLE], VARIABLE)
        for folder in (self.secrets, self.state):
            if folder is not None and (folder / KEY_FILE).exists():
                return _checked(_read(folder / KEY_FILE), str(folder / KEY_FILE))
        return ""

    def ensure(self) -> tuple[str, str]:
        """The key, made where there is none; and what to tell of that, '' where it was there.

        :raises NoKey: there is none, and none is made."""
        if key := self.find():
            return key, ""
        if not self.makes:
            raise NoKey(
                f"secrets cannot be sealed: there is no key. Set {VARIABLE}, a text of {SHORTEST} characters or more, "
                f"to the same for every process, or put it into the file {KEY_FILE} of the secrets folder"
            )
        path = self.state / KEY_FILE
        _make(path)
        told = (
            f"a key for sealed secrets was made in {path}: keep a copy of it apart from backups of the database, "
            "which cannot be read without it"
        )
        return self.find(), told


class Sealing:
    """Seals secrets and opens them again. Thread-safe; nothing is read from the store but in `refresh`."""

    def __init__(self, store: Store, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._seals: Mapping[tuple[str, str, str], Seal] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take in what is sealed now."""
        seals = self._store.read(lambda tx: tx.seals.list())
        self._seals = {(each.system, each.name, each.origin): each for each in seals}

    def seal(self, whose: Whose, name: str, value: str, by: str) -> str:
        """Keep a secret; what to tell of the key, where one was made.

        :raises NotSealed: it is none, or goes nowhere.  :raises NoKey: there is no key."""
        if not is_sealed(f"sealed:{name}"):
            raise NotSealed("a sealed secret is called by letters, digits, dots, dashes and underscores")
        if not value or len(value) > LONGEST or "\0" in value:
            raise NotSealed(f"a secret has 1 to {LONGEST} characters")
        if not whose.origin:
            raise NotSealed("a sealed secret goes to an address, and there is none in the system's settings")
        key, told = self._keys.ensure()
        seal = _sealed(key, whose, name, value, self._clock())

        def change(tx: Transaction) -> None:
            tx.seals.put(seal)
            data = {"name": name, "for": whose.origin}
            tx.audit.record(Entry(seal.sealed_at, by, "seal a secret", whose.system, data))

        self._store.write(change)
        self.refresh()
        return told

    def forget(self, system: str, name: str, by: str) -> None:
        """Throw a secret away.  :raises NoSuch: there is none of this name."""

        def change(tx: Transaction) -> None:
            if not tx.seals.drop(system, name):
                raise NoSuch(f"system {system} has no sealed secret {name!r}")
            tx.audit.record(Entry(self._clock(), by, "forget a secret", system, {"name": name}))

        self._store.write(change)
        self.refresh()

    def has(self, system: str, name: str) -> bool:
        """Whether the system has such a secret, for wherever it is."""
        return any((each.system, each.name) == (system, name) for each in self._seals.values())

    def open(self, name: str, whose: Whose) -> str:
        """The secret.  :raises MissingSecret: there is none for where it would go, or it cannot be opened."""
        seal = self._seals.get((whose.system, name, whose.origin))
        if seal is None:
            seals = self._seals.values()
            given = sorted(each.origin for each in seals if (each.system, each.name) == (whose.system, name))
            again = f"seal it: interdesk secret seal {name} --system {whose.system}, or on the page of the registration"
            if given:
                raise MissingSecret(f"sealed:{name} was given for {given[0]}, and not for {whose.origin}; {again}")
            raise MissingSecret(f"the secret is missing: system {whose.system} has no sealed:{name}; {again}")
        try:
            key = self._keys.find()
        except NoKey as problem:
            raise MissingSecret(f"sealed:{name} cannot be opened: {problem}") from None
        if not key:
            raise MissingSecret(
                f"sealed:{name} cannot be opened: its key is gone; bring back {VARIABLE}, or the file {KEY_FILE}"
            )
        value = _opened(key, seal)
        if value is None:
            raise MissingSecret(f"sealed:{name} was sealed under another key: bring that one back, or seal it anew")
        return value


def _sealed(key: str, whose: Whose, name: str, value: str, at: datetime) -> Seal:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # slow to load, and few processes seal

    nonce = entropy.token_bytes(_NONCE)
    box = AESGCM(_bytes(key)).encrypt(nonce, value.encode(), _bound(whose.system, name, whose.origin))
    return Seal(whose.system, name, whose.origin, base64.b64encode(nonce + box).decode(), at)


def _opened(key: str, seal: Seal) -> str | None:
    """What is in the box; None: this is not its key, or not its place."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        raw = base64.b64decode(seal.box, validate=True)
        opened = AESGCM(_bytes(key)).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(seal.system, seal.name, seal.origin))
    except (InvalidTag, ValueError):
        return None
    return opened.decode()


def _bytes(key: str) -> bytes:
    """The key as the cipher wants it."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt=None, info=b"interdesk sealed secrets").derive(key.encode())


def _bound(system: str, name: str, origin: str) -> bytes:
    return json.dumps([system, name, origin]).encode()


def _checked(key: str, place: str) -> str:
    key = key.strip()
    if len(key) < SHORTEST:
        raise NoKey(f"the key in {place} is too short: it is a text of {SHORTEST} characters or more")
    return key


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NoKey(f"the key of sealed secrets, {path}, cannot be read: {reason}") from None


def _make(path: Path) -> None:
    """A key that only its owner reads; where another process is faster, its key stands."""
    part = path.with_name(f".{path.name}.{entropy.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{entropy.token_hex(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
        part.unlink()
    except OSError as error:
        raise NoKey(f"no key for sealed secrets can be made in {path}: {error.strerror}") from None
