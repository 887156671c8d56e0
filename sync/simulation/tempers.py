"""How trackers differ where it matters to the engine, as switches: the temper of one, drawn from a seed.

Request Tracker and Redmine stand among them as they are documented; the others take any combination of quirks.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

from central.workflow import SET_BY_SYSTEM_ONLY, Status
from connectors.api import Audience, Capabilities, Mail, RemoteField, VersionStrength, WriteKind
from connectors.emulators.tracker import Rules, Tracker
from connectors.memory import WELL_BEHAVED
from mappings import model as mapping_model
from mappings.document import compile_mapping
from mappings.loader import read
from sync.guards.usual import Limits
from sync.simulation.members import REDMINE_LIKE, RT_LIKE

LIFECYCLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "rt": {
        "new": ("open", "rejected", "deleted"),
        "open": ("stalled", "resolved"),
        "stalled": ("open",),
        "resolved": ("open",),
        "rejected": (),
        "deleted": (),
    },
    "redmine": {
        "New": ("In Progress", "Rejected"),
        "In Progress": ("Feedback", "Resolved"),
        "Feedback": ("In Progress",),
        "Resolved": ("In Progress", "Closed"),
        "Closed": (),
        "Rejected": (),
    },
}
"""What our account may make of a status, where the tracker is strict; people may do anything."""

TABLES: Mapping[str, Mapping[str, str]] = {
    "rt": {
        "new": "new",
        "assigned": "open",
        "in progress": "open",
        "waiting for reply": "stalled",
        "on hold": "stalled",
        "reopened": "open",
        "solved": "resolved",
        "unsolved": "rejected",
        "verified": "resolved",
        "closed": "resolved",
    },
    "redmine": {
        "new": "New",
        "assigned": "New",
        "in progress": "In Progress",
        "waiting for reply": "Feedback",
        "on hold": "Feedback",
        "reopened": "In Progress",
        "solved": "Resolved",
        "unsolved": "Rejected",
        "verified": "Closed",
        "closed": "Closed",
    },
}
_BACK: Mapping[str, Mapping[str, str]] = {
    "rt": {"open": "in progress", "stalled": "on hold", "resolved": "solved"},
    "redmine": {
        "New": "new",
        "In Progress": "in progress",
        "Feedback": "waiting for reply",
        "Closed": "closed",
    },
}
MARK = "mark"
"""The field that bears our mark, where there is one."""
REOPENS: Mapping[str, str] = {"new": "open", "resolved": "open", "New": "In Progress", "Resolved": "In Progress"}
"""What a public comment makes of a status, where the tracker has that side effect."""


def _mail(*to: Audience) -> Mail:
    return Mail(to, "as its profile says")


_WATCHED = _mail(Audience.REQUESTOR, Audience.WATCHERS, Audience.OWNER)
NOTIFIES: Mapping[str, Mapping[WriteKind, Mail]] = {
    "rt": {
        WriteKind.CREATE: _mail(Audience.REQUESTOR, Audience.WATCHERS),
        WriteKind.TRANSITION: _mail(Audience.REQUESTOR),
        WriteKind.COMMENT: _WATCHED,
    },
    "redmine": {
        WriteKind.CREATE: _mail(Audience.WATCHERS, Audience.OWNER),
        WriteKind.UPDATE: _WATCHED,
        WriteKind.TRANSITION: _WATCHED,
        WriteKind.COMMENT: _WATCHED,
    },
    "own": dict.fromkeys((WriteKind.CREATE, WriteKind.UPDATE, WriteKind.TRANSITION, WriteKind.COMMENT), _WATCHED),
}
"""Which of our writes make it send mail: Request Tracker and Redmine as their profiles say, all others at each."""


@dataclass(frozen=True, slots=True)
class Temper:
    """One tracker. `table` and `back` are the mapping of the status; `account` is ours there."""

    name: str
    kind: str
    table: tuple[tuple[str, str], ...]
    back: tuple[tuple[str, str], ...]
    capabilities: Capabilities = WELL_BEHAVED
    policy: str = "central"
    strict: bool = False
    reopens: bool = False
    crlf: bool = False
    offset: float = 0.0
    step: float = 1.0
    page: int = 100
    latency: float = 0.1
    poll_every: float = 60.0
    marked: bool = False
    """Its operator has named a ticket and a field for our mark."""
    limits: Limits = field(default_factory=Limits)
    """How much it may close or lose at once before it is asked about."""
    steps: bool = False
    """Its workflow is walked step by step, and asks for a form on the way (`stepping`)."""
    watchers: str = ""
    """How it keeps who watches a ticket: as a `set` or in one `text`; '': it does not (`scenario.watched`)."""
    insists: str = ""
    """The priority that an automation there sets again, right after every write of ours; '': it has none."""

    @property
    def unit(self) -> str:
        """The support unit whose tickets are kept there."""
        return f"unit of {self.name}"

    @property
    def statuses(self) -> tuple[str, ...]:
        """Their words, in the order of the table."""
        return tuple(dict.fromkeys(theirs for _, theirs in self.table))

    @property
    def well_behaved(self) -> bool:
        """It does what it is told, shows all, and people's values are ours to keep."""
        return (
            self.capabilities == WELL_BEHAVED
            and not self.strict
            and not self.steps
            and not self.reopens
            and self.policy != "ask"
            and not self.insists
        )

    def tracker(self, clock: Callable[[], datetime]) -> Tracker:
        """The helpdesk itself."""
        statuses = self.statuses
        rules = Rules(
            fields=(
                RemoteField("subject", "text", max_length=255),
                RemoteField("description", "text"),
                RemoteField("status", "choice", values=statuses),
                RemoteField("priority", "choice", values=("low", "normal", "high")),
                RemoteField("external_id", "text"),
                *((RemoteField(MARK, "text"),) if self.marked else ()),
                *((RemoteField("resolution", "text"),) if self.steps else ()),
                *((RemoteField("watchers", self.watchers),) if self.watchers else ()),
            ),
            defaults={"status": statuses[0], "priority": "low"},
            workflow={"status": LIFECYCLES[self.kind]} if self.strict else {},
            needs={"status": {"Resolved": ("resolution",)}} if self.steps else {},
            forms=self.steps,
            reopens={"status": {b: a for b, a in REOPENS.items() if b in statuses and a in statuses}}
            if self.reopens
            else {},
        )
        tracker = Tracker(clock, rules, name=self.name, step=timedelta(seconds=self.step))
        tracker.offset = timedelta(seconds=self.offset)
        return tracker

    def mapping(self) -> mapping_model.Mapping:
        """What its words mean."""
        return _compiled(self.name, self.table, self.back, (STEPS if self.steps else "") + WATCHERS[self.watchers])


STEPS = """\
    transitions:
      Feedback: {via: {New: [In Progress], Resolved: [In Progress]}}
      Resolved:
        via: {New: [In Progress], Feedback: [In Progress]}
        with: {resolution: {from: solution, otherwise: see the conversation}}
      Closed: {via: {New: [In Progress, Resolved], Feedback: [In Progress, Resolved], In Progress: [Resolved]}}
  solution: {remote: resolution, text: {}}
"""
"""Redmine's statuses, where a mapping knows the ways through them."""


WATCHERS: Mapping[str, str] = {
    "": "",
    "set": "  cc: {remote: watchers, set: {any_case: true}}\n",
    "text": '  cc: {remote: watchers, set: {separator: ", ", any_case: true}}\n',
}
"""What a mapping says of them."""


def stepping(temper: Temper) -> Temper:
    """The same tracker with Redmine's statuses, a workflow that is walked step by step, and a form on the way. No seed
    draws one: whoever wants to see it in the mesh puts it there."""
    table, back = TABLES["redmine"], _BACK["redmine"]
    return replace(
        temper, kind="redmine", table=tuple(table.items()), back=tuple(back.items()), strict=True, steps=True
    )


@cache
def _compiled(
    name: str, table: tuple[tuple[str, str], ...], back: tuple[tuple[str, str], ...], rest: str
) -> mapping_model.Mapping:
    def lines(pairs: Sequence[tuple[str, str]]) -> str:
        return ", ".join(f"{a}: {b}" for a, b in pairs)

    text = f"""
kind: mapping
name: {name}
connector: memory
fields:
  subject: {{remote: subject}}
  description: {{remote: description, text: {{}}}}
  priority:
    remote: priority
    table: {{less urgent: low, urgent: normal, very urgent: high, top priority: high}}
    back: {{high: very urgent}}
  status:
    remote: status
    final: true
    table: {{{lines(table)}}}
    back: {{{lines(back)}}}
{rest}"""
    return compile_mapping(read(text, f"{name}.yaml")[0], revision=1)


def temper(rng: random.Random, name: str, *, polite: bool) -> Temper:
    """A tracker of this seed; a polite one has no quirk but its own words."""
    kind = rng.choice(("rt", "redmine", "own"))
    table, back = _words(rng, kind)
    latency = rng.choice((0.02, 0.1, 0.4, 2.0))
    poll_every = rng.choice((30.0, 60.0, 120.0))
    if polite:
        policy = rng.choice(("central", "remote"))
        return Temper(name, kind, table, back, policy=policy, latency=latency, poll_every=poll_every)
    if kind == "rt":
        capabilities, crlf, strict, reopens = RT_LIKE, False, True, True
    elif kind == "redmine":
        capabilities, crlf, strict, reopens = REDMINE_LIKE, True, True, False
    else:
        capabilities, crlf, strict, reopens = WELL_BEHAVED, rng.random() < 0.3, False, rng.random() < 0.3
    if rng.random() < 0.5:
        capabilities = _quirks(rng, capabilities)
    if rng.random() < 0.3:
        capabilities = replace(capabilities, search_lag=timedelta(seconds=rng.choice((2, 45))))
    return Temper(
        name,
        kind,
        table,
        back,
        capabilities,
        policy=rng.choice(("central", "central", "remote", "ask", "newest")),
        strict=strict and rng.random() < 0.7,
        reopens=reopens,
        crlf=crlf,
        offset=rng.choice((0.0, 0.0, 0.0, 0.3, 5.0, -7200.0, 20700.0)),
        step=1.0,
        page=rng.choice((100, 2)),
        latency=latency,
        poll_every=poll_every,
    )


def _quirks(rng: random.Random, capabilities: Capabilities) -> Capabilities:
    """Take some of what a tracker offers away."""
    weaker = {
        "version": VersionStrength.WEAK,
        "row_version": rng.choice((VersionStrength.WEAK, VersionStrength.NONE)),
        "preconditions": False,
        "full_rows": False,
        "complete_answers": False,
        "history": False,
        "files": False,
        "empty_files": False,
    }
    taken = {name: value for name, value in weaker.items() if rng.random() < 0.3}
    if taken.get("version"):
        taken["preconditions"] = False
        taken.setdefault("row_version", VersionStrength.WEAK)
    if not taken.get("history", capabilities.history):
        taken["history"] = False
    return replace(capabilities, **taken)  # type: ignore[arg-type]  # the names are those of the dataclass


def _words(rng: random.Random, kind: str) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    if kind != "own":
        return tuple(TABLES[kind].items()), tuple(_BACK[kind].items())
    words = [f"w{number}" for number in range(rng.randint(2, 10))]
    statuses = [each.value for each in Status]
    said = [*words, *(rng.choice(words) for _ in range(len(statuses) - len(words)))]
    rng.shuffle(said)
    table = dict(zip(statuses, said, strict=True))
    back = {}
    for word in dict.fromkeys(said):
        readers = [ours for ours in statuses if table[ours] == word]
        if len(readers) > 1:
            free = [ours for ours in readers if ours not in SET_BY_SYSTEM_ONLY] or readers
            back[word] = rng.choice(free)
    return tuple(table.items()), tuple(back.items())
