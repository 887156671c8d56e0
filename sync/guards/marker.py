"""Is the system that answers the one we left? Our mark there is read at the start, daily, and when something looks odd.

Where it is not, the system is quarantined, nothing is written, and a plan is computed by reading only: what would come
in and what would be written, ticket by ticket, against what was last agreed on.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from central.guard import Hold, HoldKind, Marker
from central.link import Link, LinkState
from central.model import plain
from central.registry import SystemState
from central.store.api import Transaction
from connectors.api import RemoteTicket
from connectors.errors import ConnectorError, NotFound, Refused
from mappings import model as mapping_model
from sync import echo, logs
from sync.decide import decide
from sync.gateway import Gateway
from sync.guards.mark import counter_of, doubt, mark
from sync.guards.suspicion import tell_of
from sync.intents import TryLater
from sync.means import Means
from sync.past import Past, read_past
from sync.permit import Held, why_held
from sync.plan import Verdict
from sync.reading import Reading, read, reading
from sync.revise import moved

log = structlog.get_logger("interdesk.guards")

READ_EVERY = timedelta(days=1)
MOVED_EVERY = timedelta(hours=1)
"""How often the counter moves at most, and only after a write that was made anyway."""
MOST_ROWS = 1000
"""How many rows a plan names."""


def ensure_ours(means: Means, gateway: Gateway, *, at_once: bool = False) -> bool:
    """Read the mark if that is due; whether the system may be believed.

    :raises ConnectorError: it cannot be read now."""
    if not _watched(means, gateway):
        return True
    known = means.store.read(lambda tx: tx.guards.marker(gateway.system))
    recent = known.read_at is not None and means.clock() - known.read_at < READ_EVERY
    certain = not known.doubt and not _may_still_move(known, means)
    return True if recent and certain and not at_once else _check(means, gateway)


def _may_still_move(known: Marker, means: Means) -> bool:
    """Whether a move without an answer was still under way when the mark was last read: until it is known where the
    mark stands, a system that goes back to the number before looks as we left it."""
    return known.writing is not None and (known.read_at is None or known.read_at < _certain_at(known, means))


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
        log.warning("the mark was not moved", system=gateway.system, ticket=spot.ticket, error=logs.told(problem))
        with suppress(ConnectorError):
            _check(means, gateway)
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


def ensure_gone_on(means: Means, gateway: Gateway, past: Past, theirs: Reading, *, wrote: Collection[str] = ()) -> None:
    """Before anything of this reading is taken in: where it does not go on from what we had read before, the mark is
    read. Later than the ticket: a system that has gone back does not come forward again. `wrote`: our fields that we
    have written since.

    :raises Held: it is not the system we left.  :raises ConnectorError: the mark cannot be read now."""
    if theirs.asked_at is None or not _watched(means, gateway):
        return
    if not _goes_on(past.link, theirs, gateway.mapping, wrote) or moved(past, theirs.shown):  # ids are given anew
        _ensure_ours_still(means, gateway, forgot=_forgot(past.link, _telling(means, gateway, past, theirs)))


def ensure_truly_gone(means: Means, gateway: Gateway) -> None:
    """Before a ticket that we know is given up as gone there.  :raises: as `ensure_gone_on`."""
    if _watched(means, gateway):
        _ensure_ours_still(means, gateway)


def suspect(means: Means, gateway: Gateway, why: str) -> None:
    """Something happened there that should not have: the mark is read before the next poll."""
    if _watched(means, gateway):
        means.store.write(lambda tx: tx.guards.put_marker(replace(tx.guards.marker(gateway.system), doubt=why)))


def _goes_on(link: Link, theirs: Reading, mapping: mapping_model.Mapping, wrote: Collection[str]) -> bool:
    """Whether a ticket as read goes on from what we saw of it last: its history holds what we have read in it, and
    tells of every value that has changed since. Where no history tells, nothing but what we wrote may have changed."""
    if _forgot(link, theirs):
        return False
    unread = echo.after(theirs.history or (), link.history_seen)
    for field in mapping.fields.values():
        if field.central in wrote or field.remote not in link.seen or field.remote not in theirs.ticket.fields:
            continue
        canonical = field.rule.canonical_theirs
        left = canonical(link.seen[field.remote])
        if canonical(theirs.ticket.fields[field.remote]) != left and not any(
            entry.field == field.remote and canonical(entry.old) == left for entry in unread
        ):
            return False
    return True


def _forgot(link: Link, theirs: Reading) -> bool:
    """Whether its history does not hold what we have read in it."""
    seen = link.history_seen
    return theirs.history is not None and bool(seen) and all(entry.id != seen for entry in theirs.history)


def _telling(means: Means, gateway: Gateway, past: Past, theirs: Reading) -> Reading:
    """What the mark may be unable to tell, the history does: read now, where this reading came without it.

    :raises TryLater: the ticket went meanwhile."""
    untold = theirs.history is None and gateway.connector.capabilities.history
    if not untold or means.store.read(lambda tx: tx.guards.marker(gateway.system)).writing is None:
        return theirs
    try:
        return read(means, gateway, past, conversation=True, lease=None)
    except NotFound as problem:
        raise TryLater(f"it went while we looked at it: {problem}", means.clock(), means.clock()) from None


def _watched(means: Means, gateway: Gateway) -> bool:
    return gateway.marker is not None and HoldKind.COPY in means.guards


def _ensure_ours_still(means: Means, gateway: Gateway, *, forgot: bool = False) -> None:
    """`forgot`: the ticket itself shows that the system went back, should the mark be unable to tell.

    :raises TryLater: our mark is being moved there, and what stands may be the number before, or one that came back."""
    if not _check(means, gateway, forgot=forgot):
        raise Held(means.store.read(lambda tx: why_held(tx, gateway.system, means.clock())))
    known, at = means.store.read(lambda tx: tx.guards.marker(gateway.system)), means.clock()
    if known.writing is not None and at < (certain_at := _certain_at(known, means)):
        raise TryLater("our mark is being moved there", certain_at, at)


def _certain_at(known: Marker, means: Means) -> datetime:
    """When the last move of the mark cannot be under way any more."""
    return (known.written_at or means.clock()) + means.request_deadline


def _begin(tx: Transaction, means: Means, gateway: Gateway) -> int | None:
    """Commit the number that is about to be written; None: somebody else is at it, or nothing may be written."""
    known = tx.guards.marker(gateway.system)
    began = known.written_at
    if why_held(tx, gateway.system, means.clock()) or (began is not None and means.clock() - began < MOVED_EVERY):
        return None
    tx.guards.put_marker(replace(known, writing=known.counter + 1, written_at=means.clock()))
    return known.counter + 1


def _check(means: Means, gateway: Gateway, *, forgot: bool = False) -> bool:
    """Read the mark; quarantine the system where it is not what we left. `forgot`: a ticket there has forgotten what we
    had read in it; then the number before a move without an answer is not believed."""
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
        arrived = known.writing is not None and shown == mark(instance, known.writing)
        wrong = (found if known.counter else "") or doubt(known, instance, shown)
        if not wrong and forgot and known.writing is not None and not arrived and at >= _certain_at(known, means):
            wrong = "a ticket there has forgotten what we read in it, and the last move of our mark was never answered"
        if not wrong:
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
    tell_of(hold)
    evidence = {**hold.evidence, **resync_plan(means, gateway)}
    means.store.write(lambda tx: tx.guards.note(hold.id, evidence))
    return False


def resync_plan(means: Means, gateway: Gateway) -> dict[str, Any]:
    """What a release would do, by reading only: `plan`, a row per field, comment, file or ticket that differs."""
    rows: list[dict[str, Any]] = []
    after = compared = more = 0
    while page := means.store.read(lambda tx, after=after: pasts(tx, gateway, after)):  # type: ignore[misc]  # bound now
        for past in page:
            found = _compare(means, gateway, past)
            more += max(0, len(rows) + len(found) - MOST_ROWS)
            rows += found[: MOST_ROWS - len(rows)]
        compared, after = compared + len(page), page[-1].link.id
    return {"compared": compared, "plan": rows, "not_shown": more}


def pasts(tx: Transaction, gateway: Gateway, after: int) -> list[Past]:
    """A page of the system's links, each with its whole past."""
    return [read_past(tx, link) for link in tx.links.of_system(gateway.system, after=after)]


def _compare(means: Means, gateway: Gateway, past: Past) -> list[dict[str, Any]]:
    lost = past.link.state is LinkState.LOST
    if not (past.link.state is LinkState.ACTIVE or lost) or not past.link.key:
        return []
    about = {"ticket": past.ticket.id, "key": past.link.key}
    asked_at = means.clock()
    try:
        theirs = reading(gateway, gateway.connector.fetch(past.link.key, known=frozenset()), asked_at)
    except NotFound:
        return [] if lost else [{**about, "what": "ticket", "name": "", "ours": "", "theirs": "gone"}]
    except ConnectorError as problem:
        return [{**about, "what": "unread", "name": "", "ours": "", "theirs": str(problem)}]
    rows = [
        {**about, "what": "field", "name": step.name, "ours": plain(step.ours), "theirs": plain(step.theirs)}
        for step in decide(gateway, past, theirs).steps
        if step.verdict in (Verdict.INWARD, Verdict.OUTWARD)
    ]
    gone = {**about, "ours": "sent", "theirs": "gone"}
    rows += [{**gone, "what": "comment", "name": number} for number in vanished_comments(means, past, theirs.ticket)]
    rows += [{**gone, "what": "file", "name": number} for number in vanished_files(past, theirs.ticket)]
    return rows


def vanished_comments(means: Means, past: Past, there: RemoteTicket) -> Iterator[int]:
    """Tied comments that are not there. Their ids are given anew after a restore: one of ours is known by its mark."""
    comments = {comment.id: comment for comment in past.comments}
    shown = {comment.id: comment for comment in there.comments or ()}
    for number, remote_id in past.ties.items():
        if not remote_id or remote_id.startswith("file:"):
            continue
        found = shown.get(remote_id)
        if found is None:
            yield number
        elif comments[number].origin_system == past.link.system:
            if found.created_at != comments[number].created_at or (found.own and found.token is not None):
                yield number
        elif not found.own or found.token not in (None, means.tokens.comment(comments[number])):
            yield number


def vanished_files(past: Past, there: RemoteTicket) -> Iterator[int]:
    """Tied files that hung on the ticket itself, and are not there."""
    shown = {(file.id, file.name) for file in there.files}
    shown |= {(file.id, file.name) for comment in there.comments or () for file in comment.files}
    for file in past.files:
        remote_id = past.file_ties.get(file.id)
        if file.comment_id is None and remote_id and (remote_id, file.name) not in shown:
            yield file.id
