"""Which instance this host is: a setting, or a file in the state folder that is written once.

The id is the key of every token that marks what interdesk wrote, so it stays what it is for as long as the database
lives. A database whose own id is another one was copied here from elsewhere: see `sync.recovery`.
"""

import re
import secrets as entropy
from dataclasses import dataclass
from pathlib import Path

FILE = "instance"
"""Below the state folder: the id on the first line, the host's fingerprint on the second."""
MARK = "beats"
"""Below the state folder: how far the database beside it had come."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{2,79}")


class BadIdentity(Exception):
    """The id of the instance cannot be used. The sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Host:
    """Who this host says it is. `id` is '' where it has not been told yet."""

    id: str
    moved: str = ""
    """Why the id in the state folder is not believed: it was written on another host."""


def checked(named: str) -> str:
    """:raises BadIdentity: this is no id."""
    if named and not _ID.fullmatch(named):
        raise BadIdentity(f"an id of an instance is 3 to 80 letters, digits, dots, dashes, underscores, not {named!r}")
    return named


def fresh() -> str:
    """An id that nobody else has."""
    return entropy.token_hex(8)


def fingerprint(machine: Path = Path("/etc/machine-id")) -> str:
    """What tells this host from others; '' where nothing does, as in containers."""
    try:
        return machine.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def read(state: Path, *, named: str = "", machine: str = "") -> Host:
    """Who this host is. `named`: what a setting says, which goes before the file; `machine`: its fingerprint.

    :raises BadIdentity: the file cannot be read, or holds no id."""
    if named:
        return Host(checked(named))
    try:
        lines = (state / FILE).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return Host("")
    except (OSError, UnicodeDecodeError) as error:
        raise BadIdentity(f"{state / FILE} cannot be read: {error}") from None
    written_on = lines[1].strip() if len(lines) > 1 else ""
    here = checked(lines[0].strip())
    if machine and written_on and machine != written_on:
        return Host(here, moved="the state folder was written on another host")
    return Host(here)


def beats(state: Path) -> int:
    """How often the database that works here was seen alive, as far as the state folder knows."""
    try:
        return int((state / MARK).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, ValueError):
        return 0


def keep_beats(state: Path, count: int) -> None:
    """Remember it.  :raises BadIdentity: the state folder cannot be written."""
    try:
        (state / MARK).write_text(f"{count}\n", encoding="ascii")
    except OSError as error:
        raise BadIdentity(f"{state / MARK} cannot be written: {error.strerror}") from None


def write(state: Path, instance: str, *, machine: str = "") -> None:
    """Remember that this host is this instance.  :raises BadIdentity: the state folder cannot be written."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        (state / FILE).write_text(f"{instance}\n{machine}\n", encoding="utf-8")
    except OSError as error:
        raise BadIdentity(f"{state / FILE} cannot be written: {error.strerror}") from None
