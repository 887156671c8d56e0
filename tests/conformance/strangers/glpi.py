"""A tracker of GLPI's kind, from its public API documentation (apirest.md): a session by a call of its own beside an
application's token, columns by number, ranges whose total is in a header, errors as lists, people by number in a list
of actors, texts as HTML that is escaped once more, times in the server's own zone, and statuses that are passed over
in silence where the life cycle forbids them.
"""

import html
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.api import RemoteField, Value
from connectors.emulators import forms
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

ACCOUNT = "interdesk"
PEOPLE = {2: "glpi", 7: ACCOUNT, 8: "alice", 9: "bob"}
STATUSES = {1: "new", 2: "assigned", 3: "planned", 4: "pending", 5: "solved", 6: "closed"}
URGENCIES = {1: "very low", 2: "low", 3: "medium", 4: "high", 5: "very high"}
RULES = Rules(
    fields=(
        RemoteField("name", "text", max_length=255),
        RemoteField("content", "text"),
        RemoteField("status", "choice", values=tuple(STATUSES.values())),
        RemoteField("urgency", "choice", values=tuple(URGENCIES.values())),
        RemoteField("assigned", "person"),
    ),
    defaults={"status": "new", "urgency": "medium"},
    workflow={"status": {"new": ("assigned", "solved"), "assigned": ("planned", "pending", "solved")}},
    bound=frozenset({ACCOUNT}),
)
_COLUMNS = {"name": 1, "status": 12, "urgency": 10, "content": 21}


class GlpiEmulator(Emulator):
    """One tracker with one account and one entity, number 3."""

    def __init__(self, clock: Clock, *, zone: str = "Europe/Paris") -> None:
        super().__init__(Tracker(clock, RULES, name="glpi"))
        self.zone = ZoneInfo(zone)
        self.user_token, self.app_token = "emulated-user-token", "emulated-app-token"
        self.sessions: set[str] = set()

    def account(self, asked: Asked) -> str:
        if asked.headers.get("app-token") != self.app_token:
            return ""
        if asked.path.endswith("/initSession"):
            return ACCOUNT if asked.headers.get("authorization") == f"user_token {self.user_token}" else ""
        return ACCOUNT if asked.headers.get("session-token") in self.sessions else ""

    def kind(self, asked: Asked) -> str:
        match asked.method, asked.path.removeprefix("/apirest.php/").split("/"):
            case "GET", ["search", "Ticket"]:
                return "find" if any(value == ["contains"] for value in asked.query.values()) else "list"
            case "GET", ["Ticket", _]:
                return "read"
            case "GET", ["Ticket", _, "ITILFollowup"]:
                return "texts"
            case "GET", ["Ticket", _, "Log"]:
                return "history"
            case "GET", ["Document", _]:
                return "file"
            case "POST", ["Ticket"]:
                return "create"
            case "PUT", ["Ticket", _]:
                return "update"
            case "POST", ["ITILFollowup"]:
                return "comment"
            case "PUT" | "DELETE", ["ITILFollowup", _]:
                return "amend"
            case "POST", ["Document"]:
                return "upload"
            case _:
                return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"id": deed.key}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("app-token") != self.app_token:
            return _error(400, "ERROR_WRONG_APP_TOKEN_PARAMETER", "parameter app_token seems wrong")
        if not asked.who and asked.path.endswith("/initSession"):
            return _error(401, "ERROR_GLPI_LOGIN_USER_TOKEN", "parameter user_token seems invalid")
        if not asked.who:
            return _error(401, "ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid")
        try:
            with self.tracker.lock:
                return self._routed(asked)
        except Missing:
            return _error(404, "ERROR_ITEM_NOT_FOUND", "Item not found")

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.removeprefix("/apirest.php/").split("/"):
            case "GET", ["initSession"]:
                session = f"session-{asked.number}"
                self.sessions.add(session)
                return Reply(200, {"session_token": session})
            case "GET", ["getFullSession"]:
                return Reply(200, {"session": {"glpiID": 7, "glpiname": ACCOUNT, "glpifriendlyname": "interdesk"}})
            case "GET", ["Entity", "3"]:
                return Reply(200, {"id": 3, "name": "Grid"})
            case "GET", ["User", number]:
                if int(number) not in PEOPLE:
                    raise Missing(number)
                return Reply(200, {"id": int(number), "name": PEOPLE[int(number)]})
            case "GET", ["User"]:
                name = asked.word("searchText[name]").strip("^$")
                return self._ranged(asked, [{"id": n, "name": each} for n, each in PEOPLE.items() if each == name])
            case "GET", ["search", "Ticket"]:
                return self._search(asked)
            case "GET", ["Ticket", key]:
                return self._ticket(self._issue(key))
            case "GET", ["Ticket", key, "Ticket_User"]:
                return self._ranged(asked, _actors(self._issue(key)))
            case "GET", ["Ticket", key, "ITILFollowup"]:
                return self._ranged(asked, [self._noted(each) for each in self._issue(key).notes])
            case "GET", ["Ticket", key, "Log"]:
                deeds = [each for each in self._issue(key).deeds if each.kind == "set" and each.field in _COLUMNS]
                return self._ranged(asked, [self._logged(each) for each in deeds])
            case "GET", ["Document", number]:
                file = self.tracker.file(number)
                if asked.headers.get("accept") != "application/octet-stream":
                    return Reply(200, self._document(file))
                return Reply(200, file.content, {"Content-Type": file.media_type})
            case "POST", ["Ticket"]:
                key, refused = self.tracker.open(asked.who, _fields(asked.json()["input"]))
                if refused:
                    return _error(400, "ERROR_GLPI_ADD", "; ".join(refused.values()))
                return Reply(201, {"id": int(key), "message": ""}, {"Location": f"{self.url}/apirest.php/Ticket/{key}"})
            case "PUT", ["Ticket", key]:
                self.tracker.edit(asked.who, self._issue(key).key, _fields(asked.json()["input"]))
                return Reply(200, [{key: True, "message": ""}])  # whatever was passed over
            case "POST", ["ITILFollowup"]:
                said = asked.json()["input"]
                internal = str(said.get("is_private")) in ("1", "True")
                key = self._issue(str(said["items_id"])).key
                made = self.tracker.comment(asked.who, key, _read(said["content"]), internal=internal)
                return Reply(201, {"id": int(made.id), "message": ""})
            case "PUT", ["ITILFollowup", number]:
                said = asked.json()["input"]
                self.tracker.reword(asked.who, self._of(number), number, _read(said["content"]))
                return Reply(200, [{number: True, "message": ""}])
            case "DELETE", ["ITILFollowup", number]:
                self.tracker.unsay(asked.who, self._of(number), number)
                return Reply(200, [{number: True, "message": ""}])
            case "POST", ["Document"]:
                said = json.loads(forms.fields(asked)["uploadManifest"])["input"]
                ((name, kind, content),) = forms.files(asked)
                file = self.tracker.attach(asked.who, self._issue(str(said["items_id"])).key, name, kind, content)
                return Reply(201, {"id": int(file.id), "message": "", "upload_result": {"filename": [{"name": name}]}})
        return _error(400, "ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM", "resource not found or not an instance")

    def _issue(self, key: str) -> Issue:
        """One in the dustbin is still shown: with its flag."""
        issue = self.tracker.issues.get(key)
        if issue is None or issue.hidden not in ("", "delete"):
            raise Missing(key)
        return issue

    def _of(self, number: str) -> str:
        for issue in self.tracker.issues.values():
            if any(note.id == number for note in issue.notes):
                return issue.key
        raise Missing(number)

    def _ranged(self, asked: Asked, rows: list[Any]) -> Reply:
        first, _, last = asked.word("range", "0-49").partition("-")
        begin, end = int(first), int(last)
        if begin and begin >= len(rows):
            told = f"Provided range exceed total count of data: {len(rows)}"
            return _error(400, "ERROR_RANGE_EXCEED_TOTAL", told)
        some = rows[begin : end + 1]
        told = {"Content-Range": f"{begin}-{begin + len(some) - 1}/{len(rows)}", "Accept-Range": "Ticket 990"}
        return Reply(200 if len(some) == len(rows) else 206, some, told)

    def _search(self, asked: Asked) -> Reply:
        found = [each for each in self.tracker.issues.values() if not each.hidden]
        for number in range(5):
            said = {name: asked.word(f"criteria[{number}][{name}]") for name in ("field", "searchtype", "value")}
            match said:
                case {"field": "19", "searchtype": "morethan", "value": value}:
                    found = [each for each in found if self._time(each.changed_at) > value]
                case {"field": "21", "searchtype": "contains", "value": value}:
                    found = [each for each in found if value in str(each.fields["content"] or "")]
                case {"field": "80", "searchtype": "equals", "value": value}:
                    found = found if value == "3" else []
        if asked.word("sort") == "19":
            found.sort(key=lambda each: (each.changed_at, each.number), reverse=asked.word("order") == "DESC")
        first, _, last = asked.word("range", "0-49").partition("-")
        some = found[int(first) : int(last) + 1]
        if int(first) and int(first) >= len(found):
            return _error(400, "ERROR_RANGE_EXCEED_TOTAL", f"Provided range exceed total count of data: {len(found)}")
        told = {"totalcount": len(found), "count": len(some)}
        if some:  # an empty one has no data at all
            told |= {"data": [self._row(each) for each in some]}  # type: ignore[dict-item]
        return Reply(200 if len(some) == len(found) else 206, told)

    def _row(self, issue: Issue) -> dict[str, Any]:
        owner = issue.fields["assigned"]
        return {
            "1": _shown(issue.fields["name"]),
            "2": issue.number,
            "5": str(_id(PEOPLE, owner)) if owner else None,
            "10": _id(URGENCIES, issue.fields["urgency"]),
            "12": _id(STATUSES, issue.fields["status"]),
            "19": self._time(issue.changed_at),
            "21": _escaped(issue.fields["content"]),
            "80": "Root entity > Grid",
        }

    def _ticket(self, issue: Issue) -> Reply:
        shown = {
            "id": issue.number,
            "entities_id": 3,
            "name": _shown(issue.fields["name"]),
            "content": _escaped(issue.fields["content"]),
            "date": self._time(issue.created_at),
            "date_mod": self._time(issue.changed_at),
            "users_id_recipient": _id(PEOPLE, issue.author),
            "status": _id(STATUSES, issue.fields["status"]),
            "urgency": _id(URGENCIES, issue.fields["urgency"]),
            "is_deleted": 1 if issue.hidden else 0,
            "_documents": [self._document(each) for each in issue.files + [f for n in issue.notes for f in n.files]],
        }
        return Reply(200, shown, {"Last-Modified": self._time(issue.changed_at)})

    def _document(self, file: File) -> dict[str, Any]:
        told = {"id": int(file.id), "name": file.name, "filename": file.name, "mime": file.media_type}
        return {**told, "users_id": _id(PEOPLE, file.author), "date_creation": self._time(file.at)}

    def _noted(self, note: Note) -> dict[str, Any]:
        told = {"id": int(note.id), "itemtype": "Ticket", "users_id": _id(PEOPLE, note.author)}
        return {
            **told,
            "date": self._time(note.at),
            "content": _escaped(note.text),
            "is_private": 1 if note.internal else 0,
        }

    def _logged(self, deed: Deed) -> dict[str, Any]:
        table = {"status": STATUSES, "urgency": URGENCIES}.get(deed.field)
        old, new = (_id(table, each) if table else each or "" for each in (deed.old, deed.new))
        return {
            "id": deed.id,
            "user_name": f"{deed.who} ({_id(PEOPLE, deed.who)})",
            "date_mod": self._time(deed.at),
            "id_search_option": _COLUMNS[deed.field],
            "old_value": str(old),
            "new_value": str(new),
        }

    def _time(self, when: datetime) -> str:
        return when.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")


def _fields(said: Mapping[str, Any]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if "name" in said:
        found["name"] = said["name"]
    if "content" in said:
        found["content"] = _read(said["content"])
    for name, table in (("status", STATUSES), ("urgency", URGENCIES)):
        if said.get(name) in table:
            found[name] = table[said[name]]
    if "_users_id_assign" in said:
        found["assigned"] = PEOPLE.get(said["_users_id_assign"])
    return found


def _actors(issue: Issue) -> list[dict[str, Any]]:
    found = [{"id": 1, "tickets_id": issue.number, "users_id": _id(PEOPLE, issue.author), "type": 1}]
    if owner := issue.fields["assigned"]:
        found.append({"id": 2, "tickets_id": issue.number, "users_id": _id(PEOPLE, owner), "type": 2})
    return found


def _id(table: Mapping[int, str], word: Value) -> int:
    return next((number for number, each in table.items() if each == word), 0)


def _read(said: str) -> str:
    """What people see of HTML that was written by machine: `<p>`, `<br>` and entities."""
    text = re.sub(r"<br */?>\n?", "\n", re.sub(r"</?(p|div)>", "", said))
    return html.unescape(text)


def _shown(value: Value) -> str:
    return html.escape(str(value or ""), quote=False)


def _escaped(value: Value) -> str:
    inside = html.escape(str(value or ""), quote=False).replace("\r\n", "\n").replace("\n", "<br>")
    return html.escape(f"<p>{inside}</p>", quote=False) if value else ""


def _error(status: int, code: str, says: str) -> Reply:
    return Reply(status, [code, f"{says}; view documentation in your browser at https://glpi.example.org/#{code}"])
