"""Take a plan's central part into one transaction: the change, its events, the deliveries it owes, the link.

Used by both directions: an inward look absorbs what is new there, and an outward one absorbs what it happens to see
before it writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from central import workflow
from central.events import Event, Kind
from central.link import SPEAKING, Intent, IntentKind, Link, LinkState
from central.model import SYSTEM, Attachment, Comment, NewComment, NewFile, Ticket, Value, Visibility
from central.store.api import Transaction
from connectors.api import RemoteComment
from sync import echo, revise, routing
from sync.decide import hidden_edits
from sync.discussion import Arrivals
from sync.gateway import Gateway
from sync.guards import breaker, masschange
from sync.means import Means
from sync.past import Past
from sync.plan import UNTOUCHED, Loser, Plan
from sync.policy import Winner
from sync.reading import Reading
from sync.recording import events_of, keep
from sync.settle import mapped


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read and downloaded before the transaction began (never a remote call inside one)."""

    arrivals: Arrivals
    comments: Mapping[str, NewComment]
    """Their comment id -> the comment to add, its files' bytes already in the store."""
    files: Sequence[NewFile]
    """New files that hang on their ticket itself, and those of known comments that come late."""
    remote_files: Mapping[str, tuple[tuple[str, str], ...]]
    """Their comment id -> (file id, name) of the files on it, for tying what landed."""
    heard: Mapping[str, RemoteComment] = field(default_factory=dict)
    """Their unknown comments as they were read."""
    shown: Mapping[str, RemoteComment] | None = None
    """Every comment that is there now, known ones too; None: not all were read."""


NOTHING_NEW = Intake(Arrivals((), {}, ()), {}, (), {})


def absorb(
    tx: Transaction,
    means: Means,
    gateway: Gateway,
    past: Past,
    theirs: Reading,
    plan: Plan,
    at: datetime,
    *,
    intake: Intake = NOTHING_NEW,
) -> tuple[Ticket, Link]:
    """Commit the central part of the plan. The caller saves the link (it may add an intent) and checks the lease.

    :raises StaleRevision: the ticket moved meanwhile; decide again."""
    plan, overruled = masschange.judge(tx, means, gateway, past, theirs, plan, at)
    ticket, events = past.ticket, list[Event]()
    changes = consequences(ticket.fields, plan.inward)
    if plan.inward:
        ticket = tx.tickets.change(ticket, changes, at)
    for step in plan.steps:
        events += events_of(step, past, gateway, theirs, at)
    for name in changes.keys() - plan.inward.keys():
        events.append(
            Event(
                Kind.FIELD_CHANGED,
                ticket.id,
                at,
                SYSTEM,
                field=name,
                data={"from": past.ticket[name], "to": changes[name]},
                why="central's workflow sets it",
            )
        )
    for step in plan.steps:
        if step.loser is not None:
            events += keep(tx, step.name, step.loser, past, gateway, at)
    for name, loser in unread_edits(past, gateway, theirs).items():
        events += keep(tx, name, loser, past, gateway, at)
    spoke = _converse(tx, gateway, past, intake, at, events)
    if any(each.gap.startswith("[file ") for each in intake.comments.values()):
        reason = "a file stays there: whether its ticket does, another look tells"
        means.relay.owe_inward(tx, gateway.system, past.link.key or "", at, reason=reason)
    revised = revise.revise(tx, means, gateway, past, intake.shown, at, events)
    tx.tickets.record(events)
    units = (tx.tickets.get(ticket.id)["unit"], past.ticket["unit"])  # it may have been given away while we read
    target, left = (routing.system_of(unit, means.units()) for unit in units)
    if revised.owed:
        reason = "what they did to a comment is not what stands here"
        means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason=reason)
    if plan.inward or spoke or revised.changed:
        reason = f"changed in {gateway.system}"
        means.relay.owe_outward(
            tx, routing.owed(tx.links.of(ticket.id), target, left, source=gateway.system), ticket.id, at, reason=reason
        )
    still = still_open(means, gateway, past, plan, intake, theirs)
    waiting = {name: why for name, why in past.link.disagreements.items() if name in plan.unsure}
    link = past.link.evolve(
        state=LinkState.ACTIVE,
        base={**past.link.base, **plan.base},
        seen={**past.link.seen, **mapped(theirs.ticket.fields, gateway.mapping)},
        refusals={**{k: v for k, v in past.link.refusals.items() if k in plan.standing}, **overruled},
        mapping_revision=gateway.mapping.revision,
        superseded=given_up(past.link, plan, still),
        outdated=tuple(name for name, why in plan.standing.items() if why in UNTOUCHED),
        address=theirs.ticket.address or past.link.address,
        intents=tuple(i for i in still if i.token not in revised.landed),
        history_seen=past.link.history_seen if theirs.history_seen is None else theirs.history_seen,
        ignored=(*past.link.ignored, *intake.arrivals.duplicates, *_notices(intake)),
        read_at=theirs.asked_at or past.link.read_at,
        last_error="",
    )
    standing = {**waiting, **breaker.standing(tx, gateway, past, plan), **revised.standing}
    return ticket, link.standing(standing, at)


def consequences(fields: Mapping[str, Value], changes: Mapping[str, Value]) -> dict[str, Value]:
    """These changes and what central sets by itself because of them: a new unit makes an open ticket `assigned`."""
    result = dict(changes)
    moved = "unit" in changes and changes["unit"] != fields.get("unit")
    if moved and "status" not in changes:
        before = str(fields.get("status"))
        if workflow.assigned(before) != before:
            result["status"] = workflow.assigned(before)
    return result


def still_open(
    means: Means, gateway: Gateway, past: Past, plan: Plan, intake: Intake, theirs: Reading
) -> tuple[Intent, ...]:
    """The intents that this reading did not settle.

    An update's field is closed once it is seen to have landed; the rest is kept while the request may still execute,
    judged by when the reading was asked for, never by when it is committed."""
    if theirs.asked_at is None:
        return past.link.intents
    arrived = tuple(intake.arrivals.landed.values())
    landed = {step.name for step in plan.steps if step.landed}
    kept: list[Intent] = []
    for intent in past.link.intents:
        if intent.done or intent in arrived:
            if intent.done and gateway.connector.capabilities.history and theirs.history is None:
                kept.append(intent)
            continue
        if intent.kind is IntentKind.UPDATE:
            waiting = {name: pair for name, pair in intent.wrote.items() if name not in landed}
            if not waiting or theirs.asked_at >= intent.at + means.request_deadline:
                continue
            intent = replace(intent, wrote=waiting)
        elif intent.kind in SPEAKING and theirs.ticket.comments is not None:
            # it has not arrived: what it is going to do starts from here
            before, effects = echo.expected_effects(gateway.comment_effects, theirs.ticket.fields)
            intent = replace(intent, before=before, side_effects=effects)
        kept.append(intent)
    return tuple(kept)


def given_up(link: Link, plan: Plan, still: Sequence[Intent]) -> dict[str, tuple[Value, ...]]:
    """What is remembered of writes that nobody waits for any more, though they were never seen to have landed."""
    landed = {step.name for step in plan.steps if step.landed}
    waiting = {(intent.token, name) for intent in still for name in intent.wrote}
    found = dict(link.superseded)
    for intent in link.intents:
        if intent.kind is not IntentKind.UPDATE:
            continue
        for name, pair in intent.wrote.items():
            if name not in landed and (intent.token, name) not in waiting:
                found[name] = (*found.get(name, ()), pair.theirs)[-_MOST_GIVEN_UP:]
    return found


_MOST_GIVEN_UP = 8
"""Per field; who gives up more writes than that has lost sight of the system for days."""


def unread_edits(past: Past, gateway: Gateway, theirs: Reading) -> dict[str, Loser]:
    """Edits that our writes replaced before anybody had read them; of those, a precondition leaves only what a comment
    of ours had hidden."""
    if theirs.history is None:
        return {}
    _, replaced = hidden_edits(gateway, past, theirs)
    found = {f.central: replaced[f.remote] for f in gateway.mapping.fields.values() if f.remote in replaced}
    if not gateway.connector.capabilities.preconditions:
        found |= echo.overwritten(past.link, theirs.history, gateway.mapping, gateway.comment_effects)
    return {name: Loser(past.ticket[name], lost, Winner.CENTRAL, WRITTEN_BETWEEN) for name, lost in found.items()}


WRITTEN_BETWEEN = "a person wrote between our read and our write, and this system knows no lock"


def _converse(tx: Transaction, gateway: Gateway, past: Past, intake: Intake, at: datetime, events: list[Event]) -> bool:
    """Add what people said there, tie what of ours has landed; True when there is something new for others."""
    ticket_id, link_id = past.ticket.id, past.link.id
    for remote_id, intent in intake.arrivals.landed.items():
        files = intake.remote_files.get(remote_id, ())
        tie_sent(tx, link_id, intent, remote_id, files, past.files, at)
        events.append(
            Event(
                Kind.ECHO_DROPPED,
                ticket_id,
                at,
                SYSTEM,
                system=gateway.system,
                data={"comment": intent.comment_id, "remote": remote_id},
                why="this comment there bears the mark of our own write",
            )
        )
    for remote_id in intake.arrivals.duplicates:
        events.append(
            Event(
                Kind.DUPLICATE_SEEN,
                ticket_id,
                at,
                SYSTEM,
                system=gateway.system,
                data={"remote": remote_id},
                why="a comment of ours arrived there once more; it is not carried on",
            )
        )
    for remote_id in intake.arrivals.new:
        added = tx.tickets.add_comment(ticket_id, intake.comments[remote_id])
        there = intake.heard.get(remote_id)
        agreed = None if there is None else revise.heard(added, there)
        tx.links.tie_comment(link_id, added.id, remote_id, at, agreed)
        _tie_added(tx, link_id, ticket_id, added)
        events.append(_said(added, gateway, at))
    for new in intake.files:
        file = tx.tickets.add_file(ticket_id, None, new, at, origin_system=gateway.system)
        tx.links.tie_file(link_id, file.id, new.origin_id or "")
    if intake.arrivals.new or intake.files:
        said = (intake.comments[remote_id].visibility for remote_id in intake.arrivals.new)
        unseen = not intake.files and all(each is Visibility.INTERNAL for each in said)
        tx.tickets.touch(ticket_id, at, internal=unseen)
        return True
    return False


def tie_sent(
    tx: Transaction,
    link_id: int,
    intent: Intent,
    remote_id: str,
    remote_files: Sequence[tuple[str, str]],
    ours: Sequence[Attachment],
    at: datetime,
) -> None:
    """Tie a comment of ours, and its files in the order they were sent, to what they became there."""
    if intent.comment_id is not None and intent.kind is IntentKind.COMMENT:
        tx.links.tie_comment(link_id, intent.comment_id, remote_id, at, intent.agreed)
    elif intent.comment_id is not None and intent.agreed is not None:
        tx.links.agree_comment(link_id, intent.comment_id, intent.agreed)
    names = {file.id: file.name for file in ours}
    left = list(remote_files)
    for file_id in intent.file_ids:
        match = next((f for f in left if f[1] == names.get(file_id)), left[0] if left else None)
        if match is not None:
            left.remove(match)
        tx.links.tie_file(link_id, file_id, match[0] if match else remote_id)
    for file_id in intent.noted_ids:
        tx.links.tie_file(link_id, file_id, "")


def _tie_added(tx: Transaction, link_id: int, ticket_id: int, added: Comment) -> None:
    for file in tx.tickets.files(ticket_id):
        if file.comment_id == added.id and file.origin_id:
            tx.links.tie_file(link_id, file.id, file.origin_id)


def _said(comment: Comment, gateway: Gateway, at: datetime) -> Event:
    return Event(
        Kind.COMMENT_ADDED,
        comment.ticket_id,
        at,
        comment.author,
        system=gateway.system,
        data={"comment": comment.id, "remote": comment.origin_id},
        why=comment.gap,
    )


def _notices(intake: Intake) -> tuple[str, ...]:
    return tuple(
        remote_id
        for remote_id, intent in intake.arrivals.landed.items()
        if intent.kind is not IntentKind.COMMENT or intent.comment_id is None
    )
