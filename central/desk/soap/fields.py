"""Between the classic interface's names for a ticket and ours. Pure."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from central.desk.soap.envelope import Said, missing, misunderstood, too_long
from central.desk.soap.vocabulary import OPERATIONS, SPELLINGS, Operation
from central.model import FIELDS, SYSTEM, Person, Priority, Ticket, Value

FIELD_OF: Mapping[str, str] = {
    "GHD_Short_Description": "subject",
    "GHD_Description": "description",
    "GHD_Status": "status",
    "GHD_Priority": "priority",
    "GHD_Responsible_Unit": "unit",
    "GHD_Assign_To": "assigned_to",
    "GHD_EMail": "submitter",
    "GHD_Type_Of_Problem": "problem_type",
    "GHD_Ticket_Type": "ticket_type",
    "GHD_Ticket_Category": "category",
    "GHD_Affected_Site": "affected_site",
    "GHD_Affected_VO": "affected_vo",
    "GHD_Experiment_Specific_Problem": "vo_specific",
    "GHD_Date_Time_Of_Problem": "problem_at",
    "GHD_Detailed_Solution": "solution",
    "GHD_Involve": "involve",
    "GHD_CarbonCopy": "cc",
    "GHD_Related_Issue": "related_issue",
    "GHD_Phone": "phone",
    "GHD_User_Notification": "notification",
    "GHD_ETA": "eta",
}
"""Their field -> ours."""
_KEPT_ASIDE = frozenset(
    {"Last_Modifier", "Last_Login", "Public_Diary", "Internal_Diary", "Request_ID", "Loginname", "Name"}
    | {"Origin_ID", "Origin_SG", "Target_ID", "Incident_ID", "Parent_ID", "Parent_Child_Relation", "Meta_Status"}
)
"""Without their prefix: what a call may bear that is no field of a ticket."""
_ASKED_BY = frozenset(f"GHD_{name}" for name in ("Responsible_Unit", "Status", "Meta_Status", "Origin_ID", "Origin_SG"))
_MORE_WORDS: Mapping[str, str] = {"normal": Priority.LESS_URGENT}
"""Words of theirs that we have none of our own for."""
_WHEN = "%Y-%m-%d %H:%M:%S"
_LONGEST_NUMBER = 15


def canonical(operation: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
    """The call's body in one spelling.

    :raises Fault: something in it is unknown, is there twice, or is required and missing."""
    found: dict[str, Any] = {}
    for said, value in body.items():
        name = SPELLINGS.get(said, said)
        if name in found or isinstance(value, list):
            raise misunderstood(f"{operation.name} has {name} more than once")
        if isinstance(value, Mapping):
            raise misunderstood(f"{name} is a text, and has elements inside")
        found[name] = value
    taken = {SPELLINGS.get(each.name, each.name) for each in operation.takes}
    if {"GHD_Last_Modifier"} & taken:  # a call that writes a ticket may write all of it, whatever GGUS had there
        taken |= FIELD_OF.keys() | {f"GHD_{name}" for name in _KEPT_ASIDE}
    for name in found.keys() - taken:
        near = difflib.get_close_matches(name, taken, n=1)
        raise misunderstood(f"{operation.name} knows no {name}" + (f"; did you mean {near[0]}?" if near else ""))
    for each in operation.takes:
        name = SPELLINGS.get(each.name, each.name)
        if each.required and not str(found.get(name) or "").strip() and each.kind != "base64Binary":
            raise missing(each.name)
    return found


def operation_named(name: str) -> Operation:
    """:raises Fault: there is none."""
    if name not in OPERATIONS:
        near = difflib.get_close_matches(name, OPERATIONS, n=1)
        raise misunderstood(f"there is no operation {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return OPERATIONS[name]


def number(text: Any) -> int | None:
    """A ticket's or file's number; None: it is none."""
    digits = str(text or "").strip().lstrip("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER else None


def fields(body: Mapping[str, Any]) -> dict[str, Value]:
    """What a call sets, in our words: sparse; what is empty is cleared.  :raises Fault: a value is none of ours."""
    return {FIELD_OF[name]: _ours(name, FIELD_OF[name], said) for name, said in body.items() if name in FIELD_OF}


def _ours(theirs: str, ours: str, said: Any) -> Value:
    spec = FIELDS[ours]
    text = str(said or "").strip()
    if spec.kind == "set":
        return tuple(each.strip() for each in text.split(";") if each.strip()) or None
    if not text:
        if spec.values or spec.required:
            raise missing(theirs)
        return None
    if spec.kind == "moment":
        return _moment(theirs, text)
    if spec.values:
        words = {**_MORE_WORDS, **{value.casefold(): str(value) for value in spec.values}}
        if text.casefold() not in words:
            raise too_long(f"{theirs} is one of {', '.join(spec.values)}, not {text[:80]!r}")
        return words[text.casefold()]
    if spec.max_length and len(text) > spec.max_length:
        raise too_long(f"{theirs} is {len(text)} characters long; at most {spec.max_length} fit")
    return text if spec.max_length else str(said)


def _moment(name: str, text: str) -> str:
    try:
        when = datetime.fromisoformat(text.replace(" ", "T", 1))
    except ValueError:
        raise too_long(f"{name} is a time such as 2026-03-01 14:30:00, not {text[:80]!r}") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Around:
    """What is told of a ticket beside its fields."""

    modifier: Person
    public: str | None
    internal: str | None
    """The last entry of each diary, as far as the caller may read it."""
    name: str
    """Whoever submitted it, in words."""
    login: str = ""
    origin_system: str = ""
    origin_id: str = ""


def whole(ticket: Ticket, around: Around) -> dict[str, Said]:
    """Everything that is told of a ticket, by every name it goes by in an answer."""
    told: dict[str, Said] = {theirs: theirs_of(ticket[ours]) for theirs, ours in FIELD_OF.items()}
    eta, problem_at = (_when(ticket[name]) for name in ("eta", "problem_at"))
    submitter = str(ticket["submitter"] or "")
    return told | {
        "GHD_ETA": eta,
        "GHD_Date_Time_Of_Problem": problem_at.astimezone(UTC).strftime(_WHEN) if problem_at else None,
        "GHD_Request_ID": str(ticket.id),
        "GHD_EMail": submitter if "@" in submitter else None,
        "GHD_Name": around.name or submitter,
        "GHD_Loginname": around.login or None,
        "GHD_VO_Specific": told["GHD_Experiment_Specific_Problem"],
        "GHD_Public_Diary": around.public,
        "GHD_Internal_Diary": around.internal,
        "GHD_Last_Modifier": called(around.modifier),
        "GHD_Origin_SG": around.origin_system or None,
        "GHD_Origin_ID": around.origin_id or None,
        "GHD_Date_Of_Creation": ticket.created_at,
        "GHD_Create_Date": ticket.created_at,
        "GHD_Date_Of_Change": ticket.changed_at,
        "GHD_Modified_Date": ticket.changed_at,
    }


def picked(operation: Operation, told: Mapping[str, Said]) -> dict[str, Said]:
    """What an answer of this operation has of it, in its order."""
    return {each.name: told.get(each.name) for each in operation.gives}


def theirs_of(value: Value) -> str | None:
    """A value as the interface writes it; None where there is none."""
    if isinstance(value, tuple | list):
        return "; ".join(map(str, value)) or None
    return str(value) if value not in (None, "") else None


def _when(value: Value) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(value or ""))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def called(person: Person) -> str:
    """Whoever did something, in a name that no client of ours signs with: what we do ourselves is nobody's echo."""
    return "workflow" if person == SYSTEM else person.label


def conditions(text: str) -> Iterator[tuple[str, str]]:
    """The conditions of an AR qualification, as far as they are understood: 'Field' = "value", joined by AND.

    :raises Fault: it says anything else."""
    for part in text.split(" AND ") if text.strip() else ():
        name, equals, value = part.strip().partition("=")
        name, value = name.strip().strip("'"), value.strip()
        if not equals or len(value) < 2 or value[0] != '"' or value[-1] != '"' or '"' in value[1:-1]:
            raise misunderstood(f"this part of the qualification is not 'Field' = \"value\": {part.strip()[:80]!r}")
        if SPELLINGS.get(name, name) not in _ASKED_BY:
            raise misunderstood(f"a list is asked for by {', '.join(sorted(_ASKED_BY))}, not by {name[:80]!r}")
        yield SPELLINGS.get(name, name), value[1:-1]
