"""Inward: a hint says "look at this key"; the truth is fetched, reconciled and absorbed in one transaction.

Nothing is ever written to a remote from here: what the plan wants written becomes an outward delivery.
"""

from datetime import timedelta

from central.events import Event, Kind
from central.link import Link, LinkState, Pair
from central.model import DEFAULTS, SYSTEM, Value
from central.store.api import Lease, StaleRevision, Transaction
from connectors.api import RemoteTicket, VersionStrength
from connectors.errors import NotFound
from mappings.model import Carries, Untranslatable
from sync import echo, routing
from sync.absorb import Intake, absorb, consequences, history, person
from sync.gateway import Gateway
from sync.intake import read_intake
from sync.means import Means, Outcome, said
from sync.past import Past, read_past
from sync.policy import admit
from sync.reconcile import Plan, reconcile
from sync.settle import mapped, settle_look

_DECISIONS = 5
"""How often a decision is made again when the centre moves under it, before the delivery waits its turn."""


def pull(means: Means, gateway: Gateway, key: str, lease: Lease, *, row: RemoteTicket | None = None) -> Outcome:
    """Look at one ticket there. `row` is its whole state where the list row carried it.

    :raises ConnectorError: by remedy; nothing was changed."""

    def question(tx: Transaction) -> Past | None:
        link = tx.links.find_by_key(gateway.system, key)
        return read_past(tx, link) if link else None

    past = means.store.read(question)
    if past is not None and past.link.state is LinkState.DUPLICATE:
        return said("a late duplicate of our own create: shown, never synchronised")
    if past is not None and past.link.state is LinkState.DETACHED:
        return said("detached: both directions are stopped")
    try:
        theirs = row if row is not None else _fetch(gateway, key, past)
    except NotFound:
        return said("no such ticket there") if past is None else lose(means, gateway, past, lease, "it is gone there")
    if past is None:
        return _meet(means, gateway, theirs, lease)
    gone = gone_by_value(gateway, theirs)
    if gone:
        return lose(means, gateway, past, lease, gone, theirs)
    return look(means, gateway, past, theirs, lease)[0]


def _fetch(gateway: Gateway, key: str, past: Past | None) -> RemoteTicket:
    strong = gateway.connector.capabilities.version is VersionStrength.STRONG
    version = past.link.version if past is not None and strong and past.link.state is LinkState.ACTIVE else None
    return gateway.connector.fetch(key, known=past.known if past else frozenset(), version=version or None)


def look(means: Means, gateway: Gateway, past: Past, theirs: RemoteTicket, lease: Lease) -> tuple[Outcome, Past]:
    """Absorb a ticket as read, comments included, and tell what was new; with the past as it is afterwards."""
    intake = read_intake(means, gateway, past, theirs)
    for attempt in range(_DECISIONS):
        plan = decide(gateway, past, theirs)

        def change(tx: Transaction, past: Past = past, plan: Plan = plan) -> Link:
            at = means.clock()
            tx.outbox.check(lease, at)
            ticket, link = absorb(tx, means, gateway, past, theirs, plan, at, intake=intake)
            if past.link.state is LinkState.LOST:
                tx.tickets.record(
                    [Event(Kind.RESUMED, ticket.id, at, SYSTEM, system=gateway.system, why="the ticket is there again")]
                )
            link = settle_look(link, theirs.version, row_version(theirs), at, window=racy_window(gateway, theirs))
            if plan.outward:
                means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason="a look found something to write")
            if plan.quiet and not link.intents:
                link = link.evolve(agreed_at=at)
            tx.links.save(link)
            return link

        try:
            means.store.write(change)
        except StaleRevision:
            if attempt == _DECISIONS - 1:
                raise
            past = reread(means, past)
            continue
        return _told(plan, intake, theirs), reread(means, past)
    raise AssertionError("unreachable: the loop returns or raises")


def decide(gateway: Gateway, past: Past, theirs: RemoteTicket) -> Plan:
    """The engine's one decision step: the pure `reconcile`, given everything that is known."""
    proven = echo.landed(past.link.intents, history(theirs), gateway.mapping)
    return reconcile(
        past.link,
        past.ticket.fields,
        theirs.fields,
        mapping=gateway.mapping,
        policy=gateway.policy,
        admit=admit,
        landed=proven,
    )


def row_version(theirs: RemoteTicket) -> str:
    """The version that a list row of this state would show."""
    return theirs.version if theirs.row_version is None else theirs.row_version


def racy_window(gateway: Gateway, theirs: RemoteTicket) -> timedelta | None:
    """How long this state's row version may hide a second change; None: not at all."""
    capabilities = gateway.connector.capabilities
    if capabilities.row_version is VersionStrength.STRONG:
        return None
    window = capabilities.granularity + capabilities.search_lag
    passed = theirs.read_at is not None and theirs.changed_at is not None
    if passed and theirs.read_at - theirs.changed_at > window:  # type: ignore[operator]  # both are known here
        return None
    return window


def gone_by_value(gateway: Gateway, theirs: RemoteTicket) -> str:
    """Why their fields mean that the ticket is gone; '' when they do not."""
    for name, values in gateway.mapping.lost_when.items():
        if theirs.fields.get(name) in values:
            return f"its {name} is {theirs.fields[name]!r}"
    return ""


def lose(
    means: Means, gateway: Gateway, past: Past, lease: Lease, why: str, theirs: RemoteTicket | None = None
) -> Outcome:
    """Mark the link lost: nothing is deleted here, nothing is created anew there. `theirs`: what still shows there."""

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        link = past.link.evolve(state=LinkState.LOST, last_error=why, intents=())
        if theirs is not None:
            window = racy_window(gateway, theirs)
            link = settle_look(link, theirs.version, row_version(theirs), at, window=window)
        tx.links.save(link)
        if past.link.state is not LinkState.LOST:
            tx.tickets.record([Event(Kind.LINK_LOST, past.ticket.id, at, SYSTEM, system=gateway.system, why=why)])

    means.store.write(change)
    return said(f"link lost: {why}")


def reread(means: Means, past: Past) -> Past:
    """The past as it is now."""

    def question(tx: Transaction) -> Past:
        link = tx.links.find(past.link.ticket_id, past.link.system)
        assert link is not None, "links are never deleted"
        return read_past(tx, link)

    return means.store.read(question)


def _told(plan: Plan, intake: Intake, theirs: RemoteTicket) -> Outcome:
    done = [f"{name} taken: {value!r}" for name, value in plan.inward.items()]
    done += [f"comment {i} taken" for i in intake.arrivals.new]
    done += [f"comment {i} is our own" for i in intake.arrivals.landed]
    done += [f"{name} disagrees: {reason}" for name, reason in plan.standing.items()]
    done += [f"{step.name} is to be written" for step in plan.outward]
    return Outcome(tuple(done) or (f"nothing new at version {theirs.version}",))


def _meet(means: Means, gateway: Gateway, theirs: RemoteTicket, lease: Lease) -> Outcome:
    """A key that no link holds: our own create on its way, a late twin of one, or a ticket born there."""
    system = gateway.system
    if theirs.token:
        token = theirs.token
        owner = means.store.read(lambda tx: tx.links.find_intent(system, token))
        if owner is not None and theirs.own:
            return _own(means, gateway, owner, theirs, lease)
    gone = gone_by_value(gateway, theirs)
    if gone:
        return said(f"not taken in: {gone}")
    return _birth(means, gateway, theirs, lease)


def _own(means: Means, gateway: Gateway, owner: Link, theirs: RemoteTicket, lease: Lease) -> Outcome:
    if owner.state is LinkState.PENDING:

        def wake(tx: Transaction) -> None:
            means.relay.owe_outward(
                tx, (gateway.system,), owner.ticket_id, means.clock(), reason="our own create has appeared there"
            )

        means.store.write(wake)
        return said(f"our own create of ticket {owner.ticket_id}; its push settles it")

    def change(tx: Transaction) -> None:
        at = means.clock()
        tx.outbox.check(lease, at)
        tx.links.create(
            Link(
                0,
                owner.ticket_id,
                gateway.system,
                LinkState.DUPLICATE,
                key=theirs.key,
                address=theirs.address,
                created_at=at,
            )
        )
        tx.tickets.record(
            [
                Event(
                    Kind.DUPLICATE_SEEN,
                    owner.ticket_id,
                    at,
                    SYSTEM,
                    system=gateway.system,
                    data={"key": theirs.key},
                    why="a create of ours arrived there a second time",
                )
            ]
        )

    means.store.write(change)
    return said(f"a late duplicate of ticket {owner.ticket_id}: linked as such, never synchronised")


def _birth(means: Means, gateway: Gateway, theirs: RemoteTicket, lease: Lease) -> Outcome:
    fields, base, untold = born_fields(gateway, theirs)
    intake = read_intake(means, gateway, None, theirs)

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
                key=theirs.key,
                address=theirs.address,
                base=base,
                seen=mapped(theirs.fields, gateway.mapping),
                disagreements=untold,
                mapping_revision=gateway.mapping.revision,
                created_at=at,
                agreed_at=at,
                birth=True,
            )
        )
        who = person(theirs.created_by, gateway.system)
        tx.tickets.record(
            [
                Event(
                    Kind.TICKET_CREATED,
                    ticket.id,
                    at,
                    who,
                    system=gateway.system,
                    data={"key": theirs.key, "fields": sorted(fields)},
                    why=f"opened in {gateway.system}; mapping {gateway.mapping.name} "
                    f"(revision {gateway.mapping.revision})",
                ),
                Event(Kind.LINKED, ticket.id, at, SYSTEM, system=gateway.system, data={"key": theirs.key}),
            ]
        )
        past = read_past(tx, link)
        plan = decide(gateway, past, theirs)
        ticket, link = absorb(tx, means, gateway, past, theirs, Plan(()), at, intake=intake)
        link = settle_look(
            link.evolve(disagreements=untold),
            theirs.version,
            row_version(theirs),
            at,
            window=racy_window(gateway, theirs),
        )
        tx.links.save(link)
        target = routing.system_of(ticket["unit"], means.units())
        means.relay.owe_outward(
            tx, routing.owed((), target, source=gateway.system), ticket.id, at, reason=f"opened in {gateway.system}"
        )
        if plan.outward:
            means.relay.owe_outward(tx, (gateway.system,), ticket.id, at, reason="the centre completed the ticket")
        return ticket.id, link

    ticket_id, _ = means.store.write(change)
    return said(f"ticket {ticket_id} created from {theirs.key}")


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
