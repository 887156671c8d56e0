"""Redmine 5 as its REST API shows it, quirks included. Facts: tried against Redmine 5.0.4."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import AUTOMAT, Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

STATUSES = ("New", "In Progress", "Resolved", "Feedback", "Closed", "Rejected")
PRIORITIES = ("Low", "Normal", "High", "Urgent", "Immediate")
TRACKERS = ("Bug", "Feature", "Support")
_CUSTOM, _CUSTOM_ID = "ExternalId", 1
_ACCOUNT_ID = 5

RULES = Rules(
    fields=(
        RemoteField("subject", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=STATUSES),
        RemoteField("priority", "choice", values=PRIORITIES),
        RemoteField("tracker", "choice", values=TRACKERS),
        RemoteField("assigned_to", "person"),
        RemoteField(f"cf.{_CUSTOM}", "text"),
    ),
    defaults={"status": "New", "priority": "Normal", "tracker": "Bug"},
    workflow={
        "status": {
            "New": ("In Progress", "Rejected"),
            "In Progress": ("Feedback", "Resolved"),
            "Feedback": ("In Progress",),
            "Resolved": ("In Progress", "Closed"),
        }
    },
    bound=frozenset({"ggus-sync"}),
    opening={"status": "New"},
    silent_edits=True,
)
"""A project with a strict workflow, as `tests/peers` sets up the real one. It binds our account; people may do more."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    tells_time: bool = False
    """A web server in front adds a Date header; Redmine alone does not."""
    crlf: bool = True
    """A description comes back with CRLF."""
    names_fields: bool = True
    """The project names its custom fields; one that is for all projects is named by the tickets alone."""
    filters_by_field: bool = True
    """The custom field is "used as a filter"; else such a filter is passed over in silence."""
    custom_field: bool = True
    """The tickets have the custom field that holds our token."""


class RedmineEmulator(Emulator):
    """A Redmine with one project. People appear by their names; `people` are those who can be assignees."""

    def __init__(
        self,
        clock: Clock,
        *,
        project: str = "ggus",
        people: Sequence[str] = (),
        rules: Rules = RULES,
        quirks: Quirks | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(Tracker(clock, rules, name="redmine"), port=port)
        self.project = project
        self.api_key = "emulated-key"
        self.quirks = quirks or Quirks()
        self._people = {"ggus-sync": _ACCOUNT_ID, AUTOMAT: 2}
        self.members = [self._person(self._number(name)) for name in ("ggus-sync", *people)]
        """Who can be an assignee, by id and name."""
        self._uploads: dict[str, bytes] = {}

    def account(self, asked: Asked) -> str:
        return "ggus-sync" if asked.headers.get("x-redmine-api-key") == self.api_key else ""

    def kind(self, asked: Asked) -> str:
        path, body = asked.path, asked.body
        if asked.method == "GET":
            if path == "/issues.json":
                return "find" if any(name.startswith("cf_") for name in asked.query) else "list"
            if re.fullmatch(r"/issues/\d+\.json", path):
                return "read"
            return "file" if path.startswith("/attachments/download/") else "schema"
        if path == "/uploads.json":
            return "upload"
        if asked.method == "POST":
            return "create"
        if path.startswith("/journals/"):
            return "amend"
        return "comment" if b'"notes"' in body else "update"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"event": "journal", "issue": int(deed.key), "journal": deed.id, "user": deed.who}

    def answer(self, asked: Asked) -> Reply:
        reply = self._answer(asked)
        return reply if self.quirks.tells_time else Reply(reply.status, reply.body, {**reply.headers, "Date": ""})

    def _answer(self, asked: Asked) -> Reply:
        if not asked.who:
            return Reply(401)
        try:
            return self._routed(asked)
        except Missing:
            return Reply(404)

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.strip("/").removesuffix(".json").split("/"):
            case "GET", ["users", "current"]:
                roles = {"id": 1, "project": {"id": 1, "name": self.project}, "roles": [{"id": 6, "name": "Sync"}]}
                user = {"id": _ACCOUNT_ID, "login": "ggus-sync", "firstname": "ggus-sync", "lastname": ""}
                return Reply(200, {"user": {**user, "api_key": self.api_key, "memberships": [roles]}})
            case "GET", ["roles", _]:
                permissions = ["view_issues", "add_issues", "edit_issues", "add_issue_notes", "set_notes_private"]
                permissions += ["edit_own_issue_notes"]
                return Reply(200, {"role": {"id": 6, "name": "Sync", "permissions": permissions}})
            case "GET", ["issue_statuses"]:
                return Reply(200, {"issue_statuses": _words(STATUSES)})
            case "GET", ["enumerations", "issue_priorities"]:
                return Reply(200, {"issue_priorities": _words(PRIORITIES)})
            case "GET", ["custom_fields"]:
                return Reply(403)
            case "GET", ["projects", project, *rest]:
                return self._project(project, rest)
            case "GET", ["issues"]:
                return self._list(asked)
            case "POST", ["issues"]:
                return self._create(asked)
            case "GET", ["issues", key]:
                with self.tracker.lock:
                    return Reply(200, {"issue": self._whole(self._issue(key), asked.who)})
            case "PUT", ["issues", key]:
                return self._update(asked, key)
            case "PUT", ["journals", number]:
                return self._reword(asked, number)
            case "POST", ["uploads"]:
                return self._upload(asked)
            case "GET", ["attachments", "download", number]:
                file = self.tracker.file(number)
                return Reply(200, file.content, {"Content-Type": file.media_type})
            case _:
                return Reply(404)

    # -- places and people -----------------------------------------------------------------------------------------

    def _project(self, project: str, rest: list[str]) -> Reply:
        if project != self.project:
            return Reply(404)
        if rest == ["memberships"]:
            rows = [{"id": number, "user": each} for number, each in enumerate(self.members, start=1)]
            return Reply(200, {"memberships": rows, "total_count": len(rows), "offset": 0, "limit": 100})
        customs = [{"id": _CUSTOM_ID, "name": _CUSTOM}] if self.quirks.names_fields else []
        shown = {"id": 1, "identifier": project, "trackers": _words(TRACKERS), "issue_custom_fields": customs}
        return Reply(200, {"project": shown})

    def _number(self, name: str) -> int:
        return self._people.setdefault(name, len(self._people) + 4)

    def _person(self, number: int) -> dict[str, Any]:
        return {"id": number, "name": next(name for name, each in self._people.items() if each == number)}

    # -- tickets ---------------------------------------------------------------------------------------------------

    def _issue(self, key: str) -> Issue:
        return self.tracker.issue(key)

    def _row(self, issue: Issue) -> dict[str, Any]:
        fields = issue.fields
        description = str(fields.get("description") or "")
        shown: dict[str, Any] = {
            "id": issue.number,
            "project": {"id": 1, "name": self.project},
            "tracker": _word(TRACKERS, fields["tracker"]),
            "status": _word(STATUSES, fields["status"]),
            "priority": _word(PRIORITIES, fields["priority"]),
            "author": self._person(self._number(issue.author)),
            "subject": fields.get("subject"),
            "description": description.replace("\n", "\r\n") if self.quirks.crlf else description,
            "custom_fields": self._customs(issue),
            "created_on": _iso(issue.created_at),
            "updated_on": _iso(issue.changed_at),
        }
        if fields.get("assigned_to"):
            shown["assigned_to"] = self._person(self._number(str(fields["assigned_to"])))
        return shown

    def _customs(self, issue: Issue) -> list[dict[str, Any]]:
        if not self.quirks.custom_field:
            return []
        return [{"id": _CUSTOM_ID, "name": _CUSTOM, "value": issue.fields.get(f"cf.{_CUSTOM}")}]

    def _whole(self, issue: Issue, who: str) -> dict[str, Any]:
        status = issue.fields["status"]
        ways = self.tracker.permitted(who, "status", status)
        allowed = [str(status), *(STATUSES if ways is None else ways)]
        files = [*issue.files, *(file for note in issue.notes for file in note.files)]
        return {
            **self._row(issue),
            "attachments": [_attachment(file, self) for file in sorted(files, key=lambda each: int(each.id))],
            "journals": self._journals(issue),
            "allowed_statuses": [_word(STATUSES, each) for each in dict.fromkeys(allowed)],
        }

    def _journals(self, issue: Issue) -> list[dict[str, Any]]:
        """One entry per comment, and one per act of changing fields."""
        entries: list[dict[str, Any]] = []
        for deed in issue.deeds:
            note = next((each for each in issue.notes if each.id == str(deed.id)), None)
            if note is not None:
                details = [_detail("attachment", file.id, None, file.name) for file in note.files]
                number = deed.id
                if note.internal and details:  # a private note with files is split, and the files are public
                    entries.append(self._entry(deed, number, None, details))
                    number, details = int(note.files[0].id), []
                entries.append(self._entry(deed, number, note.text, details, private=note.internal))
            elif deed.kind == "set":
                entries.append(self._entry(deed, deed.id, "", [self._change(deed)]))
            elif deed.kind == "attach":
                entries.append(self._entry(deed, deed.id, "", [_detail("attachment", deed.note, None, deed.new)]))
        return sorted(entries, key=lambda each: int(each["id"]))

    def _entry(
        self, deed: Deed, number: int, notes: str | None, details: list[dict[str, Any]], *, private: bool = False
    ) -> dict[str, Any]:
        return {
            "id": number,
            "user": self._person(self._number(deed.who)),
            "notes": notes,
            "created_on": _iso(deed.at),
            "private_notes": private,
            "details": details,
        }

    def _change(self, deed: Deed) -> dict[str, Any]:
        if deed.field.startswith("cf."):
            return _detail("cf", str(_CUSTOM_ID), deed.old, deed.new)
        words = {"status": STATUSES, "priority": PRIORITIES, "tracker": TRACKERS}.get(deed.field)
        if words is not None:
            old, new = (str(_word(words, each)["id"]) for each in (deed.old, deed.new))
            return _detail("attr", f"{deed.field}_id", old, new)
        if deed.field == "assigned_to":
            old_id, new_id = (str(self._number(str(each))) if each else None for each in (deed.old, deed.new))
            return _detail("attr", "assigned_to_id", old_id, new_id)
        return _detail("attr", deed.field, deed.old, deed.new)

    def _list(self, asked: Asked) -> Reply:
        if asked.word("project_id", self.project) != self.project:
            return Reply(404)
        since = asked.word("updated_on").removeprefix(">=")
        first = int(asked.word("issue_id", ">=0").removeprefix(">="))
        token = next((values[0] for name, values in asked.query.items() if name == f"cf_{_CUSTOM_ID}"), None)
        if not self.quirks.filters_by_field:
            token = None
        with self.tracker.lock:
            found = [
                each
                for each in self.tracker.issues.values()
                if not each.hidden
                and each.number >= first
                and (not since or _iso(each.changed_at) >= since)
                and (token is None or each.fields.get(f"cf.{_CUSTOM}") == token)
            ]
            if asked.word("sort").startswith("updated_on:desc"):
                found.sort(key=lambda each: (each.changed_at, each.number), reverse=True)
            size = max(1, min(int(asked.word("limit", "25")), 100))
            start = int(asked.word("offset", "0"))
            rows = [self._row(each) for each in found[start : start + size]]
        return Reply(200, {"issues": rows, "total_count": len(found), "offset": start, "limit": size})

    def _create(self, asked: Asked) -> Reply:
        body = asked.json().get("issue", {})
        if body.get("project_id") != self.project:
            return _errors("Project cannot be blank", "Tracker cannot be blank", "Status cannot be blank")
        fields, problems = self._said_fields(body)
        if not body.get("subject"):
            problems.append("Subject cannot be blank")
        if problems:
            return _errors(*problems)
        if fields.get("status") != "New":  # another status than the first is passed over in silence
            fields.pop("status", None)
        key, refused = self.tracker.open(asked.who, fields)
        if refused:
            return _errors(*refused.values())
        with self.tracker.lock:
            return Reply(201, {"issue": self._row(self._issue(key))}, {"Location": f"{self.url}/issues/{key}"})

    def _update(self, asked: Asked, key: str) -> Reply:
        body = asked.json().get("issue", {})
        with self.tracker.lock:
            self._issue(key)
            fields, problems = self._said_fields(body)
            claims = body.get("uploads") or []
            if any(each.get("token") not in self._uploads for each in claims):
                problems.append(f"{len(claims)} file(s) could not be saved.")
            if problems:
                return _errors(*problems)
            self.tracker.edit(asked.who, key, fields)  # what the workflow forbids stays as it is, without a word
            files = [
                (
                    each["filename"],
                    each.get("content_type") or "application/octet-stream",
                    self._uploads.pop(each["token"]),
                )
                for each in claims
            ]
            notes = str(body.get("notes") or "")
            if notes.strip() or files:
                self.tracker.comment(asked.who, key, notes, internal=bool(body.get("private_notes")), files=files)
        return Reply(204)

    def _reword(self, asked: Asked, number: str) -> Reply:
        """Edit a note; one that is left with neither words nor files is gone. Others' notes are not ours to edit."""
        body = asked.json().get("journal", {})
        with self.tracker.lock:
            issue, note = self._noted(number)
            if note.author != asked.who:
                return Reply(403)
            if "notes" in body:
                words = str(body["notes"] or "")
                if words.strip() or note.files:
                    self.tracker.reword(asked.who, issue.key, number, words)
                else:
                    self.tracker.unsay(asked.who, issue.key, number)
                    return Reply(204)
            if "private_notes" in body:
                self.tracker.hide(asked.who, issue.key, number, internal=bool(body["private_notes"]))
        return Reply(204)

    def _noted(self, number: str) -> tuple[Issue, Note]:
        for issue in self.tracker.issues.values():
            for note in issue.notes:
                if note.id == number and not issue.hidden:
                    return issue, note
        raise Missing(number)

    def _said_fields(self, body: Mapping[str, Any]) -> tuple[dict[str, Value], list[str]]:
        """The fields of a body, and what Redmine has against them. What it does not know it passes over."""
        fields: dict[str, Value] = {}
        problems: list[str] = []
        if "subject" in body:
            fields["subject"] = body["subject"]
            if not body["subject"]:
                problems.append("Subject cannot be blank")
            elif len(body["subject"]) > 255:
                problems.append("Subject is too long (maximum is 255 characters)")
        if "description" in body:
            fields["description"] = (body["description"] or "").replace("\r\n", "\n") or None
        for name, words in (("status", STATUSES), ("tracker", TRACKERS)):
            word = _said_word(words, body.get(f"{name}_id"))
            if word is not None:
                fields[name] = word
        if "priority_id" in body:
            word = _said_word(PRIORITIES, body["priority_id"])
            if word is None:
                problems.append("Priority cannot be blank")
            else:
                fields["priority"] = word
        if "assigned_to_id" in body:
            said = body["assigned_to_id"]
            if said in (None, ""):
                fields["assigned_to"] = None
            elif person := next((each for each in self.members if each["id"] == said), None):
                fields["assigned_to"] = person["name"]
            else:
                problems.append("Assignee is invalid")
        for custom in body.get("custom_fields") or ():
            if str(custom.get("id")) == str(_CUSTOM_ID) and self.quirks.custom_field:
                fields[f"cf.{_CUSTOM}"] = custom.get("value")
        return fields, problems

    def _upload(self, asked: Asked) -> Reply:
        with self.tracker.lock:
            claim = f"{len(self._uploads) + 1}.{asked.number}"
            self._uploads[claim] = asked.body
        return Reply(201, {"upload": {"id": asked.number, "token": claim}})


def _attachment(file: File, emulator: RedmineEmulator) -> dict[str, Any]:
    return {
        "id": int(file.id),
        "filename": file.name,
        "filesize": len(file.content),
        "content_type": file.media_type,
        "content_url": f"{emulator.url}/attachments/download/{file.id}/{file.name}",
        "created_on": _iso(file.at),
    }


def _detail(kind: str, name: str, old: Value, new: Value) -> dict[str, Any]:
    return {"property": kind, "name": name, "old_value": old, "new_value": new}


def _words(words: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": number, "name": word} for number, word in enumerate(words, start=1)]


def _word(words: Sequence[str], word: Value) -> dict[str, Any]:
    return {"id": words.index(str(word)) + 1, "name": word}


def _said_word(words: Sequence[str], number: Any) -> str | None:
    return words[number - 1] if isinstance(number, int) and 1 <= number <= len(words) else None


def _errors(*sentences: str) -> Reply:
    return Reply(422, {"errors": list(sentences)})


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
