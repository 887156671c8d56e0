"""Is the system that answers the one we left? Our mark there is read at the start, daily, and when something looks odd.

Where it is not, the system is quarantined, nothing is written, and a plan is computed by reading only: what would come
in and what would be written, ticket by ticket, against what was last agreed on.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from central.guard import Hold, HoldKind, Marker
from central.link import LinkState
from central.model import plain
from central.registry import SystemState
from central.store.api import Transaction
from connectors.errors import ConnectorError, NotFound, Refused
from sync.decide import decide
from sync.gateway import Gateway
from sync.guards.mark import counter_of, doubt, mark
from sync.guards.suspicion import Suspicion, tell_of
from sync.means import Means
from sync.past import Past, read_past
from sync.permit import why_held
from sync.reading import Reading, reading
from sync.reconcile import Verdict

log = structlog.get_logger("interdesk.guards")

READ_EVERY = timedelta(days=1)
MOVED_EVERY = timedelta(hours=1)
"""How often the counter moves at most, and only after a write that was made anyway."""
BELIEVED = timedelta(minutes=5)
"""So long after it was read, an oddity is no reason to read it again."""
MOST_ROWS = 1000
"""How many rows a plan names."""


def ensure_ours(means: Means, gateway: Gateway, *, at_once: bool = False) -> bool:
    """Read the mark if that is due; whether the system may be believed.

    :raises ConnectorError: it cannot be read now."""
    if not _watched(means, gateway):
        return True
    known = means.store.read(lambda tx: tx.guards.marker(gateway.system))
    recent = known.read_at is not None and means.clock() - known.read_at < READ_EVERY
    return True if recent and not known.doubt and not at_once else _check(means, gateway)


def move(means: Means, gateway: Gateway, since: datetime) -> None:
    """After a look that wrote something (`since` it began): let the counter move, if it has not for an hour."""
    spot = gateway.marker
    if spot is None or HoldKind.COPY not in means.guards:
        return
    known = means.store.read(lambda tx: tx.guards.marker(gateway.system))
    if known.written_at is not None and since - known.written_at < MOVED_EVERY:
        return
    try:
        if not _check(means, gateway):
            return
        number = means.store.write(lambda tx: _begin(tx, means, gateway))
        if number is None:
            return
        instance = means.store.read(lambda tx: tx.instance.get().id)
        written = gateway.connector.update(spot.ticket, {spot.field: mark(instance, number)}, held=None)
        if spot.field in written.refused:
            raise Refused(written.refused[spot.field], field=spot.field)
    except ConnectorError as problem:  # the mark is no reason to fail a look that is done
        log.warning("the mark was not moved", system=gateway.system, ticket=spot.ticket, error=str(problem))
        return
    means.store.write(
        lambda tx: tx.guards.put_marker(
            replace(tx.guards.marker(gateway.system), counter=number, writing=None, written_at=means.clock())
        )
    )


def remember(means: Means, gateway: Gateway) -> None:
    """After a restore of ours: the mark there may be further than we remember; where it bears our name, it is ours.

    :raises ConnectorError: it cannot be read."""
    spot = gateway.marker
    if spot is None:
        return
    shown = gateway.connector.fetch(spot.ticket).fields.get(spot.field)

    def change(tx: Transaction) -> None:
        known, number = tx.guards.marker(gateway.system), counter_of(shown)
        if number is None or number <= known.counter:
            return
        further = replace(known, counter=number, writing=None, read_at=means.clock(), doubt="")
        if not doubt(further, tx.instance.get().id, shown):
            tx.guards.put_marker(further)

    means.store.write(change)


def ensure_not_behind(
    tx: Transaction, means: Means, gateway: Gateway, past: Past, theirs: Reading, at: datetime
) -> None:
    """Before anything of this reading is taken in.

    :raises Suspicion: their history does not hold what we have read in it; the mark is to be read first."""
    seen = past.link.history_seen
    if not _watched(means, gateway) or not seen or theirs.history is None or any(e.id == seen for e in theirs.history):
        return
    if not _believed(tx.guards.marker(gateway.system), at):
        told = "their history is shorter than it was: our mark is read before this is taken in"
        raise Suspicion(told, lambda tx: _doubt(tx, gateway, told), again_at=at + timedelta(minutes=2))


def note_loss(tx: Transaction, means: Means, gateway: Gateway, at: datetime) -> None:
    """A key that we know is gone: a reason to read the mark."""
    if _watched(means, gateway) and not _believed(tx.guards.marker(gateway.system), at):
        _doubt(tx, gateway, "a ticket that we know is gone")


def _watched(means: Means, gateway: Gateway) -> bool:
    return gateway.marker is not None and HoldKind.COPY in means.guards


def _believed(known: Marker, at: datetime) -> bool:
    return not known.doubt and known.read_at is not None and at - known.read_at < BELIEVED


def _doubt(tx: Transaction, gateway: Gateway, why: str) -> None:
    tx.guards.put_marker(replace(tx.guards.marker(gateway.system), doubt=why))


def _begin(tx: Transaction, means: Means, gateway: Gateway) -> int | None:
    """Commit the number that is about to be written; None: somebody else is at it, or nothing may be written."""
    known = tx.guards.marker(gateway.system)
    began = known.written_at
    if why_held(tx, gateway.system) or (began is not None and means.clock() - began < MOVED_EVERY):
        return None
    tx.guards.put_marker(replace(known, writing=known.counter + 1, written_at=means.clock()))
    return known.counter + 1


def _check(means: Means, gateway: Gateway) -> bool:
    """Read the mark; quarantine the system where it is not what we left."""
    assert gateway.marker is not None, "asked only where a marker is named"
    spot = gateway.marker
    try:
        shown = gateway.connector.fetch(spot.ticket).fields.get(spot.field)
        found = ""
    except NotFound:
        shown, found = None, f"the ticket {spot.ticket} that bears our mark is not there"

    def change(tx: Transaction) -> Hold | None:
        at = means.clock()
        known = tx.guards.marker(gateway.system)
        instance = tx.instance.get().id
        wrong = (found if known.counter else "") or doubt(known, instance, shown)
        if not wrong:
            arrived = known.writing is not None and shown == mark(instance, known.writing)
            number = known.writing if arrived and known.writing is not None else known.counter
            tx.guards.put_marker(
                replace(known, counter=number, writing=None if arrived else known.writing, read_at=at, doubt="")
            )
            return None
        reason = f"{gateway.system} is not in the state we left it in: {wrong}"
        evidence = {"shown": plain(shown), "known": known.counter}
        hold = tx.guards.hold(Hold(0, HoldKind.COPY, gateway.system, reason, at, evidence=evidence))
        system = tx.registry.system(gateway.system)
        tx.registry.put_system(replace(system, state=SystemState.QUARANTINED, reason=reason, open_problem=True))
        return hold

    hold = means.store.write(change)
    if hold is None:
        return True
    tell_of(gateway, hold)
    evidence = {**hold.evidence, **resync_plan(means, gateway)}
    means.store.write(lambda tx: tx.guards.note(hold.id, evidence))
    return False


def resync_plan(means: Means, gateway: Gateway) -> dict[str, Any]:
    """What a release would do, by reading only: `plan`, a row per field, comment or ticket that does not agree."""
    rows: list[dict[str, Any]] = []
    after = read = more = 0
    while page := means.store.read(lambda tx, after=after: _page(tx, gateway, after)):  # type: ignore[misc]  # bound now
        for past in page:
            found = _compare(means, gateway, past)
            more += max(0, len(rows) + len(found) - MOST_ROWS)
            rows += found[: MOST_ROWS - len(rows)]
        read, after = read + len(page), page[-1].link.id
    return {"compared": read, "plan": rows, "not_shown": more}


def _page(tx: Transaction, gateway: Gateway, after: int) -> list[Past]:
    return [read_past(tx, link) for link in tx.links.of_system(gateway.system, after=after)]


def _compare(means: Means, gateway: Gateway, past: Past) -> list[dict[str, Any]]:
    if past.link.state is not LinkState.ACTIVE or not past.link.key:
        return []
    about = {"ticket": past.ticket.id, "key": past.link.key}
    asked_at = means.clock()
    try:
        theirs = reading(gateway, gateway.connector.fetch(past.link.key, known=frozenset()), asked_at)
    except NotFound:
        return [{**about, "what": "ticket", "name": "", "ours": "", "theirs": "gone"}]
    except ConnectorError as problem:
        return [{**about, "what": "unread", "name": "", "ours": "", "theirs": str(problem)}]
    rows = [
        {**about, "what": "field", "name": step.name, "ours": plain(step.ours), "theirs": plain(step.theirs)}
        for step in decide(gateway, past, theirs).steps
        if step.verdict in (Verdict.INWARD, Verdict.OUTWARD)
    ]
    there = {comment.id for comment in theirs.ticket.comments or ()}
    rows += [
        {**about, "what": "comment", "name": number, "ours": "sent", "theirs": "gone"}
        for number, remote_id in past.ties.items()
        if remote_id and remote_id not in there and not remote_id.startswith("file:")
    ]
    return rows
