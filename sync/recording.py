"""What becomes history of a step: the events that tell of it, who did it, and the edits that lost."""

from datetime import datetime

from central.events import Event, Kind
from central.model import SYSTEM, Conflict, Person
from central.store.api import Transaction
from mappings import model as mapping_model
from sync import merging
from sync.gateway import Gateway
from sync.guards import pingpong
from sync.past import Past
from sync.plan import Loser, Step, Verdict
from sync.reading import Reading


def person(someone: object, system: str) -> Person:
    """Somebody there, as central names them."""
    key, name, email = (str(getattr(someone, part, "") or "") for part in ("key", "name", "email"))
    return Person(id=key or name or "somebody", name=name or key, email=email, system=system)


def because(step: Step, mapping: mapping_model.Mapping) -> str:
    """Which rule of which mapping revision carried it, and why."""
    field = mapping.fields[step.name]
    return f"{step.why}; rule {mapping.name}.{step.name} (revision {mapping.revision}) at {field.at}"


def events_of(step: Step, past: Past, gateway: Gateway, theirs: Reading, at: datetime) -> list[Event]:
    """The events of one step; none where it says nothing new."""
    if step.verdict is Verdict.INWARD:
        data = {"from": step.ours, "to": step.become, "theirs": step.theirs}
        if pingpong.reflex(theirs.history or (), gateway.mapping.fields[step.name].remote):
            data["reflex"] = True
        who = _author(step, gateway, theirs)
        return [
            Event(
                Kind.FIELD_CHANGED,
                past.ticket.id,
                at,
                who,
                system=gateway.system,
                field=step.name,
                data=data,
                why=because(step, gateway.mapping),
            )
        ]
    base = past.link.base.get(step.name)
    if _changes_nothing(step, gateway) and not step.landed and base is not None and base.theirs != step.theirs:
        data = {"theirs": step.theirs, "ours": step.ours}
        return [
            Event(
                Kind.FIELD_AGREED,
                past.ticket.id,
                at,
                _author(step, gateway, theirs),
                system=gateway.system,
                field=step.name,
                data=data,
                why=because(step, gateway.mapping),
            )
        ]
    if step.landed and past.link.base.get(step.name) != step.base:
        data = {"theirs": step.theirs, "ours": step.ours}
        return [
            Event(
                Kind.ECHO_DROPPED,
                past.ticket.id,
                at,
                SYSTEM,
                system=gateway.system,
                field=step.name,
                data=data,
                why="their value is the one that our own open write carried",
            )
        ]
    return []


def _changes_nothing(step: Step, gateway: Gateway) -> bool:
    """Whether an edit of theirs asks nothing of ours: it says the same, or what is written there takes it along."""
    if step.verdict is Verdict.SETTLE:
        return True
    merges = merging.merges(gateway.mapping.fields[step.name].rule)
    return merges and step.base is not None and step.base.theirs == step.theirs


def _author(step: Step, gateway: Gateway, theirs: Reading) -> Person:
    remote = gateway.mapping.fields[step.name].remote
    for entry in reversed(theirs.ticket.history):
        if entry.field == remote:
            return person(entry.author, gateway.system)
    return Person(id=gateway.system, name=f"somebody in {gateway.system}", system=gateway.system)


def keep(tx: Transaction, name: str, loser: Loser, past: Past, gateway: Gateway, at: datetime) -> list[Event]:
    """Keep an edit that did not stand, once; the event that tells of it."""
    system, ticket_id = gateway.system, past.ticket.id
    for kept in tx.tickets.conflicts(ticket_id, open_only=True):
        if (kept.system, kept.field, kept.ours, kept.theirs) == (system, name, loser.ours, loser.theirs):
            return []
    winner = loser.winner.value
    tx.tickets.keep_conflict(
        Conflict(0, ticket_id, system, name, loser.ours, loser.theirs, winner, loser.reason, at, open=True)
    )
    kind = Kind.EDIT_REJECTED if loser.rejected else Kind.CONFLICT_KEPT
    data = {"ours": loser.ours, "theirs": loser.theirs, "winner": winner}
    return [Event(kind, ticket_id, at, SYSTEM, system=system, field=name, data=data, why=loser.reason)]
