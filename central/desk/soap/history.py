"""What happened to a ticket, as the classic history service has it: a record for each act, with the values after it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from central.desk.soap.envelope import Said
from central.desk.soap.fields import Around, called, theirs_of
from central.events import Event, Kind
from central.model import SUPPORTERS_ONLY, Attachment, Comment, Person, Ticket, Value, Visibility
from central.store.api import Transaction

_TOLD = {
    "GHD_Responsible_Unit": "unit",
    "GHD_Status": "status",
    "GHD_Priority": "priority",
    "GHD_Detailed_Solution": "solution",
    "GHD_Solution": "solution",
    "GHD_Assigned_To": "assigned_to",
    "GHD_Involve": "involve",
    "GHD_Type_Of_Problem": "problem_type",
    "GHD_Problem_Type": "problem_type",
    "GHD_VO": "affected_vo",
    "GHD_VO_Specific": "vo_specific",
    "GHD_Related_Issue": "related_issue",
    "GHD_Affected_Site": "affected_site",
    "GHD_Affected_VO": "affected_vo",
}
"""A record's element -> our field."""
_KINDS = frozenset({Kind.TICKET_CREATED, Kind.FIELD_CHANGED, Kind.COMMENT_ADDED})


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file, and who hung it there."""

    file: Attachment
    author: str
    origin: str


def around(tx: Transaction, ticket: Ticket, internal: bool, born_in: str) -> Around:
    """What is told of a ticket beside its fields; of its internal diary, to whoever may read that.

    `born_in`: the system that it was born in, as far as that may be named."""
    comments = tx.tickets.comments(ticket.id)
    last = tx.tickets.events(ticket.id, last=1)
    origins = tx.origins.of(ticket.id)
    origin = origins[0] if origins else None
    shown = [each for each in comments if internal or each.visibility is Visibility.PUBLIC]
    return Around(
        modifier=_modifier(last, shown, ticket),
        public=_latest(shown, Visibility.PUBLIC),
        internal=_latest(shown, Visibility.INTERNAL),
        name=origin.submitter_name if origin else "",
        login=origin.submitter_login if origin else "",
        origin_system=origin.system if origin else born_in,
        origin_id=next((each.id for each in origins if each.id), ""),
    )


def _modifier(last: Sequence[Event], shown: Sequence[Comment], ticket: Ticket) -> Person:
    """Whoever did the last thing that may be told of."""
    for event in last:
        comment = event.data.get("comment")
        if comment is None or any(each.id == comment for each in shown):
            return event.actor
    return shown[-1].author if shown else Person(id=str(ticket["submitter"] or ""))


def _latest(comments: Sequence[Comment], visibility: Visibility) -> str | None:
    for each in reversed(comments):
        if each.visibility is visibility and each.deleted_at is None:
            return _text(each)
    return None


def records(tx: Transaction, ticket: Ticket, internal: bool) -> list[Mapping[str, Said]]:
    """Every record, oldest first. A deleted entry keeps its record, without its text, so that none changes place."""
    comments = {each.id: each for each in tx.tickets.comments(ticket.id)}
    acts = _acts([event for event in tx.tickets.events(ticket.id) if event.kind in _KINDS])
    values = dict(ticket.fields)
    found: list[Mapping[str, Said]] = []
    for act in reversed(acts):
        record = _record(act, values, comments, internal=internal)
        if record is not None:
            found.append(record)
        for event in reversed(act):
            if event.kind is Kind.FIELD_CHANGED and event.field is not None:
                values[event.field] = _value(event.data.get("from"))
    return found[::-1]


def _acts(events: Sequence[Event]) -> list[list[Event]]:
    """Fields that somebody set at once are one act; each entry of a diary is one of its own."""
    acts: list[list[Event]] = []
    for event in events:
        alike = acts and acts[-1][-1].kind is event.kind is Kind.FIELD_CHANGED
        if alike and (acts[-1][-1].at, acts[-1][0].system) == (event.at, event.system):
            acts[-1].append(event)
        else:
            acts.append([event])
    return acts


def _record(
    act: Sequence[Event], values: Mapping[str, Value], comments: Mapping[int, Comment], *, internal: bool
) -> dict[str, Said] | None:
    """One record; None: it tells of something that is not for this reader."""
    event = act[0]
    unread = frozenset[str]() if internal else SUPPORTERS_ONLY
    if event.field in unread and all(each.field in unread for each in act):
        return None
    shown = {theirs: ours for theirs, ours in _TOLD.items() if ours not in unread}
    told: dict[str, Said] = {theirs: theirs_of(values.get(ours)) for theirs, ours in shown.items()}
    told |= {"GHD_Creation_Date": event.at, "GHD_Modified_Date": event.at, "GHD_Last_Modifier": called(event.actor)}
    if event.kind is Kind.TICKET_CREATED:
        told["GHD_Description"] = theirs_of(values.get("description"))
    if event.kind is Kind.COMMENT_ADDED:
        comment = comments.get(int(event.data.get("comment", 0)))
        if comment is None or (comment.visibility is Visibility.INTERNAL and not internal):
            return None
        diary = "GHD_Internal_Diary" if comment.visibility is Visibility.INTERNAL else "GHD_Public_Diary"
        told[diary] = None if comment.deleted_at else _text(comment)
        told["GHD_Last_Modifier"] = called(comment.author)
    return told


def files(tx: Transaction, ticket: Ticket, internal: bool, sees: Callable[[str | None], bool]) -> list[FileShown]:
    """The files of a ticket that may be shown, in order of arrival; `sees`: which systems may be named."""
    comments = {each.id: each for each in tx.tickets.comments(ticket.id)}
    added = {event.data.get("file"): event for event in tx.tickets.events(ticket.id) if event.kind is Kind.FILE_ADDED}
    found = []
    for file in tx.tickets.files(ticket.id):
        comment = comments.get(file.comment_id or 0)
        if (file.visibility is Visibility.INTERNAL and not internal) or (comment and comment.deleted_at):
            continue
        event = added.get(file.id)
        author = comment.author if comment else event.actor if event else None
        origin = str(event.data.get("origin", "")) if event else ""
        submitter = str(ticket["submitter"] or "")
        system = file.origin_system if sees(file.origin_system) else None
        found.append(FileShown(file, called(author) if author else submitter, origin or system or ""))
    return found


def _text(comment: Comment) -> str:
    return comment.text or (f"[{comment.gap}]" if comment.gap else "")


def _value(data: object) -> Value:
    return tuple(map(str, data)) if isinstance(data, list) else data  # type: ignore[return-value]
