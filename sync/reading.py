"""One reading of a remote ticket, and what it proves: when it was asked for, and whether history came with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from central.delivery import Lease
from connectors.api import Capabilities, RemoteComment, RemoteTicket, VersionStrength
from sync.echo import Entry, Mark
from sync.gateway import Gateway
from sync.means import Means
from sync.past import Past

LONGEST_REQUEST = timedelta(seconds=10)
"""What a tracker sets by itself within this of our comment's arrival is taken for the comment's doing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A state of the ticket there. `asked_at` is our clock before the request; None: it is the state we hold."""

    ticket: RemoteTicket
    asked_at: datetime | None
    history: tuple[Entry, ...] | None
    """Their history, oldest first; None: it was not read."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Their public comments; internal ones do not exist for us."""
        return tuple(
            Mark(c.id, c.token, c.own, c.text, c.created_at) for c in self.ticket.comments or () if not c.internal
        )

    @property
    def shown(self) -> Mapping[str, RemoteComment] | None:
        """Every comment that is there now, known ones too; None: not all were read."""
        if self.ticket.known_comments is None or self.ticket.comments is None:
            return None
        return {each.id: each for each in (*self.ticket.comments, *self.ticket.known_comments)}

    @property
    def history_seen(self) -> str | None:
        """The newest entry read: '' for an empty history, None for one that was not read."""
        if self.history is None:
            return None
        return self.history[-1].id if self.history else ""


def read(means: Means, gateway: Gateway, past: Past, *, conversation: bool, lease: Lease | None) -> Reading:
    """Ask for the ticket, with its conversation or for its fields only. `lease` of None: nobody works on it.

    :raises NotFound: it is gone there."""
    if lease is not None:
        means.ensure_time(lease)
    asked_at = means.clock()
    known = past.known if conversation else None
    return reading(gateway, gateway.connector.fetch(past.link.key or "", known=known), asked_at)


def reading(gateway: Gateway, ticket: RemoteTicket, asked_at: datetime | None) -> Reading:
    """A ticket as some answer showed it."""
    shown = asked_at is not None and _shows_history(gateway.connector.capabilities, ticket)
    entries = tuple(Entry(h.id, h.field, h.old, h.new, h.own, h.at) for h in ticket.history)
    return Reading(ticket, asked_at, entries if shown else None)


def _shows_history(capabilities: Capabilities, ticket: RemoteTicket) -> bool:
    return capabilities.history and (ticket.comments is not None or not capabilities.preconditions)


def held(past: Past, capabilities: Capabilities) -> Reading | None:
    """The state we hold, where the server guards it by a precondition and answers a write with the new one.

    Never while an intent is open: what became of it must be read."""
    guarded = capabilities.preconditions and capabilities.complete_answers
    strong = capabilities.version is VersionStrength.STRONG
    if not guarded or not strong or not past.link.version or past.link.intents:
        return None
    return remembered(past)


def remembered(past: Past) -> Reading:
    """The state we hold, for decisions that write nothing there."""
    link = past.link
    return Reading(RemoteTicket(link.key or "", link.version, link.seen, None, address=link.address), None, None)


def row_version(ticket: RemoteTicket) -> str:
    """The version that a list row of this state would show."""
    return ticket.version if ticket.row_version is None else ticket.row_version


def racy_window(gateway: Gateway, ticket: RemoteTicket) -> timedelta | None:
    """How long this state's row version may hide a second change; None: not at all."""
    capabilities = gateway.connector.capabilities
    if capabilities.row_version is VersionStrength.STRONG:
        return None
    window = capabilities.granularity + capabilities.search_lag
    if ticket.read_at is not None and ticket.changed_at is not None and ticket.read_at - ticket.changed_at > window:
        return None
    return window


def gone_by_value(gateway: Gateway, ticket: RemoteTicket) -> str:
    """Why their fields mean that the ticket is gone; '' when they do not."""
    for name, values in gateway.mapping.lost_when.items():
        if ticket.fields.get(name) in values:
            return f"its {name} is {ticket.fields[name]!r}"
    return ""
