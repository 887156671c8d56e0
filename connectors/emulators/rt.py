"""Request Tracker 5 as its REST 2.0 API shows it, quirks included. Facts: tried against RT 5.0.3.

What it knows of TicketSQL is what a connector needs to ask: Queue, id, LastUpdated and one custom field, joined by AND.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.api import RemoteField, Value
from connectors.emulators import rt_messages
from connectors.emulators.server import Asked, Emulator, Reply
from connectors.emulators.tracker import AUTOMAT, Clock, Deed, Issue, Missing, Rules, Tracker

_SYSTEM = "RT_System"
_CONDITION = re.compile(
    r"(?P<field>Queue|id|LastUpdated|'CF\.\{(?P<custom>[^}]*)\}')\s*(?P<op>>=|>|=)\s*('(?P<text>(?:\\.|[^'])*)'|(?P<number>\d+))"
)
_CUSTOM = "ExternalId"

RULES = Rules(
    fields=(
        RemoteField("Subject", "text"),
        RemoteField("Description", "text", writable=False),
        RemoteField("Status", "choice", values=("new", "open", "stalled", "resolved", "rejected", "deleted")),
        RemoteField("Priority", "text"),
        RemoteField("Owner", "person"),
        RemoteField("Requestor", "set"),
        RemoteField(f"CF.{_CUSTOM}", "text"),
    ),
    defaults={"Status": "new", "Priority": "0", "Owner": "Nobody"},
    workflow={
        "Status": {
            "new": ("open", "rejected", "deleted"),
            "open": ("stalled", "resolved"),
            "stalled": ("open",),
            "resolved": ("open",),
        }
    },
    bound=frozenset({"ggus-sync"}),
    reopens={"Status": {"new": "open", "resolved": "open"}},
)
"""A queue with a strict lifecycle, as `tests/peers` sets up the real one. It binds our account; people may do more."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    zone: str = "UTC"
    """The zone of our account, in which absolute times of a search are read."""
    preconditions: bool = True
    """If-Match is honoured."""
    counts_rows: bool = True
    """Lists tell their total; without, as where rights are applied after paging."""
    custom_field: bool = True
    """The queue has the custom field that holds our token."""


class RtEmulator(Emulator):
    """An RT with one queue. `accounts` maps tokens to log-ins; people in `people` have real names."""

    def __init__(
        self,
        clock: Clock,
        *,
        queue: str = "ggus",
        accounts: Mapping[str, str] | None = None,
        people: Mapping[str, str] | None = None,
        rules: Rules = RULES,
        quirks: Quirks | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(Tracker(clock, rules, name="rt"), port=port)
        self.queue = queue
        self.token = "1-14-emulated"  # noqa: S105 (opens an emulator on loopback and nothing else)
        self.quirks = quirks or Quirks()
        self.accounts = dict(accounts or {self.token: "ggus-sync"})
        """Whose token is whose."""
        self._users = {"14": "ggus-sync", "6": "Nobody", "1": _SYSTEM}
        self._people = dict(people or {})

    def account(self, asked: Asked) -> str:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        return self.accounts.get(token, "") if scheme == "token" else ""

    def kind(self, asked: Asked) -> str:
        path = asked.path.removeprefix("/REST/2.0")
        if asked.method == "GET":
            kinds = {
                r"/tickets": "find" if "CF." in asked.word("query") else "list",
                r"/ticket/\d+": "read",
                r"/ticket/\d+/history": "history",
                r"/ticket/\d+/attachments": "texts",
                r"/attachment/\d+": "file",
            }
            return next((kind for pattern, kind in kinds.items() if re.fullmatch(pattern, path)), "schema")
        if path.endswith(("/correspond", "/comment")):
            return "comment"
        return "create" if asked.method == "POST" else "update"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"ticket": int(deed.key), "queue": self.queue, "transaction": deed.id, "creator": self._login(deed.who)}

    def answer(self, asked: Asked) -> Reply:
        if not asked.who:
            return _said(401, "Unauthorized")
        path = asked.path.removeprefix("/REST/2.0")
        try:
            return self._routed(asked, path)
        except Missing:
            return _said(404, "Not Found")
        except _Forbidden:
            return _said(403, "Forbidden")

    def _routed(self, asked: Asked, path: str) -> Reply:
        match asked.method, path.strip("/").split("/"):
            case "GET", ["rt"]:
                return Reply(200, {"Version": "5.0.3"})
            case "GET", ["user", name]:
                return self._user(asked, name)
            case "GET", ["queue", name]:
                return self._queue(name)
            case "GET", ["tickets"]:
                return self._tickets(asked)
            case "POST", ["ticket"]:
                return self._create(asked)
            case "GET", ["ticket", key]:
                with self.tracker.lock:
                    issue = self._issue(key)
                    headers = {"ETag": f'"{issue.version}"', "Last-Modified": _iso(issue.changed_at)}
                    return Reply(200, self._shown(issue), headers)
            case "PUT", ["ticket", key]:
                return self._update(asked, key)
            case "GET", ["ticket", key, "history"]:
                return self._history(asked, self._issue(key))
            case "GET", ["ticket", key, "attachments"]:
                return rt_messages.listed(self.tracker, self._issue(key), asked)
            case "POST", ["ticket", key, "correspond" | "comment" as kind]:
                return self._message(asked, key, internal=kind == "comment")
            case "GET", ["attachment", number]:
                return rt_messages.file(self.tracker, number)
            case _:
                return _said(404, "Not Found")

    # -- people and places -----------------------------------------------------------------------------------------

    def _user(self, asked: Asked, name: str) -> Reply:
        login = self._users.get(name, name)
        shown: dict[str, Any] = {"Name": login, "RealName": self._people.get(login, ""), "id": name}
        if login == asked.who and self.quirks.zone != "UTC":
            shown["Timezone"] = self.quirks.zone
        return Reply(200, shown)

    def _queue(self, name: str) -> Reply:
        if name not in (self.queue, "3"):
            return _said(403, "Forbidden")
        fields = [{"id": "2", "name": _CUSTOM, "type": "customfield"}] if self.quirks.custom_field else []
        links = [{"ref": "self", "id": 3}, {"ref": "create", "type": "ticket"}]
        shown = {"id": 3, "Name": self.queue, "Lifecycle": "ggus", "TicketCustomFields": fields, "_hyperlinks": links}
        return Reply(200, shown)

    def _login(self, who: str) -> str:
        return _SYSTEM if who == AUTOMAT else who

    def _person(self, who: str, *, whole: bool = False) -> dict[str, Any]:
        login = self._login(who)
        shown: dict[str, Any] = {"id": login, "type": "user", "_url": f"{self.url}/REST/2.0/user/{login}"}
        if whole:
            shown |= {"RealName": self._people.get(login, ""), "EmailAddress": f"{login}@rt.example.org"}
        return shown

    # -- tickets ---------------------------------------------------------------------------------------------------

    def _issue(self, key: str) -> Issue:
        issue = self.tracker.issues.get(key)
        if issue is None:
            raise Missing(key)
        if issue.hidden == "move":
            raise _Forbidden
        return issue  # a deleted ticket is still shown: only lists leave it out

    def _shown(self, issue: Issue) -> dict[str, Any]:
        shown = self._row(issue)
        shown |= {
            "id": issue.number,
            "Queue": {"id": "3", "type": "queue"},
            "Creator": self._person(issue.author),
            "Created": _iso(issue.created_at),
            "Due": "1970-01-01T00:00:00Z",
            "_hyperlinks": [{"ref": "self", "id": issue.number}, {"ref": "correspond"}, {"ref": "comment"}],
        }
        return shown

    def _row(self, issue: Issue) -> dict[str, Any]:
        fields = issue.fields
        token = fields.get(f"CF.{_CUSTOM}")
        requestors = fields.get("Requestor") or ()
        customs = [{"id": "2", "name": _CUSTOM, "type": "customfield", "values": [token] if token else []}]
        return {
            "id": issue.key,
            "type": "ticket",
            "Subject": fields.get("Subject") or "",
            "Status": "deleted" if issue.hidden else fields.get("Status"),
            "Priority": str(fields.get("Priority") or "0"),
            "Owner": self._person(str(fields.get("Owner") or "Nobody")),
            "Requestor": [self._person(each) for each in (requestors if isinstance(requestors, tuple) else ())],
            "LastUpdated": _iso(issue.changed_at),
            "CustomFields": customs if self.quirks.custom_field else [],
        }

    def _tickets(self, asked: Asked) -> Reply:
        sql = asked.word("query")
        conditions = [found.groupdict() for found in _CONDITION.finditer(sql)]
        if not conditions or _CONDITION.sub("", sql).replace("AND", "").strip():
            return _said(400, f"Unknown field in {sql!r} at /usr/share/request-tracker5/lib/RT/Tickets.pm line 3187.\n")
        with self.tracker.lock:
            found = [
                each
                for each in self.tracker.issues.values()
                if not each.hidden and each.fields.get("Status") != "deleted" and self._meets(each, conditions)
            ]
            if asked.word("orderby") == "LastUpdated":
                found.sort(key=lambda each: each.changed_at, reverse=asked.word("order") == "DESC")
            items = [self._row(each) for each in rt_messages.paged(asked, found)]
        return Reply(200, {"items": items, "total": len(found) if self.quirks.counts_rows else None})

    def _meets(self, issue: Issue, conditions: list[dict[str, str | None]]) -> bool:
        for each in conditions:
            said = re.sub(r"\\(.)", r"\1", each["text"] or "") or each["number"] or ""
            match each["field"]:
                case "Queue":
                    right = said == self.queue
                case "id":
                    right = issue.number > int(said) if each["op"] == ">" else issue.number == int(said)
                case "LastUpdated":
                    right = issue.changed_at >= self._time(said)
                case _:
                    right = issue.fields.get(f"CF.{each['custom']}") == said
            if not right:
                return False
        return True

    def _time(self, said: str) -> datetime:
        """A time of TicketSQL: relative to now, or in the account's zone; anything else is long ago."""
        if shift := re.fullmatch(r"([-+]\d+) seconds", said):
            zone, now = ZoneInfo(self.quirks.zone), self.tracker.now()
            # RT computes in wall-clock time and takes the offset off again where the result lies
            wall = now.astimezone(zone).replace(tzinfo=UTC) + timedelta(seconds=int(shift[1]))
            offset = wall.astimezone(zone).utcoffset() or timedelta(0)
            return wall - offset
        try:
            return datetime.strptime(said, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(self.quirks.zone))
        except ValueError:
            return datetime(1970, 1, 1, tzinfo=UTC)

    def _create(self, asked: Asked) -> Reply:
        body = asked.json()
        if body.get("Queue") != self.queue:
            return _said(403, f"No permission to create tickets in the queue '{body.get('Queue')}'")
        fields: dict[str, Value] = {"Description": body.get("Content") or ""}
        status = body.get("Status")
        if asked.who in self.tracker.rules.bound and status not in (None, "new", "open"):
            return _said(400, f"New tickets can not have status '{status}' in this queue.")
        fields |= self._said_fields(body)
        key, refused = self.tracker.open(asked.who, fields)
        if refused:
            return _said(400, "; ".join(refused.values()))
        return Reply(201, {"id": key, "type": "ticket"}, {"Location": f"{self.url}/REST/2.0/ticket/{key}"})

    def _update(self, asked: Asked, key: str) -> Reply:
        with self.tracker.lock:
            issue = self._issue(key)
            if self._moved(asked, issue):
                return _said(412, "Precondition Failed")
            before = dict(issue.fields)
            patch = self._said_fields(asked.json())
            refused = self.tracker.edit(asked.who, key, patch)
        sentences = []
        for name, value in sorted(patch.items()):
            if name in refused:
                sentences.append(f"Ticket {key}: {_rt_words(name, before.get(name), value)}")
            elif before.get(name) != value:
                sentences.append(f"Ticket {key}: {name} changed from '{before.get(name) or ''}' to '{value}'")
        return Reply(200, sentences)

    def _moved(self, asked: Asked, issue: Issue) -> bool:
        expected = asked.headers.get("if-match")
        return self.quirks.preconditions and expected is not None and expected.strip('"') != str(issue.version)

    def _said_fields(self, body: Mapping[str, Any]) -> dict[str, Value]:
        """The fields that RT understands; what it does not know it passes over in silence."""
        fields: dict[str, Value] = {}
        for name in ("Subject", "Status", "Priority", "Owner"):
            if body.get(name) not in (None, ""):
                fields[name] = str(body[name])
        if "Subject" in fields:
            # cut at 200 bytes, without a word
            fields["Subject"] = str(fields["Subject"]).encode()[:200].decode("utf-8", "ignore")
        if "Requestor" in body:
            said = body["Requestor"]
            fields["Requestor"] = tuple(said) if isinstance(said, list) else (str(said),)
        customs = body.get("CustomFields") or {}
        if _CUSTOM in customs and self.quirks.custom_field:
            fields[f"CF.{_CUSTOM}"] = customs[_CUSTOM]
        return fields

    # -- what was said ---------------------------------------------------------------------------------------------

    def _message(self, asked: Asked, key: str, *, internal: bool) -> Reply:
        body = asked.json()
        files = rt_messages.sent_files(body)
        if files is None:
            return _said(400, "FileContent is a required field for each attachment in Attachments")
        text = str(body.get("Content") or "").replace("\r\n", "\n")
        with self.tracker.lock:
            issue = self._issue(key)
            if self._moved(asked, issue):
                return _said(412, "Precondition Failed")
            text = "" if text == "0" else text  # taken for nothing
            note = self.tracker.comment(asked.who, key, text, internal=internal, files=files)
        said = "Comments added" if internal else "Correspondence added"
        return Reply(201, [said], {"Location": f"{self.url}/REST/2.0/transaction/{note.id}"})

    def _history(self, asked: Asked, issue: Issue) -> Reply:
        with self.tracker.lock:
            parts = rt_messages.parts(issue)
            found = [self._transaction(issue, deed, parts) for deed in issue.deeds if deed.kind != "reword"]
        return Reply(200, {"items": rt_messages.paged(asked, found), "total": None, "pages": None})

    def _transaction(self, issue: Issue, deed: Deed, parts: list[dict[str, Any]]) -> dict[str, Any]:
        kind, field, old, new = rt_messages.meaning(issue, deed)
        if field == "Owner":
            old, new = self._number(old), self._number(new)
        mine = [each["id"] for each in parts if each["TransactionId"] == str(deed.id)]
        links: list[dict[str, Any]] = [{"ref": "self", "id": deed.id}]
        links += [{"ref": "attachment", "_url": f"{self.url}/REST/2.0/attachment/{each}"} for each in mine]
        return {
            "id": str(deed.id),
            "Type": kind,
            "Field": field,
            "OldValue": _flat(old),
            "NewValue": _flat(new),
            "Creator": self._person(deed.who, whole=True),
            "Created": _iso(deed.at),
            "_hyperlinks": links,
        }

    def _number(self, login: Value) -> str:
        known = {name: number for number, name in self._users.items()}
        number = known.get(str(login or "Nobody")) or str(100 + len(self._users))
        self._users[number] = str(login or "Nobody")
        return number


class _Forbidden(Exception):
    """The account may not see it."""


def _said(status: int, message: str) -> Reply:
    return Reply(status, {"message": message})


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _flat(value: Value) -> str:
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _rt_words(name: str, before: Value, after: Value) -> str:
    if name == "Status" and after not in RULES.fields[2].values:
        return f"Status '{after}' isn't a valid status for this ticket."
    if name == "Status":
        return f"You can't change status from '{before}' to '{after}'."
    return f"{name} could not be set to {after}."
