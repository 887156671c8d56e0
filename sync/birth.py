"""A key that no link holds: our own create on its way, a late twin of one, or a ticket born there."""

from central.delivery import Lease
from central.events import Event, Kind
from central.link import IntentKind, Link, LinkState, Pair
from central.model import DEFAULTS, SYSTEM, Value
from central.store.api import Transaction
from connectors.api import RemoteTicket
from mappings.model import Carries, Untranslatable
from sync import routing
from sync.absorb import absorb, consequences
from sync.decide import decide, read_up_to
from sync.gateway import Gateway
from sync.intake import read_intake
from sync.means import Means, Outcome, said
from sync.past import read_past
from sync.plan import Plan
from sync.policy import admit
from sync.reading import Reading, gone_by_value
from sync.recording import person
from sync.settle import mapped


def meet(means: Means, gateway: Gateway, theirs: Reading, lease: Lease) -> Outcome:
    """Find out whose ticket this is, and take it in if it is theirs."""
    system, ticket = gateway.system, theirs.ticket
    for alias in ticket.aliases:
        if means.store.read(lambda tx, alias=alias: tx.links.find_by_key(system, alias)) is not None:  # type: ignore[misc]  # bound now
            return _renamed(means, gateway, alias, ticket)
    if ticket.token:
        token = ticket.token
        owner = means.store.read(lambda tx: tx.links.find_intent(system, token))
        if owner is not None and ticket.own:
            return _own(means, gateway, owner, ticket, lease)
    gone = gone_by_value(gateway, ticket)
    if gone:
        return said(f"not taken in: {gone}")
    return _birth(means, gateway, theirs, lease)


def _renamed(means: Means, gateway: Gateway, alias: str, theirs: RemoteTicket) -> Outcome:
    """It is linked under a key that it bore before: a look at that one, under the link's own lease, follows it."""
    reason = f"ticket {alias} is now ticket {theirs.key} there"
    means.store.write(lambda tx: means.relay.owe_inward(tx, gateway.system, alias, means.clock(), reason=reason))
    return said(reason)


def expect(means: Means, gateway: Gateway, owner: Link) -> Outcome:
    """Our own create is seen there before its answer was: the push that made it settles it."""

    def wake(tx: Transaction) -> None:
        reason = "our own create has appeared there"
        means.relay.owe_outward(tx, (gateway.system,), owner.ticket_id, means.clock(), reason=reason)

    means.store.write(wake, durable=False)
    return said(f"our own create of ticket {owner.ticket_id}; its push settles it")


def _own(means: Means, gateway: Gateway, owner: Link, theirs: RemoteTicket, lease: Lease) -> Outcome:
    if owner.state is LinkState.PENDING and any(intent.kind is IntentKind.CREATE for intent in owner.intents):
        return expect(means, gateway, owner)

    def change(tx: Transaction) -> bool:
        at = means.clock()
        tx.outbox.check(lease, at)
        if tx.links.find_by_key(gateway.system, theirs.key) is not None:
            return False
        tx.links.create(
            Link(0, owner.ticket_id, gateway.system, LinkState.DUPLICATE, theirs.key, theirs.address, created_at=at)
        )
        again = owner.state is not LinkState.PENDING
        why = f"a create of ours arrived there {'a second time' if again else 'after it had been given up'}"
        data = {"key": theirs.key}
        event = Event(Kind.DUPLICATE_SEEN, owner.ticket_id, at, SYSTEM, system=gateway.system, data=data, why=why)
        tx.tickets.record([event])
        return True

    if means.store.write(change, durable=False):
        return said(f"a late duplicate of ticket {owner.ticket_id}: linked as such, never synchronised")
    return said("its own push has settled it meanwhile")


def _birth(means: Means, gateway: Gateway, theirs: Reading, lease: Lease) -> Outcome:
    there = theirs.ticket
    fields, base, untold = born_fields(gateway, there)
    intake = read_intake(means, gateway, None, theirs, lease)

    def change(tx: Transaction) -> tuple[int, Link]:
        at = means.clock()
        tx.outbox.check(lease, at)
        ticket = tx.tickets.create(fields, at, born_in=gateway.system)
        link = tx.links.create(
            Link(
                0,
                ticket.id,
                gateway.system,
                LinkState.ACTIVE,
                key=there.key,
                address=there.address,
                base=base,
                seen=mapped(there.fields, gateway.mapping),
                disagreements=untold,
                standing_since=dict.fromkeys(untold, at),
                mapping_revision=gateway.mapping.revision,
                created_at=at,
                agreed_at=at,
                birth=True,
            )
        )
        who = person(there.created_by, gateway.system)
        tx.tickets.record(
            [
                Event(
                    Kind.TICKET_CREATED,
                    ticket.id,
                    at,
                    who,
                    system=gateway.system,
                    data={"key": there.key, "fields": sorted(fields)},
                    why=f"opened in {gateway.system}; mapping {gateway.mapping.name} "
                    f"(revision {gateway.mapping.revision})",
                ),
                Event(Kind.LINKED, ticket.id, at, SYSTEM, system=gateway.system, data={"key": there.key}),
            ]
        )
        past = read_past(tx, link)
        plan = decide(gateway, past, theirs)
        ticket, link = absorb(tx, means, gateway, past, theirs, Plan(()), at, intake=intake)
        link = read_up_to(link.standing(untold, at), gateway, theirs, unread=False)
        tx.links.save(link)
        target = routing.system_of(ticket["unit"], means.units())
        means.relay.owe_outward(
            tx, routing.owed((), target, source=gateway.system), ticket.id, at, reason=f"opened in {gateway.system}"
        )
        if plan.outward:
            means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason="the centre completed the ticket")
        return ticket.id, link

    ticket_id, _ = means.store.write(change, durable=False)
    return said(f"ticket {ticket_id} created from {there.key}")


def born_fields(gateway: Gateway, theirs: RemoteTicket) -> tuple[dict[str, Value], dict[str, Pair], dict[str, str]]:
    """Our fields of a ticket born there, their base, and what could not be told."""
    fields: dict[str, Value] = dict(DEFAULTS)
    base: dict[str, Pair] = {}
    untold: dict[str, str] = {}
    for field in gateway.mapping.fields.values():
        if field.remote not in theirs.fields or field.carries is Carries.OUTWARD:
            continue
        value = theirs.fields[field.remote]
        try:
            ours = field.rule.inward(value, held=None)
        except Untranslatable as problem:
            untold[field.central] = str(problem)
            continue
        admission = admit(field.central, None, ours)
        if admission.refusal:
            untold[field.central] = admission.refusal
            continue
        if ours is not None or field.central not in DEFAULTS:
            fields[field.central] = ours
        base[field.central] = Pair(ours, value)
    fields.setdefault("subject", f"(no subject; {gateway.system} {theirs.key})")
    if fields.get("submitter") is None and theirs.created_by is not None:
        fields["submitter"] = theirs.created_by.email or theirs.created_by.name or theirs.created_by.key
    if "unit" not in base:
        fields.update(consequences(fields, {"unit": gateway.birth_unit}))
    return fields, base, untold
