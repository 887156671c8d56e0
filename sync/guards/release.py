"""Letting a quarantined system go, after a person has decided what is to become of it."""

from dataclasses import replace

from central.audit import Entry
from central.delivery import Lane
from central.desk.services.errors import NotNow
from central.guard import Hold, HoldKind, HoldState, Suspect
from central.link import LinkState
from central.registry import SystemState
from central.store.api import Transaction
from connectors.errors import NotFound
from sync.bootstrap import Interdesk
from sync.gateway import Gateway
from sync.guards.mark import counter_of, doubt, mark
from sync.guards.marker import pasts, vanished_comments, vanished_files
from sync.live import registered
from sync.means import Means
from sync.past import Past
from sync.recovery.copies import UNREAD


def release(desk: Interdesk, name: str, by: str, *, take_theirs: bool = False) -> str:
    """Take up a quarantined system again; answers what was done, in a sentence.

    :raises NotNow: it is not quarantined, or nobody has decided yet.  :raises ConnectorError: it cannot be reached."""
    system, hold = desk.store.read(lambda tx: (registered(tx, name), tx.guards.latest(HoldKind.COPY, name)))
    if system.state is not SystemState.QUARANTINED or hold is None:
        raise NotNow(f"system {name} is {system.state}, not quarantined")
    if hold.state is HoldState.OPEN:
        raise NotNow(f"decide first: interdesk guard show {hold.id}, then approve or reject it")
    return go_on(desk.means, desk.gateways.get(name), hold, by, take_theirs=take_theirs)


def go_on(means: Means, gateway: Gateway, hold: Hold, by: str, *, take_theirs: bool = False) -> str:
    """Carry out what was decided about a quarantined system."""
    number = _adopt(means, gateway) if hold.state is HoldState.APPROVED else _confirm(means, gateway)
    after, links = 0, 0
    while hold.state is HoldState.APPROVED:
        page = means.store.read(lambda tx, after=after: pasts(tx, gateway, after))  # type: ignore[misc]  # bound now
        if not page:
            break
        for past in page:
            _send_again(means, gateway, past)
        means.store.write(lambda tx, after=after: _prepare(tx, means, gateway, after, take_theirs))  # type: ignore[misc]  # bound now
        after, links = page[-1].link.id, links + len(page)

    def live(tx: Transaction) -> None:
        at = means.clock()
        known = tx.guards.marker(gateway.system)
        tx.guards.put_marker(replace(known, counter=number, writing=None, read_at=at, doubt=""))
        system = tx.registry.system(gateway.system)
        if system.restored_at is None:
            system = replace(system, state=SystemState.LIVE, reason="", open_problem=False)
        else:  # a restore of ours came between: what was forgotten of it is found again first
            system = replace(system, state=SystemState.PAUSED, reason=UNREAD)
        tx.registry.put_system(system)
        data = {"hold": hold.id, "links": links, "take_theirs": take_theirs}
        tx.audit.record(Entry(at, by, "release", gateway.system, data))

    means.store.write(live)
    if hold.state is HoldState.REJECTED:
        return "the mark is the one we left: it goes on as before"
    wins = "theirs is taken" if take_theirs else "ours is written"
    return f"{links} linked tickets are compared again; where they differ from what was agreed on, {wins}"


def _confirm(means: Means, gateway: Gateway) -> int:
    """What was seen was the wrong system: the right one must be back by now."""
    assert gateway.marker is not None, "quarantined by its mark"
    shown = gateway.connector.fetch(gateway.marker.ticket).fields.get(gateway.marker.field)
    known, instance = means.store.read(lambda tx: (tx.guards.marker(gateway.system), tx.instance.get().id))
    wrong = doubt(known, instance, shown)
    if wrong:
        raise NotNow(f"still not the system we left: {wrong}")
    return counter_of(shown) or 0


def _adopt(means: Means, gateway: Gateway) -> int:
    """Put our mark on the system as it stands now: the one write that the approval itself asks for."""
    assert gateway.marker is not None, "quarantined by its mark"
    spot = gateway.marker
    known, instance = means.store.read(lambda tx: (tx.guards.marker(gateway.system), tx.instance.get().id))
    try:
        shown = gateway.connector.fetch(spot.ticket).fields.get(spot.field)
    except NotFound:
        raise NotNow(f"there is no ticket {spot.ticket} for our mark: name another one in its document") from None
    number = max(known.counter, counter_of(shown) or 0) + 1
    written = gateway.connector.update(spot.ticket, {spot.field: mark(instance, number)}, held=None)
    if spot.field in written.refused:
        raise NotNow(f"our mark is refused: {written.refused[spot.field]}")
    return number


def _prepare(tx: Transaction, means: Means, gateway: Gateway, after: int, take_theirs: bool) -> None:
    """Owe a whole look at one page of links: nothing that was read of them before counts."""
    at = means.clock()
    for link in tx.links.of_system(gateway.system, after=after):
        if not link.key:
            continue
        tx.links.save(link.evolve(version="", row_version="", racy_until=None, history_seen=None))
        if not take_theirs:
            tx.guards.suspect(Suspect(gateway.system, HoldKind.COPY, link.ticket_id, at))
        reason = "the system was released from quarantine"
        means.relay.owe_inward(tx, gateway.system, link.key, at, reason=reason, lane=Lane.BACKFILL)


def _send_again(means: Means, gateway: Gateway, past: Past) -> None:
    """What we know of the conversation there and is gone is forgotten: what was ours is owed anew, and the ids may be
    given to others. Read now: the plan may be old, or short.

    :raises ConnectorError: it cannot be read."""
    if past.link.state is LinkState.DUPLICATE or not past.link.key:
        return
    try:
        there = gateway.connector.fetch(past.link.key, known=frozenset())
    except NotFound:
        return
    ours = {comment.id for comment in there.comments or () if comment.own}
    ignored = tuple(remote_id for remote_id in past.link.ignored if remote_id in ours)
    comments, files = tuple(vanished_comments(means, past, there)), list(vanished_files(past, there))
    if not comments and not files and ignored == past.link.ignored:
        return

    def change(tx: Transaction) -> None:
        link = tx.links.find(past.ticket.id, gateway.system)
        assert link is not None, "links are never deleted"
        tx.links.save(link.evolve(ignored=ignored))
        for number in comments:
            tx.links.untie_comment(past.link.id, number)
        for number in (*files, *(file.id for file in past.files if file.comment_id in comments)):
            tx.links.untie_file(past.link.id, number)
        reason = "what we said there is gone there"
        means.relay.owe_outward(tx, (gateway.system,), past.ticket.id, means.clock(), reason=reason)

    means.store.write(change)
