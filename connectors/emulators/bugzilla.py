"""Bugzilla as its REST API shows it. Facts: its documentation, API v1 (bugs, comments, attachments, users, fields), and
the error codes of its published source.

What it knows of searching is what a connector needs to ask: product, alias, last_change_time, one condition on bug_id,
order, limit and offset. An attachment makes a comment of its own, with words of Bugzilla's.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

US, NOBODY = "ggus-sync", "nobody"
PRIORITIES = ("Highest", "High", "Normal", "Low", "Lowest", "---")
RESOLUTIONS = ("FIXED", "INVALID", "WONTFIX", "DUPLICATE", "WORKSFORME")
_OPEN = ("UNCONFIRMED", "CONFIRMED", "IN_PROGRESS")
WORKFLOW: Mapping[str, Sequence[str]] = {
    "UNCONFIRMED": ("CONFIRMED", "IN_PROGRESS", "RESOLVED"),
    "CONFIRMED": ("IN_PROGRESS", "RESOLVED"),
    "IN_PROGRESS": ("CONFIRMED", "RESOLVED"),
    "RESOLVED": ("UNCONFIRMED", "CONFIRMED", "VERIFIED"),
    "VERIFIED": ("UNCONFIRMED", "CONFIRMED"),
}
RULES = Rules(
    fields=(
        RemoteField("summary", "text", max_length=255),
        RemoteField("description", "text", writable=False),
        RemoteField("status", "choice", values=tuple(WORKFLOW)),
        RemoteField("resolution", "choice"),
        RemoteField("priority", "choice", values=PRIORITIES),
        RemoteField("assigned_to", "person"),
        RemoteField("whiteboard", "text"),
        RemoteField("alias", "set"),
    ),
    defaults={"status": "CONFIRMED", "priority": "---", "assigned_to": NOBODY, "alias": ()},
    workflow={"status": WORKFLOW},
    needs={"status": {"RESOLVED": ("resolution",)}},
    bound=frozenset({US}),
)
"""A product as Bugzilla comes: its default workflow, and a component whose bugs belong to nobody at first."""
_NEEDED = ("product", "component", "version", "summary")
_STATUS = dict.fromkeys((102, 106, 109, 110, 113, 115, 120, 306, 410), 401) | {100: 404, 101: 404}
_LONGEST_COMMENT = 65535


class BugzillaEmulator(Emulator):
    """A Bugzilla with one product, `Grid`. `people` may be put in charge."""

    def __init__(self, clock: Clock, *, people: Sequence[str] = (), rules: Rules = RULES, port: int = 0) -> None:
        super().__init__(Tracker(clock, rules, name="bugzilla"), port=port)
        self.product = "Grid"
        self.key = "emulated-key"
        self.people = {US, NOBODY, *people}

    def account(self, asked: Asked) -> str:
        return US if asked.headers.get("x-bugzilla-api-key") == self.key else ""

    def kind(self, asked: Asked) -> str:
        match asked.method, asked.path.removeprefix("/rest/").split("/"):
            case "GET", ["bug"]:
                return "find" if asked.word("alias") else "list"
            case "GET", ["bug", "attachment", _]:
                return "file"
            case "GET", ["bug", _]:
                return "read"
            case "GET", ["bug", _, "comment" | "attachment"]:
                return "texts"
            case "GET", ["bug", _, "history"]:
                return "history"
            case "POST", ["bug"]:
                return "create"
            case "POST", ["bug", _, "comment"]:
                return "comment"
            case "POST", ["bug", _, "attachment"]:
                return "upload"
            case "PUT", ["bug", _]:
                return "update"
            case _:
                return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"event": {"target": "bug"}, "bug": {"id": int(deed.key)}}

    def answer(self, asked: Asked) -> Reply:
        if not asked.who:
            if "x-bugzilla-api-key" in asked.headers:
                return _error(306, "The API key you specified is invalid. Please check that you typed it correctly.")
            return _error(410, "You must log in before using this part of Bugzilla.")
        try:
            with self.tracker.lock:
                return self._routed(asked)
        except Missing as missing:
            return _error(101, f"Bug #{missing} does not exist.")
        except _No as no:
            return _error(no.code, str(no))

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.removeprefix("/rest/").split("/"):
            case "GET", ["whoami"]:
                return Reply(200, {"id": 7, "name": asked.who, "real_name": "interdesk"})
            case "GET", ["product"]:
                there = asked.word("names") == self.product
                return Reply(200, {"products": [{"id": 1, "name": self.product, "is_active": True}] if there else []})
            case "GET", ["field", "bug", name]:
                return Reply(200, {"fields": [{"name": name, "values": _words(name)}]})
            case "GET", ["bug"]:
                return self._search(asked)
            case "GET", ["bug", key]:
                return Reply(200, {"faults": [], "bugs": [self._shown(self._issue(key))]})
            case "GET", ["bug", key, "comment"]:
                issue = self._issue(key)
                return Reply(200, {"bugs": {key: {"comments": list(self._comments(issue))}}, "comments": {}})
            case "GET", ["bug", key, "history"]:
                return Reply(200, {"bugs": [{"id": int(key), "alias": [], "history": _history(self._issue(key))}]})
            case "GET", ["bug", "attachment", number]:
                return Reply(200, {"bugs": {}, "attachments": {number: self._whole(number)}})
            case "GET", ["bug", key, "attachment"]:
                issue = self._issue(key)
                return Reply(200, {"bugs": {key: [self._attachment(issue, *each) for each in _files(issue)]}})
            case "POST", ["bug"]:
                return self._create(asked)
            case "PUT", ["bug", key]:
                return self._update(asked, key)
            case "POST", ["bug", key, "comment"]:
                return self._comment(asked, self._issue(key))
            case "POST", ["bug", key, "attachment"]:
                return self._attach(asked, self._issue(key))
        return _error(32000, "No REST API resource was found for that path")

    def _issue(self, key: str) -> Issue:
        issue = self.tracker.issues.get(key)
        if issue is not None and issue.hidden == "move":
            raise _No(102, f"You are not authorized to access bug #{key}.")
        return self.tracker.issue(key)

    # -- bugs ------------------------------------------------------------------------------------------------------

    def _search(self, asked: Asked) -> Reply:
        if not {"product", "alias", "last_change_time", "id"} & asked.query.keys():
            raise _No(1000, "You may not search, or create saved searches, without any search terms.")
        found = [each for each in self.tracker.issues.values() if not each.hidden]
        if asked.word("product", self.product) != self.product:
            found = []
        if alias := asked.word("alias"):
            found = [each for each in found if alias in _set(each.fields["alias"])]
        if since := asked.word("last_change_time"):
            start = datetime.fromisoformat(since)
            found = [each for each in found if each.changed_at >= start]
        if (asked.word("f1"), asked.word("o1")) == ("bug_id", "greaterthan"):
            found = [each for each in found if each.number > int(asked.word("v1"))]
        if asked.word("order").startswith("changeddate"):
            found.sort(key=lambda each: each.changed_at, reverse=asked.word("order").endswith("DESC"))
        begin, size = int(asked.word("offset", "0")), int(asked.word("limit", "0")) or 10_000
        return Reply(200, {"bugs": [self._shown(each) for each in found[begin : begin + size]]})

    def _shown(self, issue: Issue) -> dict[str, Any]:
        fields = issue.fields
        owner = str(fields["assigned_to"] or NOBODY)
        return {
            "id": issue.number,
            "alias": list(_set(fields["alias"])),
            "product": self.product,
            "component": "Middleware",
            "summary": fields["summary"] or "",
            "status": fields["status"],
            "resolution": fields["resolution"] or "",
            "is_open": fields["status"] in _OPEN,
            "priority": fields["priority"],
            "whiteboard": fields["whiteboard"] or "",
            "assigned_to": owner,
            "assigned_to_detail": _user(owner),
            "creator": issue.author,
            "creator_detail": _user(issue.author),
            "creation_time": _time(issue.created_at),
            "last_change_time": _time(issue.changed_at),
            "comment_count": len(issue.notes) + 1,
        }

    def _create(self, asked: Asked) -> Reply:
        said = asked.json()
        for name in _NEEDED:
            if not str(said.get(name) or "").strip():
                raise _No(50, f"You must enter a {name} for this bug.")
        if said["product"] != self.product:
            raise _No(106, f"Either the product '{said['product']}' does not exist or you don't have access to it.")
        fields = self._fields(said, alias=said.get("alias") or ())
        taken = [each for other in self.tracker.issues.values() for each in _set(other.fields["alias"])]
        if clash := set(_set(fields["alias"])) & set(taken):
            raise _No(103, f"Bug has already taken the alias '{clash.pop()}'.")
        key, refused = self.tracker.open(asked.who, {**fields, "description": said.get("description") or ""})
        self._ensure(refused)
        return Reply(200, {"id": int(key)})

    def _update(self, asked: Asked, key: str) -> Reply:
        issue, said = self._issue(key), asked.json()
        alias = said.get("alias")
        patch = self._fields(said, alias=alias.get("set") if isinstance(alias, Mapping) else alias)
        status = str(patch.get("status", issue.fields["status"]))
        if "resolution" in said and status in _OPEN:
            raise _No(122, "You cannot set a resolution for open bugs.")
        if status in _OPEN and issue.fields["resolution"]:
            patch["resolution"] = None  # it opens again, and Bugzilla clears it
        stands = issue.fields
        against = {name: self.tracker.objection(asked.who, name, stands[name], new) for name, new in patch.items()}
        if status != stands["status"] and against.get("status"):
            raise _No(123, f"You are not allowed to change the bug status from {stands['status']} to {status}.")
        if status != stands["status"] and self.tracker.missing(asked.who, "status", status, stands, patch):
            raise _No(121, f"A valid resolution is required to mark bugs as {status}.")
        self._ensure({name: told for name, told in against.items() if told})
        before = dict(stands)
        self.tracker.edit(asked.who, key, patch)
        changes = {
            name: {"removed": _said(before[name]), "added": _said(new)}
            for name, new in patch.items()
            if before[name] != new
        }
        changed = _time(self._issue(key).changed_at)
        return Reply(200, {"bugs": [{"id": int(key), "alias": [], "last_change_time": changed, "changes": changes}]})

    def _fields(self, said: Mapping[str, Any], alias: Any) -> dict[str, Value]:
        names = ("summary", "status", "resolution", "priority", "assigned_to", "whiteboard")
        found: dict[str, Value] = {name: said[name] or None for name in names if name in said}
        if alias is not None:
            found["alias"] = tuple(alias) if isinstance(alias, list | tuple) else (str(alias),)
        if found.get("assigned_to", NOBODY) not in self.people:
            raise _No(51, f"There is no user named '{found['assigned_to']}'.")
        if found.get("resolution") not in (None, *RESOLUTIONS):
            raise _No(51, f"There is no resolution named '{found['resolution']}'.")
        return found

    @staticmethod
    def _ensure(refused: Mapping[str, str]) -> None:
        for told in refused.values():
            raise _No(51, told)

    # -- comments and attachments ----------------------------------------------------------------------------------

    def _comments(self, issue: Issue) -> Any:
        said = issue.fields["description"] or ""
        yield _noted(issue, Note(f"{issue.number}00000", issue.author, issue.created_at, str(said), False), 0)
        entries: list[tuple[datetime, int, Note, int | None]] = []
        for note in issue.notes:
            number = int(note.files[0].id) if note.files else None
            text = f"{_made(note.files[0])}\n\n{note.text}" if note.files else note.text
            entries.append((note.at, int(note.id), Note(note.id, note.author, note.at, text, note.internal), number))
            for file in note.files[1:]:  # each has a comment of its own
                entries.append((file.at, int(file.id), _by_itself(file, internal=note.internal), int(file.id)))
        entries += [(file.at, int(file.id), _by_itself(file), int(file.id)) for file in issue.files]
        for count, (_, _, note, number) in enumerate(sorted(entries, key=lambda each: each[:2]), start=1):
            yield {**_noted(issue, note, count), "attachment_id": number}

    def _comment(self, asked: Asked, issue: Issue) -> Reply:
        text = asked.json().get("comment") or ""
        if not text.strip():
            raise _No(50, "You did not set the comment parameter.")
        if len(text) > _LONGEST_COMMENT:
            raise _No(114, "Comments cannot be longer than 65535 characters.")
        internal = bool(asked.json().get("is_private"))
        return Reply(201, {"id": int(self.tracker.comment(asked.who, issue.key, text, internal=internal).id)})

    def _attach(self, asked: Asked, issue: Issue) -> Reply:
        said = asked.json()
        content = base64.b64decode(said.get("data") or "")
        if not content:
            raise _No(606, "The file you are trying to attach is empty!")
        if not said.get("summary"):
            raise _No(604, "You must enter a description for the attachment.")
        file = self.tracker.attach(asked.who, issue.key, said["file_name"], said["content_type"], content)
        return Reply(201, {"ids": [file.id]})

    def _attachment(self, issue: Issue, file: File, internal: bool) -> dict[str, Any]:
        return {
            "id": int(file.id),
            "bug_id": issue.number,
            "file_name": file.name,
            "summary": file.name,
            "content_type": file.media_type,
            "size": len(file.content),
            "creator": file.author,
            "creation_time": _time(file.at),
            "is_private": 1 if internal else 0,
            "is_obsolete": 0,
        }

    def _whole(self, number: str) -> dict[str, Any]:
        try:
            file = self.tracker.file(number)
        except Missing:
            raise _No(101, f"The attachment id {number} is invalid.") from None
        return {"id": int(number), "data": base64.b64encode(file.content).decode()}


class _No(Exception):
    """What Bugzilla says no to, and the code that it has for it."""

    def __init__(self, code: int, says: str) -> None:
        super().__init__(says)
        self.code = code


def _error(code: int, message: str) -> Reply:
    status = _STATUS.get(code, 400)
    return Reply(status, {"error": True, "code": code, "message": message, "documentation": "https://example.org/api/"})


def _files(issue: Issue) -> list[tuple[File, bool]]:
    found = [(file, False) for file in issue.files]
    return [*found, *((file, note.internal) for note in issue.notes for file in note.files)]


def _made(file: File) -> str:
    return f"Created attachment {file.id}\n{file.name}"


def _by_itself(file: File, *, internal: bool = False) -> Note:
    """The comment that Bugzilla writes when a file comes alone."""
    return Note(f"{file.id}", file.author, file.at, _made(file), internal)


def _noted(issue: Issue, note: Note, count: int) -> dict[str, Any]:
    return {
        "id": int(note.id),
        "bug_id": issue.number,
        "attachment_id": None,
        "count": count,
        "text": note.text,
        "creator": note.author,
        "time": _time(note.at),
        "creation_time": _time(note.at),
        "is_private": note.internal,
        "is_markdown": False,
        "tags": [],
    }


def _history(issue: Issue) -> list[dict[str, Any]]:
    """What one person changed at one time is one entry."""
    found: dict[tuple[datetime, str], list[dict[str, Any]]] = {}
    for deed in issue.deeds:
        if deed.kind == "set":
            change = {"field_name": deed.field, "removed": _said(deed.old), "added": _said(deed.new)}
            found.setdefault((deed.at, deed.who), []).append(change)
    return [{"when": _time(at), "who": who, "changes": changes} for (at, who), changes in found.items()]


def _words(name: str) -> list[dict[str, Any]]:
    words = {"bug_status": tuple(WORKFLOW), "resolution": ("", *RESOLUTIONS), "priority": PRIORITIES}.get(name, ())
    return [{"name": each, "sort_key": number} for number, each in enumerate(words)]


def _user(name: str) -> dict[str, Any]:
    mail = f"{name}@bugzilla.example.org"
    return {"id": len(name), "name": name, "real_name": name.title(), "nick": name, "email": mail}


def _set(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),) if value else ()


def _said(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value or "")


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
