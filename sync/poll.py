"""Whom to look at: a page of hints becomes a row each and the cursor, in one transaction.

Each look is then fetched, reconciled and retried on its own, so that a poison row never pins the cursor.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from central.delivery import DeliveryState, Direction, Lane
from central.link import Link, LinkState
from central.registry import System, SystemState
from central.store.api import Transaction
from connectors.api import Change, Cursor
from sync import echo
from sync.gateway import Gateway
from sync.guards.masschange import may_be_missing
from sync.hints import plain_row
from sync.means import Means

NOTED_EVERY = timedelta(minutes=5)
"""How often it is written down that an idle system answers: a poll that finds nothing writes nothing in between."""
EDITED_WITHIN = timedelta(days=30)
"""How long after a ticket's last change its comments are looked at for edits that move no version."""


@dataclass(frozen=True, slots=True)
class Polled:
    """What one round brought."""

    pages: int
    rows: int
    owed: int


def poll(means: Means, gateway: Gateway) -> Polled:
    """Ask the system what changed since the cursor, page by page.

    :raises ConnectorError: by remedy; pages that were read are kept."""
    system = means.store.read(lambda tx: tx.registry.system(gateway.system))
    kept = cursor_of(system.cursor)
    since = None if kept is None else Cursor(kept.at - gateway.overlap, kept.position)
    pages = rows = owed = 0
    while True:
        asked_at = means.clock()
        page = gateway.connector.changes(since)
        newest = page.cursor.at if kept is None else max(page.cursor.at, kept.at)
        kept = Cursor(newest, page.cursor.position)
        pages, rows = pages + 1, rows + len(page.changes)
        if not page.more and _well_known(system, kept, asked_at) and not _news(means, gateway, page.changes):
            return Polled(pages, rows, owed)
        owed += means.store.write(partial(_take, means, gateway, page.changes, kept, asked_at), durable=False)
        if not page.more:
            return Polled(pages, rows, owed)
        since = page.cursor


def _well_known(system: System, cursor: Cursor, at: datetime) -> bool:
    """Whether a page without news is not worth a write: the system answers, as it did a short while ago."""
    noted = system.succeeded_at is not None and at - system.succeeded_at < NOTED_EVERY
    return noted and not system.last_error and system.outage is None and system.cursor == plain_cursor(cursor)


def _news(means: Means, gateway: Gateway, changes: tuple[Change, ...]) -> bool:
    """Whether any of these rows shows what was not read yet. The overlap shows the newest ones again and again."""
    if not changes:
        return False
    at = means.clock()
    return means.store.read(lambda tx: any(_wanted(tx, gateway, change, at) is not None for change in changes))


def _take(
    means: Means, gateway: Gateway, changes: tuple[Change, ...], cursor: Cursor, asked_at: datetime, tx: Transaction
) -> int:
    at = means.clock()
    owed = sum(_owe(tx, means, gateway, change, asked_at, at) for change in changes)
    system = tx.registry.system(gateway.system)
    if system.outage is not None:
        means.relay.wake(tx, gateway.system)
    well = replace(
        system,
        last_error="",
        error_at=None,
        outage=None,
        cursor=plain_cursor(cursor),
        polled_at=at,
        succeeded_at=at,
    )
    tx.registry.put_system(well)
    return owed


def _wanted(tx: Transaction, gateway: Gateway, change: Change, at: datetime) -> datetime | None:
    """From when on this row deserves a look; None: it shows what was read already."""
    if gateway.marker is not None and change.key == gateway.marker.ticket:
        return None
    link = tx.links.find_by_key(gateway.system, change.key)
    if link is not None and link.state in (LinkState.DETACHED, LinkState.DUPLICATE):
        return None
    if link is None and _recorded(tx, gateway, change):
        return None
    not_before: datetime | None = None
    if link is not None and link.state in (LinkState.ACTIVE, LinkState.LOST):
        seen, not_before = echo.seen_already(link, change.version, at)
        if seen:
            return None
    buried = tx.outbox.find(gateway.system, Direction.INWARD, change.key)
    if buried is not None and buried.state is not DeliveryState.DUE and buried.reason == _reason(change):
        return None  # the same row that became a dead letter: a person, or a change there, wakes it
    return not_before or at


def _recorded(tx: Transaction, gateway: Gateway, change: Change) -> bool:
    """Whether a system in shadow shows again what was recorded as a ticket to be taken in, and has no link."""
    system = tx.registry.system(gateway.system)
    cursor = cursor_of(system.cursor)
    if system.state is not SystemState.SHADOW or cursor is None or change.changed_at is None:
        return False
    return change.changed_at <= cursor.at and bool(tx.shadow.missing(gateway.system, key=change.key))


def _reason(change: Change) -> str:
    return f"it shows version {change.version}"


def _owe(tx: Transaction, means: Means, gateway: Gateway, change: Change, asked_at: datetime, at: datetime) -> bool:
    """Owe a look at this row, unless it shows what was read already."""
    not_before = _wanted(tx, gateway, change, at)
    if not_before is None:
        return False
    full = change.ticket if gateway.connector.capabilities.full_rows else None
    means.relay.owe_inward(
        tx,
        gateway.system,
        change.key,
        at,
        reason=_reason(change),
        not_before=not_before,
        hint=plain_row(full, asked_at) if full is not None else None,
    )
    return True


def scan(means: Means, gateway: Gateway) -> Polled:
    """The full scan: compare the contents of every row with what was last seen, and look at links nobody listed.

    Absence is never evidence: a link whose key did not appear is looked at, not given up."""
    position, pages, rows, owed = "", 0, 0, 0
    asked_at = means.clock()
    listed: set[str] = set()
    while True:
        page = gateway.connector.scan(position)
        listed.update(change.key for change in page.changes)
        owed += means.store.write(partial(compare, means, gateway, page.changes), durable=False)
        pages, rows = pages + 1, rows + len(page.changes)
        if not page.more:
            break
        position = page.cursor.position
    missing = unlisted(means, gateway, listed, asked_at) or []
    for begin in range(0, len(missing), AT_ONCE):
        means.store.write(partial(owe_unlisted, means, gateway, missing[begin : begin + AT_ONCE]), durable=False)
    means.store.write(partial(scanned, means, gateway))
    return Polled(pages, rows, owed + len(missing))


def compare(means: Means, gateway: Gateway, changes: Sequence[Change], tx: Transaction) -> int:
    """Owe a look at those rows of a listing that show what nobody announced; how many."""
    since, at = cursor_of(tx.registry.system(gateway.system).cursor), means.clock()
    return sum(_compare(tx, means, gateway, change, since, at) for change in changes)


def scanned(means: Means, gateway: Gateway, tx: Transaction) -> None:
    """A full scan has come to its end."""
    tx.registry.put_system(replace(tx.registry.system(gateway.system), scanned_at=means.clock()))


def _compare(
    tx: Transaction, means: Means, gateway: Gateway, change: Change, since: Cursor | None, at: datetime
) -> bool:
    if gateway.marker is not None and change.key == gateway.marker.ticket:
        return False
    link = tx.links.find_by_key(gateway.system, change.key)
    if link is None:
        # going live carries only later changes: an unknown ticket older than the cursor belongs to a backfill
        if since is None or change.changed_at is None or change.changed_at < since.at:
            return False
        reason = "the full scan found a ticket that nobody announced"
    elif link.state is LinkState.LOST and not link.row_version:
        reason = "the full scan found a lost ticket listed again"
    elif link.state is not LinkState.ACTIVE:
        return False
    elif not _differs(gateway, link, change):
        if not _may_hide_edits(tx, gateway, link, change, at):
            return False
        reason = "the full scan looks for edited comments, which move nothing there"
    else:
        reason = "the full scan found a difference that nobody announced"
    known = tx.outbox.find(gateway.system, Direction.INWARD, change.key)
    if known is not None and known.state is DeliveryState.DISCARDED:
        return False  # a person gave it up: only a change there brings it back, and the poll sees that
    means.relay.owe_inward(tx, gateway.system, change.key, at, reason=reason, lane=Lane.BACKFILL)
    return True


def _may_hide_edits(tx: Transaction, gateway: Gateway, link: Link, change: Change, at: datetime) -> bool:
    """Whether comments that we know may have been edited unseen: where that moves no version, only reading tells."""
    can = gateway.connector.capabilities
    if can.edits_move or not can.whole_conversation or change.changed_at is None:
        return False
    return at - change.changed_at < EDITED_WITHIN and bool(tx.links.ties(link.id))


def _differs(gateway: Gateway, link: Link, change: Change) -> bool:
    """Contents, not versions: one that stands still may hide a change."""
    shown: Mapping[str, Any] = change.fields or (change.ticket.fields if change.ticket else {})
    for field in gateway.mapping.fields.values():
        if field.remote in shown:
            canonical = field.rule.canonical_theirs
            if canonical(shown[field.remote]) != canonical(link.seen.get(field.remote)):
                return True
    return bool(change.version) and change.version != link.row_version  # one that moved does prove something


def unlisted(means: Means, gateway: Gateway, listed: Collection[str], asked_at: datetime) -> list[str] | None:
    """The keys of links that a whole listing, begun at `asked_at`, is without; None: too many to be believed, and a
    guard asks about it."""
    missing: list[str] = []
    after = 0
    while links := means.store.read(partial(_page_of_links, gateway.system, after)):
        missing += [k.key for k in links if k.state is LinkState.ACTIVE and k.key and k.key not in listed]
        after = links[-1].id
    return missing if may_be_missing(means, gateway, missing, len(listed), asked_at) else None


AT_ONCE = 100
"""How many looks are owed in one transaction."""


def _page_of_links(system: str, after: int, tx: Transaction) -> Sequence[Link]:
    return tx.links.of_system(system, after=after, limit=AT_ONCE)


def owe_unlisted(means: Means, gateway: Gateway, keys: Sequence[str], tx: Transaction) -> None:
    """Owe a look at each of them: absence is no evidence."""
    at, reason = means.clock(), "the full scan did not list it"
    for key in keys:
        means.relay.owe_inward(tx, gateway.system, key, at, lane=Lane.BACKFILL, reason=reason)


def plain_cursor(cursor: Cursor) -> dict[str, str]:
    """The cursor as the store keeps it."""
    return {"at": cursor.at.isoformat(), "position": cursor.position}


def cursor_of(stored: Mapping[str, Any] | None) -> Cursor | None:
    """The cursor that `plain_cursor` wrote."""
    if stored is None:
        return None
    return Cursor(datetime.fromisoformat(stored["at"]), stored["position"])
