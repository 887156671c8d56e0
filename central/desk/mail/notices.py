"""Who is told what by mail. Pure: the same act gives the same notices, at every attempt.

Who submitted a ticket is told what a submitter waits for, everything that is public, or nothing, as the ticket's
notification mode says; CC is told everything that is public; those involved, the
person in charge and the unit are told everything. What is internal never goes to a submitter or to CC, whatever else
they are. Whoever did it is not told of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from central.events import Event, Kind
from central.model import FIELDS, SYSTEM, Attachment, Comment, Notification, Ticket, Visibility
from central.workflow import Status

_KINDS = frozenset({Kind.TICKET_CREATED, Kind.FIELD_CHANGED, Kind.COMMENT_ADDED, Kind.FILE_ADDED})
_WAITED_FOR = frozenset({Status.SOLVED, Status.UNSOLVED, Status.WAITING_FOR_REPLY})
"""The statuses that a submitter is told of."""
_PEOPLE = frozenset({"phone", *(name for name, spec in FIELDS.items() if spec.kind in ("person", "set"))})
"""Fields that tell of people: for those who work on the ticket."""
_UNTOLD = "notification"
"""A field of which nobody is told: it is between its ticket's submitter and us."""
_APART = frozenset({"solution", "description"})
"""Fields whose text stands by itself."""
_TRAILER = {
    "STATUS": "status",
    "RESPONSIBLE UNIT": "unit",
    "CONCERNED VO": "affected_vo",
    "NOTIFIED SITE": "affected_site",
}
"""The lines that machines read at the end of each mail, and the field of each."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """How this centre writes."""

    centre: str
    divider: str
    """The line above which people answer."""
    opens: str = ""
    """Where a ticket opens, with {id} in it."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Support unit -> its address."""
    never: frozenset[str] = frozenset()
    """Addresses that are never written to: our own."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done at once, by one transaction."""

    events: tuple[Event, ...]

    @property
    def id(self) -> int:
        """Of its first event: it never changes."""
        return self.events[0].id

    @property
    def last(self) -> int:
        """Of its last event."""
        return self.events[-1].id

    @property
    def by(self) -> Event:
        """The event that tells who did it: what central adds by itself comes after it."""
        return next((each for each in self.events if each.actor != SYSTEM), self.events[0])


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to one person."""

    to: str
    subject: str
    text: str
    internal: bool
    """It holds something internal: so will whatever answers it."""


def acts(events: Iterable[Event]) -> list[Act]:
    """What there is to be told of, oldest first."""
    found: list[list[Event]] = []
    for event in events:
        if event.kind not in _KINDS or event.field == _UNTOLD:
            continue
        if found and found[-1][-1].at == event.at:
            found[-1].append(event)
        else:
            found.append([event])
    return [Act(tuple(each)) for each in found]


def notices(
    head: Letterhead, ticket: Ticket, act: Act, comments: Sequence[Comment], files: Sequence[Attachment]
) -> list[Notice]:
    """The mails that this act is told by, each address once."""
    said = {comment.id: comment for comment in comments}
    by = act.by.actor.email.casefold()
    created = any(event.kind is Kind.TICKET_CREATED for event in act.events)
    submitter, public = _addresses(ticket["submitter"]), _addresses(ticket["cc"])
    working = [*_addresses(ticket["involve"]), *_addresses(ticket["assigned_to"])]
    working += _addresses(head.units.get(str(ticket["unit"]), ""))
    found: dict[str, Notice] = {}
    mode = Notification(str(ticket["notification"] or Notification.ON_SOLUTION))
    for readers, sees in ((submitter, _SUBMITTER[mode]), (public, _public_sees), (working, _all_see)):
        for address in readers:
            folded = address.casefold()
            own = folded == by and not (created and readers is submitter)
            if folded in found or folded in head.never or own:
                continue
            shown = [event for event in act.events if sees(event, said)]
            text = "\n\n".join(_told(shown, ticket, said, files, everything=sees is _all_see))
            if not text:
                found.setdefault(folded, _NOTHING)  # a submitter that is involved too is told no more for it
                continue
            internal = any(_is_internal(event, said) for event in shown)
            found[folded] = Notice(
                address, _subject(head, ticket, act), _whole(head, ticket, act, text, internal=internal), internal
            )
    return [each for each in found.values() if each is not _NOTHING]


_NOTHING = Notice("", "", "", internal=False)


def _submitter_sees(event: Event, said: Mapping[int, Comment]) -> bool:
    if event.kind is Kind.FIELD_CHANGED:
        return event.field == "solution" or (event.field == "status" and event.data.get("to") in _WAITED_FOR)
    return _public_sees(event, said)


def _public_sees(event: Event, said: Mapping[int, Comment]) -> bool:
    return not _is_internal(event, said) and event.field not in _PEOPLE


def _all_see(event: Event, said: Mapping[int, Comment]) -> bool:  # noqa: ARG001 (the same words as the others)
    return True


def _none_sees(event: Event, said: Mapping[int, Comment]) -> bool:  # noqa: ARG001
    return False


_SUBMITTER = {
    Notification.ON_SOLUTION: _submitter_sees,
    Notification.ON_EVERY_CHANGE: _public_sees,
    Notification.NEVER: _none_sees,
}
"""What a submitter is told, by the notification mode of their ticket."""


def _is_internal(event: Event, said: Mapping[int, Comment]) -> bool:
    """Whether it tells of something internal, or of something that is not there any more."""
    if event.kind is not Kind.COMMENT_ADDED:
        return False
    comment = said.get(int(event.data.get("comment", 0)))
    return comment is None or comment.visibility is not Visibility.PUBLIC


def _told(
    events: Sequence[Event],
    ticket: Ticket,
    said: Mapping[int, Comment],
    files: Sequence[Attachment],
    *,
    everything: bool,
) -> Iterator[str]:
    """What happened, a paragraph each. What is internal is in it only where `everything` is for this reader."""
    changed = []
    for event in events:
        match event.kind:
            case Kind.TICKET_CREATED:
                yield str(ticket["description"] or ticket["subject"] or "")
            case Kind.COMMENT_ADDED:
                comment = said.get(int(event.data.get("comment", 0)))
                if comment is None or comment.deleted_at is not None:
                    continue
                internal = comment.visibility is Visibility.INTERNAL
                if internal and not everything:
                    continue
                names = ", ".join(each.name for each in files if each.comment_id == comment.id)
                body = comment.text or f"[{comment.gap}]"
                yield ("[internal] " if internal else "") + body + (f"\n[attached: {names}]" if names else "")
            case Kind.FILE_ADDED:
                yield f"[attached: {event.data.get('name', 'a file')}]"
            case _:
                changed.append(event)
    lines = [_line(event) for event in changed if event.field not in _APART]
    if lines:
        yield "\n".join(lines)
    for event in changed:
        if event.field in _APART and event.data.get("to"):
            yield f"{FIELDS[event.field or ''].label}:\n{event.data['to']}"


def _line(event: Event) -> str:
    spec = FIELDS.get(event.field or "")
    return f"{spec.label if spec else event.field}: {_value(event.data.get('from'))} -> {_value(event.data.get('to'))}"


def _value(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else "-" if value is None else str(value)


def _subject(head: Letterhead, ticket: Ticket, act: Act) -> str:
    """In the form that people and machines know: what it is about, what happened, what the ticket is called."""
    kinds = {event.kind for event in act.events}
    became = {event.field: event.data.get("to") for event in act.events if event.kind is Kind.FIELD_CHANGED}
    if Kind.TICKET_CREATED in kinds:
        word = "SUBMITTED"
    elif became.get("status") in (Status.SOLVED, Status.UNSOLVED):
        word = str(became["status"]).upper()
    else:
        word = "ASSIGNED" if "unit" in became else "UPDATE"
    return f"{head.centre}-Ticket-ID: #{ticket.id} {word} {ticket['subject'] or ''}".strip()


def _whole(head: Letterhead, ticket: Ticket, act: Act, text: str, *, internal: bool) -> str:
    who = act.by.actor.label if act.by.actor != SYSTEM else head.centre
    opened = act.events[0].kind is Kind.TICKET_CREATED
    lines = [head.divider, "", f"{who} {'opened this ticket' if opened else 'wrote'}:", "", text, "", "-- "]
    if internal:
        lines.append("This mail holds internal notes: do not pass it on. What you answer stays internal, too.")
    if head.opens:
        lines.append(head.opens.replace("{id}", str(ticket.id)))
    lines += [f"{word}: {_value(ticket[name] or 'none')}" for word, name in _TRAILER.items()]
    return "\n".join(lines) + "\n"


def _addresses(value: object) -> list[str]:
    said = value if isinstance(value, tuple) else str(value or "").replace(",", ";").split(";")
    return [each.strip() for each in said if "@" in each and " " not in each.strip()]
