"""The reference connector: a tracker in a dictionary. No network; the same promises as any other.

By default it is as well-behaved as a tracker can be: full list rows, a strong version, preconditions enforced,
answers that bear the new state. `Capabilities` take each of that away, so that whoever uses connectors can be tried
against every combination. An `Intruder` lets a test stand in the middle of a call: a person acts, an answer is lost.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors import marks
from connectors.api import (
    Capabilities,
    Change,
    ChangePage,
    CommentDraft,
    Commented,
    Cursor,
    FieldChange,
    FileDraft,
    Finding,
    Lookup,
    Person,
    RemoteComment,
    RemoteField,
    RemoteFile,
    RemoteTicket,
    Value,
    VersionStrength,
    Written,
)
from connectors.emulators.tracker import SIMPLE, Clock, File, Issue, Missing, Note, Rules, Tracker
from connectors.errors import (
    Became,
    ConnectorError,
    NotFound,
    ProtocolError,
    Refused,
    Transient,
    Unknown,
    VersionConflict,
)

__all__ = ["SIMPLE", "WELL_BEHAVED", "Call", "MemoryConnector", "Rules", "Tracker"]

WELL_BEHAVED = Capabilities(
    version=VersionStrength.STRONG,
    row_version=VersionStrength.STRONG,
    preconditions=True,
    full_rows=True,
    complete_answers=True,
    history=True,
    internal_comments=True,
    whole_conversation=True,
    edit_comments=True,
    delete_comments=True,
    files=True,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request at one of its two moments: `done` False before the tracker works, True before its answer arrives.

    Where answers are not complete, the read-back of a write is a call of its own, named `fetch`."""

    operation: str
    """The connector's method: describe, changes, scan, fetch, find, create, update, comment, and so on."""
    key: str
    done: bool


Intruder = Callable[[Call], None]
"""What happens around a call. Raising before the work is a refused connection, after it a lost answer."""


class MemoryConnector:
    """Speaks to a `Tracker` as `account`. `token_field` holds our token of a ticket; comments bear a mark.

    `calls` counts the requests by operation. `page` is how many rows a list answer holds. `crlf` gives texts back
    with CRLF line ends; without `lists_internal` hidden comments are not even named."""

    def __init__(
        self,
        tracker: Tracker,
        *,
        account: str = "interdesk",
        token_field: str = "external_id",  # noqa: S107 (a field, no secret)
        capabilities: Capabilities = WELL_BEHAVED,
        clock: Clock | None = None,
        page: int = 100,
        crlf: bool = False,
        lists_internal: bool = True,
        deadline: timedelta = timedelta(0),
        max_file: int | None = None,
        intruder: Intruder | None = None,
    ) -> None:
        self.tracker = tracker
        self.account = account
        self.capabilities = replace(
            capabilities,
            side_effects={"comment": tracker.rules.reopens} if tracker.rules.reopens else {},
            edits_move=not tracker.rules.silent_edits,
        )
        self.calls: Counter[str] = Counter()
        self.intruder = intruder
        self._clock = clock or tracker.now
        self._token_field = token_field
        self._page = page
        self._crlf = crlf
        self._lists_internal = lists_internal
        self._deadline = deadline
        self._max_file = max_file

    def describe(self) -> Sequence[RemoteField]:
        with self._call("describe"):
            return self.tracker.rules.fields

    def changes(self, since: Cursor | None) -> ChangePage:
        with self._call("changes"):
            if since is None:
                now = self.tracker.now()
                return ChangePage((), Cursor(now, json.dumps({"floor": now.isoformat()})), more=False)
            place = json.loads(since.position) if since.position else {}
            floor = place.get("floor")
            after = (since.at if floor is None else max(since.at, datetime.fromisoformat(floor)), 0)
            if "after" in place:  # in the middle of a round, whatever overlap the caller asked for
                after = (datetime.fromisoformat(place["after"][0]), place["after"][1] + 1)
            rows = [each for each in self._rows() if (each.changed_at, each.number) >= after]
            rows.sort(key=lambda each: (each.changed_at, each.number))
            page = rows[: self._page]
            more = len(rows) > len(page)
            place = {} if floor is None else {"floor": floor}
            if more:
                place["after"] = [page[-1].changed_at.isoformat(), page[-1].number]
            newest = page[-1].changed_at if page and not more else since.at
            cursor = Cursor(max(since.at, newest), json.dumps(place) if place else "")
            return ChangePage(tuple(self._row(each) for each in page), cursor, more)

    def scan(self, position: str) -> ChangePage:
        with self._call("scan"):
            rows = [each for each in self._rows() if each.number > int(position or 0)]
            page = rows[: self._page]
            at = max((each.changed_at for each in page), default=self.tracker.now())
            cursor = Cursor(at, str(page[-1].number) if page else position)
            return ChangePage(tuple(self._row(each) for each in page), cursor, more=len(rows) > len(page))

    def fetch(self, key: str, *, known: Collection[str] | None = None, version: str | None = None) -> RemoteTicket:
        with self._call("fetch", key), self._finding(key):
            issue = self._issue(key)
            strong = self.capabilities.version is VersionStrength.STRONG
            if known is not None and strong and version == str(issue.version):
                known = None
            return self._ticket(issue, known)

    def find(self, token: str, since: datetime) -> RemoteTicket | Lookup:
        with self._call("find"):
            # the token never changes: once the index holds it, a later change does not take it away, nor does a
            # clock that was set back
            now, lag = self.tracker.now(), self.capabilities.search_lag
            bearing = [
                each
                for each in self.tracker.bearing(self._token_field, token)
                if not now - lag < each.created_at <= now
            ]
            if bearing:
                return self._ticket(bearing[0], known=())
            settled = self._clock() >= since + self.capabilities.search_lag + self._deadline
            return Lookup.ABSENT if settled else Lookup.UNKNOWN

    def create(self, fields: Mapping[str, Value], *, token: str) -> RemoteTicket:
        with self._call("create", writes=True):
            key, refused = self.tracker.open(self.account, {**fields, self._token_field: token})
            for name, reason in refused.items():
                raise Refused(reason, field=name)
        return self._after(key, known=())

    def update(self, key: str, patch: Mapping[str, Value], *, held: RemoteTicket | None) -> Written:
        with self._call("update", key, writes=True), self._finding(key), self.tracker.lock:
            issue = self._issue(key)
            if held is not None and self.capabilities.preconditions and held.version != self._version(issue):
                raise VersionConflict(f"ticket {key} is at version {self._version(issue)}, not {held.version}")
            refused = dict(self.tracker.edit(self.account, key, patch))
        after = self._after(key, known=() if self.capabilities.complete_answers else None)
        return Written(after, frozenset(patch) - frozenset(refused), refused)

    def comment(self, key: str, draft: CommentDraft, *, token: str) -> Commented:
        files = [(each.name, each.media_type, self._content(each)) for each in draft.files]
        limit = self.capabilities.max_comment
        if draft.internal and not self.capabilities.internal_comments:
            raise Refused("comments cannot be hidden here", field="internal")
        if limit is not None and len(draft.text) > limit:
            raise Refused(f"Notes is too long (maximum is {limit} characters)", field="text")
        with self._call("comment", key, writes=True), self._finding(key), self.tracker.lock:
            text = marks.stamp(draft.text, token)
            self._issue(key)
            note = self.tracker.comment(self.account, key, text, internal=draft.internal, files=files)
        if self.capabilities.complete_answers:
            return Commented(self._comment(note))
        ticket = self._after(key, known=())
        comments = [each for each in ticket.comments or () if each.id == note.id]
        return Commented(comments[0] if comments else self._comment(note), ticket)

    def edit_comment(self, key: str, comment_id: str, draft: CommentDraft, *, token: str) -> None:
        if not self.capabilities.edit_comments:
            raise Refused("comments cannot be edited here")
        if draft.internal and not self.capabilities.internal_comments:
            raise Refused("comments cannot be hidden here", field="internal")
        with self._call("edit_comment", key, writes=True), self._finding(key), self.tracker.lock:
            note = self._own_note(key, comment_id)
            text = marks.stamp(draft.text, token)
            if note.text != text:
                self.tracker.reword(self.account, key, comment_id, text)
            self.tracker.hide(self.account, key, comment_id, internal=draft.internal)

    def delete_comment(self, key: str, comment_id: str) -> None:
        if not self.capabilities.delete_comments:
            raise Refused("comments cannot be deleted here")
        with self._call("delete_comment", key, writes=True), self._finding(key), self.tracker.lock:
            if any(each.id == comment_id for each in self._issue(key).notes):
                self._own_note(key, comment_id)
                self.tracker.unsay(self.account, key, comment_id)

    def download(self, file: RemoteFile) -> AbstractContextManager[Iterator[bytes]]:
        return self._download(file)

    def probe(self) -> Sequence[Finding]:
        with self._call("probe"):
            findings = [Finding(True, f"logged in to {self.tracker.name} as {self.account}")]
            if self.tracker.field(self._token_field) is None:
                names = ", ".join(each.name for each in self.tracker.rules.fields)
                absent = f"there is no field {self._token_field!r} for our token"
                findings.append(Finding(False, absent, f"add it; there are: {names}"))
            return findings

    def close(self) -> None:
        """Nothing is held open."""

    def _issue(self, key: str) -> Issue:
        """:raises Became: it answers under another key now."""
        issue = self.tracker.issue(key)
        if issue.key != key:
            raise Became(issue.key, was=key, merged=self.tracker.merged(key))
        return issue

    def _own_note(self, key: str, comment_id: str) -> Note:
        note = next((each for each in self._issue(key).notes if each.id == comment_id), None)
        if note is None:
            raise Missing(comment_id)
        if note.author != self.account:
            raise Refused(f"comment {comment_id} is {note.author}'s")
        return note

    @contextmanager
    def _download(self, file: RemoteFile) -> Iterator[Iterator[bytes]]:
        with self._call("download", file.id), self._finding(file.id):
            content = self.tracker.file(file.id).content
        if self._max_file is not None and len(content) > self._max_file:
            raise ProtocolError(f"the file {file.name!r} is larger than {self._max_file} bytes")
        yield (content[start : start + 65536] for start in range(0, len(content), 65536))

    @contextmanager
    def _call(self, operation: str, key: str = "", *, writes: bool = False) -> Iterator[None]:
        self.calls[operation] += 1
        if self.intruder is not None:
            self.intruder(Call(operation, key, done=False))
        yield
        if self.intruder is not None:
            try:
                self.intruder(Call(operation, key, done=True))
            except Transient as lost:
                if writes and not isinstance(lost, Unknown):
                    raise Unknown(str(lost)) from lost
                raise

    @contextmanager
    def _finding(self, key: str) -> Iterator[None]:
        try:
            yield
        except Missing:
            raise NotFound(f"{self.tracker.name} has nothing under {key!r}") from None

    def _after(self, key: str, *, known: Collection[str] | None) -> RemoteTicket:
        """The state after a write: out of its answer, or read back by a call of its own."""
        if self.capabilities.complete_answers:
            try:
                with self.tracker.lock:
                    return self._ticket(self.tracker.issue(key), known)
            except Missing:
                raise Unknown(f"ticket {key} was written, and is gone by now", key=key) from None
        try:
            return self.fetch(key, known=known)
        except ConnectorError as error:
            raise Unknown(f"ticket {key} was written, and reading it back failed: {error}", key=key) from error

    def _rows(self) -> list[Issue]:
        """The visible tickets as the search knows them: what is younger than its lag is not there yet."""
        visible = self.tracker.now() - self.capabilities.search_lag
        with self.tracker.lock:
            return [
                each
                for each in self.tracker.issues.values()
                if not each.hidden and (not self.capabilities.search_lag or each.changed_at <= visible)
            ]

    def _row(self, issue: Issue) -> Change:
        with self.tracker.lock:
            ticket = self._ticket(issue, known=()) if self.capabilities.full_rows else None
            return Change(issue.key, self._row_version(issue), issue.changed_at, ticket, self._fields(issue))

    def _version(self, issue: Issue) -> str:
        return self._shown(issue, self.capabilities.version)

    def _row_version(self, issue: Issue) -> str:
        return self._shown(issue, self.capabilities.row_version)

    def _shown(self, issue: Issue, strength: VersionStrength) -> str:
        match strength:
            case VersionStrength.STRONG:
                return str(issue.version)
            case VersionStrength.WEAK:
                return issue.changed_at.isoformat()
            case VersionStrength.NONE:
                return ""

    def _text(self, text: str) -> str:
        plain = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        return plain.replace("\n", "\r\n") if self._crlf else plain

    def _value(self, value: Value) -> Value:
        return self._text(value) if isinstance(value, str) else value

    def _fields(self, issue: Issue) -> dict[str, Value]:
        return {name: self._value(value) for name, value in issue.fields.items()}

    def _ticket(self, issue: Issue, known: Collection[str] | None) -> RemoteTicket:
        token = issue.fields.get(self._token_field)
        with self.tracker.lock:
            shown = [self._comment(each) for each in issue.notes if self._lists_internal or not each.internal]
            whole = known is not None and self.capabilities.whole_conversation
            return RemoteTicket(
                key=issue.key,
                version=self._version(issue),
                fields=self._fields(issue),
                comments=None if known is None else tuple(each for each in shown if each.id not in known),
                known_comments=tuple(each for each in shown if each.id in (known or ())) if whole else None,
                files=tuple(self._file(each) for each in issue.files),
                history=self._history(issue) if self.capabilities.history else (),
                changed_at=issue.changed_at,
                created_by=Person(issue.author, issue.author),
                own=issue.author == self.account,
                token=token if isinstance(token, str) else None,
                address=f"memory:{self.tracker.name}/{issue.key}",
                row_version=self._row_version(issue),
                aliases=tuple(issue.former),
                read_at=self.tracker.now(),
            )

    def _history(self, issue: Issue) -> tuple[FieldChange, ...]:
        return tuple(
            FieldChange(
                str(each.id),
                each.field,
                self._value(each.old),
                self._value(each.new),
                Person(each.who, each.who),
                each.who == self.account,
                each.at,
            )
            for each in issue.deeds
            if each.kind == "set"
        )

    def _comment(self, note: Note) -> RemoteComment:
        text, token = marks.read(note.text)
        return RemoteComment(
            id=note.id,
            author=Person(note.author, note.author),
            own=note.author == self.account,
            created_at=note.at,
            text="" if note.internal else self._text(text),
            internal=note.internal,
            files=() if note.internal else tuple(self._file(each) for each in note.files),
            token=token,
        )

    def _file(self, file: File) -> RemoteFile:
        return RemoteFile(file.id, file.name, file.media_type, len(file.content))

    def _content(self, draft: FileDraft) -> bytes:
        if not self.capabilities.files:
            raise Refused("this tracker takes no files", field="files")
        if not draft.size and not self.capabilities.empty_files:
            raise Refused(f"the file {draft.name!r} is empty", field="files")
        if self.capabilities.max_file is not None and draft.size > self.capabilities.max_file:
            raise Refused(f"the file {draft.name!r} is too large ({draft.size} bytes)", field="files")
        with draft.open() as chunks:
            return b"".join(chunks)
