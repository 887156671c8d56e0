"""A tracker of the kind of Azure's boards, from its public REST documentation: names with dots, changes as JSON Patch
guarded by a test of the revision, a query language that answers bare numbers, tickets read many at a time, texts in
HTML, a history that is an object of field to change, files that are taken in first and hung on the ticket after.
"""

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

ACCOUNT = "interdesk"
NAMES = {
    "title": "System.Title",
    "description": "System.Description",
    "state": "System.State",
    "priority": "Microsoft.VSTS.Common.Priority",
    "assigned": "System.AssignedTo",
    "labels": "System.Tags",
    "reference": "Custom.Reference",
}
FIELDS = {theirs: ours for ours, theirs in NAMES.items()}
RULES = Rules(
    fields=(
        RemoteField("title", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField("state", "choice", values=("To Do", "Doing", "Done")),
        RemoteField("priority", "choice", values=("1", "2", "3", "4")),
        RemoteField("assigned", "person"),
        RemoteField("labels", "set"),
        RemoteField("reference", "text"),
    ),
    defaults={"state": "To Do", "priority": "2"},
    workflow={"state": {"To Do": ("Doing",), "Doing": ("Done",), "Done": ("Doing",)}},
    bound=frozenset({ACCOUNT}),
)
_ITEMS = "/Grid/_apis/wit"


class BoardsEmulator(Emulator):
    """One organisation with one account and one project, Grid."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Tracker(clock, RULES, name="boards"))
        self.token = "emulated-token"
        self._taken: dict[str, bytes] = {}
        """Files that hang on nothing yet."""

    def account(self, asked: Asked) -> str:
        wanted = base64.b64encode(f":{self.token}".encode()).decode()
        return ACCOUNT if asked.headers.get("authorization") == f"Basic {wanted}" else ""

    def kind(self, asked: Asked) -> str:
        match asked.method, asked.path.removeprefix(_ITEMS).strip("/").split("/"):
            case "POST", ["wiql"]:
                return "find" if b"Custom.Reference" in asked.body else "list"
            case "GET", ["workitems", _] | ["workitems"]:
                return "read"
            case "GET", ["workItems", _, "comments"]:
                return "texts"
            case "GET", ["workItems", _, "updates"]:
                return "history"
            case "GET", ["attachments", _]:
                return "file"
            case "POST", ["attachments"]:
                return "upload"
            case "POST", ["workitems", _]:
                return "create"
            case "PATCH", ["workitems", _]:
                return "upload" if b"/relations/-" in asked.body else "update"
            case "POST", ["workItems", _, "comments"]:
                return "comment"
            case "PATCH" | "DELETE", ["workItems", _, "comments", _]:
                return "amend"
            case _:
                return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"resource": {"id": int(deed.key)}}

    def answer(self, asked: Asked) -> Reply:
        if not asked.who:
            return Reply(302, b"", {"Location": "/_signin?realm=here"})  # as for a person in a browser
        if not asked.word("api-version"):
            return _error(400, "VssVersionNotSpecifiedException", "No api-version was supplied.")
        try:
            with self.tracker.lock:
                return self._routed(asked)
        except Missing as absent:
            return _error(404, "WorkItemUnauthorizedAccessException", f"TF401232: Work item {absent} does not exist.")

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.removeprefix(_ITEMS).strip("/").split("/"):
            case "GET", ["_apis", "connectionData"]:
                return Reply(200, {"authenticatedUser": _person(ACCOUNT)})
            case "GET", ["_apis", "projects", "Grid"]:
                return Reply(200, {"id": "6ce954b1", "name": "Grid"})
            case "POST", ["wiql"]:
                found = self._found(asked.json()["query"])[: int(asked.word("$top", "20000"))]
                return Reply(200, {"queryType": "flat", "workItems": [{"id": each.number} for each in found]})
            case "GET", ["workitems"]:
                keys = asked.word("ids").split(",")
                there = [each for key in keys if (each := self.tracker.issues.get(key)) and not each.hidden]
                return Reply(200, {"count": len(there), "value": [self._shown(each) for each in there]})
            case "GET", ["workitems", key]:
                return Reply(200, self._shown(self.tracker.issue(key), whole=True))
            case "GET", ["workItems", key, "comments"]:
                return self._comments(asked, self.tracker.issue(key).notes)
            case "GET", ["workItems", key, "updates"]:
                deeds = [each for each in self.tracker.issue(key).deeds if each.kind == "set"]
                return Reply(200, {"count": len(deeds), "value": [_update(each) for each in deeds]})
            case "GET", ["attachments", number]:
                return Reply(200, self.tracker.file(number).content, {"Content-Type": "application/octet-stream"})
            case "POST", ["attachments"]:
                number = f"taken-{asked.number}"
                self._taken[number] = asked.body
                return Reply(201, {"id": number, "url": f"{self.url}{_ITEMS}/attachments/{number}"})
            case "POST" | "PATCH", ["workitems", key]:
                return self._patched(asked, key)
            case "POST", ["workItems", key, "comments"]:
                made = self.tracker.comment(asked.who, key, _read(asked.json()["text"]))
                return Reply(200, _noted(made))
            case "PATCH", ["workItems", key, "comments", number]:
                self.tracker.reword(asked.who, key, number, _read(asked.json()["text"]))
                return Reply(200, {"id": int(number)})
            case "DELETE", ["workItems", key, "comments", number]:
                self.tracker.unsay(asked.who, key, number)
                return Reply(204)
        return _error(404, "NotFound", "The controller for path was not found")

    def _found(self, query: str) -> list[Issue]:
        found = [each for each in self.tracker.issues.values() if not each.hidden]
        if (since := re.search(r"\[System\.ChangedDate\] >= '([^']+)'", query)) is not None:
            begin = datetime.fromisoformat(since[1])
            found = [each for each in found if each.changed_at >= begin]
        if (said := re.search(r"\[Custom\.Reference\] = '((?:[^']|'')*)'", query)) is not None:
            found = [each for each in found if each.fields["reference"] == said[1].replace("''", "'")]
        found.sort(key=lambda each: (each.changed_at, each.number), reverse=query.endswith("desc"))
        return found

    def _patched(self, asked: Asked, key: str) -> Reply:
        if asked.headers.get("content-type") != "application/json-patch+json":
            return _error(
                415, "VssRequestContentTypeNotSupportedException", "The request indicated a wrong content type."
            )
        issue = self.tracker.issue(key) if asked.method == "PATCH" else None
        patch: dict[str, Value] = {}
        for each in asked.json():
            match each:
                case {"op": "test", "path": "/rev", "value": revision}:
                    if issue is not None and revision != issue.version:
                        return _error(
                            412, "WorkItemRevisionMismatchException", "TF26071: This work item has been changed."
                        )
                case {"op": "add", "path": "/relations/-", "value": {"url": url, "attributes": {"name": name}}}:
                    content = self._taken.pop(url.rpartition("/")[2])
                    assert issue is not None, "files hang on a ticket"
                    self.tracker.attach(asked.who, issue.key, name, "application/octet-stream", content)
                case {"op": "add", "path": path, "value": value}:
                    patch[FIELDS[path.removeprefix("/fields/")]] = _said(FIELDS[path.removeprefix("/fields/")], value)
        if issue is None:
            key, refused = self.tracker.open(asked.who, patch)
        else:
            told = {
                name: self.tracker.objection(asked.who, name, issue.fields[name], new) for name, new in patch.items()
            }
            refused = {name: why for name, why in told.items() if why}
        if refused:
            name, why = next(iter(refused.items()))
            return _error(400, "RuleValidationException", f"TF401320: Rule Error for field {name}. {why}")
        if issue is not None:
            self.tracker.edit(asked.who, key, patch)
        return Reply(200, self._shown(self.tracker.issue(key), whole=True))

    def _comments(self, asked: Asked, notes: Sequence[Note]) -> Reply:
        size, begin = int(asked.word("$top", "200")), int(asked.word("continuationToken", "0"))
        shown = [_noted(each) for each in notes[begin : begin + size]]
        told: dict[str, Any] = {"totalCount": len(notes), "count": len(shown), "comments": shown}
        if begin + size < len(notes):
            told["continuationToken"] = str(begin + size)
        return Reply(200, told)

    def _shown(self, issue: Issue, *, whole: bool = False) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "System.TeamProject": "Grid",
            "System.ChangedDate": _time(issue.changed_at),
            "System.CreatedBy": _person(issue.author),
        }
        for ours, theirs in NAMES.items():
            value = issue.fields[ours]
            if value is not None:  # what is not set does not show
                fields[theirs] = _told(ours, value)
        shown = {"id": issue.number, "rev": issue.version, "fields": fields}
        files = [*issue.files, *(file for note in issue.notes for file in note.files)]
        return {**shown, "relations": [self._related(each) for each in files]} if whole and files else shown

    def _related(self, file: File) -> dict[str, Any]:
        attributes = {"name": file.name, "resourceSize": len(file.content), "authorizedDate": _time(file.at)}
        url = f"{self.url}{_ITEMS}/attachments/{file.id}"
        return {"rel": "AttachedFile", "url": url, "attributes": attributes}


def _said(name: str, value: Any) -> Value:
    if name == "labels":
        return tuple(sorted(each.strip() for each in str(value or "").split(";") if each.strip())) or None
    return _read(str(value)) or None if name == "description" else str(value) if value not in (None, "") else None


def _told(name: str, value: Value) -> Any:
    match name:
        case "labels":
            return "; ".join(value if isinstance(value, tuple) else (str(value),))
        case "assigned":
            return _person(str(value))
        case "description":
            return _shown(str(value))
        case "priority":
            return int(str(value))
    return value


def _update(deed: Deed) -> dict[str, Any]:
    change = {
        side: _told(deed.field, value) for side, value in (("oldValue", deed.old), ("newValue", deed.new)) if value
    }
    fields = {"System.ChangedDate": {"newValue": _time(deed.at)}, NAMES[deed.field]: change}
    return {"id": deed.id, "revisedBy": _person(deed.who), "revisedDate": "9999-01-01T00:00:00Z", "fields": fields}


def _noted(note: Note) -> dict[str, Any]:
    told = {"id": int(note.id), "text": _shown(note.text), "createdBy": _person(note.author)}
    return {**told, "createdDate": _time(note.at)}


def _person(name: str) -> dict[str, str]:
    return {"displayName": name.title(), "uniqueName": name, "id": f"guid-{name}"}


def _shown(text: str) -> str:
    lines = html.escape(text.replace("\r\n", "\n"), quote=False).split("\n")
    return (
        "<div>"
        + "<br>".join(re.sub("^ +| +(?= )", lambda found: "&nbsp;" * len(found[0]), each) for each in lines)
        + "</div>"
    )


def _read(said: str) -> str:
    """What people see of HTML that was written by machine."""
    text = re.sub(r"<br */?>\n?", "\n", re.sub(r"</?(p|div)>", "", said))
    return html.unescape(text).replace("\xa0", " ")


def _time(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def _error(status: int, kind: str, says: str) -> Reply:
    return Reply(status, json.dumps({"message": says, "typeKey": kind}).encode())
