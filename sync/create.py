"""Make a ticket there once, whatever happened to earlier attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from central.delivery import Lease
from central.events import Event, Kind
from central.link import Intent, IntentKind, Link, LinkState, Pair
from central.model import SYSTEM, Ticket, Value
from central.store.api import Transaction
from connectors.api import Lookup, RemoteTicket
from connectors.errors import NotFound, Refused, Transient, Unknown
from mappings.model import Carries, Untranslatable
from sync import echo
from sync.gateway import Gateway
from sync.intents import TryLater, drop
from sync.means import Means
from sync.moves import depart
from sync.past import Past, read_past, reread
from sync.permit import ensure_permitted
from sync.reading import Reading, reading
from sync.settle import settle_create, without
from sync.speak import spill
from sync.travel import born_with


def create(
    means: Means, gateway: Gateway, ticket_id: int, past: Past | None, lease: Lease, *, wanted: bool
) -> Past | None:
    """Make the ticket there once, whatever happened to earlier attempts; None: it is not wanted there any more.

    One that was made and is gone by the time that it is read is linked as lost, like any other."""
    if past is None:
        past = means.store.write(lambda tx: _pending(tx, means, gateway, ticket_id, lease), durable=False)
    earlier = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None)
    try:
        found = earlier_create(means, gateway, past.link, earlier, lease) if earlier else None
    except NotFound as problem:
        if past.link.key is None or earlier is None:
            raise
        return _vanished(means, gateway, past, past.link.key, earlier, problem, lease)
    if earlier is not None and found is not None:
        theirs = reading(gateway, found, means.clock())
        return _bind(means, gateway, past, earlier, theirs, lease, edits=theirs.history)
    if not wanted:
        if earlier is not None:
            drop(means, past, earlier, lease)
        return None
    means.ensure_time(lease)
    past, intent = _intend_to_create(means, gateway, past, lease)
    fields = sent_at_birth(gateway, intent.wrote)
    asked_at = means.clock()
    try:
        means.ensure_prompt(intent)
        made = gateway.connector.create({**gateway.mapping.constants, **fields}, token=intent.token)
    except Unknown as lost:
        if lost.key is not None:
            _note_key(means, past, lost.key, lease)
        raise
    except (Refused, Transient) as problem:
        drop(means, past, intent, lease, error=str(problem))
        raise
    theirs = reading(gateway, made, asked_at)
    return _bind(means, gateway, past, intent, theirs, lease, edits=theirs.history or ())


def _pending(tx: Transaction, means: Means, gateway: Gateway, ticket_id: int, lease: Lease) -> Past:
    at = means.clock()
    tx.outbox.check(lease, at)
    link = tx.links.create(Link(0, ticket_id, gateway.system, LinkState.PENDING, created_at=at))
    return read_past(tx, link)


def _note_key(means: Means, past: Past, key: str, lease: Lease) -> None:
    """It was made under this key, and could not be read back: from now on it is looked for there."""

    def change(tx: Transaction) -> None:
        tx.outbox.check(lease, means.clock())
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        tx.links.save(link.evolve(key=key))

    means.store.write(change)


def _vanished(
    means: Means, gateway: Gateway, past: Past, key: str, intent: Intent, problem: NotFound, lease: Lease
) -> Past:
    """It was made there, and somebody has deleted it, or moved it, before we could read it."""
    link = settle_create(past.link, intent, key, "", {}, gateway.mapping, means.clock(), edits=None)
    depart(means, gateway, replace(past, link=link), lease, problem)
    return reread(means.store, past)


def earlier_create(
    means: Means, gateway: Gateway, link: Link, intent: Intent, lease: Lease | None
) -> RemoteTicket | None:
    """What an earlier attempt made; None when surely nothing came of it.

    :raises TryLater: it may still appear there.  :raises NotFound: it was made, and is gone."""
    if lease is not None:
        means.ensure_time(lease)
    if link.key is not None:
        return gateway.connector.fetch(link.key, known=())
    found = gateway.connector.find(intent.token, intent.at)
    if isinstance(found, RemoteTicket):
        return found
    at = means.clock()
    certain_at = intent.at + gateway.connector.capabilities.search_lag + means.request_deadline
    if found is Lookup.UNKNOWN or at < certain_at:
        raise TryLater("an earlier create may still appear there", certain_at, at)
    return None


def _intend_to_create(means: Means, gateway: Gateway, past: Past, lease: Lease) -> tuple[Past, Intent]:
    """Commit what is about to be created; a repeated attempt keeps its token, so that a late one is recognised."""
    past = reread(means.store, past)
    earlier = next((i for i in past.link.intents if i.kind is IntentKind.CREATE), None)
    wrote = fields_to_create(gateway, past.ticket)
    token = earlier.token if earlier else means.tokens.ticket(past.words)
    intent = Intent(IntentKind.CREATE, token, means.clock(), wrote=wrote, epoch=lease.epoch)

    def commit(tx: Transaction) -> Past:
        tx.outbox.check(lease, means.clock())
        ensure_permitted(tx, gateway.system, past.ticket.id, means.clock())
        intents = (*without(past.link.intents, intent), intent)
        tx.links.save(past.link.evolve(intents=intents))
        return read_past(tx, past.link.evolve(intents=intents))

    return means.store.write(commit), intent


def fields_to_create(gateway: Gateway, ticket: Ticket) -> dict[str, Pair]:
    """What our ticket is there when it is made, by our field name."""
    wrote: dict[str, Pair] = {}
    for field in gateway.mapping.fields.values():
        if field.carries is Carries.INWARD:
            continue
        ours = ticket[field.central]
        try:
            wrote[field.central] = Pair(ours, field.rule.outward(ours, held=None))
        except Untranslatable:
            continue  # the first look states it as a standing disagreement, with the rule's own words
    return wrote | dict(born_with(wrote, gateway.mapping).wrote)


def sent_at_birth(gateway: Gateway, wrote: Mapping[str, Pair]) -> dict[str, Value]:
    """What a create says beside the constants, by their field name. What is reached by way of other values is not said:
    their ticket begins as they begin, and the first push goes on from there."""
    fields = gateway.mapping.fields
    given = {name: pair for name, pair in wrote.items() if pair.theirs is not None}
    said = {fields[n].remote: pair.theirs for n, pair in given.items() if not fields[n].walks(pair.theirs)}
    return {**born_with(wrote, gateway.mapping).said, **said}


def _bind(
    means: Means,
    gateway: Gateway,
    past: Past,
    intent: Intent,
    theirs: Reading,
    lease: Lease,
    *,
    edits: Sequence[echo.Entry] | None,
) -> Past:
    """The ticket is there: settle the create. `edits`: its history, where it was found after the fact."""
    found = theirs.ticket

    def settle(tx: Transaction) -> Past:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = settle_create(
            past.link, intent, found.key, found.address, found.fields, gateway.mapping, at, edits=edits
        )
        tx.links.save(link)
        data = {"key": found.key, "address": found.address}
        why = f"its unit {past.ticket['unit']!r} belongs to {gateway.system}"
        event = Event(Kind.LINKED, past.ticket.id, at, SYSTEM, system=gateway.system, data=data, why=why)
        tx.tickets.record([event])
        return read_past(tx, link)

    past = means.store.write(settle, durable=False)
    for name, pair in intent.wrote.items():
        whole = gateway.mapping.fields[name].rule.spill(pair.ours)
        if whole is not None:
            past = spill(means, gateway, past, whole, lease, wrote_at=intent.at)
    return past
