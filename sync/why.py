"""Why a field has its value: read off the ticket's history, its links and the edits that lost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from central.events import Event, Kind
from central.link import Link, LinkState
from central.model import DEFAULTS, FIELDS, Conflict, Person, Ticket, Value, plain
from mappings.loader import suggestion

_OUTWARD = frozenset({Kind.WRITTEN, Kind.WRITE_REFUSED})


class NoField(LookupError):
    """There is no such field. The sentence names the nearest."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who set a value, where and when, and what carried it here."""

    value: Any
    who: Person | None
    """None: nobody; it is what a new ticket begins with."""
    system: str | None
    """None: at the centre."""
    at: datetime
    because: str
    """The rule of which mapping revision, the policy or the workflow; '' where a person at the centre simply set it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that interdesk did, or left, about the field in one system, with its evidence."""

    at: datetime
    what: Kind
    data: Mapping[str, Any]
    because: str


@dataclass(frozen=True, slots=True)
class There:
    """The field in one linked system."""

    system: str
    key: str | None
    state: LinkState
    theirs: Value
    """Their value as last read or agreed; None where the mapping does not carry the field."""
    carried: bool
    """Both sides have agreed on this field at least once."""
    disagreement: str
    """Why it cannot agree now; '' when it does."""
    written: tuple[Deed, ...]
    """Our writes and refusals, latest first."""
    echoes: tuple[Deed, ...]
    """Our own writes that were seen coming back and dropped, latest first."""


@dataclass(frozen=True, slots=True)
class Why:
    """The whole answer about one field."""

    ticket_id: int
    field: str
    value: Value
    origin: Origin
    earlier: tuple[Origin, ...]
    """What it was before, latest first."""
    lost: tuple[Conflict, ...]
    """Edits that did not stand, latest first."""
    there: tuple[There, ...]


def explain(
    ticket: Ticket, field: str, events: Sequence[Event], links: Sequence[Link], conflicts: Sequence[Conflict]
) -> Why:
    """Why this field of this ticket has its value. `events` is the ticket's history, oldest first. Fulfils
    `central.desk.services.reasons.Reasons`.

    :raises NoField: there is none of this name."""
    if field not in FIELDS:
        raise NoField(f"there is no field {field!r}{suggestion(field, FIELDS)}")
    changes = [event for event in events if event.kind is Kind.FIELD_CHANGED and event.field == field]
    first = changes[0].data.get("from") if changes else plain(ticket[field])
    origins = [_beginning(ticket, field, events, links, first)]
    origins += [Origin(each.data.get("to"), each.actor, each.system, each.at, each.why) for each in changes]
    latest = origins[::-1]
    return Why(
        ticket_id=ticket.id,
        field=field,
        value=ticket[field],
        origin=latest[0],
        earlier=tuple(latest[1:]),
        lost=tuple(conflict for conflict in reversed(conflicts) if conflict.field == field),
        there=tuple(_there(link, field, events) for link in links if link.state is not LinkState.DUPLICATE),
    )


def _beginning(ticket: Ticket, field: str, events: Sequence[Event], links: Sequence[Link], first: Any) -> Origin:
    """What the field held when the ticket was made, and who said so."""
    created = next((event for event in events if event.kind is Kind.TICKET_CREATED), None)
    given = created is not None and field in created.data.get("fields", ())
    if given and first == plain(DEFAULTS.get(field)):
        # a birth lists the defaults too: only what its mapping carried was said by somebody there
        given = any(link.birth and field in link.base for link in links)
    if created is None or not given:
        return Origin(first, None, None, ticket.created_at, "what a new ticket begins with")
    return Origin(first, created.actor, created.system, created.at, created.why)


def _there(link: Link, field: str, events: Sequence[Event]) -> There:
    own = [event for event in reversed(events) if event.system == link.system and event.field == field]
    pair = link.base.get(field)
    return There(
        system=link.system,
        key=link.key,
        state=link.state,
        theirs=pair.theirs if pair else None,
        carried=pair is not None,
        disagreement=link.disagreements.get(field, ""),
        written=tuple(_deed(event) for event in own if event.kind in _OUTWARD),
        echoes=tuple(_deed(event) for event in own if event.kind is Kind.ECHO_DROPPED),
    )


def _deed(event: Event) -> Deed:
    return Deed(event.at, event.kind, event.data, event.why)


def as_data(why: Why) -> dict[str, Any]:
    """The answer as plain data; of people, what they are called, and no address."""
    data = asdict(why)
    for origin in (data["origin"], *data["earlier"]):
        origin["who"] = origin["who"] and Person(**origin["who"]).label.partition("@")[0]
    for lost in data["lost"]:
        lost["author"] = lost["author"].partition("@")[0]
    return data


def told(why: Why) -> list[str]:
    """The answer in sentences, for people."""
    said = [f"ticket {why.ticket_id}, {why.field}: {_shown(plain(why.value))}", f"  {_of(why.origin)}"]
    if why.earlier:
        said += ["before that"] + [f"  {_shown(each.value)}: {_of(each)}" for each in why.earlier]
    for lost in why.lost:
        ours, theirs = _shown(plain(lost.ours)), _shown(plain(lost.theirs))
        said.append(f"lost at {_moment(lost.at)}: ours {ours}, theirs {theirs} in {lost.system}")
        said.append(f"  {lost.winner} stands: {lost.reason}")
    for there in why.there:
        said += _in_system(there)
    return said if why.there else [*said, "not linked to any system"]


def _of(origin: Origin) -> str:
    if origin.who is None:
        return f"set by nobody: {origin.because}"
    where = f"in {origin.system}" if origin.system else "at the centre"
    return f"set by {origin.who.label} {where}, {_moment(origin.at)}{f': {origin.because}' if origin.because else ''}"


def _in_system(there: There) -> list[str]:
    if not there.carried and not there.disagreement:
        return [f"in {there.system}/{there.key or '…'} ({there.state}): not carried by its mapping"]
    said = [f"in {there.system}/{there.key or '…'} ({there.state}): {_shown(plain(there.theirs))} last agreed on"]
    if there.disagreement:
        said.append(f"  standing disagreement: {there.disagreement}")
    for deed in there.written:
        value = deed.data.get("theirs") if deed.what is Kind.WRITTEN else deed.data.get("wanted")
        said.append(f"  {deed.what} at {_moment(deed.at)}: {_shown(value)}; {deed.because}")
    for deed in there.echoes:
        said.append(f"  echo dropped at {_moment(deed.at)}: {_shown(deed.data.get('theirs'))}; {deed.because}")
    return said


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else repr(value)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
