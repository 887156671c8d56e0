"""The words of the classic interface: its operations, what goes into each and what comes out, in our order.

Names and what is required are those of GGUS's published interface; the order of elements, what is marked "ours" and one
namespace for all three services are our own. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Service(StrEnum):
    """A classic web service; each has an address of its own."""

    TICKETS = "GGUS"
    FILES = "GGUS_ATTACH"
    HISTORY = "GGUS_HISTORY"


SERVICES: Mapping[str, Service] = {
    **{str(each): each for each in Service},
    "Grid_HelpDesk": Service.TICKETS,
    "Grid_Attachment": Service.FILES,
    "Grid_History": Service.HISTORY,
}
"""Every name that a service goes by."""
SPACE = "urn:GGUS"
ROWS = "getListValues"
FILE = "GAT_Attachment_Data"
"""The element that a file comes in by."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a call or of an answer."""

    name: str
    kind: str = "string"
    """Its type, as XML Schema calls it."""
    required: bool = False


def _elements(prefix: str, words: str) -> tuple[Element, ...]:
    """`Name`, `Name!` for one that is required, `Name:type` for one that is no text."""
    found = []
    for word in words.split():
        name, _, kind = word.rstrip("!").partition(":")
        found.append(Element(f"{prefix}{name}", kind or "string", word.endswith("!")))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked for."""

    name: str
    service: Service
    takes: tuple[Element, ...]
    gives: tuple[Element, ...]
    rows: bool = False
    """Whether it gives any number of them."""
    act: str = ""
    """The operation that it is another name of."""
    only: str = ""
    """The type of ticket that it is about; '': any."""


_CREATE = (
    "Short_Description! Last_Modifier! Last_Login! Date_Time_Of_Problem Description EMail Internal_Diary Loginname "
    "Name Origin_ID Priority Responsible_Unit Status Type_Of_Problem Origin_SG CarbonCopy Affected_Site Affected_VO "
    "Phone Related_Issue Public_Diary Experiment_Specific_Problem Involve User_Notification"
)
_CHILD = (
    "Responsible_Unit! Short_Description! Last_Modifier! Last_Login! Parent_ID! Parent_Child_Relation! "
    "Date_Time_Of_Problem Description EMail Internal_Diary Loginname Name Phone Priority Status Type_Of_Problem "
    "Affected_Site Affected_VO Origin_ID Origin_SG"
)
_MODIFY = (
    "Request_ID! Last_Modifier! Last_Login! Assign_To Experiment_Specific_Problem Internal_Diary Public_Diary Priority "
    "Responsible_Unit Detailed_Solution Status Type_Of_Problem Affected_Site Affected_VO Short_Description "
    "Ticket_Category Target_ID Incident_ID Related_Issue Involve CarbonCopy User_Notification"
)
_TICKET = (
    "Priority! Request_ID! Short_Description! Status! Type_Of_Problem! Ticket_Type! Description "
    "Experiment_Specific_Problem Internal_Diary Public_Diary Last_Modifier Responsible_Unit Detailed_Solution "
    "Affected_Site Affected_VO Product_Name Product_Version Date_Of_Change:dateTime Date_Of_Creation:dateTime EMail "
    "Loginname Name Phone Origin_SG ETA:dateTime Related_Issue Origin_ID User_Notification"
)
_QUERY = "Responsible_Unit Meta_Status Status Origin_ID Origin_SG"
_LISTED = (
    "Request_ID Name EMail Loginname Priority Detailed_Solution Short_Description Type_Of_Problem Status "
    "Responsible_Unit VO_Specific Description Last_Modifier Affected_Site Public_Diary Affected_VO Ticket_Type "
    "Product_Name Product_Version Create_Date:dateTime Modified_Date:dateTime Internal_Diary Origin_SG ETA:dateTime "
    "Related_Issue Origin_ID"
)
_HISTORY = (
    "Creation_Date:dateTime Responsible_Unit Status Last_Modifier Priority Detailed_Solution Assigned_To "
    "Diary_Of_Steps Description Internal_Diary Public_Diary Involve Type_Of_Problem VO VO_Specific Related_Issue "
    "Remind_On:dateTime Affected_Site Affected_VO"
)
_CREATE_KIND = (
    "Affected_VO{vo} Last_Login! Last_Modifier! Subject! Ticket_Type{kind} Affected_Site Carbon_Copy Cert_DN "
    "Date_Time_Prob Description E_Mail Submitter Internal_Diary Involve Priority ProblemType Public_Diary "
    "Responsible_Unit Status VO_Specific Phone Related_Issue Origin_ID Origin_SG User_Notification"
)
_MODIFY_KIND = _MODIFY.replace("Experiment_Specific_Problem", "VO_Specific").replace("CarbonCopy", "Carbon_Copy")
_HISTORY_KIND = (
    "Modified_Date:dateTime Responsible_Unit Status Last_Modifier Priority Solution Assigned_To Change_Diary "
    "Description Internal_Diary Public_Diary Involve Problem_Type VO_Specific Related_Issue Affected_Site Affected_VO"
)
_ID = _elements("GHD_", "Request_ID!")
_FILE_OF = _elements("GAT_", "Request_ID!")


_SELECT = (Element("Qualification"), Element("startRecord"), Element("maxLimit"))
"""How older clients ask for a list."""


def _both(name: str, other: str, takes: tuple[Element, ...], gives: tuple[Element, ...]) -> tuple[Operation, Operation]:
    """An operation by either of its names."""
    rows = name == "TicketGetList"
    first = Operation(name, Service.TICKETS, takes, gives, rows)
    return first, Operation(other, Service.TICKETS, takes, gives, rows, act=name)


def _of_kind(name: str) -> tuple[Operation, ...]:
    """The operations that are about OPS or TEAM tickets alone."""
    only, ops = name.upper(), "!" if name == "Ops" else ""
    create = _elements("GHD_", _CREATE_KIND.format(vo=ops, kind=ops))
    listed = (*_elements("GHD_", _QUERY), *_SELECT)
    gives = _elements("GHD_", _HISTORY_KIND)
    return (
        Operation(f"OpCreate{name}", Service.TICKETS, create, _ID, act="OpCreate", only=only),
        Operation(
            f"OpModify{name}", Service.TICKETS, _elements("GHD_", _MODIFY_KIND), _ID, act="TicketModify", only=only
        ),
        Operation(f"OpGet{name}", Service.TICKETS, _ID, _elements("GHD_", _TICKET), act="TicketGet", only=only),
        Operation(
            f"OpGetList{name}",
            Service.TICKETS,
            listed,
            _elements("GHD_", _LISTED),
            rows=True,
            act="TicketGetList",
            only=only,
        ),
        Operation(f"OpGet{name}TicketHist", Service.HISTORY, _ID, gives, rows=True, act="OpGetTicketHist", only=only),
    )


OPERATIONS: Mapping[str, Operation] = {
    each.name: each
    for each in (
        Operation("OpCreate", Service.TICKETS, _elements("GHD_", _CREATE), _ID),
        Operation(
            "TicketCreate",
            Service.TICKETS,
            _elements("GHD_", _CREATE.replace("EMail", "Submitter_Mail")),
            _elements("GHD_", "RequestID!"),
            act="OpCreate",
        ),
        Operation("OpCreateChild", Service.TICKETS, _elements("GHD_", _CHILD), _ID),
        *_both("TicketModify", "OpModify", _elements("GHD_", _MODIFY), _ID),
        *_both("TicketGet", "OpGet", _ID, _elements("GHD_", _TICKET)),
        *_both("TicketGetList", "OpGetList", (*_elements("GHD_", _QUERY), *_SELECT), _elements("GHD_", _LISTED)),
        Operation("OpGetTicketHist", Service.HISTORY, _ID, _elements("GHD_", _HISTORY), rows=True),
        *_of_kind("Ops"),
        *_of_kind("Team"),
        Operation(
            "AddAttachment",
            Service.FILES,
            _elements(
                "GAT_",
                "Attachment_Name! Attachment_Data:base64Binary! Attachment_Orig_Size:int! Request_ID! Last_Modifier! "
                "Last_Login! Origin_SG",
            ),
            _elements("GAT_", "Attachment_ID!"),
        ),
        Operation(
            "GetAttachments",
            Service.FILES,
            _FILE_OF,
            _elements(
                "GAT_",
                "Last_Modifier Attachment_ID Attachment_Orig_Size:int Attachment_Data:base64Binary Attachment_Name",
            ),
            rows=True,
        ),
        Operation(
            "GetAttachIDs",
            Service.FILES,
            _FILE_OF,
            _elements("GAT_", "AttachmentID Create_Date:dateTime Last_Modifier Origin_SG attachmentName"),
            rows=True,
        ),
        Operation(
            "GetOneAttachment",
            Service.FILES,
            _elements("GAT_", "Attachment_ID!"),
            _elements(
                "GAT_",
                "Create_Date:dateTime RequestID Origin_SG attachmentName attachmentData:base64Binary "
                "attachmentOrigSize:int",
            ),
        ),
    )
}
"""Every operation by its name, those by a second name included."""

SPELLINGS: Mapping[str, str] = {
    **dict.fromkeys(("GHD_E-Mail", "GHD_E_Mail", "GHD_Submitter_Mail"), "GHD_EMail"),
    "GHD_Cert_DN": "GHD_Loginname",
    "GHD_Submitter": "GHD_Name",
    "GHD_Subject": "GHD_Short_Description",
    "GHD_Date_Time_Prob": "GHD_Date_Time_Of_Problem",
    "GHD_VO_Specific": "GHD_Experiment_Specific_Problem",
    "GHD_ProblemType": "GHD_Type_Of_Problem",
    "GHD_Carbon_Copy": "GHD_CarbonCopy",
    "GHD_Assigned_To": "GHD_Assign_To",
    "GHD_RequestID": "GHD_Request_ID",
    "GAT_RequestID": "GAT_Request_ID",
    "GAT_AttachmentID": "GAT_Attachment_ID",
    "GAT_attachmentName": "GAT_Attachment_Name",
    "GAT_attachmentOrigSize": "GAT_Attachment_Orig_Size",
}
"""What a field is called by one service or time -> what we call it. All are understood in every call."""
