"""Letting a quarantined system go, after a person has decided what is to become of it."""

from dataclasses import replace

from central.audit import Entry
from central.guard import Hold, HoldKind, HoldState, Suspect
from central.registry import SystemState
from central.store.api import Lane, Transaction
from connectors.errors import NotFound
from sync.bootstrap import Interdesk
from sync.gateway import Gateway
from sync.guards.mark import counter_of, doubt, mark
from sync.live import NotNow, registered
from sync.means import Means
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
        last, seen = means.store.write(lambda tx, after=after: _prepare(tx, means, gateway, after, take_theirs))  # type: ignore[misc]  # bound now
        if not seen:
            break
        after, links = last, links + seen
    if hold.state is HoldState.APPROVED:
        means.store.write(lambda tx: _untie_vanished(tx, means, gateway, hold))

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


def _prepare(tx: Transaction, means: Means, gateway: Gateway, after: int, take_theirs: bool) -> tuple[int, int]:
    """Owe a whole look at one page of links: nothing that was read of them before counts."""
    page = tx.links.of_system(gateway.system, after=after)
    at = means.clock()
    for link in page:
        if not link.key:
            continue
        tx.links.save(link.evolve(version="", row_version="", racy_until=None, history_seen=None))
        if not take_theirs:
            tx.guards.suspect(Suspect(gateway.system, HoldKind.COPY, link.ticket_id, at))
        reason = "the system was released from quarantine"
        means.relay.owe_inward(tx, gateway.system, link.key, at, reason=reason, lane=Lane.BACKFILL)
    return (page[-1].id, len(page)) if page else (after, 0)


def _untie_vanished(tx: Transaction, means: Means, gateway: Gateway, hold: Hold) -> None:
    """Comments of ours that the plan calls gone are sent again."""
    for row in hold.evidence.get("plan", ()):
        if row["what"] == "comment":
            link = tx.links.find(row["ticket"], gateway.system)
            if link is not None:
                tx.links.untie_comment(link.id, row["name"])
                reason = "a comment of ours is gone there"
                means.relay.owe_outward(tx, (gateway.system,), link.ticket_id, means.clock(), reason=reason)
