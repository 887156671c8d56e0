"""GGUS classic as its SOAP services show it: written from its FAQs and the WSDL of its clients, quirks as switches.

What the sources leave open is our reading: a history record has the values after an act and the diary entries of that
act alone; times bear the server's zone; a refused status is a fault, and nothing of that call is done.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib.resources import files
from typing import Any

from connectors.api import RemoteField, Value
from connectors.emulators.server import Asked
from connectors.emulators.soap import Call, SoapEmulator, SoapFault, called, element
from connectors.emulators.tracker import Clock, Deed, Issue, Missing, Note, Rules, Tracker

STATUSES = (
    *("new", "assigned", "in progress", "waiting for reply", "on hold", "reopened"),
    *("solved", "unsolved", "verified", "closed"),
)
_CLOSED = ("solved", "unsolved", "verified", "closed")
PRIORITIES = ("less urgent", "normal", "urgent", "very urgent", "top priority")
CATEGORIES = ("Incident", "Change Request", "Documentation", "Test", "Spam")
_ACCOUNT = "interdesk"
_TEXT = 4000

_WORKING = ("in progress", "waiting for reply", "on hold", "solved", "unsolved")
RULES = Rules(
    fields=(
        RemoteField("GHD_Short_Description", "text", max_length=255),
        RemoteField("GHD_Description", "text"),
        RemoteField("GHD_Status", "choice", values=STATUSES),
        RemoteField("GHD_Priority", "choice", values=PRIORITIES),
        RemoteField("GHD_Ticket_Type", "choice", values=("USER", "TEAM", "ALARM", "OPS", "LHCOPN", "SECURITY")),
        RemoteField("GHD_Ticket_Category", "choice", values=CATEGORIES),
        RemoteField("GHD_Experiment_Specific_Problem", "choice", values=("No", "Yes")),
        *(
            RemoteField(f"GHD_{name}", "text")
            for name in (
                *("Responsible_Unit", "Type_Of_Problem", "Affected_Site", "Affected_VO", "Detailed_Solution"),
                *("Related_Issue", "Phone", "EMail", "Loginname", "Name", "Origin_ID", "Origin_SG", "CarbonCopy"),
                *("Date_Time_Of_Problem", "Target_ID", "Incident_ID", "Assign_To"),
            )
        ),
    ),
    defaults={
        "GHD_Status": "new",
        "GHD_Priority": "less urgent",
        "GHD_Ticket_Type": "USER",
        "GHD_Ticket_Category": "Incident",
        "GHD_Type_Of_Problem": "Other",
        "GHD_Experiment_Specific_Problem": "No",
        "GHD_Responsible_Unit": "TPM",
    },
    workflow={
        "GHD_Status": {
            **dict.fromkeys(("new", "assigned", "in progress", "waiting for reply", "on hold", "reopened"), _WORKING),
            **dict.fromkeys(("solved", "unsolved"), ("reopened",)),
        }
    },
    bound=frozenset({_ACCOUNT}),
    opening={"GHD_Status": "new"},
)
"""What a supporter's account may do: new and assigned are the system's, verified the submitter's, closed a timer's."""

_MODIFIABLE = (
    *("Assign_To", "Experiment_Specific_Problem", "Priority", "Responsible_Unit", "Detailed_Solution", "Status"),
    *("Type_Of_Problem", "Affected_Site", "Affected_VO", "Short_Description", "Ticket_Category", "Target_ID"),
    *("Incident_ID", "Related_Issue"),
)
_SHOWN = (
    *("Priority", "Request_ID", "Short_Description", "Status", "Type_Of_Problem", "Ticket_Type", "Description"),
    *("Experiment_Specific_Problem", "Internal_Diary", "Public_Diary", "Last_Modifier", "Responsible_Unit"),
    *("Detailed_Solution", "Affected_Site", "Affected_VO", "Date_Of_Change", "Date_Of_Creation", "EMail", "Loginname"),
    *("Name", "Phone", "Origin_SG", "Related_Issue"),
)
_LISTED = (
    *("Request_ID", "Name", "EMail", "Loginname", "Priority", "Detailed_Solution", "Short_Description"),
    *("Type_Of_Problem", "Status", "Responsible_Unit", "VO_Specific", "Description", "Last_Modifier", "Affected_Site"),
    *("Public_Diary", "Affected_VO", "Ticket_Type", "Create_Date", "Modified_Date", "Internal_Diary", "Origin_SG"),
    "Related_Issue",
)


@dataclass(frozen=True, slots=True)
class Quirks:
    """What can be switched off or turned worse."""

    empty_is_a_fault: bool = True
    """A list of nothing is ERROR (302), as Remedy has it."""
    old_names: bool = False
    """The operations go by the FAQ's names: OpModify, OpGet, OpGetList."""
    twice_encoded: bool = False
    """A file's content is base64 once more."""
    newline_in_names: bool = False
    """A file's name ends in a line end."""
    zone: tzinfo = UTC
    """The server's: its times say their offset."""
    naive: bool = False
    """They say none."""


class GgusEmulator(SoapEmulator):
    """One GGUS. Every account but ours works in its web interface and goes by its name."""

    address = "/arsys/services/ARService"

    def __init__(
        self, clock: Clock, *, rules: Rules = RULES, quirks: Quirks | None = None, unit: str = "NGI_XX", port: int = 0
    ) -> None:
        super().__init__(Tracker(clock, rules, name="ggus"), port=port)
        self.username, self.password = "ngi-xx", "emulated-password"
        self.unit = unit
        self.quirks = quirks or Quirks()
        self._modifiers: dict[int, str] = {}
        """Deed -> who it was, as a client of ours said."""

    def wsdl(self) -> bytes:
        return (files("connectors.profiles") / "wsdl" / "ggus.wsdl").read_bytes()

    def account(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        said = call.header.get("AuthenticationInfo") if call is not None else None
        known = isinstance(said, dict) and (said.get("userName"), said.get("password")) == (
            self.username,
            self.password,
        )
        return _ACCOUNT if known else ""

    def kind(self, asked: Asked) -> str:
        call = called(asked.body) if asked.method == "POST" else None
        match self._operation(call) if call is not None else "":
            case "TicketGetList":
                return "list"
            case "TicketGet":
                return "read"
            case "OpGetTicketHist" | "GetAttachIDs":
                return "history"
            case "OpCreate":
                return "create"
            case "TicketModify":
                body = call.body if call is not None and isinstance(call.body, dict) else {}
                return "comment" if {"GHD_Public_Diary", "GHD_Internal_Diary"} & set(body) else "update"
            case "AddAttachment":
                return "upload"
            case "GetOneAttachment":
                return "file"
        return "schema"

    def hint(self, deed: Deed) -> Mapping[str, Any]:
        return {"subject": f"NOTIFICATION of GGUS-Ticket-ID: #{deed.key}"}

    def perform(self, asked: Asked, call: Call) -> str:
        if not asked.who:
            raise SoapFault("ERROR (623): Authentication failed; ", code="Server.userException")
        action = asked.headers.get("soapaction", "").strip('"')
        if action and action.rpartition("/")[2] != call.operation:
            raise SoapFault(f"no such operation: {action}", code="Client")
        body = call.body if isinstance(call.body, dict) else {}
        operation = self._operation(call)
        try:
            with self.tracker.lock:
                inside = self._performed(operation, body)
        except Missing:
            raise SoapFault("ERROR (302): Entry does not exist in database; ") from None
        return element(f"{call.operation}Response", inside, ' xmlns="urn:GGUS"')

    def _operation(self, call: Call) -> str:
        old = {"OpModify": "TicketModify", "OpGet": "TicketGet", "OpGetList": "TicketGetList"}
        return old.get(call.operation, call.operation) if self.quirks.old_names else call.operation

    def _performed(self, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        match operation:
            case "OpCreate":
                return self._create(body)
            case "TicketModify":
                return self._modify(body)
            case "TicketGet":
                issue = self.tracker.issue(_needed(body, "GHD_Request_ID"))
                return _picked(self._whole(issue), _SHOWN)
            case "TicketGetList":
                return self._list(body)
            case "OpGetTicketHist":
                return self._rows(self._history(self.tracker.issue(_needed(body, "GHD_Request_ID"))))
            case "AddAttachment":
                return self._attach(body)
            case "GetAttachIDs":
                return self._rows(self._attachments(self.tracker.issue(_needed(body, "GAT_Request_ID"))))
            case "GetOneAttachment":
                return self._attachment(_needed(body, "GAT_Attachment_ID").removeprefix("ATT"))
        raise SoapFault(f"no such operation: {operation}", code="Client")

    def _rows(self, rows: list[dict[str, Any]]) -> Mapping[str, Any]:
        if not rows and self.quirks.empty_is_a_fault:
            raise Missing("rows")
        return {"getListValues": rows}

    # -- tickets ---------------------------------------------------------------------------------------------------

    def _create(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in ("Short_Description", "Last_Modifier", "Last_Login"):
            _needed(body, f"GHD_{name}")
        known = {each.name for each in self.tracker.rules.fields}
        fields: dict[str, Value] = {name: _said(each) for name, each in body.items() if name in known}
        _ensure_short(body, "GHD_Description", "GHD_Public_Diary", "GHD_Internal_Diary")
        key, refused = self.tracker.open(_ACCOUNT, {name: each for name, each in fields.items() if each is not None})
        if refused:
            raise SoapFault(f"ERROR (10000): {'; '.join(refused.values())}")
        self._signed(body, self.tracker.issue(key).deeds[-1:])
        self._diaries(key, body)
        return {"GHD_Request_ID": key}

    def _modify(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in ("Last_Modifier", "Last_Login"):
            _needed(body, f"GHD_{name}")
        issue = self.tracker.issue(_needed(body, "GHD_Request_ID"))
        _ensure_short(body, "GHD_Detailed_Solution", "GHD_Public_Diary", "GHD_Internal_Diary")
        patch = {f"GHD_{name}": _said(body[f"GHD_{name}"]) for name in _MODIFIABLE if f"GHD_{name}" in body}
        for name, value in patch.items():
            against = self.tracker.objection(_ACCOUNT, name, issue.fields.get(name), value)
            if against:
                raise SoapFault(f"ERROR (10000): {against}")
        before = len(issue.deeds)
        self.tracker.edit(_ACCOUNT, issue.key, patch)
        self._signed(body, issue.deeds[before:])
        self._diaries(issue.key, body)
        return {"GHD_Request_ID": issue.key}

    def _diaries(self, key: str, body: Mapping[str, Any]) -> None:
        for name, internal in (("GHD_Public_Diary", False), ("GHD_Internal_Diary", True)):
            words = _said(body.get(name))
            if words is not None:
                note = self.tracker.comment(_ACCOUNT, key, words, internal=internal)
                self._signed(body, [each for each in self.tracker.issue(key).deeds if str(each.id) == note.id])

    def _signed(self, body: Mapping[str, Any], deeds: list[Deed]) -> None:
        for deed in deeds:
            self._modifiers[deed.id] = str(body["GHD_Last_Modifier"])

    def _modifier(self, deed: Deed) -> str:
        return self._modifiers.get(deed.id, deed.who)

    def _list(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        unit = _needed(body, "GHD_Responsible_Unit")
        meta, status = body.get("GHD_Meta_Status"), body.get("GHD_Status")
        found = [
            each
            for each in self.tracker.issues.values()
            if not each.hidden
            and each.fields["GHD_Responsible_Unit"] == unit
            and (not status or each.fields["GHD_Status"] == status)
            and (not meta or (each.fields["GHD_Status"] in _CLOSED) == (meta != "Open"))
        ]
        return self._rows([_picked(self._whole(each), _LISTED) for each in found])

    def _whole(self, issue: Issue) -> dict[str, Any]:
        last = issue.deeds[-1]
        created, changed = self._time(issue.created_at), self._time(issue.changed_at)
        return {
            **{name: value for name, value in issue.fields.items() if value is not None},
            "GHD_Request_ID": issue.key,
            "GHD_Name": issue.fields.get("GHD_Name") or issue.author,
            "GHD_VO_Specific": issue.fields["GHD_Experiment_Specific_Problem"],
            "GHD_Last_Modifier": self._modifier(last),
            "GHD_Public_Diary": _latest(issue.notes, internal=False),
            "GHD_Internal_Diary": _latest(issue.notes, internal=True),
            "GHD_Date_Of_Creation": created,
            "GHD_Create_Date": created,
            "GHD_Date_Of_Change": changed,
            "GHD_Modified_Date": changed,
        }

    def _history(self, issue: Issue) -> list[dict[str, Any]]:
        """One record for each act: the values after it, and its own diary entries."""
        values = dict(issue.fields)
        for deed in reversed([each for each in issue.deeds if each.kind == "set"]):
            values[deed.field] = deed.old
        notes = {note.id: note for note in issue.notes}
        rows: list[dict[str, Any]] = []
        for deed in issue.deeds:
            if deed.kind == "set":
                values[deed.field] = deed.new
            elif deed.kind not in ("open", "comment"):
                continue
            row: dict[str, Any] = {
                f"GHD_{name}": values.get(f"GHD_{name}")
                for name in ("Responsible_Unit", "Status", "Priority", "Detailed_Solution", "Type_Of_Problem")
            }
            row |= {
                "GHD_Creation_Date": self._time(deed.at),
                "GHD_Last_Modifier": self._modifier(deed),
                "GHD_Assigned_To": values.get("GHD_Assign_To"),
                "GHD_Description": values.get("GHD_Description") if deed.kind == "open" else None,
                "GHD_VO": values.get("GHD_Affected_VO"),
                "GHD_VO_Specific": values.get("GHD_Experiment_Specific_Problem"),
                "GHD_Related_Issue": values.get("GHD_Related_Issue"),
                "GHD_Affected_Site": values.get("GHD_Affected_Site"),
            }
            note = notes.get(str(deed.id))
            if note is not None:
                row["GHD_Internal_Diary" if note.internal else "GHD_Public_Diary"] = note.text
            rows.append(row)
        return rows

    # -- files -----------------------------------------------------------------------------------------------------

    def _attach(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in ("Attachment_Name", "Attachment_Orig_Size", "Request_ID", "Last_Modifier", "Last_Login"):
            _needed(body, f"GAT_{name}")
        content = base64.b64decode(str(body.get("GAT_Attachment_Data") or ""))
        name = str(body["GAT_Attachment_Name"])
        if len(name) > 255:
            raise SoapFault("ERROR (306): Value does not fall within the limits specified for the field; ")
        file = self.tracker.attach(_ACCOUNT, str(body["GAT_Request_ID"]), name, "application/octet-stream", content)
        return {"GAT_Attachment_ID": f"ATT{file.id}"}

    def _attachments(self, issue: Issue) -> list[dict[str, Any]]:
        end = "\n" if self.quirks.newline_in_names else ""
        return [
            {
                "GAT_AttachmentID": f"ATT{file.id}",
                "GAT_Create_Date": self._time(file.at),
                "GAT_Last_Modifier": file.author,
                "GAT_attachmentName": file.name + end,
            }
            for file in sorted(
                [*issue.files, *(file for note in issue.notes for file in note.files)], key=lambda each: int(each.id)
            )
        ]

    def _attachment(self, number: str) -> Mapping[str, Any]:
        file = self.tracker.file(number)
        content = base64.b64encode(file.content) if self.quirks.twice_encoded else file.content
        return {
            "GAT_Create_Date": self._time(file.at),
            "GAT_attachmentName": file.name,
            "GAT_attachmentData": content,
            "GAT_attachmentOrigSize": len(file.content),
        }

    def _time(self, when: datetime) -> str:
        local = when.astimezone(self.quirks.zone).replace(microsecond=0)
        return (local.replace(tzinfo=None) if self.quirks.naive else local).isoformat()


def _needed(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value in (None, ""):
        raise SoapFault(f"ERROR (307): Required field (without a default) not specified; {name}")
    return str(value)


def _said(value: Any) -> str | None:
    """A text as Remedy keeps it; nothing where it is empty."""
    return str(value).rstrip() or None if value is not None else None


def _ensure_short(body: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if len(str(body.get(name) or "")) > _TEXT:
            raise SoapFault("ERROR (306): Value does not fall within the limits specified for the field; " + name)


def _picked(whole: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {f"GHD_{name}": whole.get(f"GHD_{name}") for name in names}


def _latest(notes: list[Note], *, internal: bool) -> str | None:
    return next((note.text for note in reversed(notes) if note.internal is internal), None)
