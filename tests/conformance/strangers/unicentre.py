"""A service desk of the old enterprise's kind, after what is public of CA's: rpc/literal and no WSDL that is true, a
session as the first argument, objects by handle (cr:12), answers that are one text with XML in it, attributes as rows
of name and value, changes as a list in which both take turns, moments as seconds, a search by clauses.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked
from connectors.emulators.soap import Call, SoapEmulator, SoapFault, called, element, escaped, listed
from connectors.emulators.tracker import Clock, Deed, Issue, Missing, Note, Rules, Tracker

ACCOUNT = "interdesk"
CONTACTS = {"cnt:0A": ACCOUNT, "cnt:0B": "alice", "cnt:0C": "bob"}
STATUSES = {"OP": "Open", "WIP": "In Progress", "RE": "Resolved"}
NAMES = {
    "summary": "summary",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "assignee": "assignee",
    "external": "external_system_ticket",
}
RULES = Rules(
    fields=(
        RemoteField("summary", "text", max_length=240),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=tuple(STATUSES.values())),
        RemoteField("priority", "choice", values=("1", "2", "3")),
        RemoteField("assignee", "person"),
        RemoteField("external", "text"),
    ),
    defaults={"status": "Open", "priority": "3"},
    workflow={"status": {"Open": ("In Progress",), "In Progress": ("Resolved",), "Resolved": ("In Progress",)}},
    bound=frozenset({ACCOUNT}),
)
_KINDS = {
    "getObjectValues": "read",
    "createRequest": "create",
    "updateObject": "update",
    "createActivityLog": "comment",
}


class UnicentreEmulator(SoapEmulator):
    """One desk with one account."""

    address = "/axis/services/Desk"

    def __init__(self, clock: Clock) -> None:
        super().__init__(Tracker(clock, RULES, name="unicentre"))
        self.password = "emulated-password"
        self.sessions: set[str] = set()

    def account(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        if call is None:
            return ""
        if call.operation == "login":
            said = (call.body.get("username"), call.body.get("password"))
            return ACCOUNT if said == (ACCOUNT, self.password) else ""
        return ACCOUNT if call.body.get("sid") in self.sessions else ""

    def kind(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        if call is None or call.operation != "doSelect":
            return _KINDS.get(call.operation, "schema") if call is not None else "schema"
        if call.body.get("objectType") == "alg":
            return "texts"
        clause = call.body.get("whereClause") or ""
        return "schema" if call.body.get("objectType") == "cnt" else "find" if "external" in clause else "list"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"handle": f"cr:{deed.key}"}

    def perform(self, asked: Asked, call: Call) -> str:
        if not asked.who:
            code = "3" if call.operation == "login" else "1000"
            raise _fault(code, "Error logging in" if code == "3" else "Session timeout, login again")
        try:
            with self.tracker.lock:
                inside = self._performed(asked, call.operation, call.body)
        except Missing:
            raise _fault("103", "AHD04404: there is no such object") from None
        return f'<d:{call.operation}Response xmlns:d="urn:desk">{inside}</d:{call.operation}Response>'

    def _performed(self, asked: Asked, operation: str, said: Any) -> str:
        match operation:
            case "login":
                session = str(100000 + asked.number)
                self.sessions.add(session)
                return element("loginReturn", session)
            case "doSelect":
                rows = self._selected(said["objectType"], said["whereClause"] or "")
                most = int(said["maxRows"])
                return _answered(operation, "".join(rows if most < 0 else rows[:most]), "UDSObjectList")
            case "getObjectValues":
                return _answered(operation, _shown(self.tracker.issue(_key(said["objectHandle"]))))
            case "createRequest":
                key, refused = self.tracker.open(asked.who, _fields(said["attrVals"]))
                _ensure(refused)
                handle = element("newRequestHandle", f"cr:{key}") + element("newRequestNumber", f"R{key}")
                return _answered(operation, _shown(self.tracker.issue(key))) + handle
            case "updateObject":
                issue, patch = self.tracker.issue(_key(said["objectHandle"])), _fields(said["attrVals"])
                told = {n: self.tracker.objection(asked.who, n, issue.fields[n], new) for n, new in patch.items()}
                _ensure({name: each for name, each in told.items() if each})
                self.tracker.edit(asked.who, issue.key, patch)
                return _answered(operation, _shown(issue))
            case "createActivityLog":
                key, internal = _key(said["objectHandle"]), said.get("internal") == "true"
                made = self.tracker.comment(asked.who, key, said["description"], internal=internal)
                return _answered(operation, _noted(made))
        raise _fault("1", f"no operation {operation}")

    def _selected(self, kind: str, clause: str) -> list[str]:
        """The objects that a clause finds, by ascending number."""
        if kind == "cnt":
            return [_object(handle, {"userid": name}) for handle, name in CONTACTS.items()]
        if kind == "alg":
            (handle,) = re.findall(r"call_req_id = '([^']*)'", clause)
            return [_object_of(_noted(each)) for each in self.tracker.issue(_key(handle)).notes]
        found = [each for each in self.tracker.issues.values() if not each.hidden]
        for name, operator, value in re.findall(r"(\w+) (>=|>|=) '?((?:[^' ]|'')*)'?", clause):
            found = [each for each in found if _TESTS[name, operator](each, value.replace("''", "'"))]
        found.sort(key=lambda each: each.number)
        return [_object_of(_shown(each)) for each in found]

    def wsdl(self) -> bytes:
        return b""


_TESTS: Mapping[tuple[str, str], Callable[[Issue, str], bool]] = {
    ("last_mod_dt", ">="): lambda issue, value: issue.changed_at.timestamp() >= int(value),
    ("id", ">"): lambda issue, value: issue.number > int(value),
    ("external_system_ticket", "="): lambda issue, value: issue.fields["external"] == value,
}


def _fault(code: str, says: str) -> SoapFault:
    detail = f"<ErrorCode>{code}</ErrorCode><ErrorMessage>{escaped(says)}</ErrorMessage>"
    return SoapFault("Server.Error", code="Server", detail=detail)


def _ensure(refused: Mapping[str, str]) -> None:
    if refused:
        raise _fault("104", "AHD05803: " + "; ".join(refused.values()))


def _key(handle: str) -> str:
    return handle.removeprefix("cr:")


def _fields(said: Mapping[str, Any]) -> dict[str, Value]:
    """Names and values that take turns."""
    flat = list(listed((said or {}).get("string")))
    given = dict(zip(flat[::2], flat[1::2], strict=True))
    read: Mapping[str, Callable[[str], Value]] = {
        "status": lambda word: STATUSES.get(word, word),
        "assignee": lambda word: CONTACTS.get(word) if word else None,
    }
    found = {ours: given[theirs] for ours, theirs in NAMES.items() if theirs in given}
    return {name: read.get(name, str)(value or "") or None for name, value in found.items()}


def _answered(operation: str, document: str, outermost: str = "UDSObject") -> str:
    """The document as text, as it was when there were no better ways."""
    whole = f'<?xml version="1.0" encoding="UTF-8"?>\n<{outermost}>{document}</{outermost}>'
    return f"<{operation}Return>{escaped(whole)}</{operation}Return>"


def _shown(issue: Issue) -> str:
    handles, codes = ({word: key for key, word in table.items()} for table in (CONTACTS, STATUSES))
    values: dict[str, Any] = {theirs: issue.fields[ours] for ours, theirs in NAMES.items()}
    values |= {"status": codes[str(issue.fields["status"])], "assignee": handles.get(str(issue.fields["assignee"]))}
    told = {"last_mod_dt": _seconds(issue.changed_at), "log_agent": handles.get(issue.author, issue.author)}
    return _inside(f"cr:{issue.key}", values | told)


def _noted(note: Note) -> str:
    handles = {word: key for key, word in CONTACTS.items()}
    told = {"analyst": handles.get(note.author, note.author), "time_stamp": _seconds(note.at)}
    return _inside(f"alg:{note.id}", told | {"description": note.text, "internal": int(note.internal)})


def _object(handle: str, values: Mapping[str, Any]) -> str:
    return _object_of(_inside(handle, values))


def _object_of(inside: str) -> str:
    return f"<UDSObject>{inside}</UDSObject>"


def _inside(handle: str, values: Mapping[str, Any]) -> str:
    rows: Sequence[str] = [
        f'<Attribute DataType="2002"><AttrName>{name}</AttrName>'
        f"<AttrValue>{escaped('' if value is None else str(value))}</AttrValue></Attribute>"
        for name, value in values.items()
    ]
    return f"<Handle>{handle}</Handle><Attributes>{''.join(rows)}</Attributes>"


def _seconds(when: datetime) -> int:
    return int(when.astimezone(UTC).timestamp())
