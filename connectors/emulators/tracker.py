"""A small helpdesk in memory: tickets, people, workflow, history. What the emulators and the memory connector serve.

Everything that anybody does is kept in `Tracker.log`, the god's log by which tests and the simulation judge.
Thread-safe; time comes from the injected clock, shifted by the tracker's own `offset`.
"""

import copy
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors.api import RemoteField, Value

Clock = Callable[[], datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the god's log: who did what, when. `id` counts over the whole tracker, without gaps, and goes
    back with it to a backup."""

    id: int
    at: datetime
    who: str
    kind: str
    """open, set, comment, attach; reword, unsay, hide or show (a comment); delete, move, return, rekey or merge."""
    key: str
    field: str = ""
    old: Value = None
    new: Value = None
    note: str = ""
    """The comment's id, for comment, reword, unsay, hide and show; the file's, for attach."""
    cause: int = 0
    """The deed that made the tracker do this by itself; 0: somebody wanted it."""


@dataclass(slots=True)
class File:
    """A file and its bytes. `note` is the comment it came with; "": it hangs on the ticket."""

    id: str
    name: str
    media_type: str
    content: bytes
    author: str
    at: datetime
    note: str = ""


@dataclass(slots=True)
class Note:
    """A comment."""

    id: str
    author: str
    at: datetime
    text: str
    internal: bool
    files: list[File] = field(default_factory=list)


@dataclass(slots=True)
class Issue:
    """A ticket with everything on it. `version` is the id of the last deed on it."""

    number: int
    key: str
    author: str
    created_at: datetime
    changed_at: datetime
    version: int
    fields: dict[str, Value]
    notes: list[Note] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    hidden: str = ""
    """delete, move or merge, once it was deleted, moved to where our account cannot see it, or merged away."""
    former: list[str] = field(default_factory=list)
    """Keys that it bore before."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a tracker is set up."""

    fields: tuple[RemoteField, ...]
    defaults: Mapping[str, Value] = field(default_factory=dict)
    """What a new ticket holds where its author says nothing."""
    workflow: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    """field -> value -> the values it may become, for the accounts in `bound`. A field that is not here is free."""
    needs: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    """field -> value -> the fields that must hold something before those in `bound` may set it."""
    forms: bool = False
    """What is needed must come in the very request that needs it, whatever stands there: as a form asks for it."""
    bound: frozenset[str] = frozenset({"interdesk"})
    """Those whom the workflow binds; everybody else may set anything that is allowed at all."""
    reopens: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a public comment makes of a field: field -> {value before: value after}, set by the tracker itself."""
    silent_edits: bool = False
    """Editing, hiding or deleting a comment leaves the ticket's change time as it was."""
    opening: Mapping[str, str] = field(default_factory=dict)
    """Fields that a new ticket must begin with for those in `bound`: field -> value."""


@dataclass(frozen=True, slots=True)
class Backup:
    """All that a tracker held at a moment."""

    at: datetime
    issues: Mapping[str, Issue]
    became: Mapping[str, str]
    ids: int


SIMPLE = Rules(
    fields=(
        RemoteField("subject", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=("new", "open", "waiting", "solved", "closed")),
        RemoteField("priority", "choice", values=("low", "normal", "high")),
        RemoteField("owner", "person"),
        RemoteField("external_id", "text"),
    ),
    defaults={"status": "new", "priority": "normal"},
)
"""A plain helpdesk without workflow or side effects."""

_EDITS = ("reword", "unsay", "hide", "show")

AUTOMAT = "tracker"
"""Who sets what the tracker sets by itself."""


class Missing(LookupError):
    """There is no such ticket, comment or file, or it is hidden."""


class Tracker:
    """The helpdesk. `act` methods say who acts; `person(name)` binds them to somebody.

    `watch` is called after each deed with its Deed, outside the lock: emulators post their webhooks from there. `keys`
    makes the key of a ticket's number."""

    def __init__(
        self,
        clock: Clock,
        rules: Rules = SIMPLE,
        *,
        name: str = "tracker",
        step: timedelta = timedelta(seconds=1),
        keys: Callable[[int], str] = str,
    ) -> None:
        self.name = name
        self.rules = rules
        self.offset = timedelta(0)
        self.step = step
        self.log: list[Deed] = []
        self.watch: list[Callable[[Deed], None]] = []
        self.issues: dict[str, Issue] = {}
        self.became: dict[str, str] = {}
        """Key -> the key that its ticket goes on under: after `rekey` its own, after `merge` another ticket's."""
        self.lock = threading.RLock()
        self._clock = clock
        self._keys = keys
        self._ids = self._numbers = 0

    def now(self) -> datetime:
        """This tracker's own time: the true one plus `offset`."""
        return self._clock() + self.offset

    def stamp(self) -> datetime:
        """Its time as it writes it down: cut to `step`."""
        now = self.now()
        return now - (now - _EPOCH) % self.step if self.step else now

    def person(self, name: str) -> "Person":
        """Somebody who works in this tracker."""
        return Person(self, name)

    def issue(self, key: str) -> Issue:
        """The ticket of this key, or the one that it became.  :raises Missing: there is none, or it is hidden."""
        while key in self.became:
            key = self.became[key]
        found = self.issues.get(key)
        if found is None or found.hidden:
            raise Missing(key)
        return found

    def field(self, name: str) -> RemoteField | None:
        """The field's description, or None."""
        return next((each for each in self.rules.fields if each.name == name), None)

    def permitted(self, who: str, name: str, before: Value) -> tuple[str, ...] | None:
        """What this field may become for this person; None: anything."""
        table = self.rules.workflow.get(name)
        if table is None or who not in self.rules.bound:
            return None
        return tuple(table.get(str(before), ()))

    def objection(self, who: str, name: str, before: Value, after: Value) -> str:
        """Why this person may not set this, in the tracker's words; "": nothing against it."""
        spec = self.field(name)
        if spec is None:
            return f"There is no field '{name}'."
        if before == after:
            return ""
        if not spec.writable:
            return f"{name} cannot be changed."
        if spec.values and after not in spec.values:
            return f"{name} '{after}' isn't a valid value."
        if spec.max_length is not None and isinstance(after, str) and len(after) > spec.max_length:
            return f"{name} is too long (maximum is {spec.max_length} characters)"
        ways = self.permitted(who, name, before)
        if ways is not None and after not in ways:
            return f"You can't change {name} from '{before}' to '{after}'."
        return ""

    def missing(self, who: str, name: str, after: Value, stands: Mapping[str, Value], said: Mapping[str, Value]) -> str:
        """What this value needs and is not there, in the tracker's words; "": nothing. `said` comes with it."""
        needed = self.rules.needs.get(name, {}).get(str(after), ()) if who in self.rules.bound else ()
        there = said if self.rules.forms else {**stands, **said}
        empty = [each for each in needed if there.get(each) in (None, "", ())]
        return f"{name} '{after}' needs {', '.join(empty)}." if empty else ""

    def open(
        self, who: str, fields: Mapping[str, Value], files: Sequence[tuple[str, str, bytes]] = ()
    ) -> tuple[str, Mapping[str, str]]:
        """A new ticket: its key, and what is against it (then there is no ticket and the key is "")."""
        with self._acting() as done:
            refused: dict[str, str] = {}
            values: dict[str, Value] = {spec.name: None for spec in self.rules.fields} | dict(self.rules.defaults)
            for name, value in fields.items():
                spec = self.field(name)
                if spec is None:
                    refused[name] = f"There is no field '{name}'."
                elif spec.values and value is not None and value not in spec.values:
                    refused[name] = f"{name} '{value}' isn't a valid value."
                elif who in self.rules.bound and value != self.rules.opening.get(name, value):
                    refused[name] = f"{name} cannot be '{value}' at the start."
                elif missing := self.missing(who, name, value, {}, fields):
                    refused[name] = missing
                elif value is not None:
                    values[name] = value
            if refused:
                return "", refused
            self._numbers = number = self._numbers + 1
            at = self.stamp()
            issue = Issue(number, self._keys(number), who, at, at, 0, values)
            self.issues[issue.key] = issue
            done(issue, self._deed(issue, who, "open", at=at))
            for each in files:
                issue.files.append(self._file(who, at, *each))
            return issue.key, {}

    def edit(self, who: str, key: str, patch: Mapping[str, Value]) -> Mapping[str, str]:
        """Set these fields; those refused, with the reason. The rest is done all the same."""
        with self._acting() as done:
            issue = self.issue(key)
            refused: dict[str, str] = {}
            at = self.stamp()
            for name, value in patch.items():
                before = issue.fields.get(name)
                reason = self.objection(who, name, before, value)
                if not reason and before != value:
                    said = {other: new for other, new in patch.items() if other not in refused}
                    reason = self.missing(who, name, value, issue.fields, said)
                if reason:
                    refused[name] = reason
                elif before != value:
                    issue.fields[name] = value
                    done(issue, self._deed(issue, who, "set", at=at, field=name, old=before, new=value))
            return refused

    def comment(
        self, who: str, key: str, text: str, *, internal: bool = False, files: Sequence[tuple[str, str, bytes]] = ()
    ) -> Note:
        """A comment, its files with it, and what the tracker does by itself upon it."""
        with self._acting() as done:
            issue = self.issue(key)
            at = self.stamp()
            deed = self._deed(issue, who, "comment", at=at, new=text)
            deed = replace(deed, note=str(deed.id))
            note = Note(deed.note, who, at, text, internal)
            note.files = [self._file(who, at, *each, note=note.id) for each in files]
            issue.notes.append(note)
            done(issue, deed)
            if not internal:
                for name, table in self.rules.reopens.items():
                    before = issue.fields.get(name)
                    after = table.get(str(before))
                    if after is not None and after != before:
                        issue.fields[name] = after
                        more = self._deed(
                            issue, AUTOMAT, "set", at=at, field=name, old=before, new=after, cause=deed.id
                        )
                        done(issue, more)
            return note

    def attach(self, who: str, key: str, name: str, media_type: str, content: bytes) -> File:
        """A file on the ticket itself."""
        with self._acting() as done:
            issue = self.issue(key)
            at = self.stamp()
            file = self._file(who, at, name, media_type, content)
            issue.files.append(file)
            done(issue, self._deed(issue, who, "attach", at=at, new=name, note=file.id))
            return file

    def reword(self, who: str, key: str, note_id: str, text: str) -> None:
        """Change a comment's text, as some trackers let people do."""
        with self._acting() as done:
            issue, note = self._note(key, note_id)
            before, note.text = note.text, text
            done(issue, self._deed(issue, who, "reword", at=self.stamp(), old=before, new=text, note=note_id))

    def unsay(self, who: str, key: str, note_id: str) -> None:
        """Delete a comment, its files with it."""
        with self._acting() as done:
            issue, note = self._note(key, note_id)
            issue.notes.remove(note)
            done(issue, self._deed(issue, who, "unsay", at=self.stamp(), old=note.text, note=note_id))

    def hide(self, who: str, key: str, note_id: str, *, internal: bool = True) -> None:
        """Make a public comment internal, or an internal one public; nothing where it is so already."""
        with self._acting() as done:
            issue, note = self._note(key, note_id)
            if note.internal != internal:
                note.internal = internal
                kind = "hide" if internal else "show"
                done(issue, self._deed(issue, who, kind, at=self.stamp(), new=note.text, note=note_id))

    def delete(self, who: str, key: str, *, kind: str = "delete") -> None:
        """Hide the ticket from everybody who asks, as deleting or moving it away does."""
        with self._acting() as done:
            issue = self.issue(key)
            done(issue, self._deed(issue, who, kind, at=self.stamp()))
            issue.hidden = kind

    def bring_back(self, who: str, key: str) -> None:
        """Show a ticket again that was deleted or moved away."""
        with self._acting() as done:
            issue = self.issues[key]
            issue.hidden = ""
            done(issue, self._deed(issue, who, "return", at=self.stamp()))

    def rekey(self, who: str, key: str) -> str:
        """Give the ticket another key, as a move between projects does in some trackers; the old one leads to it."""
        with self._acting() as done:
            issue = self.issue(key)
            old, new = issue.key, f"M{issue.number}-{len(issue.former) + 1}"
            self.issues[new] = self.issues.pop(old)
            issue.former.append(old)
            issue.key = self.became[old] = new
            done(issue, self._deed(issue, who, "rekey", at=self.stamp(), old=old, new=new))
            return new

    def merge(self, who: str, key: str, into: str) -> None:
        """Merge a ticket into another: its conversation goes on there, its fields are forgotten, its key leads there.

        :raises Missing: either is not there, or both are one."""
        with self._acting() as done:
            loser, survivor = self.issue(key), self.issue(into)
            if loser is survivor:
                raise Missing(into)
            moved = [each for each in loser.deeds if each.kind in ("comment", "attach")]
            survivor.notes = sorted([*survivor.notes, *loser.notes], key=lambda each: int(each.id))
            survivor.files = sorted([*survivor.files, *loser.files], key=lambda each: int(each.id))
            survivor.deeds = sorted([*survivor.deeds, *moved], key=lambda each: each.id)
            loser.notes, loser.files, loser.hidden = [], [], "merge"
            self.became[loser.key] = survivor.key
            done(loser, self._deed(loser, who, "merge", at=self.stamp(), new=survivor.key))
            done(survivor, self._deed(survivor, who, "merge", at=self.stamp(), old=loser.key))

    def merged(self, key: str) -> bool:
        """Whether this key leads to another ticket, not to this one under another key."""
        while key in self.became:
            if key in self.issues:
                return True
            key = self.became[key]
        return False

    def bearing(self, name: str, value: str) -> list[Issue]:
        """The visible tickets whose field holds exactly this value, oldest first."""
        with self.lock:
            return [each for each in self.issues.values() if not each.hidden and each.fields.get(name) == value]

    def file(self, file_id: str) -> File:
        """:raises Missing: there is none."""
        with self.lock:
            for issue in self.issues.values():
                for each in (*issue.files, *(file for note in issue.notes for file in note.files)):
                    if each.id == file_id and not issue.hidden:
                        return each
        raise Missing(file_id)

    def backup(self) -> Backup:
        """A copy of all that it holds."""
        with self.lock:
            return Backup(self._clock(), copy.deepcopy(self.issues), dict(self.became), self._ids)

    def restore(self, backup: Backup) -> None:
        """Go back to a backup: tickets, comments, histories, versions, and the ids that are given next. Only the god's
        log goes on, and the numbers of tickets."""
        with self.lock:
            self.issues, self.became = copy.deepcopy(dict(backup.issues)), dict(backup.became)
            self._ids = backup.ids

    def _note(self, key: str, note_id: str) -> tuple[Issue, Note]:
        issue = self.issue(key)
        note = next((each for each in issue.notes if each.id == note_id), None)
        if note is None:
            raise Missing(note_id)
        return issue, note

    def _next(self) -> int:
        self._ids += 1
        return self._ids

    def _file(self, who: str, at: datetime, name: str, media_type: str, content: bytes, note: str = "") -> File:
        return File(str(self._next()), name, media_type, content, who, at, note)

    def _deed(
        self,
        issue: Issue,
        who: str,
        kind: str,
        *,
        at: datetime,
        field: str = "",
        old: Value = None,
        new: Value = None,
        note: str = "",
        cause: int = 0,
    ) -> Deed:
        return Deed(self._next(), at, who, kind, issue.key, field, old, new, note, cause)

    def _acting(self) -> "_Acting":
        return _Acting(self)


class _Acting:
    """One act under the lock; those who watch hear of its deeds after the lock is given back."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._deeds: list[Deed] = []

    def __enter__(self) -> Callable[[Issue, Deed], None]:
        self._tracker.lock.acquire()
        return self._done

    def __exit__(self, *_: object) -> None:
        self._tracker.lock.release()
        for deed in self._deeds:
            for watcher in list(self._tracker.watch):
                watcher(deed)

    def _done(self, issue: Issue, deed: Deed) -> None:
        issue.deeds.append(deed)
        issue.version = deed.id
        if deed.kind not in _EDITS or not self._tracker.rules.silent_edits:
            issue.changed_at = deed.at
        self._tracker.log.append(deed)
        self._deeds.append(deed)


class Person:
    """Somebody at work in a tracker: `tracker.person("alice").edit(key, status="open")`."""

    def __init__(self, tracker: Tracker, name: str) -> None:
        self._tracker = tracker
        self.name = name

    def open(self, fields: Mapping[str, Value] | None = None, /, **values: Value) -> str:
        """Open a ticket; its key.  :raises ValueError: the tracker says no."""
        key, refused = self._tracker.open(self.name, {**(fields or {}), **values})
        if refused:
            raise ValueError("; ".join(refused.values()))
        return key

    def edit(self, key: str, fields: Mapping[str, Value] | None = None, /, **values: Value) -> None:
        """Set fields.  :raises ValueError: the tracker says no to one; the others are set."""
        refused = self._tracker.edit(self.name, key, {**(fields or {}), **values})
        if refused:
            raise ValueError("; ".join(refused.values()))

    def comment(
        self,
        key: str,
        text: str,
        *,
        internal: bool = False,
        files: Mapping[str, bytes] | Sequence[tuple[str, bytes]] = (),
    ) -> str:
        """Write a comment, files by name with it; its id."""
        pairs = files.items() if isinstance(files, Mapping) else files
        sent = [(name, "application/octet-stream", content) for name, content in pairs]
        return self._tracker.comment(self.name, key, text, internal=internal, files=sent).id

    def attach(self, key: str, name: str, content: bytes, media_type: str = "application/octet-stream") -> str:
        """Hang a file on the ticket; its id."""
        return self._tracker.attach(self.name, key, name, media_type, content).id

    def reword(self, key: str, comment_id: str, text: str) -> None:
        """Change a comment's text."""
        self._tracker.reword(self.name, key, comment_id, text)

    def unsay(self, key: str, comment_id: str) -> None:
        """Delete a comment."""
        self._tracker.unsay(self.name, key, comment_id)

    def hide(self, key: str, comment_id: str) -> None:
        """Make a comment internal."""
        self._tracker.hide(self.name, key, comment_id)

    def show(self, key: str, comment_id: str) -> None:
        """Make an internal comment public."""
        self._tracker.hide(self.name, key, comment_id, internal=False)

    def delete(self, key: str) -> None:
        """Delete the ticket."""
        self._tracker.delete(self.name, key)

    def move(self, key: str) -> None:
        """Move the ticket to where our account cannot see it."""
        self._tracker.delete(self.name, key, kind="move")

    def bring_back(self, key: str) -> None:
        """Undo a deletion or a move."""
        self._tracker.bring_back(self.name, key)

    def rekey(self, key: str) -> str:
        """Give the ticket another key; the new one."""
        return self._tracker.rekey(self.name, key)

    def merge(self, key: str, into: str) -> None:
        """Merge a ticket into another."""
        self._tracker.merge(self.name, key, into)
