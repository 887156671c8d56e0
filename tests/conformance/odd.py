"""A tracker that nobody has seen, awkward in all that is written: forms, one guarded request per field, transitions,
messages that are made and then linked, files on the case alone, and no place for our token but the end of a text."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from connectors.api import RemoteField
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Rules, Tracker

_PAPER = re.compile(rb'name="paper"; filename="([^"]*)"\r\nContent-Type: ([^\r\n]*)\r\n\r\n')

RULES = Rules(
    fields=(
        RemoteField("subject", "text", max_length=255),
        RemoteField("description", "text"),
        RemoteField("state", "choice", values=("new", "open", "closed")),
        RemoteField("owner", "person"),
    ),
    defaults={"state": "new"},
    workflow={"state": {"new": ("open",), "open": ("closed",), "closed": ("open",)}},
    bound=frozenset({"interdesk"}),
)
PROFILE: dict[str, Any] = {
    "kind": "profile",
    "name": "odd",
    "product": "Odd",
    "family": "rest",
    "settings": {
        "url": {"kind": "url", "says": "where it is"},
        "key": {"kind": "secret", "says": "our key"},
    },
    "root": "{url}",
    "credentials": {"X-Key": "{key}"},
    "errors": {"words": "problem"},
    "capabilities": {
        "version": "strong",
        "row_version": "strong",
        "preconditions": True,
        "internal_comments": True,
        "whole_conversation": True,
        "edit_comments": True,
        "delete_comments": True,
        "files": True,
    },
    "notifies": {},
    "account": {"read": {"path": "/me"}, "person": {"key": "name"}},
    "people": {"key": ""},
    "place": {"path": "/me"},
    "ticket": {
        "read": {"path": "/cases/{key}"},
        "at": "case",
        "key": "ref",
        "key_pattern": "CASE-[0-9]+",
        "version": {"at": "version"},
        "changed_at": "touched",
        "created_by": "opened_by",
        "address": "{url}/#{key}",
    },
    "fields": {
        "subject": {"at": "subject", "write": "subject", "max_length": 255},
        "description": {"at": "description", "write": "description"},
        "state": {"kind": "choice", "at": "state", "write": "state"},
        "owner": {"kind": "person", "at": "owner", "write": "owner"},
    },
    "token": {"mark": "description"},
    "listing": {
        "path": "/cases",
        "rows": "cases",
        "shows": ["subject", "state", "owner"],
        "per_page": 50,
        "pages": {"by": "key", "first": "CASE-0"},
        "scan": {"after": "{after}"},
        "changes": {"after": "{after}", "since": "{since}"},
        "newest": {"newest": "1"},
    },
    "create": {"path": "/cases", "format": "form", "at": "case", "answers": "key", "key": "made.ref"},
    "update": {
        "path": "/cases/{key}/{field}",
        "each": True,
        "body": {"value": "{value}"},
        "guard": {"If-Match": '"{version}"'},
    },
    "transitions": {
        "state": {
            "path": "/cases/{key}/moves",
            "body": {"move": "{way}"},
            "ways": {"path": "/cases/{key}/moves", "rows": "", "to": "to.name"},
            "guard": {"If-Match": '"{version}"'},
        }
    },
    "comment": {
        "first": [
            {
                "path": "/messages",
                "body": {"body": "{text}"},
                "keep": {"message": "no"},
                "again": {
                    "path": "/messages",
                    "query": {"containing": "{token}"},
                    "rows": "",
                    "token_at": "body",
                    "keep": {"message": "no"},
                },
            }
        ],
        "path": "/cases/{key}/messages",
        "body": {"link": {"message": "{message}", "hidden": "{internal}"}},
        "internal_files": False,
        "attached": {"path": "/cases/{key}/papers", "part": "paper"},
        "edit": {"path": "/messages/{comment}", "body": {"body": "{text}"}, "looks": True},
        "hide": {"path": "/messages/{comment}/hidden", "body": {"value": True}},
        "show": {"path": "/messages/{comment}/hidden", "body": {"value": False}},
        "delete": {"method": "DELETE", "path": "/messages/{comment}", "looks": True},
    },
    "conversation": {
        "comments": {
            "rows": "messages",
            "id": "no",
            "author": "who",
            "at": "when",
            "text": "body",
            "internal": "hidden",
        },
        "files": {
            "rows": "papers",
            "id": "no",
            "name": "name",
            "media_type": "kind",
            "size": "bytes",
            "author": "who",
            "at": "when",
        },
    },
    "download": {"path": "/papers/{id}"},
}


class OddEmulator(Emulator):
    """One such tracker with one account, `interdesk`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Tracker(clock, RULES, name="odd", keys=lambda number: f"CASE-{number}"))
        self.key = "emulated-key"
        self._messages: dict[str, str] = {}
        """Messages that hang on no case yet."""

    def account(self, asked: Asked) -> str:
        return "interdesk" if asked.headers.get("x-key") == self.key else ""

    def kind(self, asked: Asked) -> str:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["cases"]:
                return "list"
            case "GET", ["cases", _]:
                return "read"
            case "POST", ["cases"]:
                return "create"
            case "POST", ["cases", _, "messages"]:
                return "comment"
            case "POST", ["cases", _, "papers"] | ["messages"]:
                return "upload"
            case "PUT" | "DELETE", ["messages", *_]:
                return "amend"
            case "PUT" | "POST", _:
                return "update"
            case _:
                return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"case": deed.key}

    def answer(self, asked: Asked) -> Reply:
        if not asked.who:
            return Reply(401, {"problem": "who are you?"})
        try:
            with self.tracker.lock:
                return self._routed(asked)
        except Missing:
            return Reply(404, {"problem": "there is no such thing"})

    def _routed(self, asked: Asked) -> Reply:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["me"]:
                return Reply(200, {"name": "interdesk"})
            case "GET", ["cases"]:
                return self._list(asked)
            case "GET", ["cases", key]:
                return Reply(200, {"case": self._whole(self._case(key))})
            case "POST", ["cases"]:
                said = parse_qs(asked.body.decode(), keep_blank_values=True)
                fields = {name.removeprefix("case[").removesuffix("]"): values[0] for name, values in said.items()}
                key, refused = self.tracker.open(asked.who, {name: value or None for name, value in fields.items()})
                if refused:
                    return Reply(422, {"problem": "; ".join(refused.values())})
                return Reply(201, {"made": {"ref": key}})
            case "GET", ["cases", key, "moves"]:
                ways = self.tracker.permitted(asked.who, "state", self._case(key).fields["state"]) or ()
                return Reply(200, [{"id": f"to-{each}", "to": {"name": each}} for each in ways])
            case "POST", ["cases", key, "moves"]:
                return self._set(asked, key, "state", str(asked.json()["move"]).removeprefix("to-"))
            case "POST", ["cases", key, "messages"]:
                link = asked.json()["link"]
                text = self._messages.pop(link["message"], None)
                self._case(key)
                if text is None:
                    return Reply(409, {"problem": "that message hangs on a case already"})
                self.tracker.comment(asked.who, key, text, internal=link["hidden"])
                return Reply(204)
            case "POST", ["cases", key, "papers"]:
                self._case(key)
                name, media_type, content = _paper(asked)
                self.tracker.attach(asked.who, key, name, media_type, content)
                return Reply(204)
            case "PUT", ["cases", key, field]:
                return self._set(asked, key, field, asked.json()["value"])
            case "GET", ["messages"]:
                token = asked.word("containing")
                return Reply(200, [{"no": no, "body": text} for no, text in self._messages.items() if token in text])
            case "POST", ["messages"]:
                number = f"M{asked.number}"
                self._messages[number] = asked.json()["body"]
                return Reply(201, {"no": number})
            case "PUT", ["messages", number]:
                self.tracker.reword(asked.who, self._of(number), number, asked.json()["body"])
                return Reply(204)
            case "PUT", ["messages", number, "hidden"]:
                self.tracker.hide(asked.who, self._of(number), number, internal=asked.json()["value"])
                return Reply(204)
            case "DELETE", ["messages", number]:
                self.tracker.unsay(asked.who, self._of(number), number)
                return Reply(204)
            case "GET", ["papers", number]:
                file = self.tracker.file(number)
                return Reply(200, file.content, {"Content-Type": file.media_type})
            case _:
                return Reply(404, {"problem": "there is no such page"})

    def _set(self, asked: Asked, key: str, field: str, value: Any) -> Reply:
        case = self._case(key)
        if asked.headers.get("if-match", f'"{case.version}"') != f'"{case.version}"':
            return Reply(412, {"problem": "the case has moved"})
        refused = self.tracker.edit(asked.who, key, {field: value or None})
        return Reply(422, {"problem": "; ".join(refused.values())}) if refused else Reply(204)

    def _case(self, key: str) -> Issue:
        return self.tracker.issue(key)

    def _of(self, number: str) -> str:
        """The case that a message hangs on."""
        for issue in self.tracker.issues.values():
            if any(note.id == number for note in issue.notes):
                return issue.key
        raise Missing(number)

    def _list(self, asked: Asked) -> Reply:
        since, after = asked.word("since"), int(asked.word("after", "CASE-0").rpartition("-")[2])
        start = datetime.fromisoformat(since) if since else None
        found = [each for each in self.tracker.issues.values() if not each.hidden and each.number > after]
        found = [each for each in found if start is None or each.changed_at >= start]
        if asked.word("newest"):
            found.sort(key=lambda each: each.changed_at, reverse=True)
        return Reply(200, {"cases": [self._row(each) for each in found[:50]]})

    def _row(self, issue: Issue) -> dict[str, Any]:
        return {
            "ref": issue.key,
            "version": issue.version,
            "touched": _iso(issue.changed_at),
            "opened_by": issue.author,
            **{name: issue.fields[name] for name in ("subject", "state", "owner")},
        }

    def _whole(self, issue: Issue) -> dict[str, Any]:
        files = [*issue.files, *(file for note in issue.notes for file in note.files)]
        return {
            **self._row(issue),
            "description": issue.fields["description"],
            "messages": [
                {"no": note.id, "who": note.author, "when": _iso(note.at), "body": note.text, "hidden": note.internal}
                for note in issue.notes
            ],
            "papers": [_shown(each) for each in files],
        }


def _shown(file: File) -> dict[str, Any]:
    size = len(file.content)
    row = {"no": file.id, "name": file.name, "kind": file.media_type, "bytes": size}
    return {**row, "who": file.author, "when": _iso(file.at)}


def _paper(asked: Asked) -> tuple[str, str, bytes]:
    """Name, media type and bytes of the file in a form."""
    found = _PAPER.search(asked.body)
    if found is None:
        raise Missing("paper")
    end = asked.body.rindex(b"\r\n--")
    return unquote(found[1].decode()), found[2].decode(), asked.body[found.end() : end]


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()
