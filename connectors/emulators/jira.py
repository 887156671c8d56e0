"""Jira as its REST API shows it, quirks included: Data Center (version 2), or Cloud where `Quirks.cloud` says so.

Written from Atlassian's public documentation; no real one was tried. An issue's id is the tracker's number, its key
the project's with that number. Files hang on the issue, never on a comment.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from connectors.api import RemoteField, Value
from connectors.emulators import forms, jira_search
from connectors.emulators.jira_search import NoQuery
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

STATUSES = ("Open", "In Progress", "Resolved", "Reopened", "Closed")
PRIORITIES = ("Blocker", "Critical", "Major", "Minor", "Trivial")
RESOLUTIONS = ("Fixed", "Won't Fix", "Done", "Duplicate")
TRANSITIONS = {
    "4": ("Start Progress", "In Progress"),
    "301": ("Stop Progress", "Open"),
    "5": ("Resolve Issue", "Resolved"),
    "2": ("Close Issue", "Closed"),
    "3": ("Reopen Issue", "Reopened"),
}
"""Those of the default workflow, by id: their name, and the status they lead to."""
OURS = "ggus-sync"
_INTERNAL = "sd.public.comment"
_BODY_LIMIT = 32767

RULES = Rules(
    fields=(
        RemoteField("summary", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=STATUSES),
        RemoteField("priority", "choice", values=PRIORITIES),
        RemoteField("resolution", "choice", values=RESOLUTIONS),
        RemoteField("assignee", "person"),
        RemoteField("labels", "set"),
    ),
    defaults={"status": "Open", "priority": "Major", "labels": ()},
    workflow={
        "status": {
            "Open": ("In Progress", "Resolved", "Closed"),
            "In Progress": ("Open", "Resolved", "Closed"),
            "Resolved": ("Closed", "Reopened"),
            "Reopened": ("In Progress", "Resolved", "Closed"),
            "Closed": ("Reopened",),
        }
    },
    needs={"status": {"Resolved": ("resolution",), "Closed": ("resolution",)}},
    forms=True,
    bound=frozenset({OURS}),
    opening={"status": "Open"},
)
"""The classic workflow. Its screens ask for a resolution whenever an issue is resolved or closed."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    cloud: bool = False
    """Jira Cloud: people by account id, a search with page tokens and without totals, basic authentication."""
    zone: str = "UTC"
    """Our account's, in which absolute times of a search are read, and all times are answered."""
    lag: timedelta = timedelta(0)
    """How long an issue that changed stays out of sight of a search."""
    most_rows: int = 100
    """Rows of one page, whatever is asked for."""
    busy_every: int = 0
    """Each so-manieth request is answered with 429; 0: none."""
    xsrf: bool = True
    """Files are taken only with the header X-Atlassian-Token."""


class JiraEmulator(Emulator):
    """A Jira with one project of Service Management. `people` are those who can be assignees."""

    def __init__(
        self,
        clock: Clock,
        *,
        project: str = "GGUS",
        people: Sequence[str] = (),
        rules: Rules = RULES,
        quirks: Quirks | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(Tracker(clock, rules, name="jira", step=timedelta(milliseconds=1)), port=port)
        self.project = project
        self.token = "emulated-token"  # noqa: S105 (opens an emulator on loopback and nothing else)
        self.quirks = quirks or Quirks()
        self.denied: frozenset[str] = frozenset()
        """Permissions that our account lacks, as far as it is told: it can do all the same."""
        self.people = frozenset({OURS, *people})

    def account(self, asked: Asked) -> str:
        wanted = "Basic Z2d1cy1zeW5jOmVtdWxhdGVkLXRva2Vu" if self.quirks.cloud else f"Bearer {self.token}"
        return OURS if asked.headers.get("authorization") == wanted else ""

    def kind(self, asked: Asked) -> str:
        path = asked.path.partition("/rest/api/2")[2]
        if path.startswith("/search"):
            return "find" if "labels" in (asked.word("jql") or asked.body.decode("utf-8", "replace")) else "list"
        if asked.method == "GET":
            if path.startswith("/attachment/content/") or asked.path.startswith("/secure/"):
                return "file"
            return "read" if re.match(r"/issue/[^/]+(/comment)?$", path) else "schema"
        if path.endswith("/attachments"):
            return "upload"
        if path.endswith("/comment"):
            return "comment"
        if "/comment/" in path:
            return "amend"
        return "create" if path == "/issue" else "update"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        key = f"{self.project}-{deed.key}"
        return {
            "webhookEvent": "jira:issue_updated",
            "issue": {"id": deed.key, "key": key},
            "user": self._who(deed.who),
        }

    def signed(self, secret: str, body: bytes) -> Mapping[str, str]:
        return {"X-Hub-Signature": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}

    def answer(self, asked: Asked) -> Reply:
        if self.quirks.busy_every and asked.number % self.quirks.busy_every == 0:
            return Reply(429, {"errorMessages": ["Rate limit exceeded."]}, {"Retry-After": "1"})
        if not asked.who:
            return _against(401, "You are not authenticated. Authentication required to perform this operation.")
        try:
            return self._routed(asked)
        except Missing:
            return _against(404, "Issue Does Not Exist")
        except NoQuery as wrong:
            return _against(400, str(wrong))

    def _routed(self, asked: Asked) -> Reply:
        if found := re.fullmatch(r"/secure/attachment/(\d+)/.*", asked.path, re.DOTALL):
            return self._bytes(found[1])
        match asked.method, asked.path.partition("/rest/api/2/")[2].split("/"):
            case "GET", ["myself"]:
                return Reply(200, {**self._who(OURS), "timeZone": self.quirks.zone, "locale": "en_US"})
            case "GET", ["user"] if asked.word("accountId") in {self._id(each) for each in self.people}:
                return Reply(200, self._who(asked.word("accountId").rpartition(":")[2]))
            case "GET", ["mypermissions"] if asked.word("projectKey") == self.project:
                names = asked.word("permissions").split(",")
                shown = {name: {"key": name, "havePermission": name not in self.denied} for name in names}
                return Reply(200, {"permissions": shown})
            case "GET", ["project", self.project]:
                return Reply(200, {"id": "10000", "key": self.project, "name": self.project})
            case "GET", ["status" | "priority" | "resolution" as kind]:
                words = {"status": STATUSES, "priority": PRIORITIES, "resolution": RESOLUTIONS}[kind]
                return Reply(200, [_word(words, each) for each in words])
            case (("GET" | "POST"), ["search"]) if not self.quirks.cloud:
                return jira_search.by_offset(self, asked)
            case (("GET" | "POST"), ["search", "jql"]) if self.quirks.cloud:
                return jira_search.by_token(self, asked)
            case "POST", ["issue"]:
                return self._create(asked)
            case "GET", ["attachment", "content", number]:
                return self._bytes(number)
            case method, ["issue", key, *rest]:
                with self.tracker.lock:
                    return self._on_issue(asked, method, self._issue(key), rest)
            case _:
                return Reply(404, b"")

    def _on_issue(self, asked: Asked, method: str, issue: Issue, rest: list[str]) -> Reply:
        match method, rest:
            case "GET", []:
                return Reply(200, self.shown(issue, whole=True, expand=asked.word("expand")))
            case "PUT", []:
                return self._update(asked, issue)
            case "GET", ["transitions"]:
                return Reply(200, {"transitions": self._ways(issue, asked.word("expand"))})
            case "POST", ["transitions"]:
                return self._transition(asked, issue)
            case "GET", ["comment"]:
                start, size = int(asked.word("startAt", "0")), int(asked.word("maxResults", "5000"))
                shown = [self._comment(each, asked.word("expand")) for each in issue.notes]
                page = {"startAt": start, "maxResults": size, "total": len(shown)}
                return Reply(200, {**page, "comments": shown[start : start + size]})
            case "POST", ["comment"]:
                return self._say(asked, issue)
            case "PUT" | "DELETE", ["comment", number]:
                return self._amend(asked, issue, number)
            case "POST", ["attachments"]:
                return self._attach(asked, issue)
            case _:
                return Reply(405, b"")

    def _bytes(self, number: str) -> Reply:
        file = self.tracker.file(number)
        return Reply(200, file.content, {"Content-Type": file.media_type})

    # -- what is shown ---------------------------------------------------------------------------------------------

    def shown(self, issue: Issue, *, whole: bool, expand: str = "") -> dict[str, Any]:
        """An issue: a row of a search, or its own answer with comments and files."""
        fields = issue.fields
        shown: dict[str, Any] = {
            "summary": fields.get("summary"),
            "description": fields.get("description"),
            "status": _word(STATUSES, fields["status"]),
            "priority": _word(PRIORITIES, fields["priority"]),
            "resolution": _word(RESOLUTIONS, fields["resolution"]) if fields.get("resolution") else None,
            "assignee": self._who(str(fields["assignee"])) if fields.get("assignee") else None,
            "labels": list(_labels(issue)),
            "creator": self._who(issue.author),
            "reporter": self._who(issue.author),
            "project": {"id": "10000", "key": self.project},
            "created": self.moment(issue.created_at),
            "updated": self.moment(issue.changed_at),
        }
        found = {"id": str(issue.number), "key": f"{self.project}-{issue.number}", "fields": shown}
        if whole:
            files = [*issue.files, *(file for note in issue.notes for file in note.files)]
            shown["attachment"] = [self._attachment(each) for each in sorted(files, key=lambda each: int(each.id))]
            comments = [self._comment(each) for each in issue.notes]
            shown["comment"] = {"comments": comments, "startAt": 0, "maxResults": len(comments), "total": len(comments)}
        if "changelog" in expand:
            found["changelog"] = {"histories": [self._change(each) for each in issue.deeds if each.kind == "set"]}
        return found

    def moment(self, when: datetime) -> str:
        """A time as Jira writes it: milliseconds, and the account's offset without a colon."""
        there = when.astimezone(ZoneInfo(self.quirks.zone))
        return there.replace(tzinfo=None).isoformat(timespec="milliseconds") + there.strftime("%z")

    def _comment(self, note: Note, expand: str = "") -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": note.id,
            "author": self._who(note.author),
            "body": note.text,
            "created": self.moment(note.at),
            "updated": self.moment(note.at),
        }
        if self.quirks.cloud:
            shown["jsdPublic"] = not note.internal
        if "properties" in expand:
            shown["properties"] = [{"key": _INTERNAL, "value": {"internal": note.internal}}]
        return shown

    def _attachment(self, file: File) -> dict[str, Any]:
        where = f"/secure/attachment/{file.id}/{quote(file.name)}"
        if self.quirks.cloud:
            where = f"/rest/api/2/attachment/content/{file.id}"
        return {
            "id": file.id,
            "filename": file.name,
            "author": self._who(file.author),
            "created": self.moment(file.at),
            "size": len(file.content),
            "mimeType": file.media_type,
            "content": f"{self.url}{where}",
        }

    def _change(self, deed: Deed) -> dict[str, Any]:
        words = {"status": STATUSES, "priority": PRIORITIES, "resolution": RESOLUTIONS}.get(deed.field)
        item: dict[str, Any] = {"field": deed.field, "fieldtype": "jira", "from": None, "to": None}
        for side, name, value in (("from", "fromString", deed.old), ("to", "toString", deed.new)):
            item[name] = " ".join(value) if isinstance(value, tuple) else value
            if words is not None and value is not None:
                item[side] = _word(words, value)["id"]
            elif deed.field == "assignee" and value is not None:
                item[side] = self._id(str(value))
        return {"id": str(deed.id), "author": self._who(deed.who), "created": self.moment(deed.at), "items": [item]}

    def _who(self, name: str) -> dict[str, Any]:
        shown = {"displayName": name, "emailAddress": f"{name}@example.org", "active": True}
        return {"accountId" if self.quirks.cloud else "name": self._id(name), **shown}

    def _id(self, name: str) -> str:
        return f"712020:{name}" if self.quirks.cloud else name

    def _ways(self, issue: Issue, expand: str = "") -> list[dict[str, Any]]:
        permitted = self.tracker.permitted(OURS, "status", issue.fields["status"])
        ways = []
        for number, (name, to) in TRANSITIONS.items():
            if permitted is not None and to not in permitted:
                continue
            way: dict[str, Any] = {"id": number, "name": name, "to": _word(STATUSES, to)}
            if "transitions.fields" in expand:
                asked_for = self.tracker.rules.needs.get("status", {}).get(to, ())
                allowed = [_word(RESOLUTIONS, each) for each in RESOLUTIONS]
                way["fields"] = {each: {"required": True, "allowedValues": allowed} for each in asked_for}
            ways.append(way)
        return ways

    # -- what is written -------------------------------------------------------------------------------------------

    def _issue(self, key: str) -> Issue:
        number = key.removeprefix(f"{self.project}-")
        for each in self.tracker.issues.values():
            if str(each.number) == number and not each.hidden:
                return each
        return self.tracker.issue(number)  # where it was merged, the other one answers

    def _create(self, asked: Asked) -> Reply:
        said = asked.json().get("fields") or {}
        fields, problems = self._said(said, creating=True)
        if (said.get("project") or {}).get("key") != self.project:
            problems["project"] = "valid project is required"
        if not (said.get("issuetype") or {}).get("name"):
            problems["issuetype"] = "valid issue type is required"
        if not fields.get("summary"):
            problems.setdefault("summary", "You must specify a summary of the issue.")
        if problems:
            return _against(400, **problems)
        key, refused = self.tracker.open(asked.who, fields)
        if refused:
            return _against(400, **refused)
        return Reply(201, {"id": key, "key": f"{self.project}-{key}", "self": f"{self.url}/rest/api/2/issue/{key}"})

    def _update(self, asked: Asked, issue: Issue) -> Reply:
        body = asked.json()
        fields, problems = self._said(body.get("fields") or {}, creating=False)
        kept = list(_labels(issue))
        for act in (body.get("update") or {}).get("labels", ()):
            if "add" in act:
                kept = [*kept, act["add"]]
            fields["labels"] = tuple(dict.fromkeys(kept))
        if problems:
            return _against(400, **problems)
        self.tracker.edit(asked.who, issue.key, fields)
        return Reply(204)

    def _transition(self, asked: Asked, issue: Issue) -> Reply:
        body = asked.json()
        number = str((body.get("transition") or {}).get("id", ""))
        if number not in [each["id"] for each in self._ways(issue)]:
            return _against(400, f"It seems that you have tried to perform an illegal workflow operation ({number}).")
        fields, problems = self._said(body.get("fields") or {}, creating=False, screen=("resolution", "assignee"))
        status = TRANSITIONS[number][1]
        if "resolution" in self.tracker.rules.needs.get("status", {}).get(status, ()) and not fields.get("resolution"):
            problems["resolution"] = "Resolution is required."
        if problems:
            return _against(400, **problems)
        if status == "Reopened":
            fields["resolution"] = None
        self.tracker.edit(asked.who, issue.key, {**fields, "status": status})
        return Reply(204)

    def _said(
        self, said: Mapping[str, Any], *, creating: bool, screen: Sequence[str] = ()
    ) -> tuple[dict[str, Value], dict[str, str]]:
        """The fields of a body, and what Jira has against them. One that is not on the screen refuses all."""
        fields: dict[str, Value] = {}
        problems: dict[str, str] = {}
        on_screen = screen or ("summary", "description", "priority", "assignee", "labels")
        for name, value in said.items():
            if creating and name in ("project", "issuetype"):
                continue
            if name not in on_screen:
                problems[name] = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            elif name in ("priority", "resolution"):
                words = PRIORITIES if name == "priority" else RESOLUTIONS
                word = (value or {}).get("name") or _by_id(words, (value or {}).get("id"))
                fields[name] = word
                if word not in words:
                    problems[name] = f"The {name} selected is invalid."
            elif name == "assignee":
                self._said_assignee(value, fields, problems)
            elif name == "labels":
                fields[name] = tuple(value or ())
                if any(" " in str(each) for each in value or ()):
                    problems[name] = "The label can't contain spaces."
            else:
                fields[name] = value or None
        summary = fields.get("summary")
        if "summary" in fields and not summary:
            problems["summary"] = "You must specify a summary of the issue."
        elif isinstance(summary, str) and (len(summary) > 255 or "\n" in summary):
            problems["summary"] = "Summary must be less than 255 characters, and must not contain a newline."
        if len(str(fields.get("description") or "")) > _BODY_LIMIT:
            problems["description"] = f"The entered text is too long. It exceeds the allowed limit of {_BODY_LIMIT}."
        return fields, problems

    def _said_assignee(self, value: Any, fields: dict[str, Value], problems: dict[str, str]) -> None:
        said = (value or {}).get("accountId" if self.quirks.cloud else "name")
        name = next((each for each in self.people if self._id(each) == said), None)
        fields["assignee"] = name
        if said not in (None, "") and name is None:
            problems["assignee"] = f"User '{said}' does not exist."

    def _say(self, asked: Asked, issue: Issue) -> Reply:
        body = asked.json()
        text = str(body.get("body") or "")
        if not text.strip():
            return _against(400, comment="Comment body can not be empty!")
        if len(text) > _BODY_LIMIT:
            return _against(400, comment=f"The entered text is too long. It exceeds the limit of {_BODY_LIMIT}.")
        note = self.tracker.comment(asked.who, issue.key, text, internal=_hidden(body))
        return Reply(201, self._comment(note))

    def _amend(self, asked: Asked, issue: Issue, number: str) -> Reply:
        note = next((each for each in issue.notes if each.id == number), None)
        if note is None:
            return _against(404, f"Can not find a comment for the id: {number}.")
        if note.author != asked.who:
            return _against(400, "You do not have the permission for this comment.")
        if asked.method == "DELETE":
            self.tracker.unsay(asked.who, issue.key, number)
            return Reply(204)
        body = asked.json()
        self.tracker.reword(asked.who, issue.key, number, str(body.get("body") or ""))
        if "properties" in body:
            self.tracker.hide(asked.who, issue.key, number, internal=_hidden(body))
        return Reply(200, self._comment(note))

    def _attach(self, asked: Asked, issue: Issue) -> Reply:
        if self.quirks.xsrf and asked.headers.get("x-atlassian-token") not in ("no-check", "nocheck"):
            return Reply(403, b"XSRF check failed", {"Content-Type": "text/plain"})
        made = [
            self.tracker.attach(asked.who, issue.key, name, media_type, content)
            for name, media_type, content in forms.files(asked)
        ]
        return Reply(200, [self._attachment(each) for each in made])


def _labels(issue: Issue) -> tuple[str, ...]:
    found = issue.fields.get("labels")
    return found if isinstance(found, tuple) else ()


def _hidden(body: Mapping[str, Any]) -> bool:
    """Whether Service Management's property says that a comment is internal."""
    return any(
        each.get("key") == _INTERNAL and bool((each.get("value") or {}).get("internal"))
        for each in body.get("properties") or ()
    )


def _word(words: Sequence[str], word: Value) -> dict[str, Any]:
    return {"id": str(words.index(str(word)) + 1), "name": word}


def _by_id(words: Sequence[str], number: Any) -> str | None:
    return words[int(number) - 1] if str(number).isdecimal() and 0 < int(number) <= len(words) else None


def _against(code: int, /, *sentences: str, **fields: str) -> Reply:
    return Reply(code, {"errorMessages": list(sentences), "errors": fields})
