"""A tracker as good as they could be: full list rows, If-Match, answers that bear the new state, our own words.

What the engine costs beside such a tracker is the engine's own doing: the bench and the request counts stand on it.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Rules, Tracker

RULES = Rules(
    fields=(
        RemoteField("subject", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField(
            "status",
            "choice",
            values=(
                *("new", "assigned", "in progress", "waiting for reply", "on hold", "reopened"),
                *("solved", "unsolved", "verified", "closed"),
            ),
        ),
        RemoteField("priority", "choice", values=("less urgent", "urgent", "very urgent", "top priority")),
        RemoteField("assigned_to", "person"),
        RemoteField("external_id", "text"),
    ),
    defaults={"status": "new", "priority": "less urgent"},
)
_FIELDS = tuple(spec.name for spec in RULES.fields if spec.name != "external_id")


class PlainEmulator(Emulator):
    """One tracker with one account, `interdesk`. Its times go to the microsecond."""

    def __init__(self, clock: Clock, *, rules: Rules = RULES, name: str = "plain", port: int = 0) -> None:
        super().__init__(Tracker(clock, rules, name=name, step=timedelta(microseconds=1)), port=port)
        self.key = "emulated-key"

    def account(self, asked: Asked) -> str:
        return "interdesk" if asked.headers.get("authorization") == f"Bearer {self.key}" else ""

    def kind(self, asked: Asked) -> str:
        if asked.method == "GET":
            if asked.path == "/tickets":
                return "find" if "token" in asked.query else "list"
            if re.fullmatch(r"/tickets/\d+", asked.path):
                return "read"
            return "file" if asked.path.startswith("/files/") else "schema"
        if asked.path.endswith("/comments"):
            return "comment"
        return "create" if asked.method == "POST" else "update"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"ticket": deed.key, "by": deed.who}

    def answer(self, asked: Asked) -> Reply:
        if not asked.who:
            return Reply(401, {"error": "who are you?"})
        try:
            return self._routed(asked)
        except Missing:
            return Reply(404, {"error": "there is no such thing"})

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["me"]:
                return Reply(200, {"login": "interdesk", "name": "interdesk"})
            case "GET", ["tickets"]:
                return self._list(asked)
            case "POST", ["tickets"]:
                return self._create(asked)
            case "GET", ["tickets", key]:
                return self._whole(200, key)
            case "PATCH", ["tickets", key]:
                return self._update(asked, key)
            case "POST", ["tickets", key, "comments"]:
                return self._comment(asked, key)
            case "GET", ["files", number]:
                file = self.tracker.file(number)
                return Reply(200, file.content, {"Content-Type": file.media_type})
            case _:
                return Reply(404, {"error": "there is no such page"})

    def _list(self, asked: Asked) -> Reply:
        since, after, token = asked.word("since"), int(asked.word("after", "0")), asked.word("token")
        start = datetime.fromisoformat(since) if since else None
        size = int(asked.word("limit", "100"))
        with self.tracker.lock:
            found = [
                each
                for each in self.tracker.issues.values()
                if not each.hidden
                and each.number > after
                and (start is None or each.changed_at >= start)
                and (not token or each.fields.get("external_id") == token)
            ]
            if asked.word("newest"):
                found.sort(key=lambda each: each.changed_at, reverse=True)
            if asked.word("oldest"):
                found.sort(key=lambda each: (each.changed_at, each.number))
            begin = int(asked.word("start", "0"))
            rows = [self._shown(each) for each in found[begin : begin + size]]
            return Reply(200, {"tickets": rows, "total": len(found)})

    def _whole(self, status: int, key: str) -> Reply:
        with self.tracker.lock:
            return Reply(status, self._shown(self.tracker.issue(key)))

    def _create(self, asked: Asked) -> Reply:
        key, refused = self.tracker.open(asked.who, _said(asked.json()))
        return Reply(422, {"error": "; ".join(refused.values())}) if refused else self._whole(201, key)

    def _update(self, asked: Asked, key: str) -> Reply:
        with self.tracker.lock:
            issue = self.tracker.issue(key)
            if _moved(asked, issue):
                return Reply(412, {"error": "the ticket has moved"})
            patch = _said(asked.json())
            stands = issue.fields
            against = [self.tracker.objection(asked.who, name, stands.get(name), new) for name, new in patch.items()]
            changed = [(name, new) for name, new in patch.items() if stands.get(name) != new]
            against += [self.tracker.missing(asked.who, name, new, stands, patch) for name, new in changed]
            if problems := [each for each in against if each]:
                return Reply(422, {"error": "; ".join(problems)})
            self.tracker.edit(asked.who, key, patch)
            return self._whole(200, key)

    def _comment(self, asked: Asked, key: str) -> Reply:
        body = asked.json()
        files = [(each["name"], each["type"], base64.b64decode(each["content"])) for each in body.get("files", ())]
        with self.tracker.lock:
            if _moved(asked, self.tracker.issue(key)):
                return Reply(412, {"error": "the ticket has moved"})
            note = self.tracker.comment(asked.who, key, body["text"], internal=body["internal"], files=files)
        return Reply(201, {"id": note.id}, {"Location": f"/tickets/{key}/comments/{note.id}"})

    def _shown(self, issue: Issue) -> dict[str, Any]:
        files = [*issue.files, *(file for note in issue.notes for file in note.files)]
        return {
            "id": issue.key,
            "version": issue.version,
            **{name: issue.fields.get(name) for name in _FIELDS},
            "extras": [{"name": "external_id", "value": issue.fields.get("external_id")}],
            "created_by": _person(issue.author),
            "changed_at": issue.changed_at.astimezone(UTC).isoformat(),
            "journal": self._journal(issue),
            "files": [_file(each) for each in files],
        }

    def _journal(self, issue: Issue) -> list[dict[str, Any]]:
        notes = {note.id: note for note in issue.notes}
        entries = []
        for deed in issue.deeds:
            note = notes.get(str(deed.id))
            details: list[dict[str, Any]] = []
            if note is not None:
                details = [{"kind": "file", "name": file.id, "new": file.name} for file in note.files]
            elif deed.kind == "set":
                details = [{"kind": "field", "name": deed.field, "old": deed.old, "new": deed.new}]
            else:
                continue
            entries.append(
                {
                    "id": deed.id,
                    "by": _person(deed.who),
                    "at": deed.at.astimezone(UTC).isoformat(),
                    "text": note.text if note else "",
                    "internal": note.internal if note else False,
                    "details": details,
                }
            )
        return entries


def _said(body: Mapping[str, Any]) -> dict[str, Value]:
    fields: dict[str, Value] = {name: body[name] for name in _FIELDS if name in body}
    return fields | dict(body.get("extras") or {})


def _moved(asked: Asked, issue: Issue) -> bool:
    expected = asked.headers.get("if-match")
    return expected is not None and expected != str(issue.version)


def _person(name: str) -> dict[str, str]:
    return {"login": name, "name": name}


def _file(file: File) -> dict[str, Any]:
    return {"id": file.id, "name": file.name, "type": file.media_type, "size": len(file.content)}
