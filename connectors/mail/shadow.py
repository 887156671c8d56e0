"""What stands for the truth where nothing can be read: a ticket as the mails that were taken in and sent tell it.

Each mail becomes an entry once, when it is taken in or accepted; entries are never changed. A ticket is the fold of its
entries in their order: the first makes it, later ones say or set, each Message-ID once. What we told is *assumed*.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

from connectors.api import Person, RemoteComment, RemoteFile, RemoteTicket, Value
from connectors.errors import NotFound, Refused
from connectors.mail.parts import MAX_TEXT


class EntryKind(StrEnum):
    """What a mail did."""

    FIRST = "first"  # it made the ticket
    SAID = "said"  # a comment, perhaps with fields
    SET = "set"  # fields alone
    BOUNCED = "bounced"  # a mail of ours came back


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail, as it was understood when it came in or went out."""

    key: str
    id: str
    """Message-ID; of a bounce, that of the bounce."""
    kind: EntryKind
    ours: bool
    author: str
    name: str = ""
    text: str = ""
    fields: Mapping[str, Value] = field(default_factory=dict)
    files: tuple[tuple[str, str, int], ...] = ()
    """Name, media type and size."""
    number: str = ""
    """The ticket's number there, where its subject bore one."""
    token: str = ""
    to: str = ""
    """Whom a mail of ours went to."""
    about: str = ""
    """The mail that came back."""
    reason: str = ""

    def plain(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self), ensure_ascii=True).encode()


def entry_of(plain: bytes) -> Entry:
    """What `plain` wrote.  :raises ValueError: it did not."""
    data = json.loads(plain)
    try:
        data["kind"] = EntryKind(data["kind"])
        data["files"] = tuple((str(name), str(kind), int(size)) for name, kind, size in data["files"])
        data["fields"] = {n: tuple(v) if isinstance(v, list) else v for n, v in data["fields"].items()}
        return Entry(**data)
    except (TypeError, KeyError) as error:
        raise ValueError(f"no entry: {error}") from None


@dataclass(frozen=True, slots=True)
class Filed:
    """An entry in its place."""

    entry: Entry
    at: datetime
    place: str
    """Where its mail is, opaque."""


def short(message_id: str) -> str:
    """A Message-ID as a comment's id: short, and of letters and digits alone."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def fold(
    filed: Sequence[Filed], names: Iterable[str], *, to: str, known: Collection[str] | None, bounce_after: datetime
) -> RemoteTicket:
    """The ticket that these entries tell, oldest first; those that are pending are not among them.

    `bounce_after`: a mail that came back after it still stands.

    :raises NotFound: nothing was ever said of it, or the mail that opened it came back.
    :raises Refused: our last mail to this very address came back, and nobody has written since."""
    by_id: dict[str, Filed] = {}
    for each in filed:
        by_id.setdefault(each.entry.id, each)
    once = list(by_id.values())
    told = [each for each in once if each.entry.kind is not EntryKind.BOUNCED]
    if not told:
        raise NotFound("no mail tells of such a ticket")
    first = told[0]
    _ensure_arrived(once, told, to, bounce_after)
    values: dict[str, Value] = dict.fromkeys(names)
    for each in told:
        values |= {name: value for name, value in each.entry.fields.items() if name in values}
    comments = tuple(_comment(each) for each in told[1:] if each.entry.kind is EntryKind.SAID)
    return RemoteTicket(
        key=first.entry.key,
        version=hashlib.sha256("\0".join(each.entry.id for each in once).encode()).hexdigest()[:24],
        fields=values,
        comments=None if known is None else tuple(each for each in comments if each.id not in known),
        files=_files(first),
        changed_at=once[-1].at,
        created_by=_person(first.entry),
        own=first.entry.ours,
        token=first.entry.token or None,
    )


def _ensure_arrived(once: Sequence[Filed], told: Sequence[Filed], to: str, bounce_after: datetime) -> None:
    first = told[0]
    for back in once:
        if back.entry.kind is not EntryKind.BOUNCED:
            continue
        words = f"the mail to {back.entry.to or to} came back: {back.entry.reason}"
        if back.entry.about == first.entry.id and first.entry.ours and all(each.entry.ours for each in told):
            raise NotFound(f"it was never opened there: {words}")
        heard = any(each.at >= back.at and not each.entry.ours for each in told)
        if back.at > bounce_after and not heard and back.entry.to in ("", to):
            raise Refused(words)


def _comment(filed: Filed) -> RemoteComment:
    entry = filed.entry
    return RemoteComment(
        id=short(entry.id),
        author=_person(entry),
        own=entry.ours,
        created_at=filed.at,
        text="" if (too_large := len(entry.text) > MAX_TEXT) else entry.text,
        internal=False,
        files=_files(filed),
        token=entry.token or None,
        too_large=too_large,
    )


def _files(filed: Filed) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(f"{short(filed.entry.id)}/{number}", name, kind, size, address=filed.place)
        for number, (name, kind, size) in enumerate(filed.entry.files)
    )


def _person(entry: Entry) -> Person:
    return Person(entry.author, entry.name or entry.author, entry.author)
