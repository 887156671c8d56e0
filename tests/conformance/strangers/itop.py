"""A tracker of iTop's kind, from its public documents: one address, a form with JSON inside, OQL, objects by id.

Everything is a POST to one page, reading too; an error is a number in an answer of 200; a ticket that is not there is
an empty answer; a status moves by stimuli; comments are entries without ids of a log that is a field.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from connectors.api import RemoteField
from connectors.emulators import forms
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, Issue, Missing, Rules, Tracker
from connectors.markup import html_of, text_of

ACCOUNT = "interdesk"
PEOPLE = {"7": "alice", "8": "bob", "9": ACCOUNT}
STIMULI = {"ev_assign": "assigned", "ev_pending": "pending", "ev_resolve": "resolved", "ev_reopen": "assigned"}
RULES = Rules(
    fields=(
        RemoteField("title", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=("new", "assigned", "pending", "resolved", "closed")),
        RemoteField("urgency", "choice", values=("1", "2", "3", "4")),
        RemoteField("agent", "person"),
    ),
    defaults={"status": "new", "urgency": "4"},
    workflow={"status": {"new": ("assigned",), "assigned": ("pending", "resolved"), "pending": ("assigned",)}},
    bound=frozenset({ACCOUNT}),
)


class ItopEmulator(Emulator):
    """One tracker with one account, in its server's own zone."""

    def __init__(self, clock: Clock, *, zone: str = "Europe/Paris") -> None:
        super().__init__(Tracker(clock, RULES, name="itop"))
        self.password = "emulated-password"
        self.zone = ZoneInfo(zone)

    def account(self, asked: Asked) -> str:
        form = _form(asked)
        return ACCOUNT if (form.get("auth_user"), form.get("auth_pwd")) == (ACCOUNT, self.password) else ""

    def kind(self, asked: Asked) -> str:
        said = _said(asked)
        operation, about, key = said.get("operation"), said.get("class"), str(said.get("key", ""))
        if about == "Attachment":
            return "upload" if operation == "core/create" else "file"
        if about != "UserRequest":
            return "history" if "CMDB" in str(about) else "schema"
        if operation == "core/update":
            return "comment" if "_log" in str(said["fields"]) else "update"
        if operation == "core/get":
            return "read" if key.isdecimal() else "find" if "LIKE" in key else "list"
        return "create" if operation == "core/create" else "update"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"id": deed.key}

    def answer(self, asked: Asked) -> Reply:
        said = _said(asked)
        if not asked.who:
            return Reply(200, {"code": 1, "message": "Error: Invalid login"})
        does: dict[str, Callable[[str, Mapping[str, Any]], Mapping[str, Any]]] = {
            "core/get": self._get,
            "core/create": self._create,
            "core/update": self._update,
            "core/apply_stimulus": self._stimulate,
        }
        try:
            with self.tracker.lock:
                objects = does[said["operation"]](asked.who, said)
        except (Missing, ValueError, KeyError) as trouble:
            return Reply(200, {"code": 100, "message": f"Error: {trouble.args[0]}", "objects": None})
        return Reply(200, {"objects": objects or None, "code": 0, "message": f"Found: {len(objects)}"})

    # -- operations ------------------------------------------------------------------------------------------------

    def _get(self, who: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        about, key = said["class"], str(said["key"])
        match about:
            case "UserRequest":
                limit, page = int(said.get("limit", 0)), int(said.get("page", 1))
                found = self._found(key)[(page - 1) * limit :][: limit or None]
                return {f"UserRequest::{each.key}": self._shown(each) for each in found}
            case "Person":
                return {
                    f"Person::{number}": _object("Person", number, {"friendlyname": name})
                    for number, name in PEOPLE.items()
                }
            case "Organization":
                return {"Organization::1": _object("Organization", "1", {"name": "Grid"})}
            case "CMDBChangeOpSetAttributeScalar":
                issue = self.tracker.issue(_word(key, r"objkey = (\d+)"))
                return {
                    f"{about}::{deed.id}": _object(about, str(deed.id), self._change(deed))
                    for deed in issue.deeds
                    if deed.kind == "set"
                }
            case "Attachment" if key.isdecimal():
                file = self.tracker.file(key)
                digits = base64.b64encode(file.content).decode()
                inside = {"data": digits, "mimetype": file.media_type, "filename": file.name}
                return {f"Attachment::{key}": _object(about, key, {"contents": inside})}
            case "Attachment":
                issue = self.tracker.issue(_word(key, r"item_id = (\d+)"))
                files = [*issue.files, *(file for note in issue.notes for file in note.files)]
                return {
                    f"Attachment::{file.id}": _object(
                        about,
                        file.id,
                        {
                            "friendlyname": file.name,
                            "user_id_friendlyname": file.author,
                            "creation_date": self._time(file.at),
                        },
                    )
                    for file in files
                }
        raise ValueError(f"class {about!r} is not valid")

    def _found(self, oql: str) -> list[Issue]:
        there = [each for each in self.tracker.issues.values() if not each.hidden]
        if oql.isdecimal():
            return [each for each in there if each.key == oql]
        since, like = _word(oql, r"last_update >= '([^']+)'"), _word(oql, r"description LIKE '%([^%]+)%'")
        return [
            each
            for each in there
            if self._time(each.changed_at) >= since and like in str(each.fields["description"] or "")
        ]

    def _create(self, who: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        fields = said["fields"]
        if said["class"] == "Attachment":
            contents = fields["contents"]
            content = base64.b64decode(contents["data"])
            file = self.tracker.attach(who, str(fields["item_id"]), contents["filename"], contents["mimetype"], content)
            return {f"Attachment::{file.id}": _object("Attachment", file.id, {})}
        if fields.pop("org_id") != "1" or fields.pop("caller_id") != "9":
            raise ValueError("org_id: expected a number")
        key, refused = self.tracker.open(who, _fields(fields))
        return self._one(key, refused, "created")

    def _update(self, who: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        key, fields = str(said["key"]), dict(said["fields"])
        logs = {name: fields.pop(name) for name in ("public_log", "private_log") if name in fields}
        if "status" in fields:
            raise ValueError("status: read-only attribute, apply a stimulus")
        patch = _fields(fields)
        stands = self.tracker.issue(key).fields
        against = {name: self.tracker.objection(who, name, stands.get(name), new) for name, new in patch.items()}
        if refused := {name: reason for name, reason in against.items() if reason}:
            return self._one(key, refused)
        self.tracker.edit(who, key, patch)
        for name, log in logs.items():
            self.tracker.comment(who, key, log["add_item"]["message"], internal=name == "private_log")
        return self._one(key, {}, "updated")

    def _stimulate(self, who: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        key, to = str(said["key"]), STIMULI.get(said["stimulus"])
        stands = self.tracker.issue(key).fields
        if to is None or self.tracker.objection(who, "status", stands["status"], to):
            raise ValueError(f"Invalid stimulus: '{said['stimulus']}' on the object in state '{stands['status']}'")
        self.tracker.edit(who, key, {"status": to})
        return self._one(key, {}, "updated")

    def _one(self, key: str, refused: Mapping[str, str], told: str = "") -> Mapping[str, Any]:
        if refused:
            raise ValueError("; ".join(f"{name}: {reason}" for name, reason in refused.items()))
        return {f"UserRequest::{key}": {**self._shown(self.tracker.issue(key)), "message": told}}

    # -- what is shown ---------------------------------------------------------------------------------------------

    def _shown(self, issue: Issue) -> Mapping[str, Any]:
        fields = issue.fields
        agent = str(fields["agent"] or "")
        return _object(
            "UserRequest",
            issue.key,
            {
                "ref": f"R-{issue.number:06}",
                "title": fields["title"] or "",
                "description": html_of(str(fields["description"] or "")),
                "status": fields["status"],
                "urgency": fields["urgency"],
                "agent_id": next((number for number, name in PEOPLE.items() if name == agent), "0"),
                "agent_id_friendlyname": agent,
                "caller_id_friendlyname": issue.author,
                "last_update": self._time(issue.changed_at),
                "public_log": self._log(issue, internal=False),
                "private_log": self._log(issue, internal=True),
            },
        )

    def _log(self, issue: Issue, *, internal: bool) -> Mapping[str, Any]:
        return {
            "entries": [
                {
                    "date": self._time(note.at),
                    "user_login": note.author,
                    "user_id": "0",
                    "message": note.text,
                    "message_html": html_of(note.text),
                }
                for note in reversed(issue.notes)
                if note.internal == internal
            ]
        }

    def _change(self, deed: Deed) -> Mapping[str, Any]:
        said = {"agent": "agent_id"}.get(deed.field, deed.field)
        old, new = deed.old, deed.new
        if said == "agent_id":
            old, new = (next((no for no, name in PEOPLE.items() if name == each), "0") for each in (old, new))
        return {"date": self._time(deed.at), "userinfo": deed.who, "attcode": said, "oldvalue": old, "newvalue": new}

    def _time(self, when: Any) -> str:
        return when.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")


def _said(asked: Asked) -> Mapping[str, Any]:
    try:
        return json.loads(_form(asked).get("json_data", "{}"))
    except ValueError:
        return {}


def _form(asked: Asked) -> Mapping[str, str]:
    """PHP takes both kinds of forms for one."""
    if asked.headers.get("content-type", "").startswith("multipart/"):
        return forms.fields(asked)
    return {name: values[0] for name, values in parse_qs(asked.body.decode("latin-1"), encoding="utf-8").items()}


def _fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(fields)
    if "description" in found:
        found["description"] = text_of(found["description"])
    if "agent_id" in found:
        found["agent"] = PEOPLE.get(str(found.pop("agent_id")))
    return found


def _object(about: str, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": 0, "message": "", "class": about, "key": key, "fields": fields}


def _word(oql: str, pattern: str) -> str:
    found = re.search(pattern, oql)
    return found[1] if found else ""
