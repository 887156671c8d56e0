"""The engine's one decision step, given everything that is known; and how far a reading carries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from central.events import Event, Kind
from central.link import Intent, IntentKind, Link, Pair
from central.model import Value
from sync import echo
from sync.gateway import Gateway
from sync.means import Means
from sync.past import Past
from sync.plan import Evidence, Plan, Step
from sync.policy import ChangeTime, Times, admit
from sync.reading import LONGEST_REQUEST, Reading, racy_window, row_version
from sync.reconcile import reconcile
from sync.settle import settle_look


def decide(
    gateway: Gateway, past: Past, theirs: Reading, *, events: Sequence[Event] = (), overtaken: bool = False
) -> Plan:
    """What is to be done about every mapped field: the pure `reconcile` on this reading.

    `events`: the ticket's history at the centre, for the policy `newest`. `overtaken`: the past may be newer than this
    reading."""
    entries, arrived = theirs.history or (), echo.landings(past.link, theirs.marks)
    hidden, _ = hidden_edits(gateway, past, theirs)
    said = {**theirs.ticket.fields, **{name: each.said for name, each in hidden.items()}}
    evidence = Evidence(
        landed=echo.landed(past.link, entries, gateway.mapping),
        by_people=echo.set_by_people(past.link, entries, arrived, LONGEST_REQUEST, gateway.mapping),
        stale=echo.stale(past.link, entries, gateway.mapping),
        times=_times(gateway, theirs, events),
        taken_back=_taken_back(gateway, past, theirs),
        overtaken=overtaken,
    )
    plan = reconcile(
        past.link.evolve(intents=_as_far_as_arrived(past.link.intents, theirs)),
        past.ticket.fields,
        said,
        mapping=gateway.mapping,
        policy=gateway.policy,
        admit=admit,
        evidence=evidence,
    )
    return Plan(tuple(_as_shown(step, gateway, hidden) for step in plan.steps)) if hidden else plan


def _as_shown(step: Step, gateway: Gateway, hidden: Mapping[str, echo.Swallowed]) -> Step:
    """The decision on a hidden edit, with what the tracker made of it as the base: that was set by nobody, so the next
    look undoes it, and who sets the same again has said something."""
    field = gateway.mapping.fields[step.name]
    edit, canonical = hidden.get(field.remote), field.rule.canonical_theirs
    if edit is None or step.base is None or canonical(step.base.theirs) != canonical(edit.said):
        return step
    return step._replace(base=Pair(step.base.ours, edit.shown))


def _as_far_as_arrived(intents: Sequence[Intent], theirs: Reading) -> tuple[Intent, ...]:
    """The intents, with nothing expected of comments that a reading of the conversation does not show: what has not
    arrived there has done nothing to a field yet."""
    if theirs.ticket.comments is None:
        return tuple(intents)
    return tuple(
        i if i.done or not i.side_effects or echo.arrived(theirs.marks, i) else replace(i, side_effects={})
        for i in intents
    )


def hidden_edits(gateway: Gateway, past: Past, theirs: Reading) -> tuple[dict[str, echo.Swallowed], dict[str, Value]]:
    """Edits that a side effect of a comment of ours hides from this reading, by their field name; and those that are
    replaced already."""
    arrived = echo.landings(past.link, theirs.marks)
    return echo.swallowed(past.link, theirs.history or (), arrived, gateway.comment_effects, LONGEST_REQUEST)


def _taken_back(gateway: Gateway, past: Past, theirs: Reading) -> dict[str, Value]:
    """What a comment of ours had made of fields that people have set anew since, by our field name."""
    if not gateway.comment_effects:
        return {}
    arrived, entries = echo.landings(past.link, theirs.marks), theirs.history or ()
    return echo.taken_back(past.link, entries, arrived, gateway.comment_effects, LONGEST_REQUEST, gateway.mapping)


def with_latecomers(gateway: Gateway, past: Past, theirs: Reading) -> Past:
    """The past, with those comments of ours that no intent accounts for: they executed later than any request may.

    What they did to fields there is our doing still."""
    known, awaited = past.known, [intent for intent in past.link.intents if not intent.done]
    late = [m for m in theirs.marks if m.own and m.token and m.id not in known and echo.own_comment(m, awaited) is None]
    if not late or not gateway.comment_effects:
        return past
    before, expected = echo.expected_effects(gateway.comment_effects, past.link.seen)
    intents = tuple(
        Intent(IntentKind.COMMENT, "", mark.at, before=before, side_effects=expected, done=True, landed_at=mark.at)
        for mark in late
    )
    return replace(past, link=past.link.evolve(intents=(*past.link.intents, *intents)))


def events_for(means: Means, gateway: Gateway, past: Past) -> Sequence[Event]:
    """The ticket's history at the centre, where some field's conflicts are decided by the time of the change."""
    if not any(gateway.policy.rule(name) == "newest" for name in gateway.mapping.fields):
        return ()
    return means.store.read(lambda tx: tx.tickets.events(past.ticket.id))


def wants_history(gateway: Gateway, plan: Plan, theirs: Reading) -> bool:
    """Whether whose edit is the newest is told by their history alone, which this reading does not show."""
    if theirs.history is not None or not gateway.connector.capabilities.history:
        return False
    return any(step.loser is not None and gateway.policy.rule(step.name) == "newest" for step in plan.steps)


def _times(gateway: Gateway, theirs: Reading, events: Sequence[Event]) -> dict[str, Times]:
    """When each side last changed the fields that `newest` decides, as far as both histories tell."""
    found: dict[str, Times] = {}
    offset = clock_offset(theirs)
    for name, field in gateway.mapping.fields.items():
        if gateway.policy.rule(name) != "newest" or offset is None:
            continue
        changed = [e.at for e in events if e.kind is Kind.FIELD_CHANGED and e.field == name]
        edited = [e.at for e in theirs.history or () if e.field == field.remote and not e.own]
        if changed and edited:
            slack = gateway.connector.capabilities.granularity
            found[name] = Times(ChangeTime(changed[-1]), ChangeTime(edited[-1] - offset, slack))
    return found


def clock_offset(theirs: Reading) -> timedelta | None:
    """How far their clock is ahead of ours; None where their answers do not tell."""
    if theirs.ticket.read_at is None or theirs.asked_at is None:
        return None
    return theirs.ticket.read_at - theirs.asked_at


def read_up_to(link: Link, gateway: Gateway, theirs: Reading, *, unread: bool) -> Link:
    """Move the version where this reading showed the whole conversation; `unread`: not all of it is accounted for."""
    ticket = theirs.ticket
    if theirs.asked_at is None or unread:
        return link
    if ticket.comments is None and ticket.version != link.version:
        return link
    return settle_look(link, ticket.version, row_version(ticket), theirs.asked_at, window=racy_window(gateway, ticket))
