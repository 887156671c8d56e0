"""The mass-change guard: a partner that suddenly closes, loses or changes far more tickets than it usually does is held
and asked about, before anything of it is taken in.

Tickets are counted, not edits: one ticket once per kind within the window. Absence is never evidence; it is counted
here only after the tracker itself has said of a key that it is gone, or where a whole listing is without it.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from central import workflow
from central.delivery import Lane
from central.guard import Hold, HoldKind, HoldState, Suspect
from central.link import Pair, Refusal
from central.model import plain
from central.store.api import Transaction
from mappings.model import Rule, Untranslatable
from sync.gateway import Gateway
from sync.guards import holds
from sync.guards.suspicion import Suspicion, tell_of, tell_of_end
from sync.guards.usual import HOUR, REMEMBERED, hour_of, lately, most
from sync.means import Means
from sync.merging import merges
from sync.past import Past
from sync.plan import Loser, Plan, Step, Verdict
from sync.policy import Winner
from sync.reading import Reading

GRACE = timedelta(hours=24)
"""For so long after an approval nothing of its kind is asked about again."""
SAMPLE = timedelta(seconds=30)
"""While many looks are owed at once, a closing waits so long at a time until it is known how many there are."""
SAMPLED = timedelta(minutes=5)
"""After this it has waited long enough."""
SHOWN = 50
"""How many keys an evidence names."""


def judge(
    tx: Transaction, means: Means, gateway: Gateway, past: Past, theirs: Reading, plan: Plan, at: datetime
) -> tuple[Plan, dict[str, Refusal]]:
    """Before the inward part of a plan is taken in: the plan that may be, and what is not to be written back.

    :raises Suspicion: it has to wait."""
    read = theirs.asked_at is not None
    if gateway.marker is not None and read and _resynchronised(tx, gateway, past, at):
        return _overruled(
            plan, "the system went back to an earlier state, and ours was approved", gateway, at, write_back=True
        )
    taken = {s.name: plain(s.theirs) for s in plan.steps if s.verdict is Verdict.INWARD and s.name in past.link.base}
    if not taken:
        return plan, {}
    kind = HoldKind.CLOSING if _closes(past, plan) else HoldKind.CHANGE
    if kind not in means.guards:
        return plan, {}
    # what was read there after it, and taken in, shows that it did not stand any more: the same again is another change
    since = past.link.read_at.isoformat() if past.link.read_at else None
    suspect = Suspect(gateway.system, kind, past.ticket.id, at, {"taken": taken, "since": since})
    last = tx.guards.latest(kind, gateway.system)
    if last is not None and last.state is HoldState.REJECTED:
        known = tx.guards.find_suspect(gateway.system, kind, past.ticket.id)
        if known is not None and known.at <= _decided(last) and known.data == suspect.data:
            tx.guards.acquit(gateway.system, kind, ticket_id=past.ticket.id, before=at + HOUR)
            reason = f"{last.decided_by} has rejected it (hold {last.id}): {last.reason}"
            return _overruled(plan, reason, gateway, at, write_back=bool(last.evidence.get("write_back")))
    _weigh(tx, gateway, suspect, last, at, what=_TOLD[kind], key=past.link.key or "")
    return plan, {}


def ensure_ordinary_loss(tx: Transaction, means: Means, gateway: Gateway, past: Past, at: datetime) -> None:
    """Before a link is marked lost.  :raises Suspicion: too many are."""
    if HoldKind.LOSS not in means.guards:
        return
    suspect = Suspect(gateway.system, HoldKind.LOSS, past.ticket.id, at, {})
    last = tx.guards.latest(HoldKind.LOSS, gateway.system)
    _weigh(tx, gateway, suspect, last, at, what=_TOLD[HoldKind.LOSS], key=past.link.key or "")


def may_be_missing(means: Means, gateway: Gateway, missing: Collection[str], listed: int, asked_at: datetime) -> bool:
    """Whether a listing without these keys, begun at `asked_at`, can be believed enough to ask for each of them.

    Else it is held. A hold that an earlier listing made then speaks of this one; it is withdrawn by a listing that can
    be believed."""
    kind, system = HoldKind.LOSS, gateway.system
    if kind not in means.guards:
        return True
    known = means.store.read(lambda tx: tx.guards.latest(kind, system))
    if len(missing) <= gateway.guard.losses and _made_by_an_earlier(known, asked_at) is None:
        return True

    def change(tx: Transaction) -> tuple[Hold | None, Hold | None]:
        """The last hold before it, and the one that stands or has just been withdrawn after it."""
        at, last = means.clock(), tx.guards.latest(kind, system)
        earlier = _made_by_an_earlier(last, asked_at)
        then = at if earlier is None else earlier.opened_at  # what was suspected meanwhile makes nothing usual
        ordinary = most(tx.guards.rates(system, kind, then - REMEMBERED), then, kind, gateway.guard)
        if _in_grace(last, at) or len(missing) <= ordinary:
            without = f"is without {len(missing)} of those that we know" if missing else "has them all"
            return last, None if earlier is None else holds.withdraw(tx, means, earlier, f"a later one {without}", at)
        reason = f"{system} lists {listed} tickets, and {len(missing)} that we know are not among them"
        evidence = {"unlisted": len(missing), "listed": listed, "keys": sorted(missing)[:SHOWN]}
        if earlier is None:
            return last, tx.guards.hold(Hold(0, kind, system, reason, at, evidence=evidence))
        tx.guards.note(earlier.id, evidence, reason=reason)
        return last, earlier

    last, hold = means.store.write(change)
    if hold is None:
        return True
    if hold.state is HoldState.WITHDRAWN:
        tell_of_end(hold)
        holds.wake(means, hold)
    elif last is None or hold.id != last.id:
        tell_of(hold)
    return hold.state is HoldState.WITHDRAWN


def _made_by_an_earlier(last: Hold | None, asked_at: datetime) -> Hold | None:
    """The open hold that a listing has made before this one was begun."""
    if last is None or last.state is not HoldState.OPEN or "unlisted" not in last.evidence:
        return None
    return last if last.opened_at <= asked_at else None


_TOLD = {
    HoldKind.CLOSING: "closed",
    HoldKind.LOSS: "lost",
    HoldKind.CHANGE: "changed",
}


def _closes(past: Past, plan: Plan) -> bool:
    become = plan.inward.get("status")
    return become is not None and past.ticket["status"] in workflow.OPEN and become not in workflow.OPEN


def _weigh(
    tx: Transaction, gateway: Gateway, suspect: Suspect, last: Hold | None, at: datetime, *, what: str, key: str
) -> None:
    """Count a ticket.  :raises Suspicion: it is one too many, or it is not known yet how many there are."""
    system, kind, limits = suspect.system, suspect.kind, gateway.guard
    _count(tx, suspect, last)

    def record(tx: Transaction) -> None:
        _count(tx, suspect, last)

    if last is not None and last.state is HoldState.OPEN:
        raise Suspicion(f"held by a guard (hold {last.id}): {last.reason}", record)
    if _in_grace(last, at):
        return
    number = lately(tx.guards.rates(system, kind, hour_of(at) - HOUR), at)
    least = limits.least(kind)
    if number > least:
        ordinary = most(tx.guards.rates(system, kind, at - REMEMBERED), at, kind, limits)
        if number > ordinary:
            reason = f"{system} has {what} {number} tickets within two hours; up to {ordinary} are ordinary"
            evidence = {"number": number, "ordinary": ordinary, "first": key}
            hold = Hold(0, kind, system, reason, at, evidence=evidence)

            def open_hold(tx: Transaction) -> Hold:
                _count(tx, suspect, last)
                return tx.guards.hold(hold)

            raise Suspicion(reason, open_hold)
    elif kind is not HoldKind.CHANGE and tx.outbox.waiting(system, Lane.LIVE, most=least + 1) > least:
        known = tx.guards.find_suspect(system, kind, suspect.ticket_id)
        if known is not None and at - known.at < SAMPLED:
            told = f"{what} there, among many looks that are owed: it waits until it is known how many are"
            raise Suspicion(told, record, again_at=at + SAMPLE)


def _count(tx: Transaction, suspect: Suspect, last: Hold | None) -> None:
    """Count a ticket once; as a new hour begins, forget what is out of date. What a rejection was not about counts
    anew after it, and what waited for a hold that was withdrawn."""
    if last is not None and last.state in (HoldState.REJECTED, HoldState.WITHDRAWN):
        tx.guards.acquit(suspect.system, suspect.kind, ticket_id=suspect.ticket_id, before=_decided(last))
    if not tx.guards.suspect(suspect):
        return
    hour = hour_of(suspect.at)
    tx.guards.add_to_rate(suspect.system, suspect.kind, hour)
    if tx.guards.rates(suspect.system, suspect.kind, hour) == [(hour, 1)]:
        tx.guards.drop_rates(suspect.system, suspect.kind, before=hour - REMEMBERED)
        judged = last is None or (last.decided_at is not None and last.decided_at < hour - REMEMBERED)
        if judged or (last is not None and last.state in (HoldState.APPROVED, HoldState.WITHDRAWN)):
            tx.guards.acquit(suspect.system, suspect.kind, before=hour - HOUR)


def _in_grace(last: Hold | None, at: datetime) -> bool:
    return last is not None and last.state is HoldState.APPROVED and at < _decided(last) + GRACE


def _decided(hold: Hold) -> datetime:
    return hold.decided_at or hold.opened_at


def _resynchronised(tx: Transaction, gateway: Gateway, past: Past, at: datetime) -> bool:
    """Whether this is the first reading of a ticket since its system was released with ours to be written."""
    if tx.guards.find_suspect(gateway.system, HoldKind.COPY, past.ticket.id) is None:
        return False
    tx.guards.acquit(gateway.system, HoldKind.COPY, ticket_id=past.ticket.id, before=at + HOUR)
    return True


def _overruled(
    plan: Plan, reason: str, gateway: Gateway, at: datetime, *, write_back: bool
) -> tuple[Plan, dict[str, Refusal]]:
    """The plan with every edit that was rejected as a loser: kept, shown, and written over only if that was said."""
    rules = {name: field.rule for name, field in gateway.mapping.fields.items()}
    steps = tuple(_loses(s, rules[s.name], reason) if s.verdict is Verdict.INWARD else s for s in plan.steps)
    refusals = {}
    for step in plan.steps:
        if step.verdict is Verdict.INWARD and not write_back:
            try:
                wanted = rules[step.name].outward(step.ours, held=step.theirs)
            except Untranslatable:
                continue
            refusals[step.name] = Refusal(wanted, step.theirs, reason, gateway.mapping.revision, at)
    return Plan(steps), refusals


def _loses(step: Step, rule: Rule, reason: str) -> Step:
    loser = Loser(step.ours, step.theirs, Winner.CENTRAL, reason, rejected=True)
    stands = step.theirs if step.base is None else step.base.theirs  # a comment of ours may have hidden the edit
    # of a set the base is what theirs shows, so that nobody there has added what it has and ours lacks
    base = step.base if merges(rule) else Pair(step.ours, stands)
    return step._replace(verdict=Verdict.STANDING, why=reason, base=base, become=None, loser=loser)
