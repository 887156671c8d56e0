"""The contract between interdesk and a ticketing system.

Words: a *key* is the system's own name for a ticket (opaque text); a *version* is its opaque token that moves
whenever the ticket moves; a *change* is a hint that a key deserves a look; a *token* is our mark that makes a
write safe to repeat, because it can be found on the remote.

All values are plain data in the remote's own vocabulary, canonical as far as the wire is concerned (line ends are
LF, absent is None, text is str): the mapping gives them meaning. A connector knows one protocol and one product;
it never knows what interdesk decides with what it read.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

Value = None | bool | int | str | tuple[str, ...]
"""One field's value: a JSON scalar, or a tuple of texts for a set-valued field."""


class VersionStrength(StrEnum):
    """How far a version may be believed."""

    STRONG = "strong"  # moves with every change: equal means unchanged
    WEAK = "weak"  # a clock of whole seconds: equal may hide a second change within `granularity`
    NONE = "none"  # there is none: compare contents


class Finds(StrEnum):
    """How changes are found there."""

    ASKED = "asked for"  # its list can be asked what changed: a quiet system costs one request
    LISTED = "listed"  # it cannot: all tickets are listed in each round
    COMPARED = "compared"  # nor does its list tell when anything changed: rows are compared


class WriteKind(StrEnum):
    """The kinds of our writes, as trackers tell them apart when they send mail."""

    CREATE = "create"
    UPDATE = "update"
    TRANSITION = "transition"  # an update that changes the status
    COMMENT = "comment"  # public, its files with it
    INTERNAL_COMMENT = "internal_comment"


class Audience(StrEnum):
    """Who gets mail of a write, as a group: a tracker sends each group at most one."""

    REQUESTOR = "requestor"
    WATCHERS = "watchers"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail that one kind of write makes the tracker send."""

    to: tuple[Audience, ...]
    says: str
    """When and to whom, in a sentence."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this connector can say, as data: it steers the engine, skips tests and fills the matrix in the docs."""

    reads: bool = True
    """A ticket can be read there; else what stands for it is a shadow of what was told and heard."""
    version: VersionStrength = VersionStrength.NONE
    row_version: VersionStrength = VersionStrength.NONE
    """Strength of the version in a `Change` (a list row often shows less than the ticket itself)."""
    preconditions: bool = False
    """`update(expected=…)` is enforced by the server; else the connector can only compare before it writes."""
    full_rows: bool = False
    """A change's row carries the whole ticket, comments included, so that nothing needs to be fetched."""
    complete_answers: bool = False
    """Every write's answer bears the ticket's new state, conversation included: nothing needs to be read back."""
    history: bool = False
    """A ticket read with its comments lists its field changes with old values; where there are no preconditions every
    reading does: it tells who lost inside [fetch, write]."""
    internal_comments: bool = False
    """Comments can be hidden from the public there."""
    whole_conversation: bool = False
    """A reading with comments shows all there are, known ones too: one that is missing is gone."""
    edits_move: bool = True
    """An edited or deleted comment moves the version in a `Change`; else only the full scan and chance find it."""
    edit_comments: bool = False
    """Comments of our account can be given another text, and be hidden."""
    delete_comments: bool = False
    """Comments of our account can be taken away."""
    files: bool = False
    empty_files: bool = True
    """A file of 0 bytes is accepted."""
    max_file: int | None = None
    """Largest file accepted, in bytes; None: no limit known."""
    max_comment: int | None = None
    """Longest comment accepted, in characters; None: no limit known."""
    granularity: timedelta = timedelta(seconds=1)
    """Smallest step of the tracker's change times."""
    search_lag: timedelta = timedelta(0)
    """How long a write may stay invisible to `changes` and `find`."""
    finds: Finds = Finds.ASKED
    """How `changes` finds them."""
    side_effects: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Declared side effects of our own writes: operation -> field -> {value before: value after}.

    RT: `{"comment": {"Status": {"new": "open", "resolved": "open"}}}`."""
    notifies: Mapping[WriteKind, Mail] = field(default_factory=dict)
    """Which of our writes make the tracker send mail, and to whom; a kind that is not here sends none."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody over there: the name they log in with, and what people call them."""

    key: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file there. Its bytes are asked for by `download(file)`."""

    id: str
    name: str
    media_type: str
    size: int | None
    """Bytes; None when the tracker does not tell."""
    address: str = ""
    """Where the bytes are, where that differs from the id; opaque to all but the connector."""


@dataclass(frozen=True, slots=True)
class RemoteComment:
    """A comment there. `token` is our own mark found in it (already taken out of `text`), by whoever wrote it."""

    id: str
    author: Person
    own: bool
    """Written by the account we use."""
    created_at: datetime
    text: str
    internal: bool
    files: tuple[RemoteFile, ...] = ()
    token: str | None = None
    too_large: bool = False
    """The text exceeds what we read; `text` is empty and the comment becomes a visible gap."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One entry of the ticket's history there, oldest first in `RemoteTicket.history`."""

    id: str
    field: str
    old: Value
    new: Value
    author: Person
    own: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class RemoteTicket:
    """A ticket as read. `fields` holds every field of `describe()` in the remote's vocabulary."""

    key: str
    version: str
    fields: Mapping[str, Value]
    comments: tuple[RemoteComment, ...] | None
    """Oldest first; None when they were not read. Internal ones are listed without their text or files."""
    known_comments: tuple[RemoteComment, ...] | None = None
    """Those of `known` as they stand now, where the whole conversation was read; None: they were not shown."""
    files: tuple[RemoteFile, ...] = ()
    """Files that hang on the ticket itself, not on a comment."""
    history: tuple[FieldChange, ...] = ()
    changed_at: datetime | None = None
    created_by: Person | None = None
    own: bool = False
    """Created by the account we use."""
    token: str | None = None
    """Our token found on it (the external id field)."""
    address: str = ""
    """Where people open it."""
    row_version: str | None = None
    """The version as a `Change` of this state would show it, where rows show another one; None: the same."""
    aliases: tuple[str, ...] = ()
    """Keys that this very ticket bore before, as far as the tracker tells; never those of tickets merged into it."""
    read_at: datetime | None = None
    """The server's own clock when it answered (HTTP Date); None where it does not say."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where polling continues: a time and what was seen at its edge. Opaque to the engine, kept in the store.

    `at` is the newest change time seen, by the server's clock."""

    at: datetime
    position: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A hint from outside: this key deserves a look. With `ticket` (full rows) nothing needs to be fetched."""

    key: str
    version: str
    changed_at: datetime | None = None
    ticket: RemoteTicket | None = None
    fields: Mapping[str, Value] | None = None
    """Those fields that the list row shows, for the full scan's comparison of contents."""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One answer of the tracker's list: hints, the cursor to continue from, and whether more wait."""

    changes: tuple[Change, ...]
    cursor: Cursor
    more: bool


@dataclass(frozen=True, slots=True)
class FileDraft:
    """A file to send. `open` yields a fresh binary stream's chunks each time it is called (a retry reads again)."""

    name: str
    media_type: str
    size: int
    open: Callable[[], AbstractContextManager[Iterator[bytes]]]


@dataclass(frozen=True, slots=True)
class CommentDraft:
    """A comment to send, its files with it. `text` is final: attribution and conversion are done."""

    text: str
    internal: bool = False
    files: tuple[FileDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did. A partial write is normal: what was refused is named with the tracker's words."""

    after: RemoteTicket
    applied: frozenset[str]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Commented:
    """The comment as it now stands there, and the ticket where only reading it back revealed the comment's id."""

    comment: RemoteComment
    ticket: RemoteTicket | None = None


class Lookup(StrEnum):
    """The answer to "did an earlier attempt get through?" when nothing was found."""

    ABSENT = "absent"  # it is not there, and is not going to appear
    UNKNOWN = "unknown"  # not visible yet: ask again later


@dataclass(frozen=True, slots=True)
class RemoteField:
    """One field as the live system describes it."""

    name: str
    kind: str
    """text, choice, person, moment, number or set."""
    writable: bool = True
    values: tuple[str, ...] = ()
    """What a choice allows; empty when the system does not tell."""
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of a probe. `ok` False: it must be mended before the system can go live."""

    ok: bool
    sentence: str
    remedy: str = ""


@runtime_checkable
class Connector(Protocol):
    """Speaks to one registered system. Blocking, thread-safe, every call bounded by the session's deadline.

    Any method may raise `Transient`, `AccessError` and `ProtocolError`; the writing ones also `Unknown`."""

    capabilities: Capabilities

    def describe(self) -> Sequence[RemoteField]:
        """The live schema: names, kinds and allowed values of the fields that can be mapped."""

    def changes(self, since: Cursor | None) -> ChangePage:
        """One page of hints, oldest first, at or after `since` (inclusive: the overlap is the caller's).

        None starts from the server's present time and returns an empty page with the first cursor. Rows may
        repeat between pages; none that carries an equal time at a page's edge is ever skipped."""

    def scan(self, position: str) -> ChangePage:
        """One page of *all* tickets of this system in a stable order, from `position` ("" to begin)."""

    def fetch(self, key: str, *, known: Collection[str] | None = None, version: str | None = None) -> RemoteTicket:
        """The ticket; with `known` given, its comments too, save those ids that the caller already holds.

        Internal comments come without text or files: those are never read. Where `version` is given, strong and
        still the ticket's, comments may stay unread (None). Tells of our own earlier attempts too: a comment of
        ours that got through is among the unknown ones and bears its token.

        :raises NotFound: there is no such ticket for us; `Became` where it answers under another key now.
        :raises Refused: it cannot be read at all (`reads`), and what we told last came back, with the words of that."""

    def find(self, token: str, since: datetime) -> RemoteTicket | Lookup:
        """The ticket that bears this token, whoever asks again. `since` is when the write was first tried."""

    def create(self, fields: Mapping[str, Value], *, token: str) -> RemoteTicket:
        """Make a ticket bearing the token. Once per call: a lost answer raises `Unknown`, never a second try.

        :raises Unknown: with the `key` that the answer named, where only reading the ticket back failed (somebody may
        have deleted it by then).  :raises Refused: with the tracker's words."""

    def update(self, key: str, patch: Mapping[str, Value], *, held: RemoteTicket | None) -> Written:
        """Write only these fields, and tell what became of each.

        `held` is the state that the decision was made on: its version is the precondition where the server knows
        one, and its values tell an applied write from a silent refusal.

        :raises VersionConflict: the ticket moved since `held`; nothing was written.
        :raises NotFound: the ticket is gone."""

    def comment(self, key: str, draft: CommentDraft, *, token: str) -> Commented:
        """Add a comment bearing the token, its files with it. Once per call: a lost answer raises `Unknown`.

        :raises VersionConflict: somebody wrote at the same moment, and nothing of ours was written.
        :raises Refused: field `files` when only the files were refused (nothing was written then)."""

    def edit_comment(self, key: str, comment_id: str, draft: CommentDraft, *, token: str) -> None:
        """Give a comment of our account this text (bearing the token) and visibility; its files stay. Repeatable.

        :raises NotFound: the comment, or its ticket, is gone.  :raises Refused: with the tracker's words, or because
        it cannot (`edit_comments`)."""

    def delete_comment(self, key: str, comment_id: str) -> None:
        """Take a comment of our account away. Repeatable: one that is gone already is as wanted.

        :raises Refused: with the tracker's words, or because it cannot (`delete_comments`)."""

    def download(self, file: RemoteFile) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of a file, in chunks, bounded by `max_file` of the session.

        :raises NotFound: it is gone.  :raises ProtocolError: it is larger than allowed."""

    def probe(self) -> Sequence[Finding]:
        """Prove the registration by reading only: log-in, queue, fields, rights, clock. Never writes."""

    def close(self) -> None:
        """Release connections. The connector is not used afterwards."""


@runtime_checkable
class SelfChecking(Protocol):
    """A connector that can tell by a few reads whether the tracker still understands how it is searched. Optional."""

    def self_check(self) -> Sequence[Finding]:
        """What of its list's filters works. Asked once a day: trackers ignore or misread a filter without an error."""


@runtime_checkable
class Listener(Protocol):
    """What some connectors can beside the contract: notice that something arrived, without asking again and again."""

    def wait(self, seconds: float) -> bool:
        """Wait until something arrives, at most so long; whether it did: then it is time to ask for `changes`."""
