"""Pairing: tickets that people keep on both sides already are linked, by a field of theirs that names ours.

First every pair is found and compared, which a dry run ends with: pairs, ambiguous ones, and what has no twin on either
side. Then they are linked, and nothing is written anywhere. What agrees is the base; what differs is decided by the
policy, by an ordinary look at the end, or left standing until somebody touches it. What was said before is told to
nobody: where both sides say the same it is one comment, and the rest stays where it is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from central.delivery import Lane
from central.events import Event, Kind
from central.job import Job, JobRow, JobState
from central.link import Link, LinkState, Tie
from central.link import Pair as Agreement
from central.model import SYSTEM
from central.registry import SystemState
from central.store.api import NoSuch, Transaction
from connectors.api import Change, WriteKind
from connectors.errors import NotFound
from sync import discussion, intended, routing, wording
from sync.gateway import Gateway
from sync.jobs.api import PATIENCE, Take, crowded, finished, rested
from sync.jobs.backfill import window
from sync.jobs.clue import OURS, Clue
from sync.mails import mails
from sync.means import Means
from sync.past import Past
from sync.plan import LEFT_BY_PAIRING
from sync.reading import Reading, gone_by_value, reading
from sync.reconcile import corresponds
from sync.settle import mapped
from sync.twins import twins

PAGE = 20
"""Pairs per step: each is read there."""
OWED = 100
PAIR, LINKED, NO_TWIN, AMBIGUOUS, TAKEN = "pair", "linked", "no twin", "ambiguous", "taken"
_STAGES = ("match", "weigh", "compare", "link", "decide")


class Pair:
    """The kind `pair`. Its params: `by` (clues), `since`, `until`, `dry_run`, `notify`, `leave`."""

    writes = False

    def step(self, means: Means, gateway: Gateway, job: Job) -> Take:
        match job.position.get("stage", "match"):
            case "match":
                return _match(means, gateway, job)
            case "weigh":
                return _weigh(means, gateway, job)
            case "compare":
                return _compare(means, gateway, job)
            case "link":
                return _link(means, gateway, job)
        if means.store.read(lambda tx: crowded(tx, gateway)):
            return lambda _, now: rested(now, means.clock() + PATIENCE, "its looks are waiting to be carried out")
        return lambda tx, now: _decide(tx, means, gateway, now)


def _clues(job: Job) -> tuple[Clue, ...]:
    return tuple(Clue.read(each) for each in job.params["by"])


def _onward(job: Job, at: Any, **more: Any) -> Job:
    """The job after a page; `at` None: its stage is over."""
    stage = job.position.get("stage", _STAGES[0])
    if at is None:
        stage = _STAGES[_STAGES.index(stage) + 1]
    return replace(job, position={**job.position, "stage": stage, "at": at, **more})


# -- which are twins -------------------------------------------------------------------------------------------------


def _match(means: Means, gateway: Gateway, job: Job) -> Take:
    clues, at = _clues(job), job.position.get("at")
    if at is None:
        there = {field.name for field in gateway.connector.describe()}
        unknown = [clue.field for clue in clues if clue.field not in there]
        if unknown:
            told = f"there is no field {unknown[0]!r} there; there are {', '.join(sorted(there))}"
            return lambda _, now: replace(now, state=JobState.FAILED, error=told)
    page = gateway.connector.scan(at or "")
    within = window(job)
    listed = [change for change in page.changes if within.holds(change.changed_at)]
    known = means.store.read(lambda tx: {c.key for c in listed if tx.links.find_by_key(gateway.system, c.key)})
    mark = "" if gateway.marker is None else gateway.marker.ticket
    found = {c.key: _named(gateway, c, clues) for c in listed if c.key not in known and c.key != mark}

    def take(tx: Transaction, now: Job) -> Job:
        rows = [_row(tx, means, gateway, key, named) for key, named in found.items()]
        tx.jobs.add_rows(now.id, rows)
        pairs = sum(row.verdict == PAIR for row in rows)
        now = replace(now, total=(now.total or 0) + pairs)
        return _onward(now, page.cursor.position if page.more else None)

    return take


def _named(gateway: Gateway, change: Change, clues: Sequence[Clue]) -> list[tuple[Clue, str]]:
    """What the ticket there names, by each clue; it is read where the list does not show enough of it."""
    shown = change.fields or (change.ticket.fields if change.ticket else {})
    if any(clue.field not in shown for clue in clues):
        try:
            shown = gateway.connector.fetch(change.key).fields
        except NotFound:
            return []
    return [(clue, name) for clue in clues for name in clue.named(shown.get(clue.field))]


def _row(tx: Transaction, means: Means, gateway: Gateway, key: str, named: Sequence[tuple[Clue, str]]) -> JobRow:
    candidates: dict[int, str] = {}
    for clue, name in named:
        ticket_id = _ticket(tx, clue, name)
        if ticket_id is not None:
            candidates.setdefault(ticket_id, str(clue))
    if not candidates:
        return JobRow(key, NO_TWIN, {"names": sorted({name for _, name in named})} if named else {})
    if len(candidates) > 1:
        return JobRow(key, AMBIGUOUS, {"tickets": sorted(candidates)})
    ((ticket_id, by),) = candidates.items()
    link = tx.links.find(ticket_id, gateway.system)
    if link is not None:
        return JobRow(
            key, TAKEN, {"ticket": ticket_id, "why": f"it is linked to {link.key or 'one that is being made'}"}
        )
    if not _stays(tx, means, gateway, ticket_id):
        unit = tx.tickets.get(ticket_id)["unit"]
        return JobRow(key, TAKEN, {"ticket": ticket_id, "why": f"it is with {unit}, and another system's as well"})
    return JobRow(key, PAIR, {"ticket": ticket_id, "by": by})


def _ticket(tx: Transaction, clue: Clue, name: str) -> int | None:
    if clue.names != OURS:
        link = tx.links.find_by_key(clue.names, name)
        return link.ticket_id if link else None
    try:
        return tx.tickets.get(int(name)).id
    except NoSuch:
        return None


def _stays(tx: Transaction, means: Means, gateway: Gateway, ticket_id: int) -> bool:
    """Whether a link would last: its unit is there, or it can be the link of a ticket that was born there."""
    target = routing.system_of(tx.tickets.get(ticket_id)["unit"], means.units())
    return target == gateway.system or not tx.links.of(ticket_id)


def _weigh(means: Means, gateway: Gateway, job: Job) -> Take:
    """Two of theirs that name one of ours are ambiguous; and what of ours has no twin."""
    pairs = _all(means, job, PAIR)
    claims = Counter(row.data["ticket"] for row in pairs)
    doubtful = [row for row in pairs if claims[row.data["ticket"]] > 1]
    alone = means.store.read(lambda tx: _without_twin(tx, means, gateway, claims))

    def take(tx: Transaction, now: Job) -> Job:
        tx.jobs.add_rows(now.id, [replace(row, verdict=AMBIGUOUS) for row in doubtful])
        tx.jobs.add_rows(now.id, [JobRow(f"ticket {number}", NO_TWIN) for number in alone])
        return _onward(replace(now, total=len(pairs) - len(doubtful)), None)

    return take


def _all(means: Means, job: Job, verdict: str) -> list[JobRow]:
    found: list[JobRow] = []
    after = 0
    while rows := means.store.read(lambda tx, after=after: tx.jobs.rows(job.id, verdict=verdict, after=after)):  # type: ignore[misc]  # bound now
        found += rows
        after = rows[-1].id
    return found


def _without_twin(tx: Transaction, means: Means, gateway: Gateway, paired: Counter[int]) -> list[int]:
    found: list[int] = []
    before: int | None = None
    while tickets := tx.tickets.list(limit=200, before=before):
        for ticket in tickets:
            target = routing.system_of(ticket["unit"], means.units())
            if target == gateway.system and ticket.id not in paired and not tx.links.find(ticket.id, target):
                found.append(ticket.id)
        before = tickets[-1].id
    return found


# -- what they agree on ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paired:
    """A pair as it would be linked."""

    past: Past
    differs: tuple[str, ...]
    same: int
    """Comments that both sides have."""
    left: int
    """Comments and files that only one side has, and keeps to itself."""


def paired(tx: Transaction, means: Means, gateway: Gateway, ticket_id: int, theirs: Reading, *, leave: bool) -> Paired:
    """Both sides beside each other: what agrees is the base. `leave`: what differs is nobody's edit, either."""
    ticket, comments, files = tx.tickets.get(ticket_id), tx.tickets.comments(ticket_id), tx.tickets.files(ticket_id)
    base: dict[str, Agreement] = {}
    differs: list[str] = []
    for field in gateway.mapping.fields.values():
        if field.remote not in theirs.ticket.fields:
            continue
        value = theirs.ticket.fields[field.remote]
        if not corresponds(field.rule, ticket[field.central], value):
            differs.append(field.central)
            if not leave:
                continue
        base[field.central] = Agreement(ticket[field.central], value)
    there = {c.id: gateway.mapping.comment.inward(c.text) for c in theirs.ticket.comments or () if not c.internal}
    items = discussion.unsent(gateway.system, comments, files, {}, {}, share_internal=gateway.share_internal)
    ours = {item.comment.id: item.comment for item in items if item.comment is not None}
    same = twins([(number, comment.text) for number, comment in ours.items()], there.items())
    tied = {number: Tie("") for number in ours if number not in same}
    for number, remote_id in same.items():
        shown = wording.Shown(ours[number].text, False, ours[number].text)
        tied[number] = Tie(remote_id, wording.heard(ours[number], shown))
    unread = [each for each in there if each not in same.values()]
    loose = [f"file:{file.id}" for file in theirs.ticket.files]
    links = tx.links.of(ticket_id)
    stands, at = dict.fromkeys(differs, LEFT_BY_PAIRING) if leave else {}, means.clock()
    link = Link(
        0,
        ticket_id,
        gateway.system,
        LinkState.ACTIVE,
        key=theirs.ticket.key,
        address=theirs.ticket.address,
        base=base,
        seen=mapped(theirs.ticket.fields, gateway.mapping),
        disagreements=stands,
        standing_since=dict.fromkeys(stands, at),
        outdated=tuple(differs) if leave else (),
        ignored=(*unread, *loose),
        history_seen=theirs.history_seen,
        mapping_revision=gateway.mapping.revision,
        created_at=at,
        birth=routing.system_of(ticket["unit"], means.units()) != gateway.system,
    )
    file_ties = {file.id: "" for item in items for file in item.files}
    past = Past(ticket, link, tied, file_ties, comments, files, links)
    return Paired(past, tuple(differs), len(same), len(ours) - len(same) + len(unread) + len(loose))


def _page(means: Means, job: Job, verdict: str, limit: int) -> Sequence[JobRow]:
    after = job.position.get("at") or 0
    return means.store.read(lambda tx: tx.jobs.rows(job.id, verdict=verdict, after=after, limit=limit))


def _read(means: Means, gateway: Gateway, key: str) -> Reading | None:
    """Their ticket with its conversation; None: it is gone."""
    asked_at = means.clock()
    try:
        theirs = reading(gateway, gateway.connector.fetch(key, known=frozenset()), asked_at)
    except NotFound:
        return None
    return None if gone_by_value(gateway, theirs.ticket) else theirs


def _compare(means: Means, gateway: Gateway, job: Job) -> Take:
    """Tell of each pair what differs, and of all what deciding it would write there."""
    leave, rows = bool(job.params.get("leave")), _page(means, job, PAIR, PAGE)
    told: list[JobRow] = []
    writes: Counter[str] = Counter(job.position.get("writes", {}))
    for row in rows:
        theirs = _read(means, gateway, row.subject)
        if theirs is None:
            told.append(replace(row, verdict=NO_TWIN, data={**row.data, "why": "it is gone there"}))
            continue
        pair = means.store.read(
            lambda tx, row=row, theirs=theirs: paired(tx, means, gateway, row.data["ticket"], theirs, leave=leave)  # type: ignore[misc]  # bound now
        )
        would = intended.kinds(intended.linked(means, gateway, pair.past, theirs).writes)
        writes.update({kind.value: number for kind, number in would.items()})
        data = {"differs": list(pair.differs), "same comments": pair.same, "left as they are": pair.left}
        told.append(replace(row, data={**row.data, **data}))

    def take(tx: Transaction, now: Job) -> Job:
        tx.jobs.add_rows(now.id, told)
        now = replace(now, total=(now.total or 0) - sum(row.verdict == NO_TWIN for row in told))
        if len(rows) == PAGE:
            return _onward(now, rows[-1].id, writes=dict(writes))
        return _compared(tx, means, gateway, now, writes)

    return take


def _compared(tx: Transaction, means: Means, gateway: Gateway, job: Job, writes: Counter[str]) -> Job:
    would = mails(gateway.connector.capabilities, {WriteKind(kind): number for kind, number in writes.items()})
    data = {**writes, "mails": would.most, "sentence": would.sentence}
    tx.jobs.add_rows(job.id, [JobRow("there", "to be written", data)])
    if job.params.get("dry_run"):
        return finished(replace(job, done=job.total or 0))
    shaded = tx.registry.system(gateway.system).state is SystemState.SHADOW  # then it is only recorded
    if would.most and not shaded and not job.params.get("notify"):
        told = f"deciding what differs: {would.sentence}; say --notify if that is meant, or --leave"
        return replace(job, state=JobState.FAILED, error=told)
    return replace(_onward(job, None), paced_from=means.clock())  # the pace is that of the work


# -- and that they are one --------------------------------------------------------------------------------------------


def _link(means: Means, gateway: Gateway, job: Job) -> Take:
    rows = _page(means, job, PAIR, PAGE)
    read = [(row, _read(means, gateway, row.subject)) for row in rows]

    def take(tx: Transaction, now: Job) -> Job:
        tx.jobs.add_rows(now.id, [_bind(tx, means, gateway, now, row, theirs) for row, theirs in read])
        now = replace(now, done=now.done + len(rows))
        if len(rows) == PAGE:
            return _onward(now, rows[-1].id)
        return finished(now) if now.params.get("leave") else _onward(now, None)

    return take


def _bind(tx: Transaction, means: Means, gateway: Gateway, job: Job, row: JobRow, theirs: Reading | None) -> JobRow:
    ticket_id, system, at = int(row.data["ticket"]), gateway.system, means.clock()
    if theirs is None:
        return replace(row, verdict=NO_TWIN, data={**row.data, "why": "it is gone there"})
    if tx.links.find(ticket_id, system) or tx.links.find_by_key(system, theirs.ticket.key):
        return replace(row, verdict=TAKEN, data={**row.data, "why": "it was linked meanwhile"})
    if not _stays(tx, means, gateway, ticket_id):
        return replace(row, verdict=TAKEN, data={**row.data, "why": "it was given to another system meanwhile"})
    pair = paired(tx, means, gateway, ticket_id, theirs, leave=bool(job.params.get("leave")))
    link = tx.links.create(pair.past.link)
    for comment_id, tie in pair.past.tied.items():
        tx.links.tie_comment(link.id, comment_id, tie.remote_id, at, tie.agreed)
    for file_id in pair.past.file_ties:
        tx.links.tie_file(link.id, file_id, "")
    why = f"paired by {row.data['by']} (job {job.id})"
    data = {"key": theirs.ticket.key}
    tx.tickets.record([Event(Kind.LINKED, ticket_id, at, SYSTEM, system=system, data=data, why=why)])
    return replace(row, verdict=LINKED)


def _decide(tx: Transaction, means: Means, gateway: Gateway, job: Job) -> Job:
    """An ordinary look at each pair decides what differs."""
    rows = tx.jobs.rows(job.id, verdict=LINKED, after=job.position.get("at") or 0, limit=OWED)
    for row in rows:
        at, reason = means.clock(), f"{job.kind} (job {job.id})"
        means.relay.owe_inward(tx, gateway.system, row.subject, at, reason=reason, lane=Lane.BACKFILL)
    return _onward(job, rows[-1].id) if len(rows) == OWED else finished(job)
