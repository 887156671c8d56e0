"""A tracker of an enterprise's kind over SOAP, document/literal: a log-in whose session goes in the header of every
envelope, a list by cursor whose further pages are another operation, results that say in a 200 whether they succeeded,
a version in the object, MTOM in all that it answers, and files that are base64 inside base64.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked, Reply
from connectors.emulators.soap import Call, SoapEmulator, SoapFault, called, element, listed
from connectors.emulators.tracker import Clock, Deed, File, Issue, Missing, Note, Rules, Tracker

ACCOUNT = "interdesk"
STATUSES = ("Registered", "In Work", "Done")
ZONE = ZoneInfo("Asia/Kathmandu")
RULES = Rules(
    fields=(
        RemoteField("Subject", "text", max_length=200),
        RemoteField("Details", "text"),
        RemoteField("Status", "choice", values=STATUSES),
        RemoteField("Owner", "person"),
        RemoteField("ForeignId", "text"),
    ),
    defaults={"Status": "Registered"},
    workflow={"Status": {"Registered": ("In Work",), "In Work": ("Done",), "Done": ("In Work",)}},
    bound=frozenset({ACCOUNT}),
)
_SPACE = "urn:ledger:2019"
_TYPES: Mapping[str, Mapping[str, str]] = {
    "File": {"Id": "string", "Name": "string", "Kind": "string", "Length": "int", "Content": "base64Binary"},
    "Files": {"File": "File*"},
    "Note": {
        "Id": "string",
        "By": "string",
        "At": "dateTime",
        "Body": "string",
        "Private": "boolean",
        "Files": "Files",
    },
    "Notes": {"Note": "Note*"},
    "Ticket": {
        "Id": "string",
        "Version": "long",
        "Modified": "dateTime",
        "CreatedBy": "string",
        "Unit": "string",
        **{field.name: "string" for field in RULES.fields},
        "Notes": "Notes",
    },
    "Change": {"At": "dateTime", "By": "string", "What": "string", "Was": "string", "Is": "string"},
    "Trouble": {"code": "string", "message": "string"},
    "Result": {"id": "string", "success": "boolean", "errors": "Trouble*"},
    "Found": {"done": "boolean", "queryLocator": "string", "records": "Ticket*"},
    "Session": {"sessionId": "string", "userName": "string"},
}
_CALLS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "login": ({"username": "string", "password": "string"}, "Session"),
    "describeUnit": ({"unit": "string"}, "Found"),
    "query": (
        {"unit": "string", "modifiedSince": "dateTime", "foreignId": "string", "latest": "boolean", "batch": "int"},
        "Found",
    ),
    "queryMore": ({"queryLocator": "string"}, "Found"),
    "retrieve": ({"id": "string"}, "Ticket"),
    "history": ({"id": "string"}, "Change*"),
    "create": ({"ticket": "Ticket"}, "Result"),
    "update": ({"ticket": "Ticket"}, "Result"),
    "addNote": ({"ticketId": "string", "note": "Note"}, "Result"),
    "getFile": ({"id": "string"}, "File"),
}
_KINDS = {
    "query": "list",
    "queryMore": "list",
    "retrieve": "read",
    "history": "history",
    "create": "create",
    "update": "update",
    "addNote": "comment",
    "getFile": "file",
}


class LedgerEmulator(SoapEmulator):
    """One tracker with one account and one unit, Grid."""

    address = "/services/Soap"

    def __init__(self, clock: Clock) -> None:
        super().__init__(Tracker(clock, RULES, name="ledger", keys=lambda number: f"5003{number:011d}AAA"))
        self.password = "emulated-password"
        self.sessions: set[str] = set()
        self._cursors: dict[str, list[str]] = {}

    def account(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        if call is None:
            return ""
        if call.operation == "login":
            said = (call.body.get("username"), call.body.get("password"))
            return ACCOUNT if said == (ACCOUNT, self.password) else ""
        header = call.header.get("SessionHeader")
        return ACCOUNT if isinstance(header, dict) and header.get("sessionId") in self.sessions else ""

    def kind(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        if call is not None and call.operation == "query" and call.body.get("foreignId"):
            return "find"
        return _KINDS.get(call.operation, "schema") if call is not None else "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"ticket": deed.key}

    def answer(self, asked: Asked) -> Reply:
        """As MTOM, whatever it is: the way of servers that were told so once for all."""
        reply = super().answer(asked)
        if asked.method == "GET" or reply.status != 200:
            return reply
        mark, parts = f"uuid:{asked.number}", list[bytes]()
        inside, *rest = bytes(reply.body).split(b"<Content>")
        for digits, tail in (each.split(b"</Content>", 1) for each in rest):
            parts.append(base64.b64decode(digits))
            there = f'<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:{len(parts)}%40x"/>'
            inside += b"<Content>" + there.encode() + b"</Content>" + tail
        head = f'--{mark}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\n'
        body = head.encode() + b"Content-Transfer-Encoding: binary\r\nContent-ID: <root@x>\r\n\r\n" + inside
        for number, each in enumerate(parts, start=1):
            body += f"\r\n--{mark}\r\nContent-Type: application/octet-stream\r\nContent-ID: <{number}@x>\r\n".encode()
            body += b"Content-Transfer-Encoding: binary\r\n\r\n" + each
        kind = f'multipart/related; type="application/xop+xml"; boundary="{mark}"; start="<root@x>"'
        return Reply(200, body + f"\r\n--{mark}--".encode(), {"Content-Type": kind})

    def perform(self, asked: Asked, call: Call) -> str:
        if not asked.who:
            raise SoapFault("Invalid Session ID found in SessionHeader", code="INVALID_SESSION_ID")
        try:
            with self.tracker.lock:
                value = self._performed(asked, call.operation, call.body)
        except Missing:
            raise SoapFault("entity is deleted or was never there", code="ENTITY_IS_DELETED") from None
        except _Not as no:
            value = {"success": False, "errors": {"code": no.code, "message": str(no)}}
        result = element("result", value)
        return f'<{call.operation}Response xmlns="{_SPACE}">{result}</{call.operation}Response>'

    def _performed(self, asked: Asked, operation: str, said: Any) -> Any:
        match operation:
            case "login":
                session = f"session-{asked.number}"
                self.sessions.add(session)
                return {"sessionId": session, "userName": ACCOUNT}
            case "describeUnit" if said["unit"] == "Grid":
                return {"done": True}
            case "query":
                return self._page(self._found(said), int(said["batch"]))
            case "queryMore":
                keys = self._cursors.pop(said["queryLocator"], None)
                if keys is None:
                    raise SoapFault("invalid query locator", code="INVALID_QUERY_LOCATOR")
                return self._page(keys, 50)
            case "retrieve":
                return _shown(self.tracker.issue(said["id"]), whole=True)
            case "history":
                deeds = self.tracker.issue(said["id"]).deeds
                return [_changed(each) for each in deeds if each.kind == "set"]
            case "create":
                key, refused = self.tracker.open(asked.who, _fields(said["ticket"]))
                _ensure(refused)
                return {"id": key, "success": True}
            case "update":
                return self._update(asked.who, said["ticket"])
            case "addNote":
                note = said["note"]
                files = [
                    (each["Name"], each["Kind"], base64.b64decode(base64.b64decode(each.get("Content") or "")))
                    for each in listed((note.get("Files") or {}).get("File"))
                ]
                internal = note.get("Private") == "true"
                made = self.tracker.comment(asked.who, said["ticketId"], note["Body"], internal=internal, files=files)
                return {"id": made.id, "success": True}
            case "getFile":
                file = self.tracker.file(said["id"])
                return {**_file(file), "Content": base64.b64encode(file.content)}
        raise SoapFault(f"no operation {operation}", code="UNKNOWN")

    def _found(self, said: Mapping[str, Any]) -> list[str]:
        found = [each for each in self.tracker.issues.values() if not each.hidden]
        if said.get("modifiedSince"):
            since = datetime.fromisoformat(said["modifiedSince"])
            found = [each for each in found if each.changed_at >= since]
        if said.get("foreignId"):
            found = [each for each in found if each.fields["ForeignId"] == said["foreignId"]]
        found.sort(key=lambda each: (each.changed_at, each.number), reverse=said.get("latest") == "true")
        return [each.key for each in found]

    def _page(self, keys: list[str], size: int) -> dict[str, Any]:
        """What was found is kept: a row that moves meanwhile stays where it was."""
        now, later = keys[:size], keys[size:]
        rows = [_shown(self.tracker.issues[key]) for key in now]
        if not later:
            return {"done": True, "queryLocator": None, "records": rows}
        cursor = f"01g{len(self._cursors):012d}-{now[-1]}"
        self._cursors[cursor] = later
        return {"done": False, "queryLocator": cursor, "records": rows}

    def _update(self, who: str, said: Mapping[str, Any]) -> dict[str, Any]:
        issue = self.tracker.issue(said["Id"])
        if said.get("Version") != str(issue.version):
            raise _Not("the ticket was changed by somebody else", "STALE_OBJECT")
        patch = _fields(said)
        told = {name: self.tracker.objection(who, name, issue.fields[name], new) for name, new in patch.items()}
        _ensure({name: each for name, each in told.items() if each})
        self.tracker.edit(who, issue.key, patch)
        return {"id": issue.key, "success": True}

    def wsdl(self) -> bytes:
        return _wsdl().encode()


class _Not(Exception):
    def __init__(self, says: str, code: str) -> None:
        super().__init__(says)
        self.code = code


def _ensure(refused: Mapping[str, str]) -> None:
    if refused:
        raise _Not("; ".join(refused.values()), "FIELD_CUSTOM_VALIDATION")


def _fields(said: Mapping[str, Any]) -> dict[str, Value]:
    return {field.name: said[field.name] or None for field in RULES.fields if field.name in said}


def _shown(issue: Issue, *, whole: bool = False) -> dict[str, Any]:
    shown = {
        "Id": issue.key,
        "Version": issue.version,
        "Modified": _time(issue.changed_at),
        "CreatedBy": issue.author,
        "Unit": "Grid",
        **issue.fields,
    }
    return {**shown, "Notes": {"Note": [_noted(each) for each in issue.notes]}} if whole else shown


def _noted(note: Note) -> dict[str, Any]:
    return {
        "Id": note.id,
        "By": note.author,
        "At": _time(note.at),
        "Body": note.text,
        "Private": note.internal,
        "Files": {"File": [_file(each) for each in note.files]},
    }


def _file(file: File) -> dict[str, Any]:
    return {"Id": file.id, "Name": file.name, "Kind": file.media_type, "Length": len(file.content)}


def _changed(deed: Deed) -> dict[str, Any]:
    return {"At": _time(deed.at), "By": deed.who, "What": deed.field, "Was": deed.old, "Is": deed.new}


def _time(when: datetime) -> str:
    return when.astimezone(ZONE).isoformat()


def _wsdl() -> str:
    def said(members: Mapping[str, str]) -> str:
        shown = ""
        for name, kind in members.items():
            many, plain = ' maxOccurs="unbounded"' if kind.endswith("*") else "", kind.removesuffix("*")
            type_ = f"tns:{plain}" if plain in _TYPES else f"xsd:{plain}"
            shown += f'<xsd:element name="{name}" type="{type_}" minOccurs="0"{many}/>'
        return f"<xsd:complexType><xsd:sequence>{shown}</xsd:sequence></xsd:complexType>"

    types = "".join(
        said(each).replace("<xsd:complexType", f'<xsd:complexType name="{n}"') for n, each in _TYPES.items()
    )
    elements = f'<xsd:element name="SessionHeader">{said({"sessionId": "string"})}</xsd:element>'
    messages = operations = bound = ""
    for name, (takes, gives) in _CALLS.items():
        for suffix, members in (("", takes), ("Response", {"result": gives})):
            elements += f'<xsd:element name="{name}{suffix}">{said(members)}</xsd:element>'
            messages += f'<message name="{name}{suffix}"><part name="p" element="tns:{name}{suffix}"/></message>'
        operations += (
            f'<operation name="{name}"><input message="tns:{name}"/><output message="tns:{name}Response"/></operation>'
        )
        header = '<soap:header message="tns:Header" part="SessionHeader" use="literal"/>' if name != "login" else ""
        bound += (
            f'<operation name="{name}"><soap:operation soapAction=""/><input>{header}<soap:body use="literal"/></input>'
            f'<output><soap:body use="literal"/></output></operation>'
        )
    return (
        f'<?xml version="1.0"?><definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="{_SPACE}" '
        f'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:tns="{_SPACE}"><types><xsd:schema targetNamespace="{_SPACE}" elementFormDefault="qualified">'
        f"{types}{elements}</xsd:schema></types>{messages}"
        f'<message name="Header"><part name="SessionHeader" element="tns:SessionHeader"/></message>'
        f'<portType name="Soap">{operations}</portType><binding name="SoapBinding" type="tns:Soap">'
        f'<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding>'
        f'<service name="Ledger"><port name="Soap" binding="tns:SoapBinding">'
        f'<soap:address location="https://ledger.example.org/services/Soap"/></port></service></definitions>'
    )
