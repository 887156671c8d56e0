"""A tracker of Mantis's kind, from its public WSDL: rpc/encoded, names and passwords first, whole issues.

References are pairs of id and name; a write wants the title, the text and the project again, and takes the person in
charge off where nobody is named; a list knows neither filter nor search; files hang on the issue.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked
from connectors.emulators.soap import Beans, Call, SoapEmulator, SoapFault, called
from connectors.emulators.tracker import Clock, Deed, Issue, Missing, Note, Rules, Tracker

ACCOUNT = "interdesk"
PEOPLE = ("nobody", "administrator", "alice", "bob", ACCOUNT)
STATUSES = {10: "new", 20: "feedback", 50: "assigned", 80: "resolved", 90: "closed"}
PRIORITIES = {20: "low", 30: "normal", 40: "high"}
RULES = Rules(
    fields=(
        RemoteField("summary", "text", max_length=128),
        RemoteField("description", "text"),
        RemoteField("status", "choice", values=tuple(STATUSES.values())),
        RemoteField("priority", "choice", values=tuple(PRIORITIES.values())),
        RemoteField("handler", "person"),
        RemoteField("additional_information", "text"),
    ),
    defaults={"status": "new", "priority": "normal"},
    workflow={"status": {"new": ("feedback", "assigned"), "feedback": ("assigned",), "assigned": ("resolved",)}},
    bound=frozenset({ACCOUNT}),
)
_SPACE = "http://futureware.biz/mantisconnect"
_REF = {"id": "integer", "name": "string"}
_TYPES: Mapping[str, Mapping[str, str]] = {
    "ObjectRef": _REF,
    "AccountData": {**_REF, "real_name": "string", "email": "string"},
    "UserData": {"account_data": "AccountData", "access_level": "integer", "timezone": "string"},
    "ProjectData": {**_REF, "enabled": "boolean"},
    "AttachmentData": {
        "id": "integer",
        "filename": "string",
        "size": "integer",
        "content_type": "string",
        "date_submitted": "dateTime",
        "download_url": "anyURI",
        "user_id": "integer",
    },
    "IssueNoteData": {
        "id": "integer",
        "reporter": "AccountData",
        "text": "string",
        "view_state": "ObjectRef",
        "date_submitted": "dateTime",
        "last_modified": "dateTime",
    },
    "IssueData": {
        "id": "integer",
        "view_state": "ObjectRef",
        "last_updated": "dateTime",
        "project": "ObjectRef",
        "category": "string",
        "priority": "ObjectRef",
        "status": "ObjectRef",
        "reporter": "AccountData",
        "summary": "string",
        "handler": "AccountData",
        "description": "string",
        "additional_information": "string",
        "attachments": "AttachmentDataArray",
        "notes": "IssueNoteDataArray",
    },
    "HistoryData": {
        "date": "integer",
        "userid": "integer",
        "username": "string",
        "field": "string",
        "type": "integer",
        "old_value": "string",
        "new_value": "string",
    },
}
_WHO = {"username": "string", "password": "string"}
_CALLS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "mc_login": (_WHO, "UserData"),
    "mc_projects_get_user_accessible": (_WHO, "ProjectDataArray"),
    "mc_project_get_users": ({**_WHO, "project_id": "integer", "access": "integer"}, "AccountDataArray"),
    "mc_issue_get": ({**_WHO, "issue_id": "integer"}, "IssueData"),
    "mc_issue_get_history": ({**_WHO, "issue_id": "integer"}, "HistoryDataArray"),
    "mc_issue_add": ({**_WHO, "issue": "IssueData"}, "integer"),
    "mc_issue_update": ({**_WHO, "issueId": "integer", "issue": "IssueData"}, "boolean"),
    "mc_issue_note_add": ({**_WHO, "issue_id": "integer", "note": "IssueNoteData"}, "integer"),
    "mc_issue_note_update": ({**_WHO, "note": "IssueNoteData"}, "boolean"),
    "mc_issue_note_delete": ({**_WHO, "issue_note_id": "integer"}, "boolean"),
    "mc_issue_attachment_add": (
        {**_WHO, "issue_id": "integer", "name": "string", "file_type": "string", "content": "base64Binary"},
        "integer",
    ),
    "mc_issue_attachment_get": ({**_WHO, "issue_attachment_id": "integer"}, "base64Binary"),
    "mc_project_get_issues": (
        {**_WHO, "project_id": "integer", "page_number": "integer", "per_page": "integer"},
        "IssueDataArray",
    ),
}


class MantisEmulator(SoapEmulator):
    """One tracker with one account and one project, number 1."""

    address = "/api/soap/mantisconnect.php"

    def __init__(self, clock: Clock) -> None:
        super().__init__(Tracker(clock, RULES, name="mantis"))
        self.password = "emulated-password"

    def account(self, asked: Asked) -> str:
        said = _arguments(asked)[:2]
        return ACCOUNT if said == [ACCOUNT, self.password] else ""

    def kind(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        kinds = {
            "mc_project_get_issues": "list",
            "mc_issue_get": "read",
            "mc_issue_get_history": "history",
            "mc_issue_add": "create",
            "mc_issue_update": "update",
            "mc_issue_note_add": "comment",
            "mc_issue_note_update": "amend",
            "mc_issue_note_delete": "amend",
            "mc_issue_attachment_add": "upload",
            "mc_issue_attachment_get": "file",
        }
        return kinds.get(call.operation, "schema") if call is not None else "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"issue": deed.key}

    def perform(self, asked: Asked, call: Call) -> str:
        if not asked.who:
            raise SoapFault("Access denied", code="Client")
        try:
            with self.tracker.lock:
                value = self._performed(asked.who, call.operation, _arguments(asked)[2:])
        except Missing:
            raise SoapFault("Issue does not exist.", code="Client") from None
        returns = _CALLS[call.operation][1]
        return Beans(apart=False).answered(call.operation, _SPACE, returns, value, name="return")

    def _performed(self, who: str, operation: str, arguments: list[Any]) -> Any:
        match operation, arguments:
            case "mc_login", []:
                return {"account_data": _account(who), "access_level": 55, "timezone": "UTC"}
            case "mc_projects_get_user_accessible", []:
                return [{"id": 1, "name": "Grid", "enabled": True}]
            case "mc_project_get_users", ["1", _]:
                return [_account(name) for name in PEOPLE]
            case "mc_issue_get", [key]:
                return self._shown(self.tracker.issue(str(key)))
            case "mc_issue_get_history", [key]:
                return [_changed(deed) for deed in self.tracker.issue(str(key)).deeds if deed.kind == "set"]
            case "mc_issue_add", [issue]:
                self._ensure_whole(issue)
                key, refused = self.tracker.open(who, _said(issue))
                self._ensure(refused)
                return int(key)
            case "mc_issue_update", [key, issue]:
                self._update(who, str(key), issue)
                return True
            case "mc_issue_note_add", [key, note]:
                internal = _ref(note.get("view_state")) == "50"
                return int(self.tracker.comment(who, str(key), note.get("text") or "", internal=internal).id)
            case "mc_issue_note_update", [note]:
                found, theirs = self._note(who, str(note["id"]))
                self.tracker.reword(who, found.key, theirs.id, note["text"])
                return True
            case "mc_issue_note_delete", [number]:
                found, theirs = self._note(who, str(number))
                self.tracker.unsay(who, found.key, theirs.id)
                return True
            case "mc_issue_attachment_add", [key, name, kind, content]:
                bytes_ = base64.b64decode(content or "")
                return int(self.tracker.attach(who, str(key), name, kind, bytes_).id)
            case "mc_issue_attachment_get", [number]:
                return self.tracker.file(str(number)).content
            case "mc_project_get_issues", ["1", page, size]:
                there = [each for each in self.tracker.issues.values() if not each.hidden]
                there.sort(key=lambda each: (each.changed_at, each.number), reverse=True)
                begin = (int(page) - 1) * int(size)
                return [self._shown(each) for each in there[begin : begin + int(size)]]
        raise SoapFault(f"Procedure '{operation}' not present or wrong arguments", code="Client")

    def _update(self, who: str, key: str, issue: Mapping[str, Any]) -> None:
        self._ensure_whole(issue)
        patch = {"handler": None, **_said(issue)}  # nobody named is nobody in charge
        stands = self.tracker.issue(key).fields
        self._ensure({n: told for n, new in patch.items() if (told := self.tracker.objection(who, n, stands[n], new))})
        self.tracker.edit(who, key, patch)

    @staticmethod
    def _ensure_whole(issue: Mapping[str, Any]) -> None:
        for name in ("project", "category", "summary", "description"):
            if not issue.get(name):
                raise SoapFault(f"Mandatory field '{name}' is missing", code="Client")

    @staticmethod
    def _ensure(refused: Mapping[str, str]) -> None:
        if refused:
            raise SoapFault("; ".join(refused.values()), code="Client")

    def _note(self, who: str, number: str) -> tuple[Issue, Note]:
        for issue in self.tracker.issues.values():
            for note in issue.notes:
                if note.id == number and not issue.hidden:
                    if note.author != who:
                        raise SoapFault("Access denied for user interdesk. Reason: Not your note.", code="Client")
                    return issue, note
        raise SoapFault("Issue note does not exist.", code="Client")

    def _shown(self, issue: Issue) -> dict[str, Any]:
        fields = issue.fields
        files = [*issue.files, *(file for note in issue.notes for file in note.files)]
        return {
            "id": issue.number,
            "last_updated": _time(issue.changed_at),
            "project": {"id": 1, "name": "Grid"},
            "category": "General",
            "priority": _pair(PRIORITIES, fields["priority"]),
            "status": _pair(STATUSES, fields["status"]),
            "reporter": _account(issue.author),
            "summary": fields["summary"],
            **({"handler": _account(str(fields["handler"]))} if fields["handler"] else {}),
            "description": fields["description"],
            "additional_information": fields["additional_information"],
            "attachments": [
                {
                    "id": int(file.id),
                    "filename": file.name,
                    "size": len(file.content),
                    "content_type": file.media_type,
                    "date_submitted": _time(file.at),
                    "user_id": PEOPLE.index(file.author),
                }
                for file in files
            ],
            **({"notes": [_noted(each) for each in issue.notes]} if issue.notes else {}),
        }

    def wsdl(self) -> bytes:
        return _wsdl().encode()


def _arguments(asked: Asked) -> list[Any]:
    call = called(asked.body) if asked.method == "POST" else None
    return list(call.body.values()) if call is not None and isinstance(call.body, dict) else []


def _said(issue: Mapping[str, Any]) -> dict[str, Value]:
    """What is in an issue is written; a word that is not known becomes what stands first."""
    found: dict[str, Value] = {}
    for name in ("summary", "description", "additional_information"):
        if name in issue:
            found[name] = issue[name]
    for name, table in (("status", STATUSES), ("priority", PRIORITIES)):
        if ref := issue.get(name):
            found[name] = next((w for n, w in table.items() if str(n) == ref.get("id") or w == ref.get("name")), "?")
    if issue.get("handler"):
        found["handler"] = issue["handler"].get("name") or None
    return found


def _ref(value: Any) -> str:
    return str(value.get("id") or "") if isinstance(value, Mapping) else ""


def _pair(table: Mapping[int, str], word: Value) -> dict[str, Any]:
    return {"id": next(number for number, each in table.items() if each == word), "name": word}


def _account(name: str) -> dict[str, Any]:
    return {"id": PEOPLE.index(name), "name": name, "real_name": name.title(), "email": f"{name}@example.org"}


def _noted(note: Note) -> dict[str, Any]:
    return {
        "id": int(note.id),
        "reporter": _account(note.author),
        "text": note.text,
        "view_state": {"id": 50, "name": "private"} if note.internal else {"id": 10, "name": "public"},
        "date_submitted": _time(note.at),
        "last_modified": _time(note.at),
    }


def _changed(deed: Deed) -> dict[str, Any]:
    """Its own numbers for words, as the history has them."""
    numbers = {"status": STATUSES, "priority": PRIORITIES}.get(deed.field, {})
    ids: dict[Value, int] = {word: number for number, word in numbers.items()}
    if deed.field == "handler":
        ids = {name: number for number, name in enumerate(PEOPLE)} | {None: 0}
    return {
        "date": int(deed.at.timestamp()),
        "userid": PEOPLE.index(deed.who),
        "username": deed.who,
        "field": {"handler": "handler_id"}.get(deed.field, deed.field),
        "type": 0,
        "old_value": str(ids.get(deed.old, deed.old or "")),
        "new_value": str(ids.get(deed.new, deed.new or "")),
    }


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wsdl() -> str:
    """As that of its makers: `xsd:all`, everything optional, imports without an address."""
    encoding = "http://schemas.xmlsoap.org/soap/encoding/"

    def kind(name: str) -> str:
        ours = name in _TYPES or name.removesuffix("Array") in _TYPES
        return f"tns:{name}" if ours else f"xsd:{name}"

    def parts(named: Mapping[str, str]) -> str:
        return "".join(f'<part name="{name}" type="{kind(each)}"/>' for name, each in named.items())

    types = "".join(
        f'<xsd:complexType name="{name}"><xsd:all>'
        + "".join(f'<xsd:element name="{n}" type="{kind(k)}" minOccurs="0"/>' for n, k in members.items())
        + f'</xsd:all></xsd:complexType><xsd:complexType name="{name}Array"><xsd:complexContent>'
        f'<xsd:restriction base="SOAP-ENC:Array"><xsd:attribute ref="SOAP-ENC:arrayType" '
        f'wsdl:arrayType="tns:{name}[]"/></xsd:restriction></xsd:complexContent></xsd:complexType>'
        for name, members in _TYPES.items()
    )
    messages = "".join(
        f'<message name="{name}Request">{parts(takes)}</message>'
        f'<message name="{name}Response">{parts({"return": returns})}</message>'
        for name, (takes, returns) in _CALLS.items()
    )
    operations = "".join(
        f'<operation name="{name}"><input message="tns:{name}Request"/>'
        f'<output message="tns:{name}Response"/></operation>'
        for name in _CALLS
    )
    body = f'<soap:body use="encoded" namespace="{_SPACE}" encodingStyle="{encoding}"/>'
    bound = "".join(
        f'<operation name="{name}"><soap:operation soapAction="http://mantis.example.org/{name}" style="rpc"/>'
        f"<input>{body}</input><output>{body}</output></operation>"
        for name in _CALLS
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><definitions xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:SOAP-ENC="{encoding}" xmlns:tns="{_SPACE}" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns="http://schemas.xmlsoap.org/wsdl/" '
        f'targetNamespace="{_SPACE}"><types><xsd:schema targetNamespace="{_SPACE}"><xsd:import namespace="{encoding}"/>'
        f'<xsd:import namespace="http://schemas.xmlsoap.org/wsdl/"/>{types}</xsd:schema></types>{messages}'
        f'<portType name="MantisConnectPortType">{operations}</portType>'
        f'<binding name="MantisConnectBinding" type="tns:MantisConnectPortType">'
        f'<soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding>'
        f'<service name="MantisConnect"><port name="MantisConnectPort" binding="tns:MantisConnectBinding">'
        f'<soap:address location="http://mantis.example.org/api/soap/mantisconnect.php"/></port></service></definitions>'
    )
