"""Secrets: named in documents by reference, looked up here, shown nowhere.

`env:INTERDESK_SECRET_NAME` is a variable of the environment, `file:NAME` a file below the instance's secrets folder,
`sealed:NAME` one of the system's own that was typed in and is kept encrypted (`sync.sealing`).
Whatever was looked up is remembered only to be masked: `Secrets.mask` takes it out of every log line and error.
"""

import re
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from sync.sites import origin

PREFIX = "INTERDESK_SECRET_"
MASK = "•••"
FORMS = f"env:{PREFIX}NAME, file:NAME or sealed:NAME"
KEY_FILE = "seal.key"
"""Holds what sealed secrets are encrypted under: no document may name it."""

_VARIABLE = re.compile(rf"{PREFIX}[A-Z0-9_]{{1,80}}")
_FILE = re.compile(r"[A-Za-z0-9._-]{1,80}(/[A-Za-z0-9._-]{1,80}){0,3}")
_SEALED = re.compile(r"[A-Za-z0-9._-]{1,80}")
_MOST = 64 * 1024
"""No credential is longer, in bytes."""
_MASKED_FROM = 4
"""Shorter values are not masked: taking every `a` out of a log hides more than it guards."""


class MissingSecret(LookupError):
    """A reference leads nowhere. The sentence names the variable or file to provide, never a value."""


class Whose(NamedTuple):
    """Who a secret belongs to."""

    system: str
    origin: str
    """Where it may be sent (`sync.sites.origin`)."""

    @classmethod
    def of(cls, system: str, settings: Mapping[str, Any]) -> "Whose":
        """A system with these settings."""
        return cls(system, origin(settings))


Open = Callable[[str, Whose], str]
"""Opens a sealed secret.  :raises MissingSecret: there is none for where it would go."""


def is_sealed(reference: object) -> bool:
    """Whether this reference is a sealed secret's, which no two systems share."""
    scheme, _, name = reference.partition(":") if isinstance(reference, str) else ("", "", "")
    return scheme == "sealed" and _SEALED.fullmatch(name) is not None


def reference_problem(reference: object) -> str:
    """What is wrong with this reference, in a sentence that does not repeat it; '' when it is one."""
    if not isinstance(reference, str):
        return f"a secret is named by a reference: {FORMS}"
    scheme, _, name = reference.partition(":")
    if scheme == "env" and _VARIABLE.fullmatch(name):
        return ""
    if scheme == "env":
        return f"a variable that holds a secret is called {PREFIX}NAME, in capitals, digits and underscores"
    if is_sealed(reference):
        return ""
    if scheme == "sealed":
        return "a sealed secret is called by letters, digits, dots, dashes and underscores"
    if scheme == "file" and PurePosixPath(name).name == KEY_FILE:
        return f"{KEY_FILE} is the key of all sealed secrets, and not one of them"
    if scheme == "file" and _FILE.fullmatch(name) and not {".", ".."} & set(PurePosixPath(name).parts):
        return ""
    if scheme == "file":
        return "a file that holds a secret is named by its path below the secrets folder, without .. or a leading /"
    return f"this is not a reference to a secret; write {FORMS}, never the secret itself"


class Secrets:
    """Looks references up. Thread-safe."""

    def __init__(self, environ: Mapping[str, str], folder: Path | None = None, sealed: Open | None = None) -> None:
        self._environ, self._folder, self._sealed = environ, folder, sealed
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def of(self, system: str, settings: Mapping[str, Any]) -> Callable[[str], str]:
        """Looks references up for a system with these settings: its sealed secrets, too."""
        return partial(self.look_up, whose=Whose.of(system, settings))

    def look_up(self, reference: str, whose: Whose | None = None) -> str:
        """The secret's text, without the line end that editors leave. `whose`: who asks for a sealed one.

        :raises MissingSecret: it is not there, or this is no reference at all."""
        problem = reference_problem(reference)
        if problem:
            raise MissingSecret(problem)
        scheme, _, name = reference.partition(":")
        if scheme == "sealed":
            value = self._open(name, whose)
        else:
            value = self._variable(name) if scheme == "env" else self._file(name)
        with self._lock:
            if len(value) >= _MASKED_FROM:
                self._known.add(value)
        return value

    def mask(self, text: str) -> str:
        """The text with every secret that was ever looked up taken out."""
        with self._lock:
            known = sorted(self._known, key=len, reverse=True)
        for value in known:
            text = text.replace(value, MASK)
        return text

    def _open(self, name: str, whose: Whose | None) -> str:
        if whose is None or self._sealed is None:
            raise MissingSecret(f"sealed:{name} is a system's own: name an env: or file: secret here")
        return self._sealed(name, whose)

    def _variable(self, name: str) -> str:
        value = self._environ.get(name, "")
        if not value:
            raise MissingSecret(f"the secret is missing: set the environment variable {name}")
        return value

    def _file(self, name: str) -> str:
        if self._folder is None:
            raise MissingSecret(f"there is no secrets folder for file:{name}; name one in the instance's document")
        path = self._folder / name
        try:
            # a link that leads out of the folder would let a document read any file of the machine
            if not path.resolve().is_relative_to(self._folder.resolve()):
                raise MissingSecret(f"file:{name} leads out of the secrets folder {self._folder}")
            with path.open("rb") as file:
                raw = file.read(_MOST + 1)
            value = raw.decode("utf-8").rstrip("\r\n") if len(raw) <= _MOST else ""
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise MissingSecret(f"the secret is missing: {path} cannot be read ({reason})") from None
        if not value:
            raise MissingSecret(f"the secret is missing: {path} is empty or larger than {_MOST} bytes")
        return value
